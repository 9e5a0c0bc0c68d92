//! What WAHA does with channels.

use async_trait::async_trait;
use mf_domain::{Jid, JidKind};
use mf_engine::{ChannelInfo, ChannelRole, Channels, EngineError, NewChannel, SessionKey};
use serde_json::json;
use tracing::instrument;

use crate::{
    Waha,
    client::Call,
    endpoint, json,
    listing::{Entry, absent, entries, first_text, jid},
};

/// How engines say that there is no such channel; WEBJS by stumbling over its absence.
const NO_CHANNEL: &[&str] = &[
    "not found",
    "not-found",
    "does not exist",
    "reading 'membershiptype'",
];

#[async_trait]
impl Channels for Waha {
    #[instrument(name = "engine.channels", skip_all, fields(session = key.as_str()))]
    async fn channels(
        &self,
        key: &SessionKey,
        role: Option<ChannelRole>,
    ) -> Result<Vec<ChannelInfo>, EngineError> {
        let query = role.map(|role| [("role", word(role))]);
        let mut call = Call::new(&endpoint::CHANNELS, &[key.as_str()]);
        if let Some(query) = &query {
            call = call.query(query);
        }
        let answer = self.ask(call).await?;
        Ok(entries(&answer)?.into_iter().filter_map(read).collect())
    }

    #[instrument(name = "engine.channel", skip_all, fields(session = key.as_str()))]
    async fn channel(
        &self,
        key: &SessionKey,
        id: &str,
    ) -> Result<Option<ChannelInfo>, EngineError> {
        let call = Call::new(&endpoint::CHANNEL, &[key.as_str(), id]);
        let answer = absent(self.ask(call).await, NO_CHANNEL)?;
        Ok(answer.and_then(|answer| read((None, &answer))))
    }

    #[instrument(name = "engine.create_channel", skip_all, fields(session = key.as_str()))]
    async fn create_channel(
        &self,
        key: &SessionKey,
        channel: &NewChannel,
    ) -> Result<ChannelInfo, EngineError> {
        let mut body = json!({"name": channel.name});
        if let Some(description) = &channel.description {
            body["description"] = description.as_str().into();
        }
        let call = Call::new(&endpoint::CREATE_CHANNEL, &[key.as_str()]).body(body);
        let answer = self.ask(call).await?;
        // There is a channel now, but nobody said which.
        read((None, &answer)).ok_or(EngineError::Interrupted)
    }

    #[instrument(name = "engine.delete_channel", skip_all, fields(session = key.as_str()))]
    async fn delete_channel(&self, key: &SessionKey, channel: &Jid) -> Result<(), EngineError> {
        let call = Call::new(&endpoint::DELETE_CHANNEL, &[key.as_str(), channel.as_str()]);
        self.call(call).await.map(drop)
    }

    #[instrument(name = "engine.follow_channel", skip_all, fields(session = key.as_str()))]
    async fn follow_channel(
        &self,
        key: &SessionKey,
        channel: &Jid,
        follow: bool,
    ) -> Result<(), EngineError> {
        let endpoint = if follow {
            &endpoint::FOLLOW_CHANNEL
        } else {
            &endpoint::UNFOLLOW_CHANNEL
        };
        let call = Call::new(endpoint, &[key.as_str(), channel.as_str()]);
        self.call(call).await.map(drop)
    }
}

const fn word(role: ChannelRole) -> &'static str {
    match role {
        ChannelRole::Owner => "OWNER",
        ChannelRole::Admin => "ADMIN",
        ChannelRole::Subscriber => "SUBSCRIBER",
    }
}

fn read((_, channel): Entry<'_>) -> Option<ChannelInfo> {
    let jid = jid(channel, &["/id", "/id/_serialized"])?;
    if jid.kind() != JidKind::Channel {
        return None;
    }
    let role = match json::text(channel, "/role") {
        Some("OWNER") => Some(ChannelRole::Owner),
        Some("ADMIN") => Some(ChannelRole::Admin),
        Some("SUBSCRIBER") => Some(ChannelRole::Subscriber),
        // A guest is nothing to it.
        _ => None,
    };
    let followers = json::number(channel, "/subscribersCount");
    Some(ChannelInfo {
        jid,
        name: first_text(channel, &["/name"]).unwrap_or_default(),
        description: first_text(channel, &["/description"]),
        invite: first_text(channel, &["/invite"]),
        followers: followers.and_then(|count| u64::try_from(count).ok()),
        role,
        verified: json::flag(channel, "/verified").unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use mf_engine::ChannelRole;
    use serde_json::json;

    use super::read;

    #[test]
    fn a_channel_is_read_with_what_is_told_of_it() {
        let told = json!({"id": "120363@newsletter", "name": "News", "description": "daily",
            "invite": "https://www.whatsapp.com/channel/0029Va", "preview": null,
            "picture": null, "role": "OWNER", "verified": true, "subscribersCount": 12});
        let channel = read((None, &told)).unwrap();
        assert_eq!(channel.jid.as_str(), "120363@newsletter");
        assert_eq!(channel.name, "News");
        assert_eq!(channel.followers, Some(12));
        assert_eq!(channel.role, Some(ChannelRole::Owner));
        assert!(channel.verified);

        let bare = read((None, &json!({"id": "120363@newsletter", "role": "GUEST"}))).unwrap();
        assert_eq!((bare.role, bare.followers), (None, None));
        assert_eq!(read((None, &json!({"id": "120363@g.us"}))), None);
        assert_eq!(read((None, &json!(null))), None);
    }
}
