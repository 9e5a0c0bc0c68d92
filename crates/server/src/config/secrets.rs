use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{SecretBox, SecretString};

use super::{Config, reader::Reader};

impl Config {
    /// What is generated is for a machine of one's own. Whoever names a database, or listens
    /// to the network, says their secrets themselves: several replicas must have the same, and
    /// a lost one must be somebody's to lose.
    pub(super) fn check_secrets(&self, r: &mut Reader<'_>) {
        let why = if self.database_url.is_some() {
            "DATABASE_URL is set"
        } else if !self.addr.ip().is_loopback() {
            "MOLTFLOW_ADDR is beyond loopback"
        } else {
            ""
        };
        let already: BTreeSet<&str> = r
            .faults
            .iter()
            .filter_map(|fault| Some(fault.split_once(':')?.0))
            .collect();
        let missing = |name, there: bool| !why.is_empty() && !there && !already.contains(name);
        let jwt = missing("MOLTFLOW_JWT_SECRET", self.jwt_secret.is_some());
        let master = missing("MOLTFLOW_MASTER_KEY", self.master_key.is_some());
        if jwt {
            let help = "32 characters or more (openssl rand -hex 32)";
            r.fault(
                "MOLTFLOW_JWT_SECRET",
                format!("must be set, since {why}: {help}"),
            );
        }
        if master {
            let help = "32 bytes in base64 (openssl rand -base64 32)";
            r.fault(
                "MOLTFLOW_MASTER_KEY",
                format!("must be set, since {why}: {help}"),
            );
        }
        if self.engine_url.is_some() && self.engine_api_key.is_none() {
            r.fault(
                "MOLTFLOW_ENGINE_API_KEY",
                "must be set, since MOLTFLOW_ENGINE_URL is: the server's WAHA_API_KEY",
            );
        }
    }
}

/// Words that stand in documentation and in nobody's vault.
fn is_placeholder(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("change-me") || text.contains("changeme") || text.contains("secret-here")
}

pub(super) fn jwt_secret(text: &str) -> Result<SecretString, String> {
    if text.len() < 32 {
        return Err(format!(
            "must have 32 characters or more, and has {}",
            text.len()
        ));
    }
    if is_placeholder(text) {
        return Err("is the example's: make one with openssl rand -hex 32".to_owned());
    }
    Ok(SecretString::from(text))
}

pub(super) fn master_key(text: &str) -> Result<SecretBox<[u8; 32]>, String> {
    let what = "must be 32 bytes in base64: make one with openssl rand -base64 32";
    let bytes = STANDARD.decode(text).map_err(|_| what.to_owned())?;
    let key: [u8; 32] = bytes.try_into().map_err(|_| what.to_owned())?;
    if key.iter().all(|byte| *byte == key[0]) {
        return Err("must be random: make one with openssl rand -base64 32".to_owned());
    }
    Ok(SecretBox::new(Box::new(key)))
}
