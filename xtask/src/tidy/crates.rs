//! Rules about crates: who may use whom, and what each must have.

use super::Breach;
use crate::workspace::Package;

/// What a crate of ours may use of ours.
enum May {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

/// The ladder. Dependencies for tests alone are free.
const ARROWS: [(&str, May); 17] = [
    ("mf-domain", May::Only(&[])),
    ("mf-engine", May::Only(&["mf-domain"])),
    ("mf-engine-waha", May::Only(&["mf-engine", "mf-domain"])),
    // Knows WAHA's contract and nothing of ours, so that it cannot share our mistakes.
    ("mf-waha-sim", May::Only(&[])),
    ("mf-local-postgres", May::Only(&[])),
    ("mf-outbound", May::Only(&[])),
    ("mf-files", May::Only(&[])),
    ("mf-store", May::Only(&["mf-domain"])),
    (
        "mf-services",
        May::Only(&[
            "mf-domain",
            "mf-store",
            "mf-engine",
            "mf-outbound",
            "mf-files",
        ]),
    ),
    (
        "mf-http-kit",
        May::Only(&["mf-domain", "mf-services", "mf-store"]),
    ),
    (
        "mf-api",
        May::Only(&[
            "mf-http-kit",
            "mf-services",
            "mf-store",
            "mf-engine",
            "mf-domain",
        ]),
    ),
    (
        "mf-worker",
        May::Only(&["mf-services", "mf-store", "mf-domain"]),
    ),
    (
        "mf-server",
        May::AllBut(&["mf-test-support", "mf-chaos", "mf-tests", "xtask"]),
    ),
    (
        "mf-test-support",
        May::Only(&["mf-domain", "mf-store", "mf-local-postgres"]),
    ),
    // Breaks the server from outside: it starts the program and uses no crate of it, but asks
    // `outbound` itself what a name server can make it do.
    (
        "mf-chaos",
        May::Only(&["mf-local-postgres", "mf-outbound", "mf-waha-sim"]),
    ),
    ("mf-tests", May::AllBut(&[])),
    ("xtask", May::AllBut(&[])),
];

/// Crates from outside that only some of ours may use, and why.
const RESERVED: [(&str, &[&str], &str); 2] = [
    (
        "sqlx",
        &[
            "mf-store",
            "mf-test-support",
            "mf-chaos",
            "mf-tests",
            "xtask",
        ],
        "all SQL is in store, where row security is set up",
    ),
    (
        "axum",
        &[
            "mf-http-kit",
            "mf-api",
            "mf-server",
            "mf-waha-sim",
            "mf-tests",
        ],
        "what is below HTTP must serve background work just as well",
    ),
];

/// Arrows that the table does not have.
pub(super) fn arrows(packages: &[Package]) -> Vec<Breach> {
    let names: Vec<&str> = packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    packages
        .iter()
        .flat_map(|package| arrows_of(package, &names))
        .collect()
}

fn arrows_of(package: &Package, ours: &[&str]) -> Vec<Breach> {
    let place = format!("{}/Cargo.toml", package.folder);
    let breach = |what: String, reason| Breach {
        rule: "arrows",
        place: place.clone(),
        what,
        reason,
    };
    let Some((_, may)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
        return vec![breach(
            format!("{} is not in the table of crates", package.name),
            "a new crate says whom it may use, in xtask/src/tidy/crates.rs",
        )];
    };
    let mut breaches = Vec::new();
    for dependency in &package.dependencies {
        let allowed = match may {
            May::Only(names) => names.contains(&dependency.as_str()),
            May::AllBut(names) => !names.contains(&dependency.as_str()),
        };
        if ours.contains(&dependency.as_str()) && !allowed {
            breaches.push(breach(
                format!("{} may not use {dependency}", package.name),
                "crates form a ladder, so that a change is felt in one direction only",
            ));
        }
        for (name, allowed, reason) in &RESERVED {
            if dependency == name && !allowed.contains(&package.name.as_str()) {
                breaches.push(breach(
                    format!("{} may not use {name}", package.name),
                    reason,
                ));
            }
        }
    }
    breaches
}

/// `[lints]` with `workspace = true`.
pub(super) fn lints(manifest: &str, content: &str) -> Option<Breach> {
    let mut lines = content
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[lints]")
        .skip(1);
    let kept = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    (kept != Some("workspace = true")).then(|| Breach {
        rule: "lints",
        place: manifest.to_owned(),
        what: "has no `[lints]` with `workspace = true`".to_owned(),
        reason: "the same warnings everywhere",
    })
}

/// A comment on the crate, before anything but attributes.
pub(super) fn doc_comment(root: &str, content: &str) -> Option<Breach> {
    let first = content
        .lines()
        .find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    let documented = first.is_some_and(|line| line.starts_with("//!"));
    (!documented).then(|| Breach {
        rule: "crate comment",
        place: root.to_owned(),
        what: "does not begin with a `//!` comment".to_owned(),
        reason: "the first file of a crate says what the crate is for",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            folder: format!("crates/{name}"),
            dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
            roots: Vec::new(),
        }
    }

    fn said(packages: &[Package]) -> Vec<String> {
        arrows(packages)
            .into_iter()
            .map(|breach| breach.what)
            .collect()
    }

    #[test]
    fn arrows_of_the_table_are_allowed() {
        let domain = package("mf-domain", &["serde"]);
        let store = package("mf-store", &["mf-domain", "sqlx"]);
        assert_eq!(said(&[domain, store]), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_upwards_is_not() {
        let domain = package("mf-domain", &["mf-store"]);
        assert_eq!(
            said(&[domain, package("mf-store", &[])]),
            ["mf-domain may not use mf-store"]
        );
    }

    #[test]
    fn the_server_takes_no_test_support() {
        let server = package("mf-server", &["mf-test-support", "mf-waha-sim"]);
        let all = [
            server,
            package("mf-test-support", &[]),
            package("mf-waha-sim", &[]),
        ];
        assert_eq!(said(&all), ["mf-server may not use mf-test-support"]);
    }

    #[test]
    fn sql_and_http_stay_where_they_belong() {
        assert_eq!(
            said(&[package("mf-api", &["sqlx", "axum"])]),
            ["mf-api may not use sqlx"]
        );
        assert_eq!(
            said(&[package("mf-store", &["axum"])]),
            ["mf-store may not use axum"]
        );
    }

    #[test]
    fn a_new_crate_needs_a_row() {
        assert_eq!(
            said(&[package("mf-new", &[])]),
            ["mf-new is not in the table of crates"]
        );
    }

    #[test]
    fn lints_are_inherited() {
        assert_eq!(lints("m", "[package]\n\n[lints]\nworkspace = true\n"), None);
        assert!(lints("m", "[package]\n").is_some());
        assert!(lints("m", "[lints]\n[dependencies]\nworkspace = true\n").is_some());
    }

    #[test]
    fn a_crate_begins_with_its_comment() {
        assert_eq!(doc_comment("r", "//! What it is.\n"), None);
        assert_eq!(doc_comment("r", "#![allow(x)]\n\n//! What it is.\n"), None);
        assert!(doc_comment("r", "use x;\n//! Late.\n").is_some());
        assert!(doc_comment("r", "").is_some());
    }
}
