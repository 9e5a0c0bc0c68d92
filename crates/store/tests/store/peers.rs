//! Several processes on one database wake each other.

use mf_domain::EventName;
use mf_store::{NewEvent, Peers, PoolOptions, Store, StoreResult, Tenant};
use mf_test_support::soon;
use sqlx::postgres::PgListener;
use tokio::task::JoinHandle;

use crate::support::{World, fresh};

/// Another process on the same database.
async fn another(world: &World) -> Store {
    let url = world.database.url();
    let store = Store::connect(&url, &PoolOptions::default()).await;
    store.unwrap()
}

/// Has a process pass on what is rung, until a credential changes.
async fn join(store: &Store) -> JoinHandle<StoreResult<()>> {
    let mut peers = peers(store).await;
    hush(store).await;
    tokio::spawn(async move { peers.credential_changed().await })
}

/// As soon as the database lets it: a connection that was cut is found out when it is used.
async fn peers(store: &Store) -> Peers {
    let joining = async {
        loop {
            if let Ok(peers) = store.join_peers().await {
                return peers;
            }
        }
    };
    soon(joining).await
}

/// Hears everything that was rung so far.
async fn hush(store: &Store) {
    let wake = store.wake();
    loop {
        tokio::select! {
            biased;
            () = wake.events() => {}
            () = wake.outbox() => {}
            () = wake.deliveries() => {}
            () = wake.media() => {}
            () = std::future::ready(()) => return,
        }
    }
}

async fn happen(store: &Store, tenant: Tenant) {
    let mut tx = store.begin(tenant).await.unwrap();
    let event = NewEvent {
        id: fresh(),
        session_id: None,
        name: EventName::SessionStatus,
        body: "{}".to_owned(),
    };
    tx.events().append(&event).await.unwrap();
    tx.commit().await.unwrap();
}

/// The end of all that was announced before.
async fn change_a_credential(store: &Store) {
    let mut tx = store.system("a test changes a credential").await.unwrap();
    tx.announce_credential_change().await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn what_is_committed_in_one_process_wakes_the_others() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let other = another(&world).await;
    let (_here, there) = (join(&world.store).await, join(&other).await);
    happen(&world.store, tenant).await;
    soon(other.wake().events()).await;
    world.store.wake().ring_outbox();
    soon(other.wake().outbox()).await;
    world.store.wake().ring_deliveries();
    soon(other.wake().deliveries()).await;
    // It is the process itself that is told of credentials.
    change_a_credential(&world.store).await;
    soon(there).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_process_does_not_hear_itself() {
    let world = World::new().await;
    let other = another(&world).await;
    let (here, _there) = (join(&world.store).await, join(&other).await);
    world.store.wake().ring_outbox();
    soon(world.store.wake().outbox()).await;
    soon(other.wake().outbox()).await;
    change_a_credential(&other).await;
    soon(here).await.unwrap().unwrap();
    tokio::select! {
        biased;
        () = world.store.wake().outbox() => panic!("it woke itself"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn what_is_rung_many_times_at_once_is_announced_once() {
    let world = World::new().await;
    let mut listener = PgListener::connect_with(world.database.rows()).await;
    let listener = listener.as_mut().unwrap();
    let channels = ["moltflow_bells", "moltflow_credentials"];
    listener.listen_all(channels).await.unwrap();
    let _here = join(&world.store).await;
    for _ in 0..1000 {
        world.store.wake().ring_outbox();
        world.store.wake().ring_deliveries();
    }
    let mut announced = Vec::new();
    loop {
        let heard = soon(listener.recv()).await.unwrap();
        if heard.channel() == "moltflow_credentials" {
            break;
        }
        announced.push(heard.payload().to_owned());
        change_a_credential(&world.store).await;
    }
    assert_eq!(announced, ["6"], "a number for each set of bells");
}

#[tokio::test]
async fn whoever_was_cut_off_says_what_was_rung_meanwhile_and_wakes_for_what_it_missed() {
    let world = World::new().await;
    let other = another(&world).await;
    let (here, _there) = (join(&world.store).await, join(&other).await);
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'moltflow'";
    assert!(world.count(cut).await >= 2);
    assert!(soon(here).await.unwrap().is_err());
    world.store.wake().ring_outbox();
    soon(world.store.wake().outbox()).await;

    let _there = join(&other).await;
    let mut peers = peers(&world.store).await;
    soon(world.store.wake().events()).await;
    soon(world.store.wake().outbox()).await;
    soon(world.store.wake().deliveries()).await;
    tokio::select! {
        ended = peers.credential_changed() => panic!("{ended:?}"),
        () = soon(other.wake().outbox()) => {}
    }
}
