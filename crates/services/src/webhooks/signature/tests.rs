use std::sync::Arc;

use mf_domain::{Clock, Ids, SystemClock};
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::json;
use standardwebhooks::Webhook;

use super::*;
use crate::OsEntropy;

const PLAIN: &str = "my-endpoint-secret-0123456789";
const WHSEC: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const BODY: &str = r#"{"id":"019aa0c0-0000-7000-8000-000000000001","event":"message.received","timestamp":"2026-11-21T19:00:00Z","data":{"message":"Grüße, 世界 👋\u0000"}}"#;

fn secret(text: &str) -> WebhookSecret {
    WebhookSecret::of(text.as_bytes()).unwrap()
}

fn generated() -> WebhookSecret {
    WebhookSecret::generate(&Ids::new(Arc::new(SystemClock), Arc::new(OsEntropy)))
}

fn signing(current: &str, previous: Option<&str>) -> Signing {
    Signing {
        current: secret(current),
        previous: previous.map(secret),
    }
}

/// The published library compares with the machine's clock.
fn now() -> i64 {
    SystemClock.now().timestamp()
}

fn headers(signing: &Signing, body: &str, seconds: i64) -> Vec<(&'static str, String)> {
    signing.headers(&Told {
        id: "019aa0c0-0000-7000-8000-000000000001",
        name: "message.received",
        body: body.as_bytes(),
        seconds,
    })
}

fn header(headers: &[(&'static str, String)], name: &str) -> String {
    let found = headers.iter().find(|(header, _)| *header == name);
    found.unwrap().1.clone()
}

/// Whether the published library takes the delivery.
fn is_taken(webhook: &Webhook, headers: &[(&'static str, String)], body: &str) -> bool {
    let map: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
        .collect();
    webhook.verify(body.as_bytes(), &map).is_ok()
}

fn of_bytes(secret: &str) -> Webhook {
    Webhook::from_bytes(secret.as_bytes().to_vec()).unwrap()
}

#[test]
fn a_known_delivery_has_its_known_signatures() {
    let headers = signing(PLAIN, None).headers(&Told {
        id: "evt_01JD7Z8Q0000000000000000",
        name: "message.received",
        body: br#"{"type":"message.received","timestamp":"2026-11-21T19:00:00Z","data":{"id":"3EB0C431C26A1916E07A"}}"#,
        seconds: 1_795_287_600,
    });
    for (name, value) in [
        (
            "x-webhook-signature",
            "2647ff5c19fbf903d1bd48d0702b5c0223bba26a900fb177216ef5cb0ade167a",
        ),
        (
            "webhook-signature",
            "v1,X9/ffMs/4M1JS5khuBtQU3KAKGkxulZ2FrDFcg+6Nxc=",
        ),
        ("webhook-id", "evt_01JD7Z8Q0000000000000000"),
        ("x-webhook-id", "evt_01JD7Z8Q0000000000000000"),
        ("webhook-timestamp", "1795287600"),
        ("x-webhook-timestamp", "1795287600"),
        ("x-webhook-event", "message.received"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(header(&headers, name), value, "{name}");
    }
    let agent = header(&headers, "user-agent");
    assert!(agent.starts_with("MoltFlow-Webhooks/"), "{agent}");
}

#[test]
fn the_published_library_takes_a_secret_of_its_own_form() {
    for secret in [secret(WHSEC), generated()] {
        let webhook = Webhook::new(secret.expose()).unwrap();
        let signing = Signing {
            current: secret,
            previous: None,
        };
        let headers = headers(&signing, BODY, now());
        assert!(is_taken(&webhook, &headers, BODY));
        assert!(!is_taken(&webhook, &headers, &BODY.replace("世界", "世間")));
    }
}

#[test]
fn the_published_library_takes_any_other_secret_as_bytes() {
    for text in [PLAIN, "s", "ключ-от-двери", "whsec_not base64", "whsec_"] {
        let headers = headers(&signing(text, None), BODY, now());
        assert!(is_taken(&of_bytes(text), &headers, BODY), "{text}");
        assert!(!is_taken(&of_bytes("another"), &headers, BODY), "{text}");
    }
    // As clients do that know the other form only.
    let encoded = format!("{PREFIX}{}", STANDARD.encode(PLAIN));
    let headers = headers(&signing(PLAIN, None), BODY, now());
    assert!(is_taken(&Webhook::new(&encoded).unwrap(), &headers, BODY));
}

#[test]
fn a_secret_without_its_padding_is_the_same_key() {
    let padded = headers(&signing("whsec_YWJjZA==", None), BODY, 1);
    let bare = headers(&signing("whsec_YWJjZA", None), BODY, 1);
    let name = "webhook-signature";
    assert_eq!(header(&padded, name), header(&bare, name));
}

#[test]
fn the_plain_header_takes_the_secret_as_it_is_written() {
    let headers = headers(&signing(WHSEC, None), "{}", 1);
    let mut mac = Hmac::<Sha256>::new_from_slice(WHSEC.as_bytes()).unwrap();
    mac.update(b"{}");
    let expected = hex::encode(mac.finalize().into_bytes());
    assert_eq!(header(&headers, "x-webhook-signature"), expected);
}

#[test]
fn both_secrets_are_good_during_a_rotation() {
    let rotating = headers(&signing(WHSEC, Some(PLAIN)), BODY, now());
    assert!(is_taken(&Webhook::new(WHSEC).unwrap(), &rotating, BODY));
    assert!(is_taken(&of_bytes(PLAIN), &rotating, BODY));
    assert!(!is_taken(&of_bytes("another"), &rotating, BODY));
}

#[test]
fn a_rotation_lists_the_new_secret_first_and_keeps_the_old_one_in_the_plain_header() {
    let [rotating, new, old] = [
        signing(WHSEC, Some(PLAIN)),
        signing(WHSEC, None),
        signing(PLAIN, None),
    ]
    .map(|signing| headers(&signing, BODY, 1));
    let list = |headers| header(headers, "webhook-signature");
    assert_eq!(list(&rotating), format!("{} {}", list(&new), list(&old)));
    let plain = |headers| header(headers, "x-webhook-signature");
    assert_eq!(plain(&rotating), plain(&old));
    assert_ne!(plain(&rotating), plain(&new));
}

#[test]
fn a_later_attempt_has_another_time_and_the_same_plain_signature() {
    let [first, second] = [1, 2].map(|seconds| headers(&signing(WHSEC, None), BODY, seconds));
    let [of_first, of_second] = ["webhook-signature", "x-webhook-signature"]
        .map(|name| (header(&first, name), header(&second, name)));
    assert_ne!(of_first.0, of_first.1);
    assert_eq!(of_second.0, of_second.1);
}

#[test]
fn generated_secrets_are_long_and_never_the_same() {
    let [one, other] = [generated(), generated()];
    assert_ne!(one.expose(), other.expose());
    assert_eq!(one.key().len(), 32);
    assert!(WebhookSecret::parse(one.expose()).is_ok());
}

#[test]
fn a_secret_that_would_be_copied_wrongly_is_refused() {
    let refused = |text: &str| WebhookSecret::parse(text).err();
    assert_eq!(refused(""), Some(BadSecret::Length));
    assert_eq!(refused(&"é".repeat(256)), Some(BadSecret::Length));
    for text in [" a secret", "a secret\n", "a se\tcret", "\u{a0}a secret"] {
        assert_eq!(refused(text), Some(BadSecret::Invisible), "{text:?}");
    }
    for text in [
        "whsec_not base64",
        "whsec_!!!notbase64!!",
        "whsec_YWJjZGVmZ2g-_w==",
    ] {
        assert_eq!(refused(text), Some(BadSecret::NotBase64), "{text:?}");
    }
    assert_eq!(refused("7 chars"), Some(BadSecret::Length));
    assert_eq!(refused("two words"), None);
    assert_eq!(refused("whsec_YWJjZA"), None);
    assert_eq!(refused(&"é".repeat(255)), None);
}

#[test]
fn a_secret_comes_back_from_its_bytes_and_is_never_shown() {
    let kept = WebhookSecret::of(PLAIN.as_bytes()).unwrap();
    assert_eq!(kept.expose(), PLAIN);
    assert!(WebhookSecret::of(&[0xff]).is_none());
    let shown = format!("{:?} {:?}", kept, signing(PLAIN, Some(PLAIN)));
    assert!(!shown.contains(PLAIN), "{shown}");
}

/// For `cargo xtask interop`, which has the libraries of other languages read them.
#[test]
#[ignore = "prints deliveries for the libraries of other languages"]
fn deliveries_for_other_languages() {
    let generated = generated();
    let other = "whsec_b3RoZXItc2VjcmV0LW9mLTI0LWJ5dGVz";
    for (current, previous) in [
        (PLAIN, None),
        ("ключ-от-двери", None),
        (WHSEC, None),
        (generated.expose(), None),
        // Without its padding.
        ("whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eQ", None),
        (WHSEC, Some(PLAIN)),
        (PLAIN, Some(other)),
        (other, Some(generated.expose())),
    ] {
        let signing = signing(current, previous);
        let headers: serde_json::Map<_, _> = headers(&signing, BODY, now())
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let delivery = json!({
            "current": current,
            "previous": previous,
            "headers": headers,
            "body": BODY,
        });
        println!("\ndelivery {delivery}");
    }
}
