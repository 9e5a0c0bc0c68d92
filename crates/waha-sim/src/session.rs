//! One session: what WAHA knows of it, and how it is shown.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::config::Dialect;
use crate::ids::{lid_of, now_ms, own_number};
use crate::message::Message;
use crate::realm::Realm;

/// A session's status, as WAHA spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the names are WAHA's, and say it")]
pub enum Status {
    Stopped,
    Starting,
    ScanQrCode,
    PasskeyRequired,
    PasskeyConfirmationRequired,
    Working,
    Failed,
}

/// The account a session is paired with. Having one means having its keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    pub(crate) number: String,
    pub(crate) push_name: String,
    /// When it was paired, in milliseconds; its history goes back from there.
    #[serde(default)]
    pub(crate) paired_at: i64,
}

impl Account {
    /// The account of whoever scanned; by default one that follows from the session's name.
    pub(crate) fn new(session: &str, number: Option<String>, push_name: Option<String>) -> Self {
        Self {
            number: number.unwrap_or_else(|| own_number(session)),
            push_name: push_name.unwrap_or_else(|| format!("Simulated {session}")),
            paired_at: now_ms(),
        }
    }

    pub(crate) fn id(&self) -> String {
        format!("{}@c.us", self.number)
    }

    pub(crate) fn me(&self) -> Value {
        json!({
            "id": self.id(),
            "lid": lid_of(&self.number),
            "jid": format!("{}:12@s.whatsapp.net", self.number),
            "pushName": self.push_name,
        })
    }
}

/// What was noted of a chat.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ChatMarks {
    pub(crate) archived: bool,
    /// Shown as unread, though it was read.
    pub(crate) unread: bool,
}

/// One session by name.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) name: String,
    state: Mutex<State>,
    /// The status, for those who wait for it.
    pub(crate) status: watch::Sender<Status>,
}

/// Everything about a session that changes.
#[derive(Debug)]
pub(crate) struct State {
    /// As given by the caller; `None` when none was given.
    pub(crate) config: Option<Value>,
    pub(crate) status: Status,
    /// The last three statuses and when they came, in milliseconds.
    pub(crate) history: VecDeque<(Status, i64)>,
    pub(crate) activity: Option<i64>,
    pub(crate) account: Option<Account>,
    pub(crate) qr: Option<String>,
    pub(crate) online: bool,
    /// Counts starts and stops; whatever was set going by an earlier run is void.
    pub(crate) run: u64,
    /// Ran when the state file was written, and is to be started when the server is.
    pub(crate) resume: bool,
    pub(crate) messages: VecDeque<Message>,
    /// What was noted of chats, which says nothing of their messages.
    pub(crate) marks: BTreeMap<String, ChatMarks>,
    /// Chats whose presence somebody asked for.
    pub(crate) watched: BTreeSet<String>,
    /// What the account has besides messages.
    pub(crate) realm: Realm,
    /// Says that it works, and neither hears nor tells anything.
    pub(crate) zombie: bool,
    /// What came while it was one.
    pub(crate) held: Vec<Message>,
    /// How many of the next starts fail.
    pub(crate) failing_starts: u32,
    /// Over the server's setting.
    pub(crate) business: Option<bool>,
}

impl Session {
    pub(crate) fn new(name: &str, config: Option<Value>, account: Option<Account>) -> Self {
        Self {
            name: name.to_owned(),
            state: Mutex::new(State {
                config,
                status: Status::Stopped,
                history: VecDeque::new(),
                activity: None,
                account,
                qr: None,
                online: false,
                run: 0,
                resume: false,
                messages: VecDeque::new(),
                marks: BTreeMap::new(),
                watched: BTreeSet::new(),
                realm: Realm::default(),
                zombie: false,
                held: Vec::new(),
                failing_starts: 0,
                business: None,
            }),
            status: watch::Sender::new(Status::Stopped),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Voids everything that is under way.
    pub(crate) fn new_run(&self) -> u64 {
        let mut state = self.state();
        state.run += 1;
        // Nothing cures a zombie but a new connection.
        state.zombie = false;
        state.run
    }

    /// The answer to `GET /api/sessions/{s}`; lists leave the engine out.
    pub(crate) fn info(&self, engine: Option<Dialect>) -> Value {
        let state = self.state();
        let running = state.status != Status::Stopped;
        let mut info = json!({
            "name": self.name,
            "status": state.status,
            "me": state.me(),
            "presence": state.presence(),
            "timestamps": {"activity": if running { state.activity } else { None }},
        });
        if let Some(config) = &state.config {
            info["config"] = config.clone();
        }
        if let Some(engine) = engine {
            info["engine"] = if running {
                engine_info(engine, state.status)
            } else {
                json!({})
            };
        }
        info
    }
}

fn engine_info(engine: Dialect, status: Status) -> Value {
    let connected = status == Status::Working;
    match engine {
        Dialect::Noweb => json!({"engine": "NOWEB"}),
        Dialect::Gows => json!({
            "engine": "GOWS",
            "grpc": {"client": "READY", "stream": "READY"},
            "gows": {"found": true, "connected": connected},
        }),
        Dialect::Webjs => json!({
            "engine": "WEBJS",
            "WWebVersion": "2.3000.1035",
            "state": connected.then_some("CONNECTED"),
        }),
    }
}

impl State {
    /// The account, once the engine is connected to it.
    pub(crate) fn me(&self) -> Option<Value> {
        let account = self.account.as_ref()?;
        (self.status == Status::Working).then(|| account.me())
    }

    /// The own chat id, empty before pairing.
    pub(crate) fn own_id(&self) -> String {
        self.account.as_ref().map(Account::id).unwrap_or_default()
    }

    fn presence(&self) -> Option<&'static str> {
        (self.status == Status::Working).then_some(if self.online { "online" } else { "offline" })
    }

    /// A value of the config by its path, e.g. `/noweb/store/enabled`.
    pub(crate) fn setting(&self, pointer: &str) -> Option<&Value> {
        self.config.as_ref()?.pointer(pointer)
    }

    pub(crate) fn flag(&self, pointer: &str) -> bool {
        self.setting(pointer)
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    pub(crate) fn touch(&mut self) {
        if !self.zombie {
            self.activity = Some(now_ms());
        }
    }

    pub(crate) fn enter(&mut self, status: Status) {
        self.status = status;
        self.touch();
        if self.history.len() == 3 {
            self.history.pop_front();
        }
        self.history.push_back((status, now_ms()));
        if status != Status::ScanQrCode {
            self.qr = None;
        }
        if status == Status::Working {
            self.online = self
                .setting("/noweb/markOnline")
                .and_then(Value::as_bool)
                .unwrap_or(true);
        }
    }
}
