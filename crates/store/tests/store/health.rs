//! How it is noticed that a session is not well, and how it is brought back.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use mf_domain::{PhoneNumber, SessionId, SessionStatus};
use mf_store::{ReportedStatus, Session, SessionOwner, StatusChange, Tenant};

use crate::support::World;

const MINUTE: Duration = Duration::from_mins(1);

/// A session that works, of a tenant of its own.
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

    async fn report(&self, report: ReportedStatus) -> Option<StatusChange> {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        let change = tx.sessions().report(self.session, &report).await.unwrap();
        tx.commit().await.unwrap();
        change
    }

    async fn status(&self, status: SessionStatus) -> Option<StatusChange> {
        self.report(ReportedStatus {
            status: Some(status),
            ..ReportedStatus::default()
        })
        .await
    }

    async fn session(&self) -> Session {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        tx.sessions().lookup(self.session).await.unwrap().unwrap()
    }

    async fn overdue(&self) -> Vec<SessionId> {
        let mut tx = self.world.store.system("a test").await.unwrap();
        let overdue = tx.overdue_disconnects(MINUTE, 10).await.unwrap();
        overdue.into_iter().map(|(_, session)| session).collect()
    }

    async fn disconnect(&self) -> Option<StatusChange> {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        let change = tx
            .sessions()
            .disconnect(self.session, MINUTE)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        change
    }

    async fn want(&self, wanted: bool) {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        tx.sessions().want(self.session, wanted).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn schedule(&self, delay: Duration) {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        let scheduled = tx.sessions().schedule_recovery(self.session, delay).await;
        scheduled.unwrap();
        tx.commit().await.unwrap();
    }

    async fn proved_alive(&self) {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        tx.sessions().proved_alive(self.session).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// How often the sessions that are due were tried.
    async fn due(&self) -> Vec<i32> {
        let mut tx = self.world.store.system("a test").await.unwrap();
        let due = tx.failed_sessions_to_recover(10).await.unwrap();
        due.into_iter().map(|(_, attempts)| attempts).collect()
    }

    async fn begin_recovery(&self) -> Option<i32> {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        let attempts = tx.sessions().begin_recovery(self.session).await.unwrap();
        tx.commit().await.unwrap();
        attempts
    }

    async fn silent(&self) -> usize {
        let mut tx = self.world.store.system("a test").await.unwrap();
        let silent: Vec<SessionOwner> = tx.silent_sessions(MINUTE, 10).await.unwrap();
        tx.commit().await.unwrap();
        silent.len()
    }

    async fn to_catch_up(&self) -> usize {
        let mut tx = self.world.store.system("a test").await.unwrap();
        let due = tx.sessions_to_catch_up(MINUTE, 10).await.unwrap();
        tx.commit().await.unwrap();
        due.len()
    }
}

#[tokio::test]
async fn a_session_that_fails_is_disconnected_when_its_grace_is_over() {
    let case = Case::new().await;
    let change = case.status(SessionStatus::Failed).await.unwrap();
    assert!(change.was_connected && change.is_connected);
    assert_eq!(case.overdue().await, []);
    assert!(case.disconnect().await.is_none(), "the grace is not over");

    case.world
        .run("UPDATE wa_session SET down_since = down_since - interval '2 minutes'")
        .await;
    assert_eq!(case.overdue().await, [case.session]);
    let change = case.disconnect().await.unwrap();
    assert!(change.was_connected && !change.is_connected);
    assert_eq!(change.session.status, SessionStatus::Failed);
    assert!(case.disconnect().await.is_none(), "it was told before");
    assert_eq!(case.overdue().await, []);

    let change = case.status(SessionStatus::Working).await.unwrap();
    assert!(!change.was_connected && change.is_connected);
}

#[tokio::test]
async fn a_session_that_fails_and_starts_by_turns_has_one_grace() {
    let case = Case::new().await;
    case.status(SessionStatus::Starting).await.unwrap();
    case.world
        .run("UPDATE wa_session SET down_since = down_since - interval '2 minutes'")
        .await;
    case.status(SessionStatus::Failed).await.unwrap();
    case.status(SessionStatus::Starting).await.unwrap();
    assert_eq!(case.overdue().await, [case.session]);
}

#[tokio::test]
async fn a_session_that_comes_back_meanwhile_is_not_disconnected() {
    let case = Case::new().await;
    case.status(SessionStatus::Starting).await.unwrap();
    case.world
        .run("UPDATE wa_session SET down_since = down_since - interval '2 minutes'")
        .await;
    assert_eq!(case.overdue().await, [case.session]);
    let change = case.status(SessionStatus::Working).await.unwrap();
    assert!(change.was_connected && change.is_connected);
    assert!(case.disconnect().await.is_none());
    // And the next time it has all of its grace again.
    case.status(SessionStatus::Failed).await.unwrap();
    assert_eq!(case.overdue().await, []);
}

#[tokio::test]
async fn a_session_that_is_stopped_or_asks_for_a_code_is_disconnected_at_once() {
    for status in [SessionStatus::Stopped, SessionStatus::QrCode] {
        let case = Case::new().await;
        let change = case.status(status).await.unwrap();
        assert!(change.was_connected && !change.is_connected, "{status}");
        assert_eq!(case.overdue().await, []);
    }
}

#[tokio::test]
async fn since_when_a_status_stands_changes_with_the_status_only() {
    let case = Case::new().await;
    let first = case.session().await.status_since;
    case.status(SessionStatus::Working).await;
    assert_eq!(case.session().await.status_since, first);
    case.status(SessionStatus::Starting).await.unwrap();
    assert!(case.session().await.status_since > first);
}

#[tokio::test]
async fn a_failed_session_is_brought_back_by_one_process_when_its_time_has_come() {
    let case = Case::new().await;
    case.want(true).await;
    case.status(SessionStatus::Failed).await.unwrap();
    assert_eq!(case.due().await, [0; 0], "nobody said when");
    case.schedule(Duration::from_hours(1)).await;
    assert_eq!(case.due().await, [0; 0]);
    assert_eq!(case.begin_recovery().await, None);

    case.schedule(Duration::ZERO).await;
    assert_eq!(case.due().await, [0]);
    assert_eq!(case.begin_recovery().await, Some(1));
    assert_eq!(case.begin_recovery().await, None, "somebody is at it");
    assert_eq!(case.due().await, [0; 0]);
    // It fails again.
    case.schedule(Duration::ZERO).await;
    assert_eq!(case.due().await, [1]);
    assert_eq!(case.begin_recovery().await, Some(2));
    assert_eq!(case.session().await.recovery_attempts, 2);
}

#[tokio::test]
async fn a_session_that_nobody_wants_is_not_brought_back() {
    let case = Case::new().await;
    case.status(SessionStatus::Failed).await.unwrap();
    case.schedule(Duration::ZERO).await;
    assert_eq!(case.due().await, [0; 0]);
    assert_eq!(case.begin_recovery().await, None);
}

#[tokio::test]
async fn a_session_that_starts_for_too_long_is_due_every_five_minutes() {
    let case = Case::new().await;
    case.want(true).await;
    case.status(SessionStatus::Starting).await.unwrap();
    assert_eq!(case.due().await, [0; 0]);
    case.world
        .run("UPDATE wa_session SET status_since = status_since - interval '6 minutes'")
        .await;
    assert_eq!(case.due().await, [0]);
    assert_eq!(case.begin_recovery().await, Some(1));
    assert_eq!(case.due().await, [0; 0]);
    case.world
        .run("UPDATE wa_session SET recovery_next_at = recovery_next_at - interval '5 minutes'")
        .await;
    assert_eq!(case.due().await, [1]);
}

#[tokio::test]
async fn a_session_that_somebody_starts_by_hand_begins_anew() {
    let case = Case::new().await;
    case.want(true).await;
    case.status(SessionStatus::Failed).await.unwrap();
    case.schedule(Duration::ZERO).await;
    assert_eq!(case.begin_recovery().await, Some(1));
    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    tx.sessions().forget_recovery(case.session).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(case.session().await.recovery_attempts, 0);
    assert_eq!(case.due().await, [0; 0], "it gets its time");
    case.schedule(Duration::ZERO).await;
    assert_eq!(case.due().await, [0]);
}

#[tokio::test]
async fn a_proof_of_life_counts_for_a_session_that_works() {
    let case = Case::new().await;
    case.want(true).await;
    case.status(SessionStatus::Failed).await.unwrap();
    case.schedule(Duration::ZERO).await;
    // It came late: the session has failed since.
    case.world
        .run("UPDATE wa_session SET last_seen_at = last_seen_at - interval '1 hour'")
        .await;
    case.proved_alive().await;
    assert_eq!(case.due().await, [0]);

    assert_eq!(case.begin_recovery().await, Some(1));
    case.status(SessionStatus::Working).await.unwrap();
    assert_eq!(case.session().await.recovery_attempts, 1, "a word only");
    case.proved_alive().await;
    assert_eq!(case.session().await.recovery_attempts, 0);
}

#[tokio::test]
async fn a_proof_of_life_is_written_at_most_every_ten_seconds() {
    let case = Case::new().await;
    let seen = case.session().await.last_seen_at.unwrap();
    case.proved_alive().await;
    assert_eq!(case.session().await.last_seen_at, Some(seen));
    case.world
        .run("UPDATE wa_session SET last_seen_at = last_seen_at - interval '11 seconds'")
        .await;
    case.proved_alive().await;
    assert!(case.session().await.last_seen_at.unwrap() > seen);
}

#[tokio::test]
async fn a_session_that_works_and_is_silent_is_asked_for_every_half_of_the_silence() {
    let case = Case::new().await;
    assert_eq!(case.silent().await, 0);
    case.world
        .run("UPDATE wa_session SET last_seen_at = last_seen_at - interval '2 minutes'")
        .await;
    // That the engine's list calls it working is no proof.
    case.status(SessionStatus::Working).await;
    assert_eq!(case.silent().await, 1);
    assert_eq!(case.silent().await, 0, "somebody is asking");
    case.world
        .run("UPDATE wa_session SET probed_at = probed_at - interval '31 seconds'")
        .await;
    assert_eq!(case.silent().await, 1);
    case.world
        .run("UPDATE wa_session SET probed_at = NULL")
        .await;
    case.proved_alive().await;
    assert_eq!(case.silent().await, 0);
}

#[tokio::test]
async fn a_session_that_does_not_work_is_not_asked_whether_it_is_alive() {
    let case = Case::new().await;
    case.status(SessionStatus::Failed).await.unwrap();
    case.world
        .run("UPDATE wa_session SET last_seen_at = last_seen_at - interval '1 hour'")
        .await;
    assert_eq!(case.silent().await, 0);
    assert_eq!(case.to_catch_up().await, 0);
}

#[tokio::test]
async fn messages_of_a_session_are_caught_up_with_by_one_process_at_a_time() {
    let case = Case::new().await;
    assert_eq!(case.to_catch_up().await, 1);
    assert_eq!(case.to_catch_up().await, 0);
    case.world
        .run(
            "UPDATE wa_session
             SET caught_up_attempt_at = caught_up_attempt_at - interval '61 seconds'",
        )
        .await;
    assert_eq!(case.to_catch_up().await, 1);
}

#[tokio::test]
async fn until_when_messages_were_fetched_never_steps_back() {
    let case = Case::new().await;
    let at = chrono::DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    for moment in [at, at - TimeDelta::hours(1)] {
        tx.sessions().caught_up(case.session, moment).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(case.session().await.caught_up_at, Some(at));
}

#[tokio::test]
async fn a_pairing_begins_when_it_first_works_and_ends_with_its_account() {
    let case = Case::new().await;
    let paired = case.session().await.paired_at.unwrap();
    let me = |phone| ReportedStatus {
        status: Some(SessionStatus::Working),
        phone: Some(PhoneNumber::parse(phone).unwrap()),
        lid: Some(format!("9{phone}")),
        ..ReportedStatus::default()
    };
    case.status(SessionStatus::Starting).await;
    case.report(me("15550000001")).await.unwrap();
    let session = case.session().await;
    assert_eq!(session.paired_at, Some(paired));
    assert_eq!(session.lid.as_deref(), Some("915550000001"));

    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    tx.sessions().caught_up(case.session, paired).await.unwrap();
    tx.commit().await.unwrap();
    case.status(SessionStatus::Starting).await;
    case.report(me("15550000002")).await.unwrap();
    let session = case.session().await;
    assert!(session.paired_at.unwrap() > paired, "another account");
    assert_eq!(session.caught_up_at, None);
    assert_eq!(session.lid.as_deref(), Some("915550000002"));

    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    tx.sessions().forget_pairing(case.session).await.unwrap();
    tx.commit().await.unwrap();
    let session = case.session().await;
    assert_eq!((session.paired_at, session.lid), (None, None));
}

#[tokio::test]
async fn a_fault_is_noted_once_and_leaves_the_status_alone() {
    let case = Case::new().await;
    let mut tx = case.world.store.begin(case.tenant).await.unwrap();
    for (error, changes) in [
        (Some("It is slow."), true),
        (Some("It is slow."), false),
        (None, true),
        (None, false),
    ] {
        let noted = tx.sessions().note_error(case.session, error).await.unwrap();
        assert_eq!(noted, changes, "{error:?}");
        let session = tx.sessions().lookup(case.session).await.unwrap().unwrap();
        assert_eq!(session.last_error.as_deref(), error);
        assert_eq!(session.status, SessionStatus::Working);
    }
}

#[tokio::test]
async fn the_health_of_another_tenants_session_cannot_be_changed() {
    let case = Case::new().await;
    case.want(true).await;
    case.status(SessionStatus::Failed).await.unwrap();
    case.schedule(Duration::ZERO).await;
    case.world
        .run(
            "UPDATE wa_session SET down_since = down_since - interval '1 hour',
                 last_seen_at = last_seen_at - interval '1 hour'",
        )
        .await;
    let before = format!("{:?}", case.session().await);
    let other = case.world.tenant().await;
    let id = case.session;
    let mut tx = case.world.store.begin(other).await.unwrap();
    assert!(
        tx.sessions()
            .disconnect(id, MINUTE)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(tx.sessions().begin_recovery(id).await.unwrap(), None);
    assert!(!tx.sessions().note_error(id, Some("Theirs.")).await.unwrap());
    tx.sessions().proved_alive(id).await.unwrap();
    tx.sessions().forget_recovery(id).await.unwrap();
    let later = chrono::DateTime::<Utc>::UNIX_EPOCH;
    tx.sessions().caught_up(id, later).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(format!("{:?}", case.session().await), before);
    assert_eq!(case.due().await, [0], "it is still due");
}
