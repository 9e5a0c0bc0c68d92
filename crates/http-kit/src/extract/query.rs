use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::IntoParams;

use crate::validation::{self, Input};
use crate::{ApiError, Place};

/// The parameters of the query string, held against their schema.
///
/// A name given more than once is a list where the schema has one, else the last is taken.
/// An operation lists the type itself, as `params(Page)`; utoipa finds only paths on its own.
/// A field that is an enumeration needs `#[param(inline)]`: a parameter's schema comes
/// without those that it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T: Input + IntoParams, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let pairs = pairs(parts.uri.query().unwrap_or_default())
            .ok_or_else(|| ApiError::bad_request("Malformed query string"))?;
        let validator = validation::of_query::<T>();
        let value = validator.coerce(&pairs);
        validation::read(&validator, Place::Query, value)
            .map(Self)
            .map_err(ApiError::invalid)
    }
}

/// The pairs of a query string; none if an escape in it is broken.
fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex_digit(rest.next()?)? << 4 | hex_digit(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::pairs;

    #[test]
    fn escapes_and_plus_signs_are_read() {
        let read = pairs("a=1+2&&b=%C3%A9&c").unwrap();
        let expected = [("a", "1 2"), ("b", "é"), ("c", "")];
        assert!(
            read.iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .eq(expected)
        );
    }

    #[test]
    fn a_broken_escape_is_refused() {
        for query in ["a=%", "a=%2", "a=%zz", "a=%ff"] {
            assert!(pairs(query).is_none(), "{query} was taken");
        }
    }
}
