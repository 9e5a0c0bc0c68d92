//! `api` reads requests with the extractors of `http-kit` only: axum's own answer a bad request
//! with plain text, where the contract has a body.

use super::Breach;

const FOLDER: &str = "crates/api/src/";
const BANNED: [&str; 7] = [
    "axum::Json",
    "axum::Form",
    "axum::extract::Json",
    "axum::extract::Form",
    "axum::extract::Path",
    "axum::extract::Query",
    "axum::extract::Multipart",
];

/// Finds the banned names, written out or through `use`.
pub(super) fn check(file: &str, content: &str) -> Vec<Breach> {
    if !file.starts_with(FOLDER) {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    for (start, _) in content.match_indices("axum::") {
        if content[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        // A comment may speak of what code must not use.
        let line_start = content[..start].rfind('\n').map_or(0, |at| at + 1);
        if content[line_start..start].trim_start().starts_with("//") {
            continue;
        }
        let number = content[..start].lines().count().max(1);
        let mut names = Vec::new();
        expand("", &mut content[start..].chars().peekable(), &mut names);
        for name in names.iter().filter(|name| BANNED.contains(&name.as_str())) {
            breaches.push(Breach {
                rule: "extractors",
                place: format!("{file}:{number}"),
                what: format!("uses {name}"),
                reason: "it answers bad input with plain text; use the one of http-kit",
            });
        }
    }
    breaches
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// `axum::{Json, extract::{Path, State as S}}` → `axum::Json`, `axum::extract::Path`, …
fn expand(prefix: &str, rest: &mut Characters<'_>, names: &mut Vec<String>) {
    let mut path = prefix.to_owned();
    while let Some(&c) = rest.peek() {
        match c {
            c if c.is_alphanumeric() || c == '_' || c == ':' => {
                path.push(c);
                rest.next();
            }
            '{' => {
                rest.next();
                loop {
                    expand(&path, rest, names);
                    // `as Name` and the like, up to the next name or the end.
                    while rest.next_if(|c| !matches!(c, ',' | '}' | ';')).is_some() {}
                    if rest.next() != Some(',') {
                        return;
                    }
                }
            }
            c if c.is_whitespace() && path == prefix => {
                rest.next();
            }
            _ => break,
        }
    }
    names.push(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(content: &str) -> Vec<String> {
        let breaches = check("crates/api/src/labels/crud.rs", content);
        breaches
            .into_iter()
            .map(|breach| breach.what.replace("uses ", ""))
            .collect()
    }

    #[test]
    fn names_written_out_are_found() {
        assert_eq!(found("fn f(x: axum::Json<A>) {}"), ["axum::Json"]);
        assert_eq!(found("use axum::extract::Query;"), ["axum::extract::Query"]);
    }

    #[test]
    fn names_in_groups_are_found() {
        let content = "use axum::{\n    Json as J,\n    extract::{State, Path},\n};\nuse x::Json;";
        assert_eq!(found(content), ["axum::Json", "axum::extract::Path"]);
    }

    #[test]
    fn the_rest_of_axum_is_free() {
        let content = "use axum::extract::{State, Request};\n// not axum::Json\nuse axum::Router;";
        assert_eq!(found(content), Vec::<String>::new());
        assert_eq!(
            found("use mf_http_kit::extract::{Json, Path};"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_line_is_named() {
        let breaches = check("crates/api/src/a.rs", "//! A.\n\nuse axum::Json;\n");
        assert_eq!(breaches[0].place, "crates/api/src/a.rs:3");
    }

    #[test]
    fn other_crates_may() {
        assert_eq!(check("crates/http-kit/src/lib.rs", "use axum::Json;"), []);
    }
}
