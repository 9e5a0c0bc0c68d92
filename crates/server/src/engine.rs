//! Which engine: the WAHA that was named, or a simulator of our own.

use std::{net::Ipv4Addr, sync::Arc};

use anyhow::Context as _;
use mf_domain::Ids;
use mf_engine::Engine;
use mf_engine_waha::{Waha, WahaConfig};
use mf_waha_sim::Sim;
use secrecy::SecretString;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::Config;

/// The connection to the engine, and the simulator where that is ours.
pub(crate) struct EngineHandle {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) simulator: Option<Simulator>,
}

/// A simulator in this process.
pub(crate) struct Simulator {
    pub(crate) address: String,
    pub(crate) api_key: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl EngineHandle {
    /// Connects to the engine, after starting a simulator where none was named.
    pub(crate) async fn open(config: &Config, ids: &Ids) -> anyhow::Result<Self> {
        let (url, key, simulator) = match (&config.engine_url, &config.engine_api_key) {
            (Some(url), key) => (url.clone(), key.clone().unwrap_or_default(), None),
            (None, _) => {
                let simulator = Simulator::start(config, ids).await?;
                let key = SecretString::from(simulator.api_key.clone());
                (simulator.address.clone(), key, Some(simulator))
            }
        };
        let mut waha = WahaConfig::new(url, key);
        waha.call_timeout = config.engine_timeout;
        let engine = Waha::new(waha).context("the engine's configuration is wrong")?;
        Ok(Self {
            engine: Arc::new(engine),
            simulator,
        })
    }

    /// An engine that nobody asks: for commands that only work on the database.
    pub(crate) fn unused() -> anyhow::Result<Arc<dyn Engine>> {
        let nowhere = WahaConfig::new("http://127.0.0.1:9", SecretString::from("unused"));
        Ok(Arc::new(Waha::new(nowhere)?))
    }

    /// What people should know about it.
    pub(crate) fn describe(&self, config: &Config) -> String {
        match &self.simulator {
            Some(simulator) => format!(
                "simulated {} at {} (reaches no phone; pairs by itself after a few seconds)",
                config.sim_engine, simulator.address
            ),
            None => "WAHA as MOLTFLOW_ENGINE_URL says".to_owned(),
        }
    }
}

impl Simulator {
    async fn start(config: &Config, ids: &Ids) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("the simulator finds no free port on loopback")?;
        let address = format!("http://{}", listener.local_addr()?);
        let api_key = ids.alphanumeric(32);
        let mut sim = mf_waha_sim::Config::new(api_key.clone());
        sim.engine = config.sim_engine;
        // The first that sends stickers, so that everything can be tried.
        "2026.8.2".clone_into(&mut sim.version);
        sim.base_url.clone_from(&address);
        sim.state_file = Some(config.data_dir.join("waha-sim.json"));
        let sim = Sim::new(sim);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let shutdown = async {
                // A sender that is gone says the same.
                let _ = stopped.await;
            };
            if let Err(error) = sim.serve(listener, shutdown).await {
                tracing::error!(error = %error, "the simulator failed");
            }
        });
        Ok(Self {
            address,
            api_key,
            stop,
            task,
        })
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        // If it is not there to hear, it has stopped.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::warn!(error = %error, "the simulator did not end well");
        }
    }
}
