use mf_test_support::{Answer, Client};
use reqwest::Method;

const BOUNDARY: &str = "what-stands-between-the-parts";

/// A form with texts and files, as a browser sends it.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<u8>);

impl Form {
    /// With a text.
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        self.open(&format!("name=\"{name}\""));
        self.close(value.as_bytes());
        self
    }

    /// With a file.
    pub(crate) fn file(mut self, name: &str, filename: &str, mimetype: &str, data: &[u8]) -> Self {
        let header =
            format!("name=\"{name}\"; filename=\"{filename}\"\r\nContent-Type: {mimetype}");
        self.open(&header);
        self.close(data);
        self
    }

    /// Posts it.
    pub(crate) async fn post(mut self, client: &Client, path: &str) -> Answer {
        self.0.extend(format!("--{BOUNDARY}--\r\n").bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let call = client.call(Method::POST, path);
        call.header("content-type", &kind).body(self.0).send().await
    }

    fn open(&mut self, header: &str) {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {header}\r\n\r\n");
        self.0.extend(head.bytes());
    }

    fn close(&mut self, value: &[u8]) {
        self.0.extend_from_slice(value);
        self.0.extend_from_slice(b"\r\n");
    }
}
