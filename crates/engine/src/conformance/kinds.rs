//! Messages of every kind, on their way out and in.

use futures_util::TryStreamExt as _;
use mf_domain::{Jid, MessageKind, PhoneNumber};

use super::{
    sending::{group, our_id, outgoing, somebody},
    world::{Carried, Trouble, World, Written, paired, until},
};
use crate::{
    Attachment, ContactCard, Content, EngineError, EngineEvent, Feature, FileToSend, InboundMedia,
    InboundMessage, MediaKind, MessageRef, Place, Poll,
};

/// Kinds of files with their types.
const FILES: &[(MediaKind, &str)] = &[
    (MediaKind::Image, "image/png"),
    (MediaKind::Video, "video/mp4"),
    (MediaKind::Gif, "image/gif"),
    (MediaKind::Audio, "audio/mpeg"),
    (MediaKind::Voice, "audio/ogg; codecs=opus"),
    (MediaKind::Sticker, "image/webp"),
    (MediaKind::Document, "application/pdf"),
];

/// Bytes that no text is made of, others for each kind.
fn bytes(kind: MediaKind) -> Vec<u8> {
    let mut bytes = vec![0x89, 0x50, 0x4e, 0x47, 0x00, 0xff, 0xfe];
    bytes.extend_from_slice(kind.message_kind().as_str().as_bytes());
    bytes
}

fn poll() -> Poll {
    Poll {
        title: "Where?".to_owned(),
        options: vec!["Here".to_owned(), "There".to_owned()],
        multiple: false,
    }
}

fn place() -> Place {
    Place {
        latitude: 53.546,
        longitude: -9.966,
        title: Some("Harbour".to_owned()),
        address: None,
    }
}

fn card() -> ContactCard {
    ContactCard {
        full_name: "Ada".to_owned(),
        phone: PhoneNumber::parse("15550000002").ok(),
        organization: Some("Engines".to_owned()),
    }
}

async fn reported(world: &dyn World, from_me: bool) -> InboundMessage {
    until(world, |callback| match &callback.event {
        EngineEvent::Message(m) if m.from_me == from_me => Some((**m).clone()),
        _ => None,
    })
    .await
}

/// Byte for byte, as what it was meant; and reported as that.
pub async fn a_file_of_every_kind_arrives_byte_for_byte(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    let can = engine
        .info()
        .await
        .expect("it says what it is")
        .capabilities;
    for (kind, mimetype) in FILES {
        let served = world.serve(bytes(*kind)).await;
        let content = Content::Media {
            kind: *kind,
            file: FileToSend {
                mimetype: (*mimetype).to_owned(),
                filename: Some("a-file".to_owned()),
                url: served.url,
            },
            caption: (*kind == MediaKind::Image).then(|| "look".to_owned()),
        };
        let out = outgoing(&somebody(world), content);
        let id = match engine.send(&spec.key, &out).await {
            Err(EngineError::Unsupported { .. }) => {
                assert_eq!(*kind, MediaKind::Sticker);
                assert!(!can.can(Feature::Stickers));
                continue;
            }
            sent => sent.expect("a file goes out"),
        };
        let sent = world.sent().await.pop().expect("it went out");
        // No engine has a call for sound that is no voice note.
        let expected = match kind {
            MediaKind::Audio => MessageKind::Document,
            kind => kind.message_kind(),
        };
        assert_eq!(sent.kind, expected);
        assert_eq!(sent.sha256, Some(served.sha256), "{kind:?}");
        assert!(id.is_none_or(|id| id == sent.id), "not the bare id");
        let seen = reported(world, true).await;
        assert_eq!((seen.id, seen.kind), (sent.id, expected));
        assert!(matches!(seen.attachment, Some(Attachment::Media(_))));
        if *kind == MediaKind::Image {
            assert_eq!(sent.text, "look");
            assert_eq!(seen.text.as_deref(), Some("look"));
        }
        if *kind == MediaKind::Document {
            assert_eq!(sent.filename.as_deref(), Some("a-file"));
        }
    }
}

/// With all that is in them; and reported as what they are.
pub async fn polls_places_and_cards_arrive_as_they_were(world: &dyn World) {
    let spec = paired(world).await;
    for (content, carried) in [
        (Content::Poll(poll()), Carried::Poll(poll())),
        (Content::Location(place()), Carried::Location(place())),
        (
            Content::Contacts(vec![card()]),
            Carried::Contacts(vec![card()]),
        ),
    ] {
        let kind = content.kind();
        let out = outgoing(&somebody(world), content);
        let id = world.engine().send(&spec.key, &out).await;
        let id = id.expect("it goes out");
        let sent = world.sent().await.pop().expect("it went out");
        assert_eq!((sent.kind, sent.carried), (kind, carried.clone()), "{kind}");
        assert!(id.is_none_or(|id| id == sent.id), "not the bare id");
        let seen = reported(world, true).await;
        assert_eq!((seen.id, seen.kind), (sent.id, kind));
        assert!(same(seen.attachment.as_ref(), &carried), "{kind}");
    }
}

/// What the engine could not fetch cannot have been sent, and may be sent again.
pub async fn a_file_that_cannot_be_fetched_is_not_sent(world: &dyn World) {
    let spec = paired(world).await;
    let content = Content::Media {
        kind: MediaKind::Image,
        file: FileToSend {
            mimetype: "image/png".to_owned(),
            filename: None,
            // The port that throws everything away; nobody listens there.
            url: "http://127.0.0.1:9/file".to_owned(),
        },
        caption: None,
    };
    let out = outgoing(&somebody(world), content);
    let refused = world.engine().send(&spec.key, &out).await;
    assert!(
        refused.as_ref().is_err_and(EngineError::had_no_effect),
        "{refused:?}"
    );
    assert_eq!(world.sent().await, []);
}

fn same(attachment: Option<&Attachment>, carried: &Carried) -> bool {
    match (attachment, carried) {
        (Some(Attachment::Poll(seen)), Carried::Poll(poll)) => seen == poll,
        (Some(Attachment::Location(seen)), Carried::Location(place)) => seen == place,
        (Some(Attachment::Contacts(seen)), Carried::Contacts(cards)) => seen == cards,
        (seen, Carried::Nothing) => seen.is_none(),
        _ => false,
    }
}

/// What the engine says of its own ids holds for each kind.
pub async fn a_repeated_send_of_any_kind_is_one_message_where_the_engine_says_so(
    world: &dyn World,
) {
    let spec = paired(world).await;
    let engine = world.engine();
    let can = engine
        .info()
        .await
        .expect("it says what it is")
        .capabilities;
    let served = world.serve(bytes(MediaKind::Image)).await;
    let image = Content::Media {
        kind: MediaKind::Image,
        file: FileToSend {
            mimetype: "image/png".to_owned(),
            filename: None,
            url: served.url,
        },
        caption: None,
    };
    let contents = [
        Content::Poll(poll()),
        Content::Location(place()),
        Content::Contacts(vec![card()]),
        image,
    ];
    for (number, content) in contents.into_iter().enumerate() {
        let before = world.sent().await.len();
        let ours = mf_domain::WaMessageId::new(format!("{}{number:02}", our_id()));
        let mut out = outgoing(&somebody(world), content);
        out.id = Some(ours.clone());
        for _ in 0..2 {
            engine.send(&spec.key, &out).await.expect("it goes out");
        }
        let sent = world.sent().await.split_off(before);
        if can.takes_id_of(&out.content) {
            let ids: Vec<_> = sent.into_iter().map(|sent| sent.id).collect();
            assert_eq!(ids, [ours], "{:?}", out.content);
        } else {
            assert_eq!(sent.len(), 2, "{:?}", out.content);
        }
    }
}

async fn fetched(world: &dyn World, url: &str) -> Option<Vec<u8>> {
    let stream = world.engine().fetch_media(url).await;
    let stream = stream.expect("files can be asked for")?;
    let chunks: Result<Vec<_>, _> = stream.body.try_collect().await;
    Some(chunks.expect("the file arrives").concat())
}

fn media(message: &InboundMessage) -> InboundMedia {
    match &message.attachment {
        Some(Attachment::Media(media)) => media.clone(),
        other => panic!("no file: {other:?}"),
    }
}

fn file(kind: MediaKind, mimetype: &str) -> Carried {
    Carried::File {
        kind,
        mimetype: mimetype.to_owned(),
        filename: (kind == MediaKind::Document).then(|| "a.pdf".to_owned()),
        bytes: bytes(kind),
    }
}

/// With its type, its name and its words, and every byte of it can be fetched.
pub async fn a_file_of_every_kind_that_comes_in_can_be_fetched(world: &dyn World) {
    paired(world).await;
    for (kind, mimetype) in FILES {
        let id = world
            .write(Written::of(&somebody(world), file(*kind, mimetype)))
            .await;
        let seen = reported(world, false).await;
        assert_eq!((&seen.id, seen.kind), (&id, kind.message_kind()));
        let media = media(&seen);
        assert_eq!(media.mimetype.as_deref(), Some(*mimetype));
        if *kind == MediaKind::Document {
            assert_eq!(media.filename.as_deref(), Some("a.pdf"));
        }
        let url = media.url.expect("the engine fetched it");
        assert_eq!(fetched(world, &url).await, Some(bytes(*kind)), "{kind:?}");
    }
}

/// What was asked, where it is, whom to call.
pub async fn polls_places_and_cards_that_come_in_are_read(world: &dyn World) {
    paired(world).await;
    for (kind, carried) in [
        (MessageKind::Poll, Carried::Poll(poll())),
        (MessageKind::Location, Carried::Location(place())),
        (MessageKind::Contact, Carried::Contacts(vec![card()])),
        (
            MessageKind::Contact,
            Carried::Contacts(vec![card(), card()]),
        ),
    ] {
        world
            .write(Written::of(&somebody(world), carried.clone()))
            .await;
        let seen = reported(world, false).await;
        assert_eq!(seen.kind, kind);
        assert!(same(seen.attachment.as_ref(), &carried), "{kind}");
    }
}

async fn written_image(world: &dyn World) -> (MessageRef, InboundMedia) {
    let image = file(MediaKind::Image, "image/png");
    let id = world.write(Written::of(&somebody(world), image)).await;
    let seen = reported(world, false).await;
    assert_eq!((&seen.id, seen.kind), (&id, MessageKind::Image));
    let message = MessageRef {
        chat: seen.chat.clone(),
        id,
        from_me: false,
        participant: None,
    };
    (message, media(&seen))
}

async fn asked_again(world: &dyn World, message: &MessageRef) -> Option<Vec<u8>> {
    let key = world.spec().key;
    let found = world.engine().message(&key, message).await;
    let found = found.expect("messages can be asked for");
    let media = media(&found.expect("the engine has it"));
    fetched(world, &media.url.expect("the engine fetched it now")).await
}

/// The engine could not fetch it when it came: it can when it is asked.
pub async fn a_file_that_did_not_come_can_be_asked_for(world: &dyn World) {
    paired(world).await;
    world.bring(Trouble::FilesDropped).await;
    let (message, media) = written_image(world).await;
    assert_eq!(media.url, None);
    let bytes = bytes(MediaKind::Image);
    assert_eq!(asked_again(world, &message).await, Some(bytes));
}

/// Engines keep files for minutes; the message they keep.
pub async fn a_file_that_the_engine_keeps_no_more_can_be_asked_for_again(world: &dyn World) {
    paired(world).await;
    let (message, media) = written_image(world).await;
    world.bring(Trouble::FilesGone).await;
    let url = media.url.expect("the engine fetched it");
    assert_eq!(fetched(world, &url).await, None);
    let bytes = bytes(MediaKind::Image);
    assert_eq!(asked_again(world, &message).await, Some(bytes));
}

/// One person, two names; some engines tell both.
pub async fn a_hidden_writer_is_told_with_their_number_where_the_engine_does(world: &dyn World) {
    paired(world).await;
    let lid = Jid::parse("220000055551@lid").expect("a hidden id");
    let number = somebody(world);
    let group = group(world).await;
    for written in [
        Written {
            alternate: Some(number.clone()),
            ..Written::text(&lid, "in secret")
        },
        Written {
            participant: Some(lid.clone()),
            alternate: Some(number.clone()),
            ..Written::text(&group, "among us")
        },
        Written {
            alternate: Some(lid.clone()),
            ..Written::text(&number, "openly")
        },
    ] {
        world.write(written).await;
        let seen = reported(world, false).await;
        if world.tells_both_names() {
            let told = seen.alternate.expect("both names");
            assert_eq!((told.phone, told.lid), (world.somebody(), lid.clone()));
        } else {
            assert_eq!(seen.alternate, None);
        }
    }
}
