//! Reports come late, twice and in any order, and end in the same rows.

use chrono::{DateTime, TimeDelta, Utc};
use mf_domain::{Direction, Jid, MessageKind, MessageStatus, SessionId, WaMessageId};
use mf_store::{ChatPeer, NewInbound, Target, TenantTx, WaLabel};
use serde_json::json;

use crate::{
    dice::Dice,
    support::{World, fresh},
};

/// Who changes a message, and where.
#[derive(Debug, Clone)]
struct By {
    chat: String,
    writer: Option<String>,
    from_me: bool,
}

#[derive(Debug, Clone)]
enum Report {
    Message {
        number: usize,
        chat: String,
        sender: Option<String>,
        direction: Direction,
        quiet: bool,
        keep: bool,
    },
    Ack(usize, MessageStatus, i64),
    Edit(usize, By, String, i64),
    Revoke(usize, By, i64),
    Reaction(usize, Option<String>, &'static str, i64),
    Vote(usize, String, Vec<String>, i64),
    Label(usize, bool, i64),
    LabelChat(usize, String, bool, i64),
    Learn(String, String),
}

const GROUP: &str = "120363040000000000@g.us";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
}

fn wa(number: usize) -> WaMessageId {
    WaMessageId::new(format!("3EB0{number:06}"))
}

fn phone(person: usize) -> String {
    format!("1555000010{person}")
}

fn lid(person: usize) -> String {
    format!("17924200000010{person}")
}

/// One of the two names of somebody.
fn name_of(dice: &mut Dice, person: usize) -> String {
    if dice.below(2) == 0 {
        format!("{}@c.us", phone(person))
    } else {
        format!("{}@lid", lid(person))
    }
}

fn seconds(dice: &mut Dice) -> i64 {
    i64::try_from(dice.below(100_000)).unwrap()
}

/// A message with what happens to it.
fn story(dice: &mut Dice, number: usize, reports: &mut Vec<Report>) {
    let person = dice.below(5);
    let grouped = dice.below(3) == 0;
    let direction = *dice.pick(&[Direction::Inbound, Direction::Inbound, Direction::Outbound]);
    let inbound = direction == Direction::Inbound;
    let by = By {
        chat: if grouped {
            GROUP.to_owned()
        } else {
            name_of(dice, person)
        },
        writer: (grouped && inbound).then(|| name_of(dice, person)),
        from_me: !inbound,
    };
    reports.push(Report::Message {
        number,
        chat: by.chat.clone(),
        sender: by.writer.clone(),
        direction,
        quiet: dice.below(6) == 0,
        keep: dice.below(4) != 0,
    });
    if !inbound {
        for status in MessageStatus::ALL {
            if dice.below(2) == 0 {
                reports.push(Report::Ack(number, *status, seconds(dice)));
            }
        }
    }
    for version in 0..dice.below(3) {
        let text = format!("{number} in version {version}");
        reports.push(Report::Edit(number, by.clone(), text, seconds(dice)));
    }
    if dice.below(8) == 0 {
        reports.push(Report::Revoke(number, by, seconds(dice)));
    }
    for _ in 0..dice.below(3) {
        let sender = (dice.below(4) != 0).then(|| name_of(dice, person));
        let emoji = dice.pick(&["👍", "🦀", ""]);
        reports.push(Report::Reaction(number, sender, emoji, seconds(dice)));
    }
    if number.is_multiple_of(7) {
        let options = (0..dice.below(3)).map(|n| format!("option {n}")).collect();
        let voter = name_of(dice, person);
        reports.push(Report::Vote(number, voter, options, seconds(dice)));
    }
}

fn reports(dice: &mut Dice) -> Vec<Report> {
    let mut reports = Vec::new();
    for number in 0.. {
        if reports.len() >= 1000 {
            break;
        }
        story(dice, number, &mut reports);
        let chat = name_of(dice, number % 5);
        let label = dice.below(4);
        if number.is_multiple_of(5) {
            reports.push(Report::Label(label, dice.below(3) == 0, seconds(dice)));
            let present = dice.below(2) == 0;
            reports.push(Report::LabelChat(label, chat, present, seconds(dice)));
        }
    }
    // Of the last one the number stays unknown.
    for person in 0..4 {
        let place = dice.below(reports.len());
        reports.insert(place, Report::Learn(phone(person), lid(person)));
    }
    reports
}

async fn take_in(tx: &mut TenantTx, session: SessionId, report: &Report) {
    match report {
        Report::Message { .. } => take_message(tx, session, report).await,
        Report::Ack(number, status, when) => {
            let error = (*status == MessageStatus::Failed).then_some("It did not arrive.");
            let (wa, at) = (wa(*number), at(*when));
            let advance = tx.messages().advance(session, &wa, *status, at, error);
            advance.await.unwrap();
        }
        Report::Edit(number, by, text, when) => {
            change(tx, session, (*number, by), Some(text), at(*when)).await;
        }
        Report::Revoke(number, by, when) => {
            change(tx, session, (*number, by), None, at(*when)).await;
        }
        Report::Reaction(number, sender, emoji, when) => {
            let (wa, at) = (wa(*number), at(*when));
            let sender = sender.as_deref().map(|jid| Jid::parse(jid).unwrap());
            let put = tx.reactions().put(session, &wa, sender.as_ref(), emoji, at);
            put.await.unwrap();
        }
        Report::Vote(number, voter, options, when) => {
            let (wa, at) = (wa(*number), at(*when));
            let voter = Jid::parse(voter).unwrap();
            let vote = tx.polls().vote(session, &wa, Some(&voter), options, at);
            vote.await.unwrap();
        }
        Report::Label(label, gone, when) => take_label(tx, session, *label, *gone, *when).await,
        Report::LabelChat(label, chat, present, when) => {
            let (label, chat) = (label.to_string(), Jid::parse(chat).unwrap());
            let put = tx
                .wa_labels()
                .put_label_chat(session, &label, &chat, *present, at(*when));
            put.await.unwrap();
        }
        Report::Learn(phone, lid) => {
            let learned = tx.contacts().learn(session, phone, lid).await.unwrap();
            assert!(!learned.conflict);
        }
    }
}

/// To another text, or to none.
async fn change(
    tx: &mut TenantTx,
    session: SessionId,
    (number, by): (usize, &By),
    text: Option<&str>,
    at: DateTime<Utc>,
) {
    let (id, chat) = (wa(number), Jid::parse(&by.chat).unwrap());
    let writer = by.writer.as_deref().map(|jid| Jid::parse(jid).unwrap());
    let target = Target {
        id: &id,
        chat: &chat,
        from_me: by.from_me,
        writer: writer.as_ref(),
    };
    match text {
        Some(text) => tx.messages().edit(session, &target, text, at).await,
        None => tx.messages().revoke(session, &target, at).await,
    }
    .unwrap();
}

async fn take_label(tx: &mut TenantTx, session: SessionId, label: usize, gone: bool, when: i64) {
    let wa_label_id = label.to_string();
    if gone {
        let removed = tx.wa_labels().remove_label(session, &wa_label_id, at(when));
        removed.await.unwrap();
    } else {
        let label = WaLabel {
            wa_label_id,
            name: format!("Label of {when}"),
            color: 1,
            color_hex: "#ff9485".to_owned(),
        };
        let put = tx.wa_labels().put_label(session, &label, at(when));
        put.await.unwrap();
    }
}

async fn take_message(tx: &mut TenantTx, session: SessionId, report: &Report) {
    let Report::Message {
        number,
        chat,
        sender,
        direction,
        quiet,
        keep,
    } = report
    else {
        panic!("no message: {report:?}");
    };
    let wa = wa(*number);
    let chat = Jid::parse(chat).unwrap();
    let sender = sender.as_deref().map(|jid| Jid::parse(jid).unwrap());
    let text = format!("message {number}");
    let push_name = format!("Name {}", number % 3);
    let name = (*direction == Direction::Inbound).then_some(push_name.as_str());
    let extra = json!({ "number": number });
    let kind = if number.is_multiple_of(7) {
        MessageKind::Poll
    } else {
        MessageKind::Text
    };
    let new = NewInbound {
        id: fresh(),
        session_id: session,
        peer: ChatPeer {
            jid: &chat,
            push_name: name.filter(|_| !chat.is_group()),
        },
        new_chat_id: fresh(),
        new_contact_id: fresh(),
        wa_message_id: &wa,
        direction: *direction,
        kind,
        content: Some(&text),
        keep_content: *keep,
        extra: Some(&extra),
        media: None,
        status: MessageStatus::Sent,
        error: None,
        sender: sender.as_ref(),
        sender_phone: None,
        sender_name: name,
        reply_to: None,
        // Each in a second of its own, in no order.
        sent_at: at(i64::try_from(number * 7919 % 100_003).unwrap()),
        quiet: *quiet,
    };
    tx.messages().take_in(&new).await.unwrap();
}

/// All that clients could see of a session, without what is drawn by lot.
async fn outcome(world: &World) -> Vec<String> {
    let mut rows = Vec::new();
    for sql in [
        "SELECT jsonb_build_array(m.wa_message_id, c.jid, m.direction, m.content,
             m.content_preview, m.extra, m.status, m.error, m.starred, m.quiet, m.keep_content,
             m.sender_name, p.phone, p.lid, m.sent_at, m.delivered_at, m.read_at, m.edited_at,
             m.revoked_at, m.sort_at)::text
         FROM message m JOIN chat c ON c.id = m.chat_id
         LEFT JOIN contact p ON p.id = m.sender_contact_id ORDER BY m.wa_message_id",
        "SELECT jsonb_build_array('chat', c.jid, c.name, c.is_group, p.phone, p.lid,
             c.unread_count, c.message_count, c.last_message_preview, c.last_message_at,
             c.read_at, other.jid)::text
         FROM chat c LEFT JOIN contact p ON p.id = c.contact_id
         LEFT JOIN chat other ON other.id = c.merged_into ORDER BY c.jid",
        "SELECT jsonb_build_array('contact', phone, lid, push_name, push_name_at)::text
         FROM contact ORDER BY phone, lid",
        "SELECT (to_jsonb(k) - 'updated_at' - 'tenant_id' - 'session_id')::text
         FROM message_mark k ORDER BY wa_message_id",
        "SELECT (to_jsonb(r) - 'tenant_id' - 'session_id')::text FROM message_reaction r
         ORDER BY wa_message_id, sender",
        "SELECT (to_jsonb(v) - 'tenant_id' - 'session_id')::text FROM poll_vote v
         ORDER BY wa_message_id, voter",
        "SELECT (to_jsonb(l) - 'tenant_id' - 'session_id')::text FROM wa_label l
         ORDER BY wa_label_id",
        "SELECT (to_jsonb(l) - 'tenant_id' - 'session_id')::text FROM wa_label_chat l
         ORDER BY wa_label_id, jid",
    ] {
        let found: Vec<String> = sqlx::query_scalar(sql)
            .fetch_all(world.database.rows())
            .await
            .unwrap();
        assert!(!found.is_empty() || sql.contains("mark"), "{sql}");
        rows.extend(found);
    }
    rows
}

async fn after(reports: &[Report]) -> Vec<String> {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let session = world.session(tenant).await;
    for some in reports.chunks(100) {
        let mut tx = world.store.begin(tenant).await.unwrap();
        for report in some {
            take_in(&mut tx, session, report).await;
        }
        tx.commit().await.unwrap();
    }
    outcome(&world).await
}

#[tokio::test]
async fn a_thousand_reports_shuffled_and_doubled_end_as_in_order_and_once() {
    let mut dice = Dice::new(1);
    let in_order = reports(&mut dice);
    assert!(in_order.len() >= 1000);
    let expected = after(&in_order).await;
    for seed in 2..4 {
        let mut dice = Dice::new(seed);
        let mut shuffled = [in_order.as_slice(), in_order.as_slice()].concat();
        dice.shuffle(&mut shuffled);
        let found = after(&shuffled).await;
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "shuffled by {seed}");
        }
        assert_eq!(found.len(), expected.len());
    }
}
