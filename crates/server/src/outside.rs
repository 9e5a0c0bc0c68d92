//! Where files are kept, and the way to addresses that tenants name.

use std::time::Duration;

use anyhow::Context as _;
use mf_files::Files;
use mf_outbound::Outbound;

use crate::{Config, config::MediaStore};

/// How long making a connection to a tenant's address may take, its name included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn files(config: &Config) -> anyhow::Result<Files> {
    let files = match &config.media_store {
        MediaStore::Folder(Some(folder)) => Files::local(folder),
        MediaStore::Folder(None) => Files::local(&config.data_dir.join("media")),
        MediaStore::S3(s3) => Files::s3(s3),
    };
    files.context("MOLTFLOW_MEDIA_STORE cannot be used")
}

pub(crate) fn outbound(config: &Config) -> anyhow::Result<Outbound> {
    let agent = concat!("MoltFlow/", env!("CARGO_PKG_VERSION"));
    Outbound::new(config.outbound.clone(), agent, CONNECT_TIMEOUT)
        .context("no client for addresses of tenants")
}
