use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use subtle::ConstantTimeEq as _;
use tokio::{
    sync::Semaphore,
    task::{JoinError, spawn_blocking},
};

/// Hashes at a time. Each takes 19 MiB and a core.
const AT_A_TIME: usize = 2;
/// Bytes that an allocation must have for glibc to give them back at once.
const GIVEN_BACK: usize = 33 << 20;

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
        let password = password.to_owned();
        let hash = self.run(move || {
            let salt = Salt::generate();
            Ok(derive(&password, salt, &Params::default())?.to_string())
        });
        hash.await?.map_err(HashError::Argon)
    }

    /// Whether the password is the one of `hash`. Without a hash the answer is no, after the
    /// same time: so that nobody learns from the clock whose address is known here.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, HashError> {
        let password = password.to_owned();
        let hash = hash.map(str::to_owned);
        let verified = self.run(move || match hash {
            Some(hash) => is_of(&password, &hash).unwrap_or(false),
            None => {
                let spent = derive(&password, Salt::generate(), &Params::default());
                drop(spent);
                false
            }
        });
        verified.await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashError> {
        // The semaphore is never closed; without a permit the hash is only slower.
        let _permit = self.permits.acquire().await.ok();
        Ok(spawn_blocking(work).await?)
    }
}

/// Argon2id, version 19.
fn derive(
    password: &str,
    salt: Salt,
    params: &Params,
) -> argon2::password_hash::Result<PasswordHash> {
    // Above 32 MiB glibc gives what is freed back to the system; below, it would keep 19 MiB
    // for each thread that ever hashed. What is not touched costs nothing.
    let mut memory = Vec::with_capacity(GIVEN_BACK / size_of::<Block>());
    memory.resize(params.block_count(), Block::default());
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password.as_bytes(), &salt, &mut output, &mut memory)?;
    Ok(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params)?,
        salt: Some(salt),
        hash: Some(Output::new(&output)?),
    })
}

/// `None`: the hash is none that we made.
fn is_of(password: &str, hash: &str) -> Option<bool> {
    let known = PasswordHash::new(hash).ok()?;
    if known.algorithm != Algorithm::Argon2id.ident() {
        return None;
    }
    let params = Params::try_from(&known).ok()?;
    let again = derive(password, known.salt?, &params).ok()?;
    Some(again.hash?.as_bytes().ct_eq(known.hash?.as_bytes()).into())
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
