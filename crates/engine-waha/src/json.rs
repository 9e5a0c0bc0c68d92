//! Reading JSON whose shape changes from engine to engine and from version to version: a
//! member that is absent, null or of another type is `None`, never an error.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use mf_domain::Jid;
use serde_json::Value;

/// What strangers wrote, so that a database can hold it: Postgres has no place for U+0000.
pub(crate) fn cleaned(value: &Value) -> Cow<'_, Value> {
    if has_nul(value) {
        Cow::Owned(without_nul(value))
    } else {
        Cow::Borrowed(value)
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.values().any(has_nul),
        _ => false,
    }
}

fn without_nul(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(items) => items.iter().map(without_nul).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), without_nul(value)))
            .collect(),
        other => other.clone(),
    }
}

/// A text that is not empty.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str().filter(|s| !s.is_empty())
}

/// The first JID that stands in one of these places.
pub(crate) fn jid(value: &Value, pointers: &[&str]) -> Option<Jid> {
    pointers
        .iter()
        .find_map(|pointer| Jid::parse(text(value, pointer)?).ok())
}

/// A number with a fraction, also one in quotation marks.
pub(crate) fn float(value: &Value, pointer: &str) -> Option<f64> {
    match value.pointer(pointer)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
    .filter(|float: &f64| float.is_finite())
}

/// The members of a list; none where there is no list.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// A truth value, also one in quotation marks.
pub(crate) fn flag(value: &Value, pointer: &str) -> Option<bool> {
    match value.pointer(pointer)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A whole number, also one in quotation marks or with a fraction, which is cut off.
pub(crate) fn number(value: &Value, pointer: &str) -> Option<i64> {
    match value.pointer(pointer)? {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.parse().ok().or_else(|| whole(text.parse().ok()?)),
        _ => None,
    }
}

fn whole(float: f64) -> Option<i64> {
    // Beyond 2^53 a float is no exact number, and nothing here counts that far.
    #[allow(clippy::cast_possible_truncation, reason = "checked to fit")]
    (float.abs() < 9.0e15).then_some(float as i64)
}

/// A moment, in seconds or in milliseconds: what is larger than the year 5138 in seconds is
/// meant in milliseconds.
pub(crate) fn moment(value: &Value, pointer: &str) -> Option<DateTime<Utc>> {
    let number = number(value, pointer).filter(|number| *number > 0)?;
    if number > 99_999_999_999 {
        DateTime::from_timestamp_millis(number)
    } else {
        DateTime::from_timestamp(number, 0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{cleaned, flag, moment, number, text};

    #[test]
    fn numbers_come_in_many_clothes() {
        for (value, expected) in [
            (json!(7), Some(7)),
            (json!("7"), Some(7)),
            (json!(7.9), Some(7)),
            (json!("7.9"), Some(7)),
            (json!(-1), Some(-1)),
            (json!(1e300), None),
            (json!("NaN"), None),
            (json!(null), None),
            (json!({"low": 7}), None),
        ] {
            assert_eq!(number(&json!({"n": value}), "/n"), expected, "{value}");
        }
    }

    #[test]
    fn seconds_and_milliseconds_name_the_same_moment() {
        let value = json!({"s": 1_666_943_582, "ms": 1_666_943_582_000_i64, "t": "1666943582"});
        assert_eq!(moment(&value, "/s"), moment(&value, "/ms"));
        assert_eq!(moment(&value, "/s"), moment(&value, "/t"));
        assert_eq!(moment(&json!({"n": i64::MAX}), "/n"), None);
        assert_eq!(moment(&json!({"n": 0}), "/n"), None);
    }

    #[test]
    fn no_text_keeps_what_a_database_cannot_hold() {
        let dirty = json!({"a": "x\0y", "b": [{"c": "\0"}, 7, null], "d": "z"});
        let clean = json!({"a": "x\u{fffd}y", "b": [{"c": "\u{fffd}"}, 7, null], "d": "z"});
        assert_eq!(*cleaned(&dirty), clean);
        assert_eq!(*cleaned(&clean), clean);
    }

    #[test]
    fn what_is_not_there_is_none() {
        let value = json!({"a": "", "b": null, "c": 1, "d": "true"});
        assert_eq!(text(&value, "/a"), None);
        assert_eq!(text(&value, "/c"), None);
        assert_eq!(flag(&value, "/b"), None);
        assert_eq!(flag(&value, "/d"), Some(true));
    }
}
