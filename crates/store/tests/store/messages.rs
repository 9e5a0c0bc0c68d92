//! How far a message has come, and whose report of it counts.

use chrono::{DateTime, TimeDelta, Utc};
use mf_domain::{Direction, MessageKind, MessageStatus, SessionId, WaMessageId};
use mf_store::{ChatPeer, Message, NewInbound, Outcome, Stored, Tenant};

use serde_json::json;

use crate::support::{Accept, World, claim, fresh, jid};

const REPORTS: [MessageStatus; 5] = [
    MessageStatus::Sent,
    MessageStatus::Delivered,
    MessageStatus::Read,
    MessageStatus::Played,
    MessageStatus::Failed,
];

/// Every order of every selection of the reports, some 300 of them.
fn orders() -> Vec<Vec<MessageStatus>> {
    let mut orders = vec![Vec::new()];
    let mut begun = 0;
    while let Some(order) = orders.get(begun).cloned() {
        begun += 1;
        let further = REPORTS.into_iter().filter(|report| !order.contains(report));
        let further: Vec<Vec<MessageStatus>> = further
            .map(|report| [order.as_slice(), &[report]].concat())
            .collect();
        orders.extend(further);
    }
    orders
}

#[tokio::test]
async fn in_whatever_order_acks_come_a_status_never_goes_backwards() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let start = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    let orders = orders();
    assert_eq!(orders.len(), 326);
    let mut tx = world.store.begin(tenant).await.unwrap();
    for (number, order) in orders.iter().enumerate() {
        let wa = WaMessageId::new(format!("3EB0{number:04}"));
        let peer = jid("15550000002");
        let new = new_message(&wa, session, &peer, Direction::Outbound, "hi", start);
        let pending = NewInbound {
            status: MessageStatus::Pending,
            ..new
        };
        let Stored::New(mut message) = tx.messages().take_in(&pending).await.unwrap() else {
            panic!("{wa:?} is not new");
        };
        for (step, report) in order.iter().enumerate() {
            let at = start + TimeDelta::seconds(i64::try_from(step + 1).unwrap());
            let advanced = tx.messages().advance(session, &wa, *report, at, None);
            let advanced = advanced.await.unwrap();
            let counts = message.status.advances_to(*report);
            assert_eq!(advanced.is_some(), counts, "{order:?} at {step}");
            if let Some(advanced) = advanced {
                let unsaid = message.sent_at.is_none() && *report != MessageStatus::Sent;
                let tells = advanced.message.sent_at.is_some();
                assert_eq!(
                    advanced.overtook_sent,
                    unsaid && tells,
                    "{order:?} at {step}"
                );
                let advanced = advanced.message;
                assert_eq!(advanced.status, *report);
                assert_never_unsaid(&message, &advanced);
                *message = advanced;
            } else {
                // It may still have said when it was sent.
                let now = tx.messages().lookup(message.id).await.unwrap().unwrap();
                assert_eq!(now.status, message.status);
                assert_never_unsaid(&message, &now);
                *message = now;
            }
            // The same again changes nothing.
            let again = tx.messages().advance(session, &wa, *report, at, None);
            assert!(again.await.unwrap().is_none(), "{order:?} at {step}");
        }
    }
}

/// A time that was known stays what it was.
fn assert_never_unsaid(before: &Message, after: &Message) {
    for (before, after) in [
        (before.sent_at, after.sent_at),
        (before.delivered_at, after.delivered_at),
        (before.read_at, after.read_at),
    ] {
        assert!(
            before.is_none() || before == after,
            "{before:?} became {after:?}"
        );
    }
}

fn new_message<'a>(
    wa_message_id: &'a WaMessageId,
    session_id: SessionId,
    peer: &'a mf_domain::Jid,
    direction: Direction,
    content: &'a str,
    sent_at: DateTime<Utc>,
) -> NewInbound<'a> {
    NewInbound {
        id: fresh(),
        session_id,
        peer: ChatPeer {
            jid: peer,
            push_name: None,
        },
        new_chat_id: fresh(),
        new_contact_id: fresh(),
        wa_message_id,
        direction,
        kind: MessageKind::Text,
        content: Some(content),
        keep_content: true,
        extra: None,
        media: None,
        status: MessageStatus::Sent,
        error: None,
        sender: None,
        sender_phone: None,
        sender_name: None,
        reply_to: None,
        sent_at,
        quiet: false,
    }
}

async fn take_in(
    world: &World,
    tenant: Tenant,
    session: SessionId,
    direction: Direction,
    wa: &str,
    text: &str,
) -> Stored {
    let mut tx = world.store.begin(tenant).await.unwrap();
    let (wa, peer) = (WaMessageId::new(wa), jid("15550000002"));
    let new = new_message(&wa, session, &peer, direction, text, DateTime::UNIX_EPOCH);
    let stored = tx.messages().take_in(&new).await.unwrap();
    tx.commit().await.unwrap();
    stored
}

#[tokio::test]
async fn a_message_told_of_twice_is_there_once() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    for direction in [Direction::Inbound, Direction::Outbound] {
        let wa = format!("3EB0{direction:?}");
        let first = take_in(&world, tenant, session, direction, &wa, "hello").await;
        assert!(matches!(first, Stored::New(_)));
        let again = take_in(&world, tenant, session, direction, &wa, "hello").await;
        assert!(matches!(again, Stored::Known(None)));
        if direction == Direction::Inbound {
            let unread = "SELECT sum(unread_count)::bigint FROM chat";
            assert_eq!(world.count(unread).await, 1);
        }
    }
    assert_eq!(world.count("SELECT count(*) FROM message").await, 2);
    assert_eq!(
        world
            .count("SELECT sum(message_count)::bigint FROM chat")
            .await,
        2
    );
    // Another session may well have a message of that id: they talk with each other.
    let other = world.session(tenant).await;
    let theirs = take_in(
        &world,
        tenant,
        other,
        Direction::Inbound,
        "3EB0Inbound",
        "hello",
    )
    .await;
    assert!(matches!(theirs, Stored::New(_)));
}

#[tokio::test]
async fn of_two_reports_at_once_one_is_new() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let peer = jid("15550000002");
    let wa = WaMessageId::new("3EB0CC");
    let report = async || {
        let new = new_message(
            &wa,
            session,
            &peer,
            Direction::Inbound,
            "hi",
            DateTime::UNIX_EPOCH,
        );
        let mut tx = world.store.begin(tenant).await.unwrap();
        match tx.messages().take_in(&new).await {
            Ok(stored) => {
                tx.commit().await.unwrap();
                matches!(stored, Stored::New(_))
            }
            Err(error) => {
                assert!(
                    error.is_constraint("message_wa_message_id_key"),
                    "{error:?}"
                );
                false
            }
        }
    };
    for _ in 0..20 {
        let (one, other) = tokio::join!(report(), report());
        assert!(!(one && other), "both were new");
    }
    assert_eq!(world.count("SELECT count(*) FROM message").await, 1);
    assert_eq!(world.count("SELECT message_count FROM chat").await, 1);
}

/// Where the engine chooses the id, its report may come before its answer, or instead of it.
#[tokio::test]
async fn a_report_of_our_own_message_is_matched_once() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let mut ours = Vec::new();
    let held = claim();
    for _ in 0..2 {
        let how = Accept {
            claim: Some(held),
            ..Accept::default()
        };
        ours.push(world.accept(tenant, session, how).await.0);
    }
    for (number, wa) in ["AA01", "AA02"].into_iter().enumerate() {
        let stored = take_in(&world, tenant, session, Direction::Outbound, wa, "hello").await;
        assert!(matches!(stored, Stored::Known(_)), "{wa}");
        // The oldest first.
        let message = world.message(tenant, ours[number]).await;
        assert_eq!(message.wa_message_id.as_deref(), Some(wa));
        let again = take_in(&world, tenant, session, Direction::Outbound, wa, "hello").await;
        assert!(matches!(again, Stored::Known(_)), "{wa}");
    }
    // Written on the phone itself.
    let third = take_in(
        &world,
        tenant,
        session,
        Direction::Outbound,
        "AA03",
        "hello",
    )
    .await;
    assert!(matches!(third, Stored::New(_)));
    assert_eq!(world.count("SELECT count(*) FROM message").await, 3);
}

#[tokio::test]
async fn a_report_of_something_else_is_matched_with_nothing() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    // One that says something else, one that goes elsewhere, one that nobody has tried to
    // send, one whose id is known, and one of another session.
    let tried = Some(claim());
    for how in [
        Accept {
            text: "goodbye",
            claim: tried,
            ..Accept::default()
        },
        Accept {
            phone: "15550000003",
            claim: tried,
            ..Accept::default()
        },
        Accept {
            wa_message_id: Some("BB01"),
            claim: tried,
            ..Accept::default()
        },
        Accept::default(),
    ] {
        world.accept(tenant, session, how).await;
    }
    let other = world.session(tenant).await;
    let how = Accept {
        claim: tried,
        ..Accept::default()
    };
    world.accept(tenant, other, how).await;
    let stored = take_in(
        &world,
        tenant,
        session,
        Direction::Outbound,
        "BB02",
        "hello",
    )
    .await;
    assert!(matches!(stored, Stored::New(_)));
    // Nor is what somebody else wrote.
    let how = Accept {
        text: "echo",
        claim: tried,
        ..Accept::default()
    };
    world.accept(tenant, other, how).await;
    let stored = take_in(&world, tenant, other, Direction::Inbound, "BB03", "echo").await;
    assert!(matches!(stored, Stored::New(_)));
}

/// Films and sounds have more than one name, and engines add to what they were given.
#[tokio::test]
async fn a_report_of_our_own_file_or_place_is_matched_by_what_it_is() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let held = claim();
    let peer = jid("15550000002");
    let place = |latitude: f64| json!({ "location": { "latitude": latitude, "longitude": -9.9 } });
    // Degrees come back rounded, and with a name.
    let mut here = place(53.500_001);
    here["location"]["title"] = json!("Harbour");
    let there = place(54.5);
    for (number, (sent, extra, told, told_extra, matches)) in [
        (MessageKind::Gif, None, MessageKind::Video, None, true),
        (MessageKind::Voice, None, MessageKind::Audio, None, true),
        (MessageKind::Image, None, MessageKind::Document, None, false),
        (
            MessageKind::Location,
            Some(place(53.5)),
            MessageKind::Location,
            Some(&here),
            true,
        ),
        (
            MessageKind::Location,
            Some(place(53.5)),
            MessageKind::Location,
            Some(&there),
            false,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let how = Accept {
            text: "caption",
            keep_content: false,
            kind: sent,
            extra,
            claim: Some(held),
            ..Accept::default()
        };
        let (id, _) = world.accept(tenant, session, how).await;
        // Its text is gone by now.
        let mut tx = world.store.begin(tenant).await.unwrap();
        let finished = tx.outbox().finish(id, held, &Outcome::Unknown).await;
        assert!(finished.unwrap().is_some());
        let wa = WaMessageId::new(format!("EE{number}"));
        let new = new_message(
            &wa,
            session,
            &peer,
            Direction::Outbound,
            "caption",
            DateTime::UNIX_EPOCH,
        );
        let new = NewInbound {
            kind: told,
            extra: told_extra,
            ..new
        };
        let stored = tx.messages().take_in(&new).await.unwrap();
        tx.commit().await.unwrap();
        let known = matches!(&stored, Stored::Known(Some(known)) if known.message.id == id);
        assert_eq!(known, matches, "{sent} told as {told}");
    }
}

/// What we gave up on, and what WhatsApp says has arrived, has arrived.
#[tokio::test]
async fn a_report_of_a_message_that_was_given_up_is_matched_too() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let held = claim();
    let how = Accept {
        claim: Some(held),
        ..Accept::default()
    };
    let (id, _) = world.accept(tenant, session, how).await;
    let mut tx = world.store.begin(tenant).await.unwrap();
    assert!(
        tx.outbox()
            .finish(id, held, &Outcome::Unknown)
            .await
            .unwrap()
            .is_some()
    );
    tx.commit().await.unwrap();

    let stored = take_in(
        &world,
        tenant,
        session,
        Direction::Outbound,
        "CC01",
        "hello",
    )
    .await;
    let Stored::Known(Some(advanced)) = stored else {
        panic!("it was sent after all: {stored:?}");
    };
    assert_eq!((advanced.message.id, advanced.message.error), (id, None));
    assert_eq!(advanced.message.status, MessageStatus::Sent);
    // That is certain now.
    let mut tx = world.store.begin(tenant).await.unwrap();
    let (wa, at) = (WaMessageId::new("CC01"), DateTime::UNIX_EPOCH);
    let again = tx
        .messages()
        .advance(session, &wa, MessageStatus::Sent, at, None);
    assert!(again.await.unwrap().is_none());
}
