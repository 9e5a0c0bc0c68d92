//! A person has a number and a hidden id, one chat, and nobody else's messages in it.

use chrono::{DateTime, TimeDelta};
use mf_domain::{ChatId, Direction, Jid, MessageKind, MessageStatus, SessionId, WaMessageId};
use mf_store::{ChatPeer, ChatRef, ChatRow, Learned, Message, NewInbound, Stored, Tenant};

use crate::{
    dice::Dice,
    support::{Accept, World, fresh},
};

fn phone(person: usize) -> String {
    format!("1555000020{person}")
}

fn lid(person: usize) -> String {
    format!("17924200000020{person}")
}

fn by_phone(person: usize) -> String {
    format!("{}@c.us", phone(person))
}

fn by_lid(person: usize) -> String {
    format!("{}@lid", lid(person))
}

struct Met {
    world: World,
    tenant: Tenant,
    session: SessionId,
}

impl Met {
    async fn nobody() -> Self {
        let world = World::new().await;
        let tenant = world.tenant().await;
        let session = world.session(tenant).await;
        Self {
            world,
            tenant,
            session,
        }
    }

    /// They write, under this name, the message of this number.
    async fn writes(&self, from: &str, number: usize) -> Message {
        self.writes_in(from, None, number).await
    }

    async fn writes_in(&self, chat: &str, sender: Option<&str>, number: usize) -> Message {
        let (wa, chat) = (self.wa(number), Jid::parse(chat).unwrap());
        let sender = sender.map(|jid| Jid::parse(jid).unwrap());
        let text = format!("message {number}");
        let new = NewInbound {
            id: fresh(),
            session_id: self.session,
            peer: ChatPeer {
                jid: &chat,
                push_name: None,
            },
            new_chat_id: fresh(),
            new_contact_id: fresh(),
            wa_message_id: &wa,
            direction: Direction::Inbound,
            kind: MessageKind::Text,
            content: Some(&text),
            keep_content: true,
            extra: None,
            media: None,
            status: MessageStatus::Delivered,
            error: None,
            sender: sender.as_ref(),
            sender_phone: None,
            sender_name: None,
            reply_to: None,
            sent_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::try_from(number).unwrap()),
            quiet: false,
        };
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        let stored = tx.messages().take_in(&new).await.unwrap();
        tx.commit().await.unwrap();
        match stored {
            Stored::New(message) => *message,
            Stored::Known(_) | Stored::Arrived(_) => panic!("{number} is there twice"),
        }
    }

    #[allow(clippy::unused_self, reason = "reads like a sentence where it is used")]
    fn wa(&self, number: usize) -> WaMessageId {
        WaMessageId::new(format!("3EB0{number:06}"))
    }

    async fn learn(&self, phone: &str, lid: &str) -> Learned {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        let learned = tx.contacts().learn(self.session, phone, lid).await.unwrap();
        tx.commit().await.unwrap();
        learned
    }

    async fn list(&self) -> Vec<ChatRow> {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        let list = tx.chats().list(Some(self.session), None, 100, 0);
        list.await.unwrap()
    }

    async fn find(&self, jid: &str) -> Option<ChatRow> {
        let jid = Jid::parse(jid).unwrap();
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        let chat = ChatRef::Jid {
            session: Some(self.session),
            jid: &jid,
        };
        tx.chats().find(chat).await.unwrap()
    }

    async fn find_id(&self, id: ChatId) -> Option<ChatRow> {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        tx.chats().find(ChatRef::Id(id)).await.unwrap()
    }
}

#[tokio::test]
async fn two_chats_of_one_person_become_one() {
    let met = Met::nobody().await;
    let old = met.writes(&by_lid(1), 1).await;
    let other = met.writes(&by_phone(1), 2).await;
    met.writes(&by_lid(1), 3).await;
    assert_ne!(old.chat_id, other.chat_id);
    assert_eq!((old.sender_phone, old.sender_lid), (None, Some(lid(1))));

    let learned = met.learn(&phone(1), &lid(1)).await;
    assert!(learned.merged && learned.changed && !learned.conflict);
    let list = met.list().await;
    assert_eq!(list.len(), 1, "{list:?}");
    let chat = &list[0];
    assert_eq!((chat.id, &chat.jid), (other.chat_id, &by_phone(1)));
    assert_eq!((chat.message_count, chat.unread_count), (3, 3));
    assert_eq!(chat.last_message_preview.as_deref(), Some("message 3"));
    assert_eq!(chat.phone.as_deref(), Some(phone(1).as_str()));
    assert_eq!(chat.lid.as_deref(), Some(lid(1).as_str()));
    // What was written under the hidden id has a number now.
    let old = met.world.message(met.tenant, old.id).await;
    assert_eq!(old.chat_id, other.chat_id);
    assert_eq!(old.sender_phone, Some(phone(1)));
    // The old id leads there, as does either name, and what comes later.
    assert_eq!(met.find(&by_lid(1)).await.unwrap().id, chat.id);
    assert_eq!(met.writes(&by_lid(1), 4).await.chat_id, chat.id);
    // Again is cheap, and no news.
    let again = met.learn(&phone(1), &lid(1)).await;
    assert!(!again.changed && !again.merged && !again.conflict);
    assert_eq!(again.contact_id, learned.contact_id);
}

#[tokio::test]
async fn a_chat_by_hidden_id_becomes_the_one_by_number() {
    let met = Met::nobody().await;
    let old = met.writes(&by_lid(1), 1).await;
    assert!(!met.learn(&phone(1), &lid(1)).await.merged);
    let chat = met.find_id(old.chat_id).await.unwrap();
    assert_eq!((chat.id, chat.jid), (old.chat_id, by_phone(1)));
    for name in [by_lid(1), by_phone(1)] {
        assert_eq!(met.find(&name).await.unwrap().id, old.chat_id);
        let (id, _) = met.accept_to(&name).await;
        assert_eq!(met.world.message(met.tenant, id).await.chat_id, old.chat_id);
    }
    assert_eq!(met.list().await.len(), 1);
}

#[tokio::test]
async fn an_id_of_a_chat_that_was_joined_leads_to_what_it_was_joined_with() {
    let met = Met::nobody().await;
    let hidden = met.writes(&by_lid(1), 1).await.chat_id;
    let kept = met.writes(&by_phone(1), 2).await.chat_id;
    met.learn(&phone(1), &lid(1)).await;
    assert_eq!(met.find_id(hidden).await.unwrap().id, kept);
    let mut tx = met.world.store.begin(met.tenant).await.unwrap();
    let jid = tx.messages().chat_jid(met.session, hidden).await.unwrap();
    assert_eq!(jid, Some(by_phone(1)));
    let page = mf_store::PageSpec {
        limit: 10,
        ..mf_store::PageSpec::default()
    };
    let (messages, total) = tx.messages().page(hidden, &page).await.unwrap();
    assert_eq!((messages.len(), total), (2, 2));
    let read = DateTime::UNIX_EPOCH + TimeDelta::seconds(1);
    assert!(tx.chats().mark_read(hidden, read).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(met.find_id(kept).await.unwrap().unread_count, 1);
}

impl Met {
    async fn accept_to(&self, jid: &str) -> (mf_domain::MessageId, bool) {
        let how = Accept {
            jid: Some(jid),
            ..Accept::default()
        };
        self.world.accept(self.tenant, self.session, how).await
    }
}

#[tokio::test]
async fn what_contradicts_what_is_known_changes_nothing() {
    let met = Met::nobody().await;
    for (number, person) in [1, 2].into_iter().enumerate() {
        met.writes(&by_lid(person), number * 2 + 1).await;
        met.writes(&by_phone(person), number * 2 + 2).await;
        met.learn(&phone(person), &lid(person)).await;
    }
    met.writes(&by_phone(3), 9).await;
    for (phone, lid) in [
        (phone(1), lid(2)),
        (phone(2), lid(1)),
        (phone(1), lid(4)),
        (phone(3), lid(1)),
        (phone(4), lid(2)),
    ] {
        let learned = met.learn(&phone, &lid).await;
        assert!(learned.conflict && !learned.changed && !learned.merged);
    }
    assert_eq!(met.list().await.len(), 3);
    assert_eq!(met.find(&by_lid(1)).await.unwrap().jid, by_phone(1));
    assert_eq!(met.find(&by_lid(2)).await.unwrap().jid, by_phone(2));
    assert_eq!(met.find(&by_phone(3)).await.unwrap().lid, None);
}

#[tokio::test]
async fn who_wrote_in_a_group_is_known_by_number_as_soon_as_it_is_known() {
    let met = Met::nobody().await;
    let group = "120363040000000000@g.us";
    let message = met.writes_in(group, Some(&by_lid(1)), 1).await;
    assert_eq!(message.sender_phone, None);
    assert_eq!(message.sender_lid, Some(lid(1)));
    met.writes_in(group, Some(&by_phone(1)), 2).await;
    met.learn(&phone(1), &lid(1)).await;
    let message = met.world.message(met.tenant, message.id).await;
    assert_eq!(message.sender_phone, Some(phone(1)));
    assert_eq!(message.sender_lid, Some(lid(1)));
    assert_eq!(met.world.count("SELECT count(*) FROM contact").await, 1);
    // They have no chat until they write to one.
    assert_eq!(met.list().await.len(), 1);
    let direct = met.writes(&by_lid(1), 3).await;
    assert_eq!(direct.wa_chat_id, by_phone(1));
}

#[tokio::test]
async fn nobody_reacts_or_votes_twice_under_two_names() {
    let met = Met::nobody().await;
    let message = met.writes(&by_phone(2), 1).await;
    let (wa, at) = (met.wa(1), DateTime::UNIX_EPOCH);
    let names = [by_lid(1), by_phone(1)].map(|jid| Jid::parse(&jid).unwrap());
    let mut tx = met.world.store.begin(met.tenant).await.unwrap();
    for (jid, (emoji, seconds)) in names.iter().zip([("🦀", 2), ("👍", 1)]) {
        let at = at + TimeDelta::seconds(seconds);
        let put = tx.reactions();
        let put = put.put(met.session, &wa, Some(jid), emoji, at);
        assert!(put.await.unwrap());
        let options = [emoji.to_owned()];
        let vote = tx.polls();
        let vote = vote.vote(met.session, &wa, Some(jid), &options, at);
        assert!(vote.await.unwrap());
    }
    tx.commit().await.unwrap();
    let count = |message: &Message| {
        message
            .reactions
            .as_ref()
            .unwrap()
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count(&met.world.message(met.tenant, message.id).await), 2);
    met.learn(&phone(1), &lid(1)).await;
    let message = met.world.message(met.tenant, message.id).await;
    assert_eq!(count(&message), 1);
    let reaction = &message.reactions.unwrap()[0];
    assert_eq!(reaction["emoji"], "🦀");
    assert_eq!(reaction["sender"], phone(1));
    let mut tx = met.world.store.begin(met.tenant).await.unwrap();
    let votes = tx.polls().results(met.session, &wa).await.unwrap();
    assert_eq!(votes.len(), 1);
    assert_eq!(votes[0].options, ["🦀"]);
}

/// Whatever comes in whatever order, and also where somebody says what cannot be.
#[tokio::test]
async fn no_message_is_ever_in_another_persons_chat() {
    let mut met = Met::nobody().await;
    for seed in 0..12 {
        let mut dice = Dice::new(seed);
        met.session = met.world.session(met.tenant).await;
        let mut writers = Vec::new();
        let mut learnt = [false; 4];
        for number in 0..40 {
            let person = dice.below(4);
            match dice.below(8) {
                0..=2 => writers.push((met.writes(&by_phone(person), number).await.id, person)),
                3..=5 => writers.push((met.writes(&by_lid(person), number).await.id, person)),
                6 => {
                    assert!(!met.learn(&phone(person), &lid(person)).await.conflict);
                    learnt[person] = true;
                }
                // Only one of the two need be known to be somebody else's.
                _ => {
                    let other = (person + 1) % 4;
                    if learnt[person] || learnt[other] {
                        let learned = met.learn(&phone(person), &lid(other)).await;
                        assert!(learned.conflict, "seed {seed}");
                    }
                }
            }
        }
        for (person, learnt) in learnt.iter().enumerate() {
            if !learnt {
                met.learn(&phone(person), &lid(person)).await;
            }
        }
        let mut written = [0; 4];
        for (id, person) in writers {
            let message = met.world.message(met.tenant, id).await;
            assert_eq!(message.wa_chat_id, by_phone(person), "seed {seed}");
            assert_eq!(message.contact_phone, Some(phone(person)), "seed {seed}");
            assert_eq!(message.contact_lid, Some(lid(person)), "seed {seed}");
            written[person] += 1;
        }
        let chats = met.list().await;
        for (person, written) in written.iter().enumerate() {
            let theirs = |chat: &&ChatRow| chat.phone == Some(phone(person));
            let theirs: Vec<_> = chats.iter().filter(theirs).collect();
            assert_eq!(theirs.len(), usize::from(*written > 0), "seed {seed}");
            let counted: i64 = theirs.iter().map(|chat| chat.message_count).sum();
            assert_eq!(counted, *written, "seed {seed}");
        }
        let people = met.world.count("SELECT count(*) FROM contact").await;
        assert_eq!(u64::try_from(people).unwrap(), 4 * (seed + 1));
    }
}

/// People write while their numbers become known: nobody waits for ever, and nothing is lost.
#[tokio::test]
async fn messages_and_numbers_that_come_at_once_end_in_one_chat() {
    let met = Met::nobody().await;
    for person in 0..5 {
        let first = person * 10;
        let (hidden, number) = (by_lid(person), by_phone(person));
        let (phone, lid) = (phone(person), lid(person));
        let all = async {
            tokio::join!(
                met.writes(&hidden, first),
                met.learn(&phone, &lid),
                met.writes(&number, first + 1),
                met.writes(&hidden, first + 2),
            )
        };
        mf_test_support::soon(Box::pin(all)).await;
        let chat = met.find(&hidden).await.unwrap();
        assert_eq!((chat.message_count, chat.unread_count), (3, 3));
        assert_eq!(met.list().await.len(), person + 1);
    }
}

#[tokio::test]
async fn numbers_are_asked_for_once_a_day_and_only_where_somebody_answers() {
    let met = Met::nobody().await;
    met.writes(&by_lid(1), 1).await;
    met.writes(&by_phone(2), 2).await;
    let unresolved = async || {
        let mut tx = met.world.store.system("a test is a worker").await.unwrap();
        tx.unresolved_contacts(10).await.unwrap()
    };
    let found = unresolved().await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].lid, lid(1));
    let mut tx = met.world.store.begin(found[0].tenant).await.unwrap();
    tx.contacts().asked(found[0].contact_id).await.unwrap();
    tx.commit().await.unwrap();
    assert!(unresolved().await.is_empty());
    let yesterday = "UPDATE contact SET lid_asked_at = lid_asked_at - interval '25 hours'";
    let rows = met.world.database.rows();
    sqlx::query(yesterday).execute(rows).await.unwrap();
    assert_eq!(unresolved().await.len(), 1);
    let stopped = mf_domain::SessionStatus::Stopped;
    met.world.set_status(met.tenant, met.session, stopped).await;
    assert!(unresolved().await.is_empty());
}
