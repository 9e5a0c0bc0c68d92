//! One of two servers stands still while deliveries of it are under way, for longer than its
//! claims are good. The other does the work. When the first goes on, it thinks that it has failed,
//! and nothing of what it thinks is written down.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use crate::{
    Behaviour, Database, Form, Lab, Ledger, Outcome, Plan, Poster, Posting, Rig, Session, Webhook,
    until,
};

pub(super) const NAME: &str = "sigstop_past_lease";

/// Most deliveries under way to one endpoint.
const CAP: usize = 16;
/// Claims are good for 25 s.
const PATIENCE: Duration = Duration::from_mins(2);
/// What a server counts that finds its claim gone.
const REFUSED: &str = "webhook_deliveries_total{outcome=\"claim_lost\"}";

/// A delivery as it stands, all of it.
type Row = (String, String, Option<String>, i32, String, Option<String>);

/// What one stop showed.
#[derive(Default)]
struct Sums {
    claimed: usize,
    duplicates: usize,
    lost: usize,
    changed: usize,
    wrong_attempts: usize,
    not_delivered: usize,
    failures: i64,
}

pub(super) async fn run(lab: &Lab, form: Form) -> Result<Outcome> {
    let begun = Instant::now();
    let stops = form.pick(1, 5);
    let rig = Rig::start(lab, Plan::default()).await?;
    let sessions = rig.sessions(2).await?;
    let mut paths = Vec::new();
    // All that one tenant may have under way to webhooks that are busy.
    for number in 0..form.pick(1, 3) {
        let path = format!("/good{number}");
        Webhook::make(&rig.api, &path, &rig.receiver.url(&path)).await?;
        paths.push(path);
    }
    let mut sums = Sums::default();
    for stop in 0..stops {
        stop_once(&rig, &sessions, &paths, stop, &mut sums).await?;
    }
    let figure = json!({
        "stops": stops,
        "in_flight_at_stops": sums.claimed,
        "lost": sums.lost,
        "duplicates": sums.duplicates,
        "changed_by_late_writes": sums.changed,
        "attempts_written_wrongly": sums.wrong_attempts,
        "not_delivered": sums.not_delivered,
        "failures_counted": sums.failures,
    });
    rig.end().await?;
    let bound = json!({
        "lost": 0,
        "duplicates": sums.claimed,
        "changed_by_late_writes": 0,
        "attempts_written_wrongly": 0,
        "not_delivered": 0,
        "failures_counted": 0,
    });
    Ok(Outcome::new(NAME, lab.seed, begun, figure, bound))
}

async fn stop_once(
    rig: &Rig,
    sessions: &[Session],
    paths: &[String],
    stop: usize,
    sums: &mut Sums,
) -> Result<()> {
    let receiver = &rig.receiver;
    let all = |behaviour: &Behaviour| {
        for path in paths {
            receiver.behave(path, behaviour.clone());
        }
    };
    let in_flight = || {
        paths
            .iter()
            .map(|path| receiver.in_flight(path).0)
            .sum::<usize>()
    };
    let came = || {
        paths
            .iter()
            .map(|path| receiver.count_of(path))
            .sum::<usize>()
    };

    // As many as may be under way, all of the one server that there is.
    all(&Behaviour::Hold);
    let posting = Posting::burst(&format!("SP{stop:03}"), sessions, CAP as u64);
    let ledger = Poster::start(&[rig.addr], posting)?.finish().await?;
    let held = CAP * paths.len();
    until("all are under way", PATIENCE, async || {
        Ok(in_flight() == held)
    })
    .await?;
    sums.claimed += held;
    let other = rig.second_server().await?;
    rig.server()?.pause()?;

    // What it will read when it goes on is that they failed.
    all(&Behaviour::status(500));
    until("all are answered", PATIENCE, async || Ok(in_flight() == 0)).await?;
    all(&Behaviour::status(200));
    let before = came();
    until("the other delivers", PATIENCE, async || {
        Ok(came() >= before + held && pending(&rig.database).await? == 0)
    })
    .await?;
    let settled = rows(&rig.database).await?;
    rig.server()?.resume()?;
    #[allow(clippy::cast_precision_loss, reason = "there are never that many")]
    let claimed = sums.claimed as f64;
    let late = "it writes what it thinks, and is refused";
    until(late, PATIENCE, async || {
        Ok(rig.api.metric(REFUSED).await? >= claimed)
    })
    .await?;
    let posting = Posting::burst(&format!("SQ{stop:03}"), sessions, 1);
    let after = Poster::start(&[rig.addr], posting)?.finish().await?;
    count(rig, paths, &ledger, sums).await;
    count(rig, paths, &after, sums).await;
    until("all is settled", PATIENCE, async || {
        Ok(pending(&rig.database).await? == 0)
    })
    .await?;

    let now = rows(&rig.database).await?;
    sums.changed += settled.iter().filter(|row| !now.contains(row)).count();
    sums.wrong_attempts += now.iter().filter(|row| row.3 != 1).count();
    sums.not_delivered += now.iter().filter(|row| row.1 != "delivered").count();
    let failures = "SELECT sum(failure_count + failed_attempt_count)::bigint FROM webhook_state";
    sums.failures = rig.database.count(failures).await?;
    other.stop().await
}

/// Everything of the ledger is to arrive everywhere. What came twice is counted once, with all of
/// this stop's.
async fn count(rig: &Rig, paths: &[String], ledger: &Ledger, sums: &mut Sums) {
    let mut duplicates = 0;
    for path in paths {
        let tally = rig.settle(ledger, path, PATIENCE).await;
        sums.lost += tally.lost.len();
        duplicates += tally.duplicates();
    }
    sums.duplicates = duplicates;
}

async fn pending(database: &Database) -> Result<i64> {
    let pending = "SELECT count(*) FROM webhook_delivery WHERE state = 'pending'";
    database.count(pending).await
}

/// All deliveries: id, state, claim, attempts and their log, and when they were finished.
async fn rows(database: &Database) -> Result<Vec<Row>> {
    let rows = sqlx::query_as(
        "SELECT id::text, state, claim_id::text, jsonb_array_length(attempts), attempts::text,
             finished_at::text
         FROM webhook_delivery ORDER BY id",
    );
    Ok(rows.fetch_all(database.rows()).await?)
}
