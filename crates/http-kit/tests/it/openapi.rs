use mf_domain::SessionId;
use mf_http_kit::openapi::{AuthErrors, ErrorSchemas, InputErrors, SecurityAddon, ServerErrors};
use mf_http_kit::{ApiResult, Page, Path, Query};
use serde_json::Value;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

#[derive(OpenApi)]
#[openapi(modifiers(&SecurityAddon, &ErrorSchemas))]
struct Base;

/// Lists the messages of a chat.
#[utoipa::path(
    get,
    path = "/chats/{session_id}/{chat_id}",
    params(Page),
    responses((status = 200, body = String), AuthErrors, InputErrors, ServerErrors),
    security(("ApiKeyAuth" = []), ("BearerAuth" = [])),
)]
async fn list(
    Path((session_id, chat_id)): Path<(Uuid, String)>,
    Query(page): Query<Page>,
) -> ApiResult<String> {
    Ok(format!("{session_id} {chat_id} {page:?}"))
}

#[utoipa::path(get, path = "/sessions/{id}", params(("id" = Uuid, Path)))]
async fn read(Path(id): Path<SessionId>) -> ApiResult<String> {
    Ok(id.to_string())
}

fn document() -> Value {
    let router = OpenApiRouter::<()>::with_openapi(Base::openapi())
        .routes(routes!(list))
        .routes(routes!(read));
    serde_json::to_value(router.into_openapi()).unwrap()
}

#[test]
fn an_operation_lists_its_errors_in_short() {
    let document = document();
    let responses = &document["paths"]["/chats/{session_id}/{chat_id}"]["get"]["responses"];
    let codes: Vec<&String> = responses.as_object().unwrap().keys().collect();
    assert_eq!(
        codes,
        [
            "200", "400", "401", "403", "413", "415", "422", "429", "500", "503"
        ]
    );
    for (code, schema) in [("401", "ErrorOut"), ("422", "ValidationErrorOut")] {
        let content = &responses[code]["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(content, &format!("#/components/schemas/{schema}"));
        assert!(document["components"]["schemas"][schema].is_object());
    }
}

#[test]
fn parameters_are_documented_by_their_extractors() {
    let document = document();
    let parameters = &document["paths"]["/chats/{session_id}/{chat_id}"]["get"]["parameters"];
    let found: Vec<(&str, &str)> = parameters
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["in"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("limit", "query"),
            ("offset", "query"),
            ("session_id", "path"),
            ("chat_id", "path")
        ]
    );
    let typed = &document["paths"]["/sessions/{id}"]["get"]["parameters"];
    assert_eq!(
        (&typed[0]["name"], typed[1].is_null()),
        (&"id".into(), true)
    );
    let limit = &parameters[0]["schema"];
    assert_eq!(
        (&limit["maximum"], &limit["default"]),
        (&100.into(), &50.into())
    );
}

#[test]
fn both_ways_to_authenticate_are_described() {
    let schemes = &document()["components"]["securitySchemes"];
    assert_eq!(schemes["ApiKeyAuth"]["name"], "X-API-Key");
    assert_eq!(schemes["BearerAuth"]["scheme"], "bearer");
}

#[test]
fn no_reference_of_the_error_bodies_is_left_open() {
    let document = document();
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
}
