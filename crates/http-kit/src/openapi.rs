//! What every operation's documentation shares: error bodies, security schemes.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, PartialSchema, ToSchema};

/// An error: one sentence.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorOut {
    /// What went wrong, for people.
    #[schema(example = "Session not found")]
    pub detail: String,
    /// The request's id, where the server is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A validation error: everything found wrong with the request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ValidationErrorOut {
    /// Each fault with its place.
    pub detail: Vec<FaultOut>,
}

/// One thing wrong with a request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FaultOut {
    /// `body`, `query`, `path` or `header`, then field names and list positions.
    #[schema(example = json!(["body", "phone"]))]
    pub loc: Vec<LocOut>,
    /// What is wrong, for people.
    #[schema(example = "field required")]
    pub msg: String,
    /// What is wrong, for programs.
    #[schema(example = "value_error.missing")]
    pub r#type: String,
}

/// One step of a fault's place.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum LocOut {
    /// A field's name.
    Name(String),
    /// A position in a list.
    Index(u64),
}

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident { $($status:literal => $schema:ty, $text:literal;)+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([
                    $(($status.to_owned(), error(&<$schema>::name(), $text).into()),)+
                ])
            }
        }
    )+};
}

errors! {
    /// For operations that need a caller: 401, 403, 429.
    AuthErrors {
        "401" => ErrorOut, "No valid credential";
        "403" => ErrorOut, "The scope, the role or the plan does not allow it";
        "429" => ErrorOut, "Rate limit exceeded; `Retry-After` says for how long";
    }
    /// For operations with a body: 400, 413, 415, 422.
    InputErrors {
        "400" => ErrorOut, "Malformed request, or not possible in this state";
        "413" => ErrorOut, "The request body is too large";
        "415" => ErrorOut, "The request body is not JSON";
        "422" => ValidationErrorOut, "Validation error";
    }
    /// For operations with parameters only: 400, 422.
    ParamErrors {
        "400" => ErrorOut, "Malformed request, or not possible in this state";
        "422" => ValidationErrorOut, "Validation error";
    }
    /// For operations on one thing: 404.
    NotFoundError {
        "404" => ErrorOut, "No such thing in this tenant";
    }
    /// For operations that make something unique: 409.
    ConflictError {
        "409" => ErrorOut, "There is one already, or the same request is under way";
    }
    /// For operations that ask the engine: 502, 504.
    EngineErrors {
        "502" => ErrorOut, "The engine cannot be reached";
        "504" => ErrorOut, "The engine took too long";
    }
    /// For every operation: 500, 503.
    ServerErrors {
        "500" => ErrorOut, "Internal error; the request's id finds it in the log";
        "503" => ErrorOut, "Not possible right now; `Retry-After` says when to try again";
    }
}

fn error(schema: &str, text: &str) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(schema)))
        .build();
    ResponseBuilder::new()
        .description(text)
        .content("application/json", content)
        .build()
}

/// Adds the two ways to say who is calling: `ApiKeyAuth` and `BearerAuth`.
#[derive(Debug, Clone, Copy)]
pub struct SecurityAddon;

impl Modify for SecurityAddon {
    fn modify(&self, openapi: &mut OpenApi) {
        let components = openapi.components.get_or_insert_with(Components::new);
        let key = ApiKeyValue::with_description("X-API-Key", "An API key, `mf_…`");
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An access token, or an API key"))
            .build();
        components.add_security_scheme("ApiKeyAuth", SecurityScheme::ApiKey(ApiKey::Header(key)));
        components.add_security_scheme("BearerAuth", SecurityScheme::Http(bearer));
    }
}

/// Adds the error bodies that [`AuthErrors`] and its like refer to.
#[derive(Debug, Clone, Copy)]
pub struct ErrorSchemas;

impl Modify for ErrorSchemas {
    fn modify(&self, openapi: &mut OpenApi) {
        let components = openapi.components.get_or_insert_with(Components::new);
        let mut schemas = vec![
            (ErrorOut::name().into_owned(), ErrorOut::schema()),
            (
                ValidationErrorOut::name().into_owned(),
                ValidationErrorOut::schema(),
            ),
        ];
        ValidationErrorOut::schemas(&mut schemas);
        components.schemas.extend(schemas);
    }
}
