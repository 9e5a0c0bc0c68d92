//! Webhooks of the server under test.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Api;

/// One that was made.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its id.
    pub id: Uuid,
    /// Its path, for what is asked of it: `/webhooks/{id}`.
    pub path: String,
}

impl Webhook {
    /// Makes one for every event, at this address.
    pub async fn make(api: &Api, name: &str, url: &str) -> Result<Self> {
        let body = json!({"name": name, "url": url, "events": ["*"]});
        let made = api.post("/webhooks", &body).await?.expect(201)?;
        let id = made["id"].as_str().context("no id")?;
        let id = Uuid::try_parse(id)?;
        Ok(Self {
            id,
            path: format!("/webhooks/{id}"),
        })
    }

    /// As its owner sees it, with its health.
    pub async fn get(&self, api: &Api) -> Result<Value> {
        api.get(&self.path).await?.expect(200)
    }

    /// Its deliveries in this state: `pending`, `delivered` or `dead`.
    pub async fn deliveries(&self, api: &Api, status: &str, limit: usize) -> Result<Value> {
        let path = format!("{}/deliveries?status={status}&limit={limit}", self.path);
        api.get(&path).await?.expect(200)
    }
}
