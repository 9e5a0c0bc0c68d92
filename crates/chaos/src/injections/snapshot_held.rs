//! Somebody in another database of the cluster begins a transaction, writes, and goes for lunch.
//! What is told in the order of transactions waits behind it: streams. Webhooks go on, and streams
//! tell all of it once the transaction has ended.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use tokio::time::sleep;

use crate::{
    Database, Follower, Form, Lab, Ledger, Outcome, Plan, Poster, Posting, Rig, Tally, Webhook,
    until,
};

pub(super) const NAME: &str = "snapshot_held";

/// How long streams may take to tell what waited.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(10);
/// Webhooks go on, and grow slower the longer it lasts: PostgreSQL can clear nothing away.
const GO_ON_WITHIN: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_mins(1);
const PATH: &str = "/good";

pub(super) async fn run(lab: &Lab, form: Form) -> Result<Outcome> {
    let begun = Instant::now();
    // Everybody's streams on the cluster stand still.
    let plan = Plan {
        own_database: true,
        ..Plan::default()
    };
    let rig = Rig::start(lab, plan).await?;
    let sessions = rig.sessions(2).await?;
    Webhook::make(&rig.api, "Good", &rig.receiver.url(PATH)).await?;
    let early = Follower::start(&rig.api, &sessions[0]).await?;
    let (rate, time) = form.pick((20.0, 3), (50.0, 30));
    let post = async |prefix: &str| -> Result<(Ledger, Tally)> {
        let poster = Poster::start(&[rig.addr], Posting::at(prefix, &sessions, rate))?;
        sleep(Duration::from_secs(time)).await;
        let ledger = poster.stop().await?;
        let tally = rig.settle(&ledger, PATH, PATIENCE).await;
        Ok((ledger, tally))
    };

    let before = post("SA").await?;
    let holder = hold(&rig.database).await?;
    let held = Instant::now();
    let during = post("SB").await?;
    // A stream that is opened now begins behind the transaction, too.
    let late = Follower::start(&rig.api, &sessions[1]).await?;
    let after_late = post("SC").await?;
    let told_while_held = told(&early, &during.0, 0) + told(&early, &after_late.0, 0);
    let held = held.elapsed();
    holder.close().await?;

    let released = Instant::now();
    let ledgers = [&before.0, &during.0, &after_late.0];
    let missing = || {
        let of_early = ledgers.map(|ledger| untold(&early, ledger, 0));
        of_early.iter().sum::<usize>() + untold(&late, &after_late.0, 1)
    };
    // What is missing for good is a figure, and no error.
    let _ = until("streams tell all", PATIENCE, async || Ok(missing() == 0)).await;
    let caught_up = released.elapsed();
    let tallies = [&before.1, &during.1, &after_late.1];
    let figure = json!({
        "held_seconds": held.as_secs(),
        "events": ledgers.map(|ledger| ledger.accepted.len()).iter().sum::<usize>(),
        "webhook_p99_ms_before": before.1.delay_ms(99),
        "webhook_p99_ms_while_held": during.1.delay_ms(99),
        "webhook_p99_ms_while_held_longer": after_late.1.delay_ms(99),
        "lost": tallies.iter().map(|tally| tally.lost.len()).sum::<usize>(),
        "told_twice": tallies.iter().map(|tally| tally.told_twice.len()).sum::<usize>(),
        "told_by_streams_while_held": told_while_held,
        "streams_caught_up_seconds": caught_up.as_secs_f64(),
        "missing_from_streams": missing(),
        "twice_in_streams": early.repeated() + late.repeated(),
    });
    drop((early, late));
    rig.end().await?;
    let bound = json!({
        "webhook_p99_ms_while_held": GO_ON_WITHIN.as_millis(),
        "webhook_p99_ms_while_held_longer": GO_ON_WITHIN.as_millis(),
        "lost": 0,
        "told_twice": 0,
        "streams_caught_up_seconds": CAUGHT_UP_WITHIN.as_secs(),
        "missing_from_streams": 0,
        "twice_in_streams": 0,
    });
    Ok(Outcome::new(NAME, lab.seed, begun, figure, bound))
}

/// Somebody's transaction in a database that is not the server's. Dropping it ends it.
async fn hold(database: &Database) -> Result<PgConnection> {
    let elsewhere = database.rows().connect_options();
    let elsewhere = elsewhere.as_ref().clone().database("postgres");
    let mut holder = elsewhere.connect().await?;
    holder.execute("BEGIN").await?;
    holder.execute("SELECT pg_current_xact_id()").await?;
    Ok(holder)
}

/// How much of what was accepted for a session its stream has not told.
fn untold(stream: &Follower, ledger: &Ledger, session: usize) -> usize {
    expected(ledger, session).count() - told(stream, ledger, session)
}

fn told(stream: &Follower, ledger: &Ledger, session: usize) -> usize {
    let told: BTreeSet<String> = stream.marks().into_iter().collect();
    let told = expected(ledger, session).filter(|mark| told.contains(*mark));
    told.count()
}

fn expected(ledger: &Ledger, session: usize) -> impl Iterator<Item = &String> {
    let of_session = ledger.accepted.iter();
    of_session
        .filter(move |(_, posted)| posted.session == session)
        .map(|(mark, _)| mark)
}
