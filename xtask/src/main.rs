//! The project's own tools, started with `cargo xtask <command>`.
#![allow(
    clippy::print_stdout,
    reason = "a command-line tool talks on the terminal"
)]

mod chaos;
mod check;
mod database;
mod files;
mod interop;
mod new_migration;
mod openapi;
mod prepare;
mod steps;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(about, bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything that has to hold before a commit, the same here and in CI
    Check {
        /// Leave out the documentation
        #[arg(long)]
        fast: bool,
    },
    /// The tests alone, with a database
    Test {
        /// Handed to `cargo nextest run`, such as a part of the tests' names
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Break the real server on purpose, and count what is lost
    Chaos(chaos::Arguments),
    /// Renew the query data in crates/store/.sqlx, which builds without a database rely on
    Prepare {
        /// Change nothing; fail if something would change
        #[arg(long)]
        check: bool,
    },
    /// Renew openapi/openapi.json from the server
    Openapi {
        /// Change nothing; fail if something would change
        #[arg(long)]
        check: bool,
    },
    /// Have the published libraries of other languages verify our webhooks
    Interop,
    /// Look for breaches of the house rules
    Tidy,
    /// Begin a migration
    NewMigration {
        /// What it does, as in `create_label` or `add_label_color`
        name: String,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            println!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(arguments.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    let workspace = Workspace::read()?;
    match command {
        Command::Check { fast } => check::run(&workspace, fast).await,
        Command::Test { arguments } => check::test(&workspace, &arguments).await,
        Command::Chaos(arguments) => chaos::run(&workspace, &arguments),
        Command::Prepare { check } => prepare::run(&workspace, check).await,
        Command::Openapi { check } => openapi::run(&workspace, check),
        Command::Interop => interop::run(&workspace),
        Command::Tidy => tidy::run(&workspace),
        Command::NewMigration { name } => new_migration::run(&workspace, &name),
    }
}
