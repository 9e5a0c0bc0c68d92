use serde_json::{Value, json};

use crate::support::TestApp;

fn ada() -> Value {
    json!({
        "email": "Ada@Example.com", "password": "correct horse", "full_name": "Ada Lovelace",
        "tenant_name": "Analytical Engines",
    })
}

async fn open() -> TestApp {
    let app = TestApp::builder();
    app.set("MOLTFLOW_SIGNUP", "open").start().await
}

#[tokio::test]
async fn strangers_are_turned_away_unless_sign_up_is_open() {
    let app = TestApp::start().await;
    let answer = app.anonymous().post("/auth/signup", ada()).await;
    assert!(answer.refused(403).contains("MOLTFLOW_SIGNUP"), "{answer}");
    assert_eq!(app.count("SELECT count(*) FROM tenant").await, 1);
}

#[tokio::test]
async fn a_stranger_who_signs_up_is_the_owner_of_a_tenant_and_logged_in() {
    let app = open().await;
    let login = app
        .anonymous()
        .post("/auth/signup", ada())
        .await
        .expect(201);
    assert_eq!(login["token_type"], "bearer");
    assert_eq!(login["user"]["email"], "ada@example.com");
    assert_eq!(login["user"]["role"], "owner");
    assert_ne!(login["user"]["tenant_id"], app.first_run["tenant_id"]);
    let ada = app.with_bearer(login["access_token"].as_str().unwrap());
    let me = ada.get("/users/me").await.expect(200);
    assert_eq!(me["full_name"], "Ada Lovelace");
    assert_eq!(me["tenant"]["name"], "Analytical Engines");
    assert_eq!(ada.get("/sessions").await.expect(200), json!([]));
}

#[tokio::test]
async fn without_a_name_the_tenant_is_called_after_its_owner() {
    let app = open().await;
    let mut body = ada();
    body.as_object_mut().unwrap().remove("tenant_name");
    let login = app.anonymous().post("/auth/signup", body).await.expect(201);
    let ada = app.with_bearer(login["access_token"].as_str().unwrap());
    let me = ada.get("/users/me").await.expect(200);
    assert_eq!(me["tenant"]["name"], "Ada Lovelace");
}

#[tokio::test]
async fn an_address_that_is_taken_is_a_conflict_and_leaves_nothing() {
    let app = open().await;
    app.anonymous()
        .post("/auth/signup", ada())
        .await
        .expect(201);
    let mut twin = ada();
    twin["email"] = json!("ADA@example.com");
    let answer = app.anonymous().post("/auth/signup", twin).await;
    assert_eq!(
        answer.refused(409),
        "An account with this email already exists"
    );
    assert_eq!(app.count("SELECT count(*) FROM tenant").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_want_the_same_address_at_once_one_gets_it() {
    let app = open().await;
    let nobody = app.anonymous();
    let (one, other) = tokio::join!(
        nobody.post("/auth/signup", ada()),
        nobody.post("/auth/signup", ada())
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(app.count("SELECT count(*) FROM tenant").await, 2);
}

#[tokio::test]
async fn everything_wrong_with_a_sign_up_is_listed_at_once() {
    let app = open().await;
    let body = json!({"email": "no address", "password": "short", "full_name": "Ada"});
    let mut faults = app.anonymous().post("/auth/signup", body).await.faults();
    faults.sort();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("body.email: "), "{faults:?}");
    assert!(faults[1].starts_with("body.password: "), "{faults:?}");

    let faults = app
        .anonymous()
        .post("/auth/signup", json!({}))
        .await
        .faults();
    let required = |field| format!("body.{field}: field required (value_error.missing)");
    let all = ["email", "password", "full_name"].map(required);
    assert_eq!(faults, all);
}

#[tokio::test]
async fn neither_password_nor_token_is_kept_in_clear() {
    let app = open().await;
    let login = app
        .anonymous()
        .post("/auth/signup", ada())
        .await
        .expect(201);
    let hash: String =
        sqlx::query_scalar("SELECT password_hash FROM app_user WHERE email = 'ada@example.com'")
            .fetch_one(app.rows())
            .await
            .unwrap();
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    assert!(!login.to_string().contains("argon2"), "{login}");
}
