use std::time::Duration;

use mf_domain::{RefreshFamilyId, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::support::TestApp;

#[tokio::test]
async fn the_right_password_logs_in() {
    let app = TestApp::start().await;
    let login = app.login().await;
    assert_eq!(login["token_type"], "bearer");
    assert_eq!(login["expires_in"], 900);
    assert_eq!(login["user"]["email"], "owner@moltflow.local");
    assert_eq!(login["user"]["role"], "owner");
    assert_eq!(login["user"]["tenant_id"], app.first_run["tenant_id"]);
    let mut fields: Vec<&String> = login["user"].as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["email", "full_name", "id", "role", "tenant_id"]);
    assert_ne!(login["access_token"], login["refresh_token"]);
}

#[tokio::test]
async fn the_address_is_the_same_in_capitals() {
    let app = TestApp::start().await;
    let body = json!({
        "email": " Owner@MoltFlow.LOCAL ", "password": app.first_run["password"],
    });
    app.anonymous().post("/auth/login", body).await.expect(200);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    for (email, password) in [
        ("owner@moltflow.local", "wrong password"),
        ("nobody@moltflow.local", "wrong password"),
        (
            "nobody@moltflow.local",
            app.first_run["password"].as_str().unwrap(),
        ),
        ("no address at all", "wrong password"),
        ("owner@moltflow.local", ""),
    ] {
        let body = json!({"email": email, "password": password});
        let answer = nobody.post("/auth/login", body).await;
        let expected = json!({"detail": "Incorrect email or password"});
        assert_eq!(answer.expect(401), expected, "{email}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
}

#[tokio::test]
async fn a_suspended_user_can_neither_log_in_nor_refresh() {
    let app = TestApp::start().await;
    let login = app.login().await;
    sqlx::query("UPDATE app_user SET is_active = false")
        .execute(app.rows())
        .await
        .unwrap();
    let body = json!({
        "email": app.first_run["email"], "password": app.first_run["password"],
    });
    let answer = app.anonymous().post("/auth/login", body).await;
    assert_eq!(answer.refused(401), "Incorrect email or password");
    let body = json!({"refresh_token": login["refresh_token"]});
    let answer = app.anonymous().post("/auth/refresh", body).await;
    assert_eq!(answer.refused(401), "Invalid or expired token");
}

#[tokio::test]
async fn an_access_token_past_its_time_is_refused() {
    let app = TestApp::start().await;
    let login = app.login().await;
    let user: Uuid = login["user"]["id"].as_str().unwrap().parse().unwrap();
    let family = RefreshFamilyId::from(Uuid::from_u128(1));
    let tokens = app.services().auth.tokens();
    let issue = |ttl| tokens.issue(UserId::from(user), family, ttl).unwrap();

    let good = app.with_bearer(&issue(Duration::from_mins(1)));
    good.get("/auth/me").await.expect(200);
    let ended = app.with_bearer(&issue(Duration::ZERO));
    let answer = ended.get("/auth/me").await;
    assert_eq!(answer.refused(401), "Invalid or expired token");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn a_token_that_was_tampered_with_is_refused() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let (head, signature) = owner.secret().rsplit_once('.').unwrap();
    let (header, claims) = head.split_once('.').unwrap();
    // {"alg":"none","typ":"JWT"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    let swapped = format!("{header}.{claims}A.{signature}");
    for token in [unsigned, swapped, head.to_owned(), "eyJ".to_owned()] {
        let answer = app.with_bearer(&token).get("/auth/me").await;
        assert_eq!(answer.refused(401), "Invalid or expired token", "{token}");
    }
}

#[tokio::test]
async fn how_long_a_token_is_good_is_the_operators_to_say() {
    let app = TestApp::builder();
    let app = app.set("MOLTFLOW_ACCESS_TOKEN_MINUTES", 30).start().await;
    assert_eq!(app.login().await["expires_in"], 1800);
}
