//! An example of the documentation, run as a process of its own.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use super::Delivery;

/// Longer than an answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ends when it is dropped.
pub(super) struct Receiver {
    child: Child,
    said: BufReader<ChildStdout>,
    /// Host and port.
    address: String,
}

impl Receiver {
    /// Starts it, and waits until it says where it listens.
    pub(super) fn start(mut command: Command, secret: &str) -> Result<Self> {
        let mut child = command
            .env("WEBHOOK_SECRET", secret)
            .env("PORT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Its log, which has the requests that are refused on purpose.
            .stderr(Stdio::null())
            .spawn()?;
        let said = BufReader::new(child.stdout.take().context("no output")?);
        let mut receiver = Self {
            child,
            said,
            address: String::new(),
        };
        let mut line = String::new();
        receiver.said.read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on http://");
        receiver.address = address.context("it does not start")?.to_owned();
        Ok(receiver)
    }

    /// Posts a delivery, and gives the answer's status.
    pub(super) fn post(&self, delivery: &Delivery) -> Result<u16> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let length = delivery.body.len();
        let mut request = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n",
            self.address
        );
        for (name, value) in &delivery.headers {
            // Writing to a String cannot fail.
            let _ = write!(request, "{name}: {value}\r\n");
        }
        request += "\r\n";
        request += &delivery.body;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok());
        status.with_context(|| format!("no answer of HTTP: {answer:?}"))
    }

    /// Ends it, and gives the lines that it has printed meanwhile.
    pub(super) fn stop(mut self) -> Result<Vec<String>> {
        self.child.kill()?;
        let mut said = String::new();
        self.said.read_to_string(&mut said)?;
        Ok(said.lines().map(str::to_owned).collect())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
