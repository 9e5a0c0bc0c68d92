use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

async fn refresh(app: &TestApp, token: &Value) -> Answer {
    let body = json!({"refresh_token": token});
    app.anonymous().post("/auth/refresh", body).await
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_for_a_new_pair() {
    let app = TestApp::start().await;
    let first = app.login().await;
    let second = refresh(&app, &first["refresh_token"]).await.expect(200);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(second["user"], first["user"]);
    let token = second["access_token"].as_str().unwrap();
    app.with_bearer(token).get("/auth/me").await.expect(200);
    refresh(&app, &second["refresh_token"]).await.expect(200);
}

#[tokio::test]
async fn a_spent_refresh_token_revokes_every_token_of_its_login() {
    let app = TestApp::start().await;
    let bystander = app.login().await;
    let first = app.login().await;
    let second = refresh(&app, &first["refresh_token"]).await.expect(200);

    let stolen = refresh(&app, &first["refresh_token"]).await;
    assert_eq!(stolen.refused(401), "Invalid or expired token");
    let descendant = refresh(&app, &second["refresh_token"]).await;
    assert_eq!(descendant.refused(401), "Invalid or expired token");
    // Another login of the same person is another family.
    refresh(&app, &bystander["refresh_token"]).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_come_at_once_one_wins_and_its_token_is_worth_nothing() {
    let app = TestApp::start().await;
    let login = app.login().await;
    let token = &login["refresh_token"];
    let (one, other) = tokio::join!(refresh(&app, token), refresh(&app, token));
    let (won, lost) = if one.status == 200 {
        (one, other)
    } else {
        (other, one)
    };
    let won = won.expect(200);
    assert_eq!(lost.refused(401), "Invalid or expired token");
    let next = refresh(&app, &won["refresh_token"]).await;
    assert_eq!(next.refused(401), "Invalid or expired token");
}

#[tokio::test]
async fn a_refresh_token_past_its_time_is_refused() {
    let app = TestApp::start().await;
    let login = app.login().await;
    sqlx::query("UPDATE refresh_token SET expires_at = now() - interval '1 second'")
        .execute(app.rows())
        .await
        .unwrap();
    let answer = refresh(&app, &login["refresh_token"]).await;
    assert_eq!(answer.refused(401), "Invalid or expired token");
}

#[tokio::test]
async fn rubbish_is_no_refresh_token() {
    let app = TestApp::start().await;
    let login = app.login().await;
    // An access token is none either.
    for token in [json!("rubbish"), json!(""), login["access_token"].clone()] {
        let answer = refresh(&app, &token).await;
        assert_eq!(answer.refused(401), "Invalid or expired token");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
}

#[tokio::test]
async fn only_the_hash_of_a_refresh_token_is_kept() {
    let app = TestApp::start().await;
    let login = app.login().await;
    let token = login["refresh_token"].as_str().unwrap();
    let row: String = sqlx::query_scalar("SELECT t::text FROM refresh_token t")
        .fetch_one(app.rows())
        .await
        .unwrap();
    assert!(!row.contains(token), "{row}");
    assert!(!row.contains(&hex::encode(token)), "{row}");
}

#[tokio::test]
async fn logging_out_ends_the_logins_refresh_tokens() {
    let app = TestApp::start().await;
    let bystander = app.login().await;
    let login = app.login().await;
    let owner = app.with_bearer(login["access_token"].as_str().unwrap());
    let answer = owner.order("/auth/logout").await;
    assert_eq!(answer.expect(200), json!({"status": "ok"}));
    let answer = refresh(&app, &login["refresh_token"]).await;
    assert_eq!(answer.refused(401), "Invalid or expired token");
    refresh(&app, &bystander["refresh_token"]).await.expect(200);
}

#[tokio::test]
async fn an_api_key_cannot_log_out() {
    let app = TestApp::start().await;
    let answer = app.full_key().order("/auth/logout").await;
    assert!(answer.refused(403).contains("API key"), "{answer}");
}
