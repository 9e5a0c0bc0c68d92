//! House rules that no compiler knows. Each rule is a function from text to breaches.

mod crates;
mod extractors;
pub(crate) mod migrations;
mod text;

use std::fmt;
use std::fs;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// A rule broken, where, and why the rule is there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    rule: &'static str,
    /// File, with `:line` where one is to blame.
    place: String,
    what: String,
    reason: &'static str,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} [{}: {}]",
            self.place, self.what, self.rule, self.reason
        )
    }
}

/// Checks every rule and lists every breach.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let files = workspace.files()?;
    let read = |name: &str| fs::read_to_string(workspace.root.join(name)).unwrap_or_default();

    let mut breaches = crates::arrows(&workspace.packages);
    for package in &workspace.packages {
        let manifest = format!("{}/Cargo.toml", package.folder);
        breaches.extend(crates::lints(&manifest, &read(&manifest)));
        for root in &package.roots {
            breaches.extend(crates::doc_comment(root, &read(root)));
        }
    }
    for file in &files {
        // Bytes that are no text have no lines and no words.
        let Ok(content) = fs::read_to_string(workspace.root.join(file)) else {
            continue;
        };
        breaches.extend(text::length(file, &content));
        breaches.extend(text::sleep(file, &content));
        breaches.extend(text::words(file, &content));
        breaches.extend(extractors::check(file, &content));
    }
    breaches.extend(migrations::names(&files));
    breaches.extend(migrations::unchanged(workspace));

    for breach in &breaches {
        println!("{breach}");
    }
    match breaches.len() {
        0 => {
            println!("{} files keep the house rules", files.len());
            Ok(())
        }
        count => bail!("{count} breaches of the house rules"),
    }
}
