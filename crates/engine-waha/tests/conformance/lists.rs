//! Answers about people and groups that the simulator does not give.

use std::time::Duration;

use mf_domain::Jid;
use mf_engine::{Engine as _, EngineError, EnginePage, Groups as _, Labels as _, SessionKey};
use mf_engine_waha::Waha;

use crate::{receiver, world::adapter};

const SECOND: Duration = Duration::from_secs(1);
const PAGE: EnginePage = EnginePage {
    limit: 1,
    offset: 0,
};

fn key() -> SessionKey {
    SessionKey::of(uuid::Uuid::from_u128(1).into())
}

fn group() -> Jid {
    Jid::parse("120363@g.us").unwrap()
}

/// A WAHA that answers by what the target ends with.
async fn answering(answers: &'static [(&'static str, u16, &'static str)]) -> Waha {
    let address = receiver::serve(move |request| {
        let fitting = answers
            .iter()
            .find(|(end, ..)| request.target.ends_with(end));
        let (_, status, body) = fitting.unwrap_or(&("", 404, r#"{"message":"Cannot GET it"}"#));
        (*status, (*body).to_owned())
    })
    .await;
    adapter(&address, "k", SECOND)
}

#[tokio::test]
async fn a_page_of_contacts_with_nobody_on_it_is_not_taken_for_the_end() {
    let waha = answering(&[
        ("offset=0", 200, r#"[{"id":"120363@g.us","name":"Team"}]"#),
        (
            "offset=1",
            200,
            r#"[{"id":"15550000001@c.us","isMe":true}]"#,
        ),
        (
            "offset=2",
            200,
            r#"[{"id":"15550000002@c.us","name":"Ann"}]"#,
        ),
        ("offset=3", 200, "[]"),
    ])
    .await;
    let first = waha.contacts(&key(), PAGE).await.unwrap();
    assert_eq!(first[0].jid.as_str(), "15550000002@c.us");
    let last = EnginePage { offset: 3, ..PAGE };
    assert_eq!(waha.contacts(&key(), last).await, Ok(vec![]));
}

#[tokio::test]
async fn an_engine_that_knows_no_pages_does_not_keep_us_for_ever() {
    let waha = answering(&[("", 200, r#"[{"id":"120363@g.us"}]"#)]).await;
    assert_eq!(waha.contacts(&key(), PAGE).await, Ok(vec![]));
}

#[tokio::test]
async fn a_change_answered_with_false_was_refused() {
    let waha = answering(&[("", 200, "false")]).await;
    let refusals = [
        waha.rename_group(&key(), &group(), "Team").await,
        waha.describe_group(&key(), &group(), "us").await,
        waha.remove_participants(&key(), &group(), &[group()])
            .await
            .map(drop),
    ];
    for refusal in refusals {
        assert!(
            matches!(refusal, Err(EngineError::Rejected { .. })),
            "{refusal:?}"
        );
    }
}

#[tokio::test]
async fn a_sentence_in_place_of_outcomes_is_a_refusal() {
    let waha = answering(&[("", 201, "AddParticipantsError: You have no admin rights")]).await;
    let refused = waha.add_participants(&key(), &group(), &[group()]).await;
    assert!(
        matches!(refused, Err(EngineError::Rejected { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_invitation_is_read_from_a_code_and_from_a_link() {
    for body in [
        "AbCdEfGhIjKlMnOpQrStUv",
        r#""AbCdEfGhIjKlMnOpQrStUv""#,
        "https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv",
    ] {
        let address = receiver::serve(move |_| (200, body.to_owned())).await;
        let waha = adapter(&address, "k", SECOND);
        let code = waha.invite_code(&key(), &group()).await;
        assert_eq!(code.as_deref(), Ok("AbCdEfGhIjKlMnOpQrStUv"), "{body}");
    }
    let waha = answering(&[("", 200, "<html>gone</html>")]).await;
    let code = waha.invite_code(&key(), &group()).await;
    assert_eq!(code, Err(EngineError::Interrupted));
}

#[tokio::test]
async fn a_group_made_without_a_name_for_it_may_have_been_made() {
    let waha = answering(&[("", 201, "")]).await;
    let made = waha.create_group(&key(), "Team", &[]).await;
    assert_eq!(made, Err(EngineError::Interrupted));
}

#[tokio::test]
async fn a_missing_group_is_none_in_the_words_of_each_engine() {
    for body in [
        r#"{"statusCode":500,"exception":{"message":"item-not-found"}}"#,
        r#"{"statusCode":500,"exception":{"message":"2 UNKNOWN: that group does not exist"}}"#,
        r#"{"statusCode":500,"exception":{"message":"forbidden"}}"#,
    ] {
        let address = receiver::serve(move |_| (500, body.to_owned())).await;
        let waha = adapter(&address, "k", SECOND);
        assert_eq!(waha.group(&key(), &group()).await, Ok(None), "{body}");
    }
    let waha = answering(&[("", 200, "")]).await;
    assert_eq!(waha.group(&key(), &group()).await, Ok(None));
    let waha = answering(&[("", 500, r#"{"exception":{"message":"boom"}}"#)]).await;
    assert!(waha.group(&key(), &group()).await.is_err());
}

#[tokio::test]
async fn removing_a_label_that_is_gone_succeeds_and_an_engine_without_labels_is_told_apart() {
    let gone = r#"{"statusCode":404,"message":"Label not found","error":"Not Found"}"#;
    let address = receiver::serve(move |_| (404, gone.to_owned())).await;
    let waha = adapter(&address, "k", SECOND);
    assert_eq!(waha.delete_label(&key(), "7").await, Ok(()));
    let waha = answering(&[]).await;
    let unsupported = waha.delete_label(&key(), "7").await;
    assert!(
        matches!(unsupported, Err(EngineError::Unsupported { .. })),
        "{unsupported:?}"
    );
}
