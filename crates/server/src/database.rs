//! Which database: the one that was named, or one of our own.

use anyhow::Context as _;
use mf_local_postgres::{Download, LocalPostgres, Options};
use mf_store::{PoolOptions, Store};
use secrecy::ExposeSecret as _;

use crate::Config;

/// The database, and the server of it where that is ours.
pub(crate) struct Database {
    pub(crate) store: Store,
    /// `None`: somebody else's.
    pub(crate) local: Option<LocalPostgres>,
}

impl Database {
    /// Connects, after starting a database of our own where none was named.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let (url, local) = match &config.database_url {
            Some(url) => (url.expose_secret().to_owned(), None),
            None => {
                let local = start_local(config).await?;
                (local.url().to_owned(), Some(local))
            }
        };
        let options = PoolOptions {
            max_connections: config.db_connections,
            ..PoolOptions::default()
        };
        let store = Store::connect(&url, &options).await.context(
            "the database does not answer: is DATABASE_URL right, and is the server running?",
        )?;
        Ok(Self { store, local })
    }

    /// What people should know about it.
    pub(crate) fn describe(&self) -> String {
        match &self.local {
            Some(local) => local.describe(),
            None => "as DATABASE_URL says".to_owned(),
        }
    }

    /// Closes the connections, and stops a server that is ours.
    pub(crate) async fn close(self) {
        self.store.close().await;
        if let Some(local) = self.local
            && let Err(error) = local.stop().await
        {
            tracing::warn!(error = %error, "the database could not be stopped");
        }
    }

    /// Closes the connections, and stops a server that is ours and that we started: a command
    /// leaves a running server as it was.
    pub(crate) async fn leave(mut self) {
        if self.local.as_ref().is_some_and(LocalPostgres::was_running) {
            self.local = None;
        }
        self.close().await;
    }
}

async fn start_local(config: &Config) -> anyhow::Result<LocalPostgres> {
    let mut options = Options::new(config.data_dir.join("postgres"), "moltflow");
    options.bin_dir.clone_from(&config.pg_bin);
    options.download = if config.pg_download {
        Download::Allowed
    } else {
        Download::Never
    };
    // Not to standard output: that of a command is for scripts.
    options.notice = |line| crate::commands::complain(line);
    LocalPostgres::start(&options)
        .await
        .context("the embedded database did not start")
}
