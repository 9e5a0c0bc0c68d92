//! What the account does to groups.

use std::sync::Arc;

use crate::error::ApiError;
use crate::group_events::Happening;
use crate::groups::{Aspect, Group, Outcome, Role, Step, admins_only, group_id, not_in_group};
use crate::realm::person;
use crate::session::Session;
use crate::sim::Sim;

impl Sim {
    /// Whether the account may write there: not to groups it left, nor to others' channels.
    pub(crate) fn may_write(&self, session: &Session, chat: &str) -> Result<(), ApiError> {
        let engine = self.world.config.engine;
        let state = session.state();
        let me = state.realm.me();
        if let Some(group) = state.realm.groups.get(chat) {
            return match group.role_of(&me) {
                None => Err(not_in_group(engine)),
                Some(Role::Participant) if group.announce => Err(admins_only(engine)),
                Some(_) => Ok(()),
            };
        }
        match state.realm.channels.get(chat) {
            Some(channel) if !channel.role.may_write() => Err(admins_only(engine)),
            _ => Ok(()),
        }
    }

    /// Makes a group with the account as its owner. Who cannot be added is left out.
    pub(crate) fn create_group(
        &self,
        session: &Arc<Session>,
        subject: &str,
        people: &[String],
    ) -> (Group, Vec<Outcome>) {
        let (group, outcomes) = {
            let mut state = session.state();
            let me = state.realm.me();
            let mut group = Group::new(group_id(), subject, &me);
            group.by_lid = true;
            group.put(&me, Role::Superadmin);
            let outcomes = people
                .iter()
                .map(|given| person(given))
                .map(|person| Outcome {
                    code: Step::Add.take(&mut group, &person),
                    person,
                })
                .collect();
            state.realm.groups.insert(group.id.clone(), group.clone());
            state.touch();
            (group, outcomes)
        };
        self.tell_joined(session, &group);
        self.note_change();
        (group, outcomes)
    }

    /// Adds, removes, promotes or demotes members by order of the account, and tells of those
    /// with whom it worked.
    pub(crate) fn change_members(
        &self,
        session: &Arc<Session>,
        id: &str,
        step: Step,
        people: &[String],
    ) -> Result<(Group, Vec<Outcome>), ApiError> {
        let engine = self.world.config.engine;
        let (group, outcomes) = {
            let mut state = session.state();
            let me = state.realm.me();
            let group = state
                .realm
                .groups
                .get_mut(id)
                .ok_or_else(|| not_in_group(engine))?;
            match group.role_of(&me) {
                None => return Err(not_in_group(engine)),
                // Anybody may add, the rest is for admins.
                Some(Role::Participant) if step != Step::Add => return Err(admins_only(engine)),
                Some(_) => {}
            }
            let outcomes: Vec<_> = people
                .iter()
                .map(|given| person(given))
                .map(|person| Outcome {
                    code: step.take(group, &person),
                    person,
                })
                .collect();
            let group = group.clone();
            state.touch();
            (group, outcomes)
        };
        let changed: Vec<_> = outcomes
            .iter()
            .filter(|outcome| outcome.code == 200)
            .map(|outcome| outcome.person.clone())
            .collect();
        self.tell_members(session, &group, step.happening(), &changed);
        self.note_change();
        Ok((group, outcomes))
    }

    /// Changes what a group is called, looks like or allows, by order of the account.
    pub(crate) fn change_group(
        &self,
        session: &Arc<Session>,
        id: &str,
        aspect: &Aspect,
    ) -> Result<(), ApiError> {
        let engine = self.world.config.engine;
        let group = {
            let mut state = session.state();
            let me = state.realm.me();
            let group = state
                .realm
                .groups
                .get_mut(id)
                .ok_or_else(|| not_in_group(engine))?;
            let role = group.role_of(&me).ok_or_else(|| not_in_group(engine))?;
            if role == Role::Participant && (group.locked || aspect.is_setting()) {
                return Err(admins_only(engine));
            }
            aspect.apply(group);
            let group = group.clone();
            state.touch();
            group
        };
        self.tell_updated(session, &group, aspect);
        self.note_change();
        Ok(())
    }

    /// Leaves; the group itself stays.
    pub(crate) fn leave_group(&self, session: &Arc<Session>, id: &str) -> Result<(), ApiError> {
        let me = session.state().realm.me();
        let left = self.lose_member(session, id, &me);
        left.ok_or_else(|| not_in_group(self.world.config.engine))
    }

    /// Somebody is not in the group any more. `None` when they were not before.
    pub(crate) fn lose_member(&self, session: &Arc<Session>, id: &str, person: &str) -> Option<()> {
        let group = {
            let mut state = session.state();
            let group = state.realm.groups.get_mut(id)?;
            group.role_of(person)?;
            let before = group.clone();
            group.members.retain(|member| member.person != person);
            before
        };
        self.tell_members(session, &group, Happening::Leave, &[person.to_owned()]);
        self.note_change();
        Some(())
    }

    /// Joins by the code of an invitation.
    pub(crate) fn join_group(&self, session: &Arc<Session>, code: &str) -> Option<Group> {
        let group = {
            let mut state = session.state();
            let me = state.realm.me();
            let mut groups = state.realm.groups.values_mut();
            let group = groups.find(|group| group.invite == code)?;
            if group.role_of(&me).is_none() {
                group.put(&me, Role::Participant);
            }
            group.clone()
        };
        self.tell_joined(session, &group);
        self.note_change();
        Some(group)
    }
}
