use mf_domain::{Jid, WaMessageId};

use super::{
    Happening,
    world::{World, Written, paired, until},
};
use crate::{Content, EngineEvent, Outgoing, ReplyTo};

pub(super) fn somebody(world: &dyn World) -> Jid {
    Jid::person(&world.somebody())
}

pub(super) fn text(chat: &Jid, text: &str) -> Outgoing {
    outgoing(chat, Content::Text(text.to_owned()))
}

pub(super) fn outgoing(chat: &Jid, content: Content) -> Outgoing {
    Outgoing {
        chat: chat.clone(),
        content,
        reply_to: None,
        id: None,
    }
}

/// A group that the account and somebody are in.
pub(super) async fn group(world: &dyn World) -> Jid {
    let made = Happening::GroupMade {
        subject: "All of us".to_owned(),
        participants: vec![somebody(world)],
        administered: false,
    };
    let id = world.happen(made).await;
    Jid::parse(&id).expect("a group's id")
}

/// An id of the form that WhatsApp Web mints.
pub(super) fn our_id() -> WaMessageId {
    WaMessageId::new("3EB0C431C26A1916E07A12")
}

pub(super) async fn takes_our_ids(world: &dyn World) -> bool {
    let info = world
        .engine()
        .info()
        .await
        .expect("the engine says what it is");
    info.capabilities.caller_message_ids
}

/// One message, under the id that the engine answered with; ours, where it takes one.
pub async fn a_text_goes_out_under_our_id_where_the_engine_takes_one(world: &dyn World) {
    let spec = paired(world).await;
    let mut out = text(&somebody(world), "hello");
    out.id = Some(our_id());
    let id = world
        .engine()
        .send(&spec.key, &out)
        .await
        .expect("a text goes out");
    let sent = world.sent().await;
    assert_eq!(sent.len(), 1);
    for sent in sent {
        assert_eq!((&sent.chat, sent.text.as_str()), (&out.chat, "hello"));
        assert!(
            id.as_ref().is_none_or(|id| *id == sent.id),
            "not the bare id"
        );
        if takes_our_ids(world).await {
            assert_eq!(Some(sent.id), out.id);
        }
    }
}

/// What makes an unanswered send repeatable.
pub async fn a_repeated_send_is_one_message_where_the_engine_takes_our_id(world: &dyn World) {
    let spec = paired(world).await;
    let mut out = text(&somebody(world), "once");
    out.id = Some(our_id());
    for _ in 0..2 {
        world
            .engine()
            .send(&spec.key, &out)
            .await
            .expect("a text goes out");
    }
    let expected = if takes_our_ids(world).await { 1 } else { 2 };
    assert_eq!(world.sent().await.len(), expected);
}

/// The way to learn whether a send whose answer was lost took place.
pub async fn a_sent_message_is_found_and_another_is_not(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    let chat = somebody(world);
    let id = engine
        .send(&spec.key, &text(&chat, "where?"))
        .await
        .expect("a text goes out");
    let id = id.expect("this answer was not lost");
    let found = engine
        .find_message(&spec.key, &chat, &id)
        .await
        .expect("it can be asked for");
    assert!(found.is_some());
    let other = engine.find_message(&spec.key, &chat, &our_id()).await;
    assert_eq!(other, Ok(None));
}

/// Who is on WhatsApp has a chat, who is not has none.
pub async fn a_number_is_looked_up(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    let chat = engine.look_up_number(&spec.key, &world.somebody()).await;
    assert!(matches!(chat, Ok(Some(_))), "{chat:?}");
    assert_eq!(
        engine.look_up_number(&spec.key, &world.nobody()).await,
        Ok(None)
    );
}

/// On and off.
pub async fn typing_is_shown(world: &dyn World) {
    let spec = paired(world).await;
    for typing in [true, false] {
        let shown = world
            .engine()
            .typing(&spec.key, &somebody(world), typing)
            .await;
        assert_eq!(shown, Ok(()));
    }
}

/// The engine understands which message is meant, in a group and between two people.
pub async fn a_reply_names_what_it_answers(world: &dyn World) {
    let spec = paired(world).await;
    let group = group(world).await;
    for (chat, participant) in [(somebody(world), None), (group, Some(somebody(world)))] {
        let written = Written {
            participant: participant.clone(),
            ..Written::text(&chat, "well?")
        };
        let question = world.write(written).await;
        let mut out = text(&chat, "well!");
        out.reply_to = Some(ReplyTo {
            id: question.clone(),
            from_me: false,
            participant,
        });
        world
            .engine()
            .send(&spec.key, &out)
            .await
            .expect("a reply goes out");
        let answered = until(world, |callback| match &callback.event {
            EngineEvent::Message(m) if m.from_me && m.chat == chat => Some(m.reply_to.clone()),
            _ => None,
        })
        .await;
        assert_eq!(answered, Some(question));
    }
}
