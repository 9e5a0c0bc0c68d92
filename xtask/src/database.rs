//! The PostgreSQL that tests and `prepare` use: ours alone, fast because nothing in it matters.

use anyhow::{Context, Result};
use mf_local_postgres::{LocalPostgres, Options};

use crate::workspace::Workspace;

/// Starts it in the target folder, or finds it running there.
pub(crate) async fn start(workspace: &Workspace) -> Result<LocalPostgres> {
    let settings = [
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
        ("max_connections", "200"),
    ];
    let options = Options {
        bin_dir: std::env::var_os("MOLTFLOW_PG_BIN").map(Into::into),
        download: match std::env::var_os("MOLTFLOW_PG_DOWNLOAD") {
            Some(value) if value == "never" => mf_local_postgres::Download::Never,
            _ => mf_local_postgres::Download::Allowed,
        },
        settings: settings
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        notice: |text| println!("{text}"),
        ..Options::new(workspace.target.join("test-postgres"), "moltflow_test")
    };
    let postgres = LocalPostgres::start(&options)
        .await
        .context("no database to test with")?;
    println!("{}", postgres.describe());
    Ok(postgres)
}

/// Stops it, unless it ran before: then somebody else is at work with it.
pub(crate) async fn stop(postgres: LocalPostgres) -> Result<()> {
    if !postgres.was_running() {
        postgres.stop().await?;
    }
    Ok(())
}
