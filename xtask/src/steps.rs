//! Steps of a longer run: announced, timed, and repeatable by themselves when they fail.

use std::io::IsTerminal;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The steps so far.
pub(crate) struct Steps {
    began: Instant,
    done: Vec<(&'static str, Duration)>,
}

/// A step under way.
pub(crate) struct Step {
    name: &'static str,
    repeat: String,
    began: Instant,
}

impl Step {
    /// Announces a step. `repeat` is the command that does this step alone.
    pub(crate) fn begin(name: &'static str, repeat: impl Into<String>) -> Self {
        println!("\n== {name}");
        Self {
            name,
            repeat: repeat.into(),
            began: Instant::now(),
        }
    }
}

impl Steps {
    pub(crate) fn begin() -> Self {
        Self {
            began: Instant::now(),
            done: Vec::new(),
        }
    }

    /// Ends a step with its result.
    pub(crate) fn end<T>(&mut self, step: Step, result: Result<T>) -> Result<T> {
        let Step {
            name,
            repeat,
            began,
        } = step;
        let time = began.elapsed();
        println!(
            "== {name}: {} in {}",
            if result.is_ok() { "ok" } else { "FAILED" },
            show(time)
        );
        self.done.push((name, time));
        result.with_context(|| format!("step `{name}` failed; to repeat it alone: {repeat}"))
    }

    /// Runs one command as a step.
    pub(crate) fn run(
        &mut self,
        name: &'static str,
        repeat: impl Into<String>,
        command: &mut Command,
    ) -> Result<()> {
        let step = Step::begin(name, repeat);
        let result = run(command);
        self.end(step, result)
    }

    /// One line with every step's time.
    pub(crate) fn summary(&self) -> String {
        let each: Vec<String> = self
            .done
            .iter()
            .map(|(name, time)| format!("{name} {}", show(*time)))
            .collect();
        format!("{} in all: {}", show(self.began.elapsed()), each.join(", "))
    }
}

/// Runs a command to its end, with our terminal as its own.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}

/// Whether somebody is watching.
pub(crate) fn on_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// cargo's progress is for those who watch; a log wants warnings and errors only.
pub(crate) fn quiet() -> Option<&'static str> {
    (!on_terminal()).then_some("--quiet")
}

fn show(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
