use mf_domain::{Jid, MessageStatus, SessionStatus};

use super::{
    sending::{our_id, somebody, takes_our_ids, text},
    world::{Trouble, World, paired, until},
};
use crate::{EngineError, EngineEvent};

/// What cannot have been sent may be sent again.
pub async fn a_send_to_a_stopped_session_had_no_effect(world: &dyn World) {
    let spec = paired(world).await;
    world.engine().stop(&spec.key).await.expect("it stops");
    let out = text(&somebody(world), "too late");
    let status = Some(SessionStatus::Stopped);
    let refused = world.engine().send(&spec.key, &out).await;
    assert_eq!(refused, Err(EngineError::NotReady { status }));
    assert_eq!(world.sent().await, []);
}

/// The same of a session that the engine lost.
pub async fn a_send_to_a_missing_session_had_no_effect(world: &dyn World) {
    let out = text(&somebody(world), "to whom?");
    let refused = world.engine().send(&world.spec().key, &out).await;
    assert_eq!(refused, Err(EngineError::SessionMissing));
}

/// Nothing there: certainly nothing done.
pub async fn a_dead_engine_is_unreachable(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    assert_eq!(engine.ping().await, Ok(()));
    world.bring(Trouble::Gone).await;
    let out = text(&somebody(world), "anybody?");
    assert_eq!(engine.ping().await, Err(EngineError::Unreachable));
    assert_eq!(
        engine.send(&spec.key, &out).await,
        Err(EngineError::Unreachable)
    );
    assert_eq!(
        engine.session(&spec.key).await,
        Err(EngineError::Unreachable)
    );
    assert_eq!(
        engine.info().await,
        Err(EngineError::Unreachable),
        "it may come back changed"
    );
}

/// Not answered is not refused. Before the send was out, it is.
pub async fn a_slow_engine_times_out_and_may_have_acted(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.impatient();
    let out = text(&somebody(world), "slowly");
    engine.info().await.expect("the engine says what it is");
    world.bring(Trouble::Slow).await;
    let result = engine.send(&spec.key, &out).await;
    assert_eq!(result, Err(EngineError::Timeout));
    assert!(!EngineError::Timeout.had_no_effect());
}

/// From outside this looks like the next case.
pub async fn a_call_cut_off_before_its_effect_may_have_had_one(world: &dyn World) {
    let spec = paired(world).await;
    world
        .engine()
        .info()
        .await
        .expect("the engine says what it is");
    world.bring(Trouble::CutBefore).await;
    let out = text(&somebody(world), "cut");
    let result = world.engine().send(&spec.key, &out).await;
    assert_eq!(result, Err(EngineError::Interrupted));
    assert_eq!(world.sent().await, [], "it was repeated behind our back");
}

/// It was sent; under our own id it can be found, and sent again without harm.
pub async fn an_answer_that_never_came_does_not_undo_the_send(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    let ours = takes_our_ids(world).await;
    world.bring(Trouble::CutAfter).await;
    let mut out = text(&somebody(world), "once");
    out.id = Some(our_id());
    let result = engine.send(&spec.key, &out).await;
    assert_eq!(result, Err(EngineError::Interrupted));
    assert_eq!(world.sent().await.len(), 1);
    if ours {
        let found = engine.find_message(&spec.key, &out.chat, &our_id()).await;
        assert!(matches!(found, Ok(Some(_))), "{found:?}");
        engine.send(&spec.key, &out).await.expect("a text goes out");
        assert_eq!(world.sent().await.len(), 1);
    }
}

/// Taken, but under which id was not said.
pub async fn an_answer_that_says_nothing_is_no_failure(world: &dyn World) {
    let spec = paired(world).await;
    world
        .engine()
        .info()
        .await
        .expect("the engine says what it is");
    world.bring(Trouble::Mute).await;
    let out = text(&somebody(world), "mute");
    assert_eq!(world.engine().send(&spec.key, &out).await, Ok(None));
    assert_eq!(world.sent().await.len(), 1);
}

/// WhatsApp lets the account write to whom it knows, and to nobody else.
pub async fn a_restricted_account_is_told_apart(world: &dyn World) {
    let spec = paired(world).await;
    let out = text(&Jid::person(&world.stranger()), "hello, stranger");
    let result = world.engine().send(&spec.key, &out).await;
    assert_eq!(result, Err(EngineError::AccountRestricted));
    assert_eq!(world.sent().await, []);
}

/// Later, then.
pub async fn a_request_to_slow_down_is_told_apart(world: &dyn World) {
    let spec = paired(world).await;
    world
        .engine()
        .info()
        .await
        .expect("the engine says what it is");
    world.bring(Trouble::Throttled).await;
    let out = text(&somebody(world), "again and again");
    let result = world.engine().send(&spec.key, &out).await;
    assert_eq!(result, Err(EngineError::Throttled));
}

/// Engines repeat requests in their errors; logs must not.
pub async fn a_failure_inside_tells_nothing_of_the_message(world: &dyn World) {
    let spec = paired(world).await;
    world
        .engine()
        .info()
        .await
        .expect("the engine says what it is");
    world.bring(Trouble::Broken).await;
    let out = text(&somebody(world), "between us");
    let result = world.engine().send(&spec.key, &out).await;
    let Err(EngineError::Failed { detail }) = result else {
        panic!("{result:?}");
    };
    assert!(!detail.contains("between us"), "{detail}");
    assert!(!detail.contains(out.chat.user()), "{detail}");
}

/// Said at once, or reported afterwards: engines differ.
pub async fn an_unknown_recipient_gets_nothing(world: &dyn World) {
    let spec = paired(world).await;
    let out = text(&Jid::person(&world.nobody()), "is this on?");
    match world.engine().send(&spec.key, &out).await {
        Err(error) => assert_eq!(error, EngineError::BadRecipient),
        Ok(_) => {
            until(world, |callback| match &callback.event {
                EngineEvent::Ack { status, .. } => {
                    assert_eq!(*status, MessageStatus::Failed);
                    Some(())
                }
                _ => None,
            })
            .await;
        }
    }
    assert_eq!(world.sent().await, []);
}
