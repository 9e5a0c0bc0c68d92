//! A small history for accounts that would have one: chats, groups, contacts and labels. It
//! follows from the session's name and the moment of the pairing, so that a restart finds the
//! same again.

use std::collections::BTreeSet;
use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use sha2::{Digest, Sha256};

use crate::channels::{Channel, ChannelRole};
use crate::content::{Cards, Content, MediaFile, Place, Poll};
use crate::groups::{Group, Role, invite_code};
use crate::labels::Label;
use crate::message::{Message, Source};
use crate::realm::{Person, Realm, hidden, person};
use crate::seed_lines::{CHATS, LABELS, Line, PEOPLE, Says, TALKS, Talk};
use crate::session::Session;

/// A fiftieth of a second of silence, in Opus.
const SILENCE: &[u8] = &[
    0x4f, 0x67, 0x67, 0x53, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1c, 0x9f, 0xf5, 0xd9, 0x01, 0x13, 0x4f, 0x70, 0x75, 0x73,
    0x48, 0x65, 0x61, 0x64, 0x01, 0x01, 0x38, 0x01, 0x80, 0xbb, 0x00, 0x00, 0x00, 0x00, 0x00, 0x4f,
    0x67, 0x67, 0x53, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
    0x00, 0x01, 0x00, 0x00, 0x00, 0x7f, 0xb5, 0x80, 0xc6, 0x01, 0x13, 0x4f, 0x70, 0x75, 0x73, 0x54,
    0x61, 0x67, 0x73, 0x03, 0x00, 0x00, 0x00, 0x73, 0x69, 0x6d, 0x00, 0x00, 0x00, 0x00, 0x4f, 0x67,
    0x67, 0x53, 0x00, 0x04, 0xc0, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
    0x02, 0x00, 0x00, 0x00, 0x29, 0x93, 0xb0, 0xdd, 0x01, 0x03, 0xf8, 0xff, 0xfe,
];

/// What everything in one seed follows from.
struct Soil {
    session: String,
    /// When the account was paired, in seconds.
    paired: i64,
    /// Counts what grew from it.
    next: u32,
}

impl Soil {
    fn digest(&mut self) -> [u8; 32] {
        self.next += 1;
        Sha256::digest(format!("{} {} {}", self.session, self.paired, self.next)).into()
    }

    fn message_id(&mut self, from_me: bool) -> String {
        let hex = hex::encode_upper(self.digest());
        if from_me {
            format!("3EB0{}", hex.get(..18).unwrap_or_default())
        } else {
            hex.get(..32).unwrap_or_default().to_owned()
        }
    }

    fn group_id(&mut self) -> String {
        let digits: String = self
            .digest()
            .iter()
            .take(12)
            .map(|byte| char::from(b'0' + byte % 10))
            .collect();
        format!("120363{digits}@g.us")
    }

    fn message(&mut self, chat: &str, line: &Line, writer: Option<&str>) -> Message {
        let (ago, who, says) = line;
        let from_me = who.is_none();
        let (body, content) = said(says);
        let recent = *ago < 12 * 60;
        Message {
            id: self.message_id(from_me),
            chat: chat.to_owned(),
            from_me,
            participant: writer.map(str::to_owned),
            body: body.to_owned(),
            content,
            timestamp: self.paired - ago * 60,
            // What came last has not been read on either side.
            ack: match (from_me, recent) {
                (_, false) => 3,
                (true, true) => 2,
                (false, true) => 1,
            },
            source: Source::App,
            push_name: who
                .and_then(|who| PEOPLE.get(who))
                .map(|(_, called, _)| (*called).to_owned()),
            ..Message::default()
        }
    }
}

/// The text and the rest.
fn said(says: &Says) -> (&'static str, Content) {
    match says {
        Says::Text(text) => (text, Content::Text),
        Says::Picture(caption) => {
            let file = MediaFile::new("image/png", picture());
            (caption, Content::Image(file))
        }
        Says::Voice => {
            let file = MediaFile::new("audio/ogg; codecs=opus", SILENCE);
            ("", Content::Voice(file))
        }
        Says::Place => {
            let place = Place {
                latitude: 38.7223,
                longitude: -9.1393,
                name: Some("Baker & Sons".to_owned()),
                address: Some("Rua do Exemplo 12, Lisboa".to_owned()),
            };
            ("", Content::Location(place))
        }
        Says::Card => {
            let card = "BEGIN:VCARD\nVERSION:3.0\nFN:Caixas & Cia\nORG:Caixas & Cia;\n\
                        TEL;type=CELL;type=VOICE;waid=15550100199:+1 555 010 0199\nEND:VCARD";
            let vcards = vec![card.to_owned()];
            ("", Content::Contact(Cards { vcards }))
        }
        Says::Poll => {
            let options = ["Saturday morning", "Saturday afternoon", "Sunday"];
            let poll = Poll {
                name: "When shall we meet for a ride?".to_owned(),
                options: options.map(str::to_owned).to_vec(),
                multiple_answers: true,
            };
            ("", Content::Poll(poll))
        }
    }
}

/// A small picture of a wooden brown.
fn picture() -> Vec<u8> {
    let picture = RgbImage::from_fn(16, 16, |x, y| {
        let shade = if (x / 4 + y / 8) % 2 == 0 { 0 } else { 24 };
        Rgb([150 - shade, 98 - shade, 52])
    });
    let mut png = Cursor::new(Vec::new());
    if let Err(error) = picture.write_to(&mut png, ImageFormat::Png) {
        tracing::error!(%error, "the seeded picture could not be drawn");
    }
    png.into_inner()
}

/// Gives a paired account its history, unless it has one. A phone that is paired again has the
/// same history as before, and what became of its groups and labels since.
pub(crate) fn grow(session: &Session) {
    let mut state = session.state();
    let state = &mut *state;
    let Some(account) = &mut state.account else {
        return;
    };
    let first = state.realm.seeded_at.is_none();
    let since = *state.realm.seeded_at.get_or_insert(account.paired_at);
    account.paired_at = since;
    if !first && !state.messages.is_empty() {
        return;
    }
    let mut soil = Soil {
        session: session.name.clone(),
        paired: since / 1000,
        next: 0,
    };
    let mut history = chats(&mut soil);
    for talk in &TALKS {
        let (group, lines) = talk_of(&mut soil, &state.realm.me(), talk);
        history.extend(lines);
        if first {
            state.realm.groups.insert(group.id.clone(), group);
        }
    }
    history.sort_by_key(|message| message.timestamp);
    history.extend(state.messages.drain(..));
    state.messages.extend(history);
    if first {
        people(&mut state.realm);
        labels(&mut state.realm);
        channel(&mut soil, &mut state.realm);
    }
}

fn people(realm: &mut Realm) {
    for (id, called, name) in PEOPLE {
        let someone = Person {
            name: name.map(str::to_owned),
            push_name: Some(called.to_owned()),
            about: Some("Hey there! I am using WhatsApp.".to_owned()),
            ..Person::default()
        };
        realm.people.entry(person(id)).or_insert(someone);
    }
}

fn chats(soil: &mut Soil) -> Vec<Message> {
    let mut history = Vec::new();
    for (who, lines) in CHATS {
        let Some((chat, ..)) = PEOPLE.get(who) else {
            continue;
        };
        history.extend(lines.iter().map(|line| soil.message(chat, line, None)));
    }
    history
}

fn talk_of(soil: &mut Soil, me: &str, talk: &Talk) -> (Group, Vec<Message>) {
    let id = soil.group_id();
    let founder = talk.members.first().and_then(|at| PEOPLE.get(*at));
    let founder = founder.map_or_else(|| me.to_owned(), |(id, ..)| person(id));
    let created = soil.paired - 30 * 24 * 60 * 60;
    let mut group = Group {
        description: talk.description.to_owned(),
        by_lid: talk.by_lid,
        created_at: created,
        subject_at: created,
        invite: invite_code(&id, created),
        ..Group::new(id.clone(), talk.subject, &founder)
    };
    for (id, ..) in talk.members.iter().filter_map(|at| PEOPLE.get(*at)) {
        group.put(&person(id), Role::Participant);
    }
    group.put(&founder, Role::Superadmin);
    group.put(me, Role::Admin);
    let history = talk
        .lines
        .iter()
        .map(|line| {
            let writer = line.1.and_then(|at| PEOPLE.get(at));
            let Some(writer) = writer.map(|(id, ..)| person(id)) else {
                return soil.message(&id, line, Some(me));
            };
            let mut message = soil.message(&id, line, Some(&group.id_of(&writer)));
            message.sender_alt = Some(if talk.by_lid { writer } else { hidden(&writer) });
            message
        })
        .collect();
    (group, history)
}

fn labels(realm: &mut Realm) {
    for (at, (name, color, chats)) in (1..).zip(LABELS) {
        let on = chats
            .iter()
            .filter_map(|at| CHATS.get(*at))
            .filter_map(|(who, _)| PEOPLE.get(*who))
            .map(|(id, ..)| (*id).to_owned());
        let label = Label {
            id: at,
            name: name.to_owned(),
            color,
            chats: on.collect::<BTreeSet<_>>(),
        };
        realm.labels.entry(at).or_insert(label);
    }
}

/// One channel of its own.
fn channel(soil: &mut Soil, realm: &mut Realm) {
    let id = soil.group_id().replace("@g.us", "@newsletter");
    let channel = Channel {
        posts: vec!["We are open on Saturdays again.".to_owned()],
        ..Channel::new(
            id.clone(),
            "Shop news",
            "What is new in the shop",
            ChannelRole::Owner,
        )
    };
    realm.channels.insert(id, channel);
}
