use serde_json::{Value, json};

use crate::app::{Answer, app};

const ID: &str = "0190a6c0-7e2a-7b3c-8d4e-5f6071829304";

/// Posts a message that is sound but for these fields; null takes one away.
async fn send(changes: Value) -> Answer {
    let mut body = json!({ "session_id": ID, "message": "hello" });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    app().await.post("/send", body.to_string()).await
}

#[tokio::test]
async fn a_missing_field_is_named() {
    let answer = app()
        .await
        .post("/send", format!("{{\"session_id\":\"{ID}\"}}"))
        .await;
    answer.lists(&[(
        "[\"body\",\"message\"]",
        "field required",
        "value_error.missing",
    )]);
}

#[tokio::test]
async fn all_faults_are_listed_together_required_fields_first() {
    let body = json!({ "session_id": "no", "phone": "call me", "tries": "3", "contacts": {} });
    app().await.post("/send", body.to_string()).await.lists(&[
        (
            "[\"body\",\"session_id\"]",
            "value is not a valid uuid",
            "type_error.uuid",
        ),
        (
            "[\"body\",\"message\"]",
            "field required",
            "value_error.missing",
        ),
        (
            "[\"body\",\"contacts\"]",
            "value is not a valid list",
            "type_error.list",
        ),
        (
            "[\"body\",\"tries\"]",
            "value is not a valid integer",
            "type_error.integer",
        ),
    ]);
}

#[tokio::test]
async fn faults_beyond_the_schema_are_listed_with_those_of_the_schema() {
    send(json!({ "message": "", "phone": "call me" })).await.lists(&[
        (
            "[\"body\",\"message\"]",
            "ensure this value has at least 1 characters",
            "value_error.any_str.min_length",
        ),
        (
            "[\"body\",\"phone\"]",
            "value is not a valid phone number: give the country code and the number as 7 to 15 \
             digits, such as 15551234567",
            "value_error.phone",
        ),
    ]);
}

#[tokio::test]
async fn positions_in_lists_are_numbers() {
    let contacts = json!([{ "phone": "15551234567" }, { "name": "A" }, 7]);
    send(json!({ "contacts": contacts })).await.lists(&[
        (
            "[\"body\",\"contacts\",1,\"phone\"]",
            "field required",
            "value_error.missing",
        ),
        (
            "[\"body\",\"contacts\",1,\"name\"]",
            "ensure this value has at least 2 characters",
            "value_error.any_str.min_length",
        ),
        (
            "[\"body\",\"contacts\",2]",
            "value is not a valid dict",
            "type_error.dict",
        ),
    ]);
}

#[tokio::test]
async fn a_semantic_fault_in_a_list_has_its_position() {
    let answer = send(json!({ "contacts": [{ "phone": "15551234567" }, { "phone": "x" }] })).await;
    assert!(
        answer
            .text
            .contains(r#""loc":["body","contacts",1,"phone"]"#),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_nested_object_may_be_null_and_is_checked_otherwise() {
    send(json!({ "place": null })).await.succeeds();
    send(json!({ "place": { "tags": ["a", 1] } }))
        .await
        .lists(&[
            (
                "[\"body\",\"place\",\"latitude\"]",
                "field required",
                "value_error.missing",
            ),
            (
                "[\"body\",\"place\",\"tags\",1]",
                "str type expected",
                "type_error.str",
            ),
        ]);
}

#[tokio::test]
async fn each_type_is_refused_in_its_own_words() {
    let body = json!({
        "message": null, "color": "red", "mode": "some", "place": [], "queue": "true",
        "score": "1", "due_at": "tomorrow",
    });
    send(body).await.lists(&[
        (
            "[\"body\",\"message\"]",
            "none is not an allowed value",
            "type_error.none.not_allowed",
        ),
        (
            "[\"body\",\"color\"]",
            "string does not match regex \\\"^#[0-9A-F]{6}$\\\"",
            "value_error.str.regex",
        ),
        (
            "[\"body\",\"due_at\"]",
            "invalid datetime format",
            "value_error.datetime",
        ),
        (
            "[\"body\",\"mode\"]",
            "value is not a valid enumeration member; permitted: 'all', 'first_message'",
            "type_error.enum",
        ),
        (
            "[\"body\",\"place\"]",
            "value is not a valid dict",
            "type_error.dict",
        ),
        (
            "[\"body\",\"queue\"]",
            "value could not be parsed to a boolean",
            "type_error.bool",
        ),
        (
            "[\"body\",\"score\"]",
            "value is not a valid float",
            "type_error.float",
        ),
    ]);
}

#[tokio::test]
async fn a_text_may_have_4096_characters_and_no_more() {
    send(json!({ "message": "é".repeat(4096) }))
        .await
        .succeeds();
    send(json!({ "message": "é".repeat(4097) })).await.lists(&[(
        "[\"body\",\"message\"]",
        "ensure this value has at most 4096 characters",
        "value_error.any_str.max_length",
    )]);
}

#[tokio::test]
async fn numbers_keep_to_their_bounds() {
    send(json!({ "tries": 1, "score": 0.5 })).await.succeeds();
    send(json!({ "tries": 10, "score": 1 })).await.succeeds();
    send(json!({ "tries": 0, "score": 0.4 })).await.lists(&[
        (
            "[\"body\",\"score\"]",
            "ensure this value is greater than or equal to 0.5",
            "value_error.number.not_ge",
        ),
        (
            "[\"body\",\"tries\"]",
            "ensure this value is greater than or equal to 1",
            "value_error.number.not_ge",
        ),
    ]);
    send(json!({ "tries": 11, "score": 1.5 })).await.lists(&[
        (
            "[\"body\",\"score\"]",
            "ensure this value is less than or equal to 1",
            "value_error.number.not_le",
        ),
        (
            "[\"body\",\"tries\"]",
            "ensure this value is less than or equal to 10",
            "value_error.number.not_le",
        ),
    ]);
    let fraction = send(json!({ "tries": 1.5 })).await;
    fraction.lists(&[(
        "[\"body\",\"tries\"]",
        "value is not a valid integer",
        "type_error.integer",
    )]);
}

#[tokio::test]
async fn a_list_keeps_to_its_length() {
    let contacts: Vec<Value> = (0..4).map(|_| json!({})).collect();
    send(json!({ "contacts": contacts })).await.lists(&[(
        "[\"body\",\"contacts\"]",
        "ensure this value has at most 3 items",
        "value_error.list.max_items",
    )]);
}

#[tokio::test]
async fn the_character_that_postgres_cannot_store_is_refused_everywhere() {
    let msg = "value contains the character U+0000, which cannot be stored";
    let body = json!({
        "message": "a\0b", "config": { "deep": ["\0"], "key\0": 1 }, "unknown": "\0",
    });
    send(body).await.lists(&[
        ("[\"body\",\"message\"]", msg, "value_error.str.nul"),
        (
            "[\"body\",\"config\",\"deep\",0]",
            msg,
            "value_error.str.nul",
        ),
        (
            "[\"body\",\"config\",\"key\\u0000\"]",
            msg,
            "value_error.str.nul",
        ),
    ]);
    let free = app().await.post("/free", json!(["\0"]).to_string()).await;
    free.lists(&[("[\"body\",0]", msg, "value_error.str.nul")]);
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    send(json!({ "surprise": { "a": 1 } })).await.succeeds();
}

#[tokio::test]
async fn a_flood_of_faults_is_cut_at_a_hundred() {
    let numbers = vec![1; 20_000];
    let answer = send(json!({ "place": { "latitude": 1, "tags": numbers } })).await;
    assert_eq!(answer.text.matches("type_error.str").count(), 100);
}

#[tokio::test]
async fn an_empty_body_is_a_missing_one() {
    for body in ["", " \n"] {
        let answer = app().await.post("/send", body).await;
        answer.lists(&[("[\"body\"]", "field required", "value_error.missing")]);
    }
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused() {
    for body in ["[]", "7", "\"text\""] {
        let answer = app().await.post("/send", body).await;
        answer.lists(&[("[\"body\"]", "value is not a valid dict", "type_error.dict")]);
    }
    let null = app().await.post("/send", "null").await;
    null.lists(&[(
        "[\"body\"]",
        "none is not an allowed value",
        "type_error.none.not_allowed",
    )]);
}

#[tokio::test]
async fn an_optional_body_may_be_left_out_but_not_be_wrong() {
    let app = app().await;
    assert_eq!(app.post("/optional", "").await.succeeds(), "");
    assert_eq!(app.post("/optional", "null").await.succeeds(), "");
    assert_eq!(
        app.post("/optional", r#"{"reason":"x"}"#).await.succeeds(),
        "x"
    );
    let wrong = app.post("/optional", r#"{"reason":1}"#).await;
    wrong.lists(&[(
        "[\"body\",\"reason\"]",
        "str type expected",
        "type_error.str",
    )]);
}

#[tokio::test]
async fn malformed_json_is_a_400_that_says_where() {
    let app = app().await;
    let answer = app.post("/send", "{\"message\":\n  \"a\",}").await;
    answer.refuses(400, "Malformed JSON at line 2, column 7");
    let answer = app.post("/send", "{\"message\":\"\\ud800\"}").await;
    assert_eq!(answer.status, 400);
    let deep = "[".repeat(10_000);
    assert_eq!(app.post("/send", deep).await.status, 400);
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_a_400() {
    let answer = app()
        .await
        .post("/send", b"{\"message\":\"\xff\"}".to_vec())
        .await;
    answer.refuses(400, "The request body is not valid UTF-8");
}

#[tokio::test]
async fn json_is_taken_without_its_name_and_under_that_of_curl() {
    let app = app().await;
    for kind in [
        "application/json",
        "APPLICATION/JSON; charset=utf-8",
        "application/ld+json",
        "application/x-www-form-urlencoded",
    ] {
        let answer = app.post_as(kind, "/optional", r#"{"reason":"x"}"#).await;
        assert_eq!(answer.succeeds(), "x", "{kind}");
    }
}

#[tokio::test]
async fn another_kind_of_body_is_a_415() {
    let app = app().await;
    let sentence = "Unsupported Media Type: send application/json";
    for (kind, body) in [
        ("text/plain", "{}"),
        ("multipart/form-data; boundary=x", "{}"),
        ("application/x-www-form-urlencoded", "message=hello"),
    ] {
        app.post_as(kind, "/send", body)
            .await
            .refuses(415, sentence);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413() {
    let app = app().await;
    let limit = 64 * 1024;
    assert_eq!(app.post("/raw", "x".repeat(limit)).await.status, 200);
    for path in ["/raw", "/send"] {
        let answer = app.post(path, "x".repeat(limit + 1)).await;
        answer.refuses(413, "The request body is too large");
    }
}
