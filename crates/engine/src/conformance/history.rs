//! What the engine kept, for those who were away.

use chrono::{DateTime, TimeDelta, Utc};
use mf_domain::{Jid, SessionStatus::QrCode, WaMessageId};

use super::{
    sending::somebody,
    world::{Trouble, World, Written, paired, until, until_status},
};
use crate::{EngineError, EngineEvent, EnginePage, MessagesQuery};

/// Some moment that engines have chats of.
fn then() -> DateTime<Utc> {
    DateTime::from_timestamp(1_783_641_600, 0).expect("a moment")
}

/// Five texts, a minute after one another; gives their ids, oldest first.
async fn written(world: &dyn World, chat: &Jid) -> Vec<WaMessageId> {
    let mut ids = Vec::new();
    for minute in 0..5 {
        let written = Written {
            at: Some(then() + TimeDelta::minutes(minute)),
            ..Written::text(chat, &format!("minute {minute}"))
        };
        ids.push(world.write(written).await);
    }
    ids
}

async fn ids(world: &dyn World, chat: &Jid, query: MessagesQuery) -> Vec<WaMessageId> {
    let key = world.spec().key;
    let listed = world.engine().messages(&key, chat, query).await;
    let listed = listed.expect("messages are listed");
    listed.into_iter().map(|message| message.id).collect()
}

/// Newest first, page by page, and not what is older than asked for.
pub async fn messages_are_listed_by_chat_and_time(world: &dyn World) {
    paired(world).await;
    let chat = somebody(world);
    let mut all = written(world, &chat).await;
    all.reverse();
    let other = Jid::person(&world.somebody_else());
    world.write(Written::text(&other, "elsewhere")).await;

    let mut listed = Vec::new();
    for offset in [0, 2, 4] {
        let page = EnginePage { limit: 2, offset };
        listed.extend(ids(world, &chat, MessagesQuery { since: None, page }).await);
    }
    assert_eq!(listed, all);
    let page = EnginePage {
        limit: 10,
        offset: 5,
    };
    assert_eq!(
        ids(world, &chat, MessagesQuery { since: None, page }).await,
        []
    );

    let since = Some(then() + TimeDelta::minutes(3));
    let page = EnginePage {
        limit: 10,
        offset: 0,
    };
    let late = ids(world, &chat, MessagesQuery { since, page }).await;
    assert_eq!(Some(late.as_slice()), all.get(..2));
}

/// As it was reported when it came: one message must not look like two.
pub async fn a_listed_message_is_what_was_reported(world: &dyn World) {
    let spec = paired(world).await;
    let chat = somebody(world);
    let written = Written {
        sender_name: Some("Ada".to_owned()),
        at: Some(then()),
        ..Written::text(&chat, "once")
    };
    world.write(written).await;
    let reported = until(world, |callback| match &callback.event {
        EngineEvent::Message(message) => Some((**message).clone()),
        _ => None,
    })
    .await;
    assert_eq!(reported.at, then());
    let query = MessagesQuery {
        since: Some(then()),
        page: EnginePage {
            limit: 10,
            offset: 0,
        },
    };
    let listed = world.engine().messages(&spec.key, &chat, query).await;
    assert_eq!(listed, Ok(vec![reported]));
}

/// With the time of the last message, the newest first.
pub async fn chats_are_listed_with_the_newest_first(world: &dyn World) {
    let spec = paired(world).await;
    let (one, other) = (somebody(world), Jid::person(&world.somebody_else()));
    written(world, &one).await;
    let last = then() + TimeDelta::hours(1);
    let written = Written {
        at: Some(last),
        ..Written::text(&other, "later")
    };
    world.write(written).await;
    let page = |offset| EnginePage { limit: 1, offset };
    let engine = world.engine();
    let newest = engine.chats(&spec.key, page(0)).await.expect("chats");
    let next = engine.chats(&spec.key, page(1)).await.expect("chats");
    let listed: Vec<_> = newest.into_iter().chain(next).collect();
    let chats: Vec<_> = listed
        .iter()
        .map(|chat| (&chat.chat, chat.last_at))
        .collect();
    let before = Some(then() + TimeDelta::minutes(4));
    assert_eq!(chats, [(&other, Some(last)), (&one, before)]);
    assert_eq!(engine.chats(&spec.key, page(2)).await, Ok(Vec::new()));
}

/// A code instead of a picture of one; and none for who is paired already.
pub async fn a_session_can_be_paired_by_a_code(world: &dyn World) {
    let (engine, spec) = (world.engine(), world.spec());
    engine.start(&spec).await.expect("the session starts");
    until_status(world, QrCode).await;
    let phone = world.somebody();
    let code = engine.pairing_code(&spec.key, &phone).await;
    assert!(code.is_ok_and(|code| code.len() >= 8));
    world.scan().await;
    until_status(world, mf_domain::SessionStatus::Working).await;
    let over = engine.pairing_code(&spec.key, &phone).await;
    assert!(
        matches!(over, Err(EngineError::NotReady { .. })),
        "{over:?}"
    );
}

/// What works answers, what only looks alive does not.
pub async fn a_probe_finds_a_session_that_only_looks_alive(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    assert_eq!(engine.probe(&spec.key).await, Ok(()));
    world.bring(Trouble::Zombie).await;
    let session = engine.session(&spec.key).await.expect("it is shown");
    let status = session.and_then(|session| session.status);
    assert_eq!(status, Some(mf_domain::SessionStatus::Working));
    let probed = engine.probe(&spec.key).await;
    assert!(probed.is_err(), "{probed:?}");
}
