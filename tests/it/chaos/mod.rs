//! What breaks under the real server, in forms that take some seconds. The long ones are run by
//! `cargo xtask chaos`.

use mf_chaos::{Form, Lab, Source, injections};
use mf_test_support::TestDatabase;

/// Choices follow from it: the same in every run.
const SEED: u64 = 7;

fn lab(source: Source) -> Lab {
    Lab {
        program: env!("CARGO_BIN_EXE_moltflow-under-test").into(),
        seed: SEED,
        source,
        logs: concat!(env!("CARGO_TARGET_TMPDIR"), "/chaos").into(),
    }
}

/// Runs an injection, every bound of which has to be met.
#[allow(clippy::print_stdout, reason = "a run says what it measured")]
async fn meets_its_bounds(name: &str, lab: &Lab) {
    let injection = injections::find(name).expect("an injection of this name");
    let outcome = injection.run(lab, Form::Short).await;
    println!("{}", outcome.line());
    assert!(outcome.met, "{}", outcome.line());
}

/// On a database of the cluster that tests share.
async fn on_a_shared_database(name: &str) {
    let database = TestDatabase::create().await;
    let source = Source::Given {
        url: database.url(),
        rows: database.rows().clone(),
    };
    meets_its_bounds(name, &lab(source)).await;
    database.remove().await;
}

#[tokio::test]
async fn a_server_killed_during_deliveries_loses_nothing_and_repeats_what_was_under_way() {
    on_a_shared_database("kill_during_deliveries").await;
}

#[tokio::test]
async fn an_event_that_was_committed_arrives_though_nobody_was_woken() {
    on_a_shared_database("crash_between_commit_and_wake").await;
}

#[tokio::test]
async fn a_database_that_stops_and_comes_back_costs_nothing() {
    meets_its_bounds("postgres_immediate", &lab(Source::Own)).await;
}

#[tokio::test]
async fn connections_that_end_all_the_time_cost_nothing() {
    on_a_shared_database("terminate_backends").await;
}

#[tokio::test]
async fn a_server_that_stood_still_writes_nothing_of_what_it_thinks_afterwards() {
    on_a_shared_database("sigstop_past_lease").await;
}

#[tokio::test]
async fn bad_endpoints_slow_neither_their_neighbours_nor_strangers() {
    on_a_shared_database("slow_and_endless_endpoints").await;
}

#[tokio::test]
async fn nothing_makes_the_server_call_what_only_it_can_reach() {
    on_a_shared_database("ssrf").await;
}
