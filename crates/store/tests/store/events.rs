//! Whoever follows the event log sees each event, once, in one order.

use std::{collections::BTreeSet, sync::Arc};

use mf_domain::{EventId, EventName};
use mf_store::{EventPosition, NewEvent, Store, Tenant, TenantTx};
use tokio::{sync::Barrier, task::JoinSet};

use crate::support::{World, fresh};

async fn append(tx: &mut TenantTx) -> EventId {
    let id = fresh();
    let event = NewEvent {
        id,
        session_id: None,
        name: EventName::SessionStatus,
        body: "{}".to_owned(),
    };
    tx.events().append(&event).await.unwrap();
    id
}

/// Reads the log on from where it was.
struct Reader {
    store: Store,
    at: EventPosition,
    seen: Vec<EventId>,
}

impl Reader {
    fn of(world: &World) -> Self {
        Self {
            store: world.store.clone(),
            at: EventPosition::default(),
            seen: Vec::new(),
        }
    }

    /// Whether there was anything.
    async fn read(&mut self, limit: i64) -> bool {
        let events = self
            .store
            .events_after(self.at, limit)
            .await
            .unwrap()
            .events;
        for event in &events {
            assert!(event.position > self.at, "the log goes backwards");
            self.at = event.position;
            self.seen.push(event.id);
        }
        !events.is_empty()
    }

    async fn read_all(&mut self) {
        while self.read(2).await {}
    }

    fn assert_saw_once(&self, committed: &BTreeSet<EventId>) {
        let seen: BTreeSet<EventId> = self.seen.iter().copied().collect();
        assert_eq!(seen.len(), self.seen.len(), "an event was seen twice");
        assert_eq!(&seen, committed, "events were left out, or never were");
    }
}

fn permutations(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(of - 1);
    let places = shorter.iter().flat_map(|shorter| {
        (0..of).map(move |place| {
            let mut longer = shorter.clone();
            longer.insert(place, of - 1);
            longer
        })
    });
    places.collect()
}

#[tokio::test]
async fn in_whatever_order_transactions_end_each_event_is_seen_once() {
    let world = World::with_connections(6).await;
    let tenant = world.tenant().await;
    let mut reader = Reader::of(&world);
    let mut committed = BTreeSet::new();
    for (round, order) in permutations(4).into_iter().enumerate() {
        let mut open = Vec::new();
        for _ in 0..4 {
            let mut tx = world.store.begin(tenant).await.unwrap();
            let first = append(&mut tx).await;
            open.push(Some((tx, vec![first])));
        }
        // Sequence numbers interleave, too.
        for (tx, events) in open.iter_mut().flatten() {
            events.push(append(tx).await);
        }
        for number in order {
            let (tx, events) = open[number].take().unwrap();
            // In each round another one of them, or none, comes to nothing.
            if round % 5 == number {
                drop(tx);
            } else {
                tx.commit().await.unwrap();
                committed.extend(events);
            }
            reader.read_all().await;
        }
    }
    until_seen(&mut reader, committed.len()).await;
    reader.assert_saw_once(&committed);
}

/// Reads until so many events were seen.
async fn until_seen(reader: &mut Reader, count: usize) {
    mf_test_support::soon(async {
        while reader.seen.len() < count {
            reader.read(3).await;
            tokio::task::yield_now().await;
        }
    })
    .await;
    reader.read_all().await;
}

#[tokio::test]
async fn what_is_committed_behind_an_older_transaction_waits_for_it() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let mut reader = Reader::of(&world);
    let mut old = world.store.begin(tenant).await.unwrap();
    let first = append(&mut old).await;
    let mut young = world.store.begin(tenant).await.unwrap();
    let second = append(&mut young).await;
    young.commit().await.unwrap();
    // A reader who took the second now would never go back for the first. It is told that there
    // is something, since nobody wakes it when the first transaction ends.
    assert!(!reader.read(10).await);
    let page = world.store.events_after(reader.at, 10).await.unwrap();
    assert!(page.hidden && page.events.is_empty(), "{page:?}");
    let third = append(&mut old).await;
    old.commit().await.unwrap();
    until_seen(&mut reader, 3).await;
    assert_eq!(reader.seen, [first, third, second]);
    let page = world.store.events_after(reader.at, 10).await.unwrap();
    assert!(!page.hidden && page.events.is_empty(), "{page:?}");
}

/// A transaction that has written nothing yet holds nobody up, and is not overtaken either.
#[tokio::test]
async fn a_transaction_that_only_reads_holds_nobody_up() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let mut reader = Reader::of(&world);
    let mut idle = world.store.begin(tenant).await.unwrap();
    idle.tenants().current().await.unwrap();
    let mut tx = world.store.begin(tenant).await.unwrap();
    let first = append(&mut tx).await;
    tx.commit().await.unwrap();
    until_seen(&mut reader, 1).await;
    assert_eq!(reader.seen, [first]);
    let second = append(&mut idle).await;
    idle.commit().await.unwrap();
    until_seen(&mut reader, 2).await;
    assert_eq!(reader.seen, [first, second]);
}

#[tokio::test]
async fn the_end_of_the_log_is_before_everything_that_is_still_to_come() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let mut before = world.store.begin(tenant).await.unwrap();
    append(&mut before).await;
    before.commit().await.unwrap();
    let mut open = world.store.begin(tenant).await.unwrap();
    let first = append(&mut open).await;
    let mut reader = Reader::of(&world);
    reader.at = world.store.event_log_end().await.unwrap();
    let second = append(&mut open).await;
    open.commit().await.unwrap();
    // It may be earlier: transactions of other databases count, too.
    mf_test_support::soon(async {
        while reader.seen.last() != Some(&second) {
            reader.read(3).await;
        }
    })
    .await;
    assert!(reader.seen.ends_with(&[first, second]), "{:?}", reader.seen);
}

const WRITERS: usize = 8;
const EACH: usize = 40;

/// As it is in earnest: writers who know nothing of each other, an old transaction in their
/// midst, and a reader who does not wait for anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_at_once_lose_nothing() {
    let world = World::with_connections(14).await;
    let tenant = world.tenant().await;
    let mut old = world.store.begin(tenant).await.unwrap();
    let oldest = append(&mut old).await;
    let begin = Arc::new(Barrier::new(WRITERS));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(
            world.store.clone(),
            tenant,
            writer,
            Arc::clone(&begin),
        ));
    }
    let mut reader = Reader::of(&world);
    let mut committed = BTreeSet::from([oldest]);
    let mut old = Some(old);
    loop {
        tokio::select! {
            written = writers.join_next() => match written {
                Some(written) => {
                    committed.extend(written.unwrap());
                    // While others still write.
                    if let Some(old) = old.take() {
                        assert!(reader.seen.is_empty(), "an older transaction was overtaken");
                        old.commit().await.unwrap();
                    }
                }
                None => break,
            },
            _ = reader.read(7) => {}
        }
    }
    until_seen(&mut reader, committed.len()).await;
    reader.assert_saw_once(&committed);
    println!(
        r#"{{"test": "event_log", "writers": {WRITERS}, "events": {}, "lost": 0, "doubled": 0}}"#,
        committed.len(),
    );
}

/// Transactions of one to three events; every seventh comes to nothing.
async fn write(store: Store, tenant: Tenant, writer: usize, begin: Arc<Barrier>) -> Vec<EventId> {
    begin.wait().await;
    let mut committed = Vec::new();
    for number in 0..EACH {
        let mut tx = store.begin(tenant).await.unwrap();
        let mut events = Vec::new();
        for _ in 0..=(number + writer) % 3 {
            events.push(append(&mut tx).await);
            tokio::task::yield_now().await;
        }
        if (number + writer).is_multiple_of(7) {
            drop(tx);
        } else {
            tx.commit().await.unwrap();
            committed.extend(events);
        }
    }
    committed
}

#[tokio::test]
async fn a_view_of_the_log_shows_exactly_what_was_committed_before_it() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let mut open = world.store.begin(tenant).await.unwrap();
    let later = append(&mut open).await;
    let mut tx = world.store.begin(tenant).await.unwrap();
    let before = append(&mut tx).await;
    tx.commit().await.unwrap();

    let mut reading = world.store.begin_reading(tenant).await.unwrap();
    let view = reading.events().view().await.unwrap();
    open.commit().await.unwrap();
    let mut tx = world.store.begin(tenant).await.unwrap();
    let after = append(&mut tx).await;
    tx.commit().await.unwrap();
    // Of one moment: what came meanwhile does not change it.
    let again = reading.events().view().await.unwrap();
    reading.commit().await.unwrap();

    // Transactions of other databases hold the log's end back, too: those of other tests.
    let log = async {
        loop {
            let log = world.store.events_after(EventPosition::default(), 10);
            let events = log.await.unwrap().events;
            if events.len() == 3 {
                break events;
            }
        }
    };
    let events = tokio::time::timeout(std::time::Duration::from_secs(20), log);
    let events = events.await.expect("all three can be read before long");
    for event in events {
        let shown = event.id == before;
        assert!(shown || event.id == later || event.id == after);
        assert_eq!(view.shows(event.position), shown, "{:?}", event.id);
        assert_eq!(again.shows(event.position), shown, "{:?}", event.id);
    }
}
