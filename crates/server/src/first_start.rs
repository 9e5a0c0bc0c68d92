//! What scripts find after the first start.

use std::path::Path;

use mf_services::FirstRun;
use serde::Serialize;

use crate::secrets;

/// `first-run.json`: the way in, for scripts.
#[derive(Serialize)]
struct FirstRunFile<'a> {
    base_url: &'a str,
    api_key: &'a str,
    email: &'a str,
    password: &'a str,
    tenant_id: String,
}

/// Keeps what the first start made, readable by its owner only.
pub(crate) fn keep(data_dir: &Path, base_url: &str, first: &FirstRun) -> anyhow::Result<()> {
    let file = FirstRunFile {
        base_url,
        api_key: &first.api_key,
        email: &first.email,
        password: &first.password,
        tenant_id: first.tenant_id.to_string(),
    };
    secrets::write(&data_dir.join("first-run.json"), &file)
}
