//! Languages, and the library that is published for each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Lines of a command's complaint that are passed on.
const LINES: usize = 4;

/// What there is for a language. Paths are relative to the root.
pub(super) struct Language {
    pub(super) name: &'static str,
    /// Verifies deliveries.
    pub(super) verify: &'static str,
    /// The documentation's example.
    pub(super) receiver: &'static str,
    /// Which library it is to be, to the byte.
    pins: &'static [&'static str],
    /// The program, in its folder once that is installed.
    program: &'static str,
    /// Commands that show that the language is here as it must be.
    present: &'static [&'static [&'static str]],
    /// Commands that fetch the library, run in the folder.
    fetch: &'static [&'static [&'static str]],
    /// What to do about one that is missing.
    advice: &'static str,
}

pub(super) const PYTHON: Language = Language {
    name: "python",
    verify: "xtask/interop/verify.py",
    receiver: "docs/examples/receiver.py",
    pins: &["xtask/interop/requirements.txt"],
    program: "venv/bin/python",
    present: &[&[
        "python3",
        "-c",
        "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 9))",
    ]],
    fetch: &[
        &["python3", "-m", "venv", "--clear", "venv"],
        &[
            "venv/bin/python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "--requirement=requirements.txt",
        ],
    ],
    advice: "python3 is not here, is older than 3.9, or has no venv (apt install python3-venv)",
};

pub(super) const JAVASCRIPT: Language = Language {
    name: "node",
    verify: "xtask/interop/verify.mjs",
    receiver: "docs/examples/receiver.mjs",
    pins: &[
        "xtask/interop/package.json",
        "xtask/interop/package-lock.json",
    ],
    program: "node",
    present: &[&["node", "--version"], &["npm", "--version"]],
    fetch: &[&[
        "npm",
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]],
    advice: "node or npm is not here (apt install nodejs npm)",
};

/// A folder with a language's library in it.
pub(super) struct Installed {
    root: PathBuf,
    folder: PathBuf,
    program: PathBuf,
}

impl Language {
    /// Fetches the library where it is not here yet. Gives the reason where it cannot be had.
    pub(super) fn install(&self, workspace: &Workspace) -> Result<Result<Installed, String>> {
        for command in self.present {
            if run(command, &workspace.root).is_err() {
                return Ok(Err(self.advice.to_owned()));
            }
        }
        let folder = workspace.target.join("interop").join(self.name);
        if !self.is_fresh(workspace, &folder)? {
            fs::create_dir_all(&folder)?;
            let _ = fs::remove_file(stamp(&folder));
            for pin in self.pins {
                copy(&workspace.root.join(pin), &folder)?;
            }
            for command in self.fetch {
                if let Err(said) = run(command, &folder) {
                    return Ok(Err(format!("the library cannot be had:\n{said}")));
                }
            }
            fs::write(stamp(&folder), self.wanted(workspace)?)?;
        }
        // A bare name is looked for where all programs are.
        let program = folder.join(self.program);
        Ok(Ok(Installed {
            root: workspace.root.clone(),
            program: if program.exists() {
                program
            } else {
                self.program.into()
            },
            folder,
        }))
    }

    /// Whether what is wanted was fetched before, and its language is still the one that did.
    fn is_fresh(&self, workspace: &Workspace, folder: &Path) -> Result<bool> {
        let known = fs::read_to_string(stamp(folder)).unwrap_or_default();
        Ok(known == self.wanted(workspace)?)
    }

    /// The pins, and the language's version.
    fn wanted(&self, workspace: &Workspace) -> Result<String> {
        let mut wanted = String::new();
        for pin in self.pins {
            wanted += &fs::read_to_string(workspace.root.join(pin)).context(*pin)?;
        }
        let language = self.present.iter().filter_map(|command| command.first());
        for program in language {
            wanted += &run(&[program, "--version"], &workspace.root).unwrap_or_default();
        }
        Ok(wanted)
    }
}

impl Installed {
    /// Runs a script, which finds the library: some languages look for it beside the script.
    pub(super) fn command(&self, script: &str) -> Result<Command> {
        let script = copy(&self.root.join(script), &self.folder)?;
        let mut command = Command::new(&self.program);
        command.arg(script).current_dir(&self.folder);
        Ok(command)
    }
}

fn stamp(folder: &Path) -> PathBuf {
    folder.join("installed.stamp")
}

/// Copies a file into a folder, and says where it is now.
fn copy(file: &Path, folder: &Path) -> Result<PathBuf> {
    let name = file.file_name().context("a file has a name")?;
    let there = folder.join(name);
    fs::copy(file, &there).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(there)
}

/// What a command prints, or what it says when it does not succeed.
fn run(command: &[&str], folder: &Path) -> Result<String, String> {
    let (program, arguments) = command.split_first().ok_or("no command")?;
    // Relative to the folder, where it has one.
    let program = if program.contains('/') {
        folder.join(program)
    } else {
        program.into()
    };
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first: Vec<&str> = said.trim().lines().take(LINES).collect();
    Err(first.join("\n"))
}
