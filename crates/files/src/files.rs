use std::fmt;
use std::fs::DirBuilder;
use std::io;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, GetOptions, GetRange, ObjectStore, ObjectStoreExt, RetryConfig};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::{FilesError, Key, key};

/// How long S3 may take to be connected to.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a call of S3 may take with its body, which may go on to a slow client.
const CALL_WITHIN: Duration = Duration::from_mins(10);
/// Attempts after the first one, and how long they may go on.
const RETRIES: usize = 3;
const RETRY_WITHIN: Duration = Duration::from_secs(30);

/// A bucket, at Amazon or elsewhere.
#[derive(Debug, Clone)]
pub struct S3Config {
    /// Its name.
    pub bucket: String,
    /// Its region; `us-east-1` where the service has none.
    pub region: String,
    /// Address of the service, such as `https://minio:9000`; the bucket is put into the path.
    /// `None`: Amazon.
    pub endpoint: Option<String>,
    /// Who we are.
    pub access_key: String,
    /// What proves it.
    pub secret: SecretString,
    /// Whether the endpoint may be `http`.
    pub allow_http: bool,
    /// Folder in the bucket; may be empty.
    pub prefix: String,
}

/// The bytes of a file as they are read. An error is the last item.
pub type Contents = BoxStream<'static, Result<Bytes, FilesError>>;

/// A file to be read.
pub struct Opened {
    /// Bytes of the whole file, whatever the range.
    pub size: u64,
    /// The bytes that follow, which may be fewer than asked for at the file's end.
    pub range: Range<u64>,
    /// Those bytes.
    pub stream: Contents,
}

/// The media of all tenants, in a folder or in a bucket.
#[derive(Clone)]
pub struct Files {
    pub(crate) store: Arc<dyn ObjectStore>,
    root: Path,
    /// The folder, where it is one.
    folder: Option<PathBuf>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Files")
            .field(&self.store.to_string())
            .finish()
    }
}

impl Files {
    /// A folder, which is made where missing, for our user only. What is kept has reached the
    /// disk.
    pub fn local(dir: &FsPath) -> Result<Self, FilesError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(dir).map_err(FilesError::Folder)?;
        let store = LocalFileSystem::new_with_prefix(dir).map_err(FilesError::Config)?;
        Ok(Self {
            store: Arc::new(store.with_fsync(true)),
            root: Path::default(),
            folder: Some(dir.to_owned()),
        })
    }

    /// A bucket. Nothing is asked of it yet.
    pub fn s3(config: &S3Config) -> Result<Self, FilesError> {
        let root = Path::parse(&config.prefix)
            .map_err(|error| FilesError::Config(object_store::Error::from(error)))?;
        let client = ClientOptions::new()
            .with_connect_timeout(CONNECT_WITHIN)
            .with_timeout(CALL_WITHIN)
            .with_allow_http(config.allow_http);
        let mut builder = AmazonS3Builder::new()
            .with_client_options(client)
            .with_retry(RetryConfig {
                max_retries: RETRIES,
                retry_timeout: RETRY_WITHIN,
                ..RetryConfig::default()
            })
            .with_bucket_name(&config.bucket)
            .with_region(&config.region)
            .with_access_key_id(&config.access_key)
            .with_secret_access_key(config.secret.expose_secret());
        if let Some(endpoint) = &config.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let store = builder.build().map_err(FilesError::Config)?;
        Ok(Self {
            store: Arc::new(store),
            root,
            folder: None,
        })
    }

    /// A file, or a part of it. A range may end behind the file's end, but not begin there.
    pub async fn open(&self, key: Key, range: Option<Range<u64>>) -> Result<Opened, FilesError> {
        let path = self.path(key);
        if range.as_ref().is_some_and(Range::is_empty) {
            return Err(FilesError::Range);
        }
        let options = GetOptions {
            range: range.clone().map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let got = match self.store.get_opts(&path, options).await {
            Ok(got) => got,
            Err(error) => return Err(self.why_not(&path, range, error).await),
        };
        Ok(Opened {
            size: got.meta.size,
            range: got.range.clone(),
            stream: got.into_stream().map_err(FilesError::from).boxed(),
        })
    }

    /// Stores say in different ways that a range is behind the end; the size tells.
    async fn why_not(
        &self,
        path: &Path,
        range: Option<Range<u64>>,
        error: object_store::Error,
    ) -> FilesError {
        let error = FilesError::from(error);
        let (FilesError::Store(_), Some(range)) = (&error, range) else {
            return error;
        };
        match self.store.head(path).await {
            Ok(meta) if range.start >= meta.size => FilesError::Range,
            _ => error,
        }
    }

    /// Removes a file, if it is there.
    pub async fn delete(&self, key: Key) -> Result<(), FilesError> {
        match self.store.delete(&self.path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(FilesError::Store(error)),
        }
    }

    /// Removes every file of a tenant.
    pub async fn delete_tenant(&self, tenant: Uuid) -> Result<(), FilesError> {
        let path = key::folder_of(tenant, &self.root);
        if let Some(folder) = &self.folder {
            // With what a crash in the middle of a write has left.
            return match tokio::fs::remove_dir_all(folder.join(path.as_ref())).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(FilesError::Folder(error))
                }
                _ => Ok(()),
            };
        }
        let listed = self.store.list(Some(&path)).map_ok(|meta| meta.location);
        let mut deleted = self.store.delete_stream(listed.boxed());
        while let Some(result) = deleted.next().await {
            match result {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(FilesError::Store(error)),
            }
        }
        Ok(())
    }

    pub(crate) fn path(&self, key: Key) -> Path {
        key.under(&self.root)
    }

    #[cfg(test)]
    pub(crate) fn over(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            store,
            root: Path::from("media"),
            folder: None,
        }
    }
}
