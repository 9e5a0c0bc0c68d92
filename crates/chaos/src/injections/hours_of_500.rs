//! An endpoint answers 500 for two days, and then is well again. Meanwhile it is asked now and
//! then, and no more; afterwards it is told all that waited, slowly at first. What was given up
//! arrives when it is replayed.
//!
//! Time passes by moving the queue's times back, which to a queue that goes by the database's
//! clock is the same.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::jump;
use crate::{
    Arrival, Behaviour, Database, Form, Lab, Outcome, Plan, Poster, Posting, Rig, Tally, Webhook,
    unix_seconds, until,
};

pub(super) const NAME: &str = "hours_of_500";

/// Of one tenant, to whom messages go on coming.
const BUSY: &str = "/busy";
/// Of one who got a few in the beginning: all their attempts are made, and they are given up.
const QUIET: &str = "/quiet";
/// Longer than all attempts take: 31 hours and a fifth.
const ILL_FOR: Duration = Duration::from_hours(48);
/// Every attempt takes so long, so that how many there are at a time can be seen.
const ANSWER_AFTER: Duration = Duration::from_millis(50);
/// Most deliveries under way to one endpoint.
const CAP: usize = 16;
/// 10 failures in a row open the circuit breaker; what was under way then fails as well.
const FIRST_WAVE: usize = CAP + 9;
const PATIENCE: Duration = Duration::from_mins(3);

/// What the time of illness showed.
#[derive(Default)]
struct Illness {
    hours: u64,
    attempts: usize,
    most_in_a_step: usize,
}

pub(super) async fn run(lab: &Lab, form: Form) -> Result<Outcome> {
    let begun = Instant::now();
    let plan = Plan::default().with("MOLTFLOW_SIGNUP", "open");
    let rig = Rig::start(lab, plan).await?;
    let since = unix_seconds() - 60;
    let busy = rig.api.sign_up("busy").await?;
    Webhook::make(&busy, "Busy", &rig.receiver.url(BUSY)).await?;
    let busy = rig.sessions_of(&busy, 2).await?;
    let quiet = rig.sessions(1).await?;
    let hook = Webhook::make(&rig.api, "Quiet", &rig.receiver.url(QUIET)).await?;

    both(&rig, 500);
    let few = Posting::burst("Q", &quiet, form.pick(3, 10));
    let few = Poster::start(&[rig.addr], few)?.finish().await?;
    let many = Posting::burst("M", &busy, form.pick(100, 500));
    let many = Poster::start(&[rig.addr], many)?.finish().await?;
    nothing_due(&rig.database).await?;
    let first_wave = [BUSY, QUIET].map(|path| rig.receiver.count_of(path));
    let more = Poster::start(&[rig.addr], Posting::at("N", &busy, form.pick(5.0, 20.0)))?;
    // Blocks last for five minutes, and a fifth.
    let step = Duration::from_mins(form.pick(30, 5));
    let illness = be_ill(&rig, step).await?;
    let more = more.stop().await?;
    nothing_due(&rig.database).await?;

    let well_since = Instant::now();
    both(&rig, 200);
    let pending = "SELECT count(*) FROM webhook_delivery WHERE state = 'pending'";
    while rig.database.count(pending).await? > 0 {
        jump::pass(&rig.database, Duration::from_mins(30)).await?;
        nothing_due(&rig.database).await?;
    }
    let told = rig.receiver.arrivals(BUSY);
    let told: Vec<_> = told.into_iter().filter(|one| one.at > well_since).collect();
    let busy_tallies = [&many, &more].map(|ledger| Tally::of(ledger, &told));

    let dead = hook.deliveries(&rig.api, "dead", 1).await?["total"]
        .as_u64()
        .context("no total")?;
    let replayed = replay(&rig, &hook, since).await?;
    nothing_due(&rig.database).await?;
    let again = rig.receiver.arrivals(QUIET);
    let again: Vec<_> = again
        .into_iter()
        .filter(|one| one.at > well_since)
        .collect();
    let quiet_tally = Tally::of(&few, &again);

    let figure = json!({
        "hours": illness.hours,
        "events": few.accepted.len() + many.accepted.len() + more.accepted.len(),
        "first_wave": first_wave.iter().max(),
        "attempts_while_ill": illness.attempts,
        "most_attempts_between_two_looks": illness.most_in_a_step,
        "beyond_slow_start": beyond_slow_start(&told) + beyond_slow_start(&again),
        "most_at_a_time_afterwards": (0..told.len()).map(|place| at_a_time(&told, place)).max(),
        "most_in_a_second_afterwards": most_in_a_second(&told),
        "lost": busy_tallies.iter().map(|tally| tally.lost.len()).sum::<usize>(),
        "duplicates": busy_tallies[0].duplicates() + quiet_tally.duplicates(),
        "given_up": dead,
        "given_up_and_not_replayed": dead - replayed.min(dead),
        "replayed_and_lost": quiet_tally.lost.len(),
    });
    ensure!(
        dead > 0,
        "nothing was given up, and nothing could be replayed"
    );
    rig.end().await?;
    let bound = json!({
        "first_wave": FIRST_WAVE,
        "most_attempts_between_two_looks": 1,
        "beyond_slow_start": 0,
        "most_at_a_time_afterwards": CAP,
        "lost": 0,
        "duplicates": 0,
        "given_up_and_not_replayed": 0,
        "replayed_and_lost": 0,
    });
    Ok(Outcome::new(NAME, lab.seed, begun, figure, bound))
}

fn both(rig: &Rig, status: u16) {
    for path in [BUSY, QUIET] {
        let behaviour = Behaviour::status(status).after(ANSWER_AFTER);
        rig.receiver.behave(path, behaviour);
    }
}

/// Time passes, step by step.
async fn be_ill(rig: &Rig, step: Duration) -> Result<Illness> {
    let mut illness = Illness::default();
    let mut passed = Duration::ZERO;
    while passed < ILL_FOR {
        let before = [BUSY, QUIET].map(|path| rig.receiver.count_of(path));
        jump::pass(&rig.database, step).await?;
        passed += step;
        nothing_due(&rig.database).await?;
        for (path, before) in [BUSY, QUIET].into_iter().zip(before) {
            let attempts = rig.receiver.count_of(path) - before;
            illness.attempts += attempts;
            // The few that the quiet one has do not open its circuit breaker at once.
            if path == BUSY {
                illness.most_in_a_step = illness.most_in_a_step.max(attempts);
            }
        }
    }
    illness.hours = passed.as_secs() / 3600;
    Ok(illness)
}

/// Waits until nothing is under way, and nothing may be.
async fn nothing_due(database: &Database) -> Result<()> {
    let due = "SELECT count(*)
        FROM webhook_delivery d
        JOIN webhook w ON w.id = d.webhook_id
        JOIN webhook_state s ON s.webhook_id = d.webhook_id
        WHERE d.state = 'pending' AND (d.claim_id IS NOT NULL OR w.is_active
            AND (d.fresh OR d.next_at <= now())
            AND (s.blocked_until IS NULL OR s.blocked_until <= now()))";
    until("nothing is due", PATIENCE, async || {
        Ok(database.count(due).await? == 0)
    })
    .await
    .map(drop)
}

/// Everything that was given up since a moment. How much that was.
async fn replay(rig: &Rig, hook: &Webhook, since: u64) -> Result<u64> {
    let since = chrono::DateTime::from_timestamp(i64::try_from(since)?, 0);
    let since = since.context("no such time")?.format("%Y-%m-%dT%H:%M:%SZ");
    let path = format!("{}/replay?since={since}", hook.path);
    let replayed = rig.api.post(&path, &Value::Null).await?.expect(200)?;
    replayed["replayed"].as_u64().context("no count")
}

/// Of arrivals in order: how many of them were being answered when this one came, it included.
fn at_a_time(arrivals: &[Arrival], place: usize) -> usize {
    let now = arrivals[place].at;
    let under_way = arrivals[..=place].iter().rev();
    under_way
        .take_while(|one| one.at + ANSWER_AFTER > now)
        .count()
}

/// Arrivals that came although as many were under way as there might be: one, and one more for
/// each that had been answered.
fn beyond_slow_start(arrivals: &[Arrival]) -> usize {
    let beyond = (0..arrivals.len()).filter(|place| {
        let under_way = at_a_time(arrivals, *place);
        let answered = place + 1 - under_way;
        under_way > (1 + answered).min(CAP)
    });
    beyond.count()
}

fn most_in_a_second(arrivals: &[Arrival]) -> usize {
    let from = |(place, first): (usize, &Arrival)| {
        let end = first.at + Duration::from_secs(1);
        let within = arrivals[place..].iter();
        within.take_while(|one| one.at < end).count()
    };
    arrivals.iter().enumerate().map(from).max().unwrap_or(0)
}
