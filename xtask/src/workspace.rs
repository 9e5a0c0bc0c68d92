//! What cargo says about this workspace, and how to call cargo.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// The workspace that this program belongs to.
pub(crate) struct Workspace {
    /// Absolute.
    pub(crate) root: PathBuf,
    /// Absolute; what is built goes here.
    pub(crate) target: PathBuf,
    /// Its members.
    pub(crate) packages: Vec<Package>,
}

/// A member.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Relative to the root, with `/`.
    pub(crate) folder: String,
    /// Names of its normal dependencies (neither dev nor build).
    pub(crate) dependencies: Vec<String>,
    /// First files of its libraries and programs, relative to the root; of its tests where it
    /// has neither.
    pub(crate) roots: Vec<String>,
}

impl Workspace {
    pub(crate) fn read() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let output = cargo(here)
            .args(["metadata", "--no-deps", "--format-version=1"])
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo metadata")?;
        ensure!(output.status.success(), "cargo metadata failed");
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let path = |name: &str| {
            metadata[name]
                .as_str()
                .map(PathBuf::from)
                .context("no path")
        };
        let root = path("workspace_root")?;
        let packages = list(&metadata["packages"]).map(|value| Package::read(value, &root));
        let packages = packages.collect::<Result<_>>()?;
        Ok(Self {
            target: path("target_directory")?,
            packages,
            root,
        })
    }

    /// A cargo command in the root.
    pub(crate) fn cargo(&self) -> Command {
        cargo(&self.root)
    }

    /// Files of the repository, tracked or about to be, relative to the root.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let listed = self
            .git(&[
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .context("git cannot list the files")?;
        let mut files: Vec<String> = String::from_utf8_lossy(&listed)
            .split('\0')
            // A file that was deleted and not yet committed is still listed.
            .filter(|name| !name.is_empty() && self.root.join(name).is_file())
            .map(str::to_owned)
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// What git prints, if it succeeds.
    pub(crate) fn git(&self, arguments: &[&str]) -> Option<Vec<u8>> {
        // We only read, also where the clone belongs to somebody else, as in many containers.
        let output = Command::new("git")
            .args(["-c", "safe.directory=*"])
            .args(arguments)
            .current_dir(&self.root)
            .output()
            .ok()?;
        output.status.success().then_some(output.stdout)
    }
}

impl Package {
    fn read(value: &Value, root: &Path) -> Result<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned).context("no text");
        let manifest = PathBuf::from(text(&value["manifest_path"])?);
        let folder = manifest.parent().context("no folder")?;
        let of_kind = |wanted: &[&str]| -> Result<Vec<String>> {
            list(&value["targets"])
                .filter(|target| {
                    list(&target["kind"])
                        .filter_map(Value::as_str)
                        .any(|kind| wanted.contains(&kind))
                })
                .map(|target| relative(Path::new(&text(&target["src_path"])?), root))
                .collect()
        };
        let mut roots = of_kind(&["lib", "bin"])?;
        if roots.is_empty() {
            roots = of_kind(&["test"])?;
        }
        let dependencies = list(&value["dependencies"])
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| text(&dependency["name"]))
            .collect::<Result<_>>()?;
        Ok(Self {
            name: text(&value["name"])?,
            folder: relative(folder, root)?,
            dependencies,
            roots,
        })
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn relative(path: &Path, root: &Path) -> Result<String> {
    match path.strip_prefix(root).ok().and_then(Path::to_str) {
        Some(text) => Ok(text.replace('\\', "/")),
        None => bail!("{} is not in {}", path.display(), root.display()),
    }
}

/// The cargo that started us, in the environment that it would have by itself. Queries are always
/// checked against the committed data; `prepare` says otherwise for itself.
fn cargo(folder: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(folder).env("SQLX_OFFLINE", "true");
    command
        .env_remove("DATABASE_URL")
        .env_remove("SQLX_OFFLINE_DIR");
    // `cargo run` tells us about our own package. Build scripts that look at these, such as
    // ring's, would run again, and all that depends on them, at each change between
    // `cargo xtask` and plain `cargo`.
    for (name, _) in std::env::vars_os() {
        let told = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ];
        if told
            .iter()
            .any(|prefix| name.to_string_lossy().starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
    command
}
