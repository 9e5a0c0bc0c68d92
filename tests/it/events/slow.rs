//! Readers that do not read.

use mf_test_support::{EventText, soon};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

use super::{last_id, log_many, numbers, texts, until_text};
use crate::support::{Event, Session, TestApp};

/// Together more than a small socket takes in, and than may wait for a stream.
const COUNT: i32 = 1500;
const PADDING: i32 = 8000;

/// A stream over a socket that has room for next to nothing, of which the head was read.
async fn open(app: &TestApp, session: &Session) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let addr = app.origin().trim_start_matches("http://").parse().unwrap();
    let mut stream = socket.connect(addr).await.unwrap();
    // Of HTTP/1.0: what follows the head is the events, and nothing else.
    let request = format!(
        "GET /api/v2{} HTTP/1.0\r\nX-API-Key: {}\r\n\r\n",
        session.path("/events"),
        session.client().secret()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon(stream.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.0 200"));
    stream
}

/// Everything up to the stream's end, and why it ended.
async fn rest(mut stream: TcpStream) -> (Vec<Event>, String) {
    let mut text = EventText::default();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = soon(stream.read(&mut buffer)).await.unwrap();
        if length == 0 {
            return (text.events.into(), text.comments.join("\n"));
        }
        text.read(&buffer[..length]);
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_its_socket_is_told_why_it_is_dropped_and_goes_on_later() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _) = app.working_session(&key).await;
    let other = Session::create(&key).await;
    let mut of_other = other.events().await;
    of_other.next().await;
    // From here on nobody reads what comes.
    let slow = open(&app, &session).await;
    log_many(&app, session.id, COUNT, PADDING).await;
    log_many(&app, other.id, 1, 0).await;
    // Everything was told to whoever was there to hear it.
    until_text(&mut of_other, "n1").await;

    let (told, said) = rest(slow).await;
    assert!(
        said.contains("too slow; resume with Last-Event-ID"),
        "{said}"
    );
    let heard = i32::try_from(texts(&told).len()).unwrap();
    assert!(0 < heard && heard < COUNT, "{heard} of {COUNT} were told");
    assert_eq!(texts(&told), numbers(1, heard));

    let path = session.path("/events");
    let mut events = key.events_after(&path, last_id(&told)).await;
    let told = until_text(&mut events, &format!("n{COUNT}")).await;
    assert_eq!(texts(&told), numbers(heard + 1, COUNT));
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_up_nobody_else() {
    let app = TestApp::start().await;
    let (session, _) = app.working_session(&app.full_key()).await;
    let _slow = open(&app, &session).await;
    let mut quick = session.events().await;
    quick.next().await;
    log_many(&app, session.id, 400, PADDING).await;
    let told = until_text(&mut quick, "n400").await;
    assert_eq!(texts(&told), numbers(1, 400));
}
