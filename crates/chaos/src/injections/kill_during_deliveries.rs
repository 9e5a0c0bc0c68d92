//! The server is killed again and again while it delivers. Everything that was accepted arrives,
//! and no more of it twice than was on its way when it was killed.

use std::time::{Duration, Instant};

use anyhow::Result;
use rand::RngExt as _;
use serde_json::json;
use tokio::time::sleep;

use super::claims::Claims;
use crate::{Form, Lab, Outcome, Plan, Poster, Posting, Rig, Session, Webhook, seconds, until};

pub(super) const NAME: &str = "kill_during_deliveries";

/// The claims of a server that was killed stand for 25 s.
const PATIENCE: Duration = Duration::from_secs(90);
/// A backlog may have to be delivered first.
const ARRIVED_WITHIN: Duration = Duration::from_mins(3);
/// All endpoints are below it.
const PATH: &str = "/good/";

pub(super) async fn run(lab: &Lab, form: Form) -> Result<Outcome> {
    let begun = Instant::now();
    let mut dice = lab.dice();
    let kills = form.pick(3, 20);
    let mut rig = Rig::start(lab, Plan::default().with("MOLTFLOW_SIGNUP", "open")).await?;
    let sessions = tenants(&rig, form.pick(2, 8)).await?;
    let posting = Posting::at("KD", &sessions, form.pick(50.0, 500.0));
    let poster = Poster::start(&[rig.addr], posting)?;
    let posting = Instant::now();
    let mut claims = Claims::default();
    let mut at_kills = Vec::new();
    let (mut slowest_start, mut longest_gap) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..kills {
        let before = rig.receiver.count_of(PATH);
        let gap = until("deliveries are made", PATIENCE, async || {
            Ok(rig.receiver.count_of(PATH) > before)
        })
        .await?;
        longest_gap = longest_gap.max(gap);
        let most = form.pick(1, 4) * Duration::from_secs(1);
        sleep(dice.random_range(Duration::from_millis(300)..most)).await;
        rig.kill_server().await?;
        at_kills.push(claims.note(&rig.database).await?);
        let starting = Instant::now();
        rig.start_server().await?;
        slowest_start = slowest_start.max(starting.elapsed());
    }
    let ledger = poster.stop().await?;
    let posted_for = posting.elapsed();
    let tally = rig.settle(&ledger, PATH, ARRIVED_WITHIN).await;
    #[allow(
        clippy::cast_precision_loss,
        reason = "there are never that many events"
    )]
    let rate = ledger.accepted.len() as f64 / posted_for.as_secs_f64();
    let figure = json!({
        "kills": kills,
        "events": ledger.accepted.len(),
        "events_per_second": rate.round(),
        "lost": tally.lost.len(),
        "told_twice": tally.told_twice.len(),
        "duplicates": tally.duplicates(),
        "duplicates_not_in_flight": claims.unexplained(&tally),
        "in_flight_at_kills": at_kills,
        "slowest_start_seconds": seconds(slowest_start),
        "longest_gap_seconds": seconds(longest_gap),
    });
    rig.end().await?;
    let bound = json!({
        "lost": 0,
        "told_twice": 0,
        "duplicates": claims.count(),
        "duplicates_not_in_flight": 0,
    });
    Ok(Outcome::new(NAME, lab.seed, begun, figure, bound))
}

/// So many tenants, each with a session and an endpoint.
async fn tenants(rig: &Rig, count: usize) -> Result<Vec<Session>> {
    let mut sessions = Vec::new();
    for number in 0..count {
        let api = rig.api.sign_up(&format!("tenant{number}")).await?;
        sessions.extend(rig.sessions_of(&api, 1).await?);
        let url = rig.receiver.url(&format!("{PATH}{number}"));
        Webhook::make(&api, "Good", &url).await?;
    }
    Ok(sessions)
}
