use std::sync::Arc;

use uuid::{Builder, Uuid};

use crate::{Clock, WaMessageId};

/// Where randomness comes from, so that tests can be deterministic.
pub trait Entropy: Send + Sync + 'static {
    /// Fills the slice with bytes that nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}

/// Mints identifiers from a clock and a source of randomness.
#[derive(Clone)]
pub struct Ids {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ids")
    }
}

impl Ids {
    /// Ids that take their time from `clock` and their randomness from `entropy`.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy }
    }

    /// A fresh id: UUID version 7, so that rows made together lie together.
    pub fn mint<T: From<Uuid>>(&self) -> T {
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        let bytes = self.bytes::<10>();
        Builder::from_unix_timestamp_millis(millis, &bytes)
            .into_uuid()
            .into()
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// `length` random letters and digits, evenly distributed.
    pub fn alphanumeric(&self, length: usize) -> String {
        const ALPHABET: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let [byte] = self.bytes::<1>();
            // 248 is the largest multiple of 62 in a byte: above it, letters would be favoured.
            if byte < 248
                && let Some(letter) = ALPHABET.get(usize::from(byte % 62))
            {
                text.push(char::from(*letter));
            }
        }
        text
    }

    /// A WhatsApp message id in the form that WhatsApp Web mints: `3EB0` and 18 hexadecimal
    /// digits. Minting it ourselves, before the engine is asked, is what makes a send
    /// repeatable without a second message.
    pub fn wa_message_id(&self) -> WaMessageId {
        use std::fmt::Write as _;
        let mut id = String::from("3EB0");
        for byte in self.bytes::<9>() {
            // Writing to a String cannot fail.
            let _ = write!(id, "{byte:02X}");
        }
        WaMessageId::new(id)
    }
}
