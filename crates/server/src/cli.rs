//! The command line.

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::{Config, Role, Server, commands, logging};

/// WhatsApp for businesses and agencies, on your own machine: the MoltFlow v2 API.
///
/// Without a command it serves: with nothing configured it starts a database and an engine
/// simulator of its own, makes the first account, and says how to send the first message.
///
/// It is configured by environment variables, or a file `.env` in the folder it is started
/// in: `moltflow settings` lists them.
#[derive(Debug, Parser)]
#[command(name = "moltflow", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API and do the background work (the default).
    Serve {
        /// Leave the background work to `moltflow worker`.
        #[arg(long)]
        no_worker: bool,
    },
    /// Do the background work only. Any number of these may run beside any number of servers.
    Worker,
    /// Bring the database schema up to date, and stop.
    Migrate,
    /// API keys: make, list, delete.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Users: make, list, give a new password.
    #[command(subcommand)]
    Users(UsersCommand),
    /// Tenants: make, list.
    #[command(subcommand)]
    Tenants(TenantsCommand),
    /// What the engine reported and this server could not read: list, show, retry, drop.
    #[command(subcommand)]
    Inbox(InboxCommand),
    /// Print the OpenAPI document.
    Openapi,
    /// Print every setting with its default, in the form of an `.env` file.
    Settings,
    /// Ask a running server whether it is ready; exit 0 if so. For containers.
    Healthcheck {
        /// The server's address. Unless given: where MOLTFLOW_ADDR says.
        #[arg(long)]
        url: Option<String>,
    },
}

/// Which tenant a command is about.
#[derive(Debug, Args)]
pub(crate) struct TenantArg {
    /// The tenant's id. May be left out where there is only one.
    #[arg(long)]
    pub(crate) tenant: Option<uuid::Uuid>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and print it. It is shown this once.
    Create {
        #[command(flatten)]
        tenant: TenantArg,
        /// What to call it.
        #[arg(long, default_value = "command line")]
        name: String,
        /// What it shall grant, with commas between: sessions:read,messages:send. Everything,
        /// unless given.
        #[arg(long, value_delimiter = ',')]
        scopes: Vec<String>,
        /// For how many days it is good.
        #[arg(long)]
        expires_in_days: Option<u32>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List a tenant's keys.
    List {
        #[command(flatten)]
        tenant: TenantArg,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Delete a key. It is refused from then on, by running servers too.
    Delete {
        #[command(flatten)]
        tenant: TenantArg,
        /// The key's id.
        id: uuid::Uuid,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// List users.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give a user a new password and end their logins.
    SetPassword {
        /// The user's e-mail address.
        email: String,
        /// Read the password from standard input. Otherwise one is made and printed.
        #[arg(long)]
        stdin: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TenantsCommand {
    /// Make a tenant and its owner, and print the owner's password.
    Create {
        /// What the tenant is called.
        name: String,
        /// The owner's e-mail address.
        #[arg(long)]
        owner: String,
        /// The tenant's plan. As MOLTFLOW_DEFAULT_PLAN says, unless given.
        #[arg(long)]
        plan: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List tenants.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum InboxCommand {
    /// List what could not be read, newest first.
    Rejected {
        /// Of this tenant alone.
        #[arg(long)]
        tenant: Option<uuid::Uuid>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print one as it came. It may be somebody's message.
    Show {
        /// The id that `rejected` lists.
        id: uuid::Uuid,
    },
    /// Take one in again, as when it came: after an update that may read it. It is kept where
    /// that fails.
    Retry {
        /// The id that `rejected` lists.
        id: uuid::Uuid,
    },
    /// Throw one away.
    Drop {
        /// The id that `rejected` lists.
        id: uuid::Uuid,
    },
}

/// Runs the program: 0 when all went well, 1 when something failed, 2 when the configuration
/// or the command line is wrong.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Openapi) => return finish(commands::print_openapi()),
        Some(Command::Settings) => {
            commands::print_settings();
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    // A file that is not there is none; one that is damaged is said.
    match dotenvy::dotenv() {
        Ok(_) => {}
        Err(error) if error.not_found() => {}
        Err(error) => return wrong(&format!(".env cannot be read: {error}")),
    }
    if let Some(Command::Healthcheck { url }) = &cli.command {
        return commands::healthcheck(url.as_deref());
    }
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(faults) => return wrong(&faults.to_string()),
    };
    if let Err(error) = logging::start(&config) {
        return wrong(&format!("{error:#}"));
    }
    for name in Config::unknown_in_env() {
        tracing::warn!(
            name,
            "there is no such setting; `moltflow settings` lists them"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => finish(runtime.block_on(run(cli.command, config))),
        Err(error) => finish(Err(error.into())),
    }
}

async fn run(command: Option<Command>, config: Config) -> anyhow::Result<()> {
    match command {
        None | Some(Command::Serve { no_worker: false }) => serve(config, Role::All).await,
        Some(Command::Serve { no_worker: true }) => serve(config, Role::Http).await,
        Some(Command::Worker) => serve(config, Role::Worker).await,
        Some(Command::Migrate) => commands::migrate(config).await,
        Some(Command::Keys(command)) => commands::keys(config, command).await,
        Some(Command::Users(command)) => commands::users(config, command).await,
        Some(Command::Tenants(command)) => commands::tenants(config, command).await,
        Some(Command::Inbox(command)) => commands::inbox(config, command).await,
        // Done before there was a runtime.
        Some(Command::Openapi | Command::Settings | Command::Healthcheck { .. }) => Ok(()),
    }
}

async fn serve(config: Config, role: Role) -> anyhow::Result<()> {
    // Heard from before anything is started: whoever changes their mind leaves nothing behind.
    let stop = stop_signal()?;
    tokio::pin!(stop);
    let server = Server::start(config, role).await?;
    stop.await;
    server.shutdown().await;
    Ok(())
}

/// Ends with Ctrl-C or SIGTERM.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn wrong(what: &str) -> ExitCode {
    commands::complain(what);
    ExitCode::from(2)
}

fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            commands::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
