//! What WAHA's refusals mean. Bodies are read for one sentence and never kept: those of
//! status 500 repeat our request, text and number included.

use mf_domain::SessionStatus;
use mf_engine::EngineError;
use reqwest::StatusCode;
use serde_json::Value;

use crate::{endpoint::Endpoint, json};

/// WAHA's word for a session's status in ours.
pub(crate) fn session_status(word: &str) -> Option<SessionStatus> {
    Some(match word {
        "STOPPED" => SessionStatus::Stopped,
        "STARTING" => SessionStatus::Starting,
        // A person with the phone is needed, as with a code.
        "SCAN_QR_CODE" | "PASSKEY_REQUIRED" | "PASSKEY_CONFIRMATION_REQUIRED" => {
            SessionStatus::QrCode
        }
        "WORKING" => SessionStatus::Working,
        "FAILED" => SessionStatus::Failed,
        _ => return None,
    })
}

/// What a transport error means for whether the call was made.
pub(crate) fn of_transport(error: &reqwest::Error) -> EngineError {
    // A connection that took too long is both; that nothing was sent is what counts.
    if error.is_connect() {
        EngineError::Unreachable
    } else if error.is_timeout() {
        EngineError::Timeout
    } else if error.is_builder() {
        EngineError::Rejected {
            detail: "the request could not be made".to_owned(),
        }
    } else {
        EngineError::Interrupted
    }
}

/// What an answer other than 2xx means.
pub(crate) fn of_answer(endpoint: &Endpoint, status: StatusCode, body: &[u8]) -> EngineError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = said(&body);
    let rejected = || EngineError::Rejected {
        detail: detail(status, &said),
    };
    match status.as_u16() {
        401 | 403 => EngineError::Refused,
        // A page of something in between says 404 as well: only WAHA's word counts.
        404 if is_missing_session(&said) => EngineError::SessionMissing,
        404 if said.starts_with("Cannot ") => endpoint.unsupported(),
        422 if body.get("expected").is_some() => EngineError::NotReady {
            status: json::text(&body, "/status").and_then(session_status),
        },
        422 if is_missing_session(&said) => EngineError::SessionMissing,
        429 => EngineError::Throttled,
        501 => endpoint.unsupported(),
        // WAHA never says these: something in front of it lost the call, or gave it up.
        502 | 503 => EngineError::Interrupted,
        504 => EngineError::Timeout,
        // The program with which it fetches files, ours and WhatsApp's: it did not get so far as
        // to send anything.
        500 if json::text(&body, "/exception/name") == Some("AxiosError") => rejected(),
        500..=599 => of_exception(&said).unwrap_or_else(|| EngineError::Failed {
            detail: detail(status, &said),
        }),
        _ => rejected(),
    }
}

/// Whether a refusal says that the session runs already.
pub(crate) fn is_already(error: &EngineError, what: &str) -> bool {
    matches!(error, EngineError::Rejected { detail } if detail.contains(what))
}

fn is_missing_session(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    said.contains("session") && (said.contains("not found") || said.contains("does not exist"))
}

/// What an exception inside the engine tells about WhatsApp, where it does.
fn of_exception(said: &str) -> Option<EngineError> {
    let lower = said.to_ascii_lowercase();
    // A word of its own: numbers and ids contain these digits, too.
    let has_word = |word| {
        lower
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|w| w == word)
    };
    if has_word("463") {
        Some(EngineError::AccountRestricted)
    } else if lower.contains("rate-overlimit") {
        Some(EngineError::Throttled)
    } else if lower.contains("invalid wid") || lower.contains("no lid") {
        Some(EngineError::BadRecipient)
    } else {
        None
    }
}

/// The one sentence in an error body.
fn said(body: &Value) -> String {
    let message = ["/exception/message", "/message", "/error"]
        .iter()
        .find_map(|pointer| body.pointer(pointer).filter(|said| !said.is_null()));
    match message {
        Some(Value::String(said)) => said.clone(),
        Some(Value::Array(parts)) => {
            let parts: Vec<_> = parts.iter().filter_map(Value::as_str).collect();
            parts.join("; ")
        }
        _ => String::new(),
    }
}

/// Longest detail, in characters.
const DETAIL: usize = 200;

/// What may be logged of a sentence: its first line (others are a stack), cut short, with
/// the digits of whatever may be somebody's number hidden.
fn detail(status: StatusCode, said: &str) -> String {
    let line = said.lines().next().unwrap_or_default();
    let mut shown = format!("{}: ", status.as_u16());
    let mut rest = line;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at(digits);
        shown.push_str(if run.len() < 7 { run } else { "…" });
        let plain = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (text, after) = after.split_at(plain);
        shown.extend(text.chars().filter(|c| !c.is_control()));
        rest = after;
    }
    shown.chars().take(DETAIL).collect()
}

#[cfg(test)]
mod tests {
    use mf_domain::SessionStatus;
    use mf_engine::EngineError;
    use reqwest::StatusCode;
    use serde_json::{Value, json};

    use super::of_answer;
    use crate::endpoint;

    fn read(status: u16, body: &Value) -> EngineError {
        let status = StatusCode::from_u16(status).unwrap();
        of_answer(&endpoint::SEND_TEXT, status, body.to_string().as_bytes())
    }

    fn exception(message: &str) -> EngineError {
        read(
            500,
            &json!({
                "statusCode": 500,
                "timestamp": "2026-07-10T00:00:00.000Z",
                "exception": {"message": message, "name": "Error", "stack": "Error: …\n at secret"},
                "request": {
                    "path": "/api/sendText", "method": "POST", "query": {},
                    "body": {"text": "error 463 rate-overlimit invalid wid", "chatId": "1@c.us"},
                },
                "version": {"version": "2026.7.1"},
            }),
        )
    }

    #[test]
    fn a_session_in_another_state_is_not_ready() {
        let body = json!({
            "error": "Session status is not as expected. Try again later or restart the session",
            "session": "s", "status": "SCAN_QR_CODE", "expected": ["WORKING"],
        });
        let status = Some(SessionStatus::QrCode);
        assert_eq!(read(422, &body), EngineError::NotReady { status });
        let body = json!({"error": "…", "status": "DANCING", "expected": ["WORKING"]});
        assert_eq!(read(422, &body), EngineError::NotReady { status: None });
    }

    #[test]
    fn an_unknown_session_is_missing_in_the_words_of_each_version() {
        let new = json!({"error": "Session \"x\" does not exist", "session": "x"});
        assert_eq!(read(422, &new), EngineError::SessionMissing);
        let old = json!({"statusCode": 404, "message": "Session not found", "error": "Not Found"});
        assert_eq!(read(404, &old), EngineError::SessionMissing);
    }

    #[test]
    fn the_404_of_somebody_else_is_no_missing_session() {
        let page = of_answer(
            &endpoint::SESSION,
            StatusCode::NOT_FOUND,
            b"<html>Session not found</html>",
        );
        assert!(matches!(page, EngineError::Rejected { .. }));
    }

    #[test]
    fn what_the_engine_cannot_do_is_unsupported() {
        let unsupported = EngineError::Unsupported {
            what: "sending texts".to_owned(),
        };
        let gap = json!({"message": "The method is not implemented by 'WEBJS' engine…",
            "error": "Not Implemented", "statusCode": 501});
        assert_eq!(read(501, &gap), unsupported);
        let route = json!({"message": "Cannot POST /api/sendText", "error": "Not Found",
            "statusCode": 404});
        assert_eq!(read(404, &route), unsupported);
    }

    #[test]
    fn exceptions_are_told_apart_by_their_message_alone() {
        for (message, expected) in [
            (
                "2 UNKNOWN: server returned error 463",
                EngineError::AccountRestricted,
            ),
            ("rate-overlimit", EngineError::Throttled),
            (
                "Evaluation failed: wid error: invalid wid\n at x",
                EngineError::BadRecipient,
            ),
            ("No LID for user", EngineError::BadRecipient),
        ] {
            assert_eq!(exception(message), expected, "{message}");
        }
        for message in [
            "boom",
            "no session 15554630463",
            "2 UNKNOWN: server returned error 479",
        ] {
            assert!(
                matches!(exception(message), EngineError::Failed { .. }),
                "{message}"
            );
        }
    }

    #[test]
    fn a_file_that_was_not_fetched_was_not_sent() {
        let body = json!({"statusCode": 500, "exception": {
            "message": "Request failed with status code 404", "name": "AxiosError",
        }});
        let error = read(500, &body);
        assert!(error.had_no_effect(), "{error:?}");
        assert!(matches!(error, EngineError::Rejected { .. }));
    }

    #[test]
    fn details_are_short_and_name_nobody() {
        let long = format!(
            "bad jid 15551234567@s.whatsapp.net {}\n at stack",
            "é".repeat(400)
        );
        let EngineError::Failed { detail } = exception(&long) else {
            unreachable!("an exception like any other");
        };
        assert!(
            detail.starts_with("500: bad jid …@s.whatsapp.net é"),
            "{detail}"
        );
        assert_eq!(detail.chars().count(), 200);
        assert!(!detail.contains("stack"));
    }

    #[test]
    fn the_rest_goes_by_its_status() {
        let none = Value::Null;
        assert_eq!(read(401, &none), EngineError::Refused);
        assert_eq!(read(403, &none), EngineError::Refused);
        assert_eq!(read(429, &none), EngineError::Throttled);
        assert_eq!(read(502, &none), EngineError::Interrupted);
        assert_eq!(read(503, &none), EngineError::Interrupted);
        assert_eq!(read(504, &none), EngineError::Timeout);
        assert!(matches!(read(500, &none), EngineError::Failed { .. }));
        assert!(matches!(read(302, &none), EngineError::Rejected { .. }));
        let bad = json!({"statusCode": 400, "message": ["a must be b", "c"], "error": "Bad"});
        let detail = "400: a must be b; c".to_owned();
        assert_eq!(read(400, &bad), EngineError::Rejected { detail });
    }
}
