use base64::{
    Engine as _,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use hmac::{Hmac, KeyInit, Mac};
use mf_domain::Ids;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What a secret of Standard Webhooks begins with; base64 follows.
const PREFIX: &str = "whsec_";
/// Characters of a secret that a client chooses.
const LENGTHS: std::ops::RangeInclusive<usize> = 8..=255;
/// The client's name, as endpoints see it.
const USER_AGENT: &str = concat!("MoltFlow-Webhooks/", env!("CARGO_PKG_VERSION"));

/// As the published libraries decode: with padding or without, and whatever its last bits say.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a webhook and its endpoint share.
#[derive(Debug, Clone)]
pub(crate) struct WebhookSecret(SecretString);

/// Why a secret is not taken, in words for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadSecret {
    /// Nothing, or too much.
    #[error("The secret must have 8 to 255 characters")]
    Length,
    /// One that would be taken for another by those who decode it.
    #[error("What follows whsec_ in the secret must be base64")]
    NotBase64,
    /// What one copies along without seeing it, and which the other side has not.
    #[error("The secret must not begin or end with a blank, nor contain control characters")]
    Invisible,
}

impl WebhookSecret {
    /// What a client chose.
    pub(crate) fn parse(text: &str) -> Result<Self, BadSecret> {
        if !LENGTHS.contains(&text.chars().count()) {
            return Err(BadSecret::Length);
        }
        if text.trim() != text || text.chars().any(char::is_control) {
            return Err(BadSecret::Invisible);
        }
        let secret = Self(text.into());
        if text.starts_with(PREFIX) && secret.decoded().is_none() {
            return Err(BadSecret::NotBase64);
        }
        Ok(secret)
    }

    /// What was kept; nothing where it is no text.
    pub(crate) fn of(opened: &[u8]) -> Option<Self> {
        std::str::from_utf8(opened)
            .ok()
            .map(|text| Self(text.into()))
    }

    /// A new one, in the form of Standard Webhooks.
    pub(crate) fn generate(ids: &Ids) -> Self {
        let bytes = Zeroizing::new(ids.bytes::<32>());
        Self(format!("{PREFIX}{}", STANDARD.encode(bytes)).into())
    }

    /// As the client knows it: to be sealed, and to be answered once.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Lower-case hex over the body, with the secret as the client knows it, prefix and all.
    fn plain(&self, body: &[u8]) -> String {
        hex::encode(mac(self.expose().as_bytes(), &[body]))
    }

    /// One signature of Standard Webhooks.
    fn standard(&self, id: &str, seconds: &str, body: &[u8]) -> String {
        let signed = [id.as_bytes(), b".", seconds.as_bytes(), b".", body];
        format!("v1,{}", STANDARD.encode(mac(&self.key(), &signed)))
    }

    /// The key of Standard Webhooks: what stands behind the prefix, decoded. Any other secret is
    /// its own key, and so is one that does not decode to anything.
    fn key(&self) -> Zeroizing<Vec<u8>> {
        let key = self.decoded();
        key.unwrap_or_else(|| Zeroizing::new(self.expose().as_bytes().to_vec()))
    }

    fn decoded(&self) -> Option<Zeroizing<Vec<u8>>> {
        let encoded = self.expose().strip_prefix(PREFIX)?;
        let key = LENIENT.decode(encoded).ok().map(Zeroizing::new);
        key.filter(|key| !key.is_empty())
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// The secrets that a webhook's deliveries are signed with.
#[derive(Debug, Clone)]
pub(crate) struct Signing {
    /// The only one, or the newer of two.
    pub(crate) current: WebhookSecret,
    /// The one before it, for as long as both are good.
    pub(crate) previous: Option<WebhookSecret>,
}

/// A delivery, as far as it is signed and labelled.
pub(crate) struct Told<'a> {
    /// The event's; the same at every attempt and replay.
    pub(crate) id: &'a str,
    /// The event's.
    pub(crate) name: &'a str,
    /// The very bytes that are sent.
    pub(crate) body: &'a [u8],
    /// When this attempt is made, Unix time.
    pub(crate) seconds: i64,
}

impl Signing {
    /// The headers of a delivery. While two secrets are good, the list of Standard Webhooks has a
    /// signature by each, the newer first, and the plain header, which has room for one, stays
    /// with the older: endpoints that know nothing of lists go on working until they are given
    /// the new secret.
    pub(crate) fn headers(&self, told: &Told<'_>) -> Vec<(&'static str, String)> {
        let seconds = told.seconds.to_string();
        let plain = self.previous.as_ref().unwrap_or(&self.current);
        let secrets = std::iter::once(&self.current).chain(&self.previous);
        let list: Vec<String> = secrets
            .map(|secret| secret.standard(told.id, &seconds, told.body))
            .collect();
        vec![
            ("content-type", "application/json".to_owned()),
            ("user-agent", USER_AGENT.to_owned()),
            ("x-webhook-event", told.name.to_owned()),
            ("x-webhook-id", told.id.to_owned()),
            ("x-webhook-timestamp", seconds.clone()),
            ("x-webhook-signature", plain.plain(told.body)),
            ("webhook-id", told.id.to_owned()),
            ("webhook-timestamp", seconds),
            ("webhook-signature", list.join(" ")),
        ]
    }
}

#[cfg(test)]
mod tests;
