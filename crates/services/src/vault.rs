use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use mf_domain::Ids;
use secrecy::{ExposeSecret, SecretBox};

const NONCE: usize = 12;

/// Something sealed that does not open, or a key that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It was sealed with another key, for another place, or was changed.
    #[error("a sealed secret does not open: is MOLTFLOW_MASTER_KEY the one it was sealed with?")]
    DoesNotOpen,
    /// It could not be sealed.
    #[error("a secret could not be sealed")]
    DoesNotSeal,
}

/// Seals secrets that must be readable again, such as the keys that callbacks are signed with.
///
/// AES-256-GCM under the master key. What is sealed names its place (`context`), so that a
/// value moved to another row does not open there. Form: nonce (12 bytes), then ciphertext.
#[derive(Clone)]
pub struct Vault {
    cipher: Aes256Gcm,
    ids: Ids,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// A vault under this key of 32 bytes.
    pub fn new(key: &SecretBox<[u8; 32]>, ids: Ids) -> Self {
        Self {
            cipher: Aes256Gcm::new(key.expose_secret().into()),
            ids,
        }
    }

    /// Seals a secret for the place that `context` names.
    pub fn seal(&self, context: &[u8], secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce = self.ids.bytes::<NONCE>();
        let sealed = self
            .cipher
            .encrypt(
                &nonce.into(),
                Payload {
                    msg: secret,
                    aad: context,
                },
            )
            .map_err(|_| VaultError::DoesNotSeal)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for the place that `context` names.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<SecretBox<[u8]>, VaultError> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE>()
            .ok_or(VaultError::DoesNotOpen)?;
        let secret = self
            .cipher
            .decrypt(
                &(*nonce).into(),
                Payload {
                    msg: sealed,
                    aad: context,
                },
            )
            .map_err(|_| VaultError::DoesNotOpen)?;
        Ok(SecretBox::new(secret.into_boxed_slice()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mf_domain::{Ids, SystemClock};
    use secrecy::{ExposeSecret, SecretBox};

    use super::{Vault, VaultError};
    use crate::OsEntropy;

    fn vault(byte: u8) -> Vault {
        let ids = Ids::new(Arc::new(SystemClock), Arc::new(OsEntropy));
        Vault::new(&SecretBox::new(Box::new([byte; 32])), ids)
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let vault_a = vault(1);
        let sealed = vault_a.seal(b"session a", b"secret").unwrap();
        assert_eq!(
            vault_a.open(b"session a", &sealed).unwrap().expose_secret(),
            b"secret"
        );
        assert_eq!(
            vault_a.open(b"session b", &sealed).unwrap_err(),
            VaultError::DoesNotOpen
        );
        assert_eq!(
            vault(2).open(b"session a", &sealed).unwrap_err(),
            VaultError::DoesNotOpen
        );
    }

    #[test]
    fn a_changed_or_cut_value_does_not_open() {
        let vault = vault(1);
        let mut sealed = vault.seal(b"here", b"secret").unwrap();
        assert!(vault.open(b"here", &sealed[..5]).is_err());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(vault.open(b"here", &sealed).is_err());
    }
}
