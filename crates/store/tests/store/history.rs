//! The history of chats: its order, its pages, what is unread, and what reading costs.

use chrono::{DateTime, TimeDelta, Utc};
use mf_domain::{ChatId, Direction, Jid, MessageKind, MessageStatus, SessionId, WaMessageId};
use mf_store::{
    ChatPeer, ChatRef, ChatRow, NewInbound, PageSpec, PoolOptions, Store, Stored, Tenant, WaLabel,
};
use serde_json::json;

use crate::support::{Accept, World, fresh, jid};

const PHONE: &str = "15550000002";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

struct Scene {
    world: World,
    tenant: Tenant,
    session: SessionId,
}

impl Scene {
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

    async fn told(&self, direction: Direction, second: i64, text: &str, quiet: bool) -> Stored {
        let (wa, peer) = (WaMessageId::new(format!("3EB0{second}")), jid(PHONE));
        let new = NewInbound {
            id: fresh(),
            session_id: self.session,
            peer: ChatPeer {
                jid: &peer,
                push_name: None,
            },
            new_chat_id: fresh(),
            new_contact_id: fresh(),
            wa_message_id: &wa,
            direction,
            kind: MessageKind::Text,
            content: Some(text),
            keep_content: true,
            extra: None,
            media: None,
            status: MessageStatus::Sent,
            error: None,
            sender: None,
            sender_phone: None,
            sender_name: None,
            reply_to: None,
            sent_at: at(second),
            quiet,
        };
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        let stored = tx.messages().take_in(&new).await.unwrap();
        tx.commit().await.unwrap();
        stored
    }

    async fn chat(&self) -> ChatRow {
        let peer = jid(PHONE);
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        let chat = ChatRef::Jid {
            session: None,
            jid: &peer,
        };
        tx.chats().find(chat).await.unwrap().expect("the chat")
    }

    /// The texts on a page, and how many there are.
    async fn page(&self, page: PageSpec<'_>) -> (Vec<String>, i64) {
        let chat = self.chat().await.id;
        let mut tx = self.world.store.begin_reading(self.tenant).await.unwrap();
        let (messages, total) = tx.messages().page(chat, &page).await.unwrap();
        let texts = messages.into_iter().map(|message| message.content.unwrap());
        (texts.collect(), total)
    }
}

fn page(limit: i64, offset: i64) -> PageSpec<'static> {
    PageSpec {
        limit,
        offset,
        ..PageSpec::default()
    }
}

#[tokio::test]
async fn every_page_is_the_same_part_of_the_history_from_whichever_end_it_is_read() {
    let scene = Scene::new().await;
    // Told in another order than written.
    for number in [3, 9, 1, 8, 2, 7, 5, 6, 4] {
        let text = number.to_string();
        scene.told(Direction::Inbound, number, &text, false).await;
    }
    let expected: Vec<_> = (1..10).rev().map(|number| number.to_string()).collect();
    for limit in [1, 2, 4, 20] {
        for offset in 0..12 {
            let (texts, total) = scene.page(page(limit, offset)).await;
            let skip = usize::try_from(offset).unwrap();
            let take = usize::try_from(limit).unwrap();
            let part: Vec<_> = expected.iter().skip(skip).take(take).cloned().collect();
            assert_eq!((texts, total), (part, 9), "{limit} from {offset}");
        }
    }
}

#[tokio::test]
async fn from_a_message_one_can_read_on_in_both_directions() {
    let scene = Scene::new().await;
    let mut ids = Vec::new();
    for number in 0..10 {
        let text = number.to_string();
        let Stored::New(message) = scene.told(Direction::Inbound, number, &text, false).await
        else {
            panic!("it is new");
        };
        ids.push(message.id);
    }
    let mut tx = scene.world.store.begin(scene.tenant).await.unwrap();
    let third = tx.messages().cursor(ids[3]).await.unwrap();
    let seventh = tx.messages().cursor(ids[7]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(third.is_some() && seventh.is_some());
    for (before, after, expected) in [
        (third, None, vec!["2", "1"]),
        (None, third, vec!["5", "4"]),
        (seventh, third, vec!["6", "5"]),
    ] {
        let spec = PageSpec {
            before,
            after,
            ..page(2, 0)
        };
        assert_eq!(scene.page(spec).await.0, expected);
    }
}

#[tokio::test]
async fn a_search_finds_what_contains_the_text_and_takes_it_at_its_word() {
    let scene = Scene::new().await;
    for (number, text) in ["A Harbour", "100% sure", "harbour_2", "nothing"]
        .into_iter()
        .enumerate()
    {
        let number = i64::try_from(number).unwrap();
        scene.told(Direction::Inbound, number, text, false).await;
    }
    for (search, expected) in [
        ("HARBOUR", vec!["harbour_2", "A Harbour"]),
        ("%", vec!["100% sure"]),
        ("r_2", vec!["harbour_2"]),
        ("r_", vec!["harbour_2"]),
        ("absent", vec![]),
    ] {
        let spec = PageSpec {
            search: Some(search),
            ..page(10, 0)
        };
        let count = i64::try_from(expected.len()).unwrap();
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(scene.page(spec).await, (expected, count), "{search}");
    }
    let last = PageSpec {
        search: Some("harbour"),
        ..page(1, 1)
    };
    assert_eq!(scene.page(last).await, (vec!["A Harbour".to_owned()], 2));
}

#[tokio::test]
async fn unread_is_what_came_after_what_was_read_and_is_no_old_history() {
    let scene = Scene::new().await;
    scene.told(Direction::Inbound, 50, "50", false).await;
    scene.told(Direction::Inbound, 10, "10", false).await;
    scene.told(Direction::Inbound, 60, "60", true).await;
    assert_eq!(scene.chat().await.unread_count, 2);
    // Told again as news, it is.
    scene.told(Direction::Inbound, 60, "60", false).await;
    assert_eq!(scene.chat().await.unread_count, 3);
    // Whoever writes on the phone has read what was before.
    scene.told(Direction::Outbound, 20, "20", false).await;
    assert_eq!(scene.chat().await.unread_count, 2);
    scene.told(Direction::Inbound, 15, "15", false).await;
    assert_eq!(scene.chat().await.unread_count, 2);
    // What we send says nothing of what somebody has read.
    let how = Accept {
        phone: PHONE,
        ..Accept::default()
    };
    scene.world.accept(scene.tenant, scene.session, how).await;
    assert_eq!(scene.chat().await.unread_count, 2);
    let chat = scene.chat().await.id;
    let mut tx = scene.world.store.begin(scene.tenant).await.unwrap();
    assert!(tx.chats().mark_read(chat, at(50)).await.unwrap());
    assert!(!tx.chats().mark_read(chat, at(40)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(scene.chat().await.unread_count, 1);
}

#[tokio::test]
async fn chats_come_with_their_names_and_labels_the_last_active_first() {
    let scene = Scene::new().await;
    let (tenant, session) = (scene.tenant, scene.session);
    for phone in ["15550000002", "15550000003"] {
        let how = Accept {
            phone,
            ..Accept::default()
        };
        scene.world.accept(tenant, session, how).await;
    }
    scene
        .told(Direction::Inbound, 4_000_000_000, "late", false)
        .await;
    let group = Jid::parse("120363040000000000@g.us").unwrap();
    let ann = jid(PHONE);
    let mut tx = scene.world.store.begin(tenant).await.unwrap();
    for (name, when, news) in [
        ("Crew", 5, true),
        ("Team", 9, true),
        ("Team", 9, false),
        ("Club", 7, false),
    ] {
        let renamed = tx.chats().rename(session, &group, name, at(when));
        assert_eq!(renamed.await.unwrap(), news, "{name}");
    }
    let who = tx.contacts().ensure(session, &ann, Some("Ann"));
    let who = who.await.unwrap().unwrap();
    let label = WaLabel {
        wa_label_id: "7".to_owned(),
        name: "Lead".to_owned(),
        color: 3,
        color_hex: "#64c4ff".to_owned(),
    };
    let labels = tx.wa_labels().put_label(session, &label, at(1));
    assert!(labels.await.unwrap());
    let labels = tx
        .wa_labels()
        .put_label_chat(session, "7", &ann, true, at(1));
    assert!(labels.await.unwrap());
    let chats = tx.chats().list(Some(session), None, 10, 0).await.unwrap();
    // A group in which nobody has written is not there.
    let names: Vec<_> = chats.iter().map(|chat| chat.name.as_deref()).collect();
    assert_eq!(names, [Some("Ann"), Some("+15550000003")]);
    let lead = json!([{ "id": "7", "name": "Lead", "color": "#64c4ff" }]);
    assert_eq!((&chats[0].labels, &chats[1].labels), (&lead, &json!([])));
    let old = tx.wa_labels().remove_label(session, "7", at(0));
    assert!(!old.await.unwrap(), "an old report removed a label");
    assert!(tx.contacts().name(who, Some("Dr. Ann")).await.unwrap());
    for (search, count) in [("dr. a", 1), ("0000003", 1), ("team", 0), ("+1555", 2)] {
        let found = tx.chats().list(None, Some(search), 10, 0).await.unwrap();
        assert_eq!(found.len(), count, "{search}");
    }
}

/// The blocks of messages and their indexes that reading a page touches, as PostgreSQL counts
/// them: a connection hands its counts in when it ends.
async fn blocks_of_page(world: &World, tenant: Tenant, chat: ChatId, offset: i64) -> i64 {
    let touched = "SELECT (heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::bigint
                   FROM pg_statio_user_tables WHERE relname = 'message'";
    ended(world).await;
    let before = world.count(touched).await;
    let (url, options) = (world.database.url(), PoolOptions::default());
    let store = Store::connect(&url, &options).await.unwrap();
    let mut tx = store.begin_reading(tenant).await.unwrap();
    let (messages, total) = tx.messages().page(chat, &page(50, offset)).await.unwrap();
    assert_eq!((messages.len(), total), (50, 100_000));
    tx.commit().await.unwrap();
    store.close().await;
    ended(world).await;
    world.count(touched).await - before
}

/// Waits until no server is connected.
async fn ended(world: &World) {
    let connected = "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name = 'moltflow'";
    mf_test_support::soon(async { while world.count(connected).await > 0 {} }).await;
}

#[tokio::test]
async fn the_last_page_of_a_long_chat_costs_no_more_than_the_first() {
    let scene = Scene::new().await;
    scene.told(Direction::Inbound, 1, "the first", false).await;
    let chat = scene.chat().await.id;
    let rows = scene.world.database.rows();
    for sql in [
        "INSERT INTO message (id, tenant_id, session_id, chat_id, wa_message_id, direction,
             message_type, content, content_preview, status, is_group, sort_at)
         SELECT gen_random_uuid(), tenant_id, session_id, chat_id, 'X' || n, direction,
             message_type, 'message ' || n, 'message ' || n, status, is_group,
             sort_at + n * interval '1 second'
         FROM message, generate_series(1, 99999) AS n",
        "UPDATE chat SET message_count = 100000",
        "VACUUM ANALYZE message",
    ] {
        sqlx::query(sql).execute(rows).await.unwrap();
    }
    let Scene { world, tenant, .. } = scene;
    world.store.close().await;
    let first = blocks_of_page(&world, tenant, chat, 0).await;
    let last = blocks_of_page(&world, tenant, chat, 99_950).await;
    assert!(first > 50, "nothing was counted: {first}");
    assert!(last <= first * 2 + 20, "{last} blocks, the first {first}");
    assert!(first < 1000, "{first} blocks for a page");
}

#[tokio::test]
async fn names_of_a_list_are_written_where_they_are_news() {
    let scene = Scene::new().await;
    let [crew, team, fresh] = [
        "120363040000000001@g.us",
        "120363040000000002@g.us",
        "1-2@g.us",
    ]
    .map(|group| Jid::parse(group).unwrap());
    let mut tx = scene.world.store.begin(scene.tenant).await.unwrap();
    for (group, name, when) in [(&crew, "Crew", 1), (&team, "Team", 9)] {
        let renamed = tx.chats().rename(scene.session, group, name, at(when));
        assert!(renamed.await.unwrap());
    }
    // What was reported after the list was made is newer than what the list says.
    let listed = [(&crew, "Crew"), (&team, "Club"), (&fresh, "Fresh")];
    for news in [1, 0] {
        let named = tx.chats().name_listed(scene.session, &listed, at(5));
        assert_eq!(named.await.unwrap(), news);
    }
    let listed = [(&crew, "Staff")];
    let news = tx.chats().name_listed(scene.session, &listed, at(6));
    assert_eq!(news.await.unwrap(), 1);
    tx.commit().await.unwrap();
    let query = sqlx::query_scalar("SELECT name FROM chat WHERE is_group ORDER BY name");
    let names: Vec<String> = query.fetch_all(scene.world.database.rows()).await.unwrap();
    assert_eq!(names, ["Fresh", "Staff", "Team"]);
}
