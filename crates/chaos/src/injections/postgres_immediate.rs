//! PostgreSQL stops at once under a server that works, stays away, and comes back: again and
//! again. Meanwhile there are refusals that say when to come again; afterwards the server goes on
//! by itself, and nothing that was accepted is lost.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::time::sleep;

use crate::{Follower, Form, Lab, Outcome, Plan, Poster, Posting, Rig, Webhook, seconds, until};

pub(super) const NAME: &str = "postgres_immediate";

/// How long the server may take once the database is back.
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);
/// How long everything may take to arrive afterwards: what failed is tried again after 5 s, then
/// after a minute, and a claim that nobody settled runs out after 25 s.
const ARRIVED_WITHIN: Duration = Duration::from_secs(100);
/// How long the rig waits for anything else.
const PATIENCE: Duration = Duration::from_mins(1);
const PATH: &str = "/good";

/// What one stop showed.
struct Outage {
    refused: u64,
    unhelpful: u64,
    slowest_refusal: Duration,
    recovered: Duration,
}

pub(super) async fn run(lab: &Lab, form: Form) -> Result<Outcome> {
    let begun = Instant::now();
    let (stops, away) = form.pick((1, 3), (5, 20));
    // Taken between two stops.
    let taken = form.pick(50, 1000);
    let away = Duration::from_secs(away);
    let plan = Plan {
        own_database: true,
        ..Plan::default()
    };
    let mut rig = Rig::start(lab, plan).await?;
    let sessions = rig.sessions(form.pick(2, 8)).await?;
    let stream = Follower::start(&rig.api, &sessions[0]).await?;
    Webhook::make(&rig.api, "Good", &rig.receiver.url(PATH)).await?;
    let poster = Posting::at("PG", &sessions, form.pick(50.0, 300.0));
    let poster = Poster::start(&[rig.addr], poster)?;
    let (mut refused, mut unhelpful) = (0, 0);
    let (mut slowest, mut slowest_refusal) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..stops {
        let known = poster.accepted();
        until("messages are taken", PATIENCE, async || {
            Ok(poster.accepted() > known + taken)
        })
        .await?;
        let outage = stop_and_start(&mut rig, &stream, away).await?;
        refused += outage.refused;
        unhelpful += outage.unhelpful;
        slowest = slowest.max(outage.recovered);
        slowest_refusal = slowest_refusal.max(outage.slowest_refusal);
    }
    let ledger = poster.stop().await?;
    let tally = rig.settle(&ledger, PATH, ARRIVED_WITHIN).await;
    let missing = stream.settle(&ledger, 0, PATIENCE).await;
    let figure = json!({
        "stops": stops,
        "away_seconds": away.as_secs(),
        "events": ledger.accepted.len(),
        "lost": tally.lost.len(),
        "told_twice": tally.told_twice.len(),
        "duplicates": tally.duplicates(),
        "missing_from_stream": missing,
        "twice_in_stream": stream.repeated(),
        "streams_opened": stream.opened(),
        "refused_calls": refused,
        "refused_without_retry_after": unhelpful,
        "slowest_refusal_seconds": seconds(slowest_refusal),
        "recovered_seconds": seconds(slowest),
    });
    rig.end().await?;
    let bound = json!({
        "lost": 0,
        "told_twice": 0,
        "missing_from_stream": 0,
        "twice_in_stream": 0,
        "refused_without_retry_after": 0,
        "recovered_seconds": RECOVERED_WITHIN.as_secs(),
    });
    Ok(Outcome::new(NAME, lab.seed, begun, figure, bound))
}

/// One stop, what is answered meanwhile, and the way back.
async fn stop_and_start(rig: &mut Rig, stream: &Follower, away: Duration) -> Result<Outage> {
    rig.database.stop_immediate().await?;
    // The server need not end it; a client comes back all the same, and is told what it missed.
    stream.cut();
    let stopped = Instant::now();
    let mut outage = Outage {
        refused: 0,
        unhelpful: 0,
        slowest_refusal: Duration::ZERO,
        recovered: Duration::ZERO,
    };
    while stopped.elapsed() < away {
        let asked = Instant::now();
        let reply = rig.api.get("/sessions").await?;
        outage.slowest_refusal = outage.slowest_refusal.max(asked.elapsed());
        let seconds = reply.header("retry-after").map(str::parse::<u64>);
        let helpful = reply.status == 503 && matches!(seconds, Some(Ok(_)));
        outage.refused += 1;
        outage.unhelpful += u64::from(!helpful);
        let live = rig.api.get_root("/health/live").await?;
        ensure!(
            live.status == 200,
            "the server itself is not well: {}",
            live.body
        );
        sleep(Duration::from_millis(250)).await;
    }
    rig.database.start_again().await?;
    let back = Instant::now();
    let api = rig.api.clone();
    until("the server has recovered", PATIENCE, async || {
        Ok(api.get_root("/health/ready").await?.status == 200
            && api.get("/sessions").await?.status == 200)
    })
    .await?;
    outage.recovered = back.elapsed();
    Ok(outage)
}
