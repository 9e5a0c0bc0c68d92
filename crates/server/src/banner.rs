//! What a start says on the terminal. Not the log: this is for the person who typed it.

use std::{io::Write as _, path::Path};

use mf_services::FirstRun;

use crate::Role;

/// Prints a line. A terminal that is gone is no reason to stop.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// What there is to say about a server that is up.
pub(crate) struct Banner<'a> {
    pub(crate) role: Role,
    pub(crate) base_url: &'a str,
    pub(crate) database: &'a str,
    pub(crate) engine: &'a str,
    pub(crate) data_dir: &'a Path,
    /// Whether tenants' addresses may lead to this machine.
    pub(crate) loopback: bool,
    pub(crate) first: Option<&'a FirstRun>,
}

impl Banner<'_> {
    pub(crate) fn print(&self) {
        let Self {
            base_url,
            database,
            engine,
            ..
        } = self;
        if self.role == Role::Worker {
            say(&format!(
                "\nMoltFlow's background work is running.\n\n  Health    {base_url}/health/ready\n"
            ));
            return;
        }
        say(&format!(
            "\nMoltFlow is up.\n\n  API       {base_url}/api/v2\n  Docs      {base_url}/docs\n  \
             Database  {database}\n  Engine    {engine}\n"
        ));
        if self.loopback {
            say(
                "  With nothing configured, media_url and webhooks may lead to this machine \
                 itself (127.0.0.1);\n  with DATABASE_URL, or beyond loopback, they may not.\n",
            );
        }
        match self.first {
            Some(first) => self.print_first(first),
            None => say("  A new API key:   moltflow keys create --name my-key\n  \
                 A new password:  moltflow users set-password <email>\n"),
        }
    }

    fn print_first(&self, first: &FirstRun) {
        let base = format!("{}/api/v2", self.base_url);
        let kept = self.data_dir.join("first-run.json");
        say(&format!(
            "This is the first start. The key and the password are shown this once; they are \
             kept in\n{} too.\n\n  export MOLTFLOW_API_KEY={}\n\n  \
             Login     {} / {}\n",
            kept.display(),
            first.api_key,
            first.email,
            first.password,
        ));
        say(&format!(
            r#"Try it, in another terminal:

  curl -X POST {base}/sessions -H "X-API-Key: $MOLTFLOW_API_KEY" -d '{{"name": "First"}}'
  curl -X POST {base}/sessions/<id>/start -H "X-API-Key: $MOLTFLOW_API_KEY"
  curl -X POST {base}/messages/send -H "X-API-Key: $MOLTFLOW_API_KEY" \
    -d '{{"session_id": "<id>", "phone": "15550000001", "message": "Hello"}}'
"#
        ));
    }
}
