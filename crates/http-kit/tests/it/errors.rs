//! Each error as it is answered.

use axum::body::to_bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use mf_domain::{Invalid, Scope};
use mf_http_kit::{ApiError, Faults, Place};

async fn parts(error: ApiError) -> (StatusCode, HeaderMap, String) {
    let (parts, body) = error.into_response().into_parts();
    let bytes = to_bytes(body, 10_000).await.unwrap();
    (
        parts.status,
        parts.headers,
        String::from_utf8(bytes.to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn each_error_has_its_status_and_its_sentence() {
    for (error, status, body) in [
        (ApiError::bad_request("No"), 400, r#"{"detail":"No"}"#),
        (
            ApiError::not_authenticated(),
            401,
            r#"{"detail":"Not authenticated"}"#,
        ),
        (
            ApiError::invalid_api_key(),
            401,
            r#"{"detail":"Invalid API key"}"#,
        ),
        (
            ApiError::invalid_token(),
            401,
            r#"{"detail":"Invalid or expired token"}"#,
        ),
        (ApiError::forbidden("No"), 403, r#"{"detail":"No"}"#),
        (
            ApiError::not_found("Session"),
            404,
            r#"{"detail":"Session not found"}"#,
        ),
        (ApiError::conflict("Twice"), 409, r#"{"detail":"Twice"}"#),
        (
            ApiError::unprocessable("Other body"),
            422,
            r#"{"detail":"Other body"}"#,
        ),
        (
            ApiError::rate_limited(7),
            429,
            r#"{"detail":"Rate limit exceeded. Try again in 7 seconds."}"#,
        ),
        (
            ApiError::internal("secret"),
            500,
            r#"{"detail":"Internal Server Error"}"#,
        ),
        (ApiError::bad_gateway("Away"), 502, r#"{"detail":"Away"}"#),
        (
            ApiError::unavailable("Later", 2),
            503,
            r#"{"detail":"Later"}"#,
        ),
        (
            ApiError::gateway_timeout("Slow"),
            504,
            r#"{"detail":"Slow"}"#,
        ),
    ] {
        let (answered, headers, text) = parts(error).await;
        assert_eq!((answered.as_u16(), text.as_str()), (status, body));
        assert_eq!(headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn an_unauthenticated_caller_learns_how_to_authenticate() {
    for error in [
        ApiError::not_authenticated(),
        ApiError::invalid_api_key(),
        ApiError::invalid_token(),
    ] {
        assert_eq!(parts(error).await.1["www-authenticate"], "Bearer");
    }
}

#[tokio::test]
async fn a_missing_scope_is_named_in_words_and_in_a_header() {
    let (status, headers, text) = parts(ApiError::missing_scope(Scope::MessagesSend)).await;
    assert_eq!(status, 403);
    assert_eq!(
        text,
        r#"{"detail":"Missing required scope: messages:send"}"#
    );
    assert_eq!(headers["x-required-scopes"], "messages:send");
}

#[tokio::test]
async fn who_may_try_again_learns_when() {
    assert_eq!(parts(ApiError::rate_limited(7)).await.1["retry-after"], "7");
    assert_eq!(
        parts(ApiError::unavailable("Later", 2)).await.1["retry-after"],
        "2"
    );
}

#[tokio::test]
async fn faults_found_by_a_handler_have_the_same_form() {
    let faults = Faults::body(("to", 0), Invalid::new("value_error.x", "no"));
    let expected = r#"{"detail":[{"loc":["body","to",0],"msg":"no","type":"value_error.x"}]}"#;
    assert_eq!(parts(faults.into()).await.2, expected);
}

#[test]
fn only_the_first_fault_of_a_field_is_told() {
    let mut faults = Faults::new(Place::Header);
    assert!(faults.is_empty());
    faults.missing("Idempotency-Key");
    faults.add("Idempotency-Key", Invalid::new("value_error.x", "no"));
    assert_eq!(faults.list().len(), 1);
    assert_eq!(faults.to_string(), "header.Idempotency-Key: field required");
}
