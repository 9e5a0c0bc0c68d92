//! Forms of schemas that utoipa writes, each as a body.
#![allow(dead_code)] // Most fields are only there to be checked.

use std::collections::BTreeMap;

use axum::body::{Body as Bytes, to_bytes};
use axum::extract::FromRequest as _;
use axum::http::Request;
use axum::response::IntoResponse as _;
use mf_http_kit::{Body, Input};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// The faults of a body as `loc: type`, or nothing if it was taken.
async fn faults<T: Input + ToSchema>(body: Value) -> Vec<String> {
    let request = Request::new(Bytes::from(body.to_string()));
    let Err(error) = Body::<T>::from_request(request, &()).await else {
        return Vec::new();
    };
    let bytes = to_bytes(error.into_response().into_body(), 100_000)
        .await
        .unwrap();
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    let list = body["detail"].as_array().unwrap();
    list.iter()
        .map(|fault| format!("{} {}", fault["loc"], fault["type"].as_str().unwrap()))
        .collect()
}

#[derive(Deserialize, ToSchema)]
struct Base {
    name: String,
}

#[derive(Deserialize, ToSchema)]
struct Flat {
    #[serde(flatten)]
    base: Base,
    #[schema(minimum = 1)]
    count: u32,
}

impl Input for Flat {}

#[tokio::test]
async fn a_flattened_field_is_checked_like_the_others() {
    let found = faults::<Flat>(json!({ "count": 0 })).await;
    assert_eq!(
        found,
        [
            r#"["body","name"] value_error.missing"#,
            r#"["body","count"] value_error.number.not_ge"#
        ]
    );
    assert!(
        faults::<Flat>(json!({ "name": "x", "count": 3_000_000_000_u32 }))
            .await
            .is_empty()
    );
    let found = faults::<Flat>(json!({ "name": "x", "count": 5_000_000_000_u64 })).await;
    assert_eq!(found, [r#"["body","count"] value_error.number.not_le"#]);
}

#[derive(Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Tagged {
    Text { text: String },
    Named(Base),
}

impl Input for Tagged {}

#[tokio::test]
async fn a_tag_decides_what_is_asked_for() {
    assert!(
        faults::<Tagged>(json!({ "kind": "text", "text": "a" }))
            .await
            .is_empty()
    );
    assert!(
        faults::<Tagged>(json!({ "kind": "named", "name": "a" }))
            .await
            .is_empty()
    );
    let found = faults::<Tagged>(json!({ "kind": "named", "text": "a" })).await;
    assert_eq!(found, [r#"["body","name"] value_error.missing"#]);
    let found = faults::<Tagged>(json!({ "kind": "other" })).await;
    assert_eq!(found, [r#"["body","kind"] type_error.enum"#]);
    let found = faults::<Tagged>(json!({})).await;
    assert_eq!(found, [r#"["body","kind"] value_error.missing"#]);
}

#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Either {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize, ToSchema)]
struct Tree {
    value: Either,
    #[schema(no_recursion)]
    children: Option<Vec<Tree>>,
    #[schema(no_recursion)]
    next: Option<Box<Tree>>,
    limits: Option<BTreeMap<String, i64>>,
    /// With a description of its own.
    base: Option<Base>,
    #[schema(inline)]
    inline: Option<Base>,
}

impl Input for Tree {}

#[tokio::test]
async fn a_type_may_contain_itself() {
    let found = faults::<Tree>(json!({
        "value": "a",
        "children": [{ "value": ["a"] }, { "value": "a", "next": { "children": [{}] } }],
    }))
    .await;
    assert_eq!(
        found,
        [
            r#"["body","children",1,"next","value"] value_error.missing"#,
            r#"["body","children",1,"next","children",0,"value"] value_error.missing"#,
        ]
    );
}

#[tokio::test]
async fn a_choice_is_refused_where_no_branch_fits() {
    assert_eq!(
        faults::<Tree>(json!({ "value": 1 })).await,
        [r#"["body","value"] type_error.str"#]
    );
    assert_eq!(faults::<Tree>(json!({ "value": ["a", 1] })).await.len(), 1);
}

#[tokio::test]
async fn the_values_of_a_map_are_checked_under_their_keys() {
    let found = faults::<Tree>(json!({ "value": "a", "limits": { "a": 1, "b": "x" } })).await;
    assert_eq!(found, [r#"["body","limits","b"] type_error.integer"#]);
}

#[tokio::test]
async fn references_and_inlined_types_are_checked_alike() {
    let found = faults::<Tree>(json!({ "value": "a", "base": {}, "inline": {} })).await;
    assert_eq!(
        found,
        [
            r#"["body","base","name"] value_error.missing"#,
            r#"["body","inline","name"] value_error.missing"#,
        ]
    );
    assert!(
        faults::<Tree>(json!({ "value": "a", "base": null, "inline": null }))
            .await
            .is_empty()
    );
}

#[derive(Deserialize, ToSchema)]
struct Small {
    level: u8,
}

impl Input for Small {}

#[derive(Deserialize, ToSchema)]
struct Odd {
    #[serde(deserialize_with = "never")]
    text: String,
}

impl Input for Odd {}

fn never<'de, D: serde::Deserializer<'de>>(_: D) -> Result<String, D::Error> {
    Err(serde::de::Error::custom("struct Secret is odd"))
}

#[tokio::test]
async fn what_only_the_type_refuses_is_told_in_our_words() {
    let found = faults::<Small>(json!({ "level": 300 })).await;
    assert_eq!(found, [r#"["body","level"] value_error"#]);
    let found = faults::<Odd>(json!({ "text": "" })).await;
    assert_eq!(found, [r#"["body","text"] value_error"#]);
}
