//! The remote control of groups: what others do in them.

use std::sync::Arc;

use serde::Deserialize;

use crate::control::SimError;
use crate::group_events::Happening;
use crate::groups::{Aspect, Group, Role, group_id};
use crate::realm::person;
use crate::session::Session;
use crate::sim::Sim;

/// A group that somebody made, see [`Sim::add_group`].
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NewGroup {
    /// Its id, `…@g.us`; a new one by default.
    pub id: Option<String>,
    /// What it is called.
    pub subject: String,
    /// What it is about.
    pub description: String,
    /// Who is in it besides the account; the first one made it.
    pub participants: Vec<NewMember>,
    /// Whether the account is in it, too. Others can be joined by their invitation.
    pub joined: bool,
    /// What the account is in it.
    pub role: Role,
    /// Only admins write.
    pub announce: bool,
    /// Only admins change what it is called.
    pub locked: bool,
    /// Whether members are known by their hidden ids instead of their numbers.
    pub by_lid: bool,
}

impl Default for NewGroup {
    fn default() -> Self {
        Self {
            id: None,
            subject: String::new(),
            description: String::new(),
            participants: Vec::new(),
            joined: true,
            role: Role::Participant,
            announce: false,
            locked: false,
            by_lid: false,
        }
    }
}

/// One member of a [`NewGroup`].
#[derive(Debug, Clone, Deserialize)]
pub struct NewMember {
    /// The chat with them, e.g. `15550000002@c.us` or a `@lid`.
    pub id: String,
    /// What they are.
    #[serde(default)]
    pub role: Role,
}

impl NewGroup {
    /// A group of that name with the account and these in it.
    pub fn named(subject: impl Into<String>, participants: &[&str]) -> Self {
        let members = participants.iter().map(|id| NewMember {
            id: (*id).to_owned(),
            role: Role::Participant,
        });
        Self {
            subject: subject.into(),
            participants: members.collect(),
            ..Self::default()
        }
    }
}

impl Sim {
    /// A group comes into being, as if somebody else had made it. Gives its id.
    pub fn add_group(&self, session: &str, new: NewGroup) -> Result<String, SimError> {
        let session = self.found(session)?;
        let group = {
            let mut state = session.state();
            let me = state.realm.me();
            let owner = new.participants.first();
            let owner = owner.map_or_else(|| me.clone(), |first| person(&first.id));
            let id = new.id.unwrap_or_else(group_id);
            let mut group = Group::new(id.clone(), &new.subject, &owner);
            group.description = new.description;
            group.announce = new.announce;
            group.locked = new.locked;
            group.by_lid = new.by_lid;
            for member in &new.participants {
                group.put(&person(&member.id), member.role);
            }
            if new.joined {
                group.put(&me, new.role);
            }
            state.realm.groups.insert(id, group.clone());
            group
        };
        if new.joined {
            self.tell_joined(&session, &group);
        }
        self.note_change();
        Ok(group.id)
    }

    /// Somebody comes into a group; the account itself may be the one.
    pub fn group_join(
        &self,
        session: &str,
        group: &str,
        participant: &str,
    ) -> Result<(), SimError> {
        let (session, who) = (self.found(session)?, person(participant));
        let known = change(&session, group, |group| group.put(&who, Role::Participant))?;
        self.tell_members(&session, &known, Happening::Join, &[who]);
        self.note_change();
        Ok(())
    }

    /// Somebody leaves a group, or is removed; the account itself may be the one.
    pub fn group_leave(
        &self,
        session: &str,
        group: &str,
        participant: &str,
    ) -> Result<(), SimError> {
        let session = self.found(session)?;
        self.lose_member(&session, group, &person(participant))
            .ok_or_else(|| SimError::Unknown("member", participant.to_owned()))
    }

    /// Somebody becomes an admin of a group; the account itself may be the one.
    pub fn group_promote(
        &self,
        session: &str,
        group: &str,
        participant: &str,
    ) -> Result<(), SimError> {
        self.rank(session, group, participant, Role::Admin)
    }

    /// Somebody is no admin of a group any more; the account itself may be the one.
    pub fn group_demote(
        &self,
        session: &str,
        group: &str,
        participant: &str,
    ) -> Result<(), SimError> {
        self.rank(session, group, participant, Role::Participant)
    }

    /// Somebody renames a group.
    pub fn rename_group(&self, session: &str, group: &str, subject: &str) -> Result<(), SimError> {
        let aspect = Aspect::Subject(subject.to_owned());
        self.alter(session, group, &aspect)
    }

    /// Somebody describes a group.
    pub fn describe_group(&self, session: &str, group: &str, text: &str) -> Result<(), SimError> {
        let aspect = Aspect::Description(text.to_owned());
        self.alter(session, group, &aspect)
    }

    /// Somebody lets admins alone write in a group, or everybody.
    pub fn announce_group(&self, session: &str, group: &str, on: bool) -> Result<(), SimError> {
        self.alter(session, group, &Aspect::Announce(on))
    }

    /// The code that a group can be joined by.
    pub fn group_invite(&self, session: &str, group: &str) -> Result<String, SimError> {
        let known = change(&*self.found(session)?, group, |_| {})?;
        Ok(known.invite)
    }

    /// Who is in a group, the account included, and what they are.
    pub fn group_members(
        &self,
        session: &str,
        group: &str,
    ) -> Result<Vec<(String, Role)>, SimError> {
        let known = change(&*self.found(session)?, group, |_| {})?;
        let members = known.members.into_iter();
        Ok(members.map(|member| (member.person, member.role)).collect())
    }

    fn rank(
        &self,
        session: &str,
        group: &str,
        participant: &str,
        role: Role,
    ) -> Result<(), SimError> {
        let (session, who) = (self.found(session)?, person(participant));
        let known = change(&session, group, |group| group.put(&who, role))?;
        let happening = match role {
            Role::Participant => Happening::Demote,
            Role::Admin | Role::Superadmin => Happening::Promote,
        };
        self.tell_members(&session, &known, happening, &[who]);
        self.note_change();
        Ok(())
    }

    fn alter(&self, session: &str, group: &str, aspect: &Aspect) -> Result<(), SimError> {
        let session: Arc<Session> = self.found(session)?;
        let known = change(&session, group, |group| aspect.apply(group))?;
        self.tell_updated(&session, &known, aspect);
        self.note_change();
        Ok(())
    }
}

/// Changes a group, whether or not the account is in it, and gives it as it is then.
fn change(session: &Session, id: &str, change: impl FnOnce(&mut Group)) -> Result<Group, SimError> {
    let mut state = session.state();
    let group = state
        .realm
        .groups
        .get_mut(id)
        .ok_or_else(|| SimError::Unknown("group", id.to_owned()))?;
    change(group);
    Ok(group.clone())
}
