//! What is printed without a database.

use crate::{SETTINGS, banner::say};

pub(crate) fn print_openapi() -> anyhow::Result<()> {
    say(&mf_api::openapi().to_pretty_json()?);
    Ok(())
}

pub(crate) fn print_settings() {
    say(env_example().trim_end());
}

/// Every setting, commented out, as `.env.example` has them.
pub fn env_example() -> String {
    let entries = SETTINGS.iter().map(|setting| {
        let example = if setting.default.contains(['<', ' ']) || setting.default == "generated" {
            ""
        } else {
            setting.default
        };
        let default = if example.is_empty() && !setting.default.is_empty() {
            format!(" Unset: {}.", setting.default)
        } else {
            String::new()
        };
        let help = comment(&format!("{}{default}", setting.help));
        format!("{help}#{}={example}\n", setting.name)
    });
    let head = "# Settings of moltflow. Copy this file to .env and uncomment what you change.\n";
    std::iter::once(head.to_owned())
        .chain(entries)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A text as lines of comment, each of up to 90 characters.
fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < 90 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("# {word}")),
        }
    }
    lines.join("\n") + "\n"
}
