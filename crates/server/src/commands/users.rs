//! `moltflow users`.

use anyhow::{Context as _, bail};
use mf_domain::Email;
use mf_services::Passwords;
use serde_json::json;

use super::{Desk, print_rows};
use crate::{Config, banner::say, cli::UsersCommand};

pub(crate) async fn users(config: Config, command: UsersCommand) -> anyhow::Result<()> {
    let desk = Desk::open(config).await?;
    let done = desk.users(command).await;
    desk.database.leave().await;
    done
}

impl Desk {
    async fn users(&self, command: UsersCommand) -> anyhow::Result<()> {
        match command {
            UsersCommand::List { json } => {
                let mut tx = self
                    .services
                    .store
                    .system("the operator lists users")
                    .await?;
                let users = tx.list_users().await?;
                tx.commit().await?;
                let rows = users.iter().map(|user| {
                    json!({
                        "id": user.id, "email": user.email, "full_name": user.full_name,
                        "role": user.role.as_str(), "tenant_id": user.tenant.id(),
                        "is_active": user.is_active,
                    })
                });
                print_rows(rows.collect(), &["email", "role", "tenant_id"], json);
            }
            UsersCommand::SetPassword { email, stdin } => {
                let address = Email::parse(&email)?;
                let password = if stdin {
                    read_password()?
                } else {
                    self.services.ids.alphanumeric(20)
                };
                Passwords::check(&password)?;
                if !self.services.set_password(&address, &password).await? {
                    bail!("there is no user {address}");
                }
                if stdin {
                    say("The password was changed, and every login of theirs ended.");
                } else {
                    say(&format!("The new password of {address} is {password}"));
                }
            }
        }
        Ok(())
    }
}

fn read_password() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .context("no password on standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
