use mf_domain::SessionStatus::{self, QrCode, Starting, Stopped, Working};

use super::{
    sending::{somebody, text},
    world::{World, pair, paired, since, until, until_status},
};
use crate::{EngineError, EngineEvent, SessionKey};

async fn status(world: &dyn World, key: &SessionKey) -> Option<SessionStatus> {
    let session = world
        .engine()
        .session(key)
        .await
        .expect("the engine shows sessions");
    session.expect("the session is there").status
}

/// From nothing to a session that works, with a callback for each step.
pub async fn a_session_pairs_and_reports_each_step(world: &dyn World) {
    let (engine, spec) = (world.engine(), world.spec());
    assert_eq!(engine.session(&spec.key).await, Ok(None));

    let started = engine.start(&spec).await.expect("the session starts");
    assert_eq!(started.name, spec.key.as_str());
    assert!(
        matches!(started.status, Some(Starting | QrCode)),
        "{started:?}"
    );
    until_status(world, QrCode).await;
    let code = engine.qr(&spec.key).await.expect("there is a code");
    assert!(!code.is_empty());

    world.scan().await;
    let working = until_status(world, Working).await;
    assert!(since(&working).is_some(), "reports overtake each other");
    assert!(working.id.is_some(), "repeats must be told from news");

    let session = engine
        .session(&spec.key)
        .await
        .expect("the engine shows sessions");
    let session = session.expect("the session is there");
    assert_eq!(session.status, Some(Working));
    assert_eq!(session.callback_url.as_ref(), Some(&spec.callback_url));
    assert!(session.me.expect("somebody is paired").phone.is_some());
    let over = engine.qr(&spec.key).await;
    let status = Some(Working);
    assert_eq!(over, Err(EngineError::NotReady { status }));
}

/// Starting what runs must not interrupt it.
pub async fn a_session_that_runs_is_left_alone(world: &dyn World) {
    let (spec, working) = pair(world).await;
    let started = world.engine().start(&spec).await.expect("it runs");
    assert_eq!(started.status, Some(Working));
    let text = text(&somebody(world), "still there?");
    let sent = world.engine().send(&spec.key, &text).await;
    sent.expect("a text goes out");
    // A report from before may come late; one from after would be of an interruption.
    until(world, |callback| match &callback.event {
        EngineEvent::Status(report) => {
            assert!(
                report.since <= since(&working),
                "{} although it ran",
                report.raw
            );
            None
        }
        EngineEvent::Ack { .. } => Some(()),
        _ => None,
    })
    .await;
}

/// A server that moved is reported to at its new address.
pub async fn another_callback_address_is_corrected(world: &dyn World) {
    let mut spec = paired(world).await;
    spec.callback_url.push_str("/moved");
    world.engine().start(&spec).await.expect("it runs");
    until_status(world, Working).await;
    let session = world
        .engine()
        .session(&spec.key)
        .await
        .expect("the engine shows sessions");
    let session = session.expect("the session is there");
    assert_eq!(session.callback_url, Some(spec.callback_url));
}

/// Stopping is no logout, and may be said twice.
pub async fn a_stopped_session_keeps_its_pairing(world: &dyn World) {
    let engine = world.engine();
    assert_eq!(
        engine.stop(&world.spec().key).await,
        Ok(()),
        "a missing one is stopped"
    );
    let spec = paired(world).await;
    assert_eq!(engine.stop(&spec.key).await, Ok(()));
    assert_eq!(engine.stop(&spec.key).await, Ok(()));
    assert_eq!(status(world, &spec.key).await, Some(Stopped));
    until_status(world, Stopped).await;
    engine.start(&spec).await.expect("it starts");
    until_status(world, Working).await;
}

/// A restart ends where it began.
pub async fn a_restarted_session_comes_back(world: &dyn World) {
    let spec = paired(world).await;
    world.engine().restart(&spec).await.expect("it restarts");
    until_status(world, Working).await;
}

/// After a logout the session is stopped, and its next start asks for a phone.
pub async fn a_logout_gives_up_the_pairing(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    assert_eq!(engine.logout(&spec.key).await, Ok(()));
    assert_eq!(status(world, &spec.key).await, Some(Stopped));
    engine.start(&spec).await.expect("it starts");
    until_status(world, QrCode).await;
    assert!(engine.qr(&spec.key).await.is_ok());
}

/// Removing is repeatable.
pub async fn a_session_can_be_removed_twice(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    assert_eq!(engine.delete(&spec.key).await, Ok(()));
    assert_eq!(engine.delete(&spec.key).await, Ok(()));
    assert_eq!(engine.session(&spec.key).await, Ok(None));
    assert_eq!(engine.sessions().await, Ok(Vec::new()));
}

/// A stopped session is a session.
pub async fn sessions_are_listed_whether_they_run_or_not(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    for expected in [Working, Stopped] {
        let sessions = engine.sessions().await.expect("the engine lists sessions");
        let listed: Vec<_> = sessions
            .iter()
            .map(|s| (s.name.as_str(), s.status))
            .collect();
        assert_eq!(listed, [(spec.key.as_str(), Some(expected))]);
        engine.stop(&spec.key).await.expect("it stops");
    }
}
