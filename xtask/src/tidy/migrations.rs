//! Rules about migrations: databases out there have run them.

use std::collections::BTreeMap;
use std::fs;

use super::Breach;
use crate::workspace::Workspace;

const FOLDER: &str = "migrations/";
const RULE: &str = "migrations";
/// Where what is published can be seen, if the clone has it.
const PUBLISHED: &str = "origin/main";

/// `20260101093000` of `20260101093000_create_label.sql`.
pub(crate) fn timestamp(name: &str) -> Option<&str> {
    let (timestamp, _) = name.split_once('_')?;
    let in_range = |from: usize, least: u32, most: u32| {
        timestamp[from..from + 2]
            .parse()
            .is_ok_and(|number| (least..=most).contains(&number))
    };
    (timestamp.len() == 14
        && timestamp.chars().all(|c| c.is_ascii_digit())
        && in_range(4, 1, 12)
        && in_range(6, 1, 31)
        && in_range(8, 0, 23)
        && in_range(10, 0, 59)
        && in_range(12, 0, 59))
    .then_some(timestamp)
}

/// `create_label`: two words or more.
pub(crate) fn is_verb_object(name: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    name.contains('_') && name.split('_').all(word)
}

/// Names that sqlx would skip in silence, or run in no certain order.
pub(super) fn names(files: &[String]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut last = "";
    for file in files {
        let Some(name) = file.strip_prefix(FOLDER) else {
            continue;
        };
        let breach = |what: &str| Breach {
            rule: RULE,
            place: file.clone(),
            what: what.to_owned(),
            reason: "migrations run in the order of their names",
        };
        let verb_object = name.strip_suffix(".sql").and_then(|stem| stem.get(15..));
        match (timestamp(name), verb_object) {
            (Some(timestamp), Some(rest)) if is_verb_object(rest) => {
                if timestamp == last {
                    breaches.push(breach("has the same time as the one before it"));
                }
                last = timestamp;
            }
            _ => breaches.push(breach("is not named YYYYMMDDHHMMSS_verb_object.sql")),
        }
    }
    breaches
}

/// File → content, at one commit or now.
type Migrations = BTreeMap<String, Vec<u8>>;

/// Migrations that changed after they were committed. An error where they are published; a word
/// where they are not, since nobody but us has run them.
pub(super) fn unchanged(workspace: &Workspace) -> Vec<Breach> {
    let now: Migrations = workspace
        .files()
        .unwrap_or_default()
        .into_iter()
        .filter(|file| file.starts_with(FOLDER))
        .filter_map(|file| Some((file.clone(), fs::read(workspace.root.join(file)).ok()?)))
        .collect();
    let published = at_commit(workspace, PUBLISHED);
    let committed = at_commit(workspace, "HEAD");
    for (file, what) in changes(&committed, &now) {
        if !published.contains_key(&file) {
            println!("note: {file} {what} since HEAD, which is fine until it is published");
        }
    }
    let mut breaches: Vec<Breach> = changes(&published, &now)
        .into_iter()
        .map(|(file, what)| Breach {
            rule: RULE,
            what: format!("{what} since {PUBLISHED}"),
            place: file,
            reason: "databases out there have run it and refuse another content; write a new one",
        })
        .collect();
    breaches.extend(early(&published, &now));
    breaches
}

fn changes(before: &Migrations, now: &Migrations) -> Vec<(String, &'static str)> {
    before
        .iter()
        .filter_map(|(file, content)| match now.get(file) {
            Some(present) if present == content => None,
            Some(_) => Some((file.clone(), "has changed")),
            None => Some((file.clone(), "has gone")),
        })
        .collect()
}

/// New ones that sort before a published one.
fn early(published: &Migrations, now: &Migrations) -> Vec<Breach> {
    let Some(last) = published.keys().next_back() else {
        return Vec::new();
    };
    now.keys()
        .filter(|file| !published.contains_key(*file) && *file < last)
        .map(|file| Breach {
            rule: RULE,
            place: file.clone(),
            what: format!("is new and older than {last}"),
            reason: "databases out there would run it after that one, fresh ones before; rename it",
        })
        .collect()
}

fn at_commit(workspace: &Workspace, commit: &str) -> Migrations {
    let listed = workspace.git(&["ls-tree", "-r", "-z", "--name-only", commit, "--", FOLDER]);
    String::from_utf8_lossy(&listed.unwrap_or_default())
        .split('\0')
        .filter(|file| !file.is_empty())
        .filter_map(|file| {
            let content = workspace.git(&["show", &format!("{commit}:{file}")])?;
            Some((file.to_owned(), content))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(files: &[&str]) -> Vec<String> {
        let files: Vec<String> = files.iter().map(|file| format!("{FOLDER}{file}")).collect();
        names(&files)
            .into_iter()
            .map(|breach| breach.what)
            .collect()
    }

    fn migrations(entries: &[(&str, &str)]) -> Migrations {
        entries
            .iter()
            .map(|(file, text)| ((*file).into(), text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn good_names_pass() {
        let files = [
            "20260101093000_create_label.sql",
            "20260101093001_add_label_color.sql",
        ];
        assert_eq!(named(&files), Vec::<String>::new());
    }

    #[test]
    fn bad_names_do_not() {
        for name in [
            "1_create_label.sql",
            "20261301093000_create_label.sql",
            "20260101093000_label.sql",
            "20260101093000_Create_label.sql",
            "20260101093000_create_label.txt",
            "20260101093000.sql",
            "äää20260101_create_label.sql",
        ] {
            assert_eq!(named(&[name]).len(), 1, "{name}");
        }
    }

    #[test]
    fn two_at_the_same_time_have_no_order() {
        assert_eq!(
            named(&["20260101093000_a_b.sql", "20260101093000_c_d.sql"]).len(),
            1
        );
    }

    #[test]
    fn changes_are_seen() {
        let before = migrations(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let now = migrations(&[("a", "1"), ("b", "2"), ("d", "1")]);
        let expected = [
            ("b".to_owned(), "has changed"),
            ("c".to_owned(), "has gone"),
        ];
        assert_eq!(changes(&before, &now), expected);
    }

    #[test]
    fn a_new_one_comes_last() {
        let published = migrations(&[("2", "")]);
        assert_eq!(early(&published, &migrations(&[("2", ""), ("3", "")])), []);
        assert_eq!(
            early(&published, &migrations(&[("1", ""), ("2", "")])).len(),
            1
        );
    }
}
