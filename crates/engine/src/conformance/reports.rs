use mf_domain::{Jid, MessageKind, MessageStatus};
use secrecy::ExposeSecret;

use super::{
    sending::{group, somebody, text},
    world::{Received, World, Written, paired, read, until},
};
use crate::{CallbackError, EngineEvent, InboundMessage};

async fn message(world: &dyn World, text: &str) -> InboundMessage {
    until(world, |callback| match &callback.event {
        EngineEvent::Message(m) if m.text.as_deref() == Some(text) => Some((**m).clone()),
        _ => None,
    })
    .await
}

/// The message itself, then each step of its way, all under one id.
pub async fn a_sent_message_is_reported_with_its_way(world: &dyn World) {
    let spec = paired(world).await;
    let out = text(&somebody(world), "on its way");
    let id = world
        .engine()
        .send(&spec.key, &out)
        .await
        .expect("a text goes out");
    // Reports may overtake each other, so all are collected.
    let (mut seen, mut read) = (None, false);
    until(world, |callback| {
        match &callback.event {
            EngineEvent::Message(m) => seen = Some((**m).clone()),
            EngineEvent::Ack {
                id: acked,
                chat,
                from_me,
                status,
            } => {
                assert!(id.as_ref().is_none_or(|id| id == acked), "not the bare id");
                assert_eq!((chat, from_me), (&out.chat, &true));
                assert_ne!(*status, MessageStatus::Failed);
                read |= *status == MessageStatus::Read;
            }
            _ => {}
        }
        (seen.is_some() && read).then_some(())
    })
    .await;
    let seen = seen.expect("was waited for");
    assert!(seen.from_me && seen.via_api, "{seen:?}");
    assert_eq!((seen.chat, seen.kind), (out.chat, MessageKind::Text));
    assert!(id.is_none_or(|id| id == seen.id));
}

/// Who, where, what and when.
pub async fn what_others_write_is_reported(world: &dyn World) {
    paired(world).await;
    let written = Written {
        sender_name: Some("Ada".to_owned()),
        ..Written::text(&somebody(world), "ahoy")
    };
    let id = world.write(written).await;
    let seen = message(world, "ahoy").await;
    assert_eq!((seen.id, seen.chat), (id, somebody(world)));
    assert_eq!((seen.from_me, seen.via_api), (false, false));
    assert_eq!((seen.participant, seen.kind), (None, MessageKind::Text));
    assert_eq!(seen.sender_name.as_deref(), Some("Ada"));
    assert!(seen.at.timestamp() > 1_600_000_000, "{}", seen.at);
    assert_eq!((seen.status, seen.reply_to), (None, None));
}

/// The chat is the group, the writer is a person.
pub async fn what_is_written_in_a_group_says_by_whom(world: &dyn World) {
    paired(world).await;
    let group = group(world).await;
    let written = Written {
        participant: Some(somebody(world)),
        ..Written::text(&group, "all of you")
    };
    world.write(written).await;
    let seen = message(world, "all of you").await;
    assert_eq!(
        (seen.chat, seen.participant),
        (group, Some(somebody(world)))
    );
}

/// Written on the phone: ours, but not through us.
pub async fn what_is_written_on_the_phone_is_ours(world: &dyn World) {
    paired(world).await;
    let written = Written {
        from_me: true,
        ..Written::text(&somebody(world), "by thumb")
    };
    world.write(written).await;
    let seen = message(world, "by thumb").await;
    assert_eq!((seen.from_me, seen.via_api), (true, false));
    assert_eq!(seen.chat, somebody(world));
}

/// Some people's numbers are hidden; they are written back to where they wrote from.
pub async fn a_hidden_number_is_a_chat(world: &dyn World) {
    let spec = paired(world).await;
    let chat = Jid::parse("220000055551@lid").expect("a hidden id");
    let written = Written {
        ..Written::text(&chat, "guess who")
    };
    world.write(written).await;
    assert_eq!(message(world, "guess who").await.chat, chat);
    world
        .engine()
        .send(&spec.key, &text(&chat, "no idea"))
        .await
        .expect("a text goes out");
    assert_eq!(
        world.sent().await.first().map(|sent| &sent.chat),
        Some(&chat)
    );
}

/// The signature covers every byte, and belongs to one session.
pub async fn a_callback_with_a_changed_byte_is_refused(world: &dyn World) {
    let spec = world.spec();
    world
        .engine()
        .start(&spec)
        .await
        .expect("the session starts");
    let received = world.next_callback().await;
    assert!(read(world, &received).is_ok());
    for at in 0..received.body.len() {
        let mut changed = received.clone();
        if let Some(byte) = changed.body.get_mut(at) {
            *byte ^= 1;
        }
        assert_eq!(
            read(world, &changed),
            Err(CallbackError::BadSignature),
            "byte {at}"
        );
    }
    let mut other = spec.callback_secret.expose_secret().to_vec();
    if let Some(byte) = other.first_mut() {
        *byte ^= 1;
    }
    let header = |name: &str| received.header(name);
    let foreign = world
        .engine()
        .read_callback(&other, &header, &received.body);
    assert_eq!(foreign, Err(CallbackError::BadSignature));
}

/// No signature is no good one.
pub async fn a_callback_without_its_signature_is_refused(world: &dyn World) {
    world
        .engine()
        .start(&world.spec())
        .await
        .expect("the session starts");
    let received = world.next_callback().await;
    let bare = Received {
        headers: Vec::new(),
        body: received.body,
    };
    assert_eq!(read(world, &bare), Err(CallbackError::BadSignature));
}
