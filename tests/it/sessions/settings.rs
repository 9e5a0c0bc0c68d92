use serde_json::{Value, json};

use crate::support::{Session, TestApp};

#[tokio::test]
async fn settings_are_laid_over_those_that_are_there() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let session = Session::create(&key).await;
    let path = session.path("/settings");
    let shown = key.get(&path).await.expect(200);
    assert_eq!(shown, json!({"status": "ok", "config": {}}));

    let first = json!({"auto_transcribe": true, "greeting": "Hello", "hours": {"from": 9}});
    let answer = key.patch(&path, first.clone()).await.expect(200);
    assert_eq!(answer, json!({"status": "ok", "config": first}));
    let answer = key
        .patch(&path, json!({"greeting": "Hi"}))
        .await
        .expect(200);
    let merged = json!({"auto_transcribe": true, "greeting": "Hi", "hours": {"from": 9}});
    assert_eq!(answer["config"], merged);
    // A null removes.
    let answer = key
        .patch(&path, json!({"greeting": null, "none": null}))
        .await
        .expect(200);
    let left = json!({"auto_transcribe": true, "hours": {"from": 9}});
    assert_eq!(answer["config"], left);
    assert_eq!(key.get(&path).await.expect(200)["config"], left);
    assert_eq!(session.get().await["config"], left);
}

#[tokio::test]
async fn a_null_further_in_is_a_value_like_any_other() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let session = Session::create(&key).await;
    let path = session.path("/settings");
    let nested = json!({"hours": {"from": 9, "to": null}});
    let answer = key.patch(&path, nested.clone()).await.expect(200);
    assert_eq!(answer["config"], nested);
    let answer = key.patch(&path, json!({"other": 1})).await.expect(200);
    assert_eq!(answer["config"]["hours"], nested["hours"]);
}

#[tokio::test]
async fn settings_of_the_wrong_type_are_refused_whole() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let session = Session::create(&key).await;
    let path = session.path("/settings");
    let body = json!({"auto_transcribe": "yes", "greeting": "Hello"});
    let faults = key.patch(&path, body).await.faults();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].starts_with("body.auto_transcribe: "),
        "{faults:?}"
    );
    for body in [json!([]), json!("auto_transcribe"), Value::Null] {
        let faults = key.patch(&path, body).await.faults();
        assert!(faults[0].starts_with("body: "), "{faults:?}");
    }
    assert_eq!(key.get(&path).await.expect(200)["config"], json!({}));
}

#[tokio::test]
async fn settings_have_a_size() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let session = Session::create(&key).await;
    let path = session.path("/settings");
    let large = json!({"greeting": "x".repeat(17 * 1024)});
    assert!(
        key.patch(&path, large)
            .await
            .refused(400)
            .contains("16 KiB")
    );
    assert_eq!(key.get(&path).await.expect(200)["config"], json!({}));
}

#[tokio::test]
async fn numbers_at_the_edge_of_what_json_can_say_come_back_as_they_went() {
    let app = TestApp::start().await;
    let session = Session::create(&app.full_key()).await;
    let settings = json!({"least": f64::MIN, "small": 5e-324, "plain": 0.1});
    let path = session.path("/settings");
    let answer = app
        .full_key()
        .patch(&path, settings.clone())
        .await
        .expect(200);
    assert_eq!(answer["config"], settings);
    assert_eq!(
        app.full_key().get(&path).await.expect(200)["config"],
        settings
    );
}
