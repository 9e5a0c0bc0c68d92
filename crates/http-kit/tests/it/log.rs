//! What a request leaves behind in the log.

use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::app::{answer, app};

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Keeps what all tests log: one log for all, since whether a place logs at all is decided
/// once for the process.
pub(crate) fn start() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(|| Log)
            .init();
    });
}

/// What was logged under a request's id.
fn lines(id: &str) -> String {
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let text = String::from_utf8(log).unwrap();
    let lines = text
        .lines()
        .filter(|line| line.contains(&format!("request_id={id} ")));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_failure_is_logged_once_with_all_its_causes_under_its_request() {
    let app = app().await;
    answer(
        app.request("GET", "/fail")
            .header("x-request-id", "failing"),
    )
    .await;
    let text = lines("failing");
    assert_eq!(
        text.matches("the outer: the secret inner").count(),
        1,
        "{text}"
    );
    assert_eq!(text.matches("ERROR").count(), 1, "{text}");
}

#[tokio::test]
async fn a_token_in_a_query_is_not_logged() {
    let app = app().await;
    for path in [
        "/page?token=hush",
        "/api/v2/things/hush",
        "/hush?token=hush",
    ] {
        answer(app.request("GET", path).header("x-request-id", "quiet")).await;
    }
    let text = lines("quiet");
    assert_eq!(text.matches("answered").count(), 3, "{text}");
    assert!(text.contains("route=/api/v2/things/{id}"), "{text}");
    assert!(!text.contains("hush"), "{text}");
}
