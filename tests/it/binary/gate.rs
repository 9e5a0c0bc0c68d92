//! A wire between two servers that lets requests through, holds them, or holds their answers.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::AbortHandle,
    time::timeout,
};

use super::rig::PATIENCE;

/// A request whose body contains this never arrives, and is never answered.
pub(super) const LOST_BEFORE: &str = "lost-before";
/// A request whose body contains this arrives, and is never answered.
pub(super) const LOST_AFTER: &str = "lost-after";
/// A request whose body contains this is cut off at once.
pub(super) const CUT: &str = "cut-off";
/// A request whose body contains this arrives when the gate is opened.
pub(super) const HELD_UP: &str = "held-up";

/// Stands before a server. Dropping it closes it.
pub(super) struct Gate {
    addr: SocketAddr,
    open: watch::Sender<bool>,
    held: watch::Receiver<usize>,
    task: AbortHandle,
}

/// What the connections of a gate share.
#[derive(Clone)]
struct Post {
    rules: &'static [&'static str],
    to: Arc<dyn Fn() -> SocketAddr + Send + Sync>,
    open: watch::Receiver<bool>,
    held: watch::Sender<usize>,
}

impl Gate {
    /// A gate before the server at `to`, which may move, that heeds these words.
    pub(super) async fn before(
        to: impl Fn() -> SocketAddr + Send + Sync + 'static,
        rules: &'static [&'static str],
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (holding, held) = watch::channel(0);
        let (open, opened) = watch::channel(false);
        let post = Post {
            rules,
            to: Arc::new(to),
            open: opened,
            held: holding,
        };
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(post.clone().serve(client));
            }
        });
        Self {
            addr,
            open,
            held,
            task: task.abort_handle(),
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Lets everything through from now on. What is held remains so.
    pub(super) fn open(&self) {
        let _ = self.open.send(true);
    }

    /// Waits until so many requests were held, or their answers.
    pub(super) async fn until_held(&self, count: usize) {
        let mut held = self.held.clone();
        let reached = timeout(PATIENCE, held.wait_for(|held| *held >= count)).await;
        let held = *self.held.borrow();
        assert!(reached.is_ok(), "{held} of {count} were held");
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Post {
    async fn serve(self, client: TcpStream) {
        // Whoever goes away in the middle is whom these tests are about.
        let _ = self.pass(client).await;
    }

    async fn pass(&self, client: TcpStream) -> std::io::Result<()> {
        let server = TcpStream::connect((self.to)()).await?;
        let (mut from_client, to_client) = client.into_split();
        let (from_server, mut to_server) = server.into_split();
        let mute = Arc::new(AtomicBool::new(false));
        let answers = tokio::spawn(carry_answers(from_server, to_client, Arc::clone(&mute)));
        while let Some(request) = read_request(&mut from_client).await? {
            match self.rule_for(&request) {
                Some(CUT) => {
                    answers.abort();
                    return Ok(());
                }
                Some(rule) => {
                    mute.store(rule == LOST_AFTER, Ordering::SeqCst);
                    self.held.send_modify(|held| *held += 1);
                    if rule == LOST_BEFORE {
                        continue;
                    }
                    if rule == HELD_UP {
                        let _ = self.open.clone().wait_for(|open| *open).await;
                    }
                }
                None => {}
            }
            to_server.write_all(&request).await?;
        }
        Ok(())
    }
}

impl Post {
    fn rule_for(&self, request: &[u8]) -> Option<&'static str> {
        let says = |what: &[u8]| request.windows(what.len()).any(|window| window == what);
        let rules = self.rules.iter().copied();
        let heeded = if *self.open.borrow() {
            0
        } else {
            self.rules.len()
        };
        rules.take(heeded).find(|rule| says(rule.as_bytes()))
    }
}

async fn carry_answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mute: Arc<AtomicBool>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        if !mute.load(Ordering::SeqCst) {
            to.write_all(&buffer[..read]).await?;
        }
    }
    if mute.load(Ordering::SeqCst) {
        // An answer that does not come, not one that breaks off.
        std::future::pending::<()>().await;
    }
    Ok(())
}

/// A whole request, or `None` where there is none any more.
async fn read_request(from: &mut OwnedReadHalf) -> std::io::Result<Option<Vec<u8>>> {
    let mut request = Vec::new();
    let mut whole = usize::MAX;
    while request.len() < whole {
        if from.read_buf(&mut request).await? == 0 {
            return Ok(None);
        }
        if whole == usize::MAX
            && let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n")
        {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(0, |length| length.trim().parse().unwrap());
            whole = end + 4 + length;
        }
    }
    Ok(Some(request))
}
