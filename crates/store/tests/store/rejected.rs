//! Callbacks that could not be read, for the operator to look at.

use mf_domain::SessionId;
use mf_store::{NewRejected, Tenant};
use uuid::Uuid;

use crate::support::{World, fresh};

async fn reject(world: &World, tenant: Tenant, session: SessionId, body: &[u8]) -> Uuid {
    let id = fresh();
    let mut tx = world.store.begin(tenant).await.unwrap();
    let new = NewRejected {
        id,
        session_id: session,
        reason: "no such event",
        body,
    };
    tx.rejected_callbacks().add(&new).await.unwrap();
    tx.commit().await.unwrap();
    id
}

#[tokio::test]
async fn the_operator_finds_what_could_not_be_read_newest_first() {
    let world = World::new().await;
    let (one, two) = (world.tenant().await, world.tenant().await);
    let ours = world.session(one).await;
    let theirs = world.session(two).await;
    let first = reject(&world, one, ours, b"{1}").await;
    let second = reject(&world, two, theirs, b"{2}").await;
    let third = reject(&world, one, ours, b"{3}").await;
    let mut tx = world.store.system("a test").await.unwrap();
    let mut ids = Vec::new();
    for (tenant, limit) in [(None, 10), (Some(one.id()), 10), (None, 1)] {
        let found = tx.rejected_callbacks(tenant, limit).await.unwrap();
        ids.push(found.iter().map(|one| one.id).collect::<Vec<_>>());
    }
    assert_eq!(
        ids,
        [vec![third, second, first], vec![third, first], vec![third]]
    );
    let found = tx.rejected_callback(second).await.unwrap().unwrap();
    assert_eq!(found.body, b"{2}");
    assert_eq!((found.tenant_id, found.session_id), (two.id(), theirs));
    // A body may be somebody's message, and does not belong in logs.
    assert!(!format!("{found:?}").contains("body"));
}

#[tokio::test]
async fn one_that_was_dropped_is_gone_and_no_other() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let stays = reject(&world, tenant, session, b"{1}").await;
    let goes = reject(&world, tenant, session, b"{2}").await;
    let mut tx = world.store.system("a test").await.unwrap();
    assert!(tx.drop_rejected(goes).await.unwrap());
    assert!(!tx.drop_rejected(goes).await.unwrap());
    assert!(tx.rejected_callback(goes).await.unwrap().is_none());
    assert!(tx.rejected_callback(stays).await.unwrap().is_some());
}
