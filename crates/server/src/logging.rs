use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::{EnvFilter, fmt};

use crate::{Config, LogFormat};

/// Sends log lines to standard error, as the configuration says.
pub(crate) fn start(config: &Config) -> anyhow::Result<()> {
    // The database remarks, at each start, that what the schema asks for is there already.
    let filter = EnvFilter::try_new(format!("sqlx::postgres::notice=warn,{}", config.log))
        .with_context(|| format!("MOLTFLOW_LOG: `{}` is no filter", config.log))?;
    let builder = fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // Somebody may have set one up already: tests do.
    let _ = match config.log_format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}
