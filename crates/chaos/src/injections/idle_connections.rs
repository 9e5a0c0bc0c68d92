//! Others take all but a few of the connections that PostgreSQL allows, and do nothing with them.
//! The server does with what is left, or says when to come again; it goes on by itself once they
//! are gone, and nothing that was accepted is lost.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::time::sleep;

use super::probe::{self, Answers};
use crate::{Form, Lab, Outcome, Plan, Poster, Posting, Rig, Webhook, until};

pub(super) const NAME: &str = "idle_connections";

/// Connections in all.
const ALLOWED: usize = 40;
/// Those that are not ours.
const OTHERS: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND usename <> current_user";
/// How long the server may take once there is room again.
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);
/// What was claimed and not settled is claimed by nobody for up to 25 s.
const ARRIVED_WITHIN: Duration = Duration::from_secs(100);
const PATIENCE: Duration = Duration::from_mins(1);
/// Connections that the server had just begun have a place, are in no list, and end after 3 s.
const BEGUN_WITHIN: Duration = Duration::from_secs(5);
const PATH: &str = "/good";

pub(super) async fn run(lab: &Lab, form: Form) -> Result<Outcome> {
    let begun = Instant::now();
    let plan = Plan {
        own_database: true,
        postgres: vec![
            ("max_connections".to_owned(), ALLOWED.to_string()),
            ("authentication_timeout".to_owned(), "3s".to_owned()),
        ],
        ..Plan::default()
    };
    let rig = Rig::start(lab, plan).await?;
    let sessions = rig.sessions(2).await?;
    Webhook::make(&rig.api, "Good", &rig.receiver.url(PATH)).await?;
    let posting = Posting::at("IC", &sessions, form.pick(20.0, 100.0));
    let poster = Poster::start(&[rig.addr], posting)?;
    let mut answers = Answers::default();
    let mut slowest = Duration::ZERO;
    let mut accepted = Vec::new();
    let few: &[usize] = form.pick(&[3, 0], &[6, 3, 1, 0]);
    for left in few {
        let known = poster.accepted();
        until("messages are taken", PATIENCE, async || {
            Ok(poster.accepted() > known + 20)
        })
        .await?;
        let idle = crowd(&rig, *left).await?;
        let known = poster.accepted();
        let time = Duration::from_secs(form.pick(8, 30));
        answers += probe::reading(&rig.api, time).await?;
        accepted.push(poster.accepted() - known);
        for connection in idle {
            connection.close().await?;
        }
        slowest = slowest.max(probe::recovery(&rig, &poster).await?);
    }
    let ledger = poster.stop().await?;
    let tally = rig.settle(&ledger, PATH, ARRIVED_WITHIN).await;
    let figure = json!({
        "connections_left": few,
        "events_accepted_with_so_few": accepted,
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
    rig.end().await?;
    let bound = json!({
        "lost": 0,
        "told_twice": 0,
        "refused_without_retry_after": 0,
        "callbacks_refused_otherwise": 0,
        "recovered_seconds": RECOVERED_WITHIN.as_secs(),
    });
    Ok(Outcome::new(NAME, lab.seed, begun, figure, bound))
}

/// Connections of others, so many that so few are left. Dropping them ends them.
///
/// The server stands still meanwhile: it would be quicker.
async fn crowd(rig: &Rig, left: usize) -> Result<Vec<PgConnection>> {
    // In the same cluster, of somebody who is no superuser either.
    let elsewhere: PgConnectOptions = rig.database.url.parse()?;
    let elsewhere = elsewhere.database("postgres");
    rig.server()?.pause()?;
    rig.database.terminate_backends().await?;
    until("nobody has a connection", PATIENCE, async || {
        Ok(rig.database.count(OTHERS).await? == 0)
    })
    .await?;
    let mut idle = Vec::new();
    let filling = Instant::now();
    while filling.elapsed() < BEGUN_WITHIN {
        while let Ok(connection) = elsewhere.connect().await {
            idle.push(connection);
        }
        sleep(Duration::from_millis(300)).await;
    }
    ensure!(idle.len() > left, "only {} connections", idle.len());
    idle.truncate(idle.len() - left);
    rig.server()?.resume()?;
    Ok(idle)
}
