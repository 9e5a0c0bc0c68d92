//! Everything that has to hold before a commit. The order is: cheap first, and what compiles
//! most last, each reusing what the one before it built.

use std::io::IsTerminal;

use anyhow::Result;
use mf_local_postgres::LocalPostgres;

use crate::steps::{Step, Steps};
use crate::workspace::Workspace;
use crate::{database, openapi, prepare, tidy};

/// Stops at the first step that fails.
pub(crate) async fn run(workspace: &Workspace, fast: bool) -> Result<()> {
    // Ctrl-C reaches the command under way as well, which then fails; we stay, to stop the
    // database.
    tokio::spawn(async {
        loop {
            let _ = tokio::signal::ctrl_c().await;
        }
    });
    let mut steps = Steps::begin();
    let result = all(workspace, fast, &mut steps).await;
    println!("\n{}", steps.summary());
    if result.is_ok() {
        println!("check: ok");
    }
    result
}

async fn all(workspace: &Workspace, fast: bool, steps: &mut Steps) -> Result<()> {
    let mut fmt = workspace.cargo();
    fmt.args(["fmt", "--all", "--check"]);
    if !std::io::stdout().is_terminal() {
        // rustfmt does not look.
        fmt.args(["--", "--color=never"]);
    }
    steps.run(
        "fmt",
        "cargo fmt --all --check   (cargo fmt --all repairs it)",
        &mut fmt,
    )?;
    let step = Step::begin("tidy", "cargo xtask tidy");
    steps.end(step, tidy::run(workspace))?;

    let step = Step::begin("database", "cargo xtask prepare --check");
    let started = database::start(workspace).await;
    let postgres = steps.end(step, started)?;
    let result = with_database(workspace, &postgres, steps).await;
    let stopped = postgres.stop().await;
    result?;
    stopped?;

    if fast {
        println!("\n== docs: left out (--fast)");
    } else {
        steps.run(
            "docs",
            "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps",
            workspace
                .cargo()
                .args(["doc", "--quiet", "--workspace", "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )?;
    }
    deny(workspace, steps)
}

async fn with_database(
    workspace: &Workspace,
    postgres: &LocalPostgres,
    steps: &mut Steps,
) -> Result<()> {
    // Before clippy: this marks `store` as changed where its inputs have changed.
    let step = Step::begin("sqlx", "cargo xtask prepare --check");
    let result = prepare::with_database(workspace, postgres, true).await;
    steps.end(step, result)?;

    steps.run(
        "clippy",
        "cargo clippy --workspace --all-targets -- -D warnings",
        workspace.cargo().args([
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    )?;

    let step = Step::begin("openapi", "cargo xtask openapi --check");
    steps.end(step, openapi::run(workspace, true))?;

    let nextest = has_tool(workspace, "nextest");
    let mut tests = workspace.cargo();
    let repeat = if nextest {
        tests.args(["nextest", "run", "--workspace"]);
        "MOLTFLOW_TEST_DATABASE_URL=… cargo nextest run --workspace"
    } else {
        println!("\ncargo-nextest is not installed: using cargo test");
        tests.args(["test", "--workspace", "--no-fail-fast"]);
        "MOLTFLOW_TEST_DATABASE_URL=… cargo test --workspace"
    };
    steps.run(
        "tests",
        format!("{repeat}   (the variable names a database to test in)"),
        tests.env("MOLTFLOW_TEST_DATABASE_URL", postgres.url()),
    )
}

/// Licences, advisories and duplicates: `deny.toml`.
fn deny(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    if !has_tool(workspace, "deny") {
        println!("\n== deny: skipped, cargo-deny is not installed (cargo install cargo-deny)");
        return Ok(());
    }
    steps.run(
        "deny",
        "cargo deny check",
        workspace.cargo().args(["deny", "check"]),
    )
}

fn has_tool(workspace: &Workspace, name: &str) -> bool {
    workspace
        .cargo()
        .args([name, "--version"])
        .output()
        .is_ok_and(|out| out.status.success())
}
