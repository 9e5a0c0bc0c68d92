use serde_json::{Value, json};

use super::{Hook, Scene, assert_signed, plain, standard};
use crate::support::TestApp;

const URL: &str = "https://example.com/hook";

#[tokio::test]
async fn a_secret_is_rotated_in_two_steps() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    let old = hook.secret.clone();
    let rotated = hook.order("/rotate-secret").await.expect(200);
    let new = rotated["secret"].as_str().unwrap().to_owned();
    let until = rotated["previous_secret_valid_until"].clone();
    let expected = json!({
        "id": hook.id, "secret": new, "previous_secret_valid_until": until,
    });
    assert_eq!(rotated, expected);
    assert!(new.starts_with("whsec_") && new != old, "{rotated}");
    let rotation = json!({"previous_secret_valid_until": until});
    assert_eq!(hook.get().await["secret_rotation"], rotation);

    // Both sign; the header that holds one is made with the one that receivers have.
    scene.tell("one").await;
    let arrival = scene.receiver.arrived("/hook", 1).await.remove(0);
    let both = format!("{} {}", standard(&new, &arrival), standard(&old, &arrival));
    assert_eq!(arrival.header("webhook-signature"), both);
    let header = arrival.header("x-webhook-signature");
    assert_eq!(header, plain(&old, &arrival.body));

    let activate = json!({"activate": true});
    let path = hook.path("/rotate-secret");
    let activated = scene.key.post(&path, activate.clone()).await.expect(200);
    let expected = json!({
        "id": hook.id, "secret": null, "previous_secret_valid_until": null,
    });
    assert_eq!(activated, expected);
    assert_eq!(hook.get().await["secret_rotation"], Value::Null);
    scene.tell("two").await;
    let arrivals = scene.receiver.arrived("/hook", 2).await;
    assert_signed(&arrivals[1], &new);

    let again = scene.key.post(&path, activate).await;
    assert_eq!(again.refused(400), "No rotation of the secret is under way");
}

#[tokio::test]
async fn a_rotation_ends_by_itself() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    let body = json!({"secret": "the next secret", "activate": false});
    let path = hook.path("/rotate-secret");
    let rotated = scene.key.post(&path, body).await.expect(200);
    assert_eq!(rotated["secret"], "the next secret");
    sqlx::query("UPDATE webhook SET previous_until = now() - interval '1 second'")
        .execute(scene.app.rows())
        .await
        .unwrap();
    assert_eq!(hook.get().await["secret_rotation"], Value::Null);
    scene.tell("hello").await;
    let arrivals = scene.receiver.arrived("/hook", 1).await;
    assert_signed(&arrivals[0], "the next secret");
    let late = scene.key.post(&path, json!({"activate": true})).await;
    assert_eq!(late.refused(400), "No rotation of the secret is under way");
}

#[tokio::test]
async fn a_window_is_a_day() {
    let app = TestApp::start().await;
    let hook = Hook::on(&app.full_key(), URL, &["*"]).await;
    hook.order("/rotate-secret").await.expect(200);
    let a_day = "SELECT count(*) FROM webhook WHERE previous_until
                 BETWEEN now() + interval '23 hours 59 minutes' AND now() + interval '24 hours'";
    assert_eq!(app.count(a_day).await, 1);
}

#[tokio::test]
async fn a_new_secret_and_the_end_of_the_rotation_do_not_go_together() {
    let app = TestApp::start().await;
    let hook = Hook::on(&app.full_key(), URL, &["*"]).await;
    let body = json!({"secret": "a secret of mine", "activate": true});
    let answer = hook.client.post(&hook.path("/rotate-secret"), body).await;
    let faults = answer.faults();
    assert!(faults[0].starts_with("body.activate: "), "{faults:?}");
    assert_eq!(hook.get().await["secret_rotation"], Value::Null);
    let nothing = hook.path("/rotate-secret");
    let nothing = hook.client.post(&nothing, json!({"activate": true})).await;
    nothing.refused(400);
}

#[tokio::test]
async fn a_secret_that_is_replaced_ends_the_rotation() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    hook.order("/rotate-secret").await.expect(200);
    hook.patch(json!({"secret": "from now on, this one"})).await;
    assert_eq!(hook.get().await["secret_rotation"], Value::Null);
    scene.tell("hello").await;
    let arrivals = scene.receiver.arrived("/hook", 1).await;
    assert_signed(&arrivals[0], "from now on, this one");
}

#[tokio::test]
async fn whoever_rotates_twice_still_signs_with_the_secrets_that_receivers_have() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    // The first answer was lost on its way, or was not.
    hook.order("/rotate-secret").await.expect(200);
    let path = hook.path("/rotate-secret");
    let rotation = hook.get().await["secret_rotation"].clone();
    for body in [json!({}), json!({"secret": "another one altogether"})] {
        let sentence = scene.key.post(&path, body).await.refused(400);
        assert!(sentence.contains(r#"{"replace": true}"#), "{sentence}");
    }
    assert_eq!(hook.get().await["secret_rotation"], rotation);
    let both = json!({"replace": true, "activate": true});
    assert_eq!(scene.key.post(&path, both).await.status, 422);
    let replace = json!({"replace": true});
    let rotated = scene.key.post(&path, replace).await.expect(200);
    let new = rotated["secret"].as_str().unwrap();
    scene.tell("hello").await;
    let arrival = scene.receiver.arrived("/hook", 1).await.remove(0);
    let header = arrival.header("x-webhook-signature");
    assert_eq!(header, plain(&hook.secret, &arrival.body));
    let list = arrival.header("webhook-signature");
    for secret in [new, &hook.secret] {
        assert!(list.contains(&standard(secret, &arrival)), "{list}");
    }
}
