//! What changed about a group.

use chrono::{DateTime, Utc};
use mf_engine::{GroupChange, GroupReport, GroupRole, Participant, ParticipantChange};
use serde_json::Value;

use super::decode::Reason;
use crate::{groups::read, json};

/// Reads a report about a group; `None` where nothing that we keep has changed.
pub(super) fn read(
    name: &str,
    payload: &Value,
    told: Option<DateTime<Utc>>,
) -> Result<Option<GroupReport>, Reason> {
    let about = payload.get("group").unwrap_or(&Value::Null);
    let group = read::group_id(about).ok_or("the event names no group")?;
    let change = match name {
        "group.v2.join" => {
            let joined = read::group((None, about)).ok_or("the event names no group")?;
            Some(GroupChange::Joined(joined))
        }
        "group.v2.leave" => Some(GroupChange::Left),
        "group.v2.update" => updated(about),
        "group.v2.participants" => participants(payload)?,
        _ => None,
    };
    let Some(change) = change else {
        return Ok(None);
    };
    let at = json::moment(payload, "/timestamp")
        .or(told)
        .ok_or("the change of a group has no time")?;
    Ok(Some(GroupReport { group, at, change }))
}

/// The settings of a group change as well, and are not kept.
fn updated(about: &Value) -> Option<GroupChange> {
    let (subject, description) = (read::subject(about), read::description(about));
    (subject.is_some() || description.is_some()).then_some(GroupChange::Updated {
        subject,
        description,
    })
}

fn participants(payload: &Value) -> Result<Option<GroupChange>, Reason> {
    let what = match json::text(payload, "/type").ok_or("what became of them is missing")? {
        "join" => ParticipantChange::Joined,
        "leave" => ParticipantChange::Left,
        "promote" => ParticipantChange::Promoted,
        "demote" => ParticipantChange::Demoted,
        _ => return Ok(None),
    };
    let mut participants = read::participants(payload);
    if participants.is_empty() {
        return Err("the change of a group names nobody that can be read".to_owned());
    }
    for one in &mut participants {
        correct_role(one, what);
    }
    Ok(Some(GroupChange::Participants { what, participants }))
}

/// NOWEB calls those administrators who just ceased to be, and others tell no role.
const fn correct_role(one: &mut Participant, what: ParticipantChange) {
    one.role = match (what, one.role) {
        (ParticipantChange::Left, _) => GroupRole::Left,
        (ParticipantChange::Demoted, _) => GroupRole::Participant,
        (ParticipantChange::Promoted, GroupRole::Superadmin) => GroupRole::Superadmin,
        (ParticipantChange::Promoted, _) => GroupRole::Admin,
        (ParticipantChange::Joined, role) => role,
    };
}

#[cfg(test)]
mod tests {
    use mf_engine::{GroupChange, GroupReport, GroupRole, ParticipantChange};
    use serde_json::{Value, json};

    use super::{Reason, read};

    const AT: i64 = 1_783_641_600;

    fn report(name: &str, payload: &Value) -> Result<Option<GroupReport>, Reason> {
        read(name, payload, None)
    }

    #[test]
    fn a_join_brings_the_group_along() {
        let payload = json!({"timestamp": AT * 1000, "group": {"id": "120363@g.us",
            "subject": "Team", "description": "us", "membersCanSendMessages": true,
            "participants": [{"id": "179@lid", "pn": "15550000001@c.us", "role": "admin"}]}});
        let report = report("group.v2.join", &payload).unwrap().unwrap();
        assert_eq!(report.at.timestamp(), AT);
        let GroupChange::Joined(group) = report.change else {
            panic!("a join");
        };
        assert_eq!(group.subject.as_deref(), Some("Team"));
        assert_eq!(group.participants.len(), 1);
    }

    #[test]
    fn an_update_says_what_changed_and_what_did_not() {
        let update = |group: Value| {
            let payload = json!({"timestamp": AT, "group": group});
            let report = report("group.v2.update", &payload).unwrap()?;
            let GroupChange::Updated {
                subject,
                description,
            } = report.change
            else {
                panic!("an update");
            };
            Some((subject, description))
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            update(json!({"id": "120363@g.us", "subject": "New"})),
            Some((text("New"), None))
        );
        assert_eq!(
            update(json!({"id": "120363@g.us", "subject": null, "description": ""})),
            Some((None, text(""))),
            "an emptied description is a change"
        );
        assert_eq!(
            update(json!({"id": "120363@g.us", "membersCanSendMessages": false})),
            None
        );
    }

    #[test]
    fn what_becomes_of_people_decides_on_their_role() {
        for (word, told, what, role) in [
            (
                "join",
                "participant",
                ParticipantChange::Joined,
                GroupRole::Participant,
            ),
            (
                "leave",
                "participant",
                ParticipantChange::Left,
                GroupRole::Left,
            ),
            (
                "promote",
                "superadmin",
                ParticipantChange::Promoted,
                GroupRole::Superadmin,
            ),
            (
                "promote",
                "participant",
                ParticipantChange::Promoted,
                GroupRole::Admin,
            ),
            (
                "demote",
                "admin",
                ParticipantChange::Demoted,
                GroupRole::Participant,
            ),
        ] {
            let payload = json!({"type": word, "timestamp": AT, "group": {"id": "120363@g.us"},
                "participants": [{"id": "15550000002@c.us", "role": told}, {"id": "nobody"}]});
            let report = report("group.v2.participants", &payload).unwrap().unwrap();
            let GroupChange::Participants {
                what: read,
                participants,
            } = report.change
            else {
                panic!("a change of participants");
            };
            assert_eq!(
                (read, participants.len(), participants[0].role),
                (what, 1, role)
            );
        }
    }

    #[test]
    fn leaving_needs_no_more_than_the_group() {
        let payload = json!({"timestamp": AT, "group": {"id": "120363@g.us"}});
        let report = report("group.v2.leave", &payload).unwrap().unwrap();
        assert_eq!(report.change, GroupChange::Left);
    }

    #[test]
    fn a_report_without_group_time_or_people_is_unreadable() {
        let group = json!({"id": "120363@g.us"});
        for (name, payload) in [
            ("group.v2.leave", json!(null)),
            (
                "group.v2.leave",
                json!({"timestamp": AT, "group": {"id": "1555@c.us"}}),
            ),
            ("group.v2.leave", json!({"group": group})),
            (
                "group.v2.participants",
                json!({"timestamp": AT, "group": group}),
            ),
            (
                "group.v2.participants",
                json!({"type": "join", "timestamp": AT, "group": group, "participants": [7]}),
            ),
        ] {
            assert!(report(name, &payload).is_err(), "{name} {payload}");
        }
        let new = json!({"timestamp": AT, "group": group});
        assert_eq!(report("group.v2.participants.join-request", &new), Ok(None));
    }
}
