//! Files: noted, fetched by one process at a time, shown in their message, and swept.

use std::time::Duration;

use mf_domain::{Direction, MediaId, MediaState, MessageId, SessionId, WaMessageId};
use mf_store::{Claim, ClaimedMedia, Media, MediaOrigin, NewMedia, Tenant};
use serde_json::{Value, json};

use crate::support::{Accept, World, claim, fresh, past_claim};

const SHA: [u8; 32] = [7; 32];

struct Case {
    world: World,
    tenant: Tenant,
    session: SessionId,
}

impl Case {
    async fn new() -> Self {
        let world = World::new().await;
        let tenant = world.tenant().await;
        let session = world.session(tenant).await;
        Self {
            world,
            tenant,
            session,
        }
    }

    async fn message(&self) -> MessageId {
        let accept = self
            .world
            .accept(self.tenant, self.session, Accept::default());
        accept.await.0
    }

    /// What the message shows of its file.
    async fn shown(&self, message: MessageId) -> Option<Value> {
        self.world.message(self.tenant, message).await.media
    }

    async fn add(&self, message: Option<MessageId>, origin: MediaOrigin<'_>) -> MediaId {
        let id = fresh();
        let new = NewMedia {
            id,
            session_id: self.session,
            message_id: None,
            mimetype: "image/jpeg",
            filename: Some("cat.jpg"),
            size: Some(10),
            origin,
        };
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        tx.media().add(&new).await.unwrap();
        if let Some(message) = message {
            assert!(tx.media().attach(id, message).await.unwrap());
        }
        tx.commit().await.unwrap();
        id
    }

    /// A file that the engine has.
    async fn incoming(&self, message: Option<MessageId>) -> MediaId {
        let wa_message_id = WaMessageId::new("3EB0");
        let origin = MediaOrigin::Engine {
            url: Some("http://engine/file"),
            wa_message_id: &wa_message_id,
            chat_jid: "15550000002@c.us",
            from_me: false,
        };
        self.add(message, origin).await
    }

    /// A file that a client wants sent.
    async fn outgoing(&self) -> MediaId {
        self.add(None, MediaOrigin::Client { sha256: &SHA }).await
    }

    async fn lookup(&self, id: MediaId) -> Option<Media> {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        tx.media().lookup(id).await.unwrap()
    }

    async fn claim(&self, claim: Claim) -> Vec<ClaimedMedia> {
        let mut tx = self.world.store.system("a test").await.unwrap();
        let claimed = tx.claim_media(claim, 10, 2).await.unwrap();
        tx.commit().await.unwrap();
        claimed
    }

    async fn stored(&self, id: MediaId, claim: Claim) -> Option<Media> {
        let mut tx = self.world.store.system("a test").await.unwrap();
        let stored = tx.media_stored(id, claim, 12, &SHA, "image/png").await;
        tx.commit().await.unwrap();
        stored.unwrap()
    }

    async fn failed(&self, id: MediaId, claim: Claim, retry: Option<Duration>) -> Option<Media> {
        let mut tx = self.world.store.system("a test").await.unwrap();
        let failed = tx.media_failed(id, claim, "Not found.", retry).await;
        tx.commit().await.unwrap();
        failed.unwrap()
    }

    async fn orphans(&self) -> Vec<MediaId> {
        let mut tx = self.world.store.system("a test").await.unwrap();
        let orphans = tx.orphaned_media(10).await.unwrap();
        orphans.into_iter().map(|(_, id)| id).collect()
    }
}

#[tokio::test]
async fn a_file_that_the_engine_has_is_fetched_and_shown_in_its_message() {
    let case = Case::new().await;
    let message = case.message().await;
    let id = case.incoming(Some(message)).await;
    let pending = json!({
        "id": id, "mimetype": "image/jpeg", "filename": "cat.jpg", "size": 10,
        "status": "pending",
    });
    assert_eq!(case.shown(message).await, Some(pending));

    let ours = claim();
    let claimed = case.claim(ours).await;
    let [file] = claimed.as_slice() else {
        panic!("one file is due: {claimed:?}");
    };
    assert_eq!((file.id, file.tenant, file.attempts), (id, case.tenant, 1));
    assert_eq!(file.message_id, Some(message));
    assert_eq!(file.source_url.as_deref(), Some("http://engine/file"));
    assert_eq!(file.wa_message_id.as_deref(), Some("3EB0"));
    assert_eq!(file.chat_jid.as_deref(), Some("15550000002@c.us"));
    assert!(!file.from_me);

    let stored = case.stored(id, ours).await.unwrap();
    assert_eq!(stored.state, MediaState::Stored);
    assert_eq!(stored.sha256.as_deref(), Some(SHA.as_slice()));
    let shown = json!({
        "id": id, "mimetype": "image/png", "filename": "cat.jpg", "size": 12,
        "status": "stored",
    });
    assert_eq!(stored.shown(), shown);
    assert_eq!(case.shown(message).await, Some(shown));
    assert!(
        case.claim(claim()).await.is_empty(),
        "there is nothing left"
    );
}

#[tokio::test]
async fn a_file_is_fetched_by_one_process_at_a_time() {
    let case = Case::new().await;
    let id = case.incoming(Some(case.message().await)).await;
    let mut first = case.world.store.system("a test").await.unwrap();
    assert_eq!(first.claim_media(claim(), 10, 2).await.unwrap().len(), 1);
    // The other one does not wait for the first, nor take what that took.
    assert!(case.claim(claim()).await.is_empty());
    first.commit().await.unwrap();
    assert!(case.claim(claim()).await.is_empty());
    assert!(case.lookup(id).await.is_some());
}

#[tokio::test]
async fn who_was_away_for_too_long_changes_nothing() {
    let case = Case::new().await;
    let message = case.message().await;
    let id = case.incoming(Some(message)).await;
    let (late, ours) = (past_claim(), claim());
    assert_eq!(case.claim(late).await.len(), 1);
    let claimed = case.claim(ours).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed.first().map(|file| file.attempts), Some(2));
    assert!(case.failed(id, late, None).await.is_none());
    assert!(case.stored(id, late).await.is_none());
    assert_eq!(case.lookup(id).await.unwrap().state, MediaState::Pending);
    assert!(case.stored(id, ours).await.is_some());
    assert!(case.failed(id, ours, None).await.is_none(), "it is here");
    let shown = case.shown(message).await.unwrap();
    assert_eq!(shown.get("status"), Some(&json!("stored")));
}

#[tokio::test]
async fn a_file_that_was_not_had_is_tried_again_or_lost() {
    let case = Case::new().await;
    let message = case.message().await;
    let id = case.incoming(Some(message)).await;
    let retries = [Duration::ZERO, Duration::from_hours(1)];
    for (retry, due) in retries.into_iter().zip([1, 0]) {
        let ours = claim();
        case.claim(ours).await;
        let media = case.failed(id, ours, Some(retry)).await.unwrap();
        assert_eq!(media.state, MediaState::Pending);
        assert_eq!(media.error.as_deref(), Some("Not found."));
        let next = past_claim();
        assert_eq!(case.claim(next).await.len(), due, "after {retry:?}");
    }
    case.world.run("UPDATE media SET next_at = now()").await;
    let ours = claim();
    case.claim(ours).await;
    let media = case.failed(id, ours, None).await.unwrap();
    assert_eq!(media.state, MediaState::Lost);
    let shown = case.shown(message).await.unwrap();
    assert_eq!(shown.get("status"), Some(&json!("lost")));
    assert!(case.claim(claim()).await.is_empty());
}

#[tokio::test]
async fn a_file_that_nobody_waits_for_is_not_fetched() {
    let case = Case::new().await;
    let id = case.incoming(None).await;
    assert!(case.claim(claim()).await.is_empty());
    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    assert!(tx.media().attach(id, case.message().await).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(case.claim(claim()).await.len(), 1);
}

#[tokio::test]
async fn a_session_with_many_files_leaves_room_for_the_others() {
    let mut case = Case::new().await;
    for _ in 0..3 {
        case.incoming(Some(case.message().await)).await;
    }
    assert_eq!(case.claim(claim()).await.len(), 2);
    assert!(case.claim(claim()).await.is_empty(), "two are under way");
    case.session = case.world.session(case.tenant).await;
    let other = case.incoming(Some(case.message().await)).await;
    let claimed = case.claim(claim()).await;
    let ids: Vec<_> = claimed.iter().map(|file| file.id).collect();
    assert_eq!(ids, [other]);
}

#[tokio::test]
async fn a_file_of_today_is_fetched_before_those_of_an_old_history() {
    let case = Case::new().await;
    let old = case.message().await;
    case.world.run("UPDATE message SET quiet = true").await;
    let new = case.message().await;
    let wa_message_id = WaMessageId::new("3EB0");
    let files = [old, new].map(|message| NewMedia {
        id: fresh(),
        session_id: case.session,
        message_id: Some(message),
        mimetype: "image/jpeg",
        filename: None,
        size: None,
        origin: MediaOrigin::Engine {
            url: None,
            wa_message_id: &wa_message_id,
            chat_jid: "15550000002@c.us",
            from_me: false,
        },
    });
    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    for file in &files {
        tx.media().add(file).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = case.world.store.system("a test").await.unwrap();
    for file in files.iter().rev() {
        let claimed = tx.claim_media(claim(), 1, 2).await.unwrap();
        assert_eq!(claimed.first().map(|claimed| claimed.id), Some(file.id));
    }
}

#[tokio::test]
async fn a_file_that_was_given_back_is_due_at_once_and_was_not_tried() {
    let case = Case::new().await;
    let id = case.incoming(Some(case.message().await)).await;
    let ours = claim();
    assert_eq!(case.claim(ours).await.len(), 1);
    for given_back_by in [claim(), ours] {
        assert!(case.claim(claim()).await.is_empty());
        let mut tx = case.world.store.system("a test").await.unwrap();
        tx.media_released(id, given_back_by).await.unwrap();
        tx.commit().await.unwrap();
    }
    let claimed = case.claim(claim()).await;
    assert_eq!(claimed.first().map(|file| file.attempts), Some(1));
}

#[tokio::test]
async fn a_file_from_a_client_is_here_at_once_and_goes_with_one_message() {
    let case = Case::new().await;
    let id = case.outgoing().await;
    let media = case.lookup(id).await.unwrap();
    assert_eq!(media.state, MediaState::Stored);
    assert!(media.stored_at.is_some());
    assert!(case.claim(claim()).await.is_empty());

    let (message, other) = (case.message().await, case.message().await);
    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    assert!(tx.media().attach(id, message).await.unwrap());
    assert!(!tx.media().attach(id, other).await.unwrap());
    let found = tx.media().of_message(message).await.unwrap().unwrap();
    assert_eq!(found.id, id);
    assert!(tx.media().of_message(other).await.unwrap().is_none());
    tx.commit().await.unwrap();
    assert_eq!(case.shown(message).await, Some(found.shown()));
    assert_eq!(case.shown(other).await, None);
}

#[tokio::test]
async fn files_of_another_tenant_are_not_there() {
    let case = Case::new().await;
    let message = case.message().await;
    let id = case.incoming(Some(message)).await;
    let other = case.world.tenant().await;
    let mut tx = case.world.store.begin(other).await.unwrap();
    assert!(tx.media().lookup(id).await.unwrap().is_none());
    assert!(tx.media().of_message(message).await.unwrap().is_none());
    assert!(!tx.media().attach(id, message).await.unwrap());
    tx.commit().await.unwrap();
    let media = case.lookup(id).await.unwrap();
    assert_eq!(media.message_id, Some(message));
}

#[tokio::test]
async fn the_bell_rings_for_files_that_are_to_be_fetched() {
    let case = Case::new().await;
    let mut heard = Box::pin(case.world.store.wake().media());
    case.outgoing().await;
    let rung = tokio::time::timeout(Duration::ZERO, &mut heard).await;
    assert!(rung.is_err(), "there is nothing to fetch");
    case.incoming(None).await;
    mf_test_support::soon(heard).await;
}

#[tokio::test]
async fn a_file_that_never_went_with_a_message_is_swept_after_an_hour() {
    let case = Case::new().await;
    let (id, sent) = (case.outgoing().await, case.outgoing().await);
    let message = case.message().await;
    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    assert!(tx.media().attach(sent, message).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(case.orphans().await, []);
    case.world
        .run("UPDATE media SET created_at = created_at - interval '61 minutes'")
        .await;
    assert_eq!(case.orphans().await, [id]);

    let mut tx = case.world.store.system("a test").await.unwrap();
    // One that was attached meanwhile stays.
    let gone = tx.forget_media(&[id, sent]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(gone, [id]);
    assert!(case.lookup(id).await.is_none());
    assert!(case.lookup(sent).await.is_some());
    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    assert!(!tx.media().attach(id, message).await.unwrap());
}

#[tokio::test]
async fn the_files_of_a_session_that_is_gone_are_swept_at_once() {
    let case = Case::new().await;
    let message = case.message().await;
    let id = case.incoming(Some(message)).await;
    let ours = claim();
    assert_eq!(case.claim(ours).await.len(), 1);
    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    assert!(tx.sessions().delete(case.session).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(case.orphans().await, [id]);
    // Whoever is fetching it learns that it is no longer wanted.
    let mut tx = case.world.store.system("a test").await.unwrap();
    assert!(tx.media_is_known(id).await.unwrap());
    assert_eq!(tx.forget_media(&[id]).await.unwrap(), [id]);
    assert!(!tx.media_is_known(id).await.unwrap());
    tx.commit().await.unwrap();
    assert!(case.stored(id, ours).await.is_none());
}

#[tokio::test]
async fn a_message_that_was_unsent_does_not_show_its_file_again() {
    let case = Case::new().await;
    let message = case.message().await;
    let id = case.incoming(Some(message)).await;
    let ours = claim();
    case.claim(ours).await;
    case.world
        .run("UPDATE message SET media = NULL, revoked_at = now()")
        .await;
    assert!(case.stored(id, ours).await.is_some());
    assert_eq!(case.shown(message).await, None);
    // Nor one that came after it was unsent.
    let late = case.outgoing().await;
    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    assert!(!tx.media().attach(late, message).await.unwrap());
    tx.commit().await.unwrap();
    let new = NewMedia {
        id: fresh(),
        session_id: case.session,
        message_id: Some(message),
        mimetype: "image/jpeg",
        filename: None,
        size: Some(1),
        origin: MediaOrigin::Client { sha256: &SHA },
    };
    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    tx.media().add(&new).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(case.lookup(new.id).await.unwrap().message_id, None);
    assert_eq!(case.shown(message).await, None);
}

#[tokio::test]
async fn a_file_may_be_noted_with_the_message_that_carries_it() {
    let case = Case::new().await;
    let message = case.message().await;
    let new = NewMedia {
        id: fresh(),
        session_id: case.session,
        message_id: Some(message),
        mimetype: "audio/ogg",
        filename: None,
        size: None,
        origin: MediaOrigin::Engine {
            url: None,
            wa_message_id: &WaMessageId::new("3EB0"),
            chat_jid: "15550000002@c.us",
            from_me: true,
        },
    };
    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    tx.media().add(&new).await.unwrap();
    tx.commit().await.unwrap();
    let media = case.lookup(new.id).await.unwrap();
    assert_eq!(media.message_id, Some(message));
    assert_eq!(media.direction, Direction::Outbound);
    // What clients are shown with the message is what they are shown of the file.
    assert_eq!(new.shown(), media.shown());
}
