use async_trait::async_trait;
use mf_domain::Jid;

use crate::{EngineError, EnginePage, GroupInfo, Participant, ParticipantOutcome, SessionKey};

/// What an engine does with groups.
#[async_trait]
pub trait Groups {
    /// The groups that the account is in, without who is in them: WhatsApp bears few questions
    /// of that kind.
    async fn groups(
        &self,
        key: &SessionKey,
        page: EnginePage,
    ) -> Result<Vec<GroupInfo>, EngineError>;

    /// One group, or `None` where the account is in none such.
    async fn group(&self, key: &SessionKey, group: &Jid) -> Result<Option<GroupInfo>, EngineError>;

    /// Who is in a group.
    async fn participants(
        &self,
        key: &SessionKey,
        group: &Jid,
    ) -> Result<Vec<Participant>, EngineError>;

    /// Makes a group with these people in it.
    async fn create_group(
        &self,
        key: &SessionKey,
        name: &str,
        participants: &[Jid],
    ) -> Result<GroupInfo, EngineError>;

    /// Adds people. That the call succeeds says nothing of each of them: the outcomes do.
    async fn add_participants(
        &self,
        key: &SessionKey,
        group: &Jid,
        participants: &[Jid],
    ) -> Result<Vec<ParticipantOutcome>, EngineError>;

    /// Puts people out.
    async fn remove_participants(
        &self,
        key: &SessionKey,
        group: &Jid,
        participants: &[Jid],
    ) -> Result<Vec<ParticipantOutcome>, EngineError>;

    /// Makes people administrators.
    async fn promote_participants(
        &self,
        key: &SessionKey,
        group: &Jid,
        participants: &[Jid],
    ) -> Result<Vec<ParticipantOutcome>, EngineError>;

    /// Makes administrators people like all others.
    async fn demote_participants(
        &self,
        key: &SessionKey,
        group: &Jid,
        participants: &[Jid],
    ) -> Result<Vec<ParticipantOutcome>, EngineError>;

    /// Leaves a group.
    async fn leave_group(&self, key: &SessionKey, group: &Jid) -> Result<(), EngineError>;

    /// Gives a group another name.
    async fn rename_group(
        &self,
        key: &SessionKey,
        group: &Jid,
        subject: &str,
    ) -> Result<(), EngineError>;

    /// Says otherwise what a group is for.
    async fn describe_group(
        &self,
        key: &SessionKey,
        group: &Jid,
        description: &str,
    ) -> Result<(), EngineError>;

    /// The code with which people join a group by themselves.
    async fn invite_code(&self, key: &SessionKey, group: &Jid) -> Result<String, EngineError>;

    /// Makes that code worthless, and gives the next one.
    async fn revoke_invite(&self, key: &SessionKey, group: &Jid) -> Result<String, EngineError>;

    /// Joins a group by its code or its link.
    async fn join_group(&self, key: &SessionKey, code: &str) -> Result<Jid, EngineError>;
}
