use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, header};
use mf_domain::Invalid;
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

/// Which web pages may call the API from a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    /// None but the server's own.
    None,
    /// Any: credentials travel in headers that a foreign page cannot know.
    Any,
    /// Those of these origins, such as `https://app.example.com`.
    Origins(Vec<HeaderValue>),
}

impl Cors {
    /// Reads a setting: no origin, `*`, or origins of the form `scheme://host[:port]`.
    pub fn parse<S: AsRef<str>>(origins: &[S]) -> Result<Self, Invalid> {
        if origins.iter().any(|origin| origin.as_ref().trim() == "*") {
            return Ok(Self::Any);
        }
        let origins = origins
            .iter()
            .map(|origin| parse_origin(origin.as_ref().trim()));
        let origins: Vec<HeaderValue> = origins.collect::<Result<_, _>>()?;
        Ok(if origins.is_empty() {
            Self::None
        } else {
            Self::Origins(origins)
        })
    }

    pub(super) fn layer(&self) -> Option<CorsLayer> {
        let origins = match self {
            Self::None => return None,
            Self::Any => AllowOrigin::any(),
            // By predicate: a list with a wildcard in it would panic.
            Self::Origins(origins) => {
                let origins = origins.clone();
                AllowOrigin::predicate(move |origin, _| origins.contains(origin))
            }
        };
        let exposed = [
            "x-request-id",
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
            "x-required-scopes",
            "idempotent-replayed",
        ];
        let layer = CorsLayer::new()
            .allow_origin(origins)
            .allow_methods(AllowMethods::mirror_request())
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers(
                exposed
                    .map(HeaderName::from_static)
                    .into_iter()
                    .chain([header::RETRY_AFTER])
                    .collect::<Vec<_>>(),
            )
            .max_age(Duration::from_hours(1));
        Some(layer)
    }
}

fn parse_origin(text: &str) -> Result<HeaderValue, Invalid> {
    let invalid = || {
        let message = format!("not an origin: {text:?}; write it as https://app.example.com");
        Invalid::new("value_error.origin", message)
    };
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .ok_or_else(invalid)?;
    // Browsers send neither a path nor a slash: such a setting would never match.
    if host.is_empty() || host.contains(['/', '?', '#', '@', '*']) {
        return Err(invalid());
    }
    HeaderValue::from_str(&text.to_ascii_lowercase()).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::Cors;

    #[test]
    fn no_origin_allows_none_and_a_star_allows_any() {
        assert_eq!(Cors::parse::<&str>(&[]).unwrap(), Cors::None);
        assert_eq!(Cors::parse(&["*"]).unwrap(), Cors::Any);
    }

    #[test]
    fn what_would_never_match_is_refused() {
        for origin in [
            "app.example.com",
            "https://a.example/",
            "https://*.example",
            "https://",
            "",
        ] {
            assert!(Cors::parse(&[origin]).is_err(), "{origin:?} was taken");
        }
        assert!(Cors::parse(&["https://a.example", "http://localhost:3000"]).is_ok());
    }
}
