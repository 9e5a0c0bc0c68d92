//! What a receiver does with a request.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use super::{Connection, Shared};

/// How a path treats its requests.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// An answer, after a while.
    Answer {
        /// The status code.
        status: u16,
        /// More headers, such as `retry-after`.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
        /// How long it takes.
        after: Duration,
    },
    /// The head of a 200, and then one byte of the body in each of these times, for ever.
    Dribble(Duration),
    /// A 200 with a body of so many bytes, as fast as they are taken.
    Flood(u64),
    /// Nothing until the path is told to behave otherwise; then that.
    Hold,
    /// The connection is closed without an answer.
    Close,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self::status(200)
    }
}

impl Behaviour {
    /// This status at once.
    pub fn status(status: u16) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: "ok".to_owned(),
            after: Duration::ZERO,
        }
    }

    /// 200 after this time.
    pub fn slow(time: Duration) -> Self {
        Self::status(200).after(time)
    }

    /// An answer with one more header; anything else is left as it is.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// An answer that takes this time; anything else is left as it is.
    pub fn after(mut self, time: Duration) -> Self {
        if let Self::Answer { after, .. } = &mut self {
            *after = time;
        }
        self
    }
}

/// Treats one request. Whether the connection can be used for another.
pub(super) async fn treat(
    shared: &Shared,
    connection: &mut Connection,
    path: &str,
) -> Result<bool> {
    match released(shared, path).await {
        Behaviour::Answer {
            status,
            headers,
            body,
            after,
        } => {
            if !after.is_zero() {
                sleep(after).await;
            }
            connection.answer(status, &headers, &body).await?;
            Ok(true)
        }
        Behaviour::Dribble(every) => {
            let head = b"HTTP/1.1 200 -\r\ncontent-length: 1000000\r\n\r\n";
            connection.write(head).await?;
            loop {
                send(shared, connection, path, b".").await?;
                sleep(every).await;
            }
        }
        Behaviour::Flood(bytes) => {
            let head = format!("HTTP/1.1 200 -\r\ncontent-length: {bytes}\r\n\r\n");
            connection.write(head.as_bytes()).await?;
            let piece = vec![b'.'; 64 * 1024];
            let mut left = usize::try_from(bytes)?;
            while left > 0 {
                let length = left.min(piece.len());
                send(shared, connection, path, &piece[..length]).await?;
                left -= length;
            }
            Ok(true)
        }
        Behaviour::Hold | Behaviour::Close => Ok(false),
    }
}

/// How the path behaves, once it does not hold.
async fn released(shared: &Shared, path: &str) -> Behaviour {
    let mut changes = shared.changes.subscribe();
    loop {
        let behaviour = shared
            .paths()
            .get(path)
            .map(|place| place.behaviour.clone());
        match behaviour.unwrap_or_default() {
            Behaviour::Hold => {}
            other => return other,
        }
        if changes.changed().await.is_err() {
            return Behaviour::Close;
        }
    }
}

async fn send(
    shared: &Shared,
    connection: &mut Connection,
    path: &str,
    bytes: &[u8],
) -> Result<()> {
    connection.write(bytes).await?;
    if let Some(place) = shared.paths().get_mut(path) {
        place.sent += bytes.len() as u64;
    }
    Ok(())
}
