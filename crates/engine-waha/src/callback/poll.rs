//! What is voted in polls.

use chrono::{DateTime, Utc};
use mf_domain::{Jid, JidKind};
use mf_engine::PollVote;
use serde_json::Value;

use super::{decode::Reason, message};
use crate::{ids::FullId, json};

/// Reads a vote. Of one that could not be decrypted it is known who voted, but not for what.
pub(super) fn vote(
    payload: &Value,
    told: Option<DateTime<Utc>>,
    failed: bool,
) -> Result<PollVote, Reason> {
    let part = |name: &str| payload.get(name).unwrap_or(&Value::Null);
    let (vote, poll) = (part("vote"), part("poll"));
    let poll_id = message::full_id(poll)?;
    let act = message::full_id(vote).ok();
    let from_me = json::flag(vote, "/fromMe")
        .or_else(|| act.as_ref().map(|act| act.from_me))
        .unwrap_or(false);
    let options = (!failed).then(|| {
        json::list(vote, "/selectedOptions")
            .filter_map(|option| option.as_str().or_else(|| json::text(option, "/name")))
            .map(str::to_owned)
            .collect()
    });
    Ok(PollVote {
        voter: (!from_me)
            .then(|| voter(vote, act.as_ref(), &poll_id.chat))
            .flatten(),
        poll: poll_id.message(),
        from_me,
        options,
        at: json::moment(vote, "/timestamp")
            .or(told)
            .ok_or("the vote has no time")?,
    })
}

fn voter(vote: &Value, act: Option<&FullId>, chat: &Jid) -> Option<Jid> {
    message::writer(vote)
        .or_else(|| act?.participant.clone())
        .or_else(|| matches!(chat.kind(), JidKind::Person | JidKind::Hidden).then(|| chat.clone()))
}
