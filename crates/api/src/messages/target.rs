use mf_domain::{ChatId, Invalid, Jid, JidKind, PhoneNumber};
use mf_http_kit::{ApiError, Faults};
use mf_services::Recipient;

/// To whom something goes, as the two fields say it of which one is required.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) chat_id: Option<&'a str>,
    pub(crate) phone: Option<&'a str>,
}

/// The fields of which one must be there: see `Input::ONE_OF`.
pub(crate) const ONE: &[&str] = &["phone", "chat_id"];
/// The same where they are the only ones.
pub(crate) const ONE_OF: &[&[&str]] = &[ONE];

impl Target<'_> {
    /// To whom it goes; with the field that says it wrongly.
    fn read(self) -> Result<Recipient, (&'static str, Invalid)> {
        match (self.chat_id, self.phone) {
            (Some(chat), _) => recipient(chat).map_err(|invalid| ("chat_id", invalid)),
            (None, Some(phone)) => PhoneNumber::parse(phone)
                .map(|phone| Recipient::Jid(Jid::person(&phone)))
                .map_err(|invalid| ("phone", invalid)),
            (None, None) => Err((
                "phone",
                Invalid::new("value_error.missing", "field required"),
            )),
        }
    }

    /// Lists what is wrong with it.
    pub(crate) fn check(self, faults: &mut Faults) {
        if let Err((field, invalid)) = self.read() {
            faults.add(field, invalid);
        }
    }

    /// To whom it goes.
    pub(crate) fn recipient(self) -> Result<Recipient, ApiError> {
        self.read()
            .map_err(|(field, invalid)| ApiError::invalid(Faults::body(field, invalid)))
    }
}

/// A chat by WhatsApp's id, by ours, or, as some clients do, by the bare number.
pub(crate) fn recipient(chat: &str) -> Result<Recipient, Invalid> {
    if let Ok(id) = uuid::Uuid::try_parse(chat) {
        return Ok(Recipient::Chat(ChatId::from(id)));
    }
    if !chat.contains('@')
        && let Ok(phone) = PhoneNumber::parse(chat)
    {
        return Ok(Recipient::Jid(Jid::person(&phone)));
    }
    let jid = Jid::parse(chat)?;
    if jid.kind() == JidKind::Broadcast {
        return Err(Invalid::new(
            "value_error.chat_id",
            "broadcast lists and status updates cannot be written to",
        ));
    }
    Ok(Recipient::Jid(jid))
}
