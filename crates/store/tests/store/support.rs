//! A store on a database of its own, and what tests put into it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use mf_domain::{
    Jid, MessageId, MessageKind, PhoneNumber, PlanId, SessionId, SessionName, SessionStatus,
    WaMessageId,
};
use mf_store::{
    ChatPeer, Claim, EventPosition, LoggedEvent, Message, NewOutbound, NewSession, NewTenant,
    PoolOptions, ReportedStatus, Store, Tenant,
};
use mf_test_support::TestDatabase;
use uuid::Uuid;

/// A fresh id. They only have to differ.
pub(crate) fn fresh<T: From<Uuid>>() -> T {
    static LAST: AtomicU64 = AtomicU64::new(1);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u128(u128::from(number)).into()
}

pub(crate) fn claim() -> Claim {
    Claim {
        id: fresh(),
        lease: Duration::from_hours(1),
    }
}

/// A claim that is past as soon as it is made.
pub(crate) fn past_claim() -> Claim {
    Claim {
        id: fresh(),
        lease: Duration::ZERO,
    }
}

pub(crate) struct World {
    pub(crate) store: Store,
    // After the store, so that it goes after it.
    pub(crate) database: TestDatabase,
}

/// How a message is taken on.
pub(crate) struct Accept<'a> {
    pub(crate) phone: &'a str,
    /// Instead of the phone.
    pub(crate) jid: Option<&'a str>,
    pub(crate) text: &'a str,
    pub(crate) keep_content: bool,
    pub(crate) kind: MessageKind,
    pub(crate) extra: Option<serde_json::Value>,
    pub(crate) wa_message_id: Option<&'a str>,
    pub(crate) queue: bool,
    pub(crate) patience: Duration,
    pub(crate) claim: Option<Claim>,
}

impl Default for Accept<'_> {
    fn default() -> Self {
        Self {
            phone: "15550000002",
            jid: None,
            text: "hello",
            keep_content: true,
            kind: MessageKind::Text,
            extra: None,
            wa_message_id: None,
            queue: true,
            patience: Duration::from_hours(1),
            claim: None,
        }
    }
}

pub(crate) fn jid(phone: &str) -> Jid {
    Jid::person(&PhoneNumber::parse(phone).unwrap())
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_connections(4).await
    }

    pub(crate) async fn with_connections(max_connections: u32) -> Self {
        let database = TestDatabase::create().await;
        let options = PoolOptions {
            max_connections,
            ..PoolOptions::default()
        };
        let store = Store::connect(&database.url(), &options).await.unwrap();
        Self { store, database }
    }

    pub(crate) async fn tenant(&self) -> Tenant {
        let mut tx = self.store.system("a test needs a tenant").await.unwrap();
        let new = NewTenant {
            id: fresh(),
            name: "Tenant",
            plan: &PlanId::new(PlanId::SELF_HOSTED),
        };
        let tenant = tx.add_tenant(&new).await.unwrap();
        tx.commit().await.unwrap();
        tenant
    }

    /// A session that works.
    pub(crate) async fn session(&self, tenant: Tenant) -> SessionId {
        let id = fresh();
        let mut tx = self.store.begin(tenant).await.unwrap();
        let new = NewSession {
            id,
            name: &SessionName::parse("Session").unwrap(),
            callback_secret: b"sealed",
        };
        tx.sessions().add(&new).await.unwrap();
        tx.commit().await.unwrap();
        self.set_status(tenant, id, SessionStatus::Working).await;
        id
    }

    pub(crate) async fn set_status(&self, tenant: Tenant, id: SessionId, status: SessionStatus) {
        let mut tx = self.store.begin(tenant).await.unwrap();
        let report = ReportedStatus {
            status: Some(status),
            ..ReportedStatus::default()
        };
        tx.sessions().report(id, &report).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Takes on a message; whether it is the caller's to send.
    pub(crate) async fn accept(
        &self,
        tenant: Tenant,
        session: SessionId,
        how: Accept<'_>,
    ) -> (MessageId, bool) {
        let wa_message_id = how.wa_message_id.map(WaMessageId::new);
        let jid = how
            .jid
            .map_or_else(|| jid(how.phone), |jid| Jid::parse(jid).unwrap());
        let id = fresh();
        let new = NewOutbound {
            id,
            session_id: session,
            peer: ChatPeer {
                jid: &jid,
                push_name: None,
            },
            new_chat_id: fresh(),
            new_contact_id: fresh(),
            wa_message_id: wa_message_id.as_ref(),
            kind: how.kind,
            content: Some(how.text),
            keep_content: how.keep_content,
            extra: how.extra.as_ref(),
            media: None,
            reply_to: None,
            queue: how.queue,
            patience: how.patience,
            claim: how.claim,
            attempt: true,
        };
        let mut tx = self.store.begin(tenant).await.unwrap();
        let (_, claimed) = tx.messages().accept(&new).await.unwrap();
        tx.commit().await.unwrap();
        (id, claimed)
    }

    pub(crate) async fn message(&self, tenant: Tenant, id: MessageId) -> Message {
        let mut tx = self.store.begin(tenant).await.unwrap();
        let message = tx.messages().lookup(id).await.unwrap();
        tx.commit().await.unwrap();
        message.expect("the message is there")
    }

    /// The event log, once it has so many events. Readers wait for every older transaction of
    /// the cluster, those of other tests included.
    pub(crate) async fn log_of(&self, count: usize) -> Vec<LoggedEvent> {
        mf_test_support::soon(async {
            loop {
                let log = self.store.events_after(EventPosition::default(), 1000);
                let log = log.await.unwrap().events;
                if log.len() >= count {
                    return log;
                }
            }
        })
        .await
    }

    /// Changes rows behind the store's back, such as their times. Whoever's rows they are.
    pub(crate) async fn run(&self, sql: &'static str) {
        sqlx::raw_sql(sql)
            .execute(self.database.rows())
            .await
            .unwrap();
    }

    /// The one number that a query gives, whoever's rows they are.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let count = sqlx::query_scalar(sql).fetch_one(self.database.rows());
        count.await.unwrap()
    }
}
