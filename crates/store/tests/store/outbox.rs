//! Claims: who holds a message, and who no longer does.

use std::time::Duration;

use chrono::DateTime;
use mf_domain::{MessageId, MessageStatus, SessionStatus, WaMessageId};
use mf_store::{Claim, ClaimedMessage, Outcome, Tenant};

use crate::support::{Accept, World, claim, past_claim};

async fn claim_all(world: &World, claim: Claim) -> Vec<ClaimedMessage> {
    let mut tx = world.store.system("a test is a worker").await.unwrap();
    let claimed = tx.claim_outbox(claim, 100).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

fn ids(claimed: &[ClaimedMessage]) -> Vec<MessageId> {
    claimed.iter().map(|claimed| claimed.id).collect()
}

async fn attempt(world: &World, tenant: Tenant, id: MessageId, claim: Claim) -> bool {
    let mut tx = world.store.begin(tenant).await.unwrap();
    let ours = tx.outbox().attempt(id, claim, None).await.unwrap();
    tx.commit().await.unwrap();
    ours
}

async fn release(world: &World, tenant: Tenant, id: MessageId, claim: Claim, tried: bool) -> bool {
    let mut tx = world.store.begin(tenant).await.unwrap();
    let ours = tx.outbox().release(id, claim, tried, Duration::ZERO).await;
    tx.commit().await.unwrap();
    ours.unwrap()
}

/// Whether it made a difference.
async fn finish(world: &World, tenant: Tenant, id: MessageId, claim: Claim, wa: &str) -> bool {
    let sent = Outcome::Sent {
        wa_message_id: Some(WaMessageId::new(wa)),
        status: MessageStatus::Sent,
        at: DateTime::UNIX_EPOCH,
    };
    let mut tx = world.store.begin(tenant).await.unwrap();
    let finished = tx.outbox().finish(id, claim, &sent).await.unwrap();
    tx.commit().await.unwrap();
    finished.is_some()
}

#[tokio::test]
async fn of_each_session_the_one_that_waited_longest_is_claimed_and_by_one() {
    let world = World::new().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let mut sessions = Vec::new();
    for owner in [tenant, tenant, other] {
        sessions.push((owner, world.session(owner).await));
    }
    let mut heads = Vec::new();
    let mut seconds = Vec::new();
    for waiting in [&mut heads, &mut seconds] {
        for (owner, session) in &sessions {
            let (id, claimed) = world.accept(*owner, *session, Accept::default()).await;
            assert!(!claimed);
            waiting.push(id);
        }
    }
    let held = claim();
    let claimed = claim_all(&world, held).await;
    assert_eq!(ids(&claimed), heads);
    assert!(
        claimed
            .iter()
            .all(|c| !c.attempted && c.may_send && !c.expired && c.session_works)
    );
    // The heads are held: those behind them wait.
    assert!(claim_all(&world, claim()).await.is_empty());
    for (claimed, (owner, _)) in claimed.iter().zip(&sessions) {
        assert_eq!(claimed.tenant, *owner);
        assert!(attempt(&world, *owner, claimed.id, held).await);
        let wa = format!("DD{}", claimed.id);
        assert!(finish(&world, *owner, claimed.id, held, &wa).await);
    }
    assert_eq!(ids(&claim_all(&world, claim()).await), seconds);
}

/// Two at once share, and neither waits for the other.
#[tokio::test]
async fn two_workers_never_claim_the_same() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    for _ in 0..10 {
        let session = world.session(tenant).await;
        world.accept(tenant, session, Accept::default()).await;
    }
    let mut one = world.store.system("one worker").await.unwrap();
    let mut other = world.store.system("another worker").await.unwrap();
    let first = one.claim_outbox(claim(), 6).await.unwrap();
    let second = mf_test_support::soon(other.claim_outbox(claim(), 6))
        .await
        .unwrap();
    assert_eq!((first.len(), second.len()), (6, 4));
    assert!(!ids(&second).iter().any(|id| ids(&first).contains(id)));
    one.commit().await.unwrap();
    other.commit().await.unwrap();
    assert!(claim_all(&world, claim()).await.is_empty());
}

#[tokio::test]
async fn whoever_lost_a_claim_writes_nothing() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let (id, _) = world.accept(tenant, session, Accept::default()).await;
    let stale = past_claim();
    assert_eq!(ids(&claim_all(&world, stale).await), [id]);
    // Its time is over: another may have it.
    let held = claim();
    assert_eq!(ids(&claim_all(&world, held).await), [id]);

    assert!(!attempt(&world, tenant, id, stale).await);
    assert!(!release(&world, tenant, id, stale, true).await);
    assert!(!finish(&world, tenant, id, stale, "EE01").await);
    let message = world.message(tenant, id).await;
    assert_eq!(message.status, MessageStatus::Pending);
    assert_eq!(message.wa_message_id, None);

    assert!(attempt(&world, tenant, id, held).await);
    assert!(finish(&world, tenant, id, held, "EE02").await);
    // What is finished stays so, even for whoever finished it.
    assert!(!finish(&world, tenant, id, held, "EE03").await);
    assert!(!release(&world, tenant, id, held, false).await);
    let message = world.message(tenant, id).await;
    assert_eq!(message.wa_message_id.as_deref(), Some("EE02"));
    assert!(claim_all(&world, claim()).await.is_empty());
}

/// A lease that has run out is no claim of another yet: until somebody takes it, the holder
/// may still finish.
#[tokio::test]
async fn a_lease_that_ran_out_can_be_renewed_while_nobody_else_came() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let (id, _) = world.accept(tenant, session, Accept::default()).await;
    let late = past_claim();
    claim_all(&world, late).await;
    let renewed = Claim {
        lease: Duration::from_hours(1),
        ..late
    };
    assert!(attempt(&world, tenant, id, renewed).await);
    assert!(claim_all(&world, claim()).await.is_empty());
    assert!(finish(&world, tenant, id, renewed, "FF01").await);
}

#[tokio::test]
async fn what_was_tried_is_known_to_have_been_until_it_certainly_was_not_sent() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    // At once, by whoever took it on: that is an attempt from the first moment.
    let first = claim();
    let how = Accept {
        claim: Some(first),
        ..Accept::default()
    };
    let (id, claimed) = world.accept(tenant, session, how).await;
    assert!(claimed);
    assert!(release(&world, tenant, id, first, true).await);
    let second = claim();
    let claimed = claim_all(&world, second).await;
    assert_eq!((claimed[0].attempted, claimed[0].attempts), (true, 1));
    assert!(attempt(&world, tenant, id, second).await);
    assert!(release(&world, tenant, id, second, false).await);
    let third = claim();
    let claimed = claim_all(&world, third).await;
    assert_eq!((claimed[0].attempted, claimed[0].attempts), (false, 2));
}

#[tokio::test]
async fn what_was_put_off_is_not_due_yet() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let (id, _) = world.accept(tenant, session, Accept::default()).await;
    let (behind, _) = world.accept(tenant, session, Accept::default()).await;
    let held = claim();
    claim_all(&world, held).await;
    let mut tx = world.store.begin(tenant).await.unwrap();
    let later = Duration::from_hours(1);
    assert!(tx.outbox().release(id, held, false, later).await.unwrap());
    tx.commit().await.unwrap();
    // Nor does what is behind it overtake it.
    assert!(claim_all(&world, claim()).await.is_empty());
    world.accept(tenant, session, Accept::default()).await;
    assert!(claim_all(&world, claim()).await.is_empty());
    assert_eq!(
        world.message(tenant, behind).await.status,
        MessageStatus::Pending
    );
}

#[tokio::test]
async fn a_message_waits_for_its_session_but_not_for_ever() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let (patient, _) = world.accept(tenant, session, Accept::default()).await;
    let other = world.session(tenant).await;
    let how = Accept {
        patience: Duration::ZERO,
        ..Accept::default()
    };
    let (hasty, _) = world.accept(tenant, other, how).await;
    for session in [session, other] {
        world
            .set_status(tenant, session, SessionStatus::Starting)
            .await;
    }
    let claimed = claim_all(&world, claim()).await;
    assert_eq!(ids(&claimed), [hasty]);
    assert!(claimed[0].expired && !claimed[0].session_works);
    world
        .set_status(tenant, session, SessionStatus::Working)
        .await;
    assert_eq!(ids(&claim_all(&world, claim()).await), [patient]);
}

/// Whoever sends at once must not overtake what waits, nor be taken for waiting.
#[tokio::test]
async fn a_message_is_sent_at_once_only_where_none_waits() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let held = claim();
    let at_once = || Accept {
        claim: Some(held),
        ..Accept::default()
    };
    // Those that this process is sending are ahead in the lane of the session, not in the outbox.
    assert!(world.accept(tenant, session, at_once()).await.1);
    assert!(world.accept(tenant, session, at_once()).await.1);
    world.accept(tenant, session, Accept::default()).await;
    assert!(!world.accept(tenant, session, at_once()).await.1);
    // Another session's queue is not this one's.
    let other = world.session(tenant).await;
    assert!(world.accept(tenant, other, at_once()).await.1);
}

/// The ack came before the answer: it stands, and the claim is given up.
#[tokio::test]
async fn an_ack_that_overtakes_the_answer_stands() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let held = claim();
    let how = Accept {
        wa_message_id: Some("AB01"),
        claim: Some(held),
        ..Accept::default()
    };
    let (id, _) = world.accept(tenant, session, how).await;
    let mut tx = world.store.begin(tenant).await.unwrap();
    let (wa, at) = (WaMessageId::new("AB01"), DateTime::UNIX_EPOCH);
    let read = tx
        .messages()
        .advance(session, &wa, MessageStatus::Read, at, None);
    // Nobody had said that it was sent, and nobody else will.
    assert!(read.await.unwrap().unwrap().overtook_sent);
    tx.commit().await.unwrap();
    assert!(!finish(&world, tenant, id, held, "AB01").await);
    assert_eq!(world.message(tenant, id).await.status, MessageStatus::Read);
    let held = "SELECT count(*) FROM message WHERE outbox_claim_id IS NOT NULL";
    assert_eq!(world.count(held).await, 0);
}

#[tokio::test]
async fn a_message_waits_behind_one_that_another_process_holds() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    let (ours, theirs) = (claim(), claim());
    let by = |claim| Accept {
        claim: Some(claim),
        ..Accept::default()
    };
    // One process may hold several of a session: its lane keeps them in order.
    let (_, first) = world.accept(tenant, session, by(theirs)).await;
    let (_, second) = world.accept(tenant, session, by(theirs)).await;
    assert!(first && second);
    // Another must not overtake them, be their holder alive or dead.
    let (_, third) = world.accept(tenant, session, by(ours)).await;
    assert!(
        !third,
        "a message overtook those that another process holds"
    );
    // Other sessions are none of their business.
    let elsewhere = world.session(tenant).await;
    let (_, fourth) = world.accept(tenant, elsewhere, by(ours)).await;
    assert!(fourth);
}
