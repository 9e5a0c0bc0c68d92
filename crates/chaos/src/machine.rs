//! Where figures were measured: a figure without its machine says nothing.

use std::fmt;
use std::fs;
use std::process::Command;

use crate::unix_seconds;

/// What a table of figures is headed with.
#[derive(Debug)]
pub struct Machine {
    date: String,
    model: String,
    cores: usize,
    gibibytes: u64,
    commit: String,
}

impl Machine {
    /// This one, now.
    pub fn here() -> Self {
        let now = i64::try_from(unix_seconds()).unwrap_or_default();
        let date = chrono::DateTime::from_timestamp(now, 0).unwrap_or_default();
        Self {
            date: date.format("%Y-%m-%d %H:%M UTC").to_string(),
            model: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            gibibytes: memory().unwrap_or_default(),
            commit: commit().unwrap_or_else(|| "unknown".to_owned()),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} cores of {}, {} GiB, commit {}",
            self.date, self.cores, self.model, self.gibibytes, self.commit
        )
    }
}

fn memory() -> Option<u64> {
    let total = field("/proc/meminfo", "MemTotal")?;
    let kilobytes: u64 = total.split_whitespace().next()?.parse().ok()?;
    Some((kilobytes + (1 << 19)) >> 20)
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// With a `+` where the files differ from it.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        // We only read, also where the clone belongs to somebody else.
        command.args(["-c", "safe.directory=*"]).args(arguments);
        let output = command
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() {
        commit
    } else {
        commit + "+"
    })
}
