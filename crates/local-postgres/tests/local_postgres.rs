//! The whole way, with the PostgreSQL that this machine has.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail by panicking"
)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mf_local_postgres::{Download, Error, LocalPostgres, Options};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;

/// A folder that the user PostgreSQL runs as may enter, even when we are root.
fn folder() -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o755)).unwrap();
    temp
}

/// Whatever is installed, and nothing made durable: these tests are about starting and stopping.
fn options(temp: &TempDir) -> Options {
    Options {
        download: Download::Never,
        settings: vec![("fsync".into(), "off".into())],
        ..Options::new(temp.path().join("pg"), "moltflow")
    }
}

fn port(postgres: &LocalPostgres) -> u16 {
    let (_, rest) = postgres.url().split_once("@127.0.0.1:").unwrap();
    rest.strip_suffix("/moltflow").unwrap().parse().unwrap()
}

fn pid_file(temp: &TempDir) -> String {
    fs::read_to_string(temp.path().join("pg/data/postmaster.pid")).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn exists(pid: u32) -> bool {
    rustix::process::test_kill_process(Pid::from_raw(pid.cast_signed()).unwrap()).is_ok()
}

fn kill(pid: u32) {
    rustix::process::kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_first_start_needs_nothing_and_stop_leaves_nothing_running() {
    let temp = folder();
    let postgres = LocalPostgres::start(&options(&temp)).await.unwrap();

    TcpStream::connect(("127.0.0.1", port(&postgres))).unwrap();
    assert!(pid_file(&temp).lines().nth(7).unwrap().starts_with("ready"));
    assert!(
        postgres.describe().ends_with(", started"),
        "{}",
        postgres.describe()
    );
    assert_eq!(mode(&temp.path().join("pg/data")), 0o700);
    assert_eq!(mode(&temp.path().join("pg/password")), 0o600);
    assert!(!temp.path().join("pg/password.initdb").exists());

    let pid = postgres.pid();
    postgres.stop().await.unwrap();
    assert!(!exists(pid));
    assert!(!temp.path().join("pg/data/postmaster.pid").exists());
}

#[tokio::test]
async fn a_running_server_is_reused_and_can_be_stopped() {
    let temp = folder();
    let first = LocalPostgres::start(&options(&temp)).await.unwrap();
    let second = LocalPostgres::start(&options(&temp)).await.unwrap();
    assert_eq!(second.pid(), first.pid());
    assert_eq!(second.url(), first.url());
    assert!(
        second.describe().ends_with(", reused"),
        "{}",
        second.describe()
    );

    drop(first);
    TcpStream::connect(("127.0.0.1", port(&second))).unwrap();
    second.stop().await.unwrap();
    assert!(!temp.path().join("pg/data/postmaster.pid").exists());
}

#[tokio::test]
async fn starts_at_the_same_time_share_one_server() {
    let temp = folder();
    let options = options(&temp);
    let (first, second) = tokio::join!(
        LocalPostgres::start(&options),
        LocalPostgres::start(&options)
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.pid(), second.pid());
    first.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_is_started_again() {
    let temp = folder();
    let first = LocalPostgres::start(&options(&temp)).await.unwrap();
    kill(first.pid());
    let second = LocalPostgres::start(&options(&temp)).await.unwrap();
    assert_ne!(second.pid(), first.pid());
    TcpStream::connect(("127.0.0.1", port(&second))).unwrap();
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_left_over_pid_file_with_somebodys_id_does_not_matter() {
    let temp = folder();
    let first = LocalPostgres::start(&options(&temp)).await.unwrap();
    let left =
        pid_file(&temp).replacen(&first.pid().to_string(), &std::process::id().to_string(), 1);
    first.stop().await.unwrap();
    fs::write(temp.path().join("pg/data/postmaster.pid"), left).unwrap();
    let second = LocalPostgres::start(&options(&temp)).await.unwrap();
    assert_ne!(second.pid(), std::process::id());
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_port_taken_meanwhile_is_given_up() {
    let temp = folder();
    let first = LocalPostgres::start(&options(&temp)).await.unwrap();
    let taken = port(&first);
    first.stop().await.unwrap();
    let _stranger = TcpListener::bind(("127.0.0.1", taken)).unwrap();
    let second = LocalPostgres::start(&options(&temp)).await.unwrap();
    assert_ne!(port(&second), taken);
    second.stop().await.unwrap();
}

#[tokio::test]
async fn settings_are_passed() {
    let temp = folder();
    let mut options = options(&temp);
    options
        .settings
        .push(("max_connections".into(), "17".into()));
    let postgres = LocalPostgres::start(&options).await.unwrap();
    let started_with = fs::read_to_string(temp.path().join("pg/data/postmaster.opts")).unwrap();
    assert!(
        started_with.contains("max_connections=17"),
        "{started_with}"
    );
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_setting_that_postgres_refuses_is_quoted_in_the_error() {
    let temp = folder();
    let first = LocalPostgres::start(&options(&temp)).await.unwrap();
    first.stop().await.unwrap();
    let mut options = options(&temp);
    options
        .settings
        .push(("no_such_setting".into(), "1".into()));
    let error = LocalPostgres::start(&options).await.unwrap_err();
    assert!(matches!(error, Error::NotReady { .. }));
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[tokio::test]
async fn a_second_database_is_made_before_the_next_start_but_not_while_running() {
    let temp = folder();
    let first = LocalPostgres::start(&options(&temp)).await.unwrap();
    let other = Options {
        database: "other".into(),
        ..options(&temp)
    };
    let error = LocalPostgres::start(&other).await.unwrap_err();
    assert!(matches!(error, Error::DatabaseMissing { .. }), "{error}");
    first.stop().await.unwrap();
    let second = LocalPostgres::start(&other).await.unwrap();
    assert!(second.url().ends_with("/other"));
    assert!(temp.path().join("pg/databases").exists());
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_an_unknown_major_version_is_left_alone() {
    let temp = folder();
    let first = LocalPostgres::start(&options(&temp)).await.unwrap();
    first.stop().await.unwrap();
    fs::write(temp.path().join("pg/data/PG_VERSION"), "99\n").unwrap();
    let error = LocalPostgres::start(&options(&temp)).await.unwrap_err();
    assert!(matches!(error, Error::MajorMissing { .. }), "{error}");
    assert!(
        error.to_string().contains("apt install postgresql-99"),
        "{error}"
    );
}

#[tokio::test]
async fn a_cluster_without_its_password_is_left_alone() {
    let temp = folder();
    let first = LocalPostgres::start(&options(&temp)).await.unwrap();
    first.stop().await.unwrap();
    fs::remove_file(temp.path().join("pg/password")).unwrap();
    let error = LocalPostgres::start(&options(&temp)).await.unwrap_err();
    assert!(matches!(error, Error::PasswordMissing { .. }), "{error}");
}

#[tokio::test]
async fn a_database_name_that_needs_quoting_is_refused() {
    let temp = folder();
    let options = Options {
        database: "Molt\"Flow".into(),
        ..options(&temp)
    };
    let error = LocalPostgres::start(&options).await.unwrap_err();
    assert!(matches!(error, Error::DatabaseName(_)), "{error}");
}
