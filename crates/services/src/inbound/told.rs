//! Parts of what clients are told, and the people in it by both their names.

use mf_domain::{Jid, JidKind, SessionId};
use mf_engine::{EngineLabel, GroupRole, Participant};
use mf_store::{TenantTx, WaLabel};
use serde_json::{Value, json};

use crate::{ServiceError, content::clean};

pub(super) const fn direction(from_me: bool) -> &'static str {
    if from_me { "outbound" } else { "inbound" }
}

/// Somebody by number and by hidden id, as far as both are known.
#[derive(Debug, Default)]
pub(super) struct Who {
    pub(super) phone: Option<String>,
    pub(super) lid: Option<String>,
}

impl Who {
    /// Whom a JID names. Of this account itself nothing is said.
    pub(super) async fn of(
        tx: &mut TenantTx,
        session: SessionId,
        jid: Option<&Jid>,
    ) -> Result<Self, ServiceError> {
        let Some(jid) = jid else {
            return Ok(Self::default());
        };
        if let Some(known) = tx.contacts().find(session, jid).await? {
            return Ok(Self {
                phone: known.phone,
                lid: known.lid,
            });
        }
        let user = Some(jid.user().to_owned());
        Ok(match jid.kind() {
            JidKind::Person => Self {
                phone: user,
                lid: None,
            },
            JidKind::Hidden => Self {
                phone: None,
                lid: user,
            },
            _ => Self::default(),
        })
    }
}

/// People in a group. What their two names teach is learnt.
pub(super) async fn participants(
    tx: &mut TenantTx,
    session: SessionId,
    participants: &[Participant],
) -> Result<Vec<Value>, ServiceError> {
    // All of it first: who is who is settled under a lock that comes before those on people.
    for participant in participants {
        if let Some(phone) = &participant.phone
            && participant.jid.kind() == JidKind::Hidden
        {
            tx.contacts()
                .learn(session, phone.as_str(), participant.jid.user())
                .await?;
        }
    }
    let mut shown = Vec::with_capacity(participants.len());
    for participant in participants {
        let who = Who::of(tx, session, Some(&participant.jid)).await?;
        let role = match participant.role {
            GroupRole::Left => "left",
            GroupRole::Participant => "participant",
            GroupRole::Admin => "admin",
            GroupRole::Superadmin => "superadmin",
        };
        shown.push(json!({
            "id": participant.jid.as_str(), "phone": who.phone, "lid": who.lid, "role": role,
        }));
    }
    Ok(shown)
}

/// A label as the mirror keeps it.
pub(super) fn label(label: &EngineLabel) -> WaLabel {
    WaLabel {
        wa_label_id: label.id.clone(),
        name: clean(&label.name),
        color: label.color.map_or(0, i32::from),
        color_hex: label
            .color_hex
            .clone()
            .unwrap_or_else(|| "#64C4FF".to_owned()),
    }
}

pub(super) fn label_data(session: SessionId, label: &EngineLabel) -> Value {
    json!({
        "session_id": session,
        "wa_label_id": label.id,
        "name": clean(&label.name),
        "color": label.color_hex,
    })
}
