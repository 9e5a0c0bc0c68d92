use bytes::Bytes;
use futures_util::{Stream, StreamExt, pin_mut};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload, PutPayloadMut};
use sha2::{Digest, Sha256};

use crate::{Files, FilesError, Key, PutError};

/// Bytes of a file's beginning that are handed back, enough for [`crate::sniff`].
pub const HEAD: usize = 4096;
/// Bytes of a part: S3 takes no fewer than 5 MiB, and some that are like it want all parts equal.
/// A file of fewer bytes is one request.
const PART: usize = 8 * 1024 * 1024;

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    /// Of all bytes.
    pub sha256: [u8; 32],
    /// The first [`HEAD`] bytes, or all where there are fewer.
    pub head: Vec<u8>,
}

impl Files {
    /// Keeps what arrives, and replaces what was there. Until all of it has arrived the key is as
    /// it was, and it stays so after an error, or when the future is dropped.
    pub async fn put_stream<E>(
        &self,
        key: Key,
        stream: impl Stream<Item = Result<Bytes, E>>,
        max_bytes: u64,
    ) -> Result<Stored, PutError<E>> {
        let mut upload = Upload::new(self, self.path(key));
        let kept = upload.take_in(stream, max_bytes).await;
        if kept.is_err() {
            upload.give_up().await;
        }
        kept
    }

    /// Keeps bytes that are all there.
    pub async fn put_bytes(&self, key: Key, bytes: Bytes) -> Result<Stored, FilesError> {
        let mut seen = Seen::default();
        seen.take_in(&bytes);
        let path = self.path(key);
        let put = self.store.put(&path, PutPayload::from_bytes(bytes)).await;
        put.map_err(FilesError::Store)?;
        Ok(seen.done())
    }
}

/// What is known of the bytes so far.
#[derive(Default)]
struct Seen {
    size: u64,
    sha256: Sha256,
    head: Vec<u8>,
}

impl Seen {
    fn take_in(&mut self, chunk: &[u8]) {
        self.size += chunk.len() as u64;
        self.sha256.update(chunk);
        let wanted = HEAD.saturating_sub(self.head.len()).min(chunk.len());
        self.head.extend_from_slice(&chunk[..wanted]);
    }

    fn done(self) -> Stored {
        Stored {
            size: self.size,
            sha256: self.sha256.finalize().into(),
            head: self.head,
        }
    }
}

/// A file on its way into the store: in one piece while it is small, in parts from then on.
struct Upload<'a> {
    files: &'a Files,
    path: Path,
    /// What makes no part yet.
    waiting: PutPayloadMut,
    parts: Option<Box<dyn MultipartUpload>>,
}

impl<'a> Upload<'a> {
    fn new(files: &'a Files, path: Path) -> Self {
        Self {
            files,
            path,
            waiting: PutPayloadMut::new(),
            parts: None,
        }
    }

    async fn take_in<E>(
        &mut self,
        stream: impl Stream<Item = Result<Bytes, E>>,
        max_bytes: u64,
    ) -> Result<Stored, PutError<E>> {
        let mut seen = Seen::default();
        pin_mut!(stream);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(PutError::Source)?;
            seen.take_in(&chunk);
            if seen.size > max_bytes {
                return Err(PutError::TooLarge);
            }
            self.push(chunk).await?;
        }
        self.finish().await?;
        Ok(seen.done())
    }

    async fn push(&mut self, mut chunk: Bytes) -> Result<(), object_store::Error> {
        while self.waiting.content_length() + chunk.len() >= PART {
            let missing = PART - self.waiting.content_length();
            self.waiting.push(chunk.split_to(missing));
            self.send_part().await?;
        }
        if !chunk.is_empty() {
            self.waiting.push(chunk);
        }
        Ok(())
    }

    async fn send_part(&mut self) -> Result<(), object_store::Error> {
        let part = std::mem::take(&mut self.waiting).freeze();
        let mut parts = match self.parts.take() {
            Some(parts) => parts,
            None => self.files.store.put_multipart(&self.path).await?,
        };
        let sent = parts.put_part(part);
        // Back before it can fail, so that it is given up then.
        self.parts = Some(parts);
        sent.await
    }

    async fn finish(&mut self) -> Result<(), object_store::Error> {
        if self.parts.is_none() {
            let all = std::mem::take(&mut self.waiting).freeze();
            self.files.store.put(&self.path, all).await?;
            return Ok(());
        }
        if !self.waiting.is_empty() {
            self.send_part().await?;
        }
        if let Some(parts) = &mut self.parts {
            parts.complete().await?;
        }
        self.parts = None;
        Ok(())
    }

    async fn give_up(&mut self) {
        if let Some(parts) = self.parts.take() {
            abort(parts).await;
        }
    }
}

/// S3 keeps the parts of what is not completed, unseen and paid for, until it is told.
async fn abort(mut parts: Box<dyn MultipartUpload>) {
    if let Err(error) = parts.abort().await {
        tracing::warn!(%error, "an upload that failed could not be given up");
    }
}

impl Drop for Upload<'_> {
    /// The one who waited has gone away.
    fn drop(&mut self) {
        let runtime = tokio::runtime::Handle::try_current();
        if let (Some(parts), Ok(runtime)) = (self.parts.take(), runtime) {
            runtime.spawn(abort(parts));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::{StreamExt, TryStreamExt, stream};
    use object_store::memory::InMemory;
    use uuid::Uuid;

    use super::*;

    fn key() -> Key {
        Key::new(Uuid::from_u128(1), Uuid::from_u128(2))
    }

    async fn read(files: &Files) -> Vec<u8> {
        let opened = files.open(key(), None).await.unwrap();
        let chunks: Vec<Bytes> = opened.stream.try_collect().await.unwrap();
        chunks.concat()
    }

    #[tokio::test]
    async fn what_is_sent_in_parts_is_put_together_in_order() {
        for size in [PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 7] {
            let files = Files::over(Arc::new(InMemory::new()));
            let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
            let chunks = bytes
                .chunks(3_000_000)
                .map(|chunk| Ok::<_, ()>(Bytes::copy_from_slice(chunk)));
            let kept = files
                .put_stream(key(), stream::iter(chunks), u64::MAX)
                .await;
            let kept = kept.unwrap();
            assert_eq!(kept.size, size as u64);
            assert_eq!(kept.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
            assert_eq!(kept.head, bytes[..HEAD]);
            assert!(read(&files).await == bytes, "{size}");
        }
    }

    #[tokio::test]
    async fn a_source_that_fails_after_some_parts_leaves_what_was_there() {
        let files = Files::over(Arc::new(InMemory::new()));
        files
            .put_bytes(key(), Bytes::from_static(b"before"))
            .await
            .unwrap();
        let part = || Ok(Bytes::from(vec![0; PART]));
        let failing = stream::iter([part(), part(), Err("gone")]);
        let failed = files.put_stream(key(), failing, u64::MAX).await;
        assert!(matches!(failed, Err(PutError::Source("gone"))));
        assert_eq!(read(&files).await, b"before");
    }

    #[tokio::test]
    async fn the_files_of_a_tenant_go_from_a_bucket_and_no_others() {
        let store = Arc::new(InMemory::new());
        let files = Files::over(store.clone());
        let of = |tenant, media| Key::new(Uuid::from_u128(tenant), Uuid::from_u128(media));
        for key in [of(1, 1), of(1, 2), of(2, 1)] {
            let bytes = Bytes::from_static(b"x");
            files.put_bytes(key, bytes).await.unwrap();
        }
        files.delete_tenant(Uuid::from_u128(1)).await.unwrap();
        let left: Vec<_> = files.store.list(None).collect().await;
        assert_eq!(left.len(), 1);
        assert!(files.open(of(2, 1), None).await.is_ok());
    }
}
