//! The disk of the database is full. What is not stored is refused, so that the engine reports it
//! again; once there is room the server goes on by itself, and nothing that was accepted is lost.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use tokio::process::Command;
use tokio::time::sleep;

use super::probe::{self, Answers};
use crate::{Database, Form, Lab, Outcome, Plan, Poster, Posting, Rig, Webhook, until};

pub(super) const NAME: &str = "disk_full";

const MEBIBYTE: u64 = 1 << 20;
/// What the disk has beyond what is on it.
const ROOM: u64 = 192 * MEBIBYTE;
/// How long the server may take once there is room and the database runs.
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);
const ARRIVED_WITHIN: Duration = Duration::from_secs(100);
const PATIENCE: Duration = Duration::from_mins(1);
const PATH: &str = "/good";

pub(super) async fn run(lab: &Lab, form: Form) -> Result<Outcome> {
    let begun = Instant::now();
    if let Err(error) = SmallDisk::possible().await {
        let why = format!("no disk can be mounted here: {error:#}");
        return Ok(Outcome::skipped(NAME, lab.seed, begun, &why));
    }
    let wal = [("max_wal_size", "64MB"), ("min_wal_size", "32MB")];
    let plan = Plan {
        own_database: true,
        postgres: wal.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        ..Plan::default()
    };
    let mut rig = Rig::start(lab, plan).await?;
    let sessions = rig.sessions(2).await?;
    let hook = Webhook::make(&rig.api, "Good", &rig.receiver.url(PATH)).await?;
    let data = "SHOW data_directory";
    let data: String = sqlx::query_scalar(data)
        .fetch_one(rig.database.rows())
        .await?;
    rig.database.stop_immediate().await?;
    let disk = SmallDisk::under(Path::new(&data)).await?;
    rig.database.start_again().await?;

    let posting = Posting::at("DF", &sessions, form.pick(20.0, 100.0));
    let poster = Poster::start(&[rig.addr], posting)?;
    let mut answers = Answers::default();
    let (mut slowest, mut ended) = (Duration::ZERO, 0);
    let times = form.pick(2, 4);
    for time in 0..times {
        let known = poster.accepted();
        until("messages are taken", PATIENCE, async || {
            Ok(poster.accepted() > known + 20)
        })
        .await?;
        disk.fill()?;
        if time % 2 == 1 {
            exhaust_journal(&rig.database).await;
        }
        answers += write_and_read(&rig, &hook, form).await?;
        disk.make_room()?;
        // Where its journal found no place, PostgreSQL has ended, and somebody starts it again.
        if sqlx::query("SELECT 1")
            .execute(rig.database.rows())
            .await
            .is_err()
        {
            rig.database.start_again().await?;
            ended += 1;
        }
        slowest = slowest.max(probe::recovery(&rig, &poster).await?);
    }
    let ledger = poster.stop().await?;
    let tally = rig.settle(&ledger, PATH, ARRIVED_WITHIN).await;
    let figure = json!({
        "times": times,
        "times_postgres_ended": ended,
        "events": ledger.accepted.len(),
        "lost": tally.lost.len(),
        "told_twice": tally.told_twice.len(),
        "duplicates": tally.duplicates(),
        "calls": answers.all,
        "calls_refused": answers.refused,
        "refused_without_retry_after": answers.unhelpful,
        "callbacks_refused": probe::refusals(&ledger),
        "callbacks_refused_otherwise": probe::refused_otherwise(&ledger),
        "recovered_seconds": slowest.as_secs_f64(),
    });
    let server = rig.server.take().context("the server does not run")?;
    server.stop().await?;
    rig.database.stop_immediate().await?;
    drop(disk);
    let bound = json!({
        "lost": 0,
        "told_twice": 0,
        "refused_without_retry_after": 0,
        "callbacks_refused_otherwise": 0,
        "recovered_seconds": RECOVERED_WITHIN.as_secs(),
    });
    Ok(Outcome::new(NAME, lab.seed, begun, figure, bound))
}

/// Writes to PostgreSQL's journal until it has no place for more, which ends it. Until then it
/// makes do with what it has put by.
async fn exhaust_journal(database: &Database) {
    let write = "SELECT pg_logical_emit_message(false, 'chaos', repeat('x', 4000000))";
    let most = ROOM / 4_000_000 + 1;
    for _ in 0..most {
        let written = sqlx::query(write).execute(database.rows()).await;
        if written.is_err() {
            return;
        }
    }
}

/// Writes and reads now and then, for so long.
async fn write_and_read(rig: &Rig, hook: &Webhook, form: Form) -> Result<Answers> {
    let begun = Instant::now();
    let mut answers = Answers::default();
    let mut number = 0;
    while begun.elapsed() < Duration::from_secs(form.pick(5, 30)) {
        number += 1;
        let name = json!({"name": format!("Name {number}")});
        answers.count(&rig.api.patch(&hook.path, &name).await?);
        answers.count(&rig.api.get("/sessions").await?);
        sleep(Duration::from_millis(100)).await;
    }
    Ok(answers)
}

/// A disk in memory, mounted over a folder that has moved to it. Dropping it unmounts it.
#[derive(Debug)]
struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// Whether we may mount anything.
    async fn possible() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let disk = Self::mount(folder.path(), MEBIBYTE).await?;
        drop(disk);
        Ok(())
    }

    async fn mount(at: &Path, bytes: u64) -> Result<Self> {
        let size = format!("size={bytes}");
        let arguments = ["-t", "tmpfs", "-o", &size, "tmpfs"];
        run_program(Command::new("mount").args(arguments).arg(at)).await?;
        Ok(Self { at: at.to_owned() })
    }

    /// Moves what is in the folder to a disk with little more room than that.
    async fn under(folder: &Path) -> Result<Self> {
        let aside = folder.with_extension("aside");
        let copy = async |from: &Path, to: &Path| {
            let contents = from.join(".");
            run_program(Command::new("cp").arg("-a").arg(contents).arg(to)).await
        };
        copy(folder, &aside).await?;
        let disk = Self::mount(folder, size_of(folder)? + ROOM).await?;
        copy(&aside, folder).await?;
        std::fs::remove_dir_all(&aside)?;
        Ok(disk)
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }

    /// Takes all the room that there is.
    fn fill(&self) -> Result<()> {
        let mut filler = File::create(self.filler())?;
        let piece = vec![0; 64 * 1024];
        loop {
            match filler.write_all(&piece) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn make_room(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.filler())?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever is still in there sees it to their end.
        let unmount = std::process::Command::new("umount")
            .arg("--lazy")
            .arg(&self.at)
            .status();
        drop(unmount);
    }
}

async fn run_program(command: &mut Command) -> Result<()> {
    let output = command.output().await?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{:?}: {}", command.as_std(), said.trim());
    }
    Ok(())
}

/// Bytes of all files in a folder.
fn size_of(folder: &Path) -> Result<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let of_it = entry.metadata()?;
        size += if of_it.is_dir() {
            size_of(&entry.path())?
        } else {
            of_it.len()
        };
    }
    Ok(size)
}
