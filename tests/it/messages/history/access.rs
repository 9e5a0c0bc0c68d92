use mf_waha_sim::{InboundContent, MediaFile};
use serde_json::json;

use super::{at, receive};
use crate::support::{TestApp, samples};

#[tokio::test]
async fn keys_read_the_history_only_where_the_tenant_lets_them() {
    let app = TestApp::start().await;
    let (key, owner) = (app.full_key(), app.owner().await);
    let (session, mut events) = app.working_session(&key).await;
    let sent = session.send("15550000002", "from us").await;
    let picture = mf_waha_sim::Inbound {
        content: InboundContent::Image(MediaFile::new("image/png", samples::png("one"))),
        ..at(1, "15550000002@c.us", "from them")
    };
    let received = receive(&app, &session, &mut events, picture).await;
    let message = received["message_id"].as_str().unwrap();
    let media = received["media"]["id"].as_str().unwrap();
    let paths = [
        "/messages/chats".to_owned(),
        format!("/messages/chats/{}", session.id),
        "/messages/chats/15550000002@c.us".to_owned(),
        format!("/messages/chat/{}/15550000002", session.id),
        format!("/messages/{message}"),
        format!("/media/{media}"),
    ];
    let statuses = async |client: &crate::support::Client| {
        let mut statuses = Vec::new();
        for path in &paths {
            statuses.push(client.get(path).await.status);
        }
        statuses
    };
    assert_eq!(statuses(&key).await, [200; 6]);
    let closed = json!({"chat_history_access_enabled": false});
    owner.patch("/tenant/settings", closed).await.expect(200);
    // From the next request on, and for people never.
    assert_eq!(statuses(&key).await, [403; 6]);
    assert_eq!(statuses(&owner).await, [200; 6]);
    for path in &paths {
        let sentence = key.get(path).await.refused(403);
        assert!(
            sentence.contains("PATCH /api/v2/tenant/settings"),
            "{sentence}"
        );
        assert!(
            sentence.contains("chat_history_access_enabled"),
            "{sentence}"
        );
    }
    // What became of its own messages a key may always ask.
    let own = session.message(&sent).await;
    assert_eq!(own["content"], "from us");
    let open = json!({"chat_history_access_enabled": true});
    owner.patch("/tenant/settings", open).await.expect(200);
    assert_eq!(statuses(&key).await, [200; 6]);
}
