//! Lists, in the shapes in which WAHA's engines give them.

use mf_domain::{Jid, PhoneNumber};
use mf_engine::{EngineError, EnginePage};
use serde_json::Value;

use crate::{Waha, client::Call, endpoint::Endpoint, json};

/// Pages without anything for us that are passed over in one go. Who answers with more of them
/// takes no notice of the page that it is asked for.
const PASSED_OVER: u32 = 50;

/// An entry of a list; of a map also its key.
pub(crate) type Entry<'a> = (Option<&'a str>, &'a Value);

/// The entries of a list, of a map by id, or of nothing.
pub(crate) fn entries(answer: &Value) -> Result<Vec<Entry<'_>>, EngineError> {
    match answer {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => Ok(items.iter().map(|item| (None, item)).collect()),
        Value::Object(map) => Ok(map
            .iter()
            .map(|(key, item)| (Some(key.as_str()), item))
            .collect()),
        _ => Err(EngineError::Interrupted),
    }
}

/// The first of some places that says a JID.
pub(crate) fn jid(value: &Value, pointers: &[&str]) -> Option<Jid> {
    pointers
        .iter()
        .find_map(|pointer| Jid::parse(json::text(value, pointer)?).ok())
}

/// The first of some places that says a number, bare or as a JID of whatever device.
pub(crate) fn phone(value: &Value, pointers: &[&str]) -> Option<PhoneNumber> {
    pointers.iter().find_map(|pointer| {
        let text = json::text(value, pointer)?;
        Jid::parse(text)
            .ok()
            .and_then(|jid| jid.phone())
            .or_else(|| PhoneNumber::parse(text).ok())
    })
}

/// The first of some places that says anything.
pub(crate) fn first_text(value: &Value, pointers: &[&str]) -> Option<String> {
    pointers
        .iter()
        .find_map(|pointer| json::text(value, pointer))
        .map(str::to_owned)
}

impl Waha {
    /// Asks for a page of a list and reads what can be read of it. An empty page is the end of
    /// the list; where a page has nothing for us, the next one stands in for it.
    pub(crate) async fn page<T>(
        &self,
        (endpoint, holes): (&'static Endpoint, &[&str]),
        query: &[(&str, &str)],
        page: EnginePage,
        read: fn(Entry<'_>) -> Option<T>,
    ) -> Result<Vec<T>, EngineError> {
        let limit = page.limit.to_string();
        let mut offset = page.offset;
        for _ in 0..PASSED_OVER {
            let from = offset.to_string();
            let mut query = query.to_vec();
            query.extend([("limit", limit.as_str()), ("offset", from.as_str())]);
            let answer = self.ask(Call::new(endpoint, holes).query(&query)).await?;
            let entries = entries(&answer)?;
            let end = entries.is_empty();
            let found: Vec<T> = entries.into_iter().filter_map(read).collect();
            if end || !found.is_empty() {
                return Ok(found);
            }
            offset = offset.saturating_add(page.limit);
        }
        Ok(Vec::new())
    }
}

/// Makes `None` of an error that says, in one of these words, that the thing is not there.
pub(crate) fn absent<T>(
    result: Result<T, EngineError>,
    words: &[&str],
) -> Result<Option<T>, EngineError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_404(&error) || says(&error, words) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether WAHA itself says 404. Somebody in between does it in no words of WAHA's.
fn is_404(error: &EngineError) -> bool {
    matches!(error, EngineError::Rejected { detail }
        if detail.strip_prefix("404: ").is_some_and(|said| !said.is_empty()))
}

/// Whether an engine's exception, or WAHA's refusal, has one of these words in it. They are in
/// lower case.
pub(crate) fn says(error: &EngineError, words: &[&str]) -> bool {
    let (EngineError::Failed { detail } | EngineError::Rejected { detail }) = error else {
        return false;
    };
    let detail = detail.to_lowercase();
    words.iter().any(|word| detail.contains(word))
}

#[cfg(test)]
mod tests {
    use mf_engine::EngineError;
    use serde_json::json;

    use super::{absent, entries, phone};

    #[test]
    fn only_the_words_for_it_say_that_a_thing_is_not_there() {
        let failed = |detail: &str| EngineError::Failed {
            detail: detail.to_owned(),
        };
        let rejected = |detail: &str| EngineError::Rejected {
            detail: detail.to_owned(),
        };
        let words = &["item-not-found"];
        for missing in [
            rejected("404: Label not found"),
            failed("500: Item-Not-Found"),
        ] {
            assert_eq!(absent::<()>(Err(missing), words), Ok(None));
        }
        for other in [rejected("404: "), failed("500: boom"), EngineError::Timeout] {
            assert_eq!(absent::<()>(Err(other.clone()), words), Err(other));
        }
        assert_eq!(absent(Ok(7), words), Ok(Some(7)));
    }

    #[test]
    fn lists_come_as_lists_as_maps_and_as_nothing() {
        assert_eq!(entries(&json!(null)), Ok(vec![]));
        assert_eq!(entries(&json!([7])), Ok(vec![(None, &json!(7))]));
        assert_eq!(entries(&json!({"a": 7})), Ok(vec![(Some("a"), &json!(7))]));
        assert_eq!(entries(&json!("7")), Err(EngineError::Interrupted));
    }

    #[test]
    fn a_number_is_read_bare_and_with_its_server() {
        for text in [
            "15550000002",
            "+15550000002",
            "15550000002@c.us",
            "15550000002:7@s.whatsapp.net",
        ] {
            let value = json!({"pn": text});
            let read = phone(&value, &["/none", "/pn"]).unwrap();
            assert_eq!(read.as_str(), "15550000002", "{text}");
        }
        assert_eq!(phone(&json!({"pn": "179242000000001@lid"}), &["/pn"]), None);
    }
}
