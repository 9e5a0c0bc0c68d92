use mf_domain::{Direction, Jid, JidKind, MessageId, SessionId, WaMessageId};

use super::Messages;
use crate::{StoreResult, TenantTx, chat::phone_and_lid, word::Word};

/// A message that somebody changed, as the report of it names the message and them. Whoever
/// knows its id is not yet somebody who may change it.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// WhatsApp's bare id.
    pub id: &'a WaMessageId,
    /// Where it was done.
    pub chat: &'a Jid,
    /// Whether the session's owner did it.
    pub from_me: bool,
    /// Who did it, where several others could have.
    pub writer: Option<&'a Jid>,
}

/// What is done to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Edit,
    Revocation,
}

/// A message that is there, beside what a report of its change says.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) id: MessageId,
    direction: Direction,
    /// Both names lead to the same chat.
    same_chat: bool,
    peer: Names,
    /// Who wrote the message, in a group.
    wrote: Names,
    /// Who did something to it, in a group.
    did: Names,
}

/// The number and the hidden id of somebody, as far as they are known.
#[derive(Debug, Clone, Default)]
struct Names {
    phone: Option<String>,
    lid: Option<String>,
}

impl Names {
    fn of(jid: &Jid) -> Self {
        let (phone, lid) = phone_and_lid(jid);
        Self {
            phone: phone.map(str::to_owned),
            lid: lid.map(str::to_owned),
        }
    }

    /// Whether it is known that these are two people.
    fn differs_from(&self, other: &Self) -> bool {
        let differ = |one: &Option<String>, other: &Option<String>| match (one, other) {
            (Some(one), Some(other)) => Some(one != other),
            _ => None,
        };
        let phones = differ(&self.phone, &other.phone);
        phones
            .or_else(|| differ(&self.lid, &other.lid))
            .unwrap_or(false)
    }
}

impl Found {
    /// Whether they who did it may have: of what was written elsewhere, or by others, nobody
    /// changes anything. In a group administrators take back what others wrote.
    pub(super) fn may_be_changed(&self, target: &Target<'_>, change: Change) -> bool {
        let ours = self.direction == Direction::Outbound;
        let by_writer =
            target.from_me == ours && (target.from_me || !self.wrote.differs_from(&self.did));
        self.is_in(target)
            && match (target.chat.kind(), change) {
                // Of a channel's administrators it is not told which one it was.
                (JidKind::Channel, _) | (JidKind::Group, Change::Revocation) => true,
                _ => by_writer,
            }
    }

    fn is_in(&self, target: &Target<'_>) -> bool {
        // The phone may name somebody in a way that is not known yet to mean them. Others may
        // not: it could be anybody.
        let person = matches!(target.chat.kind(), JidKind::Person | JidKind::Hidden);
        let may_be = person
            && target.from_me
            && (self.peer.phone.is_some() || self.peer.lid.is_some())
            && !self.peer.differs_from(&Names::of(target.chat));
        self.same_chat || may_be
    }
}

impl TenantTx {
    /// The message that is meant, beside what is known of who changed it.
    pub(super) async fn find_target(
        &mut self,
        session: SessionId,
        target: &Target<'_>,
    ) -> StoreResult<Option<Found>> {
        let (phone, lid) = target.writer.map_or((None, None), phone_and_lid);
        let row = sqlx::query!(
            r#"SELECT m.id, m.direction AS "direction: Word<Direction>", EXISTS (
                   SELECT FROM chat t
                   WHERE t.tenant_id = m.tenant_id AND t.session_id = m.session_id
                     AND t.jid = $4 AND coalesce(t.merged_into, t.id) = m.chat_id
               ) AS "same_chat!",
               p.phone AS "peer_phone?", p.lid AS "peer_lid?",
               w.phone AS "wrote_phone?", w.lid AS "wrote_lid?",
               coalesce(d.phone, $5) AS did_phone, coalesce(d.lid, $6) AS did_lid
               FROM message m
               JOIN chat c ON c.tenant_id = m.tenant_id AND c.id = m.chat_id
               LEFT JOIN contact p ON p.tenant_id = c.tenant_id AND p.id = c.contact_id
               LEFT JOIN contact w ON w.tenant_id = m.tenant_id AND w.id = m.sender_contact_id
               LEFT JOIN contact d ON d.tenant_id = m.tenant_id AND d.session_id = m.session_id
                   AND (d.phone = $5 OR d.lid = $6)
               WHERE m.tenant_id = $1 AND m.wa_message_id = $2 AND m.session_id = $3"#,
            self.tenant().id().uuid(),
            target.id.as_str(),
            session.uuid(),
            target.chat.as_str(),
            phone,
            lid,
        )
        .fetch_optional(self.conn())
        .await?;
        Ok(row.map(|row| Found {
            id: row.id.into(),
            direction: row.direction.into(),
            same_chat: row.same_chat,
            peer: Names {
                phone: row.peer_phone,
                lid: row.peer_lid,
            },
            wrote: Names {
                phone: row.wrote_phone,
                lid: row.wrote_lid,
            },
            did: Names {
                phone: row.did_phone,
                lid: row.did_lid,
            },
        }))
    }
}

impl Messages<'_> {
    /// A message by WhatsApp's id; where there is none, there will be none while this lasts.
    pub(super) async fn find_to_change(
        &mut self,
        session: SessionId,
        target: &Target<'_>,
    ) -> StoreResult<Option<Found>> {
        if let Some(found) = self.tx.find_target(session, target).await? {
            return Ok(Some(found));
        }
        self.tx.lock_wa_id(target.id).await?;
        self.tx.find_target(session, target).await
    }
}

#[cfg(test)]
mod tests {
    use mf_domain::{Direction, Jid, WaMessageId};

    use super::{Change, Found, Names, Target};

    const ANN: &str = "15550000002@c.us";
    const BOB: &str = "15550000003@c.us";
    const HIDDEN: &str = "179@lid";
    const GROUP: &str = "120363040000000000@g.us";
    const CHANNEL: &str = "120363040000000001@newsletter";

    fn names(jid: &str) -> Names {
        Jid::parse(jid)
            .map(|jid| Names::of(&jid))
            .unwrap_or_default()
    }

    /// Whether it counts as an edit, and as taking back.
    fn counts(found: &Found, chat: &str, from_me: bool) -> (bool, bool) {
        let (id, chat) = (WaMessageId::new("AA"), Jid::parse(chat).unwrap());
        let target = Target {
            id: &id,
            chat: &chat,
            from_me,
            writer: None,
        };
        (
            found.may_be_changed(&target, Change::Edit),
            found.may_be_changed(&target, Change::Revocation),
        )
    }

    fn found(direction: Direction, same_chat: bool, people: [&str; 3]) -> Found {
        let [peer, wrote, did] = people.map(names);
        Found {
            id: uuid::Uuid::nil().into(),
            direction,
            same_chat,
            peer,
            wrote,
            did,
        }
    }

    #[test]
    fn between_two_people_the_writer_changes_a_message_and_nobody_else() {
        let theirs = found(Direction::Inbound, true, [ANN, "", ""]);
        assert_eq!(counts(&theirs, ANN, false), (true, true));
        assert_eq!(counts(&theirs, ANN, true), (false, false));
        let ours = found(Direction::Outbound, true, [ANN, "", ""]);
        assert_eq!(counts(&ours, ANN, true), (true, true));
        assert_eq!(counts(&ours, ANN, false), (false, false));
    }

    #[test]
    fn from_another_chat_nothing_is_changed() {
        for direction in [Direction::Inbound, Direction::Outbound] {
            let elsewhere = found(direction, false, [ANN, "", ""]);
            for chat in [BOB, GROUP, CHANNEL] {
                for from_me in [true, false] {
                    let counted = counts(&elsewhere, chat, from_me);
                    assert_eq!(counted, (false, false), "{chat} {from_me}");
                }
            }
        }
    }

    #[test]
    fn only_the_own_phone_is_believed_under_a_name_that_nobody_knows_yet() {
        let theirs = found(Direction::Inbound, false, [ANN, "", ""]);
        assert_eq!(counts(&theirs, HIDDEN, false), (false, false));
        let ours = found(Direction::Outbound, false, [ANN, "", ""]);
        assert_eq!(counts(&ours, HIDDEN, true), (true, true));
        let in_group = found(Direction::Outbound, false, ["", "", ""]);
        assert_eq!(counts(&in_group, HIDDEN, true), (false, false));
    }

    #[test]
    fn in_a_group_administrators_take_back_and_only_writers_edit() {
        let of_ann = found(Direction::Inbound, true, ["", ANN, BOB]);
        assert_eq!(counts(&of_ann, GROUP, false), (false, true));
        assert_eq!(counts(&of_ann, GROUP, true), (false, true));
        let by_ann = found(Direction::Inbound, true, ["", ANN, ANN]);
        assert_eq!(counts(&by_ann, GROUP, false), (true, true));
        let perhaps_ann = found(Direction::Inbound, true, ["", ANN, HIDDEN]);
        assert_eq!(counts(&perhaps_ann, GROUP, false), (true, true));
        let ours = found(Direction::Outbound, true, ["", "", BOB]);
        assert_eq!(counts(&ours, GROUP, false), (false, true));
        assert_eq!(counts(&ours, GROUP, true), (true, true));
    }

    #[test]
    fn in_a_channel_any_administrator_changes_what_is_there() {
        let of_channel = found(Direction::Inbound, true, ["", "", ""]);
        assert_eq!(counts(&of_channel, CHANNEL, true), (true, true));
        assert_eq!(counts(&of_channel, CHANNEL, false), (true, true));
    }
}
