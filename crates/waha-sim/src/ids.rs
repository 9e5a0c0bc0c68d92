//! Identifiers: what WhatsApp and WAHA make them of, and the simulated numbers.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::Dialect;
use crate::error::ApiError;

/// Milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the other side of the network, with a clock of its own"
)]
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The time as JavaScript writes it.
pub(crate) fn rfc3339(ms: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default();
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// A ULID in lower case, 26 characters.
pub(crate) fn ulid() -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let time = u128::from(now_ms().unsigned_abs());
    let random = rand::random::<u128>() >> 48;
    let value = (time << 80) | random;
    (0..26)
        .rev()
        .map(|digit| char::from(ALPHABET[((value >> (digit * 5)) & 31) as usize]))
        .collect()
}

/// A bare message id as the engines mint them.
pub(crate) fn message_id() -> String {
    let random = format!("{:032X}", rand::random::<u128>());
    format!("3EB0{}", &random[..18])
}

/// An incoming message's id, minted by somebody's phone.
pub(crate) fn phone_message_id() -> String {
    format!("{:032X}", rand::random::<u128>())
}

/// The number a session gets when nobody says which phone scanned: the same every time for one
/// session name, and none of the numbers with a special meaning.
pub(crate) fn own_number(session: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in session.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("15551{:06}", hash % 1_000_000)
}

/// The number that answers what it is told.
pub(crate) const ECHO: &str = "15550000001";
/// The number WhatsApp does not let strangers write to.
pub(crate) const RESTRICTED: &str = "15550000463";

/// The number whose owner lets nobody add them to groups.
pub(crate) const PRIVATE: &str = "15550000403";

/// Whether the number has WhatsApp, written as it is registered.
pub(crate) fn exists(digits: &str) -> bool {
    registered(digits).is_some_and(|real| real == digits)
}

/// What the number is registered as; `None` when it has no WhatsApp.
pub(crate) fn registered(digits: &str) -> Option<String> {
    if digits.starts_with("1555999") {
        return None;
    }
    Some(brazilian(digits).unwrap_or_else(|| digits.to_owned()))
}

/// Brazilian mobile numbers got a ninth digit. Accounts of the areas 11 to 28 carry it, those of
/// the other areas are registered without it, however people write them.
fn brazilian(digits: &str) -> Option<String> {
    let (area, local) = digits.strip_prefix("55")?.split_at_checked(2)?;
    let number: u8 = area.parse().ok()?;
    match (number, local.len(), local.as_bytes().first()?) {
        (31.., 9, b'9') => Some(format!("55{area}{}", local.get(1..)?)),
        (11..=28, 8, b'6'..=b'9') => Some(format!("55{area}9{local}")),
        _ => None,
    }
}

/// A person's hidden id. Real ones are random; these can be turned back into the number.
pub(crate) fn lid_of(digits: &str) -> String {
    let reversed: String = digits.chars().rev().collect();
    format!("2{reversed}@lid")
}

/// The number behind a hidden id.
pub(crate) fn number_of_lid(lid: &str) -> Option<String> {
    let digits = lid.strip_suffix("@lid").unwrap_or(lid).strip_prefix('2')?;
    let number: String = digits.chars().rev().collect();
    (is_number(&number) && exists(&number)).then_some(number)
}

fn is_number(digits: &str) -> bool {
    (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number behind a chat with one person.
pub(crate) fn number_of_chat(chat: &str) -> Option<String> {
    match chat.split_once('@') {
        Some((digits, "c.us")) => Some(digits.to_owned()),
        Some((_, "lid")) => number_of_lid(chat),
        _ => None,
    }
}

/// Whether two chats are one with the same person, under the number and under the hidden id.
pub(crate) fn same_person(one: &str, other: &str) -> bool {
    number_of_chat(one).is_some_and(|number| number_of_chat(other) == Some(number))
}

/// `@s.whatsapp.net` and bare digits are taken for `@c.us`, as WAHA does.
pub(crate) fn as_chat(given: &str) -> String {
    match given.split_once('@') {
        None => format!("{given}@c.us"),
        Some((user, "s.whatsapp.net")) => format!("{user}@c.us"),
        Some(_) => given.to_owned(),
    }
}

/// The form chats have inside the engines.
pub(crate) fn as_jid(chat: &str) -> String {
    match chat.split_once('@') {
        Some((user, "c.us")) => format!("{user}@s.whatsapp.net"),
        _ => chat.to_owned(),
    }
}

/// Whether the chat is a group.
pub(crate) fn is_group(chat: &str) -> bool {
    chat.ends_with("@g.us")
}

/// The chat a send goes to, or what the engine throws when it is none.
pub(crate) fn destination(engine: Dialect, given: &str) -> Result<String, ApiError> {
    let chat = as_chat(given);
    let (user, server) = chat.split_once('@').unwrap_or((chat.as_str(), ""));
    let valid = match server {
        "c.us" => is_number(user),
        "lid" | "newsletter" => !user.is_empty() && user.bytes().all(|b| b.is_ascii_digit()),
        "g.us" => !user.is_empty() && user.bytes().all(|b| b.is_ascii_digit() || b == b'-'),
        "broadcast" => user == "status",
        _ => false,
    };
    if valid {
        return Ok(chat);
    }
    Err(match engine {
        Dialect::Webjs => ApiError::engine("Error", "Evaluation failed: wid error: invalid wid"),
        Dialect::Noweb => ApiError::engine(
            "TypeError",
            "Cannot destructure property 'user' of '(0 , index_js_1.jidDecode)(...)' \
             as it is undefined.",
        ),
        Dialect::Gows if user.contains(':') => {
            ApiError::grpc("message recipient must be a user JID with no device part")
        }
        Dialect::Gows => ApiError::grpc(format!("invalid jid: {}", as_jid(&chat))),
    })
}

/// The bare id within `{fromMe}_{chat}_{id}[_{participant}]`.
pub(crate) fn bare_id(full: &str) -> Result<&str, ApiError> {
    let parts: Vec<&str> = full.split('_').collect();
    match parts.as_slice() {
        ["true" | "false", _, id] | ["true" | "false", _, id, _] => Ok(id),
        _ => Err(ApiError::engine(
            "Error",
            "Message id be in format false_11111111111@c.us_AAAAAAAAAAAAAAAAAAAA[_participant]",
        )),
    }
}
