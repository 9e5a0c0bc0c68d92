//! A server between a database and an engine that are both ours to break.

use std::{
    future::pending,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use mf_test_support::{Client, soon};
use mf_waha_sim::{Config, Dialect, Sim};
use tokio::net::TcpListener;

use super::{
    client::{new_session, until_session},
    gate::{CUT, Gate, HELD_UP, LOST_AFTER, LOST_BEFORE},
    rig::{Server, World},
};

const ENGINE_KEY: &str = "engine-key-8d1f2c";

pub(super) struct Scene {
    pub(super) world: World,
    pub(super) sim: Sim,
    /// Between the server and the engine.
    pub(super) engine: Gate,
    /// Between the engine and the server.
    pub(super) callbacks: Gate,
    server_at: Arc<Mutex<SocketAddr>>,
}

impl Scene {
    /// Nothing runs yet but the engine.
    pub(super) async fn on(database_url: &str, dialect: Dialect) -> Self {
        let mut config = Config::quick(ENGINE_KEY);
        config.engine = dialect;
        let sim = Sim::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let engine_at = listener.local_addr().unwrap();
        tokio::spawn(sim.clone().serve(listener, pending()));
        let engine = Gate::before(move || engine_at, &[LOST_BEFORE, LOST_AFTER, HELD_UP]).await;
        let server_at = Arc::new(Mutex::new(SocketAddr::from(([127, 0, 0, 1], 9))));
        let at = Arc::clone(&server_at);
        let server = move || *at.lock().unwrap_or_else(PoisonError::into_inner);
        let callbacks = Gate::before(server, &[CUT]).await;
        let world = World::on(database_url)
            .with("MOLTFLOW_ENGINE_URL", &engine.url())
            .with("MOLTFLOW_ENGINE_API_KEY", ENGINE_KEY)
            .with("MOLTFLOW_CALLBACK_URL", &callbacks.url());
        Self {
            world,
            sim,
            engine,
            callbacks,
            server_at,
        }
    }

    /// Starts the server; a client with the first key.
    pub(super) async fn start(&self) -> (Server, Client) {
        let server = self.world.start().await;
        let mut at = self
            .server_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *at = server.addr().parse().unwrap();
        let client = server.client(&self.world.first_run().api_key);
        (server, client)
    }

    /// A session that works; its id.
    pub(super) async fn working_session(&self, client: &Client, name: &str) -> String {
        let id = new_session(client, name).await;
        soon(self.sim.scan(&engine_name(&id))).await.unwrap();
        until_session(client, &id, "working").await;
        id
    }
}

/// What a session is called at the engine.
pub(super) fn engine_name(session: &str) -> String {
    format!("mf_{}", session.replace('-', ""))
}
