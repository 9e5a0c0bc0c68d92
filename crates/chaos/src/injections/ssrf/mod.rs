//! Tenants name addresses that only the server can reach: in every spelling, behind redirects,
//! behind names that change, with a proxy in the environment. A canary on every address of this
//! machine hears nobody.

mod canary;
mod names;
mod tricks;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use self::canary::Canary;
use self::tricks::Host;
use crate::{Api, Behaviour, Form, Lab, Outcome, Plan, Rig, Webhook};

pub(super) const NAME: &str = "ssrf";

/// Fewer would say little.
const TRICKS_AT_LEAST: usize = 60;
/// The receiver's address, which the operator allows where redirects are tried.
const RECEIVER: &str = "127.0.0.1/32";
const REDIRECTING: &str = "/redirecting";
const GOOD: &str = "/good";
const FRIEND: &str = "15550000002";
/// How many of those that got through are named.
const NAMED: usize = 5;
/// Programs take these for the way to everywhere.
const PROXIES: [&str; 8] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "socks_proxy",
    "SOCKS_PROXY",
];

/// Who tries, and what came of it.
struct Attack<'a> {
    api: &'a Api,
    session: uuid::Uuid,
    /// One whose address is changed again and again.
    changing: Webhook,
    /// Of the tricks that say nothing new, one of so many.
    one_of: usize,
    tricks: usize,
    /// What was neither refused nor came to nothing for this reason.
    not_refused: Vec<String>,
}

pub(super) async fn run(lab: &Lab, form: Form) -> Result<Outcome> {
    let begun = Instant::now();
    let canary = Canary::everywhere().await?;
    let own = listened_to(&canary).await;
    let hosts = tricks::hosts(&own, canary::own_names(&own));
    let mut rig = Rig::start(lab, plan(&canary)).await?;
    let session = rig.sessions(1).await?.pop().context("no session")?;

    let api = rig.api.clone();
    let example = json!({"url": "https://example.com/", "events": ["*"], "is_active": false});
    let changing = api.post("/webhooks", &example).await?.expect(201)?;
    let changing = webhook(&changing)?;
    let mut attack = Attack {
        api: &api,
        session: session.id,
        changing,
        one_of: form.pick(4, 1),
        tricks: 0,
        not_refused: Vec::new(),
    };
    for host in &hosts {
        let place = format!("{}:{}/", host.text, canary.port());
        attack.name(&format!("https://{place}")).await?;
        attack.fetch(&format!("http://{place}")).await?;
    }
    for url in tricks::urls(canary.port()) {
        attack.name(&url).await?;
        attack.fetch(&url).await?;
    }
    let direct = canary.connections().await?;

    allow(&mut rig, RECEIVER).await?;
    redirects(&rig, &mut attack, &canary, &hosts).await?;
    let redirected = canary.connections().await? - direct;

    let deceived = names::deceive(&canary, &own).await?;
    let rebound = names::rebind(&rig.receiver, form.pick(25, 500)).await?;

    // What all of this is worth: how much of it gets there where everything is allowed.
    let before = canary.connections().await?;
    allow(&mut rig, "0.0.0.0/0,::/0").await?;
    let leading = lead_there(&attack, &canary, &hosts).await?;
    let control = canary.connections().await? - before;

    let Attack {
        tricks,
        not_refused,
        ..
    } = attack;
    rig.end().await?;
    let tricks = tricks + deceived.tricks + rebound.tricks;
    ensure!(
        tricks >= TRICKS_AT_LEAST && leading >= TRICKS_AT_LEAST / 2,
        "only {tricks} tricks, of which {leading} spellings lead to the canary"
    );
    let through = [not_refused, deceived.not_refused, rebound.not_refused].concat();
    let figure = json!({
        "tricks": tricks,
        "addresses_of_this_machine": own.len(),
        "connections": direct + redirected + deceived.connections + rebound.connections,
        "not_refused": through.len(),
        "such_as": through.iter().take(NAMED).collect::<Vec<_>>(),
        "spellings_that_lead_there_where_all_is_allowed": leading,
        "connections_where_all_is_allowed": control,
    });
    let bound = json!({"connections": 0, "not_refused": 0});
    Ok(Outcome::new(NAME, lab.seed, begun, figure, bound))
}

/// A server that may tell nobody here, and that is pointed to the canary by its environment.
fn plan(canary: &Canary) -> Plan {
    let mut plan = Plan {
        strict: true,
        ..Plan::default()
    };
    let proxy = format!("http://127.0.0.1:{}", canary.port());
    for name in PROXIES {
        plan = plan.with(name, &proxy);
    }
    plan
}

/// The addresses of this machine at which the canary hears whoever comes.
async fn listened_to(canary: &Canary) -> BTreeSet<IpAddr> {
    let mut listened_to = BTreeSet::new();
    for address in canary::own_addresses() {
        if canary.is_at(address).await {
            listened_to.insert(address);
        }
    }
    listened_to
}

/// Starts the server again, with these networks allowed.
async fn allow(rig: &mut Rig, networks: &str) -> Result<()> {
    let server = rig.server.take().context("the server does not run")?;
    server.stop().await?;
    let environment = &mut rig.setup.environment;
    let networks = networks.to_owned();
    environment.insert("MOLTFLOW_WEBHOOK_ALLOW_NETWORKS".to_owned(), networks);
    environment.insert("MOLTFLOW_WEBHOOK_ALLOW_HTTP".to_owned(), "true".to_owned());
    rig.start_server().await
}

/// The one endpoint that may be told sends everybody elsewhere.
async fn redirects(
    rig: &Rig,
    attack: &mut Attack<'_>,
    canary: &Canary,
    hosts: &[Host],
) -> Result<()> {
    let good = Webhook::make(&rig.api, "Good", &rig.receiver.url(GOOD)).await?;
    let told = try_out(&rig.api, &good).await?;
    ensure!(
        told["success"] == true && rig.receiver.count_of(GOOD) == 1,
        "nobody is told at all: {told}"
    );
    let url = rig.receiver.url(REDIRECTING);
    let redirecting = Webhook::make(&rig.api, "Redirecting", &url).await?;
    // What is fetched may be where the receiver is. A name may lead there.
    let elsewhere = hosts.iter().filter(|host| {
        let written = host.text.bytes().all(|byte| byte.is_ascii_graphic());
        written && host.of.is_some_and(|of| of != rig.receiver.addr().ip())
    });
    for (number, host) in elsewhere.step_by(attack.one_of).enumerate() {
        // 305 and 306 spoke of proxies once.
        let status = [301, 302, 303, 307, 308, 300, 305, 306][number % 8];
        let place = format!("http://{}:{}/", host.text, canary.port());
        let answer = Behaviour::status(status)
            .header("location", &place)
            .header("refresh", &format!("0; url={place}"));
        rig.receiver.behave(REDIRECTING, answer);
        let told = try_out(&rig.api, &redirecting).await?;
        attack.count(
            told["success"] == false && told["status_code"] == status,
            || format!("a redirect of a webhook to {place}: {told}"),
        );
        attack.fetch(&url).await?;
    }
    Ok(())
}

/// How many of the hosts that are this machine's are reached where nothing is refused.
async fn lead_there(attack: &Attack<'_>, canary: &Canary, hosts: &[Host]) -> Result<usize> {
    let mut leading = 0;
    let mut before = canary.connections().await?;
    for host in hosts.iter().filter(|host| host.here) {
        let url = format!("http://{}:{}/", host.text, canary.port());
        // Some spellings are no addresses to begin with.
        if attack.change(&url).await? != 200 {
            continue;
        }
        try_out(attack.api, &attack.changing).await?;
        let now = canary.connections().await?;
        leading += usize::from(now > before);
        before = now;
    }
    Ok(leading)
}

/// One that was made.
fn webhook(made: &Value) -> Result<Webhook> {
    let id = made["id"].as_str().context("no id")?.parse()?;
    Ok(Webhook {
        id,
        path: format!("/webhooks/{id}"),
    })
}

async fn try_out(api: &Api, webhook: &Webhook) -> Result<Value> {
    let path = format!("{}/test", webhook.path);
    api.post(&path, &Value::Null).await?.expect(200)
}

impl Attack<'_> {
    fn count(&mut self, refused: bool, what: impl FnOnce() -> String) {
        self.tricks += 1;
        if !refused {
            self.not_refused.push(what());
        }
    }

    /// As the address of a new webhook, and of one that is there. A name may be taken, and is
    /// refused when it is dialled.
    async fn name(&mut self, url: &str) -> Result<()> {
        let body = json!({"url": url, "events": ["*"], "is_active": false});
        let made = self.api.post("/webhooks", &body).await?;
        if made.status == 201 {
            let webhook = webhook(&made.body)?;
            let told = try_out(self.api, &webhook).await?;
            let path = format!("/api/v2{}", webhook.path);
            let gone = self.api.call(Method::DELETE, &path, None).await?;
            gone.expect(200)?;
            let refused = told["error"] == "The address is not public";
            self.count(refused, || format!("a webhook at {url}: {told}"));
        } else {
            let status = made.status;
            self.count(status == 422, || format!("a webhook at {url}: {status}"));
        }
        if !self.tricks.is_multiple_of(self.one_of) {
            return Ok(());
        }
        let changed = self.change(url).await?;
        let refused = match changed {
            200 => {
                let told = try_out(self.api, &self.changing).await?;
                told["error"] == "The address is not public"
            }
            status => status == 422,
        };
        self.count(refused, || {
            format!("a webhook's change to {url}: {changed}")
        });
        Ok(())
    }

    /// The status of a change of address.
    async fn change(&self, url: &str) -> Result<u16> {
        let body = json!({"url": url});
        Ok(self.api.patch(&self.changing.path, &body).await?.status)
    }

    /// As the address of a file to be sent.
    async fn fetch(&mut self, url: &str) -> Result<()> {
        let body = json!({"session_id": self.session, "phone": FRIEND, "media_url": url});
        let sent = self.api.post("/messages/send", &body).await?;
        let refused = matches!(sent.status, 400 | 422);
        self.count(refused, || {
            format!("a file at {url}: {} {}", sent.status, sent.body)
        });
        Ok(())
    }
}
