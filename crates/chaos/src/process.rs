//! What `/proc` says of a process, and signals to it by its id.

use std::fs;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// Sends a signal to one process.
pub(crate) fn send(pid: Pid, signal: Signal) -> Result<()> {
    kill_process(pid, signal).with_context(|| format!("cannot signal process {}", pid.as_raw_pid()))
}

/// Whether a process is there, and not merely waiting to be collected.
pub fn is_alive(pid: Pid) -> bool {
    let there = test_kill_process(pid).is_ok();
    there && !matches!(state(pid), Some('Z' | 'X'))
}

fn state(pid: Pid) -> Option<char> {
    Some(stat(pid.as_raw_pid())?.1)
}

/// A process's parent and state.
fn stat(pid: i32) -> Option<(i32, char)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the last bracket may contain anything.
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

/// Every process that descends from this one.
pub fn descendants(of: Pid) -> Vec<Pid> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let all: Vec<(i32, i32)> = all
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?.0)))
        .collect();
    let mut found = vec![of.as_raw_pid()];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(all.iter().filter(|(_, p)| *p == parent).map(|(pid, _)| pid));
        at += 1;
    }
    found
        .into_iter()
        .skip(1)
        .filter_map(Pid::from_raw)
        .collect()
}

/// Memory of a process that is resident, in bytes.
pub fn resident_bytes(pid: Pid) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_pid()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    let kilobytes: u64 = kilobytes.context("no VmRSS")?.parse()?;
    Ok(kilobytes * 1024)
}
