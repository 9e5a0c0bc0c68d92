use std::{
    fmt,
    sync::{PoisonError, RwLock},
};

use async_trait::async_trait;
use mf_domain::{Jid, PhoneNumber, WaMessageId};
use mf_engine::{
    Callback, CallbackError, ChatOverview, Engine, EngineContact, EngineError, EngineInfo,
    EnginePage, EngineSession, FoundMessage, InboundMessage, LidMapping, MediaStream, MessageRef,
    MessagesQuery, Outgoing, SessionKey, SessionSpec,
};
use serde_json::Value;
use tracing::instrument;

use crate::{
    WahaConfig, WahaError, callback,
    client::{Answer, Call, WahaClient},
    dialect, endpoint, json,
    messages::before_acting,
};

/// WAHA as the product's engine.
pub struct Waha {
    client: WahaClient,
    /// What runs there, as long as it was not away.
    info: RwLock<Option<EngineInfo>>,
}

/// Neither the address nor the key.
impl fmt::Debug for Waha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waha")
    }
}

impl Waha {
    /// An adapter for one WAHA. Nothing is asked of it yet.
    ///
    /// The process must have installed a TLS provider (`rustls`) before.
    pub fn new(config: WahaConfig) -> Result<Self, WahaError> {
        Ok(Self {
            client: WahaClient::new(config)?,
            info: RwLock::new(None),
        })
    }

    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Answer, EngineError> {
        self.heed(self.client.call(call).await)
    }

    /// Makes a call that is worth nothing without its answer.
    pub(crate) async fn ask(&self, call: Call<'_>) -> Result<Value, EngineError> {
        self.heed(self.client.call(call).await.and_then(Answer::value))
    }

    /// Who was away may come back as another version.
    fn heed<T>(&self, result: Result<T, EngineError>) -> Result<T, EngineError> {
        if matches!(
            result,
            Err(EngineError::Unreachable | EngineError::Interrupted)
        ) {
            self.remember(None);
        }
        result
    }

    fn remember(&self, info: Option<EngineInfo>) {
        *self.info.write().unwrap_or_else(PoisonError::into_inner) = info;
    }

    fn remembered(&self) -> Option<EngineInfo> {
        self.info
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What runs there, asked in preparation of a call that changes something: whatever goes
    /// wrong here, that call was not made.
    pub(crate) async fn info_before_acting(&self) -> Result<EngineInfo, EngineError> {
        self.info().await.map_err(before_acting)
    }
}

#[async_trait]
impl Engine for Waha {
    fn name(&self) -> &'static str {
        "WAHA"
    }

    #[instrument(name = "engine.info", skip_all)]
    async fn info(&self) -> Result<EngineInfo, EngineError> {
        if let Some(info) = self.remembered() {
            return Ok(info);
        }
        let answer = self.ask(Call::new(&endpoint::VERSION, &[])).await?;
        let (Some(version), Some(engine)) = (
            json::text(&answer, "/version"),
            json::text(&answer, "/engine"),
        ) else {
            return Err(EngineError::Interrupted);
        };
        let info = dialect::describe(version, engine);
        self.remember(Some(info.clone()));
        Ok(info)
    }

    #[instrument(name = "engine.ping", skip_all)]
    async fn ping(&self) -> Result<(), EngineError> {
        self.heed(self.client.ping().await)
    }

    #[instrument(name = "engine.sessions", skip_all)]
    async fn sessions(&self) -> Result<Vec<EngineSession>, EngineError> {
        self.list_sessions().await
    }

    #[instrument(name = "engine.session", skip_all, fields(session = key.as_str()))]
    async fn session(&self, key: &SessionKey) -> Result<Option<EngineSession>, EngineError> {
        self.show_session(key).await
    }

    #[instrument(name = "engine.start", skip_all, fields(session = spec.key.as_str()))]
    async fn start(&self, spec: &SessionSpec) -> Result<EngineSession, EngineError> {
        self.start_session(spec).await
    }

    #[instrument(name = "engine.stop", skip_all, fields(session = key.as_str()))]
    async fn stop(&self, key: &SessionKey) -> Result<(), EngineError> {
        self.stop_session(key).await
    }

    #[instrument(name = "engine.restart", skip_all, fields(session = spec.key.as_str()))]
    async fn restart(&self, spec: &SessionSpec) -> Result<EngineSession, EngineError> {
        self.restart_session(spec).await
    }

    #[instrument(name = "engine.logout", skip_all, fields(session = key.as_str()))]
    async fn logout(&self, key: &SessionKey) -> Result<(), EngineError> {
        self.logout_session(key).await
    }

    #[instrument(name = "engine.delete", skip_all, fields(session = key.as_str()))]
    async fn delete(&self, key: &SessionKey) -> Result<(), EngineError> {
        self.delete_session(key).await
    }

    #[instrument(name = "engine.qr", skip_all, fields(session = key.as_str()))]
    async fn qr(&self, key: &SessionKey) -> Result<String, EngineError> {
        self.qr_text(key).await
    }

    #[instrument(name = "engine.pairing_code", skip_all, fields(session = key.as_str()))]
    async fn pairing_code(
        &self,
        key: &SessionKey,
        phone: &PhoneNumber,
    ) -> Result<String, EngineError> {
        self.request_code(key, phone).await
    }

    #[instrument(name = "engine.probe", skip_all, fields(session = key.as_str()))]
    async fn probe(&self, key: &SessionKey) -> Result<(), EngineError> {
        self.ask_whatsapp(key).await
    }

    #[instrument(
        name = "engine.send",
        skip_all,
        fields(session = key.as_str(), kind = %message.content.kind()),
    )]
    async fn send(
        &self,
        key: &SessionKey,
        message: &Outgoing,
    ) -> Result<Option<WaMessageId>, EngineError> {
        self.submit(key, message).await
    }

    #[instrument(name = "engine.react", skip_all, fields(session = key.as_str()))]
    async fn react(
        &self,
        key: &SessionKey,
        message: &MessageRef,
        emoji: &str,
    ) -> Result<(), EngineError> {
        self.set_reaction(key, message, emoji).await
    }

    #[instrument(name = "engine.star", skip_all, fields(session = key.as_str()))]
    async fn star(
        &self,
        key: &SessionKey,
        message: &MessageRef,
        star: bool,
    ) -> Result<(), EngineError> {
        self.set_star(key, message, star).await
    }

    #[instrument(name = "engine.edit", skip_all, fields(session = key.as_str()))]
    async fn edit(
        &self,
        key: &SessionKey,
        message: &MessageRef,
        text: &str,
    ) -> Result<(), EngineError> {
        self.change_text(key, message, text).await
    }

    #[instrument(name = "engine.unsend", skip_all, fields(session = key.as_str()))]
    async fn unsend(&self, key: &SessionKey, message: &MessageRef) -> Result<(), EngineError> {
        self.take_back(key, message).await
    }

    #[instrument(name = "engine.mark_read", skip_all, fields(session = key.as_str()))]
    async fn mark_read(&self, key: &SessionKey, chat: &Jid) -> Result<(), EngineError> {
        self.see(key, chat).await
    }

    #[instrument(name = "engine.find_message", skip_all, fields(session = key.as_str()))]
    async fn find_message(
        &self,
        key: &SessionKey,
        chat: &Jid,
        id: &WaMessageId,
    ) -> Result<Option<FoundMessage>, EngineError> {
        self.show_message(key, chat, id).await
    }

    #[instrument(name = "engine.chats", skip_all, fields(session = key.as_str()))]
    async fn chats(
        &self,
        key: &SessionKey,
        page: EnginePage,
    ) -> Result<Vec<ChatOverview>, EngineError> {
        self.list_chats(key, page).await
    }

    #[instrument(name = "engine.messages", skip_all, fields(session = key.as_str()))]
    async fn messages(
        &self,
        key: &SessionKey,
        chat: &Jid,
        query: MessagesQuery,
    ) -> Result<Vec<InboundMessage>, EngineError> {
        self.list_messages(key, chat, query).await
    }

    #[instrument(name = "engine.message", skip_all, fields(session = key.as_str()))]
    async fn message(
        &self,
        key: &SessionKey,
        message: &MessageRef,
    ) -> Result<Option<InboundMessage>, EngineError> {
        self.read_message(key, message).await
    }

    #[instrument(name = "engine.fetch_media", skip_all)]
    async fn fetch_media(&self, url: &str) -> Result<Option<MediaStream>, EngineError> {
        self.heed(self.client.file(url).await)
    }

    #[instrument(name = "engine.typing", skip_all, fields(session = key.as_str()))]
    async fn typing(&self, key: &SessionKey, chat: &Jid, typing: bool) -> Result<(), EngineError> {
        self.show_typing(key, chat, typing).await
    }

    #[instrument(name = "engine.look_up_number", skip_all, fields(session = key.as_str()))]
    async fn look_up_number(
        &self,
        key: &SessionKey,
        phone: &PhoneNumber,
    ) -> Result<Option<Jid>, EngineError> {
        self.check_number(key, phone).await
    }

    #[instrument(name = "engine.contacts", skip_all, fields(session = key.as_str()))]
    async fn contacts(
        &self,
        key: &SessionKey,
        page: EnginePage,
    ) -> Result<Vec<EngineContact>, EngineError> {
        self.list_contacts(key, page).await
    }

    #[instrument(name = "engine.picture", skip_all, fields(session = key.as_str()))]
    async fn picture(&self, key: &SessionKey, jid: &Jid) -> Result<Option<String>, EngineError> {
        self.picture_of(key, jid).await
    }

    #[instrument(name = "engine.phone_of", skip_all, fields(session = key.as_str()))]
    async fn phone_of(
        &self,
        key: &SessionKey,
        lid: &Jid,
    ) -> Result<Option<PhoneNumber>, EngineError> {
        self.phone_of_lid(key, lid).await
    }

    #[instrument(name = "engine.lid_of", skip_all, fields(session = key.as_str()))]
    async fn lid_of(
        &self,
        key: &SessionKey,
        phone: &PhoneNumber,
    ) -> Result<Option<Jid>, EngineError> {
        self.lid_of_phone(key, phone).await
    }

    #[instrument(name = "engine.lids", skip_all, fields(session = key.as_str()))]
    async fn lids(
        &self,
        key: &SessionKey,
        page: EnginePage,
    ) -> Result<Vec<LidMapping>, EngineError> {
        self.list_lids(key, page).await
    }

    fn read_callback(
        &self,
        secret: &[u8],
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
    ) -> Result<Callback, CallbackError> {
        let report = callback::read(secret, header, body)?;
        // Somebody may have put another version, or engine, in its place between two calls.
        if let (Some(known), Some((version, engine))) = (self.remembered(), report.origin)
            && (known.version, known.dialect) != (version, engine)
        {
            self.remember(None);
        }
        Ok(report.callback)
    }

    fn read_kept_callback(&self, body: &[u8]) -> Result<Callback, CallbackError> {
        // What runs there now is not what it says.
        callback::read_kept(body).map(|report| report.callback)
    }
}
