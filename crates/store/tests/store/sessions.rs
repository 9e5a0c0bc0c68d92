//! What the engine reports of a session, in whatever order it arrives.

use chrono::{DateTime, TimeDelta, Utc};
use mf_domain::{SessionId, SessionStatus};
use mf_store::{ReportedStatus, Tenant};

use crate::support::World;

/// What changed: the status before and after.
async fn report(
    world: &World,
    tenant: Tenant,
    session: SessionId,
    status: SessionStatus,
    since: DateTime<Utc>,
) -> Option<(SessionStatus, SessionStatus)> {
    let mut tx = world.store.begin(tenant).await.unwrap();
    let report = ReportedStatus {
        status: Some(status),
        since: Some(since),
        ..ReportedStatus::default()
    };
    let change = tx.sessions().report(session, &report).await.unwrap();
    tx.commit().await.unwrap();
    change.map(|change| (change.before, change.session.status))
}

#[tokio::test]
async fn a_report_that_was_overtaken_changes_nothing() {
    use SessionStatus::{QrCode, Starting, Working};
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    world.set_status(tenant, session, Starting).await;
    let at = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    let earlier = at - TimeDelta::milliseconds(1);
    let later = at + TimeDelta::milliseconds(1);
    let arrivals = [
        (Working, at, Some((Starting, Working))),
        (QrCode, earlier, None),
        // Of the same millisecond: nobody is asked to scan a code after that worked.
        (QrCode, at, None),
        (Starting, at, None),
        (Working, at, None),
        // The connection dropped.
        (Starting, later, Some((Working, Starting))),
        (Working, at, None),
        (Working, later, Some((Starting, Working))),
    ];
    for (number, (status, since, changes)) in arrivals.into_iter().enumerate() {
        let changed = report(&world, tenant, session, status, since).await;
        assert_eq!(changed, changes, "report {number}: {status:?}");
    }
}

#[tokio::test]
async fn what_was_learnt_by_asking_counts_only_while_nothing_else_was_told() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let answer = ReportedStatus {
        status: Some(SessionStatus::Starting),
        only_from: Some(SessionStatus::QrCode),
        ..ReportedStatus::default()
    };
    let mut tx = world.store.begin(tenant).await.unwrap();
    assert!(
        tx.sessions()
            .report(session, &answer)
            .await
            .unwrap()
            .is_none()
    );
    let session = tx.sessions().lookup(session).await.unwrap().unwrap();
    assert_eq!(session.status, SessionStatus::Working);
}
