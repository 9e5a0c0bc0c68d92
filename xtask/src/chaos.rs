//! Breaks the real server on purpose. The rig is a program of its own, so that the tools here
//! stay small.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::steps;
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Which injections; all without any
    names: Vec<String>,
    /// Choices follow from it
    #[arg(long)]
    seed: Option<u64>,
    /// The forms that run with the tests
    #[arg(long)]
    short: bool,
    /// Where to write the lines of JSON as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Build without optimisation: quicker to begin, and figures worth nothing
    #[arg(long)]
    dev: bool,
}

/// Builds the server and the rig, and runs it. Fails if a bound is not met.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let mut build = workspace.cargo();
    build.arg("build").args(steps::quiet());
    build.args(["-p", "mf-server", "--bin", "moltflow"]);
    build.args(["-p", "mf-chaos", "--bin", "mf-chaos"]);
    if !arguments.dev {
        build.arg("--release");
    }
    steps::run(&mut build)?;

    let folder = workspace
        .target
        .join(if arguments.dev { "debug" } else { "release" });
    let mut chaos = std::process::Command::new(folder.join("mf-chaos"));
    chaos.current_dir(&workspace.root);
    chaos.arg("--program").arg(folder.join("moltflow"));
    chaos.arg("--logs").arg(workspace.target.join("chaos"));
    if let Some(seed) = arguments.seed {
        chaos.args(["--seed", &seed.to_string()]);
    }
    if arguments.short {
        chaos.arg("--short");
    }
    if let Some(file) = &arguments.json {
        // As the caller means it, wherever that is.
        chaos.arg("--json").arg(std::path::absolute(file)?);
    }
    steps::run(chaos.args(&arguments.names))
}
