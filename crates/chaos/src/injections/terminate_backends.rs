//! Every connection of two servers to their database is ended, twice a second, under load: those
//! too that tell the one that the other lives.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use super::claims::Claims;
use crate::{Follower, Form, Lab, Outcome, Plan, Poster, Posting, Rig, Webhook};

pub(super) const NAME: &str = "terminate_backends";

const EVERY: Duration = Duration::from_millis(500);
/// What was being settled when its connection ended is claimed by nobody for up to 25 s.
const ARRIVED_WITHIN: Duration = Duration::from_secs(100);
const PATH: &str = "/good";

pub(super) async fn run(lab: &Lab, form: Form) -> Result<Outcome> {
    let begun = Instant::now();
    let rig = Rig::start(lab, Plan::default()).await?;
    let sessions = rig.sessions(form.pick(2, 8)).await?;
    let stream = Follower::start(&rig.api, &sessions[0]).await?;
    Webhook::make(&rig.api, "Good", &rig.receiver.url(PATH)).await?;
    let posting = Posting::at("TB", &sessions, form.pick(100.0, 300.0));
    let second = rig.second_server().await?;
    let poster = Poster::start(&[rig.addr, second.addr()?], posting)?;
    let mut claims = Claims::default();
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ended = 0;
    for _ in 0..form.pick(10, 120) {
        tick.tick().await;
        claims.note(&rig.database).await?;
        ended += rig.database.terminate_backends().await?;
    }
    let ledger = poster.stop().await?;
    let tally = rig.settle(&ledger, PATH, ARRIVED_WITHIN).await;
    let missing = stream.settle(&ledger, 0, ARRIVED_WITHIN).await;
    let figure = json!({
        "connections_ended": ended,
        "events": ledger.accepted.len(),
        "refused": ledger.refused.values().sum::<u64>(),
        "lost": tally.lost.len(),
        "told_twice": tally.told_twice.len(),
        "duplicates": tally.duplicates(),
        "duplicates_not_in_flight": claims.unexplained(&tally),
        "missing_from_stream": missing,
        "twice_in_stream": stream.repeated(),
    });
    second.stop().await?;
    rig.end().await?;
    let bound = json!({
        "lost": 0,
        "told_twice": 0,
        "duplicates": claims.count(),
        "missing_from_stream": 0,
        "twice_in_stream": 0,
    });
    Ok(Outcome::new(NAME, lab.seed, begun, figure, bound))
}
