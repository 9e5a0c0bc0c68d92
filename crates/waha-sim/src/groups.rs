//! Groups: who is in them, what they are called, and what becomes of changes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::Dialect;
use crate::error::ApiError;
use crate::group_events::Happening;
use crate::ids::{PRIVATE, exists, now_ms, number_of_chat};
use crate::realm::{Realm, hidden, person};

/// What somebody is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A plain member.
    #[default]
    Participant,
    /// May add, remove and rename.
    Admin,
    /// Made the group.
    Superadmin,
}

/// One member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) person: String,
    pub(crate) role: Role,
}

/// One group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) subject: String,
    /// In seconds.
    pub(crate) subject_at: i64,
    pub(crate) description: String,
    /// In seconds.
    pub(crate) created_at: i64,
    pub(crate) owner: String,
    pub(crate) members: Vec<Member>,
    pub(crate) picture: Option<String>,
    pub(crate) invite: String,
    /// Only admins change subject, description and picture.
    pub(crate) locked: bool,
    /// Only admins write.
    pub(crate) announce: bool,
    /// Members are known by their hidden ids, as in newer groups, instead of by their numbers.
    pub(crate) by_lid: bool,
}

impl Group {
    pub(crate) fn new(id: String, subject: &str, owner: &str) -> Self {
        let now = now_ms() / 1000;
        Self {
            invite: invite_code(&id, now),
            id,
            subject: subject.to_owned(),
            subject_at: now,
            description: String::new(),
            created_at: now,
            owner: owner.to_owned(),
            members: Vec::new(),
            picture: None,
            locked: false,
            announce: false,
            by_lid: false,
        }
    }

    pub(crate) fn role_of(&self, person: &str) -> Option<Role> {
        let member = self.members.iter().find(|member| member.person == person)?;
        Some(member.role)
    }

    /// Puts somebody in, or changes what they are.
    pub(crate) fn put(&mut self, person: &str, role: Role) {
        match self.members.iter_mut().find(|m| m.person == person) {
            Some(member) => member.role = role,
            None => self.members.push(Member {
                person: person.to_owned(),
                role,
            }),
        }
    }

    /// The id that the group knows somebody by.
    pub(crate) fn id_of(&self, person: &str) -> String {
        if self.by_lid {
            hidden(person)
        } else {
            person.to_owned()
        }
    }
}

/// A new id for a group.
pub(crate) fn group_id() -> String {
    let random = rand::random::<u64>() % 100_000_000_000_000;
    format!("1203{random:014}@g.us")
}

/// 22 letters and digits that follow from the group and a moment.
pub(crate) fn invite_code(id: &str, moment: i64) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let digest = Sha256::digest(format!("{id} {moment}"));
    digest
        .iter()
        .take(22)
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect()
}

/// How adding one person went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) person: String,
    /// 200, 403 when their settings forbid it, 404 without WhatsApp or outside the group, 409 when
    /// they are in already.
    pub(crate) code: u16,
}

/// What is asked to be done to members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Add,
    Remove,
    Promote,
    Demote,
}

impl Step {
    pub(crate) fn happening(self) -> Happening {
        match self {
            Self::Add => Happening::Join,
            Self::Remove => Happening::Leave,
            Self::Promote => Happening::Promote,
            Self::Demote => Happening::Demote,
        }
    }

    /// Does it to one person.
    pub(crate) fn take(self, group: &mut Group, person: &str) -> u16 {
        let number = number_of_chat(person);
        let role = group.role_of(person);
        match (self, role) {
            (Self::Add, Some(_)) => return 409,
            (Self::Add, None) if number.as_deref() == Some(PRIVATE) => return 403,
            (Self::Add, None) if number.as_deref().is_some_and(|n| !exists(n)) => return 404,
            (Self::Add, None) | (Self::Demote, Some(_)) => group.put(person, Role::Participant),
            (Self::Promote, Some(Role::Superadmin)) => {}
            (Self::Promote, Some(_)) => group.put(person, Role::Admin),
            (Self::Remove, Some(_)) => group.members.retain(|member| member.person != person),
            (_, None) => return 404,
        }
        200
    }
}

/// What the engine throws for a group one is not in.
pub(crate) fn not_in_group(engine: Dialect) -> ApiError {
    match engine {
        Dialect::Noweb => ApiError::engine("Error", "forbidden"),
        Dialect::Gows => ApiError::grpc("you're not participating in that group"),
        Dialect::Webjs => ApiError::engine(
            "Error",
            "Evaluation failed: Error: not a participant of the group",
        ),
    }
}

/// What the engine throws when admins alone may do it.
pub(crate) fn admins_only(engine: Dialect) -> ApiError {
    match engine {
        Dialect::Noweb => ApiError::engine("Error", "not-authorized"),
        Dialect::Gows => ApiError::grpc("info query returned status 401: not-authorized"),
        Dialect::Webjs => ApiError::engine("Error", "Evaluation failed: Error: not an admin"),
    }
}

impl Realm {
    /// A group the account is in.
    pub(crate) fn joined(&self, id: &str) -> Option<&Group> {
        let me = self.me();
        self.groups
            .get(id)
            .filter(|group| group.role_of(&me).is_some())
    }

    pub(crate) fn joined_groups(&self) -> impl Iterator<Item = &Group> {
        let me = self.me();
        self.groups
            .values()
            .filter(move |group| group.role_of(&me).is_some())
    }

    /// A group nobody said anything of before somebody wrote in it.
    pub(crate) fn stumble_into(&mut self, id: &str, writer: Option<&str>) {
        let me = self.me();
        let writer = writer.map(person).filter(|writer| *writer != me);
        match self.groups.get_mut(id) {
            Some(group) => {
                if let Some(writer) = writer.filter(|writer| group.role_of(writer).is_none()) {
                    group.put(&writer, Role::Participant);
                }
            }
            None => {
                let other = writer.unwrap_or_else(|| "15550000002@c.us".to_owned());
                let user = id.split_once('@').map_or(id, |(user, _)| user);
                let mut group = Group::new(id.to_owned(), &format!("Group {user}"), &other);
                group.put(&other, Role::Superadmin);
                group.put(&me, Role::Participant);
                self.groups.insert(id.to_owned(), group);
            }
        }
    }
}

/// What can change about a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Aspect {
    Subject(String),
    Description(String),
    Picture(Option<String>),
    Locked(bool),
    Announce(bool),
    Invite(String),
}

impl Aspect {
    /// Settings are for admins, whatever the group allows its members.
    pub(crate) fn is_setting(&self) -> bool {
        matches!(self, Self::Locked(_) | Self::Announce(_) | Self::Invite(_))
    }

    pub(crate) fn apply(&self, group: &mut Group) {
        match self {
            Self::Subject(subject) => {
                group.subject.clone_from(subject);
                group.subject_at = now_ms() / 1000;
            }
            Self::Description(description) => group.description.clone_from(description),
            Self::Picture(picture) => group.picture.clone_from(picture),
            Self::Locked(locked) => group.locked = *locked,
            Self::Announce(announce) => group.announce = *announce,
            Self::Invite(code) => group.invite.clone_from(code),
        }
    }
}
