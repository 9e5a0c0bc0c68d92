//! Twice as much comes as the machine can take, nine tenths of it for one tenant. The others are
//! told as quickly as without that one, or nearly.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::json;
use tokio::time::sleep;

use crate::{
    Arrival, Form, Lab, Ledger, Outcome, Plan, Poster, Posting, Rig, Session, Tally, Webhook,
    percentile,
};

pub(super) const NAME: &str = "overload";

/// Callbacks of the greedy tenant that are on their way at a time: an engine waits for no answer
/// before it sends the next.
const AT_A_TIME: usize = 256;
/// Shares of the load: nine tenths, and the others in equal parts.
const GREEDY: f64 = 0.9;
const OTHERS: usize = 2;
/// How long all that waits may take to arrive.
const ARRIVED_WITHIN: Duration = Duration::from_mins(10);

/// Somebody whose messages are told.
struct Tenant {
    sessions: Vec<Session>,
    path: String,
}

/// What the others saw.
#[derive(Default)]
struct Seen {
    ledgers: Vec<Ledger>,
    accepted_ms: f64,
    told_ms: f64,
    arrived_ms: f64,
}

pub(super) async fn run(lab: &Lab, form: Form) -> Result<Outcome> {
    let begun = Instant::now();
    let plan = Plan::default().with("MOLTFLOW_SIGNUP", "open");
    let rig = Rig::start(lab, plan).await?;
    let mut tenants = Vec::new();
    for number in 0..=OTHERS {
        let name = format!("tenant{number}");
        let api = rig.api.sign_up(&name).await?;
        let path = format!("/{name}");
        Webhook::make(&api, &name, &rig.receiver.url(&path)).await?;
        let sessions = rig.sessions_of(&api, 2).await?;
        tenants.push(Tenant { sessions, path });
    }
    let (greedy, others) = tenants.split_first().context("no tenants")?;
    let time = Duration::from_secs(form.pick(6, 30));

    let (capacity, first) = capacity(&rig, greedy, time).await?;
    let lost = rig.settle(&first, &greedy.path, ARRIVED_WITHIN).await.lost;
    #[allow(clippy::cast_precision_loss, reason = "there are few tenants")]
    let rate = 2.0 * capacity * (1.0 - GREEDY) / OTHERS as f64;
    let alone = others_at(&rig, others, "A", rate, time).await?;

    let posting = Posting {
        workers: AT_A_TIME,
        ..Posting::at("G", &greedy.sessions, 2.0 * capacity * GREEDY)
    };
    let poster = Poster::start(&[rig.addr], posting)?;
    // Until as much is on its way as can be.
    sleep(Duration::from_secs(2)).await;
    let beside = others_at(&rig, others, "B", rate, time).await?;
    let greedy_ledger = poster.stop().await?;

    let mut lost = lost.len();
    let mut events = first.accepted.len();
    let tally = rig.settle(&greedy_ledger, &greedy.path, ARRIVED_WITHIN);
    lost += tally.await.lost.len();
    events += greedy_ledger.accepted.len();
    for seen in [&alone, &beside] {
        for (tenant, ledger) in others.iter().zip(&seen.ledgers) {
            let tally = rig.settle(ledger, &tenant.path, ARRIVED_WITHIN).await;
            lost += tally.lost.len();
            events += ledger.accepted.len();
        }
    }
    // Who posts and who receives are on the same machine, and no quicker than it is.
    let floor = form.pick(1000.0, 100.0);
    let figure = json!({
        "taken_per_second": capacity.round(),
        "events": events,
        "others_p99_ms_alone": alone.arrived_ms,
        "others_p99_ms": beside.arrived_ms,
        "until_accepted_p99_ms_alone": alone.accepted_ms,
        "until_accepted_p99_ms": beside.accepted_ms,
        "from_there_p99_ms_alone": alone.told_ms,
        "from_there_p99_ms": beside.told_ms,
        "lost": lost,
    });
    rig.end().await?;
    let bound = json!({
        "others_p99_ms": 2.0 * alone.arrived_ms + floor,
        "lost": 0,
    });
    Ok(Outcome::new(NAME, lab.seed, begun, figure, bound))
}

/// How many messages of one tenant are taken in a second.
async fn capacity(rig: &Rig, tenant: &Tenant, time: Duration) -> Result<(f64, Ledger)> {
    let posting = Posting {
        rate: None,
        ..Posting::at("C", &tenant.sessions, 0.0)
    };
    let begun = Instant::now();
    let poster = Poster::start(&[rig.addr], posting)?;
    sleep(time).await;
    let ledger = poster.stop().await?;
    #[allow(
        clippy::cast_precision_loss,
        reason = "there are never that many events"
    )]
    let rate = ledger.accepted.len() as f64 / begun.elapsed().as_secs_f64();
    Ok((rate, ledger))
}

/// Messages come to the others, to each at this rate.
async fn others_at(
    rig: &Rig,
    others: &[Tenant],
    prefix: &str,
    rate: f64,
    time: Duration,
) -> Result<Seen> {
    let mut posters = Vec::new();
    for (number, tenant) in others.iter().enumerate() {
        let posting = Posting::at(&format!("{prefix}{number}"), &tenant.sessions, rate);
        posters.push(Poster::start(&[rig.addr], posting)?);
    }
    sleep(time).await;
    let mut seen = Seen::default();
    for poster in posters {
        seen.ledgers.push(poster.stop().await?);
    }
    let (mut accepted, mut told, mut arrived) = (Vec::new(), Vec::new(), Vec::new());
    for (tenant, ledger) in others.iter().zip(&seen.ledgers) {
        rig.settle(ledger, &tenant.path, ARRIVED_WITHIN).await;
        let arrivals = rig.receiver.arrivals(&tenant.path);
        arrived.extend(Tally::of(ledger, &arrivals).delays);
        let posted = ledger.accepted.values();
        accepted.extend(posted.map(|posted| posted.accepted - posted.begun));
        told.extend(after_acceptance(ledger, &arrivals));
    }
    let p99 = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        (percentile(times, 99).as_secs_f64() * 10_000.0).round() / 10.0
    };
    seen.accepted_ms = p99(&mut accepted);
    seen.told_ms = p99(&mut told);
    seen.arrived_ms = p99(&mut arrived);
    Ok(seen)
}

/// From the answer that says that a message is stored to its arrival, which may be sooner.
fn after_acceptance(ledger: &Ledger, arrivals: &[Arrival]) -> Vec<Duration> {
    let each = arrivals.iter();
    each.filter(|arrival| arrival.event == "message.received")
        .filter_map(|arrival| {
            let posted = ledger.accepted.get(arrival.mark.as_ref()?)?;
            Some(arrival.at.saturating_duration_since(posted.accepted))
        })
        .collect()
}
