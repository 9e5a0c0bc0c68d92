//! One tenant never sees, changes, or learns of another's rows, even by their ids.

use mf_domain::{
    Direction, EventName, MessageKind, MessageStatus, SessionName, SessionStatus, WaMessageId,
};
use mf_store::{
    ChatPeer, EventPosition, NewEvent, NewInbound, NewOutbound, NewRejected, ReportedStatus, Tenant,
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::support::{Accept, World, claim, fresh, jid};

/// Two tenants, each with a session and a message.
async fn two_tenants(world: &World) -> (Tenant, Tenant) {
    (world.tenant().await, world.tenant().await)
}

#[tokio::test]
async fn sessions_of_another_tenant_are_not_there() {
    let world = World::new().await;
    let (ours, theirs) = two_tenants(&world).await;
    let session = world.session(theirs).await;
    let mut tx = world.store.begin(ours).await.unwrap();
    assert!(tx.sessions().lookup(session).await.unwrap().is_none());
    assert!(tx.sessions().list(100, 0).await.unwrap().is_empty());
    assert!(
        tx.sessions()
            .callback_secret(session)
            .await
            .unwrap()
            .is_none()
    );
    let stopped = ReportedStatus {
        status: Some(SessionStatus::Stopped),
        ..ReportedStatus::default()
    };
    assert!(
        tx.sessions()
            .report(session, &stopped)
            .await
            .unwrap()
            .is_none()
    );
    let settings = serde_json::json!({"stolen": true});
    assert!(
        tx.sessions()
            .merge_config(session, &settings)
            .await
            .unwrap()
            .is_none()
    );
    tx.sessions().want(session, true).await.unwrap();
    tx.sessions().forget_pairing(session).await.unwrap();
    tx.sessions().seen(session).await.unwrap();
    assert!(!tx.sessions().delete(session).await.unwrap());
    tx.commit().await.unwrap();

    let mut tx = world.store.begin(theirs).await.unwrap();
    let session = tx.sessions().lookup(session).await.unwrap().unwrap();
    assert_eq!(session.status, SessionStatus::Working);
    assert_eq!(session.config, serde_json::json!({}));
    assert!(!session.wanted);
}

#[tokio::test]
async fn messages_of_another_tenant_are_not_there() {
    let world = World::new().await;
    let (ours, theirs) = two_tenants(&world).await;
    let session = world.session(theirs).await;
    let held = claim();
    let how = Accept {
        wa_message_id: Some("3EB0AA"),
        claim: Some(held),
        ..Accept::default()
    };
    let (id, claimed) = world.accept(theirs, session, how).await;
    assert!(claimed);
    let message = world.message(theirs, id).await;
    let wa = WaMessageId::new("3EB0AA");

    let mut tx = world.store.begin(ours).await.unwrap();
    assert!(tx.messages().lookup(id).await.unwrap().is_none());
    assert!(tx.messages().lookup_wa(&wa).await.unwrap().is_none());
    let chat = tx
        .messages()
        .chat_jid(session, message.chat_id)
        .await
        .unwrap();
    assert_eq!(chat, None);
    let at = message.created_at;
    let advanced = tx
        .messages()
        .advance(session, &wa, MessageStatus::Read, at, None)
        .await
        .unwrap();
    assert!(advanced.is_none());
    // Even with the claim that holds it.
    assert!(!tx.outbox().attempt(id, held, None).await.unwrap());
    let delay = std::time::Duration::ZERO;
    assert!(!tx.outbox().release(id, held, false, delay).await.unwrap());
    let failed = mf_store::Outcome::Failed {
        error: "not theirs to say".to_owned(),
    };
    assert!(
        tx.outbox()
            .finish(id, held, &failed)
            .await
            .unwrap()
            .is_none()
    );
    tx.commit().await.unwrap();
    assert_eq!(
        world.message(theirs, id).await.status,
        MessageStatus::Pending
    );
}

/// Key checks bypass row security: that the keys include the tenant is what stops this.
#[tokio::test]
async fn nothing_can_be_added_to_what_is_another_tenants() {
    let world = World::new().await;
    let (ours, theirs) = two_tenants(&world).await;
    let session = world.session(theirs).await;
    let (theirs_id, _) = world.accept(theirs, session, Accept::default()).await;
    let chat = world.message(theirs, theirs_id).await.chat_id;

    let peer = jid("15550000002");
    let new = NewOutbound {
        id: fresh(),
        session_id: session,
        peer: ChatPeer {
            jid: &peer,
            push_name: None,
        },
        new_chat_id: fresh(),
        new_contact_id: fresh(),
        wa_message_id: None,
        kind: MessageKind::Text,
        content: Some("smuggled"),
        keep_content: true,
        extra: None,
        media: None,
        reply_to: None,
        queue: true,
        patience: std::time::Duration::from_hours(1),
        claim: None,
        attempt: true,
    };
    let mut tx = world.store.begin(ours).await.unwrap();
    let refused = tx.messages().accept(&new).await.unwrap_err();
    assert!(
        matches!(refused, mf_store::StoreError::Constraint { .. }),
        "{refused:?}"
    );
    drop(tx);

    let wa = WaMessageId::new("3EB0BB");
    let inbound = NewInbound {
        id: fresh(),
        session_id: session,
        peer: ChatPeer {
            jid: &peer,
            push_name: None,
        },
        new_chat_id: fresh(),
        new_contact_id: fresh(),
        wa_message_id: &wa,
        direction: Direction::Inbound,
        kind: MessageKind::Text,
        content: Some("smuggled"),
        keep_content: true,
        extra: None,
        media: None,
        status: MessageStatus::Delivered,
        error: None,
        sender: None,
        sender_phone: None,
        sender_name: None,
        reply_to: None,
        sent_at: world.message(theirs, theirs_id).await.created_at,
        quiet: false,
    };
    let mut tx = world.store.begin(ours).await.unwrap();
    tx.messages().take_in(&inbound).await.unwrap_err();
    drop(tx);

    let mut tx = world.store.begin(ours).await.unwrap();
    let rejected = NewRejected {
        id: fresh(),
        session_id: session,
        reason: "none",
        body: b"{}",
    };
    tx.rejected_callbacks().add(&rejected).await.unwrap_err();
    drop(tx);

    // By SQL of one's own, in the role that handlers have.
    let raw = format!(
        "INSERT INTO message (id, tenant_id, session_id, chat_id, direction, message_type,
             status, is_group)
         VALUES ('{}', '{}', '{session}', '{chat}', 'outbound', 'text', 'pending', false)",
        fresh::<uuid::Uuid>(),
        ours.id(),
    );
    let mut raw_tx = RawTx::begin(&world, Some(ours)).await;
    let refused = raw_tx.execute(&raw).await.unwrap_err();
    assert!(
        refused.contains("message_tenant_id_session_id_chat_id_fkey"),
        "{refused}"
    );
    // Nor under the other tenant's name.
    let mut raw_tx = RawTx::begin(&world, Some(ours)).await;
    let theirs_name = raw.replace(&ours.id().to_string(), &theirs.id().to_string());
    let refused = raw_tx.execute(&theirs_name).await.unwrap_err();
    assert!(refused.contains("row-level security"), "{refused}");

    assert_eq!(world.count("SELECT count(*) FROM message").await, 1);
}

#[tokio::test]
async fn the_event_log_of_another_tenant_is_not_there_and_nobody_can_change_it() {
    let world = World::new().await;
    let (ours, theirs) = two_tenants(&world).await;
    let session = world.session(theirs).await;
    let event = NewEvent {
        id: fresh(),
        session_id: Some(session),
        name: EventName::SessionStatus,
        body: "{}".to_owned(),
    };
    let mut tx = world.store.begin(theirs).await.unwrap();
    tx.events().append(&event).await.unwrap();
    tx.commit().await.unwrap();

    let end = world.log_of(1).await[0].position;
    let mut tx = world.store.begin(ours).await.unwrap();
    assert_eq!(
        tx.events().position_of(session, event.id).await.unwrap(),
        None
    );
    let seen = tx
        .events()
        .of_session(session, EventPosition::default(), end, 100);
    assert!(seen.await.unwrap().is_empty());
    tx.commit().await.unwrap();

    for change in [
        "UPDATE event SET name = 'x'",
        "DELETE FROM event",
        "TRUNCATE event",
    ] {
        let mut raw = RawTx::begin(&world, Some(theirs)).await;
        let refused = raw.execute(change).await.unwrap_err();
        assert!(refused.contains("permission denied"), "{change}: {refused}");
    }
}

#[tokio::test]
async fn without_a_tenant_the_app_role_sees_nothing_and_adds_nothing() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    world.accept(tenant, session, Accept::default()).await;
    for table in [
        "tenant",
        "wa_session",
        "chat",
        "contact",
        "message",
        "event",
    ] {
        let mut raw = RawTx::begin(&world, None).await;
        assert_eq!(raw.count(table).await, 0, "{table}");
    }
    let mut raw = RawTx::begin(&world, None).await;
    let insert = format!(
        "INSERT INTO wa_session (id, tenant_id, name, callback_secret)
         VALUES ('{}', '{}', 'Nobody', '')",
        fresh::<uuid::Uuid>(),
        tenant.id(),
    );
    let refused = raw.execute(&insert).await.unwrap_err();
    assert!(refused.contains("row-level security"), "{refused}");
}

/// One connection for all: what one transaction set, the next must not find.
#[tokio::test]
async fn nothing_of_a_tenant_is_left_on_the_connection() {
    let world = World::with_connections(1).await;
    let (ours, theirs) = two_tenants(&world).await;
    let session = world.session(theirs).await;
    for committed in [true, false] {
        let mut tx = world.store.begin(theirs).await.unwrap();
        assert!(tx.sessions().lookup(session).await.unwrap().is_some());
        if committed {
            tx.commit().await.unwrap();
        } else {
            drop(tx);
        }
        let mut tx = world.store.begin(ours).await.unwrap();
        assert!(tx.sessions().lookup(session).await.unwrap().is_none());
        assert!(tx.sessions().list(10, 0).await.unwrap().is_empty());
        drop(tx);
        // Nor the role.
        let mut tx = world.store.system("the same connection").await.unwrap();
        assert!(tx.session_owner(session).await.unwrap().is_some());
        tx.commit().await.unwrap();
        let mut tx = world.store.begin(ours).await.unwrap();
        assert!(tx.sessions().lookup(session).await.unwrap().is_none());
        drop(tx);
        // Outside of a transaction there is the login, who sees nothing.
        world.store.ping().await.unwrap();
    }
    // A transaction that failed leaves nothing either.
    let mut tx = world.store.begin(theirs).await.unwrap();
    let taken = mf_store::NewSession {
        id: session,
        name: &SessionName::parse("Twice").unwrap(),
        callback_secret: b"",
    };
    tx.sessions().add(&taken).await.unwrap_err();
    drop(tx);
    let mut tx = world.store.begin(ours).await.unwrap();
    assert!(tx.sessions().lookup(session).await.unwrap().is_none());
}

/// A transaction as handlers have them, with SQL of the test's own.
struct RawTx(PgConnection);

impl RawTx {
    async fn begin(world: &World, tenant: Option<Tenant>) -> Self {
        let mut connection = PgConnection::connect(&world.database.url()).await.unwrap();
        connection
            .execute("BEGIN; SET LOCAL ROLE moltflow_app")
            .await
            .unwrap();
        if let Some(tenant) = tenant {
            let set = format!("SET LOCAL app.tenant_id = '{}'", tenant.id());
            connection.execute(AssertSqlSafe(set)).await.unwrap();
        }
        Self(connection)
    }

    async fn execute(&mut self, sql: &str) -> Result<(), String> {
        let done = self.0.execute(AssertSqlSafe(sql.to_owned())).await;
        done.map(|_| ()).map_err(|error| error.to_string())
    }

    async fn count(&mut self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.0.fetch_one(AssertSqlSafe(sql)).await.unwrap().get(0)
    }
}
