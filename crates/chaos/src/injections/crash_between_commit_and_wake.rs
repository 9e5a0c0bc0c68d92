//! PostgreSQL has committed an event, and the server is killed before it hears so: whoever was to
//! be woken is not, and the engine got no answer. The event arrives all the same, and what the
//! engine reports again makes no second one.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tokio::time::timeout;

use crate::{
    Form, Held, Lab, Outcome, Plan, Poster, Posting, Rig, Session, Webhook, seconds, until,
};

pub(super) const NAME: &str = "crash_between_commit_and_wake";

const PATIENCE: Duration = Duration::from_mins(1);
const PATH: &str = "/good";

pub(super) async fn run(lab: &Lab, form: Form) -> Result<Outcome> {
    let begun = Instant::now();
    let crashes = form.pick(2, 20);
    let plan = Plan {
        gate: true,
        ..Plan::default()
    };
    let mut rig = Rig::start(lab, plan).await?;
    let sessions = rig.sessions(1).await?;
    Webhook::make(&rig.api, "Good", &rig.receiver.url(PATH)).await?;
    let (mut lost, mut told_twice) = (0, 0);
    let mut slowest = Duration::ZERO;
    for crash in 0..crashes {
        // One message and nothing else, so that nothing else wakes anybody.
        let posting = Posting::burst(&format!("CW{crash:03}"), &sessions, 1);
        let mark = format!("{}{:08}", posting.prefix, 0);
        crash_after_commit(&mut rig, &sessions, posting.clone(), crash + 1).await?;
        let up = Instant::now();
        let receiver = &rig.receiver;
        let arrived = || {
            let arrivals = receiver.arrivals(PATH).into_iter();
            let ids = arrivals.filter(|arrival| arrival.mark.as_ref() == Some(&mark));
            let mut ids: Vec<String> = ids.map(|arrival| arrival.webhook_id).collect();
            ids.sort();
            ids.dedup();
            ids.len()
        };
        let there = until("it arrives", PATIENCE, async || Ok(arrived() > 0)).await;
        lost += usize::from(there.is_err());
        slowest = slowest.max(up.elapsed());
        // The engine got no answer, and reports it again.
        let ledger = Poster::start(&[rig.addr], posting)?.finish().await?;
        ensure!(ledger.accepted.len() == 1, "the repeat was not taken");
        // Whatever it caused would be told before this.
        let next = Posting::burst(&format!("CZ{crash:03}"), &sessions, 1);
        let ledger = Poster::start(&[rig.addr], next)?.finish().await?;
        lost += rig.settle(&ledger, PATH, PATIENCE).await.lost.len();
        told_twice += usize::from(arrived() > 1);
    }
    let figure = json!({
        "crashes": crashes,
        "lost": lost,
        "told_twice": told_twice,
        "slowest_arrival_seconds": seconds(slowest),
    });
    rig.end().await?;
    let bound = json!({"lost": 0, "told_twice": 0});
    Ok(Outcome::new(NAME, lab.seed, begun, figure, bound))
}

/// One message is stored, and the server killed before it knows.
async fn crash_after_commit(
    rig: &mut Rig,
    sessions: &[Session],
    posting: Posting,
    crashes: usize,
) -> Result<()> {
    let gate = rig.gate.as_ref().context("no gate")?;
    gate.hold(Held::Commit);
    let poster = Poster::start(&[rig.addr], posting)?;
    let held = timeout(PATIENCE, gate.until_held(crashes)).await;
    held.context("no commit came")??;
    ensure!(
        poster.accepted() == 0,
        "the commit that was held is another one"
    );
    drop(poster);
    rig.kill_server().await?;
    let stored = "SELECT count(*) FROM event WHERE session_id = $1 AND name = 'message.received'";
    let stored: i64 = sqlx::query_scalar(stored)
        .bind(sessions[0].id)
        .fetch_one(rig.database.rows())
        .await?;
    // Of each crash before, its message and the one after it.
    let expected = i64::try_from(2 * crashes - 1)?;
    ensure!(
        stored == expected,
        "{stored} events are stored, not {expected}"
    );
    rig.start_server().await
}
