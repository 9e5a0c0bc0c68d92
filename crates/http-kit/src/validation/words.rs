//! The words of pydantic v1, which the clients of this API know.

use std::fmt::Display;

use mf_domain::Invalid;
use serde_json::Value;

macro_rules! words {
    ($($name:ident = $code:literal, $message:literal;)+) => {$(
        pub(crate) fn $name() -> Invalid {
            Invalid::new($code, $message)
        }
    )+};
}

words! {
    missing = "value_error.missing", "field required";
    none = "type_error.none.not_allowed", "none is not an allowed value";
    text = "type_error.str", "str type expected";
    integer = "type_error.integer", "value is not a valid integer";
    number = "type_error.float", "value is not a valid float";
    boolean = "type_error.bool", "value could not be parsed to a boolean";
    list = "type_error.list", "value is not a valid list";
    record = "type_error.dict", "value is not a valid dict";
    uuid = "type_error.uuid", "value is not a valid uuid";
    date_time = "value_error.datetime", "invalid datetime format";
    date = "value_error.date", "invalid date format";
    nul = "value_error.str.nul", "value contains the character U+0000, which cannot be stored";
    duplicates = "value_error.list.unique_items", "the list has duplicated items";
    // Not pydantic's: for what a type refuses beyond its schema.
    other = "value_error", "value is not valid";
}

macro_rules! limits {
    ($($name:ident = $code:literal, $before:literal, $after:literal;)+) => {$(
        pub(crate) fn $name(limit: impl Display) -> Invalid {
            Invalid::new($code, format!(concat!($before, "{}", $after), limit))
        }
    )+};
}

limits! {
    too_long = "value_error.any_str.max_length", "ensure this value has at most ", " characters";
    too_short = "value_error.any_str.min_length", "ensure this value has at least ", " characters";
    too_many = "value_error.list.max_items", "ensure this value has at most ", " items";
    too_few = "value_error.list.min_items", "ensure this value has at least ", " items";
    not_ge = "value_error.number.not_ge", "ensure this value is greater than or equal to ", "";
    not_gt = "value_error.number.not_gt", "ensure this value is greater than ", "";
    not_le = "value_error.number.not_le", "ensure this value is less than or equal to ", "";
    not_lt = "value_error.number.not_lt", "ensure this value is less than ", "";
    pattern = "value_error.str.regex", "string does not match regex \"", "\"";
}

/// The value is none of the words that its place takes.
pub(crate) fn enumeration<'a>(permitted: impl IntoIterator<Item = &'a Value>) -> Invalid {
    let words: Vec<String> = permitted
        .into_iter()
        .map(|value| match value {
            Value::String(word) => format!("'{word}'"),
            other => other.to_string(),
        })
        .collect();
    Invalid::new(
        "type_error.enum",
        format!(
            "value is not a valid enumeration member; permitted: {}",
            words.join(", ")
        ),
    )
}
