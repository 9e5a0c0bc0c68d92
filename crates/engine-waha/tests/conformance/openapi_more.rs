//! The requests about people, groups, labels and channels, held against the vendor's document.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use mf_domain::{Jid, PhoneNumber};
use mf_engine::{
    ChannelRole, Channels as _, Engine as _, EnginePage, Groups as _, Labels as _, NewChannel,
    NewEngineLabel, SessionKey,
};
use mf_engine_waha::Waha;

use crate::{
    openapi,
    receiver::{self, Request},
    world::adapter,
};

fn jid(text: &str) -> Jid {
    Jid::parse(text).unwrap()
}

/// What the adapter asks for in all these calls.
async fn requests() -> Vec<Request> {
    let seen = Arc::new(Mutex::new(Vec::<Request>::new()));
    let log = Arc::clone(&seen);
    let address = receiver::serve(move |request| {
        let answer = match (request.method.as_str(), request.target.as_str()) {
            (_, "/api/server/version") => r#"{"version":"2026.7.1","engine":"NOWEB"}"#,
            (_, target) if target.contains("/invite-code") => "AbCdEfGhIjKlMnOpQrStUv",
            ("POST", target) if target.contains("/channels") => r#"{"id":"1@newsletter"}"#,
            ("POST", target) if target.ends_with("/labels") => r#"{"id":"1"}"#,
            ("POST", target) if !target.contains("participants") => r#"{"id":"120363@g.us"}"#,
            _ => "null",
        };
        log.lock().unwrap().push(request);
        (200, answer.to_owned())
    })
    .await;
    let waha = adapter(&address, "k", Duration::from_secs(5));
    let key = SessionKey::of(uuid::Uuid::from_u128(0x7e57).into());
    people(&waha, &key).await;
    groups(&waha, &key).await;
    labels(&waha, &key).await;
    channels(&waha, &key).await;
    let seen = seen.lock().unwrap();
    seen.clone()
}

const PAGE: EnginePage = EnginePage {
    limit: 100,
    offset: 0,
};

async fn people(waha: &Waha, key: &SessionKey) {
    let phone = PhoneNumber::parse("15550000002").unwrap();
    waha.contacts(key, PAGE).await.unwrap();
    waha.picture(key, &Jid::person(&phone)).await.unwrap();
    waha.phone_of(key, &jid("22000@lid")).await.unwrap();
    waha.lid_of(key, &phone).await.unwrap();
    waha.lids(key, PAGE).await.unwrap();
}

async fn groups(waha: &Waha, key: &SessionKey) {
    let group = jid("120363@g.us");
    let some = [jid("15550000002@c.us")];
    waha.groups(key, PAGE).await.unwrap();
    waha.group(key, &group).await.unwrap();
    waha.participants(key, &group).await.unwrap();
    waha.create_group(key, "Team", &some).await.unwrap();
    waha.add_participants(key, &group, &some).await.unwrap();
    waha.remove_participants(key, &group, &some).await.unwrap();
    waha.promote_participants(key, &group, &some).await.unwrap();
    waha.demote_participants(key, &group, &some).await.unwrap();
    waha.rename_group(key, &group, "Team").await.unwrap();
    waha.describe_group(key, &group, "us").await.unwrap();
    waha.invite_code(key, &group).await.unwrap();
    let code = waha.revoke_invite(key, &group).await.unwrap();
    assert_eq!(code, "AbCdEfGhIjKlMnOpQrStUv");
    waha.join_group(key, &code).await.unwrap();
    waha.leave_group(key, &group).await.unwrap();
}

async fn labels(waha: &Waha, key: &SessionKey) {
    let chat = jid("15550000002@c.us");
    let label = NewEngineLabel {
        name: "Lead".to_owned(),
        color: Some(3),
    };
    waha.labels(key).await.unwrap();
    waha.create_label(key, &label).await.unwrap();
    waha.update_label(key, "1", &label).await.unwrap();
    waha.delete_label(key, "1").await.unwrap();
    waha.labels_of_chat(key, &chat).await.unwrap();
    let ids = ["1".to_owned()];
    waha.set_labels_of_chat(key, &chat, &ids).await.unwrap();
    waha.chats_of_label(key, "1").await.unwrap();
}

async fn channels(waha: &Waha, key: &SessionKey) {
    let channel = jid("1@newsletter");
    let new = NewChannel {
        name: "News".to_owned(),
        description: Some("daily".to_owned()),
    };
    waha.channels(key, None).await.unwrap();
    let owned = waha.channels(key, Some(ChannelRole::Owner)).await;
    owned.unwrap();
    waha.channel(key, channel.as_str()).await.unwrap();
    waha.create_channel(key, &new).await.unwrap();
    waha.follow_channel(key, &channel, true).await.unwrap();
    waha.follow_channel(key, &channel, false).await.unwrap();
    waha.delete_channel(key, &channel).await.unwrap();
}

#[tokio::test]
async fn every_call_about_people_and_groups_is_among_those_that_are_checked() {
    let calls: BTreeSet<_> = requests()
        .await
        .iter()
        .map(|request| {
            let path = request.target.split('?').next().unwrap();
            let path = path.replace("/api/mf_00000000000000000000000000007e57", "");
            format!("{} {path}", request.method)
        })
        .collect();
    let calls: Vec<_> = calls.iter().map(String::as_str).collect();
    assert_eq!(
        calls,
        [
            "DELETE /channels/1%40newsletter",
            "DELETE /labels/1",
            "GET /api/contacts/all",
            "GET /channels",
            "GET /channels/1%40newsletter",
            "GET /chats/15550000002%40c.us/picture",
            "GET /groups",
            "GET /groups/120363%40g.us",
            "GET /groups/120363%40g.us/invite-code",
            "GET /groups/120363%40g.us/participants/v2",
            "GET /labels",
            "GET /labels/1/chats",
            "GET /labels/chats/15550000002%40c.us",
            "GET /lids",
            "GET /lids/22000%40lid",
            "GET /lids/pn/15550000002",
            "POST /channels",
            "POST /channels/1%40newsletter/follow",
            "POST /channels/1%40newsletter/unfollow",
            "POST /groups",
            "POST /groups/120363%40g.us/admin/demote",
            "POST /groups/120363%40g.us/admin/promote",
            "POST /groups/120363%40g.us/invite-code/revoke",
            "POST /groups/120363%40g.us/leave",
            "POST /groups/120363%40g.us/participants/add",
            "POST /groups/120363%40g.us/participants/remove",
            "POST /groups/join",
            "POST /labels",
            "PUT /groups/120363%40g.us/description",
            "PUT /groups/120363%40g.us/subject",
            "PUT /labels/1",
            "PUT /labels/chats/15550000002%40c.us",
        ]
    );
}

#[tokio::test]
async fn every_request_about_people_and_groups_is_one_of_the_vendors_document() {
    openapi::check_all(&requests().await);
}
