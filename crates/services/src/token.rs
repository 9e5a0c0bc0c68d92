use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    decode, encode,
    errors::ErrorKind,
};
use mf_domain::{Clock, RefreshFamilyId, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use signature::{Signer, Verifier};

/// Access tokens: JWT, HMAC-SHA256, nothing else.
///
/// They say who logged in and in which login. What that person may do is looked up, so that a
/// suspended user is out at once and not when the token ends.
#[derive(Clone)]
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    fam: RefreshFamilyId,
    iat: i64,
    exp: i64,
}

/// A token could not be made.
#[derive(Debug, thiserror::Error)]
#[error("an access token could not be signed")]
pub struct TokenError(#[from] jsonwebtoken::errors::Error);

/// What a good token says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccessToken {
    pub(crate) user: UserId,
    pub(crate) family: RefreshFamilyId,
}

impl Tokens {
    /// Tokens under this secret of at least 32 bytes.
    pub fn new(secret: &SecretString, clock: Arc<dyn Clock>) -> Self {
        // Installing it twice is no error: it is the same one.
        let _ = HS256_ONLY.install_default();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "sub"]);
        // Compared below, with the injected clock.
        validation.validate_exp = false;
        Self {
            encoding: EncodingKey::from_secret(secret.expose_secret().as_bytes()),
            decoding: DecodingKey::from_secret(secret.expose_secret().as_bytes()),
            validation,
            clock,
        }
    }

    /// A token for a login, good for `ttl`.
    pub fn issue(
        &self,
        user: UserId,
        family: RefreshFamilyId,
        ttl: std::time::Duration,
    ) -> Result<String, TokenError> {
        let now = self.clock.now().timestamp();
        let exp = now.saturating_add(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX));
        let claims = Claims {
            sub: user,
            fam: family,
            iat: now,
            exp,
        };
        Ok(encode(
            &Header::new(Algorithm::HS256),
            &claims,
            &self.encoding,
        )?)
    }

    /// Who a token is of, if it is one of ours and has not ended.
    pub(crate) fn verify(&self, token: &str) -> Option<AccessToken> {
        let claims = decode::<Claims>(token, &self.decoding, &self.validation)
            .ok()?
            .claims;
        (claims.exp > self.clock.now().timestamp()).then_some(AccessToken {
            user: claims.sub,
            family: claims.fam,
        })
    }
}

/// The library's own providers bring RSA and the curves; this server signs with one secret.
static HS256_ONLY: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hs256::new(key.as_bytes()))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hs256::new(key.try_get_as_bytes()?))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(Option<Hmac<Sha256>>);

impl Hs256 {
    fn new(secret: &[u8]) -> Self {
        // HMAC takes keys of every length.
        Self(Hmac::new_from_slice(secret).ok())
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let mac = self.0.clone().ok_or_else(signature::Error::new)?;
        Ok(mac.chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], tag: &Vec<u8>) -> Result<(), signature::Error> {
        let mac = self.0.clone().ok_or_else(signature::Error::new)?;
        mac.chain_update(message)
            .verify_slice(tag)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}
