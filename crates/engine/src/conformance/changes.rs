//! What happens to messages that are there.

use mf_domain::{Jid, WaMessageId};

use super::{
    Happening,
    sending::{group, outgoing, somebody, text},
    world::{World, Written, paired, until},
};
use crate::{
    Content, EngineError, EngineEvent, Feature, MessageRef, Poll, PollVote, Reaction, SessionKey,
};

async fn reaction(world: &dyn World) -> Reaction {
    until(world, |callback| match &callback.event {
        EngineEvent::Reaction(reaction) => Some(reaction.clone()),
        _ => None,
    })
    .await
}

async fn edited(world: &dyn World) -> (MessageRef, String) {
    until(world, |callback| match &callback.event {
        EngineEvent::Edited { message, text, at } => {
            assert!(at.timestamp() > 1_600_000_000, "{at}");
            Some((message.clone(), text.clone()))
        }
        _ => None,
    })
    .await
}

async fn revoked(world: &dyn World) -> MessageRef {
    until(world, |callback| match &callback.event {
        EngineEvent::Revoked { message, at } => {
            assert!(at.timestamp() > 1_600_000_000, "{at}");
            Some(message.clone())
        }
        _ => None,
    })
    .await
}

async fn vote(world: &dyn World) -> PollVote {
    until(world, |callback| match &callback.event {
        EngineEvent::PollVote(vote) => Some(vote.clone()),
        _ => None,
    })
    .await
}

fn theirs(chat: &Jid, id: WaMessageId, participant: Option<Jid>) -> MessageRef {
    MessageRef {
        chat: chat.clone(),
        id,
        from_me: false,
        participant,
    }
}

/// Sends something, and gives the message as it was reported.
async fn sent(world: &dyn World, key: &SessionKey, chat: &Jid, content: Content) -> MessageRef {
    let out = outgoing(chat, content);
    world.engine().send(key, &out).await.expect("it goes out");
    let sent = world.sent().await.pop().expect("it went out");
    MessageRef {
        chat: chat.clone(),
        id: sent.id,
        from_me: true,
        participant: None,
    }
}

/// Ours, to what others wrote, and taken back.
pub async fn a_reaction_is_shown_and_taken_back(world: &dyn World) {
    let spec = paired(world).await;
    for (chat, participant) in [
        (somebody(world), None),
        (group(world).await, Some(somebody(world))),
    ] {
        let written = Written {
            participant: participant.clone(),
            ..Written::text(&chat, "good news")
        };
        let id = world.write(written).await;
        let message = theirs(&chat, id, participant);
        for emoji in ["👍", ""] {
            let shown = world.engine().react(&spec.key, &message, emoji).await;
            assert_eq!(shown, Ok(()));
            let seen = reaction(world).await;
            assert!(seen.from_me);
            assert_eq!((seen.sender, seen.emoji.as_str()), (None, emoji));
            assert_eq!(seen.message, message);
        }
    }
}

/// Theirs, to what we wrote.
pub async fn what_others_react_is_reported(world: &dyn World) {
    let spec = paired(world).await;
    for chat in [somebody(world), group(world).await] {
        let content = Content::Text("good news".to_owned());
        let message = sent(world, &spec.key, &chat, content).await;
        world
            .happen(Happening::Reacted {
                message: message.id.clone(),
                by: somebody(world),
                emoji: "🎉".to_owned(),
            })
            .await;
        let seen = reaction(world).await;
        assert!(!seen.from_me && seen.message.from_me);
        assert_eq!(seen.message.id, message.id);
        assert_eq!(seen.message.chat, chat);
        assert_eq!(seen.sender, Some(somebody(world)));
        assert_eq!(seen.emoji, "🎉");
    }
}

/// Ours, between two people and in a group.
pub async fn our_message_is_changed_and_taken_back(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    for chat in [somebody(world), group(world).await] {
        let content = Content::Text("tehre".to_owned());
        let message = sent(world, &spec.key, &chat, content).await;
        assert_eq!(engine.edit(&spec.key, &message, "there").await, Ok(()));
        let (seen, text) = edited(world).await;
        assert_eq!((&seen.id, text.as_str()), (&message.id, "there"));
        assert_eq!((&seen.chat, seen.from_me), (&chat, true));
        assert_eq!(engine.unsend(&spec.key, &message).await, Ok(()));
        let seen = revoked(world).await;
        assert_eq!((seen.id, seen.chat), (message.id, chat));
    }
}

/// Theirs.
pub async fn what_others_change_and_take_back_is_reported(world: &dyn World) {
    paired(world).await;
    for (chat, participant) in [
        (somebody(world), None),
        (group(world).await, Some(somebody(world))),
    ] {
        let written = Written {
            participant: participant.clone(),
            ..Written::text(&chat, "tehre")
        };
        let id = world.write(written).await;
        world
            .happen(Happening::Changed {
                message: id.clone(),
                text: "there".to_owned(),
            })
            .await;
        let message = theirs(&chat, id.clone(), participant.clone());
        assert_eq!(edited(world).await, (message.clone(), "there".to_owned()));
        world.happen(Happening::TakenBack { message: id }).await;
        assert_eq!(revoked(world).await, message);
    }
}

/// On and off, or told at once that it cannot be.
pub async fn a_star_is_set_where_the_engine_can(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    let can = engine
        .info()
        .await
        .expect("it says what it is")
        .capabilities;
    let chat = somebody(world);
    let id = world.write(Written::text(&chat, "remember this")).await;
    let message = theirs(&chat, id, None);
    for star in [true, false] {
        let result = engine.star(&spec.key, &message, star).await;
        if can.can(Feature::Stars) {
            assert_eq!(result, Ok(()));
        } else {
            assert!(matches!(result, Err(EngineError::Unsupported { .. })));
        }
    }
}

/// All that is chosen, each time; and of what cannot be read, that there was something.
pub async fn votes_are_reported(world: &dyn World) {
    let spec = paired(world).await;
    for chat in [somebody(world), group(world).await] {
        let poll = Poll {
            title: "When?".to_owned(),
            options: vec!["Now".to_owned(), "Later".to_owned()],
            multiple: true,
        };
        let poll = sent(world, &spec.key, &chat, Content::Poll(poll)).await;
        let both = vec!["Now".to_owned(), "Later".to_owned()];
        for options in [Some(both), Some(Vec::new()), None] {
            world
                .happen(Happening::Voted {
                    poll: poll.id.clone(),
                    by: somebody(world),
                    options: options.clone(),
                })
                .await;
            let seen = vote(world).await;
            assert_eq!((&seen.poll.id, &seen.poll.chat), (&poll.id, &chat));
            assert!(!seen.from_me && seen.poll.from_me);
            assert_eq!(seen.voter, Some(somebody(world)));
            assert_eq!(seen.options, options);
        }
    }
}

/// The writers are shown that it was read; saying so twice does no harm.
pub async fn a_chat_is_marked_as_read(world: &dyn World) {
    let spec = paired(world).await;
    let chat = somebody(world);
    world.write(Written::text(&chat, "read this")).await;
    for _ in 0..2 {
        let marked = world.engine().mark_read(&spec.key, &chat).await;
        assert_eq!(marked, Ok(()));
    }
}

/// Not an error: it may never have been, or be gone.
pub async fn a_message_that_is_not_there_is_none(world: &dyn World) {
    let spec = paired(world).await;
    let out = text(&somebody(world), "here");
    let engine = world.engine();
    engine.send(&spec.key, &out).await.expect("a text goes out");
    let missing = MessageRef {
        chat: out.chat,
        id: WaMessageId::new("3EB000000000000000000"),
        from_me: true,
        participant: None,
    };
    let found = engine.message(&spec.key, &missing).await;
    assert_eq!(found, Ok(None));
}
