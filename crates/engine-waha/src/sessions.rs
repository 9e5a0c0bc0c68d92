use mf_domain::{Jid, JidKind, SessionStatus};
use mf_engine::{EngineError, EngineSession, Me, SessionKey, SessionSpec};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{Waha, client::Call, dialect, endpoint, failure, json};

impl Waha {
    pub(crate) async fn list_sessions(&self) -> Result<Vec<EngineSession>, EngineError> {
        let call = Call::new(&endpoint::SESSIONS, &[]).query(&[("all", "true")]);
        match self.ask(call).await? {
            Value::Array(sessions) => Ok(sessions.iter().filter_map(read_session).collect()),
            _ => Err(EngineError::Interrupted),
        }
    }

    pub(crate) async fn show_session(
        &self,
        key: &SessionKey,
    ) -> Result<Option<EngineSession>, EngineError> {
        self.session_value(key)
            .await?
            .as_ref()
            .map(understood)
            .transpose()
    }

    async fn session_value(&self, key: &SessionKey) -> Result<Option<Value>, EngineError> {
        match self
            .ask(Call::new(&endpoint::SESSION, &[key.as_str()]))
            .await
        {
            Ok(value) => Ok(Some(value)),
            Err(EngineError::SessionMissing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn start_session(
        &self,
        spec: &SessionSpec,
    ) -> Result<EngineSession, EngineError> {
        let wanted = self.wanted(spec).await?;
        let Some(present) = self.session_value(&spec.key).await? else {
            return self.create(spec, wanted).await;
        };
        let present = self.corrected(spec, present, wanted).await?;
        self.run(&spec.key, &present).await
    }

    pub(crate) async fn restart_session(
        &self,
        spec: &SessionSpec,
    ) -> Result<EngineSession, EngineError> {
        let wanted = self.wanted(spec).await?;
        let Some(present) = self.session_value(&spec.key).await? else {
            return self.create(spec, wanted).await;
        };
        if same_config(&present, &wanted) {
            return self.act(&endpoint::RESTART, &spec.key).await;
        }
        // A changed configuration makes WAHA stop and start a session that ran.
        let present = self.corrected(spec, present, wanted).await?;
        self.run(&spec.key, &present).await
    }

    async fn wanted(&self, spec: &SessionSpec) -> Result<Value, EngineError> {
        Ok(config(spec, &self.info_before_acting().await?.version))
    }

    async fn create(
        &self,
        spec: &SessionSpec,
        wanted: Value,
    ) -> Result<EngineSession, EngineError> {
        let body = json!({"name": spec.key.as_str(), "start": true, "config": wanted});
        let created = self
            .ask(Call::new(&endpoint::CREATE, &[]).body(body))
            .await?;
        self.shown(&spec.key, &created).await
    }

    /// The session with the configuration that it shall have.
    async fn corrected(
        &self,
        spec: &SessionSpec,
        present: Value,
        wanted: Value,
    ) -> Result<EngineSession, EngineError> {
        if same_config(&present, &wanted) {
            return understood(&present);
        }
        let call = Call::new(&endpoint::UPDATE, &[spec.key.as_str()]);
        let updated = self.ask(call.body(json!({"config": wanted}))).await?;
        self.shown(&spec.key, &updated).await
    }

    /// Brings a session from where it is to where it runs.
    async fn run(
        &self,
        key: &SessionKey,
        present: &EngineSession,
    ) -> Result<EngineSession, EngineError> {
        match present.status {
            Some(SessionStatus::Stopped) => self.act(&endpoint::START, key).await,
            // To WAHA a failed session is one that runs: starting it does nothing.
            Some(SessionStatus::Failed) => self.act(&endpoint::RESTART, key).await,
            _ => Ok(present.clone()),
        }
    }

    async fn act(
        &self,
        endpoint: &'static endpoint::Endpoint,
        key: &SessionKey,
    ) -> Result<EngineSession, EngineError> {
        match self.ask(Call::new(endpoint, &[key.as_str()])).await {
            Ok(session) => self.shown(key, &session).await,
            // Somebody was faster, or WAHA itself after its own start.
            Err(error) if failure::is_already(&error, "already started") => {
                self.shown(key, &Value::Null).await
            }
            Err(error) => Err(error),
        }
    }

    /// What an answer shows, or else the session itself: WAHA may answer with nothing.
    async fn shown(&self, key: &SessionKey, answer: &Value) -> Result<EngineSession, EngineError> {
        match read_session(answer) {
            Some(session) => Ok(session),
            None => self
                .show_session(key)
                .await?
                .ok_or(EngineError::SessionMissing),
        }
    }

    pub(crate) async fn stop_session(&self, key: &SessionKey) -> Result<(), EngineError> {
        let stopped = self.call(Call::new(&endpoint::STOP, &[key.as_str()])).await;
        done_or_missing(stopped)
    }

    pub(crate) async fn logout_session(&self, key: &SessionKey) -> Result<(), EngineError> {
        done_or_missing(
            self.call(Call::new(&endpoint::LOGOUT, &[key.as_str()]))
                .await,
        )?;
        // A session that ran is started again, for its next QR code.
        self.stop_session(key).await
    }

    pub(crate) async fn delete_session(&self, key: &SessionKey) -> Result<(), EngineError> {
        done_or_missing(
            self.call(Call::new(&endpoint::DELETE, &[key.as_str()]))
                .await,
        )
    }

    pub(crate) async fn qr_text(&self, key: &SessionKey) -> Result<String, EngineError> {
        let call = Call::new(&endpoint::QR, &[key.as_str()]).query(&[("format", "raw")]);
        let answer = self.ask(call).await?;
        json::text(&answer, "/value")
            .map(str::to_owned)
            .ok_or(EngineError::NotReady { status: None })
    }
}

fn done_or_missing<T>(result: Result<T, EngineError>) -> Result<(), EngineError> {
    match result {
        Ok(_) | Err(EngineError::SessionMissing) => Ok(()),
        Err(error) => Err(error),
    }
}

fn understood(session: &Value) -> Result<EngineSession, EngineError> {
    read_session(session).ok_or(EngineError::Interrupted)
}

/// A session as WAHA shows it; `None` where that is none.
fn read_session(session: &Value) -> Option<EngineSession> {
    let raw_status = json::text(session, "/status")?;
    Some(EngineSession {
        name: json::text(session, "/name")?.to_owned(),
        status: failure::session_status(raw_status),
        raw_status: raw_status.to_owned(),
        me: session.get("me").and_then(read_me),
        last_activity: json::moment(session, "/timestamps/activity"),
        callback_url: json::text(session, "/config/webhooks/0/url").map(str::to_owned),
    })
}

/// Who is paired, in the object that sessions and callbacks carry.
pub(crate) fn read_me(me: &Value) -> Option<Me> {
    let phone = ["/id", "/jid"]
        .iter()
        .find_map(|pointer| Jid::parse(json::text(me, pointer)?).ok()?.phone());
    let lid = ["/lid", "/id", "/jid"]
        .iter()
        .filter_map(|pointer| Jid::parse(json::text(me, pointer)?).ok())
        .find(|jid| jid.kind() == JidKind::Hidden);
    let push_name = json::text(me, "/pushName").map(str::to_owned);
    let somebody = phone.is_some() || lid.is_some() || push_name.is_some();
    somebody.then_some(Me {
        phone,
        lid,
        push_name,
    })
}

/// The configuration of a session.
fn config(spec: &SessionSpec, version: &str) -> Value {
    json!({
        "metadata": {
            "tenant_id": spec.tenant_id.to_string(),
            "session_id": spec.session_id.to_string(),
        },
        "ignore": {"status": true},
        // Two of these are WAHA's defaults, which it wants to hear all the same.
        "noweb": {"markOnline": true, "store": {"enabled": true, "fullSync": false}},
        "webjs": {"tagsEventsOn": true},
        "webhooks": [{
            "url": spec.callback_url,
            "events": dialect::events(version),
            // WAHA takes the key as text, so both sides sign with the bytes of this text.
            "hmac": {"key": hex::encode(spec.callback_secret.expose_secret())},
            // Doubling from 4 seconds: about a day and a half. WAHA keeps what it could not
            // deliver in memory only, so patience is all that stands between it and a loss.
            "retries": {"policy": "exponential", "delaySeconds": 2, "attempts": 15},
        }],
    })
}

/// Whether a session has the configuration that it shall have, as far as WAHA shows it.
///
/// Settings that an old server does not know are missing from what it shows, and a hidden key
/// cannot be compared: both pass, or every start would restart a session that runs.
fn same_config(session: &Value, wanted: &Value) -> bool {
    let Some(shown) = session.get("config").filter(|config| config.is_object()) else {
        return false;
    };
    let same = |pointer: &str| match shown.pointer(pointer) {
        None | Some(Value::Null) => true,
        Some(shown) => Some(shown) == wanted.pointer(pointer),
    };
    let present = |pointer: &str| shown.pointer(pointer) == wanted.pointer(pointer);
    let hooks = shown.pointer("/webhooks").and_then(Value::as_array);
    hooks.is_some_and(|hooks| hooks.len() == 1)
        && present("/webhooks/0/url")
        && same_events(shown, wanted)
        && same("/webhooks/0/hmac/key")
        && present("/metadata")
        && same("/noweb/store/enabled")
        && same("/webjs/tagsEventsOn")
}

fn same_events(shown: &Value, wanted: &Value) -> bool {
    let names = |config: &Value| {
        let events = config
            .pointer("/webhooks/0/events")
            .and_then(Value::as_array);
        let mut names: Vec<_> = events
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        names.sort();
        names
    };
    names(shown) == names(wanted)
}

#[cfg(test)]
mod tests {
    use mf_domain::{SessionId, SessionStatus, TenantId};
    use mf_engine::{SessionKey, SessionSpec};
    use serde_json::{Value, json};

    use super::{config, read_me, read_session, same_config};

    fn wanted() -> Value {
        let session_id = SessionId::from(uuid::Uuid::from_u128(7));
        let spec = SessionSpec {
            key: SessionKey::of(session_id),
            tenant_id: TenantId::from(uuid::Uuid::from_u128(8)),
            session_id,
            callback_url: "http://moltflow:8000/engine/waha/7".to_owned(),
            callback_secret: Box::<[u8]>::from([0xab, 0x01]).into(),
        };
        config(&spec, "2026.7.1")
    }

    #[test]
    fn the_key_is_given_as_the_text_that_callbacks_are_checked_with() {
        assert_eq!(wanted()["webhooks"][0]["hmac"]["key"], "ab01");
    }

    #[test]
    fn a_configuration_is_compared_as_far_as_it_is_shown() {
        let same = |config: &Value| same_config(&json!({"config": config}), &wanted());
        assert!(same(&wanted()));
        assert!(!same_config(&json!({}), &wanted()));

        let mut hidden = wanted();
        hidden["webhooks"][0]["hmac"] = Value::Null;
        hidden.as_object_mut().unwrap().remove("webjs");
        hidden["webhooks"][0]["events"]
            .as_array_mut()
            .unwrap()
            .reverse();
        assert!(same(&hidden));

        for (pointer, other) in [
            ("/webhooks/0/url", json!("http://elsewhere/")),
            ("/webhooks/0/events", json!(["session.status"])),
            ("/webhooks/0/hmac/key", json!("cd02")),
            ("/webhooks", json!([])),
            ("/metadata", json!({"tenant_id": "another"})),
            ("/noweb/store/enabled", json!(false)),
        ] {
            let mut different = wanted();
            *different.pointer_mut(pointer).unwrap() = other;
            assert!(!same(&different), "{pointer}");
        }
    }

    #[test]
    fn a_session_is_read_as_far_as_it_goes() {
        let session = read_session(&json!({
            "name": "mf_1", "status": "PASSKEY_REQUIRED",
            "me": {"id": "15551234567@c.us", "pushName": "Ada"},
            "timestamps": {"activity": 1_783_641_600_000_i64},
            "config": {"webhooks": [{"url": "http://a/"}]},
        }))
        .unwrap();
        assert_eq!(session.status, Some(SessionStatus::QrCode));
        assert_eq!(session.callback_url.as_deref(), Some("http://a/"));
        assert_eq!(session.last_activity.unwrap().timestamp(), 1_783_641_600);

        let new = read_session(&json!({"name": "mf_1", "status": "RESTING", "me": null})).unwrap();
        assert_eq!((new.status, new.raw_status.as_str()), (None, "RESTING"));
        assert_eq!(read_session(&json!(null)), None);
    }

    #[test]
    fn who_is_paired_is_known_by_number_in_either_form() {
        let phone = |me| read_me(&me).unwrap().phone.map(|phone| phone.to_string());
        let number = Some("15551234567".to_owned());
        assert_eq!(phone(json!({"id": "15551234567@c.us"})), number);
        assert_eq!(
            phone(json!({"id": "1@lid", "jid": "15551234567:12@s.whatsapp.net"})),
            number
        );
        assert_eq!(phone(json!({"id": "", "pushName": "Ada"})), None);
        let me = read_me(&json!({"id": "15551234567@c.us", "lid": "1:3@lid"})).unwrap();
        assert_eq!(me.lid.unwrap().as_str(), "1@lid");
        assert_eq!(read_me(&json!(null)), None);
    }
}
