//! What is told of groups.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::config::Dialect;
use crate::group_shapes::{plain, plain_member, raw};
use crate::groups::{Aspect, Group};
use crate::ids::{as_jid, now_ms, rfc3339};
use crate::session::Session;
use crate::sim::Sim;

/// What happens to members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    Join,
    Leave,
    Promote,
    Demote,
}

impl Happening {
    /// WAHA's name.
    fn name(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Leave => "leave",
            Self::Promote => "promote",
            Self::Demote => "demote",
        }
    }

    /// The role told along. NOWEB still calls those admins who are not any more.
    fn role(self, engine: Dialect) -> &'static str {
        match (self, engine) {
            (Self::Leave, _) => "left",
            (Self::Promote, _) | (Self::Demote, Dialect::Noweb) => "admin",
            (Self::Join | Self::Demote, _) => "participant",
        }
    }

    /// The library's own name.
    fn raw_name(self, engine: Dialect) -> &'static str {
        match (self, engine) {
            (Self::Join, _) => "add",
            (Self::Leave, _) => "remove",
            (Self::Promote, _) => "promote",
            (Self::Demote, _) => "demote",
        }
    }
}

/// Now, in seconds on WEBJS and in milliseconds elsewhere.
fn moment(engine: Dialect) -> i64 {
    match engine {
        Dialect::Webjs => now_ms() / 1000,
        Dialect::Noweb | Dialect::Gows => now_ms(),
    }
}

/// What whatsmeow calls a change to a group.
fn change_gows(group: &Group) -> Value {
    json!({
        "JID": group.id,
        "Notify": "",
        "Sender": as_jid(&group.id_of(&group.owner)),
        "Timestamp": rfc3339(now_ms()),
        "PrevParticipantVersionID": "",
        "ParticipantVersionID": "",
        "JoinReason": "",
        "Join": null,
        "Leave": null,
        "Promote": null,
        "Demote": null,
    })
}

/// What whatsapp-web.js calls a notification.
fn notification(group: &Group, kind: &str, people: &[String]) -> Value {
    let recipients: Vec<_> = people.iter().map(|person| group.id_of(person)).collect();
    json!({
        "id": {"fromMe": false, "remote": group.id},
        "type": kind,
        "chatId": group.id,
        "author": group.id_of(&group.owner),
        "recipientIds": recipients,
        "timestamp": now_ms() / 1000,
        "body": "",
    })
}

impl Sim {
    /// The account came into a group.
    pub(crate) fn tell_joined(&self, session: &Arc<Session>, group: &Group) {
        let engine = self.world.config.engine;
        let payload = {
            let state = session.state();
            let realm = &state.realm;
            let data = match engine {
                Dialect::Webjs => notification(group, "add", &[realm.me()]),
                Dialect::Noweb | Dialect::Gows => raw(engine, group, realm, true),
            };
            json!({
                "timestamp": moment(engine),
                "group": plain(engine, group, realm, true),
                "_data": data,
            })
        };
        self.tell_of_group(session, "group.v2.join", &payload);
    }

    /// Something happened to members. What happens to the account itself is told twice.
    pub(crate) fn tell_members(
        &self,
        session: &Arc<Session>,
        group: &Group,
        happening: Happening,
        people: &[String],
    ) {
        if people.is_empty() {
            return;
        }
        let engine = self.world.config.engine;
        let (payload, concerns_me) = {
            let state = session.state();
            let role = json!(happening.role(engine));
            let shown: Vec<_> = people
                .iter()
                .map(|person| plain_member(engine, group, &state.realm, person, &role))
                .collect();
            let payload = json!({
                "type": happening.name(),
                "timestamp": moment(engine),
                "group": {"id": group.id},
                "participants": shown,
                "_data": raw_happening(engine, group, happening, people),
            });
            (payload, people.contains(&state.realm.me()))
        };
        self.tell_of_group(session, "group.v2.participants", &payload);
        match happening {
            Happening::Join if concerns_me => self.tell_joined(session, group),
            Happening::Leave if concerns_me => {
                let left = json!({
                    "timestamp": moment(engine),
                    "group": {"id": group.id},
                    "_data": payload["_data"],
                });
                self.tell_of_group(session, "group.v2.leave", &left);
            }
            _ => {}
        }
    }

    /// A group is called, looks or works differently now. Pictures are not told.
    pub(crate) fn tell_updated(&self, session: &Arc<Session>, group: &Group, aspect: &Aspect) {
        if matches!(aspect, Aspect::Picture(_)) {
            return;
        }
        let engine = self.world.config.engine;
        let Some((fields, data)) = updated(engine, group, aspect) else {
            return;
        };
        let shown = if engine == Dialect::Webjs {
            plain(engine, group, &session.state().realm, false)
        } else {
            fields
        };
        let payload = json!({"timestamp": moment(engine), "group": shown, "_data": data});
        self.tell_of_group(session, "group.v2.update", &payload);
    }

    fn tell_of_group(&self, session: &Arc<Session>, event: &str, payload: &Value) {
        let ignored = session.state().flag("/ignore/groups");
        if !ignored {
            self.emit(session, event, payload);
        }
    }
}

fn raw_happening(engine: Dialect, group: &Group, happening: Happening, people: &[String]) -> Value {
    let jids: Vec<_> = people
        .iter()
        .map(|person| as_jid(&group.id_of(person)))
        .collect();
    match engine {
        Dialect::Noweb => json!({
            "id": group.id,
            "author": as_jid(&group.id_of(&group.owner)),
            "participants": jids,
            "action": happening.raw_name(engine),
        }),
        Dialect::Gows => {
            let field = match happening {
                Happening::Join => "Join",
                Happening::Leave => "Leave",
                Happening::Promote => "Promote",
                Happening::Demote => "Demote",
            };
            let mut change = change_gows(group);
            change[field] = json!(jids);
            change
        }
        Dialect::Webjs => notification(group, happening.raw_name(engine), people),
    }
}

/// The changed fields in WAHA's shape and in the library's. `None` when the engine says nothing
/// of such a change.
fn updated(engine: Dialect, group: &Group, aspect: &Aspect) -> Option<(Value, Value)> {
    let mut fields = json!({"id": group.id});
    let mut data = match engine {
        Dialect::Noweb => json!({"id": group.id}),
        Dialect::Gows => change_gows(group),
        Dialect::Webjs => notification(group, "subject", &[]),
    };
    // What the libraries call it: NOWEB, GOWS and WEBJS.
    let (noweb, gows, webjs) = match aspect {
        Aspect::Subject(subject) => {
            fields["subject"] = json!(subject);
            let named = json!({"Name": subject, "NameSetAt": rfc3339(now_ms())});
            (("subject", json!(subject)), ("Name", named), "subject")
        }
        Aspect::Description(text) => {
            fields["description"] = json!(text);
            let topic = json!({"Topic": text, "TopicSetAt": rfc3339(now_ms())});
            (("desc", json!(text)), ("Topic", topic), "description")
        }
        Aspect::Announce(announce) => {
            // GOWS alone turns it round.
            fields["membersCanSendMessages"] = json!(*announce != (engine == Dialect::Gows));
            let announced = json!({"IsAnnounce": announce, "AnnounceVersionID": ""});
            (
                ("announce", json!(announce)),
                ("Announce", announced),
                "announce",
            )
        }
        Aspect::Locked(locked) => {
            // WAHA has no field for it: GOWS keeps silent, NOWEB tells of nothing.
            if engine == Dialect::Gows {
                return None;
            }
            let locked = json!(locked);
            (("restrict", locked), ("Locked", Value::Null), "restrict")
        }
        Aspect::Invite(code) => {
            let link = format!("https://chat.whatsapp.com/{code}");
            fields["invite"] = json!(link);
            (
                ("inviteCode", json!(code)),
                ("NewInviteLink", json!(link)),
                "revoke_invite",
            )
        }
        Aspect::Picture(_) => return None,
    };
    match engine {
        Dialect::Noweb => data[noweb.0] = noweb.1,
        Dialect::Gows => data[gows.0] = gows.1,
        Dialect::Webjs => data["type"] = json!(webjs),
    }
    Some((fields, data))
}
