//! Where installations are looked for.

use std::ffi::OsString;
#[cfg(test)]
use std::path::Path;
use std::path::PathBuf;

/// Where to look on this machine; tests look elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// Patterns with one `*` in place of a number; the highest number first.
    pub(crate) numbered: Vec<String>,
    /// As the environment has it.
    pub(crate) path: Option<OsString>,
    /// Patterns looked at last.
    pub(crate) last: Vec<String>,
    /// The list of users.
    pub(crate) passwd: PathBuf,
    /// Where a cluster goes that cannot stay in its data folder.
    pub(crate) relocation: PathBuf,
}

impl Places {
    pub(crate) fn of_this_machine() -> Self {
        let owned = |patterns: &[&str]| patterns.iter().map(|text| (*text).to_owned()).collect();
        Self {
            numbered: owned(&[
                "/usr/lib/postgresql/*/bin",
                "/usr/pgsql-*/bin",
                "/opt/homebrew/opt/postgresql@*/bin",
                "/usr/local/opt/postgresql@*/bin",
            ]),
            path: std::env::var_os("PATH"),
            last: owned(&["/Applications/Postgres.app/Contents/Versions/*/bin"]),
            passwd: "/etc/passwd".into(),
            relocation: "/var/lib".into(),
        }
    }

    pub(crate) fn describe(&self) -> String {
        let mut places: Vec<&str> = self.numbered.iter().map(String::as_str).collect();
        places.extend(self.path.as_ref().map(|_| "PATH"));
        places.extend(self.last.iter().map(String::as_str));
        places.join(", ")
    }

    /// A machine without any PostgreSQL.
    #[cfg(test)]
    pub(crate) fn none(relocation: &Path) -> Self {
        Self {
            numbered: vec!["/nowhere/*/bin".to_owned()],
            path: None,
            last: Vec::new(),
            passwd: "/etc/passwd".into(),
            relocation: relocation.to_path_buf(),
        }
    }
}
