use super::document::{Ids, PUBLIC, operations};
use crate::support::TestApp;

#[tokio::test]
async fn without_a_credential_nothing_is_open_but_the_ways_in() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    let ids = Ids::of_nothing();
    let operations = operations(&app).await;
    for public in PUBLIC {
        assert!(
            operations.iter().any(|o| o.id == public),
            "{public} is gone"
        );
    }
    for operation in &operations {
        for body in operation.bodies(&ids) {
            let answer = operation.call(&nobody, &ids, body.as_ref()).await;
            if operation.is_public() {
                assert_ne!(answer.json()["detail"], "Not authenticated", "{answer}");
                continue;
            }
            assert_eq!(answer.refused(401), "Not authenticated", "{answer}");
            assert_eq!(
                answer.header("www-authenticate"),
                Some("Bearer"),
                "{answer}"
            );
        }
    }
}

#[tokio::test]
async fn a_key_without_the_documented_scope_is_refused_and_told_so() {
    let app = TestApp::start().await;
    let lesser = app.key(&["gdpr:manage"]).await;
    let ids = Ids::of_nothing();
    for operation in operations(&app).await {
        if operation.is_public() {
            continue;
        }
        for body in operation.bodies(&ids) {
            let answer = operation.call(&lesser, &ids, body.as_ref()).await;
            let Some(scopes) = &operation.key_scopes else {
                // No key may, whatever its scopes.
                answer.refused(403);
                continue;
            };
            if scopes.is_empty() {
                assert_ne!(answer.status, 403, "{answer}");
                continue;
            }
            let scopes = scopes.join(" ");
            let sentence = format!("Missing required scope: {scopes}");
            assert_eq!(answer.refused(403), sentence, "{answer}");
            assert_eq!(
                answer.header("x-required-scopes"),
                Some(scopes.as_str()),
                "{answer}"
            );
        }
    }
}

#[tokio::test]
async fn a_key_with_the_documented_scope_alone_is_let_in() {
    let app = TestApp::start().await;
    let ids = Ids::of_nothing();
    for operation in operations(&app).await {
        let Some(scopes) = operation.key_scopes.as_ref().filter(|s| !s.is_empty()) else {
            continue;
        };
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let key = app.key(&scopes).await;
        for body in operation.bodies(&ids) {
            let answer = operation.call(&key, &ids, body.as_ref()).await;
            assert_ne!(answer.status, 403, "{answer}");
            assert_ne!(answer.status, 401, "{answer}");
        }
    }
}

#[tokio::test]
async fn the_owner_who_logged_in_may_do_all_of_it() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let ids = Ids::of_nothing();
    for operation in operations(&app).await {
        if operation.is_public() {
            continue;
        }
        for body in operation.bodies(&ids) {
            let answer = operation.call(&owner, &ids, body.as_ref()).await;
            assert_ne!(answer.status, 403, "{answer}");
            assert_ne!(answer.status, 401, "{answer}");
            assert!(answer.status < 500, "{answer}");
        }
    }
}
