//! What is broken, one at a time.

mod claims;
mod clock;
mod crash_between_commit_and_wake;
mod disk_full;
mod hours_of_500;
mod idle_connections;
mod jump;
mod kill_during_deliveries;
mod overload;
mod peaks;
mod postgres_immediate;
mod probe;
mod sigstop_past_lease;
mod slow_and_endless_endpoints;
mod snapshot_held;
mod ssrf;
mod terminate_backends;

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::timeout;

use crate::{Form, Lab, Outcome};

/// Before a test is ended from outside.
const SHORT_WITHIN: Duration = Duration::from_secs(160);
const LONG_WITHIN: Duration = Duration::from_mins(45);

/// What runs one.
type Run = for<'l> fn(&'l Lab, Form) -> Pin<Box<dyn Future<Output = Result<Outcome>> + 'l>>;

/// One kind of breakage.
#[derive(Debug, Clone, Copy)]
pub struct Injection {
    /// Its name on the command line and in what is printed.
    pub name: &'static str,
    run: Run,
}

/// All, in the order in which they are run.
pub const ALL: &[Injection] = &[
    Injection {
        name: kill_during_deliveries::NAME,
        run: |lab, form| Box::pin(kill_during_deliveries::run(lab, form)),
    },
    Injection {
        name: crash_between_commit_and_wake::NAME,
        run: |lab, form| Box::pin(crash_between_commit_and_wake::run(lab, form)),
    },
    Injection {
        name: postgres_immediate::NAME,
        run: |lab, form| Box::pin(postgres_immediate::run(lab, form)),
    },
    Injection {
        name: terminate_backends::NAME,
        run: |lab, form| Box::pin(terminate_backends::run(lab, form)),
    },
    Injection {
        name: sigstop_past_lease::NAME,
        run: |lab, form| Box::pin(sigstop_past_lease::run(lab, form)),
    },
    Injection {
        name: slow_and_endless_endpoints::NAME,
        run: |lab, form| Box::pin(slow_and_endless_endpoints::run(lab, form)),
    },
    Injection {
        name: hours_of_500::NAME,
        run: |lab, form| Box::pin(hours_of_500::run(lab, form)),
    },
    Injection {
        name: ssrf::NAME,
        run: |lab, form| Box::pin(ssrf::run(lab, form)),
    },
    Injection {
        name: clock::NAME,
        run: |lab, form| Box::pin(clock::run(lab, form)),
    },
    Injection {
        name: disk_full::NAME,
        run: |lab, form| Box::pin(disk_full::run(lab, form)),
    },
    Injection {
        name: snapshot_held::NAME,
        run: |lab, form| Box::pin(snapshot_held::run(lab, form)),
    },
    Injection {
        name: idle_connections::NAME,
        run: |lab, form| Box::pin(idle_connections::run(lab, form)),
    },
    Injection {
        name: overload::NAME,
        run: |lab, form| Box::pin(overload::run(lab, form)),
    },
];

/// The injection of this name.
pub fn find(name: &str) -> Option<&'static Injection> {
    ALL.iter().find(|injection| injection.name == name)
}

impl Injection {
    /// Runs it. What goes wrong with the rig itself is an outcome, too: nothing is known then,
    /// and so no bound is met.
    pub async fn run(&self, lab: &Lab, form: Form) -> Outcome {
        let begun = Instant::now();
        let lab = Lab {
            logs: lab.logs.join(self.name),
            ..lab.clone()
        };
        let limit = form.pick(SHORT_WITHIN, LONG_WITHIN);
        // Cut off in here, the rig still cleans up behind itself.
        let error = match timeout(limit, (self.run)(&lab, form)).await {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => format!("it did not end within {} s", limit.as_secs()),
        };
        Outcome::failed(self.name, lab.seed, begun, &error)
    }
}
