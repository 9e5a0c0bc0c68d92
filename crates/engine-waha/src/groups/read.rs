//! Groups and who is in them, as each engine's library shows them.

use mf_domain::{Jid, JidKind};
use mf_engine::{GroupInfo, GroupRole, Participant};
use serde_json::Value;

use super::outcomes;
use crate::{
    json,
    listing::{Entry, first_text, jid, phone},
};

/// Where a group's own id stands.
const GROUP: &[&str] = &[
    "/id",
    "/id/_serialized",
    "/JID",
    "/jid",
    "/gid",
    "/gid/_serialized",
];
const SUBJECT: &[&str] = &[
    "/subject",
    "/Name",
    "/Name/Name",
    "/groupMetadata/subject",
    "/name",
    "/title",
];
const DESCRIPTION: &[&str] = &[
    "/desc",
    "/description",
    "/Topic",
    "/Topic/Topic",
    "/groupMetadata/desc",
];
const MEMBERS: &[&str] = &[
    "/participants",
    "/Participants",
    "/groupMetadata/participants",
];
const COUNT: &[&str] = &[
    "/size",
    "/ParticipantCount",
    "/participantsCount",
    "/groupMetadata/size",
];

/// The group that an object names.
pub(crate) fn group_id(group: &Value) -> Option<Jid> {
    jid(group, GROUP).filter(Jid::is_group)
}

/// What it is called.
pub(crate) fn subject(group: &Value) -> Option<String> {
    first_text(group, SUBJECT)
}

/// What it is for. Nothing is a description too, where it says so.
pub(crate) fn description(group: &Value) -> Option<String> {
    let mut said = DESCRIPTION
        .iter()
        .filter_map(|pointer| group.pointer(pointer));
    said.find_map(Value::as_str).map(str::to_owned)
}

/// Reads a group; in a map by id, the key may be all that names it.
pub(crate) fn group((key, group): Entry<'_>) -> Option<GroupInfo> {
    let named = || Jid::parse(key?).ok().filter(Jid::is_group);
    let jid = group_id(group).or_else(named)?;
    let participants = participants(group);
    let told = COUNT
        .iter()
        .find_map(|pointer| json::number(group, pointer))
        .and_then(|count| u32::try_from(count).ok())
        .filter(|count| *count > 0);
    let counted = || u32::try_from(participants.len()).ok();
    Some(GroupInfo {
        subject: subject(group),
        description: description(group).filter(|text| !text.is_empty()),
        participant_count: told.or_else(counted).filter(|count| *count > 0),
        participants,
        jid,
    })
}

/// Who is in a group, as far as it is told.
pub(crate) fn participants(group: &Value) -> Vec<Participant> {
    let mut members = MEMBERS.iter().filter_map(|pointer| group.pointer(pointer));
    members
        .find_map(|members| match members {
            Value::Array(list) => Some(
                list.iter()
                    .filter_map(|one| participant((None, one)))
                    .collect(),
            ),
            Value::Object(map) => Some(
                map.iter()
                    .filter_map(|(key, one)| participant((Some(key), one)))
                    .collect(),
            ),
            _ => None,
        })
        .unwrap_or_default()
}

/// Reads somebody in a group, or who came or went. Who was asked into a group that is being
/// made, and refused, is not in it.
pub(crate) fn participant((key, one): Entry<'_>) -> Option<Participant> {
    if outcomes::error(one).is_some() {
        return None;
    }
    let name = one.as_str().or(key);
    let jid =
        jid(one, &["/id", "/id/_serialized", "/JID", "/jid"]).or_else(|| Jid::parse(name?).ok())?;
    let phone = (jid.kind() == JidKind::Hidden)
        .then(|| phone(one, &["/pn", "/PhoneNumber", "/phoneNumber", "/jid"]))
        .flatten();
    Some(Participant {
        jid,
        phone,
        role: role(one),
    })
}

fn role(one: &Value) -> GroupRole {
    let word = json::text(one, "/role").or_else(|| json::text(one, "/admin"));
    let is = |pointers: [&str; 2]| {
        pointers
            .iter()
            .any(|pointer| json::flag(one, pointer) == Some(true))
    };
    match word {
        Some("left") => GroupRole::Left,
        Some("admin") => GroupRole::Admin,
        Some("superadmin") => GroupRole::Superadmin,
        None if is(["/IsSuperAdmin", "/isSuperAdmin"]) => GroupRole::Superadmin,
        None if is(["/IsAdmin", "/isAdmin"]) => GroupRole::Admin,
        _ => GroupRole::Participant,
    }
}

#[cfg(test)]
mod tests {
    use mf_engine::{GroupInfo, GroupRole};
    use serde_json::{Value, json};

    use super::{group, participant};

    fn read(value: &Value) -> GroupInfo {
        group((None, value)).unwrap()
    }

    #[test]
    fn a_group_is_read_from_each_engines_object() {
        for value in [
            json!({"id": "120363@g.us", "subject": "Team", "desc": "us", "size": 2,
            "participants": [
                {"id": "179@lid", "phoneNumber": "15550000001@s.whatsapp.net",
                    "admin": "superadmin"},
                {"id": "15550000002@s.whatsapp.net", "admin": null},
            ]}),
            json!({"JID": "120363@g.us", "Name": "Team", "Topic": "us", "Participants": [
                {"JID": "179@lid", "PhoneNumber": "15550000001@s.whatsapp.net", "LID": "179@lid",
                    "IsAdmin": true, "IsSuperAdmin": true, "Error": 0, "AddRequest": null},
                {"JID": "15550000002@s.whatsapp.net", "IsAdmin": false, "IsSuperAdmin": false},
            ]}),
            json!({"id": {"server": "g.us", "_serialized": "120363@g.us"}, "name": "Team",
            "groupMetadata": {"desc": "us", "participants": [
                {"id": {"_serialized": "179@lid"}, "isAdmin": true, "isSuperAdmin": true,
                    "pn": "15550000001"},
                {"id": {"_serialized": "15550000002@c.us"}, "isAdmin": false},
            ]}}),
            json!({"id": "120363@g.us", "subject": "Team", "description": "us", "participants": [
                {"id": "179@lid", "pn": "15550000001@c.us", "role": "superadmin"},
                {"id": "15550000002@c.us", "pn": "15550000002@c.us", "role": "participant"},
            ]}),
        ] {
            let team = read(&value);
            assert_eq!(team.jid.as_str(), "120363@g.us");
            assert_eq!(team.subject.as_deref(), Some("Team"), "{value}");
            assert_eq!(team.description.as_deref(), Some("us"), "{value}");
            assert_eq!(team.participant_count, Some(2), "{value}");
            let [boss, other] = team.participants.as_slice() else {
                panic!("{value}");
            };
            assert_eq!(boss.jid.as_str(), "179@lid");
            assert_eq!(boss.phone.as_ref().unwrap().as_str(), "15550000001");
            assert_eq!(boss.role, GroupRole::Superadmin);
            assert_eq!(other.jid.as_str(), "15550000002@c.us");
            assert_eq!((&other.phone, other.role), (&None, GroupRole::Participant));
        }
    }

    #[test]
    fn a_group_without_its_participants_says_so() {
        let bare = read(&json!({"id": "120363@g.us", "subject": "Team", "size": 40}));
        assert!(bare.participants.is_empty());
        assert_eq!(bare.participant_count, Some(40));
        let named_by_key = group((Some("120363@g.us"), &json!({"subject": "Team"}))).unwrap();
        assert_eq!(named_by_key.participant_count, None);
    }

    #[test]
    fn what_is_no_group_is_left_out() {
        for value in [
            json!(null),
            json!({}),
            json!([]),
            json!({"id": "15550000002@c.us", "subject": "no group"}),
            json!({"id": 7}),
        ] {
            assert_eq!(group((None, &value)), None, "{value}");
        }
        assert_eq!(group((Some("count"), &json!(3))), None);
    }

    #[test]
    fn who_refused_to_be_in_a_new_group_is_not_in_it() {
        let made = read(
            &json!({"gid": {"_serialized": "120363@g.us"}, "title": "New",
            "participants": {
                "15550000002@c.us": {"statusCode": 200, "message": "The participant was added"},
                "15550000003@c.us": {"statusCode": 403, "isInviteV4Sent": true},
            }}),
        );
        let [one] = made.participants.as_slice() else {
            panic!("{made:?}");
        };
        assert_eq!(one.jid.as_str(), "15550000002@c.us");
    }

    #[test]
    fn a_participant_may_be_a_name_and_nothing_else() {
        let one = participant((None, &json!("15550000002@s.whatsapp.net"))).unwrap();
        assert_eq!(one.jid.as_str(), "15550000002@c.us");
        assert_eq!(participant((None, &json!("somebody"))), None);
    }
}
