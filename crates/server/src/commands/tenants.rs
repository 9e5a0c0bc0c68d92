//! `moltflow tenants`.

use mf_domain::{Email, PlanId, Role};
use mf_services::NewAccount;
use serde_json::json;

use super::{Desk, print_rows};
use crate::{Config, banner::say, cli::TenantsCommand};

pub(crate) async fn tenants(config: Config, command: TenantsCommand) -> anyhow::Result<()> {
    let plan = config.default_plan.clone();
    let desk = Desk::open(config).await?;
    let done = desk.tenants(command, plan).await;
    desk.database.leave().await;
    done
}

impl Desk {
    async fn tenants(&self, command: TenantsCommand, default: PlanId) -> anyhow::Result<()> {
        match command {
            TenantsCommand::Create {
                name,
                owner,
                plan,
                json,
            } => {
                let email = Email::parse(&owner)?;
                let password = self.services.ids.alphanumeric(20);
                let plan = plan.map_or(default, PlanId::new);
                let account = NewAccount {
                    email: email.clone(),
                    password: &password,
                    full_name: &name,
                    tenant_name: &name,
                    plan: &plan,
                    role: Role::Owner,
                };
                let made = self.services.register(account).await?;
                let id = made.tenant.id();
                if json {
                    let row =
                        json!({"tenant_id": id, "email": email.as_str(), "password": password});
                    say(&row.to_string());
                } else {
                    say(&format!("Tenant {id}\nLogin  {email} / {password}"));
                }
            }
            TenantsCommand::List { json } => {
                let mut tx = self
                    .services
                    .store
                    .system("the operator lists tenants")
                    .await?;
                let tenants = tx.list_tenants().await?;
                tx.commit().await?;
                let rows = tenants.iter().map(|tenant| {
                    json!({
                        "id": tenant.id, "name": tenant.name, "plan": tenant.plan_id,
                        "is_active": tenant.is_active, "created_at": tenant.created_at,
                    })
                });
                print_rows(rows.collect(), &["id", "name", "plan"], json);
            }
        }
        Ok(())
    }
}
