//! What is under way while its process goes down is its own until the end.

use std::sync::Arc;

use mf_server::Role;
use tokio::net::TcpStream;

use super::Hook;
use crate::support::{Receiver, TestApp, soon};

#[tokio::test]
async fn a_process_that_goes_down_is_seen_to_live_until_its_deliveries_are_done() {
    let mut app = TestApp::builder()
        .set("MOLTFLOW_WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8")
        .set("MOLTFLOW_WEBHOOK_ALLOW_HTTP", "true")
        .set("MOLTFLOW_SHUTDOWN_SECONDS", "60")
        .start()
        .await;
    let key = app.full_key();
    let (session, _events) = app.working_session(&key).await;
    let (other, _) = app.second_server(Role::Http).await;
    let receiver = Receiver::open().await;
    let held = receiver.hold("/held");
    Hook::on(&key, &receiver.url("/held"), &["message.received"]).await;
    super::write(&app, &session, "hello").await;
    receiver.arrived("/held", 1).await;

    let (here, there) = (Arc::clone(app.services()), Arc::clone(other.services()));
    let (rows, origin) = (app.rows().clone(), app.origin());
    let meanwhile = async move {
        here.shutdown.cancelled().await;
        let addr = origin.trim_start_matches("http://");
        soon(async { while TcpStream::connect(addr).await.is_ok() {} }).await;
        // It still tells the others what there is to do. The first may be of before.
        for _ in 0..3 {
            here.store.wake().ring_outbox();
            soon(there.store.wake().outbox()).await;
        }
        let signed = "SELECT count(*) FROM webhook_delivery d
            JOIN pg_locks l ON l.locktype = 'advisory' AND l.objid::bigint = d.holder
            WHERE d.claim_id IS NOT NULL";
        let signed: i64 = sqlx::query_scalar(signed).fetch_one(&rows).await.unwrap();
        assert_eq!(signed, 1, "others take what it holds for nobody's");
        held.release();
    };
    tokio::join!(app.stop(), meanwhile);
    assert_eq!(receiver.arrivals("/held").len(), 1);
    let delivered = "SELECT count(*) FROM webhook_delivery WHERE state = 'delivered'";
    assert_eq!(app.count(delivered).await, 1);
    app.within(other.shutdown()).await;
}
