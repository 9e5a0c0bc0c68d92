use mf_waha_sim::Dialect;
use serde_json::json;

use crate::support::{Session, TestApp};

async fn a_code_is_given_for_the_phone(dialect: Dialect) {
    let app = TestApp::builder().dialect(dialect).start().await;
    let key = app.full_key();
    let (session, _events) = app.scannable_session(&key).await;
    for phone in ["15551234567", "+15551234567", "15551234567@c.us"] {
        let path = session.path("/pairing-code");
        let answer = key.post(&path, json!({"phone": phone})).await.expect(200);
        let code = answer["code"].as_str().unwrap();
        let letters: String = code.chars().filter(|c| *c != '-').collect();
        assert_eq!(letters.len(), 8, "{code}");
        assert!(letters.chars().all(|c| c.is_ascii_alphanumeric()), "{code}");
    }
}

#[tokio::test]
async fn a_code_is_given_for_the_phone_on_noweb() {
    a_code_is_given_for_the_phone(Dialect::Noweb).await;
}

#[tokio::test]
async fn a_code_is_given_for_the_phone_on_gows() {
    a_code_is_given_for_the_phone(Dialect::Gows).await;
}

#[tokio::test]
async fn a_code_is_given_for_the_phone_on_webjs() {
    a_code_is_given_for_the_phone(Dialect::Webjs).await;
}

#[tokio::test]
async fn a_number_that_is_none_is_refused_with_its_place() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _events) = app.scannable_session(&key).await;
    for phone in [json!("1 555 123"), json!("555-CALL"), json!(null), json!(5)] {
        let body = json!({"phone": phone});
        let faults = key
            .post(&session.path("/pairing-code"), body)
            .await
            .faults();
        assert_eq!(faults.len(), 1, "{phone}: {faults:?}");
        assert!(faults[0].starts_with("body.phone: "), "{phone}: {faults:?}");
    }
    let faults = key
        .post(&session.path("/pairing-code"), json!({}))
        .await
        .faults();
    assert!(faults[0].starts_with("body.phone: "), "{faults:?}");
}

#[tokio::test]
async fn where_no_phone_is_awaited_the_status_is_told_and_what_to_do() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let body = || json!({"phone": "15551234567"});
    let session = Session::create(&key).await;
    let answer = key.post(&session.path("/pairing-code"), body()).await;
    let sentence = answer.refused(400);
    assert!(sentence.contains("stopped"), "{sentence}");
    assert!(sentence.contains("Start it first"), "{sentence}");
    let (session, _events) = app.working_session(&key).await;
    let answer = key.post(&session.path("/pairing-code"), body()).await;
    assert!(answer.refused(400).contains("working"), "{answer}");
}

#[tokio::test]
async fn a_code_needs_the_right_to_manage_sessions() {
    let app = TestApp::start().await;
    let (session, _events) = app.scannable_session(&app.full_key()).await;
    let reader = app.key(&["sessions:read"]).await;
    let body = json!({"phone": "15551234567"});
    let path = session.path("/pairing-code");
    reader.post(&path, body.clone()).await.refused(403);
    let neighbour = app.other_tenant().await;
    let answer = neighbour.key.post(&path, body).await;
    assert_eq!(answer.refused(404), "Session not found");
}
