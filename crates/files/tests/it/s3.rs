//! What is asked of a bucket, by a server that says what it is told to.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use mf_files::{Files, FilesError, PutError, S3Config};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{key, read};

const SECRET: &str = "a-very-secret-key";

struct Bucket {
    files: Files,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Bucket {
    /// Gives its answers one after the other, a connection for each.
    async fn saying(answers: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await;
                heard.lock().unwrap().push(request);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let config = S3Config {
            bucket: "bucket".to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: Some(endpoint),
            access_key: "access".to_owned(),
            secret: SecretString::from(SECRET),
            allow_http: true,
            prefix: "moltflow/media".to_owned(),
        };
        Self {
            files: Files::s3(&config).unwrap(),
            asked,
        }
    }

    /// Each request's method and path.
    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let line = |asked: &String| asked.split(" HTTP/").next().unwrap().to_owned();
        asked.iter().map(line).collect()
    }
}

/// The head of a request; the body is read and forgotten.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(read).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let length = name.eq_ignore_ascii_case("content-length");
        length.then(|| value.parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
    head
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nETag: \"x\"\r\nLast-Modified: Sat, 21 Nov 2026 20:00:00 GMT\r\n\
         {headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn path() -> String {
    format!("/bucket/moltflow/media/{}", key(1, 1))
}

#[tokio::test]
async fn a_small_file_is_one_signed_request_below_the_prefix() {
    let bucket = Bucket::saying(&[&answer("200 OK", "", "")]).await;
    let bytes = stream::iter([Ok::<_, ()>(Bytes::from_static(b"hello"))]);
    let kept = bucket
        .files
        .put_stream(key(1, 1), bytes, 100)
        .await
        .unwrap();
    assert_eq!(kept.size, 5);
    assert_eq!(bucket.asked(), [format!("PUT {}", path())]);
    let asked = bucket.asked.lock().unwrap()[0].to_ascii_lowercase();
    assert!(asked.contains("authorization: aws4-hmac-sha256 credential=access/"));
    assert!(!asked.contains(SECRET));
}

#[tokio::test]
async fn a_file_is_read_and_so_is_a_part_of_it() {
    let bucket = Bucket::saying(&[
        &answer("200 OK", "", "hello"),
        &answer(
            "206 Partial Content",
            "Content-Range: bytes 1-2/5\r\n",
            "el",
        ),
    ])
    .await;
    assert_eq!(
        read(&bucket.files, key(1, 1), None).await.unwrap(),
        b"hello"
    );
    let part = read(&bucket.files, key(1, 1), Some(1..3)).await.unwrap();
    assert_eq!(part, b"el");
    assert_eq!(
        bucket.asked(),
        [format!("GET {}", path()), format!("GET {}", path())]
    );
}

#[tokio::test]
async fn a_range_behind_the_end_is_told_from_a_failure() {
    let sized = "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nLast-Modified: Sat, 21 Nov 2026 20:00:00 GMT\r\n\
                 Content-Length: 5\r\nConnection: close\r\n\r\n";
    let bucket = Bucket::saying(&[&answer("416 Range Not Satisfiable", "", ""), sized]).await;
    let refused = read(&bucket.files, key(1, 1), Some(9..10)).await;
    assert!(matches!(refused, Err(FilesError::Range)));
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_deleted_all_the_same() {
    let missing = answer("404 Not Found", "", "");
    let bucket = Bucket::saying(&[&missing, &missing]).await;
    let refused = read(&bucket.files, key(1, 1), None).await;
    assert!(matches!(refused, Err(FilesError::NotFound)));
    bucket.files.delete(key(1, 1)).await.unwrap();
}

#[tokio::test]
async fn a_source_that_fails_after_a_part_takes_the_upload_back() {
    let begun = "<InitiateMultipartUploadResult><UploadId>u1</UploadId>\
                 </InitiateMultipartUploadResult>";
    let bucket = Bucket::saying(&[
        &answer("200 OK", "", begun),
        &answer("200 OK", "", ""),
        &answer("204 No Content", "", ""),
    ])
    .await;
    let part = Ok(Bytes::from(vec![0; 9 * 1024 * 1024]));
    let failing = stream::iter([part, Err("gone")]);
    let failed = bucket.files.put_stream(key(1, 1), failing, u64::MAX).await;
    assert!(matches!(failed, Err(PutError::Source("gone"))));
    let path = path();
    assert_eq!(
        bucket.asked(),
        [
            format!("POST {path}?uploads="),
            format!("PUT {path}?partNumber=1&uploadId=u1"),
            format!("DELETE {path}?uploadId=u1"),
        ]
    );
}

#[test]
fn the_secret_is_in_no_log() {
    let config = S3Config {
        bucket: "bucket".to_owned(),
        region: "eu-central-1".to_owned(),
        endpoint: None,
        access_key: "access".to_owned(),
        secret: SecretString::from(SECRET),
        allow_http: false,
        prefix: String::new(),
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let files = Files::s3(&config).unwrap();
    let said = format!("{config:?} {files:?}");
    assert!(said.contains("bucket"));
    assert!(!said.contains(SECRET));
}
