use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use mf_test_support::soon;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// The wire between server and engine. It can be cut, and answers can be held up in it.
pub(crate) struct Wire {
    addr: SocketAddr,
    engine: SocketAddr,
    state: Arc<State>,
    serving: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    /// Answers to requests in which this stands wait.
    hold: watch::Sender<Option<&'static str>>,
    /// How many answers had to wait so far.
    held: watch::Sender<usize>,
}

impl Wire {
    /// A wire to the engine that listens here.
    pub(crate) async fn to(engine: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self {
            addr: listener.local_addr().unwrap(),
            engine,
            state: Arc::default(),
            serving: Mutex::default(),
        };
        wire.serve(listener);
        wire
    }

    /// Its end at the server's side.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Nobody answers any more, and whoever waited for an answer gets none.
    pub(crate) async fn cut(&self) {
        let serving = self.serving.lock().unwrap().take();
        let serving = serving.expect("it is not cut already");
        serving.abort();
        // It ends by being aborted: that is what was asked for.
        let _ = serving.await;
    }

    /// As before the cut.
    pub(crate) async fn mend(&self) {
        self.serve(TcpListener::bind(self.addr).await.unwrap());
    }

    /// From now on the engine does what it is asked here, and its answers do not arrive.
    pub(crate) fn hold_answers(&self, request: &'static str) {
        self.state.hold.send_replace(Some(request));
    }

    /// Waits until that many answers were held up.
    pub(crate) async fn held(&self, count: usize) {
        let mut held = self.state.held.subscribe();
        soon(held.wait_for(|held| *held >= count)).await.unwrap();
    }

    /// Lets the answers go.
    pub(crate) fn release(&self) {
        self.state.hold.send_replace(None);
    }

    fn serve(&self, listener: TcpListener) {
        let (engine, state) = (self.engine, Arc::clone(&self.state));
        let serving = tokio::spawn(async move {
            // Dropped with this task, and every connection with it.
            let mut connections = JoinSet::new();
            while let Ok((server, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                connections.spawn(async move {
                    if let Ok(engine) = TcpStream::connect(engine).await {
                        state.connect(server, engine).await;
                    }
                });
            }
        });
        *self.serving.lock().unwrap() = Some(serving);
    }
}

impl State {
    async fn connect(&self, server: TcpStream, engine: TcpStream) {
        let waits = AtomicBool::new(false);
        let (from_server, to_server) = server.into_split();
        let (from_engine, to_engine) = engine.into_split();
        // Whichever side closes, both are closed: as with a wire.
        tokio::select! {
            _ = self.requests(from_server, to_engine, &waits) => {}
            _ = self.answers(from_engine, to_server, &waits) => {}
        }
    }

    async fn requests(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        waits: &AtomicBool,
    ) -> std::io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            let hold = *self.hold.borrow();
            let text = String::from_utf8_lossy(&buffer[..length]);
            if hold.is_some_and(|hold| text.contains(hold)) {
                waits.store(true, Ordering::SeqCst);
            }
            to.write_all(&buffer[..length]).await?;
        }
    }

    async fn answers(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        waits: &AtomicBool,
    ) -> std::io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            if waits.swap(false, Ordering::SeqCst) {
                self.held.send_modify(|held| *held += 1);
                let mut hold = self.hold.subscribe();
                let released = hold.wait_for(Option::is_none).await;
                released.map_err(std::io::Error::other)?;
            }
            to.write_all(&buffer[..length]).await?;
        }
    }
}
