//! How the server answers while its database is in trouble, and when it is well again.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use crate::{Api, Ledger, Poster, Reply, Rig, until};

/// Pause between two calls.
const PAUSE: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_mins(2);

/// What calls were answered with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answers {
    pub(super) all: u64,
    /// Not with success.
    pub(super) refused: u64,
    /// Of these, otherwise than with 503 and a time to come again.
    pub(super) unhelpful: u64,
}

impl Answers {
    pub(super) fn count(&mut self, reply: &Reply) {
        let seconds = reply.header("retry-after").map(str::parse::<u64>);
        let refused = !(200..300).contains(&reply.status);
        let helpful = reply.status == 503 && matches!(seconds, Some(Ok(_)));
        self.all += 1;
        self.refused += u64::from(refused);
        self.unhelpful += u64::from(refused && !helpful);
    }
}

impl AddAssign for Answers {
    fn add_assign(&mut self, other: Self) {
        self.all += other.all;
        self.refused += other.refused;
        self.unhelpful += other.unhelpful;
    }
}

/// Reads now and then, for so long.
pub(super) async fn reading(api: &Api, time: Duration) -> Result<Answers> {
    let begun = Instant::now();
    let mut answers = Answers::default();
    while begun.elapsed() < time {
        answers.count(&api.get("/sessions").await?);
        sleep(PAUSE).await;
    }
    Ok(answers)
}

/// How long it takes from now until the server is ready, answers, and takes messages.
pub(super) async fn recovery(rig: &Rig, poster: &Poster) -> Result<Duration> {
    let known = poster.accepted();
    until("the server has recovered", PATIENCE, async || {
        Ok(poster.accepted() > known
            && rig.api.get_root("/health/ready").await?.status == 200
            && rig.api.get("/sessions").await?.status == 200)
    })
    .await
}

/// How often the engine's reports were refused, by status; 0 is no answer.
pub(super) fn refusals(ledger: &Ledger) -> BTreeMap<u16, u64> {
    ledger.refused.iter().map(|(k, v)| (*k, *v)).collect()
}

/// How often otherwise than with 503.
pub(super) fn refused_otherwise(ledger: &Ledger) -> u64 {
    let refused = ledger.refused.iter();
    let otherwise = refused.filter(|(status, _)| **status != 503);
    otherwise.map(|(_, count)| count).sum()
}
