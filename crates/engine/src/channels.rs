use async_trait::async_trait;
use mf_domain::Jid;

use crate::{ChannelInfo, ChannelRole, EngineError, NewChannel, SessionKey};

/// What an engine does with channels. Writing in one is sending a message to its JID.
#[async_trait]
pub trait Channels {
    /// The channels that the account made, administers or follows; or of these only some.
    async fn channels(
        &self,
        key: &SessionKey,
        role: Option<ChannelRole>,
    ) -> Result<Vec<ChannelInfo>, EngineError>;

    /// One channel, by its JID or its invitation's code. `None` where there is none such.
    async fn channel(&self, key: &SessionKey, id: &str)
    -> Result<Option<ChannelInfo>, EngineError>;

    /// Makes a channel.
    async fn create_channel(
        &self,
        key: &SessionKey,
        channel: &NewChannel,
    ) -> Result<ChannelInfo, EngineError>;

    /// Removes a channel of this account.
    async fn delete_channel(&self, key: &SessionKey, channel: &Jid) -> Result<(), EngineError>;

    /// Follows a channel, or stops doing so.
    async fn follow_channel(
        &self,
        key: &SessionKey,
        channel: &Jid,
        follow: bool,
    ) -> Result<(), EngineError>;
}
