use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{
    sync::Semaphore,
    task::{JoinError, spawn_blocking},
};

/// Hashes at a time. Each takes 19 MiB and a core.
const AT_A_TIME: usize = 2;

/// A password that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password must have 8 to 128 characters")]
pub struct WeakPassword;

/// A password could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The algorithm refused.
    #[error("a password could not be hashed: {0}")]
    Argon(argon2::password_hash::Error),
    /// The task was lost.
    #[error("a password could not be hashed")]
    Task(#[from] JoinError),
}

/// Hashes and checks passwords: Argon2id with OWASP's parameters, off the async threads.
#[derive(Debug, Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// A hasher that works on two at a time.
    pub fn new() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }

    /// Whether a password may be one at all.
    pub fn check(password: &str) -> Result<(), WeakPassword> {
        if (8..=128).contains(&password.chars().count()) {
            Ok(())
        } else {
            Err(WeakPassword)
        }
    }

    /// The password's hash, in the PHC form.
    pub async fn hash(&self, password: &str) -> Result<String, HashError> {
        // The semaphore is never closed; without a permit the hash is only slower.
        let _permit = self.permits.acquire().await.ok();
        let password = password.to_owned();
        spawn_blocking(move || {
            let hash: PasswordHash = Argon2::default()
                .hash_password(password.as_bytes())
                .map_err(HashError::Argon)?;
            Ok(hash.to_string())
        })
        .await?
    }

    /// Whether the password is the one of `hash`. Without a hash the answer is no, after the
    /// same time: so that nobody learns from the clock whose address is known here.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, HashError> {
        let _permit = self.permits.acquire().await.ok();
        let password = password.to_owned();
        let hash = hash.map(str::to_owned);
        let verified = spawn_blocking(move || match hash {
            Some(hash) => PasswordHash::new(&hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            }),
            None => {
                let spent: Result<PasswordHash, _> =
                    Argon2::default().hash_password(password.as_bytes());
                drop(spent);
                false
            }
        })
        .await?;
        Ok(verified)
    }
}

#[cfg(test)]
mod tests {
    use super::Passwords;

    #[tokio::test]
    async fn only_the_password_itself_is_verified() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(
            passwords
                .verify("correct horse", Some(&hash))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("Correct horse", Some(&hash))
                .await
                .unwrap()
        );
        assert!(!passwords.verify("correct horse", None).await.unwrap());
        assert!(
            !passwords
                .verify("correct horse", Some("rubbish"))
                .await
                .unwrap()
        );
    }
}
