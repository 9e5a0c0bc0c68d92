//! A thousand things that happen in a few chats, as an engine would report them.

use serde_json::{Value, json};

/// When it begins, in seconds: long ago, so that whatever a test does meanwhile is later.
pub(super) const BEGIN: i64 = 1_700_000_000;

/// How many seconds lie between two things, so that their order is clear.
const STEP: i64 = 10;

const ME: &str = "15559990000@c.us";
const GROUPS: [&str; 3] = [
    "120363000000000001@g.us",
    "120363000000000002@g.us",
    "120363000000000003@g.us",
];
const EMOJIS: [&str; 5] = ["👍", "❤️", "😂", "🎉", ""];
const ANSWERS: [&str; 3] = ["Monday", "Tuesday", "never"];

/// Somebody who writes.
#[derive(Clone, Copy)]
struct Person {
    /// Their number, or their hidden id where nobody ever learns it.
    jid: &'static str,
    /// Their hidden id, where it is told beside the number.
    hidden: Option<&'static str>,
}

const PEOPLE: [Person; 7] = [
    person("15550001001@c.us", None),
    person("15550001002@c.us", None),
    person("15550001003@c.us", Some("910003@lid")),
    person("15550001004@c.us", Some("910004@lid")),
    person("15550001005@c.us", Some("910005@lid")),
    person("910006@lid", None),
    person("910007@lid", None),
];

const fn person(jid: &'static str, hidden: Option<&'static str>) -> Person {
    Person { jid, hidden }
}

/// Something that happened: an event's name, its time in milliseconds and its payload.
#[derive(Debug, Clone)]
pub(super) struct Happening {
    pub(super) name: &'static str,
    pub(super) at: i64,
    pub(super) payload: Value,
}

/// Numbers that look like chance and follow from a seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn one_of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }

    /// In another order.
    pub(super) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            let other = self.below(last + 1);
            things.swap(last, other);
        }
    }
}

/// A message that was written, as later ones refer to it.
#[derive(Clone)]
struct Written {
    chat: &'static str,
    id: String,
    /// Who wrote it; `None` is this account.
    by: Option<Person>,
    poll: bool,
}

impl Written {
    fn full_id(&self) -> String {
        let from_me = self.by.is_none();
        let id = format!("{from_me}_{}_{}", self.chat, self.id);
        match &self.by {
            _ if !is_group(self.chat) => id,
            Some(person) => format!("{id}_{}", person.jid),
            None => format!("{id}_{ME}"),
        }
    }
}

fn is_group(chat: &str) -> bool {
    chat.ends_with("@g.us")
}

/// Writes the story.
struct Author {
    dice: Dice,
    /// In seconds.
    now: i64,
    count: usize,
    happened: Vec<Happening>,
    written: Vec<Written>,
}

/// As many things as that, the same for the same seed. `sent` are the ids of messages that went
/// out before, each to another of [`recipient`]s.
pub(super) fn write(seed: u64, count: usize, sent: &[String]) -> Vec<Happening> {
    let mut author = Author {
        dice: Dice(seed),
        now: BEGIN,
        count: 0,
        happened: Vec::new(),
        written: Vec::new(),
    };
    author.follow(sent);
    while author.happened.len() < count {
        author.now += STEP;
        match author.dice.below(100) {
            0..45 => author.somebody_writes(),
            45..52 => author.own_phone_writes(),
            52..66 => author.somebody_reacts(),
            66..76 => author.somebody_edits(),
            76..80 => author.somebody_takes_back(),
            80..88 => author.somebody_votes(),
            88..94 => author.labels_change(),
            94..97 => author.a_group_is_renamed(),
            _ => author.own_phone_reads(),
        }
    }
    author.happened
}

/// To whom the message with that number goes, which a client sends.
pub(super) fn recipient(number: usize) -> String {
    format!("1555000200{number}")
}

/// What it says.
pub(super) fn text_of(number: usize) -> String {
    format!("sent {number}")
}

impl Author {
    fn tell(&mut self, name: &'static str, payload: Value) {
        let at = self.now * 1000 + 7;
        self.happened.push(Happening { name, at, payload });
    }

    fn new_id(&mut self) -> String {
        self.count += 1;
        format!("3A{:018X}", self.count)
    }

    /// What becomes of the messages that a client sent: some get far, one fails, and of one
    /// nothing more is heard than that it was sent.
    fn follow(&mut self, sent: &[String]) {
        for (number, id) in sent.iter().enumerate() {
            self.now += STEP;
            let chat = format!("{}@c.us", recipient(number));
            let full = format!("true_{chat}_{id}");
            let report = json!({
                "id": full, "timestamp": self.now, "from": chat, "fromMe": true,
                "source": "api", "to": null, "participant": null, "body": text_of(number),
                "hasMedia": false, "media": null, "ack": 0, "ackName": "PENDING",
                "vCards": [], "_data": {},
            });
            self.tell("message.any", report);
            let levels: &[i8] = match number % 5 {
                0 => &[1, 2, 3, 4],
                1 => &[1, 2, 3],
                2 => &[2, 3, 2, 1],
                3 => &[0, -1],
                _ => &[1],
            };
            for level in levels {
                self.now += 1;
                let ack = json!({
                    "id": full, "from": chat, "to": null, "participant": null,
                    "fromMe": true, "ack": level,
                });
                self.tell("message.ack", ack);
            }
        }
    }

    fn somebody_writes(&mut self) {
        let who = *self.dice.one_of(&PEOPLE);
        let chat = if self.dice.below(3) == 0 {
            self.dice.one_of(&GROUPS)
        } else {
            who.jid
        };
        self.message(chat, Some(who));
    }

    fn own_phone_writes(&mut self) {
        let chat = if self.dice.below(3) == 0 {
            self.dice.one_of(&GROUPS)
        } else {
            self.dice.one_of(&PEOPLE).jid
        };
        self.message(chat, None);
    }

    fn message(&mut self, chat: &'static str, by: Option<Person>) {
        let id = self.new_id();
        let poll = self.dice.below(8) == 0;
        let written = Written {
            chat,
            id: id.clone(),
            by,
            poll,
        };
        let mut payload = json!({
            "id": written.full_id(), "timestamp": self.now, "from": chat,
            "fromMe": by.is_none(), "source": "app", "to": null, "body": format!("text {id}"),
            "hasMedia": false, "media": null, "ack": 1, "ackName": "SERVER", "vCards": [],
            "_data": {"key": {"id": id}},
        });
        if poll {
            let options = ANSWERS.map(|answer| json!({"optionName": answer}));
            payload["body"] = Value::Null;
            payload["_data"]["message"]["pollCreationMessageV3"] = json!({
                "name": format!("question {id}"), "options": options,
                "selectableOptionsCount": 0,
            });
        }
        match by {
            Some(who) => self.sign(&mut payload, chat, who),
            None if is_group(chat) => payload["participant"] = json!(ME),
            None => {}
        }
        if self.dice.below(6) == 0
            && let Some(answered) = self.written.iter().rev().find(|old| old.chat == chat)
        {
            payload["replyTo"] = json!({"id": answered.id});
        }
        self.tell("message.any", payload);
        self.written.push(written);
    }

    /// Who it is, under what name, and sometimes by the other id.
    fn sign(&mut self, payload: &mut Value, chat: &str, who: Person) {
        let (user, _) = who.jid.split_once('@').unwrap();
        // People rename themselves now and then.
        let name = format!("Name {user} {}", (self.now - BEGIN) / 2000);
        payload["_data"]["pushName"] = json!(name);
        if is_group(chat) {
            payload["participant"] = json!(who.jid);
        }
        if let Some(hidden) = who.hidden.filter(|_| self.dice.below(4) == 0) {
            if is_group(chat) {
                payload["_data"]["key"]["participantAlt"] = json!(hidden);
            } else if self.dice.below(2) == 0 {
                payload["_data"]["key"]["remoteJidAlt"] = json!(hidden);
            } else {
                // Told under the hidden id, with the number beside it.
                let full = payload["id"].as_str().unwrap().replace(who.jid, hidden);
                payload["id"] = json!(full);
                payload["from"] = json!(hidden);
                payload["_data"]["key"]["remoteJidAlt"] = json!(who.jid);
            }
        }
    }

    fn some_message(&mut self, fits: impl Fn(&Written) -> bool) -> Option<Written> {
        let fitting: Vec<&Written> = self.written.iter().filter(|old| fits(old)).collect();
        (!fitting.is_empty()).then(|| (*self.dice.one_of(&fitting)).clone())
    }

    /// The head of what somebody does to a message.
    fn act(&mut self, on: &Written, by: Option<Person>) -> Value {
        let act = Written {
            id: self.new_id(),
            by,
            ..on.clone()
        };
        let participant = match by {
            _ if !is_group(on.chat) => Value::Null,
            Some(who) => json!(who.jid),
            None => json!(ME),
        };
        json!({
            "id": act.full_id(), "timestamp": self.now, "from": on.chat,
            "fromMe": by.is_none(), "source": "app", "to": null, "participant": participant,
        })
    }

    /// Somebody who is in the chat of a message; sometimes it is this account.
    fn somebody_in(&mut self, on: &Written) -> Option<Person> {
        if self.dice.below(4) == 0 {
            return None;
        }
        if is_group(on.chat) {
            return Some(*self.dice.one_of(&PEOPLE));
        }
        PEOPLE.into_iter().find(|who| who.jid == on.chat)
    }

    fn somebody_reacts(&mut self) {
        // To few messages, so that minds are changed.
        let recent = self.written.len().saturating_sub(12);
        let Some(on) = self.written.get(recent).cloned() else {
            return;
        };
        let by = self.somebody_in(&on);
        let mut payload = self.act(&on, by);
        let emoji = *self.dice.one_of(&EMOJIS);
        payload["reaction"] = json!({"text": emoji, "messageId": on.full_id()});
        self.tell("message.reaction", payload);
    }

    fn somebody_edits(&mut self) {
        let Some(on) = self.some_message(|old| !old.poll) else {
            return;
        };
        for _ in 0..=self.dice.below(3) {
            self.now += 1;
            let mut payload = self.act(&on, on.by);
            payload["body"] = json!(format!("edited {} of {}", self.count, on.id));
            payload["editedMessageId"] = json!(on.id);
            self.tell("message.edited", payload);
        }
    }

    fn somebody_takes_back(&mut self) {
        let Some(on) = self.some_message(|_| true) else {
            return;
        };
        // Nothing more happens to it.
        self.written.retain(|old| old.id != on.id);
        let after = self.act(&on, on.by);
        let payload = json!({"revokedMessageId": on.id, "after": after, "before": null});
        self.tell("message.revoked", payload);
    }

    fn somebody_votes(&mut self) {
        let Some(on) = self.some_message(|old| old.poll) else {
            return;
        };
        let by = self.somebody_in(&on);
        let mut vote = self.act(&on, by);
        let chosen: Vec<&str> = ANSWERS
            .into_iter()
            .filter(|_| self.dice.below(2) == 0)
            .collect();
        vote["selectedOptions"] = json!(chosen);
        vote["timestamp"] = json!(self.now * 1000);
        let poll = json!({"id": on.full_id(), "from": on.chat, "fromMe": on.by.is_none()});
        self.tell("poll.vote", json!({"vote": vote, "poll": poll}));
    }

    fn labels_change(&mut self) {
        let id = (1 + self.dice.below(4)).to_string();
        let label = json!({
            "id": id, "name": format!("Label {id} {}", self.now), "color": 3,
            "colorHex": "#dfaef0",
        });
        let chat = self.dice.one_of(&PEOPLE).jid;
        let on_chat = json!({"labelId": id, "chatId": chat, "label": label});
        match self.dice.below(6) {
            0 => self.tell("label.deleted", label),
            1 | 2 => self.tell("label.upsert", label),
            3 => self.tell("label.chat.deleted", on_chat),
            _ => self.tell("label.chat.added", on_chat),
        }
    }

    fn a_group_is_renamed(&mut self) {
        let id = *self.dice.one_of(&GROUPS);
        let subject = format!("Group {}", self.now);
        let group = json!({"id": id, "subject": subject});
        let payload = json!({"timestamp": self.now * 1000, "group": group});
        self.tell("group.v2.update", payload);
    }

    /// What others wrote was read on the phone, as two of the engines tell it.
    fn own_phone_reads(&mut self) {
        let Some(on) = self.some_message(|old| old.by.is_some()) else {
            return;
        };
        let ack = json!({
            "id": on.full_id(), "from": on.chat, "to": null, "participant": null,
            "fromMe": false, "ack": 3, "ackName": "READ",
        });
        self.tell("message.ack", ack);
    }
}
