//! Reports about a message that come before it, and what is left of what was taken back.

use chrono::{DateTime, TimeDelta, Utc};
use mf_domain::{Direction, Jid, MessageId, MessageKind, MessageStatus, SessionId, WaMessageId};
use mf_store::{ChatPeer, Claim, NewInbound, Outcome, Stored, Target, Tenant, TenantTx};
use serde_json::json;

use crate::support::{Accept, World, claim, fresh, jid};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

/// A world with a session, and a message of WhatsApp's id `AA01` to be told of.
struct Scene {
    world: World,
    tenant: Tenant,
    session: SessionId,
    wa: WaMessageId,
    chat: Jid,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let tenant = world.tenant().await;
        let session = world.session(tenant).await;
        let wa = WaMessageId::new("AA01");
        Self {
            world,
            tenant,
            session,
            wa,
            chat: jid("15550000002"),
        }
    }

    /// The message, as its writer changes it.
    fn theirs(&self) -> Target<'_> {
        self.by(&self.chat, false)
    }

    /// The message, as somebody changes it there.
    fn by<'a>(&'a self, chat: &'a Jid, from_me: bool) -> Target<'a> {
        Target {
            id: &self.wa,
            chat,
            from_me,
            writer: None,
        }
    }

    async fn tx(&self) -> TenantTx {
        self.world.store.begin(self.tenant).await.unwrap()
    }

    async fn ack(&self, status: MessageStatus, when: i64) {
        let mut tx = self.tx().await;
        let unknown = tx
            .messages()
            .advance(self.session, &self.wa, status, at(when), None);
        assert!(unknown.await.unwrap().is_none());
        tx.commit().await.unwrap();
    }

    async fn told(&self, direction: Direction, text: &str, keep_content: bool) -> Stored {
        let (peer, extra) = (&self.chat, json!({ "place": "here" }));
        let new = NewInbound {
            id: fresh(),
            session_id: self.session,
            peer: ChatPeer {
                jid: peer,
                push_name: None,
            },
            new_chat_id: fresh(),
            new_contact_id: fresh(),
            wa_message_id: &self.wa,
            direction,
            kind: MessageKind::Text,
            content: Some(text),
            keep_content,
            extra: Some(&extra),
            media: Some(&extra),
            status: MessageStatus::Sent,
            error: None,
            sender: None,
            sender_phone: None,
            sender_name: None,
            reply_to: None,
            sent_at: at(1),
            quiet: false,
        };
        let mut tx = self.tx().await;
        let stored = tx.messages().take_in(&new).await.unwrap();
        tx.commit().await.unwrap();
        stored
    }

    /// One of ours whose id the engine will choose, about to be sent.
    async fn sending(&self, text: &str) -> (MessageId, Claim) {
        let held = claim();
        let how = Accept {
            text,
            claim: Some(held),
            ..Accept::default()
        };
        let (id, _) = self.world.accept(self.tenant, self.session, how).await;
        (id, held)
    }

    async fn finish(&self, id: MessageId, held: Claim) -> Option<mf_store::Advance> {
        let sent = Outcome::Sent {
            wa_message_id: Some(self.wa.clone()),
            status: MessageStatus::Sent,
            at: at(5),
        };
        let mut tx = self.tx().await;
        let finished = tx.outbox().finish(id, held, &sent).await.unwrap();
        tx.commit().await.unwrap();
        finished
    }

    async fn marks(&self) -> i64 {
        self.world.count("SELECT count(*) FROM message_mark").await
    }
}

#[tokio::test]
async fn acks_that_come_before_the_answer_count_once_it_is_there() {
    let scene = Scene::new().await;
    let (id, held) = scene.sending("hello").await;
    scene.ack(MessageStatus::Read, 9).await;
    scene.ack(MessageStatus::Delivered, 7).await;
    assert_eq!(scene.marks().await, 1);
    let finished = scene.finish(id, held).await.expect("it is news");
    assert_eq!(finished.message.status, MessageStatus::Read);
    assert!(finished.overtook_sent, "nobody was told that it was sent");
    let message = finished.message;
    assert_eq!(message.sent_at, Some(at(5)));
    assert_eq!(message.delivered_at, Some(at(7)));
    assert_eq!(message.read_at, Some(at(9)));
    assert_eq!(scene.marks().await, 0);
}

#[tokio::test]
async fn acks_that_come_before_the_report_of_a_message_count_with_it() {
    let scene = Scene::new().await;
    let (id, _) = scene.sending("hello").await;
    scene.ack(MessageStatus::Delivered, 7).await;
    let stored = scene.told(Direction::Outbound, "hello", true).await;
    let Stored::Known(Some(advance)) = stored else {
        panic!("it moved on: {stored:?}");
    };
    assert_eq!(advance.message.id, id);
    assert_eq!(advance.message.status, MessageStatus::Delivered);
    assert!(advance.overtook_sent);
    // Once more is no news.
    let again = scene.told(Direction::Outbound, "hello", true).await;
    assert!(matches!(again, Stored::Known(None)), "{again:?}");
}

#[tokio::test]
async fn acks_of_what_was_written_on_the_phone_may_come_first() {
    let scene = Scene::new().await;
    scene.ack(MessageStatus::Read, 9).await;
    let Stored::New(message) = scene.told(Direction::Outbound, "hello", true).await else {
        panic!("it is new");
    };
    assert_eq!(message.status, MessageStatus::Read);
    assert_eq!(message.read_at, Some(at(9)));
    assert_eq!(message.sent_at, Some(at(1)));
}

/// What others wrote is not ours to be delivered.
#[tokio::test]
async fn an_ack_of_what_others_wrote_changes_nothing() {
    let scene = Scene::new().await;
    scene.ack(MessageStatus::Read, 9).await;
    let Stored::New(message) = scene.told(Direction::Inbound, "hello", true).await else {
        panic!("it is new");
    };
    assert_eq!(message.status, MessageStatus::Sent);
    scene.ack(MessageStatus::Read, 9).await;
    let message = scene.world.message(scene.tenant, message.id).await;
    assert_eq!(
        (message.status, message.read_at),
        (MessageStatus::Sent, None)
    );
    assert_eq!(scene.marks().await, 0);
}

/// WhatsApp counts seconds, and clients have been told.
#[tokio::test]
async fn the_report_of_a_message_does_not_change_when_it_was_sent() {
    let scene = Scene::new().await;
    let (id, held) = scene.sending("hello").await;
    let sent = scene.finish(id, held).await.expect("it is news").message;
    assert_eq!(sent.sent_at, Some(at(5)));
    scene.told(Direction::Outbound, "hello", true).await;
    let message = scene.world.message(scene.tenant, id).await;
    assert_eq!(message.sent_at, Some(at(5)));
}

#[tokio::test]
async fn nothing_is_sent_before_it_is_accepted() {
    let scene = Scene::new().await;
    let (id, _) = scene.sending("hello").await;
    // By WhatsApp's word it was long ago.
    scene.told(Direction::Outbound, "hello", true).await;
    let message = scene.world.message(scene.tenant, id).await;
    assert_eq!(message.sent_at, Some(message.created_at));
}

/// On the phone it may be read before we are told of it.
#[tokio::test]
async fn what_was_read_before_it_came_is_read() {
    let scene = Scene::new().await;
    let mut tx = scene.tx().await;
    let read = tx.messages().read_here(scene.session, &scene.wa, at(9));
    assert!(!read.await.unwrap());
    tx.commit().await.unwrap();
    scene.told(Direction::Inbound, "hello", true).await;
    let unread = "SELECT sum(unread_count)::bigint FROM chat";
    assert_eq!(scene.world.count(unread).await, 0);
    assert_eq!(scene.marks().await, 0);
    let mut tx = scene.tx().await;
    let read = tx.messages().read_here(scene.session, &scene.wa, at(9));
    assert!(!read.await.unwrap(), "it is no news");
}

#[tokio::test]
async fn an_edit_to_the_same_words_is_no_news_and_outdates_older_ones() {
    let scene = Scene::new().await;
    scene.told(Direction::Inbound, "first", true).await;
    let theirs = scene.theirs();
    let mut tx = scene.tx().await;
    for (text, when, counts) in [("new", 5, true), ("new", 9, false), ("old", 7, false)] {
        let edit = tx.messages().edit(scene.session, &theirs, text, at(when));
        assert_eq!(edit.await.unwrap().is_some(), counts, "{text} {when}");
    }
}

#[tokio::test]
async fn the_same_reaction_once_more_is_no_news_and_outdates_older_ones() {
    let scene = Scene::new().await;
    let mut tx = scene.tx().await;
    for (emoji, when, counts) in [
        ("👍", 5, true),
        ("👍", 9, false),
        ("🎉", 7, false),
        ("", 10, true),
        ("", 11, false),
    ] {
        let put = tx
            .reactions()
            .put(scene.session, &scene.wa, None, emoji, at(when));
        assert_eq!(put.await.unwrap(), counts, "{emoji} {when}");
    }
}

#[tokio::test]
async fn a_message_that_was_taken_back_before_it_came_says_nothing() {
    let scene = Scene::new().await;
    let theirs = scene.theirs();
    let mut tx = scene.tx().await;
    let edit = tx.messages().edit(scene.session, &theirs, "changed", at(2));
    assert!(edit.await.unwrap().is_none());
    let revoke = tx.messages().revoke(scene.session, &theirs, at(3));
    assert!(revoke.await.unwrap().is_none());
    tx.commit().await.unwrap();
    let Stored::New(message) = scene.told(Direction::Inbound, "secret", true).await else {
        panic!("it is new");
    };
    assert_eq!(message.revoked_at, Some(at(3)));
    assert_eq!((message.content, message.content_preview), (None, None));
    assert_eq!((message.extra, message.media), (None, None));
    let shown = "SELECT count(*) FROM chat WHERE last_message_preview IS NOT NULL";
    assert_eq!(scene.world.count(shown).await, 0);
}

#[tokio::test]
async fn a_message_is_changed_by_the_newest_change_and_taken_back_once() {
    let scene = Scene::new().await;
    scene.told(Direction::Inbound, "first", true).await;
    let theirs = scene.theirs();
    let mut tx = scene.tx().await;
    for (text, when, counts) in [
        ("third", 9, true),
        ("second", 8, false),
        ("third", 9, false),
    ] {
        let edit = tx.messages().edit(scene.session, &theirs, text, at(when));
        let edited = edit.await.unwrap();
        assert_eq!(edited.is_some(), counts, "{text}");
    }
    let chat = tx.chats().list(None, None, 1, 0).await.unwrap();
    assert_eq!(chat[0].last_message_preview.as_deref(), Some("third"));
    let revoke = tx.messages().revoke(scene.session, &theirs, at(12));
    assert_eq!(revoke.await.unwrap().unwrap().content, None);
    let again = tx.messages().revoke(scene.session, &theirs, at(12));
    assert!(again.await.unwrap().is_none());
    let edit = tx.messages().edit(scene.session, &theirs, "fourth", at(20));
    assert!(edit.await.unwrap().is_none());
    let chat = tx.chats().list(None, None, 1, 0).await.unwrap();
    assert_eq!(chat[0].last_message_preview, None);
    assert_eq!(chat[0].message_count, 1);
}

#[tokio::test]
async fn of_a_text_that_is_not_to_be_kept_only_the_beginning_is() {
    let scene = Scene::new().await;
    let text = "x".repeat(600);
    let Stored::New(message) = scene.told(Direction::Inbound, &text, false).await else {
        panic!("it is new");
    };
    assert_eq!(message.content, None);
    assert_eq!(message.content_preview.map(|text| text.len()), Some(500));
    let theirs = scene.theirs();
    let mut tx = scene.tx().await;
    let edit = tx.messages().edit(scene.session, &theirs, "new", at(2));
    let edited = edit.await.unwrap().unwrap();
    assert_eq!(edited.content, None);
    assert_eq!(edited.content_preview.as_deref(), Some("new"));
}

/// It has to be there until it is sent.
#[tokio::test]
async fn what_we_send_keeps_its_text_until_it_has_left() {
    let scene = Scene::new().await;
    let held = claim();
    let how = Accept {
        claim: Some(held),
        keep_content: false,
        ..Accept::default()
    };
    let (id, _) = scene.world.accept(scene.tenant, scene.session, how).await;
    let message = scene.world.message(scene.tenant, id).await;
    assert_eq!(message.content.as_deref(), Some("hello"));
    let finished = scene.finish(id, held).await.unwrap().message;
    assert_eq!(finished.content, None);
    assert_eq!(finished.content_preview.as_deref(), Some("hello"));
}

#[tokio::test]
async fn not_knowing_does_not_outweigh_what_an_ack_said() {
    let scene = Scene::new().await;
    let held = claim();
    let how = Accept {
        wa_message_id: Some("AA01"),
        claim: Some(held),
        ..Accept::default()
    };
    let (id, _) = scene.world.accept(scene.tenant, scene.session, how).await;
    let mut tx = scene.tx().await;
    let sent = MessageStatus::Sent;
    let advance = tx
        .messages()
        .advance(scene.session, &scene.wa, sent, at(5), None);
    assert!(advance.await.unwrap().is_some());
    let finished = tx.outbox().finish(id, held, &Outcome::Unknown).await;
    assert!(finished.unwrap().is_none());
    tx.commit().await.unwrap();
    let message = scene.world.message(scene.tenant, id).await;
    assert_eq!((message.status, message.error), (sent, None));
}

/// The ack and the answer at the same moment: whichever is first, the ack is not lost.
#[tokio::test]
async fn an_ack_and_the_answer_at_once_never_miss_each_other() {
    let scene = Scene::new().await;
    for number in 0..20 {
        let (id, held) = scene.sending("hello").await;
        let wa = WaMessageId::new(format!("BB{number}"));
        let sent = Outcome::Sent {
            wa_message_id: Some(wa.clone()),
            status: MessageStatus::Sent,
            at: at(5),
        };
        let ack = async {
            let mut tx = scene.tx().await;
            let read = MessageStatus::Read;
            let advance = tx.messages().advance(scene.session, &wa, read, at(9), None);
            advance.await.unwrap();
            tx.commit().await.unwrap();
        };
        let finish = async {
            let mut tx = scene.tx().await;
            tx.outbox().finish(id, held, &sent).await.unwrap();
            tx.commit().await.unwrap();
        };
        mf_test_support::soon(Box::pin(async { tokio::join!(ack, finish) })).await;
        let message = scene.world.message(scene.tenant, id).await;
        assert_eq!(message.status, MessageStatus::Read);
        assert_eq!(scene.marks().await, 0);
    }
}

/// Whoever knows a message's id is not somebody who may change it.
#[tokio::test]
async fn nobody_changes_a_message_from_another_chat_or_in_somebody_elses_place() {
    let scene = Scene::new().await;
    scene.told(Direction::Inbound, "hello", true).await;
    let stranger = jid("15550000009");
    let theirs = scene.theirs();
    let mut tx = scene.tx().await;
    for target in [
        scene.by(&stranger, false),
        scene.by(&stranger, true),
        scene.by(&scene.chat, true),
    ] {
        let edit = tx
            .messages()
            .edit(scene.session, &target, "rewritten", at(5));
        assert!(edit.await.unwrap().is_none(), "{target:?}");
        let revoke = tx.messages().revoke(scene.session, &target, at(6));
        assert!(revoke.await.unwrap().is_none(), "{target:?}");
    }
    let edit = tx
        .messages()
        .edit(scene.session, &theirs, "corrected", at(3));
    let edited = edit.await.unwrap().expect("it is theirs");
    assert_eq!(edited.content.as_deref(), Some("corrected"));
    tx.commit().await.unwrap();
    assert_eq!(scene.marks().await, 0, "nothing waits for another message");
}

#[tokio::test]
async fn a_change_that_came_before_its_message_counts_only_if_it_is_its_writers() {
    let scene = Scene::new().await;
    let stranger = jid("15550000009");
    let mut tx = scene.tx().await;
    for (target, text, when) in [
        (scene.theirs(), "corrected", 3),
        (scene.by(&stranger, false), "rewritten", 5),
        (scene.by(&scene.chat, true), "rewritten", 6),
    ] {
        let edit = tx.messages().edit(scene.session, &target, text, at(when));
        assert!(edit.await.unwrap().is_none());
    }
    let target = scene.by(&stranger, false);
    let revoke = tx.messages().revoke(scene.session, &target, at(7));
    assert!(revoke.await.unwrap().is_none());
    tx.commit().await.unwrap();
    let Stored::New(message) = scene.told(Direction::Inbound, "hello", true).await else {
        panic!("it is new");
    };
    assert_eq!(message.content.as_deref(), Some("corrected"));
    assert_eq!(message.edited_at, Some(at(3)));
    assert_eq!(message.revoked_at, None);
    assert_eq!(scene.marks().await, 0);
}

#[tokio::test]
async fn a_person_under_their_other_name_is_the_same_writer() {
    let scene = Scene::new().await;
    scene.told(Direction::Inbound, "hello", true).await;
    let hidden = Jid::parse("179242000000001@lid").unwrap();
    let mut tx = scene.tx().await;
    let target = scene.by(&hidden, false);
    let edit = tx.messages().edit(scene.session, &target, "new", at(5));
    assert!(edit.await.unwrap().is_none(), "that could be anybody");
    let learned = tx
        .contacts()
        .learn(scene.session, scene.chat.user(), hidden.user());
    assert!(learned.await.unwrap().changed);
    let edit = tx.messages().edit(scene.session, &target, "new", at(5));
    assert!(edit.await.unwrap().is_some());
}

/// What is written on the phone is in the chat although something alike was not sent.
#[tokio::test]
async fn a_message_from_the_phone_is_not_taken_for_one_that_failed_for_certain() {
    let scene = Scene::new().await;
    let (failed, held) = scene.sending("hello").await;
    let outcome = Outcome::Failed {
        error: "refused".to_owned(),
    };
    let mut tx = scene.tx().await;
    let finished = tx.outbox().finish(failed, held, &outcome).await.unwrap();
    assert!(finished.is_some());
    tx.commit().await.unwrap();
    // Tried in vain, and not at present.
    let (waiting, held) = scene.sending("hello").await;
    let mut tx = scene.tx().await;
    let delay = std::time::Duration::from_mins(1);
    assert!(
        tx.outbox()
            .release(waiting, held, false, delay)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    let stored = scene.told(Direction::Outbound, "hello", true).await;
    let Stored::New(message) = stored else {
        panic!("nobody sent it here: {stored:?}");
    };
    assert!(message.id != failed && message.id != waiting);
    let failed = scene.world.message(scene.tenant, failed).await;
    assert_eq!(failed.status, MessageStatus::Failed);
}

#[tokio::test]
async fn a_message_that_may_have_been_sent_is_known_again() {
    let scene = Scene::new().await;
    let (id, held) = scene.sending("hello").await;
    let mut tx = scene.tx().await;
    let finished = tx.outbox().finish(id, held, &Outcome::Unknown).await;
    assert!(finished.unwrap().is_some());
    tx.commit().await.unwrap();
    let stored = scene.told(Direction::Outbound, "hello", true).await;
    let Stored::Known(Some(advance)) = stored else {
        panic!("it was sent after all: {stored:?}");
    };
    assert_eq!(advance.message.id, id);
    assert_eq!(advance.message.status, MessageStatus::Sent);
}

/// Clients have been told.
#[tokio::test]
async fn an_ack_does_not_change_when_a_message_of_ours_was_sent() {
    let scene = Scene::new().await;
    let (id, held) = scene.sending("hello").await;
    scene.finish(id, held).await.expect("it is news");
    let mut tx = scene.tx().await;
    let (read, when) = (MessageStatus::Read, at(2));
    let advance = tx
        .messages()
        .advance(scene.session, &scene.wa, read, when, None);
    let message = advance.await.unwrap().expect("it is news").message;
    assert_eq!(message.sent_at, Some(at(5)));
    assert_eq!(message.read_at, Some(at(2)));
}

#[tokio::test]
async fn of_our_own_reactions_the_last_one_made_here_stands() {
    let scene = Scene::new().await;
    let millis = |millis: i64| DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis);
    let mut tx = scene.tx().await;
    // The engine's word of the first comes between, or last, and its clock is ahead.
    for (own, emoji, when, counts) in [
        (true, "👍", 10_200, true),
        (false, "👍", 10_999, false),
        (true, "🎉", 10_300, true),
        (false, "👍", 10_999, false),
        (true, "", 10_400, true),
        (false, "🎉", 10_999, false),
        (false, "👍", 11_000, true),
    ] {
        let put = if own {
            tx.reactions()
                .put_own(scene.session, &scene.wa, emoji, millis(when))
                .await
        } else {
            tx.reactions()
                .put(scene.session, &scene.wa, None, emoji, millis(when))
                .await
        };
        assert_eq!(put.unwrap(), counts, "{own} {emoji} {when}");
    }
}
