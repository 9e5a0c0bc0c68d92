//! Begins a migration with the parts that every table of a tenant needs.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::tidy::migrations::{is_verb_object, timestamp};
use crate::workspace::Workspace;

const TEMPLATE: &str = include_str!("migration.sql");

/// Writes `migrations/<now>_<name>.sql`.
pub(crate) fn run(workspace: &Workspace, name: &str) -> Result<()> {
    ensure!(
        is_verb_object(name),
        "`{name}` is not verb_object, as in create_label"
    );
    let folder = workspace.root.join("migrations");
    let now = now();
    for file in workspace.files()? {
        let last = file
            .strip_prefix("migrations/")
            .and_then(timestamp)
            .unwrap_or_default();
        ensure!(
            last < now.as_str(),
            "{file} is not older than now ({now}, UTC)"
        );
    }
    let path = folder.join(format!("{now}_{name}.sql"));
    fs::create_dir_all(&folder)?;
    fs::write(&path, content(name)).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}

/// The template for the object named: `create_label` is about `label`.
fn content(name: &str) -> String {
    let (_, object) = name.split_once('_').unwrap_or(("", name));
    TEMPLATE.replace("OBJECT", object)
}

#[allow(
    clippy::disallowed_methods,
    reason = "the name of the file is the real time"
)]
fn now() -> String {
    chrono::Utc::now().format("%Y%m%d%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_about_the_object() {
        let text = content("create_group_label");
        assert!(text.contains("CREATE TABLE group_label ("), "{text}");
        assert!(!text.contains("OBJECT"), "{text}");
    }
}
