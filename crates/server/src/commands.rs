//! What an operator does without a browser.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use mf_domain::{Clock, Email, Ids, PlanId, Role, ScopeSet, SystemClock};
use mf_services::{KeyRequest, NewAccount, OsEntropy, Passwords, Services};
use mf_store::Tenant;
use serde_json::json;

use crate::{
    Config, SETTINGS,
    banner::say,
    cli::{KeysCommand, TenantArg, TenantsCommand, UsersCommand},
    database::Database,
    secrets,
    server::command_services,
};

/// Prints a line for whoever reads errors.
pub(crate) fn complain(what: &str) {
    let _ = writeln!(std::io::stderr(), "moltflow: {what}");
}

pub(crate) fn print_openapi() -> anyhow::Result<()> {
    say(&mf_api::openapi().to_pretty_json()?);
    Ok(())
}

pub(crate) fn print_settings() {
    say(env_example().trim_end());
}

/// Every setting, commented out, as `.env.example` has them.
pub fn env_example() -> String {
    let entries = SETTINGS.iter().map(|setting| {
        let example = if setting.default.contains(['<', ' ']) || setting.default == "generated" {
            ""
        } else {
            setting.default
        };
        let default = if example.is_empty() && !setting.default.is_empty() {
            format!(" Unset: {}.", setting.default)
        } else {
            String::new()
        };
        let help = comment(&format!("{}{default}", setting.help));
        format!("{help}#{}={example}\n", setting.name)
    });
    let head = "# Settings of moltflow. Copy this file to .env and uncomment what you change.\n";
    std::iter::once(head.to_owned())
        .chain(entries)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A text as lines of comment, each of up to 90 characters.
fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < 90 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("# {word}")),
        }
    }
    lines.join("\n") + "\n"
}

/// Asks `/health/ready` over a plain socket: a container's check needs no HTTP client.
pub(crate) fn healthcheck(url: Option<&str>) -> ExitCode {
    #[allow(
        clippy::disallowed_methods,
        reason = "runs before there is a configuration"
    )]
    let addr = url
        .map(|url| {
            url.trim_start_matches("http://")
                .trim_end_matches('/')
                .to_owned()
        })
        .or_else(|| {
            std::env::var("MOLTFLOW_ADDR")
                .ok()
                .filter(|addr| !addr.is_empty())
        })
        .unwrap_or_else(|| "127.0.0.1:8080".to_owned())
        .replace("0.0.0.0:", "127.0.0.1:");
    match ready(&addr) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            complain("the server is up and not ready");
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(&format!("the server at {addr} does not answer: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn ready(addr: &str) -> anyhow::Result<bool> {
    let patience = Duration::from_secs(5);
    let addr: SocketAddr = addr.parse().context("not an address and a port")?;
    let mut socket = TcpStream::connect_timeout(&addr, patience)?;
    socket.set_read_timeout(Some(patience))?;
    socket.write_all(
        format!("GET /health/ready HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n")
            .as_bytes(),
    )?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

pub(crate) async fn migrate(mut config: Config) -> anyhow::Result<()> {
    config.data_dir = secrets::data_dir(&config.data_dir)?;
    let database = Database::open(&config).await?;
    let migrated = database.store.migrate().await;
    database.leave().await;
    migrated.context("the database schema was not brought up to date")?;
    say("The database schema is up to date.");
    Ok(())
}

/// What a command works with: the database and the use cases, and no engine.
struct Desk {
    services: Arc<Services>,
    database: Database,
}

impl Desk {
    async fn open(mut config: Config) -> anyhow::Result<Self> {
        config.data_dir = secrets::data_dir(&config.data_dir)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids = Ids::new(Arc::clone(&clock), Arc::new(OsEntropy));
        let database = Database::open(&config).await?;
        database.store.migrate().await?;
        let services = command_services(&mut config, &database, clock, ids)?;
        Ok(Self { services, database })
    }

    /// The tenant that was named, or the only one.
    async fn tenant(&self, arg: &TenantArg) -> anyhow::Result<Tenant> {
        let mut tx = self
            .services
            .store
            .system("the operator names the tenant")
            .await?;
        let id = match arg.tenant {
            Some(id) => id.into(),
            None => match tx.list_tenants().await?.as_slice() {
                [only] => only.id,
                [] => bail!("there is no tenant yet: moltflow tenants create"),
                _ => bail!(
                    "there are several tenants: say which with --tenant (see moltflow tenants list)"
                ),
            },
        };
        let tenant = tx.tenant(id).await?;
        tx.commit().await?;
        tenant.ok_or_else(|| anyhow!("there is no tenant {id}"))
    }
}

pub(crate) async fn keys(config: Config, command: KeysCommand) -> anyhow::Result<()> {
    let desk = Desk::open(config).await?;
    let done = desk.keys(command).await;
    desk.database.leave().await;
    done
}

pub(crate) async fn users(config: Config, command: UsersCommand) -> anyhow::Result<()> {
    let desk = Desk::open(config).await?;
    let done = desk.users(command).await;
    desk.database.leave().await;
    done
}

pub(crate) async fn tenants(config: Config, command: TenantsCommand) -> anyhow::Result<()> {
    let plan = config.default_plan.clone();
    let desk = Desk::open(config).await?;
    let done = desk.tenants(command, plan).await;
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

fn read_password() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .context("no password on standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Rows for scripts, or columns for people.
fn print_rows(rows: Vec<serde_json::Value>, columns: &[&str], json: bool) {
    if json {
        say(&serde_json::Value::from(rows).to_string());
        return;
    }
    for row in rows {
        let cells = columns.iter().map(|column| match row.get(column) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        });
        say(&cells.collect::<Vec<_>>().join("  "));
    }
}
