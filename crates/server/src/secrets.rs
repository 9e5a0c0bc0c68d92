//! Files with secrets in them: written whole or not at all, readable by their owner only.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mf_domain::Ids;
use secrecy::{SecretBox, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Config;

/// What a server must have, given or generated.
pub(crate) struct Secrets {
    pub(crate) jwt: SecretString,
    pub(crate) master: SecretBox<[u8; 32]>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    jwt_secret: String,
    master_key: String,
}

impl Secrets {
    /// Those of the configuration; else those kept in the data folder; else fresh ones, kept.
    pub(crate) fn obtain(config: &mut Config, ids: &Ids) -> anyhow::Result<Self> {
        if let (Some(jwt), Some(master)) = (config.jwt_secret.take(), config.master_key.take()) {
            return Ok(Self { jwt, master });
        }
        let path = config.data_dir.join("secrets.json");
        let kept = match read::<Kept>(&path)? {
            Some(kept) => kept,
            None => {
                let fresh = Kept {
                    jwt_secret: ids.alphanumeric(48),
                    master_key: STANDARD.encode(ids.bytes::<32>()),
                };
                write(&path, &fresh)?;
                fresh
            }
        };
        let master: [u8; 32] = STANDARD
            .decode(&kept.master_key)
            .ok()
            .and_then(|key| key.try_into().ok())
            .ok_or_else(|| anyhow!("{}: master_key is not 32 bytes in base64", path.display()))?;
        Ok(Self {
            jwt: kept.jwt_secret.into(),
            master: SecretBox::new(Box::new(master)),
        })
    }
}

/// Makes the data folder, for its owner only.
pub(crate) fn data_dir(path: &Path) -> anyhow::Result<PathBuf> {
    // 0711: the embedded database, which may run as another user, has a folder of its own in
    // here and must be able to reach it, but not to look around.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(path)
        .with_context(|| format!("the data folder {} cannot be made", path.display()))?;
    path.canonicalize()
        .with_context(|| format!("the data folder {} is gone", path.display()))
}

/// Reads a file, if it is there.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Option<T>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    };
    serde_json::from_slice(&text)
        .map(Some)
        .with_context(|| format!("{} is damaged: mend or remove it", path.display()))
}

/// Writes a file that only its owner can read; a crash leaves the old one.
pub(crate) fn write<T: Serialize>(path: &Path, value: &T) -> anyhow::Result<()> {
    let written = || -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(value)?;
        text.push(b'\n');
        let beside = path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        Ok(())
    };
    written().with_context(|| format!("{} cannot be written", path.display()))
}
