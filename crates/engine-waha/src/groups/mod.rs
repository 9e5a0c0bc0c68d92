//! What WAHA does with groups.

mod outcomes;
pub(crate) mod read;

use async_trait::async_trait;
use mf_domain::Jid;
use mf_engine::{
    EngineError, EnginePage, GroupInfo, Groups, Participant, ParticipantOutcome, SessionKey,
};
use serde_json::{Value, json};
use tracing::instrument;

use crate::{
    Waha,
    client::{Answer, Call},
    endpoint::{self, Endpoint},
    json,
    listing::{absent, entries, jid},
};

/// How engines say that the account is in no such group.
const NO_GROUP: &[&str] = &[
    "item-not-found",
    "not-found",
    "not found",
    "does not exist",
    "not participating",
    "not a participant",
    "forbidden",
];

#[async_trait]
impl Groups for Waha {
    #[instrument(name = "engine.groups", skip_all, fields(session = key.as_str()))]
    async fn groups(
        &self,
        key: &SessionKey,
        page: EnginePage,
    ) -> Result<Vec<GroupInfo>, EngineError> {
        let query = [
            ("exclude", "participants"),
            ("sortBy", "id"),
            ("sortOrder", "asc"),
        ];
        self.page(
            (&endpoint::GROUPS, &[key.as_str()]),
            &query,
            page,
            read::group,
        )
        .await
    }

    #[instrument(name = "engine.group", skip_all, fields(session = key.as_str()))]
    async fn group(&self, key: &SessionKey, group: &Jid) -> Result<Option<GroupInfo>, EngineError> {
        let call = Call::new(&endpoint::GROUP, &[key.as_str(), group.as_str()]);
        let answer = absent(self.ask(call).await, NO_GROUP)?;
        Ok(answer.and_then(|answer| read::group((None, &answer))))
    }

    #[instrument(name = "engine.participants", skip_all, fields(session = key.as_str()))]
    async fn participants(
        &self,
        key: &SessionKey,
        group: &Jid,
    ) -> Result<Vec<Participant>, EngineError> {
        let call = Call::new(&endpoint::PARTICIPANTS, &[key.as_str(), group.as_str()]);
        let answer = self.ask(call).await?;
        let found = entries(&answer)?.into_iter().filter_map(read::participant);
        Ok(found.collect())
    }

    #[instrument(name = "engine.create_group", skip_all, fields(session = key.as_str()))]
    async fn create_group(
        &self,
        key: &SessionKey,
        name: &str,
        participants: &[Jid],
    ) -> Result<GroupInfo, EngineError> {
        let mut body = these(participants);
        body["name"] = name.into();
        let call = Call::new(&endpoint::CREATE_GROUP, &[key.as_str()]).body(body);
        let answer = self.ask(call).await?;
        // There is a group now, but nobody said which.
        let mut made = read::group((None, &answer)).ok_or(EngineError::Interrupted)?;
        made.subject.get_or_insert_with(|| name.to_owned());
        Ok(made)
    }

    #[instrument(name = "engine.add_participants", skip_all, fields(session = key.as_str()))]
    async fn add_participants(
        &self,
        key: &SessionKey,
        group: &Jid,
        participants: &[Jid],
    ) -> Result<Vec<ParticipantOutcome>, EngineError> {
        self.change_participants(&endpoint::ADD_PARTICIPANTS, key, group, participants)
            .await
    }

    #[instrument(name = "engine.remove_participants", skip_all, fields(session = key.as_str()))]
    async fn remove_participants(
        &self,
        key: &SessionKey,
        group: &Jid,
        participants: &[Jid],
    ) -> Result<Vec<ParticipantOutcome>, EngineError> {
        self.change_participants(&endpoint::REMOVE_PARTICIPANTS, key, group, participants)
            .await
    }

    #[instrument(name = "engine.promote_participants", skip_all, fields(session = key.as_str()))]
    async fn promote_participants(
        &self,
        key: &SessionKey,
        group: &Jid,
        participants: &[Jid],
    ) -> Result<Vec<ParticipantOutcome>, EngineError> {
        self.change_participants(&endpoint::PROMOTE, key, group, participants)
            .await
    }

    #[instrument(name = "engine.demote_participants", skip_all, fields(session = key.as_str()))]
    async fn demote_participants(
        &self,
        key: &SessionKey,
        group: &Jid,
        participants: &[Jid],
    ) -> Result<Vec<ParticipantOutcome>, EngineError> {
        self.change_participants(&endpoint::DEMOTE, key, group, participants)
            .await
    }

    #[instrument(name = "engine.leave_group", skip_all, fields(session = key.as_str()))]
    async fn leave_group(&self, key: &SessionKey, group: &Jid) -> Result<(), EngineError> {
        let holes = [key.as_str(), group.as_str()];
        self.change(Call::new(&endpoint::LEAVE_GROUP, &holes)).await
    }

    #[instrument(name = "engine.rename_group", skip_all, fields(session = key.as_str()))]
    async fn rename_group(
        &self,
        key: &SessionKey,
        group: &Jid,
        subject: &str,
    ) -> Result<(), EngineError> {
        let call = Call::new(&endpoint::SUBJECT, &[key.as_str(), group.as_str()]);
        self.change(call.body(json!({"subject": subject}))).await
    }

    #[instrument(name = "engine.describe_group", skip_all, fields(session = key.as_str()))]
    async fn describe_group(
        &self,
        key: &SessionKey,
        group: &Jid,
        description: &str,
    ) -> Result<(), EngineError> {
        let call = Call::new(&endpoint::DESCRIPTION, &[key.as_str(), group.as_str()]);
        self.change(call.body(json!({"description": description})))
            .await
    }

    #[instrument(name = "engine.invite_code", skip_all, fields(session = key.as_str()))]
    async fn invite_code(&self, key: &SessionKey, group: &Jid) -> Result<String, EngineError> {
        self.code(&endpoint::INVITE_CODE, key, group).await
    }

    #[instrument(name = "engine.revoke_invite", skip_all, fields(session = key.as_str()))]
    async fn revoke_invite(&self, key: &SessionKey, group: &Jid) -> Result<String, EngineError> {
        self.code(&endpoint::REVOKE_INVITE, key, group).await
    }

    #[instrument(name = "engine.join_group", skip_all, fields(session = key.as_str()))]
    async fn join_group(&self, key: &SessionKey, code: &str) -> Result<Jid, EngineError> {
        let code = code_in(code).ok_or_else(|| refused("this is no invitation"))?;
        let call = Call::new(&endpoint::JOIN_GROUP, &[key.as_str()]);
        let answer = self.ask(call.body(json!({"code": code}))).await?;
        jid(&answer, &["/id", "/id/_serialized"]).ok_or(EngineError::Interrupted)
    }
}

impl Waha {
    async fn change_participants(
        &self,
        endpoint: &'static Endpoint,
        key: &SessionKey,
        group: &Jid,
        participants: &[Jid],
    ) -> Result<Vec<ParticipantOutcome>, EngineError> {
        let call = Call::new(endpoint, &[key.as_str(), group.as_str()]).body(these(participants));
        let answer = self.ask(call.or_words()).await?;
        outcomes::read(&answer, participants)
    }

    /// Makes a change of which WEBJS says with `false` that it was not allowed.
    async fn change(&self, call: Call<'_>) -> Result<(), EngineError> {
        match self.call(call).await? {
            Answer::Said(Value::Bool(false)) => Err(refused("the engine refused the change")),
            Answer::Said(_) | Answer::Lost => Ok(()),
        }
    }

    async fn code(
        &self,
        endpoint: &'static Endpoint,
        key: &SessionKey,
        group: &Jid,
    ) -> Result<String, EngineError> {
        let call = Call::new(endpoint, &[key.as_str(), group.as_str()]).or_words();
        let answer = self.ask(call).await?;
        ["", "/code", "/inviteCode"]
            .iter()
            .find_map(|pointer| code_in(json::text(&answer, pointer)?))
            .map(str::to_owned)
            .ok_or(EngineError::Interrupted)
    }
}

fn these(participants: &[Jid]) -> Value {
    let ids = participants.iter().map(|jid| json!({"id": jid.as_str()}));
    json!({"participants": ids.collect::<Vec<_>>()})
}

fn refused(why: &str) -> EngineError {
    EngineError::Rejected {
        detail: why.to_owned(),
    }
}

/// The code in a code, or in the link that ends with it: engines give the one or the other.
fn code_in(text: &str) -> Option<&str> {
    let path = text.trim().split(['?', '#']).next()?;
    let code = path.trim_end_matches('/').rsplit('/').next()?;
    let sound = (8..=64).contains(&code.len())
        && code
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    sound.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::code_in;

    #[test]
    fn a_link_and_its_code_are_one() {
        for text in [
            "AbCdEfGhIjKlMnOpQrStUv",
            "https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv",
            "chat.whatsapp.com/invite/AbCdEfGhIjKlMnOpQrStUv/",
            " https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv?mode=ac_t ",
        ] {
            assert_eq!(code_in(text), Some("AbCdEfGhIjKlMnOpQrStUv"), "{text}");
        }
        for text in [
            "",
            "/",
            "https://chat.whatsapp.com/",
            "not a code",
            "<html>",
        ] {
            assert_eq!(code_in(text), None, "{text}");
        }
    }
}
