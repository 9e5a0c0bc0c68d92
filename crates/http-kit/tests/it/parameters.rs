use crate::app::app;

const ID: &str = "0190a6c0-7e2a-7b3c-8d4e-5f6071829304";

#[tokio::test]
async fn parameters_become_what_their_schema_says() {
    let path = format!(
        "/things?limit=7&session_id={ID}&is_active=yes&min_score=2&tag=1&tag=-2&search=a+%C3%A9\
         &mode=first_message&unknown=1&limit=8"
    );
    let app = app().await;
    let answer = app.get(&path).await;
    assert_eq!(
        answer.succeeds(),
        format!(
            "Page {{ limit: 8, offset: 0 }} Filter {{ session_id: {ID}, is_active: Some(true), \
             min_score: Some(2.0), tag: Some([1, -2]), search: Some(\"a é\"), \
             mode: Some(FirstMessage) }}"
        )
    );
}

#[tokio::test]
async fn a_page_has_50_entries_from_the_first_unless_asked_otherwise() {
    let answer = app().await.get("/page").await;
    assert_eq!(answer.succeeds(), "Page { limit: 50, offset: 0 }");
}

#[tokio::test]
async fn a_page_keeps_to_its_bounds() {
    let app = app().await;
    app.get("/page?limit=0&offset=-1").await.lists(&[
        (
            "[\"query\",\"limit\"]",
            "ensure this value is greater than or equal to 1",
            "value_error.number.not_ge",
        ),
        (
            "[\"query\",\"offset\"]",
            "ensure this value is greater than or equal to 0",
            "value_error.number.not_ge",
        ),
    ]);
    app.get("/page?limit=101").await.lists(&[(
        "[\"query\",\"limit\"]",
        "ensure this value is less than or equal to 100",
        "value_error.number.not_le",
    )]);
    for text in ["", "x", "1.5", "99999999999999999999999"] {
        app.get(&format!("/page?limit={text}")).await.lists(&[(
            "[\"query\",\"limit\"]",
            "value is not a valid integer",
            "type_error.integer",
        )]);
    }
    assert_eq!(
        app.get("/page?offset=18446744073709551615").await.status,
        422
    );
}

#[tokio::test]
async fn all_faults_of_a_query_are_listed() {
    let path = "/things?is_active=maybe&min_score=inf&tag=1&tag=x&search=%00&mode=none";
    app().await.get(path).await.lists(&[
        (
            "[\"query\",\"session_id\"]",
            "field required",
            "value_error.missing",
        ),
        (
            "[\"query\",\"is_active\"]",
            "value could not be parsed to a boolean",
            "type_error.bool",
        ),
        (
            "[\"query\",\"min_score\"]",
            "value is not a valid float",
            "type_error.float",
        ),
        (
            "[\"query\",\"tag\",1]",
            "value is not a valid integer",
            "type_error.integer",
        ),
        (
            "[\"query\",\"search\"]",
            "value contains the character U+0000, which cannot be stored",
            "value_error.str.nul",
        ),
        (
            "[\"query\",\"mode\"]",
            "value is not a valid enumeration member; permitted: 'all', 'first_message'",
            "type_error.enum",
        ),
    ]);
}

#[tokio::test]
async fn a_query_is_checked_beyond_its_schema() {
    let answer = app()
        .await
        .get(&format!("/things?session_id={ID}&search=bad"))
        .await;
    answer.lists(&[("[\"query\",\"search\"]", "not that", "value_error.search")]);
}

#[tokio::test]
async fn a_broken_escape_in_a_query_is_a_400() {
    let app = app().await;
    for query in ["limit=%zz", "limit=%", "%ff=1"] {
        app.get(&format!("/page?{query}"))
            .await
            .refuses(400, "Malformed query string");
    }
}

#[tokio::test]
async fn a_path_with_a_wrong_id_is_a_422_that_names_the_parameter() {
    let app = app().await;
    let expected = [(
        "[\"path\",\"id\"]",
        "value is not a valid uuid",
        "type_error.uuid",
    )];
    app.get("/api/v2/things/nonsense").await.lists(&expected);
    assert_eq!(
        app.get(&format!("/api/v2/things/{ID}")).await.succeeds(),
        ID
    );
}

#[tokio::test]
async fn all_faults_of_a_path_are_listed() {
    let app = app().await;
    app.get("/chat/x/y").await.lists(&[
        (
            "[\"path\",\"session_id\"]",
            "value is not a valid uuid",
            "type_error.uuid",
        ),
        (
            "[\"path\",\"number\"]",
            "value is not a valid integer",
            "type_error.integer",
        ),
    ]);
    assert_eq!(
        app.get(&format!("/chat/{ID}/-3")).await.succeeds(),
        format!("{ID} -3")
    );
}

#[tokio::test]
async fn a_text_in_a_path_is_decoded_and_must_be_storable() {
    let app = app().await;
    assert_eq!(
        app.get("/name/a%20%C3%A9%40c.us").await.succeeds(),
        "a é@c.us"
    );
    app.get("/name/a%00").await.lists(&[(
        "[\"path\",\"name\"]",
        "value contains the character U+0000, which cannot be stored",
        "value_error.str.nul",
    )]);
    app.get("/name/%ff")
        .await
        .refuses(400, "The path is not valid UTF-8");
}
