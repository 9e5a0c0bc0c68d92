use std::time::Duration;

use base64::Engine as _;
use mf_waha_sim::{Config, Dialect, Sim, Status};
use reqwest::Method;
use serde_json::json;

use super::support::{KEY, heard, parts, soon, waha, waha_with};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

#[tokio::test]
async fn a_qr_code_is_a_picture_unless_json_alone_is_accepted() {
    let waha = waha(Dialect::Noweb).await;
    waha.scannable("main", json!({})).await;
    let url = format!("{}/api/main/auth/qr?format=image", waha.base);
    let request = |accept: &'static str| {
        waha.http
            .get(&url)
            .header("X-Api-Key", KEY)
            .header("Accept", accept)
            .send()
    };
    let picture = request("image/png").await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert!(picture.bytes().await.unwrap().starts_with(PNG));
    let also_picture = request("application/json, */*").await.unwrap();
    assert_eq!(also_picture.headers()["content-type"], "image/png");

    let (status, body) = parts(request("application/json").await.unwrap()).await;
    assert_eq!((status, &body["mimetype"]), (200, &json!("image/png")));
    let data = body["data"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(data)
        .unwrap();
    assert!(bytes.starts_with(PNG));
}

#[tokio::test]
async fn a_raw_qr_code_is_a_reference_and_three_keys() {
    let waha = waha(Dialect::Noweb).await;
    waha.scannable("main", json!({})).await;
    let (status, body) = waha.get("/api/main/auth/qr?format=raw").await;
    assert_eq!(status, 200);
    let text = body["value"].as_str().unwrap().strip_prefix("2@").unwrap();
    let parts: Vec<_> = text.split(',').collect();
    assert_eq!(parts.len(), 4);
    for part in parts {
        base64::engine::general_purpose::STANDARD
            .decode(part)
            .unwrap();
    }
}

#[tokio::test]
async fn without_a_code_to_show_the_status_is_the_answer() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    let (status, body) = waha.get("/api/main/auth/qr?format=raw").await;
    assert_eq!(status, 422);
    assert_eq!(
        body,
        json!({
            "error": "Session status is not as expected. Try again later or restart the session",
            "session": "main",
            "status": "WORKING",
            "expected": ["SCAN_QR_CODE"],
        })
    );
}

#[tokio::test]
async fn codes_change_and_after_six_the_session_fails() {
    let mut config = Config::quick(KEY);
    config.qr_first = Duration::from_millis(20);
    config.qr_next = Duration::from_millis(5);
    let waha = waha_with(config).await;
    waha.create("main", heard(json!({})).await).await;
    waha.post("/api/sessions/main/start", json!({})).await;
    waha.reaches("main", Status::Failed).await;
    let shown = |sim: &Sim| {
        let all = sim.callbacks();
        let codes = all
            .iter()
            .filter(|c| c.body.contains(r#""status":"SCAN_QR_CODE","statuses""#));
        (codes.count() == 6).then_some(())
    };
    soon(waha.sim.until(shown)).await;
    waha.event("session.status", |payload| payload["status"] == "FAILED")
        .await;
}

#[tokio::test]
async fn a_code_left_alone_counts_as_scanned_when_pairing_by_itself_is_on() {
    let mut config = Config::quick(KEY);
    config.auto_pair_after = Some(Duration::from_millis(5));
    let waha = waha_with(config).await;
    waha.post("/api/sessions", json!({"name": "main", "start": true}))
        .await;
    waha.reaches("main", Status::Working).await;
}

#[tokio::test]
async fn a_pairing_code_is_given_only_while_pairing() {
    let waha = waha(Dialect::Noweb).await;
    waha.scannable("main", json!({})).await;
    let path = "/api/main/auth/request-code";
    let (status, body) = waha.post(path, json!({"phoneNumber": "12132132130"})).await;
    assert_eq!(status, 201);
    let code = body["code"].as_str().unwrap();
    assert_eq!((code.len(), code.find('-')), (9, Some(4)));
    waha.sim.scan("main").await.unwrap();
    let (status, body) = waha.post(path, json!({"phoneNumber": "12132132130"})).await;
    assert_eq!(status, 422);
    assert_eq!(
        body["message"],
        "Can request code only in SCAN_QR_CODE status. The current status is 'WORKING'"
    );
}

#[tokio::test]
async fn scanning_over_http_pairs_with_the_phone_named() {
    let waha = waha(Dialect::Noweb).await;
    waha.scannable("main", json!({})).await;
    let scan = json!({"phone": "4915112345678", "pushName": "Ada"});
    let (status, _) = waha.post("/sim/sessions/main/scan", scan).await;
    assert_eq!(status, 200);
    let (_, me) = parts(waha.call(Method::GET, "/api/sessions/main/me", None).await).await;
    assert_eq!(
        (&me["id"], &me["pushName"]),
        (&json!("4915112345678@c.us"), &json!("Ada"))
    );
}

#[tokio::test]
async fn noweb_takes_no_method_for_pairing_codes_and_the_others_take_any() {
    for (engine, status) in [
        (Dialect::Noweb, 422),
        (Dialect::Gows, 201),
        (Dialect::Webjs, 201),
    ] {
        let waha = waha(engine).await;
        waha.scannable("main", json!({})).await;
        let body = json!({"phoneNumber": "12132132130", "method": "sms"});
        let (answered, said) = waha.post("/api/main/auth/request-code", body).await;
        assert_eq!(answered, status, "{engine}: {said}");
        let bare = json!({"phoneNumber": "12132132130"});
        let (answered, said) = waha.post("/api/main/auth/request-code", bare).await;
        assert_eq!(answered, 201);
        let formatted = said["code"].as_str().unwrap().contains('-');
        assert_eq!(formatted, engine != Dialect::Webjs, "{engine}");
    }
}
