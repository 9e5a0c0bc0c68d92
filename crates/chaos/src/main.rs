//! Runs injections against a program, one after the other: a line of JSON for each, and a table.
#![allow(
    clippy::print_stdout,
    reason = "a command-line tool talks on the terminal"
)]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use mf_chaos::injections::{self, Injection};
use mf_chaos::{Form, Lab, Machine, Source, table, unix_seconds};

#[derive(Parser)]
#[command(about = "Breaks the server on purpose, and counts what is lost")]
struct Arguments {
    /// Which; all without any
    names: Vec<String>,
    /// The program `moltflow` that is to be broken
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
    /// Choices follow from it; one of the clock's where none is given
    #[arg(long)]
    seed: Option<u64>,
    /// The forms that run with the tests
    #[arg(long)]
    short: bool,
    /// Where to write the lines of JSON as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where to keep what servers complained of
    #[arg(long, value_name = "FOLDER", default_value = "target/chaos")]
    logs: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    // Ending in order, also when interrupted: a rig that is dropped leaves nothing behind.
    let met = tokio::select! {
        met = run(Arguments::parse()) => met,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    match met {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every bound was met.
async fn run(arguments: Arguments) -> Result<bool> {
    let chosen = choose(&arguments.names)?;
    let lab = Lab {
        program: std::path::absolute(&arguments.program)?,
        seed: arguments.seed.unwrap_or_else(unix_seconds),
        source: Source::Own,
        logs: arguments.logs,
    };
    let form = if arguments.short {
        Form::Short
    } else {
        Form::Long
    };
    println!("seed {}", lab.seed);
    let mut outcomes = Vec::new();
    let mut lines = String::new();
    for injection in chosen {
        let outcome = injection.run(&lab, form).await;
        println!("{}", outcome.line());
        std::io::stdout().flush()?;
        lines += &(outcome.line() + "\n");
        outcomes.push(outcome);
        if let Some(file) = &arguments.json {
            let written = std::fs::write(file, &lines);
            written.with_context(|| file.display().to_string())?;
        }
    }
    println!("\n{}, seed {}\n", Machine::here(), lab.seed);
    println!("{}", table(&outcomes));
    Ok(outcomes.iter().all(|outcome| outcome.met))
}

fn choose(names: &[String]) -> Result<Vec<&'static Injection>> {
    if names.is_empty() {
        return Ok(injections::ALL.iter().collect());
    }
    let mut chosen = Vec::new();
    for name in names {
        let Some(injection) = injections::find(name) else {
            let all: Vec<_> = injections::ALL.iter().map(|one| one.name).collect();
            bail!("there is no injection {name}; there are {}", all.join(", "));
        };
        chosen.push(injection);
    }
    Ok(chosen)
}
