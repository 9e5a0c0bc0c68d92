//! What the server says of itself.

use serde_json::Value;

use crate::support::TestApp;

#[tokio::test]
async fn swagger_ui_and_its_scripts_are_served_from_here() {
    let app = TestApp::start().await;
    let nobody = app.anonymous().root();
    let page = nobody.get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html"),
        "{page}"
    );
    let html = page.text();
    assert!(html.contains("swagger-ui"), "{html}");
    let scripts: Vec<&str> = html
        .split("src=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(!scripts.is_empty(), "{html}");
    for script in scripts {
        assert!(!script.contains("//"), "{script} is somebody else's");
        let answer = nobody
            .get(&format!("/docs/{}", script.trim_start_matches("./")))
            .await;
        assert_eq!(answer.status, 200, "{script}");
        assert!(
            answer
                .header("content-type")
                .unwrap()
                .contains("javascript"),
            "{script}"
        );
        assert!(!answer.body.is_empty(), "{script}");
    }
    let redirect = nobody.get("/docs").await;
    assert!(
        redirect.status == 200 || redirect.status / 100 == 3,
        "{redirect}"
    );
}

#[tokio::test]
async fn the_document_is_the_one_in_the_repository() {
    let app = TestApp::start().await;
    let served = app
        .anonymous()
        .root()
        .get("/openapi.json")
        .await
        .expect(200);
    let committed: Value =
        serde_json::from_str(include_str!("../../openapi/openapi.json")).unwrap();
    assert!(served == committed, "run cargo xtask openapi");
}

#[tokio::test]
async fn whatever_takes_a_body_documents_it() {
    let app = TestApp::start().await;
    let document = app
        .anonymous()
        .root()
        .get("/openapi.json")
        .await
        .expect(200);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            // What can refuse a body's type reads one.
            if operation["responses"].get("415").is_some() {
                let schema = operation.pointer("/requestBody/content/application~1json/schema");
                assert!(
                    schema.is_some(),
                    "{method} {path} does not say what it takes"
                );
            }
        }
    }
}

#[test]
fn the_example_of_an_environment_names_every_setting() {
    let example = include_str!("../../.env.example");
    assert_eq!(
        example,
        mf_server::env_example(),
        "run moltflow settings > .env.example"
    );
    for setting in mf_server::SETTINGS {
        assert!(example.contains(setting.name), "{}", setting.name);
    }
}
