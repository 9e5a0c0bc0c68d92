//! Our webhooks in the hands of others: the published libraries of other languages verify what
//! our code signed, and the receivers in docs/examples work as they are printed.
//!
//! What it needs is fetched once, into the target folder. Where that is not possible, or a
//! language is not installed, it is left out and said so: Rust alone is enough to work here.

mod language;
mod receiver;

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use self::language::{Installed, JAVASCRIPT, Language, PYTHON};
use self::receiver::Receiver;
use crate::steps;
use crate::workspace::Workspace;

/// The test that prints deliveries, ignored by all who run tests.
const SIGNER: &str = "webhooks::signature::tests::deliveries_for_other_languages";
/// What its lines begin with.
const MARK: &str = "delivery ";

/// All languages that there are here.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut installed = Vec::new();
    for language in [PYTHON, JAVASCRIPT] {
        match language.install(workspace)? {
            Ok(found) => installed.push((language, found)),
            Err(reason) => println!("{}: skipped: {reason}", language.name),
        }
    }
    if installed.is_empty() {
        return Ok(());
    }
    let deliveries = sign(workspace)?;
    for (language, installed) in installed {
        verify(&language, &installed, &deliveries.file)
            .and_then(|()| receive(&language, &installed, &deliveries.all))
            .with_context(|| format!("webhooks in {}", language.name))?;
    }
    Ok(())
}

struct Deliveries {
    all: Vec<Delivery>,
    /// All of them as JSON, for scripts.
    file: PathBuf,
}

/// What our code signed.
pub(crate) struct Delivery {
    /// The secret; the newer, where there are two.
    pub(crate) secret: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// Deliveries of this minute, since the libraries refuse older ones.
fn sign(workspace: &Workspace) -> Result<Deliveries> {
    // The whole workspace, as where all tests are run, so that nothing is built a second time.
    let mut test = workspace.cargo();
    test.arg("test").args(steps::quiet()).args([
        "--workspace",
        "--lib",
        "--",
        "--exact",
        SIGNER,
        "--ignored",
        "--nocapture",
    ]);
    let output = test
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo test")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{said}\n{SIGNER} failed");

    let lines = said.lines().filter_map(|line| line.strip_prefix(MARK));
    let values: Vec<Value> = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
    ensure!(!values.is_empty(), "{SIGNER} printed no deliveries");
    let file = workspace.target.join("interop/deliveries.json");
    fs::write(&file, serde_json::to_vec(&values)?)?;
    let all = values.iter().map(Delivery::read).collect::<Option<_>>();
    let all = all.context("a delivery has not the form that is expected")?;
    Ok(Deliveries { all, file })
}

impl Delivery {
    fn read(value: &Value) -> Option<Self> {
        let headers = value["headers"].as_object()?;
        let header = |(name, value): (&String, &Value)| {
            let value = value.as_str()?;
            Some((name.clone(), value.to_owned()))
        };
        Some(Self {
            secret: value["current"].as_str()?.to_owned(),
            headers: headers.iter().map(header).collect::<Option<_>>()?,
            body: value["body"].as_str()?.to_owned(),
        })
    }

    /// The same with another value in a header.
    fn with(&self, name: &str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.retain(|(header, _)| header != name);
        headers.push((name.to_owned(), value.to_owned()));
        Self {
            secret: self.secret.clone(),
            headers,
            body: self.body.clone(),
        }
    }

    /// The same with another body.
    fn saying(&self, body: &str) -> Self {
        Self {
            secret: self.secret.clone(),
            headers: self.headers.clone(),
            body: body.to_owned(),
        }
    }
}

fn verify(language: &Language, installed: &Installed, deliveries: &std::path::Path) -> Result<()> {
    let output = installed
        .command(language.verify)?
        .arg(deliveries)
        .stderr(Stdio::inherit())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{}", said.trim());
    println!("{}: {}", language.name, said.trim());
    Ok(())
}

/// The documentation's receiver takes what we sign, once, and nothing else.
fn receive(language: &Language, installed: &Installed, deliveries: &[Delivery]) -> Result<()> {
    let of_both_forms = [true, false].map(|encoded| {
        let form = |delivery: &&Delivery| delivery.secret.starts_with("whsec_") == encoded;
        deliveries.iter().find(form)
    });
    for delivery in of_both_forms {
        let delivery = delivery.context("no delivery with such a secret")?;
        let receiver = Receiver::start(installed.command(language.receiver)?, &delivery.secret)?;
        for (what, sent, expected) in [
            ("a delivery", delivery.saying(&delivery.body), 204),
            ("the same again", delivery.saying(&delivery.body), 204),
            ("a changed body", delivery.saying("{}"), 400),
            ("another id", delivery.with("webhook-id", "another"), 400),
            ("an old time", delivery.with("webhook-timestamp", "1"), 400),
            ("no signature", delivery.with("webhook-signature", ""), 400),
            ("nonsense", delivery.with("webhook-signature", "v1"), 400),
        ] {
            let status = receiver.post(&sent).with_context(|| what.to_owned())?;
            if status != expected {
                bail!("{what} is answered {status}, not {expected}");
            }
        }
        let handled = receiver.stop()?;
        ensure!(handled.len() == 1, "handled not once: {handled:?}");
    }
    println!("{}: the receiver takes them once", language.name);
    Ok(())
}
