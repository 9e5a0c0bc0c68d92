//! What happens on the pretended WhatsApp.

use mf_domain::Jid;
use mf_engine::conformance::Happening;
use mf_waha_sim::{NewChannel, NewContact, NewGroup, NewLabel, Presence, Role, Sim};

/// Makes it happen to a session; gives the id of what came of it, if it has one.
pub(crate) async fn happen(sim: &Sim, session: &str, happening: Happening) -> String {
    match happening {
        Happening::GroupMade {
            subject,
            participants,
            administered,
        } => {
            return make_group(sim, session, subject, &participants, administered);
        }
        Happening::GroupRenamed { group, subject } => {
            sim.rename_group(session, group.as_str(), &subject).unwrap();
        }
        Happening::CameIn { group, who } => {
            sim.group_join(session, group.as_str(), who.as_str())
                .unwrap();
        }
        Happening::WentOut { group, who } => {
            sim.group_leave(session, group.as_str(), who.as_str())
                .unwrap();
        }
        Happening::Ranked { group, who, admin } => {
            let (group, who) = (group.as_str(), who.as_str());
            if admin {
                sim.group_promote(session, group, who).unwrap();
            } else {
                sim.group_demote(session, group, who).unwrap();
            }
        }
        Happening::Business(business) => sim.set_business(session, business).unwrap(),
        Happening::LabelMade { name, color } => {
            let label = NewLabel {
                id: None,
                name,
                color,
            };
            return sim.put_label_on_phone(session, &label).unwrap();
        }
        Happening::LabelRemoved { label } => {
            sim.delete_label_on_phone(session, &label).unwrap();
        }
        Happening::ChatLabelled {
            label,
            chat,
            carried,
        } => {
            let chat = chat.as_str();
            sim.label_chat_on_phone(session, &label, chat, carried)
                .unwrap();
        }
        Happening::ChannelFollowed { name } => {
            let channel = NewChannel {
                name,
                ..NewChannel::default()
            };
            return sim.add_channel(session, channel).unwrap();
        }
        Happening::Known {
            phone,
            name,
            push_name,
            picture,
        } => {
            let contact = NewContact {
                id: phone.to_string(),
                name: Some(name),
                push_name: Some(push_name),
                picture,
                ..NewContact::default()
            };
            sim.know_contact(session, contact).unwrap();
        }
        Happening::LidTold { lid, told } => {
            sim.set_lid_known(session, lid.as_str(), told).unwrap();
        }
        Happening::Called { from, video } => {
            return sim.call(session, from.as_str(), video).unwrap();
        }
        Happening::CallTaken { call } => sim.accept_call(session, &call).unwrap(),
        Happening::CallRefused { call } => sim.reject_call(session, &call).unwrap(),
        Happening::Reacted { message, by, emoji } => {
            sim.react(session, message.as_str(), by.as_str(), &emoji)
                .await
                .unwrap();
        }
        Happening::Changed { message, text } => {
            sim.edit(session, message.as_str(), &text).await.unwrap();
        }
        Happening::TakenBack { message } => {
            sim.revoke(session, message.as_str()).await.unwrap();
        }
        Happening::Voted { poll, by, options } => {
            vote(sim, session, (poll.as_str(), by.as_str()), options).await;
        }
        Happening::Typing { chat } => {
            let chat = chat.as_str();
            sim.presence(session, chat, chat, Presence::Typing).unwrap();
        }
    }
    String::new()
}

fn make_group(
    sim: &Sim,
    session: &str,
    subject: String,
    participants: &[Jid],
    administered: bool,
) -> String {
    let participants: Vec<_> = participants.iter().map(Jid::as_str).collect();
    let mut group = NewGroup::named(subject, &participants);
    if administered {
        group.role = Role::Admin;
    }
    sim.add_group(session, group).unwrap()
}

async fn vote(sim: &Sim, session: &str, (poll, by): (&str, &str), options: Option<Vec<String>>) {
    let voted = match &options {
        Some(options) => {
            let options: Vec<_> = options.iter().map(String::as_str).collect();
            sim.vote(session, poll, by, &options).await
        }
        None => sim.vote_unreadably(session, poll, by).await,
    };
    voted.unwrap();
}
