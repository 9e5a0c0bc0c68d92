//! What became of each participant of a change. The call succeeds whatever did.

use mf_domain::Jid;
use mf_engine::{EngineError, ParticipantOutcome};
use serde_json::Value;

use crate::{json, listing::first_text};

/// What is told of one of them.
struct Told {
    /// Every name that is told: the one that was asked for may be any of them.
    names: Vec<Jid>,
    error: Option<u16>,
    invite_code: Option<String>,
}

/// Reads what became of those whom a change was asked for. Who is not named at all in an
/// answer that refuses nobody else is changed.
pub(super) fn read(answer: &Value, asked: &[Jid]) -> Result<Vec<ParticipantOutcome>, EngineError> {
    // The library behind WEBJS says in a sentence, or with `false`, that it did not even try.
    if answer.is_string() || *answer == Value::Bool(false) {
        return Err(EngineError::Rejected {
            detail: "the engine refused the change of participants".to_owned(),
        });
    }
    let told = told(answer);
    if told.is_empty() {
        let error = error(answer);
        return Ok(asked.iter().map(|jid| outcome(jid, error)).collect());
    }
    let (mut outcomes, strangers): (Vec<_>, Vec<_>) = told
        .into_iter()
        .map(|told| {
            let known = asked.iter().find(|jid| told.names.contains(jid)).cloned();
            (known, told)
        })
        .partition(|(known, _)| known.is_some());
    let mut unnamed: Vec<&Jid> = asked
        .iter()
        .filter(|jid| {
            !outcomes
                .iter()
                .any(|(known, _)| known.as_ref() == Some(*jid))
        })
        .collect();
    // Asked for by number and told by hidden id, or by the number as it really is.
    if strangers.len() == unnamed.len() {
        let named = strangers.into_iter().zip(unnamed.drain(..));
        outcomes.extend(named.map(|((_, told), jid)| (Some(jid.clone()), told)));
    } else {
        if !strangers.is_empty() {
            unnamed.clear();
        }
        outcomes.extend(strangers);
    }
    let told = outcomes.into_iter().filter_map(|(known, told)| {
        Some(ParticipantOutcome {
            jid: known.or_else(|| told.names.into_iter().next())?,
            error: told.error,
            invite_code: told.invite_code,
        })
    });
    Ok(told
        .chain(unnamed.into_iter().map(|jid| outcome(jid, None)))
        .collect())
}

fn outcome(jid: &Jid, error: Option<u16>) -> ParticipantOutcome {
    ParticipantOutcome {
        jid: jid.clone(),
        error,
        invite_code: None,
    }
}

/// WhatsApp's refusal in an object, where it has one: zero and what begins with 2 are none.
pub(super) fn error(one: &Value) -> Option<u16> {
    ["/Error", "/status", "/code", "/statusCode", "/error"]
        .iter()
        .find_map(|pointer| json::number(one, pointer))
        .and_then(|number| u16::try_from(number).ok())
        .filter(|number| *number >= 300)
}

fn told(answer: &Value) -> Vec<Told> {
    match answer {
        Value::Array(list) => list.iter().filter_map(|one| read_one(None, one)).collect(),
        Value::Object(map) => match map.get("participants") {
            Some(list @ (Value::Array(_) | Value::Object(_))) => told(list),
            _ => map
                .iter()
                .filter(|(key, _)| Jid::parse(key).is_ok())
                .filter_map(|(key, one)| read_one(Some(key), one))
                .collect(),
        },
        _ => Vec::new(),
    }
}

const NAMES: &[&str] = &[
    "/JID",
    "/PhoneNumber",
    "/LID",
    "/jid",
    "/id",
    "/id/_serialized",
    "/content/attrs/phone_number",
    "/content/attrs/lid",
];

fn read_one(key: Option<&str>, one: &Value) -> Option<Told> {
    let texts = NAMES.iter().filter_map(|pointer| json::text(one, pointer));
    let names: Vec<_> = key
        .into_iter()
        .chain(one.as_str())
        .chain(texts)
        .filter_map(|text| Jid::parse(text).ok())
        .collect();
    (!names.is_empty()).then(|| Told {
        names,
        error: error(one),
        invite_code: invite_code(one),
    })
}

/// The code of the invitation that goes to somebody who cannot be added.
fn invite_code(one: &Value) -> Option<String> {
    first_text(one, &["/AddRequest/Code"]).or_else(|| {
        let nodes = one.pointer("/content/content")?.as_array()?;
        let request = nodes.iter().find(|node| node["tag"] == "add_request")?;
        first_text(request, &["/attrs/code"])
    })
}

#[cfg(test)]
mod tests {
    use mf_domain::Jid;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::read;

    fn asked() -> [Jid; 2] {
        ["15550000002@c.us", "15550000003@c.us"].map(|jid| Jid::parse(jid).unwrap())
    }

    fn outcomes(answer: &Value) -> Vec<(String, Option<u16>, Option<String>)> {
        let outcomes = read(answer, &asked()).unwrap().into_iter();
        let mut outcomes: Vec<_> = outcomes
            .map(|one| (one.jid.to_string(), one.error, one.invite_code))
            .collect();
        outcomes.sort();
        outcomes
    }

    #[test]
    fn one_refusal_is_told_in_each_engines_words() {
        for (answer, code) in [
            (
                json!([
                    {"JID": "15550000002@s.whatsapp.net", "Error": 0, "AddRequest": null},
                    {"JID": "22@lid", "LID": "22@lid", "PhoneNumber": "15550000003@s.whatsapp.net",
                        "Error": 403, "AddRequest": {"Code": "abc", "Expiration": "2026-07-10"}},
                ]),
                Some("abc"),
            ),
            (
                json!([
                    {"status": "200", "jid": "15550000002@s.whatsapp.net", "content": {}},
                    {"status": "403", "jid": "15550000003@s.whatsapp.net", "content": {
                        "tag": "participant", "attrs": {"error": "403"},
                        "content": [{"tag": "add_request", "attrs": {"code": "abc"}}]}},
                ]),
                Some("abc"),
            ),
            (
                json!({
                    "15550000002@c.us": {"code": 200, "message": "added"},
                    "15550000003@c.us": {"code": 403, "isInviteV4Sent": true},
                }),
                None,
            ),
            (
                json!({"status": 207, "participants": [
                    {"id": {"_serialized": "15550000003@c.us"}, "code": "403"}]}),
                None,
            ),
        ] {
            assert_eq!(
                outcomes(&answer),
                [
                    ("15550000002@c.us".to_owned(), None, None),
                    (
                        "15550000003@c.us".to_owned(),
                        Some(403),
                        code.map(str::to_owned)
                    ),
                ],
                "{answer}"
            );
        }
    }

    #[test]
    fn an_answer_without_a_list_goes_for_all() {
        for answer in [
            json!(null),
            json!(true),
            json!({}),
            json!([]),
            json!({"status": 200}),
        ] {
            let all = outcomes(&answer);
            assert_eq!(all.len(), 2, "{answer}");
            assert!(all.iter().all(|(_, error, _)| error.is_none()), "{answer}");
        }
        let refused = outcomes(&json!({"status": 403}));
        assert!(refused.iter().all(|(_, error, _)| *error == Some(403)));
    }

    #[test]
    fn whoever_is_told_by_another_name_is_the_one_that_remains() {
        let hidden = json!([
            {"status": "200", "jid": "15550000002@s.whatsapp.net"},
            {"status": "408", "jid": "22000@lid"},
        ]);
        assert_eq!(
            outcomes(&hidden),
            [
                ("15550000002@c.us".to_owned(), None, None),
                ("15550000003@c.us".to_owned(), Some(408), None),
            ]
        );
    }

    #[test]
    fn nobody_is_called_changed_while_a_refusal_has_no_owner() {
        let unclear = json!([{"status": "403", "jid": "22000@lid"}]);
        assert_eq!(
            outcomes(&unclear),
            [("22000@lid".to_owned(), Some(403), None)]
        );
    }

    #[test]
    fn a_sentence_in_place_of_outcomes_is_a_refusal() {
        for answer in [json!("You have no admin rights"), json!(false)] {
            assert!(read(&answer, &asked()).is_err(), "{answer}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_reader_stumble(
            key in "[0-9]{0,12}(@(c.us|lid))?",
            status in "[0-9-]{0,7}",
        ) {
            let one = json!({"jid": key, "status": status});
            for answer in [json!([one]), json!({key: one}), json!({"participants": {"a": one}})] {
                let _ = read(&answer, &asked());
            }
        }
    }
}
