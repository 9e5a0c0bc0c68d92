//! Groups as each engine's library shows them.

use serde_json::{Map, Value, json};

use crate::config::Dialect;
use crate::groups::{Group, Member, Outcome, Role};
use crate::ids::{as_jid, rfc3339};
use crate::realm::Realm;

/// A WhatsApp Web id, taken apart.
pub(crate) fn wid(id: &str) -> Value {
    let (user, server) = id.split_once('@').unwrap_or((id, ""));
    json!({"server": server, "user": user, "_serialized": id})
}

/// The whole group; listings may leave the members out.
pub(crate) fn raw(engine: Dialect, group: &Group, realm: &Realm, members: bool) -> Value {
    match engine {
        Dialect::Noweb => raw_noweb(group, realm, members),
        Dialect::Gows => raw_gows(group, realm, members),
        Dialect::Webjs => raw_webjs(group, members),
    }
}

/// The members in the library's own shape.
pub(crate) fn raw_members(engine: Dialect, group: &Group, realm: &Realm) -> Vec<Value> {
    let members = group.members.iter();
    members
        .map(|member| match engine {
            Dialect::Noweb => member_noweb(group, realm, member),
            Dialect::Gows => member_gows(group, realm, member, 0),
            Dialect::Webjs => member_webjs(group, member),
        })
        .collect()
}

fn raw_noweb(group: &Group, realm: &Realm, members: bool) -> Value {
    let mut raw = json!({
        "id": group.id,
        "addressingMode": if group.by_lid { "lid" } else { "pn" },
        "subject": group.subject,
        "subjectOwner": as_jid(&group.id_of(&group.owner)),
        "subjectTime": group.subject_at,
        "size": group.members.len(),
        "creation": group.created_at,
        "owner": as_jid(&group.id_of(&group.owner)),
        "restrict": group.locked,
        "announce": group.announce,
        "isCommunity": false,
        "isCommunityAnnounce": false,
        "joinApprovalMode": false,
        "memberAddMode": true,
    });
    if !group.description.is_empty() {
        raw["desc"] = json!(group.description);
    }
    if members {
        raw["participants"] = json!(raw_members(Dialect::Noweb, group, realm));
    }
    raw
}

fn member_noweb(group: &Group, realm: &Realm, member: &Member) -> Value {
    let admin = match member.role {
        Role::Participant => None,
        Role::Admin => Some("admin"),
        Role::Superadmin => Some("superadmin"),
    };
    let id = group.id_of(&member.person);
    let mut shown = json!({"id": as_jid(&id), "admin": admin});
    if group.by_lid {
        if let Some(number) = realm.number_behind(&id) {
            shown["phoneNumber"] = json!(as_jid(&number));
        }
    } else if let Some(lid) = realm.lid_behind(&member.person) {
        shown["lid"] = json!(lid);
    }
    shown
}

fn raw_gows(group: &Group, realm: &Realm, members: bool) -> Value {
    let owner = as_jid(&group.id_of(&group.owner));
    let mut raw = json!({
        "JID": group.id,
        "OwnerJID": owner,
        "OwnerPN": as_jid(&group.owner),
        "Name": group.subject,
        "NameSetAt": rfc3339(group.subject_at * 1000),
        "NameSetBy": owner,
        "Topic": group.description,
        "TopicID": "",
        "TopicSetAt": rfc3339(group.created_at * 1000),
        "TopicSetBy": owner,
        "TopicDeleted": false,
        "IsLocked": group.locked,
        "IsAnnounce": group.announce,
        "AnnounceVersionID": "",
        "IsEphemeral": false,
        "DisappearingTimer": 0,
        "IsIncognito": false,
        "IsParent": false,
        "DefaultMembershipApprovalMode": "",
        "LinkedParentJID": "",
        "IsDefaultSubGroup": false,
        "IsJoinApprovalRequired": false,
        "AddressingMode": if group.by_lid { "lid" } else { "pn" },
        "GroupCreated": rfc3339(group.created_at * 1000),
        "ParticipantVersionID": group.created_at.to_string(),
        "ParticipantCount": group.members.len(),
        "MemberAddMode": "all_member_add",
    });
    raw["Participants"] = if members {
        json!(raw_members(Dialect::Gows, group, realm))
    } else {
        Value::Null
    };
    raw
}

fn member_gows(group: &Group, realm: &Realm, member: &Member, error: u16) -> Value {
    let id = group.id_of(&member.person);
    let number = if group.by_lid {
        realm.number_behind(&id)
    } else {
        Some(member.person.clone())
    };
    json!({
        "JID": as_jid(&id),
        "PhoneNumber": number.map(|number| as_jid(&number)).unwrap_or_default(),
        "LID": realm.lid_behind(&member.person).unwrap_or_default(),
        "IsAdmin": member.role != Role::Participant,
        "IsSuperAdmin": member.role == Role::Superadmin,
        "DisplayName": "",
        "Error": error,
        "AddRequest": null,
    })
}

fn raw_webjs(group: &Group, members: bool) -> Value {
    let mut metadata = json!({
        "id": wid(&group.id),
        "creation": group.created_at,
        "owner": wid(&group.id_of(&group.owner)),
        "subject": group.subject,
        "subjectTime": group.subject_at,
        "desc": group.description,
        "restrict": group.locked,
        "announce": group.announce,
        "membershipApprovalMode": false,
        "memberAddMode": "all_member_add",
        "size": group.members.len(),
        "isLidAddressingMode": group.by_lid,
        "isParentGroup": false,
    });
    if members {
        let shown = group.members.iter().map(|m| member_webjs(group, m));
        metadata["participants"] = shown.collect();
        metadata["pendingParticipants"] = json!([]);
        metadata["pastParticipants"] = json!([]);
        metadata["membershipApprovalRequests"] = json!([]);
    }
    json!({
        "groupMetadata": metadata,
        "id": wid(&group.id),
        "name": group.subject,
        "isGroup": true,
        "isReadOnly": false,
        "unreadCount": 0,
        "timestamp": group.subject_at,
        "archived": false,
        "pinned": false,
        "isMuted": false,
        "muteExpiration": 0,
    })
}

fn member_webjs(group: &Group, member: &Member) -> Value {
    json!({
        "id": wid(&group.id_of(&member.person)),
        "isAdmin": member.role != Role::Participant,
        "isSuperAdmin": member.role == Role::Superadmin,
    })
}

/// The members in WAHA's own shape. WEBJS does not look up who is behind a hidden id.
pub(crate) fn plain_members(engine: Dialect, group: &Group, realm: &Realm) -> Vec<Value> {
    let members = group.members.iter();
    members
        .map(|member| plain_member(engine, group, realm, &member.person, &json!(member.role)))
        .collect()
}

pub(crate) fn plain_member(
    engine: Dialect,
    group: &Group,
    realm: &Realm,
    person: &str,
    role: &Value,
) -> Value {
    let id = group.id_of(person);
    let number = match (engine, id.ends_with("@lid")) {
        (_, false) => Some(id.clone()),
        (Dialect::Webjs, true) => None,
        (Dialect::Noweb | Dialect::Gows, true) => realm.number_behind(&id),
    };
    json!({"id": id, "pn": number, "role": role})
}

/// The group in WAHA's own shape, as events tell it. The engines disagree on what the name
/// `membersCanSendMessages` means: all of them show whether admins alone may.
pub(crate) fn plain(engine: Dialect, group: &Group, realm: &Realm, members: bool) -> Value {
    let mut shown = json!({
        "id": group.id,
        "subject": group.subject,
        "description": group.description,
        "membersCanAddNewMember": true,
        "membersCanSendMessages": group.announce,
        "newMembersApprovalRequired": false,
    });
    if engine == Dialect::Webjs {
        shown["invite"] = json!(group.invite);
    }
    if engine == Dialect::Noweb && group.description.is_empty() {
        shown
            .as_object_mut()
            .map(|fields| fields.remove("description"));
    }
    if members {
        shown["participants"] = json!(plain_members(engine, group, realm));
    }
    shown
}

/// The answer to the making of a group.
pub(crate) fn created(
    engine: Dialect,
    group: &Group,
    realm: &Realm,
    outcomes: &[Outcome],
) -> Value {
    if engine != Dialect::Webjs {
        let mut answer = raw(engine, group, realm, true);
        if engine == Dialect::Gows
            && let Some(shown) = answer["Participants"].as_array_mut()
        {
            // Those who could not be added stand among the members, marked.
            let failed = outcomes.iter().filter(|outcome| outcome.code != 200);
            shown.extend(failed.map(|outcome| outcome_gows(group, realm, outcome)));
        }
        return answer;
    }
    let people: Map<String, Value> = outcomes
        .iter()
        .map(|outcome| {
            let said = json!({
                "statusCode": outcome.code,
                "message": words(outcome.code),
                "isGroupCreator": false,
                "isInviteV4Sent": outcome.code == 403,
            });
            (outcome.person.clone(), said)
        })
        .collect();
    json!({"title": group.subject, "gid": wid(&group.id), "participants": people})
}

fn words(code: u16) -> &'static str {
    match code {
        200 => "The participant was added successfully",
        403 => "The participant can be added by sending private invitation only",
        404 => "The phone number is not registered on WhatsApp",
        409 => "The participant is already a group member",
        _ => "An unknown error occupied while adding a participant",
    }
}

/// What became of each person asked to be added, removed, promoted or demoted.
pub(crate) fn outcomes(
    engine: Dialect,
    group: &Group,
    realm: &Realm,
    adding: bool,
    outcomes: &[Outcome],
) -> Value {
    match engine {
        Dialect::Noweb => outcomes
            .iter()
            .map(|outcome| outcome_noweb(group, outcome))
            .collect(),
        Dialect::Gows => outcomes
            .iter()
            .map(|outcome| outcome_gows(group, realm, outcome))
            .collect(),
        // Only adding says more than that it was tried.
        Dialect::Webjs if !adding => json!({"status": 200}),
        Dialect::Webjs => {
            let people: Map<String, Value> = outcomes
                .iter()
                .map(|outcome| {
                    let said = json!({
                        "code": outcome.code,
                        "message": words(outcome.code),
                        "isInviteV4Sent": outcome.code == 403,
                    });
                    (outcome.person.clone(), said)
                })
                .collect();
            Value::Object(people)
        }
    }
}

fn outcome_noweb(group: &Group, outcome: &Outcome) -> Value {
    let jid = as_jid(&group.id_of(&outcome.person));
    let mut attributes = json!({"jid": jid});
    let mut content = json!([]);
    if outcome.code != 200 {
        attributes["error"] = json!(outcome.code.to_string());
    }
    if let Some((code, expiration)) = invitation(group, outcome) {
        let request = json!({"code": code, "expiration": expiration.to_string()});
        content = json!([{"tag": "add_request", "attrs": request}]);
    }
    json!({
        "status": outcome.code.to_string(),
        "jid": jid,
        "content": {"tag": "participant", "attrs": attributes, "content": content},
    })
}

fn outcome_gows(group: &Group, realm: &Realm, outcome: &Outcome) -> Value {
    let error = if outcome.code == 200 { 0 } else { outcome.code };
    let member = Member {
        person: outcome.person.clone(),
        role: group.role_of(&outcome.person).unwrap_or_default(),
    };
    let mut shown = member_gows(group, realm, &member, error);
    if let Some((code, expiration)) = invitation(group, outcome) {
        let until = rfc3339(expiration * 1000);
        shown["AddRequest"] = json!({"Code": code, "Expiration": until});
    }
    shown
}

/// The code that somebody who cannot be added may be invited with, and until when.
fn invitation(group: &Group, outcome: &Outcome) -> Option<(String, i64)> {
    let code = crate::groups::invite_code(&outcome.person, group.created_at);
    (outcome.code == 403).then(|| (code, group.created_at + 3 * 24 * 60 * 60))
}
