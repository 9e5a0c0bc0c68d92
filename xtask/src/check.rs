//! Everything that has to hold before a commit. The order is: cheap first, and what compiles
//! most last, each reusing what the one before it built.

use anyhow::Result;
use mf_local_postgres::LocalPostgres;

use crate::steps::{Step, Steps, quiet};
use crate::workspace::Workspace;
use crate::{database, interop, openapi, prepare, steps, tidy};

/// Stops at the first step that fails.
pub(crate) async fn run(workspace: &Workspace, fast: bool) -> Result<()> {
    stay_on_interrupt();
    let mut steps = Steps::begin();
    let result = all(workspace, fast, &mut steps).await;
    println!("\n{}", steps.summary());
    if result.is_ok() {
        println!("check: ok");
    }
    result
}

/// Ctrl-C reaches the command under way as well, which then fails; we stay, to stop the database.
fn stay_on_interrupt() {
    tokio::spawn(async {
        loop {
            let _ = tokio::signal::ctrl_c().await;
        }
    });
}

async fn all(workspace: &Workspace, fast: bool, steps: &mut Steps) -> Result<()> {
    let mut fmt = workspace.cargo();
    fmt.args(["fmt", "--all", "--check"]);
    if !steps::on_terminal() {
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

    let step = Step::begin("database", "cargo xtask test");
    let started = database::start(workspace).await;
    let postgres = steps.end(step, started)?;
    let result = with_database(workspace, &postgres, steps).await;
    let stopped = database::stop(postgres).await;
    result?;
    stopped?;

    let step = Step::begin("webhook libraries", "cargo xtask interop");
    steps.end(step, interop::run(workspace))?;

    if fast {
        println!("\n== docs: left out (--fast)");
    } else {
        steps.run(
            "docs",
            "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps",
            workspace
                .cargo()
                .arg("doc")
                .args(quiet())
                .args(["--workspace", "--no-deps"])
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
        workspace.cargo().arg("clippy").args(quiet()).args([
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    )?;

    let step = Step::begin("openapi", "cargo xtask openapi --check");
    steps.end(step, openapi::run(workspace, true))?;

    let step = Step::begin("tests", "cargo xtask test");
    let result = run_tests(workspace, postgres, &[]);
    steps.end(step, result)
}

/// `cargo xtask test`: the tests alone, or some of them.
pub(crate) async fn test(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    stay_on_interrupt();
    let postgres = database::start(workspace).await?;
    let result = run_tests(workspace, &postgres, arguments);
    database::stop(postgres).await?;
    result
}

fn run_tests(workspace: &Workspace, postgres: &LocalPostgres, arguments: &[String]) -> Result<()> {
    let mut tests = workspace.cargo();
    if has_tool(workspace, "nextest") {
        tests.args(["nextest", "run", "--workspace"]);
    } else {
        println!("cargo-nextest is not installed: using cargo test");
        tests.args(["test", "--workspace", "--no-fail-fast"]);
    }
    tests
        .args(arguments)
        .env("MOLTFLOW_TEST_DATABASE_URL", postgres.url());
    steps::run(&mut tests)
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
