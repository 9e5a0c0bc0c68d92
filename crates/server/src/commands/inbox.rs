//! `moltflow inbox`: what the engine reported and this server could not read.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use mf_store::RejectedCallback;
use serde_json::json;
use uuid::Uuid;

use super::{Desk, print_rows};
use crate::{Config, banner::say, cli::InboxCommand};

pub(crate) async fn inbox(config: Config, command: InboxCommand) -> anyhow::Result<()> {
    let desk = Desk::open(config).await?;
    let done = desk.inbox(command).await;
    desk.database.leave().await;
    done
}

impl Desk {
    async fn inbox(&self, command: InboxCommand) -> anyhow::Result<()> {
        match command {
            InboxCommand::Rejected {
                tenant,
                limit,
                json,
            } => self.list_rejected(tenant, limit, json).await,
            InboxCommand::Show { id } => {
                let rejected = self.rejected(id).await?;
                let mut out = std::io::stdout().lock();
                // As it came: nothing is added that a parser would stumble over.
                out.write_all(&rejected.body)
                    .and_then(|()| out.flush())
                    .context("standard output is closed")
            }
            InboxCommand::Retry { id } => {
                let rejected = self.rejected(id).await?;
                let taken = self.services.retry_rejected(id).await;
                taken.with_context(|| format!("{} is kept", rejected.id))?;
                say("Taken in.");
                Ok(())
            }
            InboxCommand::Drop { id } => {
                if !self.services.drop_rejected(id).await? {
                    bail!(none_of(id));
                }
                say("Dropped.");
                Ok(())
            }
        }
    }

    async fn list_rejected(
        &self,
        tenant: Option<Uuid>,
        limit: i64,
        json: bool,
    ) -> anyhow::Result<()> {
        let mut tx = self
            .services
            .store
            .system("the operator looks at what could not be read")
            .await?;
        let rejected = tx.rejected_callbacks(tenant.map(Into::into), limit).await?;
        tx.commit().await?;
        let rows = rejected.iter().map(|rejected| {
            json!({
                "id": rejected.id, "tenant_id": rejected.tenant_id,
                "session_id": rejected.session_id, "reason": rejected.reason,
                "received_at": rejected.received_at, "bytes": rejected.body.len(),
            })
        });
        let columns = ["id", "received_at", "tenant_id", "session_id", "reason"];
        print_rows(rows.collect(), &columns, json);
        Ok(())
    }

    async fn rejected(&self, id: Uuid) -> anyhow::Result<RejectedCallback> {
        match self.services.rejected(id).await? {
            Some(rejected) => Ok(rejected),
            None => bail!(none_of(id)),
        }
    }
}

fn none_of(id: Uuid) -> String {
    format!("there is no rejected callback {id}: moltflow inbox rejected lists them")
}
