use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer, whole, with the request that it answers for messages.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
    pub(crate) request: String,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response, request: String) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response
            .bytes()
            .await
            .unwrap_or_else(|error| panic!("{request}: the body broke off: {error}"));
        Self {
            status,
            headers,
            body,
            request,
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self}"))
    }

    /// The body as JSON, if the status is this one.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self}");
        self.json()
    }

    /// The sentence of an error of this status.
    #[track_caller]
    pub fn refused(&self, status: u16) -> String {
        let body = self.expect(status);
        body["detail"]
            .as_str()
            .unwrap_or_else(|| panic!("no sentence in `detail`: {self}"))
            .to_owned()
    }

    /// The faults of a 422, each as `place.field.0.field: message (type)`.
    #[track_caller]
    pub fn faults(&self) -> Vec<String> {
        let body = self.expect(422);
        let list = body["detail"]
            .as_array()
            .unwrap_or_else(|| panic!("no list in `detail`: {self}"));
        let step = |step: &Value| match step {
            Value::String(name) => name.clone(),
            Value::Number(index) => index.to_string(),
            other => panic!("a step of `loc` is {other}: {self}"),
        };
        list.iter()
            .map(|fault| {
                let loc = fault["loc"].as_array().expect("loc is a list");
                let loc: Vec<String> = loc.iter().map(step).collect();
                let (msg, code) = (fault["msg"].as_str(), fault["type"].as_str());
                format!(
                    "{}: {} ({})",
                    loc.join("."),
                    msg.expect("msg is a text"),
                    code.expect("type is a text")
                )
            })
            .collect()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// For messages: the request, the status, and as much of the body as one can read.
impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body: String = self.text().chars().take(2000).collect();
        write!(f, "{} answered {}: {body}", self.request, self.status)
    }
}
