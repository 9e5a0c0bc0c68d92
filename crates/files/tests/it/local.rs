use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use mf_files::{Files, FilesError, HEAD, PutError};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{key, read};

/// More than is sent in one piece.
const LARGE: usize = 9 * 1024 * 1024;

fn store() -> (TempDir, Files) {
    let dir = TempDir::new().unwrap();
    let files = Files::local(&dir.path().join("media")).unwrap();
    (dir, files)
}

/// All files below the folder, half-written ones included.
fn on_disk(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(on_disk(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn chunks(bytes: &[&'static [u8]]) -> Vec<Result<Bytes, &'static str>> {
    bytes
        .iter()
        .map(|bytes| Ok(Bytes::from_static(bytes)))
        .collect()
}

fn large() -> Bytes {
    Bytes::from(vec![7; LARGE])
}

#[tokio::test]
async fn what_is_kept_is_read_again() {
    let (_dir, files) = store();
    let stream = stream::iter(chunks(&[b"hello", b", ", b"world"]));
    let kept = files.put_stream(key(1, 1), stream, 100).await.unwrap();
    assert_eq!(kept.size, 12);
    assert_eq!(kept.head, b"hello, world");
    assert_eq!(
        kept.sha256[..4],
        [0x09, 0xca, 0x7e, 0x4e],
        "as sha256sum says"
    );
    assert_eq!(
        read(&files, key(1, 1), None).await.unwrap(),
        b"hello, world"
    );
    let again = files
        .put_bytes(key(1, 2), Bytes::from_static(b"hello, world"))
        .await
        .unwrap();
    assert_eq!(again, kept);
}

#[tokio::test]
async fn a_large_file_is_kept_whole() {
    let (_dir, files) = store();
    let stream = stream::iter([Ok::<_, ()>(large()), Ok(large())]);
    let kept = files.put_stream(key(1, 1), stream, u64::MAX).await.unwrap();
    assert_eq!(kept.size, 2 * LARGE as u64);
    assert_eq!(kept.head.len(), HEAD);
    let bytes = read(&files, key(1, 1), None).await.unwrap();
    assert!(bytes.len() == 2 * LARGE && bytes.iter().all(|byte| *byte == 7));
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let (_dir, files) = store();
    let none = stream::empty::<Result<Bytes, ()>>();
    let kept = files.put_stream(key(1, 1), none, 0).await.unwrap();
    assert_eq!(kept.size, 0);
    assert_eq!(read(&files, key(1, 1), None).await.unwrap(), b"");
}

#[tokio::test]
async fn a_part_of_a_file_is_read_with_the_size_of_the_whole() {
    let (_dir, files) = store();
    let bytes = Bytes::from_static(b"0123456789");
    files.put_bytes(key(1, 1), bytes).await.unwrap();
    let part = |range| read(&files, key(1, 1), Some(range));
    assert_eq!(part(2..5).await.unwrap(), b"234");
    assert_eq!(part(8..100).await.unwrap(), b"89");
    assert!(matches!(part(10..11).await, Err(FilesError::Range)));
    assert!(matches!(part(5..5).await, Err(FilesError::Range)));
    let opened = files.open(key(1, 1), Some(2..5)).await.unwrap();
    assert_eq!(opened.size, 10);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let (_dir, files) = store();
    let missing = read(&files, key(1, 1), None).await;
    assert!(matches!(missing, Err(FilesError::NotFound)));
    let missing = read(&files, key(1, 1), Some(0..1)).await;
    assert!(matches!(missing, Err(FilesError::NotFound)));
}

#[tokio::test]
async fn what_is_too_large_leaves_nothing() {
    let (dir, files) = store();
    let small = stream::iter(chunks(&[b"12345", b"67890"]));
    let refused = files.put_stream(key(1, 1), small, 9).await;
    assert!(matches!(refused, Err(PutError::TooLarge)));
    let parts = stream::iter([Ok::<_, ()>(large()), Ok(large())]);
    let refused = files.put_stream(key(1, 1), parts, LARGE as u64).await;
    assert!(matches!(refused, Err(PutError::TooLarge)));
    assert_eq!(on_disk(dir.path()), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn a_source_that_fails_leaves_nothing() {
    let (dir, files) = store();
    let failing = stream::iter([Ok(large()), Err("gone")]);
    let failed = files.put_stream(key(1, 1), failing, u64::MAX).await;
    assert!(matches!(failed, Err(PutError::Source("gone"))));
    assert_eq!(on_disk(dir.path()), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn nothing_is_to_be_read_before_all_of_it_is_there() {
    let (dir, files) = store();
    let before = Bytes::from_static(b"before");
    files.put_bytes(key(1, 1), before).await.unwrap();
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    let stalling = stream::iter([Ok::<_, ()>(large())]).chain(stream::once(async move {
        receiver.await.unwrap();
        Ok(large())
    }));
    let mut put = files.put_stream(key(1, 1), stalling, u64::MAX).boxed();
    while futures_util::poll!(put.as_mut()).is_pending() {
        assert_eq!(read(&files, key(1, 1), None).await.unwrap(), b"before");
        // The part is on disk, and the rest is waited for.
        if on_disk(dir.path()).len() == 2 {
            break;
        }
    }
    assert_eq!(read(&files, key(1, 1), None).await.unwrap(), b"before");
    sender.send(()).unwrap();
    put.await.unwrap();
    let after = files.open(key(1, 1), None).await.unwrap();
    assert_eq!(after.size, 2 * LARGE as u64);
}

#[test]
fn a_put_that_nobody_waits_for_any_more_leaves_nothing() {
    let (dir, files) = store();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stalling = stream::iter([Ok::<_, ()>(large())]).chain(stream::pending());
        let mut put = files.put_stream(key(1, 1), stalling, u64::MAX).boxed();
        while on_disk(dir.path()).is_empty() {
            assert!(futures_util::poll!(put.as_mut()).is_pending());
            tokio::task::yield_now().await;
        }
    });
    // What was to be cleared up is, before the runtime is gone.
    drop(runtime);
    assert_eq!(on_disk(dir.path()), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn a_deleted_file_is_gone_and_may_be_deleted_again() {
    let (dir, files) = store();
    let bytes = Bytes::from_static(b"x");
    files.put_bytes(key(1, 1), bytes).await.unwrap();
    files.delete(key(1, 1)).await.unwrap();
    files.delete(key(1, 1)).await.unwrap();
    files.delete(key(9, 9)).await.unwrap();
    assert_eq!(on_disk(dir.path()), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn the_files_of_a_tenant_go_and_no_others() {
    let (dir, files) = store();
    for key in [key(1, 1), key(1, 2), key(2, 1)] {
        let bytes = Bytes::from_static(b"x");
        files.put_bytes(key, bytes).await.unwrap();
    }
    let tenant = Uuid::from_u128(1);
    // As a crash leaves it.
    let half = dir.path().join(format!("media/{}#1", key(1, 3)));
    fs::write(half, b"half").unwrap();
    files.delete_tenant(tenant).await.unwrap();
    files.delete_tenant(tenant).await.unwrap();
    assert_eq!(
        on_disk(dir.path()),
        [dir.path().join(format!("media/{}", key(2, 1)))]
    );
}

#[test]
fn the_folder_is_for_our_user_only() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("a/media");
    Files::local(&folder).unwrap();
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"x").unwrap();
    let refused = Files::local(&file.join("media"));
    assert!(matches!(refused, Err(FilesError::Folder(_))));
}
