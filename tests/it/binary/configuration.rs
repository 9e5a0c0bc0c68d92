//! What a start refuses, and how it says so.

use tokio::net::TcpListener;

use super::rig::{JWT_SECRET, MASTER_KEY, World};

#[tokio::test]
async fn every_fault_of_a_configuration_is_listed_at_once() {
    let world = World::new()
        .with("MOLTFLOW_ADDR", "localhost")
        .with("MOLTFLOW_ENGINE_URL", "waha:3000")
        .with("MOLTFLOW_ENGINE_TIMEOUT", "0")
        .with("MOLTFLOW_SIGNUP", "perhaps")
        .with("MOLTFLOW_DB_CONNECTIONS", "many")
        .with("MOLTFLOW_JWT_SECRET", "short")
        .with("MOLTFLOW_MASTER_KEY", "c2hvcnQ=")
        .with("MOLTFLOW_LOG_FORMAT", "xml");
    let said = world.fail(2, &[]).await;
    for name in [
        "MOLTFLOW_ADDR",
        "MOLTFLOW_ENGINE_URL",
        "MOLTFLOW_ENGINE_TIMEOUT",
        "MOLTFLOW_SIGNUP",
        "MOLTFLOW_DB_CONNECTIONS",
        "MOLTFLOW_JWT_SECRET",
        "MOLTFLOW_MASTER_KEY",
        "MOLTFLOW_LOG_FORMAT",
    ] {
        assert!(said.contains(&format!("  - {name}: ")), "{name}: {said}");
    }
    assert!(said.contains("8 fault(s)"), "{said}");
    // Nothing was begun.
    assert!(!world.data_dir().exists());
}

#[tokio::test]
async fn whoever_names_a_database_or_listens_to_the_network_must_set_the_secrets() {
    let database = ("DATABASE_URL", "postgres://app:app@127.0.0.1:9/moltflow");
    for (name, value) in [database, ("MOLTFLOW_ADDR", "0.0.0.0:0")] {
        let said = World::new().with(name, value).fail(2, &[]).await;
        for secret in ["MOLTFLOW_JWT_SECRET", "MOLTFLOW_MASTER_KEY"] {
            let sentence = format!("{secret}: must be set, since {name} is");
            assert!(said.contains(&sentence), "{said}");
        }
    }
}

#[tokio::test]
async fn secrets_that_everybody_knows_are_refused() {
    let world = World::new()
        .with(
            "MOLTFLOW_JWT_SECRET",
            "change-me-change-me-change-me-change-me",
        )
        .with(
            "MOLTFLOW_MASTER_KEY",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        );
    let said = world.fail(2, &[]).await;
    assert!(
        said.contains("MOLTFLOW_JWT_SECRET: is the example's"),
        "{said}"
    );
    assert!(
        said.contains("MOLTFLOW_MASTER_KEY: must be random"),
        "{said}"
    );
}

#[tokio::test]
async fn an_address_that_is_taken_is_said_in_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let said = World::new().with("MOLTFLOW_ADDR", &addr).fail(1, &[]).await;
    let sentence = format!("cannot listen on {addr}: set MOLTFLOW_ADDR to another port");
    assert!(said.contains(&sentence), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_said_without_its_password() {
    let world = World::new()
        .with(
            "DATABASE_URL",
            "postgres://app:hunter2hunter2@127.0.0.1:9/moltflow",
        )
        .with("MOLTFLOW_JWT_SECRET", JWT_SECRET)
        .with("MOLTFLOW_MASTER_KEY", MASTER_KEY);
    let said = world.fail(1, &[]).await;
    assert!(said.contains("the database does not answer"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn a_log_filter_that_is_none_is_a_fault() {
    let said = World::new()
        .with("MOLTFLOW_LOG", "a=b=c")
        .fail(2, &[])
        .await;
    assert!(said.contains("MOLTFLOW_LOG"), "{said}");
}
