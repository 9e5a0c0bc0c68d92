//! What an operator does beside a running server, and without one.

use std::time::{Duration, Instant};

use mf_test_support::{Client, Credential};
use serde_json::{Value, json};

use super::{
    client::{log_in, until},
    rig::World,
};

fn json_of(printed: &str) -> Value {
    serde_json::from_str(printed).unwrap_or_else(|error| panic!("{error}: {printed:?}"))
}

#[tokio::test]
async fn commands_work_beside_a_running_server_and_it_heeds_them_at_once() {
    let world = World::new();
    let server = world.start().await;
    let first = world.first_run();

    keys(&world, &server.base_url).await;
    passwords(&world, &server.base_url, &first.email, &first.password).await;

    let tenant = world.succeed(&[
        "tenants",
        "create",
        "Agency",
        "--owner",
        "a@agency.example",
        "--json",
    ]);
    let tenant = json_of(&tenant.await);
    let password = tenant["password"].as_str().unwrap();
    let (_, login) = log_in(&server.base_url, "a@agency.example", password).await;
    assert_eq!(login["user"]["tenant_id"], tenant["tenant_id"]);
    assert_eq!(login["user"]["role"], "owner");
    let tenants = json_of(&world.succeed(&["tenants", "list", "--json"]).await);
    assert_eq!(tenants.as_array().unwrap().len(), 2, "{tenants}");
    // Now it has to be said whose keys are meant.
    let said = world.fail(1, &["keys", "list"]).await;
    assert!(said.contains("--tenant"), "{said}");
    let theirs = [
        "keys",
        "list",
        "--json",
        "--tenant",
        tenant["tenant_id"].as_str().unwrap(),
    ];
    assert_eq!(json_of(&world.succeed(&theirs).await), json!([]));

    let health = ["healthcheck", "--url", &server.base_url];
    world.succeed(&health).await;
    let url = server.base_url.clone();
    server.stop().await;
    world.fail(1, &["healthcheck", "--url", &url]).await;
}

async fn keys(world: &World, base_url: &str) {
    let made = world.succeed(&[
        "keys",
        "create",
        "--name",
        "ci",
        "--scopes",
        "sessions:read",
        "--json",
    ]);
    let made = json_of(&made.await);
    let key = Client::new(
        base_url,
        Credential::ApiKey(made["raw_key"].as_str().unwrap().to_owned()),
    );
    key.get("/sessions").await.expect(200);
    key.post("/sessions", json!({"name": "Not mine to make"}))
        .await
        .refused(403);

    let listed = json_of(&world.succeed(&["keys", "list", "--json"]).await);
    let names: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["name"])
        .collect();
    assert_eq!(names, ["ci", "First key"]);
    assert_eq!(listed[0]["id"], made["id"]);
    assert_eq!(listed[0]["scopes"], json!(["sessions:read"]));
    assert!(
        !listed
            .to_string()
            .contains(made["raw_key"].as_str().unwrap())
    );

    // The key is in the server's memory by now.
    world
        .succeed(&["keys", "delete", made["id"].as_str().unwrap()])
        .await;
    let begun = Instant::now();
    until(&key, "/sessions", |answer| answer.status == 401).await;
    let took = begun.elapsed();
    assert!(
        took < Duration::from_secs(2),
        "the key was good for {took:?} more"
    );
    world
        .fail(1, &["keys", "delete", made["id"].as_str().unwrap()])
        .await;

    let printed = world.succeed(&["keys", "create"]).await;
    let raw = printed
        .trim()
        .strip_prefix("export MOLTFLOW_API_KEY=")
        .unwrap();
    let key = Client::new(base_url, Credential::ApiKey(raw.to_owned()));
    key.post("/sessions", json!({"name": "Mine"}))
        .await
        .expect(201);
}

async fn passwords(world: &World, base_url: &str, email: &str, password: &str) {
    let (_, login) = log_in(base_url, email, password).await;
    let printed = world.succeed(&["users", "set-password", email]).await;
    let new = printed.trim().rsplit(' ').next().unwrap();
    let nobody = Client::new(base_url, Credential::None);
    let refresh = json!({"refresh_token": login["refresh_token"]});
    nobody.post("/auth/refresh", refresh).await.refused(401);
    let old = json!({"email": email, "password": password});
    nobody.post("/auth/login", old).await.refused(401);
    log_in(base_url, email, new).await;
    let said = world
        .fail(1, &["users", "set-password", "nobody@example.com"])
        .await;
    assert!(
        said.contains("there is no user nobody@example.com"),
        "{said}"
    );
}

/// For scripts, only JSON is on standard output: what the database has to say is not.
#[tokio::test]
async fn commands_work_without_a_server_and_leave_nothing_running() {
    let world = World::new();
    let made = world.succeed(&[
        "tenants",
        "create",
        "First",
        "--owner",
        "o@example.com",
        "--json",
    ]);
    let tenant = json_of(&made.await)["tenant_id"].clone();
    assert_eq!(world.postmaster(), None);
    let made = json_of(&world.succeed(&["keys", "create", "--json"]).await);
    assert_eq!(world.postmaster(), None);

    // Somebody is there already: that is no first start.
    let server = world.start().await;
    assert!(!world.data_dir().join("first-run.json").exists());
    let key = server.client(made["raw_key"].as_str().unwrap());
    let me = key.get("/auth/me").await.expect(200);
    assert_eq!(me["tenant"]["id"], tenant);
    server.stop().await;
}

#[tokio::test]
async fn what_needs_no_database_starts_none() {
    let world = World::new();
    let document = json_of(&world.succeed(&["openapi"]).await);
    assert!(document["paths"]["/api/v2/messages/send"].is_object());
    let settings = world.succeed(&["settings"]).await;
    for setting in mf_server::SETTINGS {
        assert!(
            settings.contains(&format!("\n#{}=", setting.name)),
            "{}",
            setting.name
        );
    }
    let help = world.succeed(&["--help"]).await;
    for command in [
        "serve",
        "worker",
        "migrate",
        "keys",
        "users",
        "tenants",
        "inbox",
        "openapi",
        "settings",
        "healthcheck",
    ] {
        assert!(
            help.contains(&format!("\n  {command}")),
            "{command}: {help}"
        );
    }
    world.succeed(&["--version"]).await;
    world.fail(2, &["frobnicate"]).await;
    world.fail(2, &["keys", "delete", "no-id"]).await;
    // Nobody is there.
    world
        .fail(1, &["healthcheck", "--url", "http://127.0.0.1:9"])
        .await;
    assert!(!world.data_dir().exists());
}
