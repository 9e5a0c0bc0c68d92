//! `moltflow keys`.

use anyhow::{anyhow, bail};
use mf_domain::ScopeSet;
use mf_services::KeyRequest;
use serde_json::json;

use super::{Desk, print_rows};
use crate::{Config, banner::say, cli::KeysCommand};

pub(crate) async fn keys(config: Config, command: KeysCommand) -> anyhow::Result<()> {
    let desk = Desk::open(config).await?;
    let done = desk.keys(command).await;
    desk.database.leave().await;
    done
}

impl Desk {
    async fn keys(&self, command: KeysCommand) -> anyhow::Result<()> {
        match command {
            KeysCommand::Create {
                tenant,
                name,
                scopes,
                expires_in_days,
                json,
            } => {
                let tenant = self.tenant(&tenant).await?;
                let scopes = if scopes.is_empty() {
                    ScopeSet::full()
                } else {
                    ScopeSet::parse(&scopes).map_err(|faults| {
                        let faults: Vec<String> =
                            faults.into_iter().map(|(_, fault)| fault.message).collect();
                        anyhow!(faults.join("; "))
                    })?
                };
                let request = KeyRequest {
                    name: &name,
                    scopes,
                    expires_in_days,
                    created_by: None,
                    maker_scopes: ScopeSet::full(),
                };
                let minted = self.services.mint_key(tenant, request).await?;
                if json {
                    say(&json!({"id": minted.key.id, "raw_key": minted.raw}).to_string());
                } else {
                    say(&format!("export MOLTFLOW_API_KEY={}", minted.raw));
                }
            }
            KeysCommand::List { tenant, json } => {
                let tenant = self.tenant(&tenant).await?;
                let mut tx = self.services.store.begin(tenant).await?;
                let keys = tx.api_keys().list().await?;
                tx.commit().await?;
                let rows = keys.iter().map(|key| {
                    json!({
                        "id": key.id, "name": key.name, "key_prefix": key.key_prefix,
                        "scopes": key.scopes, "expires_at": key.expires_at,
                        "last_used_at": key.last_used_at, "is_active": key.is_active,
                    })
                });
                print_rows(
                    rows.collect(),
                    &["id", "name", "key_prefix", "scopes"],
                    json,
                );
            }
            KeysCommand::Delete { tenant, id } => {
                let tenant = self.tenant(&tenant).await?;
                if !self.services.delete_key(tenant, id.into()).await? {
                    bail!("there is no key {id} in this tenant");
                }
                say("Deleted.");
            }
        }
        Ok(())
    }
}
