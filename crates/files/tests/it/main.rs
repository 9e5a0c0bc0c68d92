//! Files in a folder and in a bucket, through the crate's public face.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod local;
mod s3;

use bytes::Bytes;
use futures_util::TryStreamExt;
use mf_files::{Files, FilesError, Key};
use std::ops::Range;
use uuid::Uuid;

/// A tenant's file.
fn key(tenant: u128, media: u128) -> Key {
    Key::new(Uuid::from_u128(tenant), Uuid::from_u128(media))
}

async fn read(files: &Files, key: Key, range: Option<Range<u64>>) -> Result<Vec<u8>, FilesError> {
    let opened = files.open(key, range).await?;
    let chunks: Vec<Bytes> = opened.stream.try_collect().await?;
    let bytes = chunks.concat();
    assert_eq!(
        bytes.len() as u64,
        opened.range.end - opened.range.start,
        "what is read is what was promised"
    );
    Ok(bytes)
}
