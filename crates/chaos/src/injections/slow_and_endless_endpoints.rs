//! Endpoints that take almost all of the time that they have, that send a byte a second, that
//! send a gibibyte: others beside them, of the same tenant and of another, are told as quickly as
//! while all were well.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use tokio::time::sleep;

use super::peaks::Watch;
use crate::{Behaviour, Form, Lab, Ledger, Outcome, Plan, Poster, Posting, Rig, Session, Webhook};

pub(super) const NAME: &str = "slow_and_endless_endpoints";

/// Endpoints that are always well: of the tenant who has the bad ones, and of another.
const NEIGHBOUR: &str = "/neighbour";
const STRANGER: &str = "/stranger";
const SLOW: &str = "/slow";
const DRIBBLING: &str = "/dribbling";
const FLOODING: &str = "/flooding";
/// Of a third tenant: all of them slow, and enough to take up all that one tenant gets.
const CARELESS: [&str; 6] = [
    "/careless0",
    "/careless1",
    "/careless2",
    "/careless3",
    "/careless4",
    "/careless5",
];

const GIBIBYTE: u64 = 1 << 30;
const MEBIBYTE: u64 = 1 << 20;
/// Most deliveries under way to one endpoint.
const CAP: i64 = 16;
/// Room for buffers of everything that is under way, and for an allocator that gives nothing back.
const GROWN_AT_MOST: u64 = 64 * MEBIBYTE;
/// What is read of an answer is 64 KiB; the rest of what was sent is in buffers of two kernels.
const SENT_AT_MOST: u64 = 16 * MEBIBYTE;
/// How long everything may take to arrive once all are well again.
const ARRIVED_WITHIN: Duration = Duration::from_mins(3);

/// Somebody whose messages are told.
struct Tenant {
    sessions: Vec<Session>,
    rate: f64,
    paths: Vec<&'static str>,
}

/// What of all was taken and told in one part of the time.
#[derive(Default)]
struct Part {
    ledgers: Vec<Ledger>,
    neighbour_ms: f64,
    stranger_ms: f64,
}

pub(super) async fn run(lab: &Lab, form: Form) -> Result<Outcome> {
    let begun = Instant::now();
    let plan = Plan::default().with("MOLTFLOW_SIGNUP", "open");
    let rig = Rig::start(lab, plan).await?;
    let tenants = tenants(&rig, form).await?;
    let watch = Watch::begin(&rig)?;

    // What a server does for the first time takes longer.
    let first = post(&rig, &tenants, "F", form.pick(1, 5)).await?;
    let well = post(&rig, &tenants, "W", form.pick(4, 30)).await?;
    let resident = watch.peaks().resident;
    misbehave(&rig, form);
    let beside = post(&rig, &tenants, "B", form.pick(8, 60)).await?;
    let bad = [SLOW, DRIBBLING, FLOODING].into_iter().chain(CARELESS);
    for path in bad {
        rig.receiver.behave(path, Behaviour::status(200));
    }

    let parts = [&first, &well, &beside];
    let (mut lost, mut duplicates, mut events) = (0, 0, 0);
    for (number, tenant) in tenants.iter().enumerate() {
        let ledgers = parts.map(|part| &part.ledgers[number]);
        events += ledgers
            .map(|ledger| ledger.accepted.len())
            .iter()
            .sum::<usize>();
        for path in &tenant.paths {
            let mut extra = 0;
            for ledger in ledgers {
                let tally = rig.settle(ledger, path, ARRIVED_WITHIN).await;
                lost += tally.lost.len();
                extra = tally.duplicates();
            }
            duplicates += extra;
        }
    }
    let floods = rig.receiver.count_of(FLOODING) as u64;
    let failed = "SELECT coalesce(sum(failed_attempt_count), 0)::bigint FROM webhook_state";
    let peaks = watch.peaks();
    // Half a second in the short form: whoever waits for a bad endpoint waits for two or more.
    let floor = form.pick(500.0, 50.0);
    let figure = json!({
        "events": events,
        "neighbour_p99_ms_before": well.neighbour_ms,
        "neighbour_p99_ms": beside.neighbour_ms,
        "stranger_p99_ms_before": well.stranger_ms,
        "stranger_p99_ms": beside.stranger_ms,
        "most_under_way_to_one": peaks.to_one,
        "grown_mebibytes": peaks.resident.saturating_sub(resident) / MEBIBYTE,
        "flood_mebibytes_each": rig.receiver.sent(FLOODING) / MEBIBYTE / floods.max(1),
        "failed_attempts": rig.database.count(failed).await?,
        "lost": lost,
        "duplicates": duplicates,
    });
    drop(watch);
    rig.end().await?;
    let bound = json!({
        "neighbour_p99_ms": 2.0 * well.neighbour_ms + floor,
        "stranger_p99_ms": 2.0 * well.stranger_ms + floor,
        "most_under_way_to_one": CAP,
        "grown_mebibytes": GROWN_AT_MOST / MEBIBYTE,
        "flood_mebibytes_each": SENT_AT_MOST / MEBIBYTE,
        "failed_attempts": 0,
        "lost": 0,
        "duplicates": 0,
    });
    Ok(Outcome::new(NAME, lab.seed, begun, figure, bound))
}

/// Three, with their webhooks, all of which are well.
async fn tenants(rig: &Rig, form: Form) -> Result<Vec<Tenant>> {
    let mut tenants = Vec::new();
    let rate = form.pick(10.0, 25.0);
    for (name, rate, paths) in [
        ("first", rate, vec![NEIGHBOUR, SLOW, DRIBBLING, FLOODING]),
        ("stranger", rate, vec![STRANGER]),
        ("careless", 4.0, CARELESS.to_vec()),
    ] {
        let api = match name {
            "first" => rig.api.clone(),
            _ => rig.api.sign_up(name).await?,
        };
        let sessions = rig.sessions_of(&api, 1).await?;
        for path in &paths {
            Webhook::make(&api, path, &rig.receiver.url(path)).await?;
        }
        tenants.push(Tenant {
            sessions,
            rate,
            paths,
        });
    }
    Ok(tenants)
}

fn misbehave(rig: &Rig, form: Form) {
    // In the short form with a little more of a margin to 15 s: it has the machine not to itself.
    let slow = Behaviour::slow(form.pick(Duration::from_secs(13), Duration::from_millis(14_900)));
    for path in CARELESS.into_iter().chain([SLOW]) {
        rig.receiver.behave(path, slow.clone());
    }
    let dribble = Behaviour::Dribble(Duration::from_secs(1));
    rig.receiver.behave(DRIBBLING, dribble);
    rig.receiver.behave(FLOODING, Behaviour::Flood(GIBIBYTE));
}

/// Messages come to all for some seconds; how long it took until the healthy endpoints knew.
async fn post(rig: &Rig, tenants: &[Tenant], prefix: &str, seconds: u64) -> Result<Part> {
    let mut posters = Vec::new();
    for (number, tenant) in tenants.iter().enumerate() {
        let prefix = format!("{prefix}{number}");
        let posting = Posting::at(&prefix, &tenant.sessions, tenant.rate);
        posters.push(Poster::start(&[rig.addr], posting)?);
    }
    sleep(Duration::from_secs(seconds)).await;
    let mut part = Part::default();
    for poster in posters {
        part.ledgers.push(poster.stop().await?);
    }
    let [first, stranger, ..] = part.ledgers.as_slice() else {
        return Ok(part);
    };
    let neighbour = rig.settle(first, NEIGHBOUR, ARRIVED_WITHIN).await;
    let stranger = rig.settle(stranger, STRANGER, ARRIVED_WITHIN).await;
    part.neighbour_ms = neighbour.delay_ms(99);
    part.stranger_ms = stranger.delay_ms(99);
    Ok(part)
}
