//! Rules about lines of text.

use super::Breach;

/// Longest file of code, lines.
const LONGEST: usize = 600;
/// Longest file of tests, lines.
const LONGEST_TESTS: usize = 900;
/// Files that name the words they look for.
const NAMES_THE_WORDS: &str = "xtask/src/";

/// Whether the file is in a folder of tests, or a module of them.
fn is_test(file: &str) -> bool {
    file.split('/')
        .any(|part| part == "tests" || part == "tests.rs")
}

fn is_rust(file: &str) -> bool {
    file.rsplit_once('.')
        .is_some_and(|(_, extension)| extension == "rs")
}

/// Files that are too long to be read in one go.
pub(super) fn length(file: &str, content: &str) -> Option<Breach> {
    let limit = if is_test(file) {
        LONGEST_TESTS
    } else {
        LONGEST
    };
    let lines = content.lines().count();
    (is_rust(file) && lines > limit).then(|| Breach {
        rule: "length",
        place: file.to_owned(),
        what: format!("has {lines} lines, more than {limit}"),
        reason: "a file has one subject; split it",
    })
}

/// Tests that wait for time to pass.
pub(super) fn sleep(file: &str, content: &str) -> Vec<Breach> {
    if !is_rust(file) || !is_test(file) {
        return Vec::new();
    }
    let sleeps = |line: &&str| !line.trim_start().starts_with("//") && line.contains("sleep(");
    numbered(content)
        .filter(|(_, line)| sleeps(line))
        .map(|(number, _)| Breach {
            rule: "sleep",
            place: format!("{file}:{number}"),
            what: "sleeps".to_owned(),
            reason: "too short on a busy machine and too long on every other; wait for the event, \
                     or move the injected clock",
        })
        .collect()
}

/// Words that do not belong into what we commit.
pub(super) fn words(file: &str, content: &str) -> Vec<Breach> {
    if file.starts_with(NAMES_THE_WORDS) {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    for (number, line) in numbered(content) {
        for (word, reason) in [
            ("TODO", "an issue is found again, a comment is not"),
            ("FIXME", "an issue is found again, a comment is not"),
            ("../shared", "nothing outside the repository may be needed"),
            ("/work/", "nothing outside the repository may be needed"),
        ] {
            if has_word(line, word) {
                breaches.push(Breach {
                    rule: "words",
                    place: format!("{file}:{number}"),
                    what: format!("has `{word}`"),
                    reason,
                });
            }
        }
    }
    breaches
}

fn numbered(content: &str) -> impl Iterator<Item = (usize, &str)> {
    content
        .lines()
        .zip(1..)
        .map(|(line, number)| (number, line))
}

/// Whether `word` is there and is not part of a longer one (on a side where it ends in a letter
/// or begins with one, or with a slash).
fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(|c| part(c) || c == '.')
            && (word.ends_with('/') || !after.is_some_and(part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_has_a_limit_and_tests_a_higher_one() {
        let long = "x\n".repeat(LONGEST + 1);
        assert!(length("crates/a/src/lib.rs", &long).is_some());
        assert_eq!(length("crates/a/tests/it.rs", &long), None);
        assert_eq!(length("crates/a/src/b/tests.rs", &long), None);
        assert_eq!(length("README.md", &long), None);
        assert!(length("tests/it/a.rs", &"x\n".repeat(LONGEST_TESTS + 1)).is_some());
    }

    #[test]
    fn only_tests_may_not_sleep() {
        let content = "// sleep(1)\nsleep(1);\n";
        assert_eq!(sleep("tests/it/a.rs", content).len(), 1);
        assert_eq!(sleep("tests/it/a.rs", content)[0].place, "tests/it/a.rs:2");
        assert_eq!(sleep("crates/a/src/lib.rs", content), []);
    }

    #[test]
    fn words_are_found_whole() {
        let found = |line: &str| words("README.md", line).len();
        assert_eq!(found("// TODO: later"), 1);
        assert_eq!(found("TODOS and METHODFIXMES"), 0);
        assert_eq!(found("see ../shared/design"), 1);
        assert_eq!(found("cd /work/main"), 1);
        assert_eq!(found("a/frame/work/b, https://x.org/work/"), 0);
        assert_eq!(words("xtask/src/tidy/text.rs", "TODO"), []);
    }
}
