//! The clock jumps two days forward and two days back, while deliveries are under way, wait for
//! their next attempt, or are held back: nothing waits for the clock to come round again, and
//! streams go on. Days on which the hour changes come with what is scheduled.
//!
//! The database's clock is moved by moving everything that it has stored the other way; the
//! server's, where libfaketime is installed, by that.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use chrono::DateTime;
use serde_json::json;

use super::jump;
use crate::{
    Behaviour, Follower, Form, Lab, Ledger, Outcome, Plan, Poster, Posting, Rig, Session, Webhook,
    unix_seconds, until,
};

pub(super) const NAME: &str = "clock";

const TWO_DAYS: Duration = Duration::from_hours(48);
/// What waits after a jump waits for a lease's end, a retry's minute and a block's half at most.
const ARRIVED_WITHIN: Duration = Duration::from_mins(2);
const PATIENCE: Duration = Duration::from_mins(1);
/// Holds what it gets, so that deliveries are under way.
const HELD: &str = "/held";
/// Fails, so that deliveries wait.
const FAILING: &str = "/failing";
const GOOD: &str = "/good";
const PATHS: [&str; 3] = [HELD, FAILING, GOOD];
/// Messages of one round: fewer than may be under way, and enough to have the failing endpoint
/// left alone.
const MESSAGES: u64 = 12;

const LIBRARY: &str = "libfaketimeMT.so.1";
const LIBRARIES: [&str; 5] = [
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
    "/usr/lib64/faketime",
    "/usr/lib/faketime",
    "/usr/local/lib/faketime",
];

/// Whose clock jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The database's, under a server that goes on.
    Database,
    /// The database's, while the server is dead.
    DatabaseAlone,
    /// The server's.
    Server,
}

/// The server's clock, as an offset in a file.
struct FakeClock {
    file: PathBuf,
}

pub(super) async fn run(lab: &Lab, form: Form) -> Result<Outcome> {
    let begun = Instant::now();
    let folder = tempfile::tempdir()?;
    let mut plan = Plan::default();
    let fake = FakeClock::find(folder.path(), &mut plan)?;
    let mut rig = Rig::start(lab, plan).await?;
    let sessions = rig.sessions(1).await?;
    for path in PATHS {
        Webhook::make(&rig.api, path, &rig.receiver.url(path)).await?;
    }
    let stream = Follower::start(&rig.api, &sessions[0]).await?;
    let mut whose = vec![Whose::Database, Whose::DatabaseAlone];
    whose.extend(fake.as_ref().map(|_| Whose::Server));
    let (mut jumps, mut lost, mut slowest) = (0, 0, Duration::ZERO);
    let mut ledgers = Vec::new();
    for _ in 0..form.pick(1, 3) {
        for whose in &whose {
            for forward in [true, false] {
                jumps += 1;
                let prefix = format!("CL{jumps:03}");
                let jump = Jump {
                    whose: *whose,
                    forward,
                    fake: fake.as_ref(),
                };
                let ledger = jump.make(&mut rig, &sessions, &prefix).await?;
                let released = Instant::now();
                for path in PATHS {
                    lost += rig.settle(&ledger, path, ARRIVED_WITHIN).await.lost.len();
                }
                slowest = slowest.max(released.elapsed());
                ledgers.push(ledger);
            }
        }
    }
    let missing = || missing(&stream, &ledgers);
    // What is missing for good is a figure, and no error.
    let _ = until(
        "the stream tells all",
        PATIENCE,
        async || Ok(missing() == 0),
    )
    .await;
    let path = format!("/sessions/{}", sessions[0].id);
    let session = rig.api.get(&path).await?.expect(200)?;
    let figure = json!({
        "jumps": jumps,
        "the_servers_clock": if fake.is_some() { "moved" } else { "not moved: no libfaketime" },
        "events": ledgers.iter().map(|ledger| ledger.accepted.len()).sum::<usize>(),
        "lost": lost,
        "slowest_arrival_seconds": slowest.as_secs_f64(),
        "missing_from_stream": missing(),
        "twice_in_stream": stream.repeated(),
        "sessions_not_working": u8::from(session["status"] != "working"),
    });
    drop(stream);
    rig.end().await?;
    let bound = json!({
        "lost": 0,
        "slowest_arrival_seconds": ARRIVED_WITHIN.as_secs(),
        "missing_from_stream": 0,
        "twice_in_stream": 0,
        "sessions_not_working": 0,
    });
    Ok(Outcome::new(NAME, lab.seed, begun, figure, bound))
}

/// One of them.
struct Jump<'a> {
    whose: Whose,
    forward: bool,
    fake: Option<&'a FakeClock>,
}

impl Jump<'_> {
    /// Messages come before it and after it; in between, some deliveries are under way and others
    /// wait. Afterwards all endpoints are well.
    async fn make(&self, rig: &mut Rig, sessions: &[Session], prefix: &str) -> Result<Ledger> {
        rig.receiver.behave(HELD, Behaviour::Hold);
        rig.receiver.behave(FAILING, Behaviour::status(500));
        let failed = rig.receiver.count_of(FAILING);
        let posting = Posting::burst(&format!("{prefix}A"), sessions, MESSAGES);
        let mut ledger = Poster::start(&[rig.addr], posting)?.finish().await?;
        until(
            "deliveries are under way, and have failed",
            PATIENCE,
            async || {
                let count = rig.receiver.count_of(FAILING) - failed;
                let held = rig.receiver.in_flight(HELD).0;
                Ok(count >= 10 && held as u64 >= MESSAGES)
            },
        )
        .await?;
        if self.whose == Whose::DatabaseAlone {
            rig.kill_server().await?;
        }
        match (self.whose, self.fake) {
            (Whose::Server, Some(fake)) => fake.jump(rig, self.forward).await?,
            _ => jump::clock(&rig.database, TWO_DAYS, self.forward).await?,
        }
        for path in [HELD, FAILING] {
            rig.receiver.behave(path, Behaviour::status(200));
        }
        if rig.server.is_none() {
            rig.start_server().await?;
        }
        let posting = Posting::burst(&format!("{prefix}B"), sessions, MESSAGES);
        let after = Poster::start(&[rig.addr], posting)?.finish().await?;
        ledger.accepted.extend(after.accepted);
        Ok(ledger)
    }
}

impl FakeClock {
    /// Where the library is installed: the server is started with it, and with the right time.
    fn find(folder: &Path, plan: &mut Plan) -> Result<Option<Self>> {
        let all = LIBRARIES.iter().map(|place| Path::new(place).join(LIBRARY));
        let Some(library) = all.into_iter().find(|file| file.exists()) else {
            return Ok(None);
        };
        let fake = Self {
            file: folder.join("offset"),
        };
        fake.set("+0")?;
        for (name, value) in [
            ("LD_PRELOAD", &*library.to_string_lossy()),
            ("FAKETIME_TIMESTAMP_FILE", &*fake.file.to_string_lossy()),
            ("FAKETIME_CACHE_DURATION", "1"),
            // Time that passes is not time of day: where only the clock is set, it goes on.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ] {
            plan.environment.insert(name.to_owned(), value.to_owned());
        }
        Ok(Some(fake))
    }

    /// Away from the right time, whatever it was before.
    async fn jump(&self, rig: &Rig, forward: bool) -> Result<()> {
        self.set(if forward { "+2d" } else { "-2d" })?;
        until("the server's clock has jumped", PATIENCE, async || {
            let reply = rig.api.get_root("/health/live").await?;
            let date = reply.header("date").context("no date")?;
            let date = DateTime::parse_from_rfc2822(date)?.timestamp();
            let ahead = date - i64::try_from(unix_seconds())?;
            let far = ahead.unsigned_abs() > TWO_DAYS.as_secs() / 2;
            Ok(far && (ahead > 0) == forward)
        })
        .await
        .map(drop)
    }

    fn set(&self, offset: &str) -> Result<()> {
        Ok(fs::write(&self.file, offset)?)
    }
}

/// What of all that was accepted the stream has not told.
fn missing(stream: &Follower, ledgers: &[Ledger]) -> usize {
    let told: BTreeSet<String> = stream.marks().into_iter().collect();
    let accepted = ledgers.iter().flat_map(|ledger| ledger.accepted.keys());
    accepted.filter(|mark| !told.contains(*mark)).count()
}
