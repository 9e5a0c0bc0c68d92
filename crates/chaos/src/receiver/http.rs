//! As much of HTTP/1.1 as a receiver needs.

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest head that is read.
const LONGEST_HEAD: usize = 64 * 1024;

/// One connection.
pub(super) struct Connection {
    stream: TcpStream,
    /// Read and not used.
    unread: Vec<u8>,
}

/// One request, whole.
pub(super) struct Request {
    pub(super) path: String,
    head: String,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// A header's value by its lower-case name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

impl Connection {
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// The next request, or `None` where there is none any more.
    pub(super) async fn read(&mut self) -> Result<Option<Request>> {
        let end = loop {
            let end = self
                .unread
                .windows(4)
                .position(|window| window == b"\r\n\r\n");
            if let Some(end) = end {
                break end;
            }
            if self.unread.len() > LONGEST_HEAD {
                bail!("the head does not end");
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        let path = head.split(' ').nth(1).context("no path")?.to_owned();
        let length = header(&head, "content-length").unwrap_or("0");
        let whole = end + 4 + length.parse::<usize>()?;
        while self.unread.len() < whole {
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Ok(None);
            }
        }
        let rest = self.unread.split_off(whole);
        let body = self.unread.split_off(end + 4);
        self.unread = rest;
        Ok(Some(Request { path, head, body }))
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// A whole answer.
    pub(super) async fn answer(
        &mut self,
        status: u16,
        headers: &[(String, String)],
        body: &str,
    ) -> Result<()> {
        let mut text = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        text += "\r\n";
        text += body;
        self.write(text.as_bytes()).await
    }
}
