//! Messages that nobody told us of: written while this server or the engine was away, or
//! before the session was paired here.

mod chat;
mod list;
mod progress;
mod turns;

use chrono::{DateTime, TimeDelta, Utc};
use mf_domain::SessionStatus;
use mf_engine::{EngineError, SessionKey};
use mf_store::{Session, SessionOwner};
use tracing::warn;

use self::progress::Progress;
use crate::{ServiceError, Services};

/// How far back a session's chats are read when it was paired just now.
const HISTORY: TimeDelta = TimeDelta::days(14);
/// How far before the last look the next one begins: clocks differ, and messages come late.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);
/// Chats, and messages, asked for at a time.
const PAGE: u32 = 50;

/// One look at a session.
struct Look<'a> {
    owner: &'a SessionOwner,
    session: &'a Session,
    key: SessionKey,
    /// When it began.
    begun: DateTime<Utc>,
    /// What was written before is there, or is not wanted.
    since: DateTime<Utc>,
}

/// Whether an error is about the engine, or the database, and not about what was just read: the
/// rest would fail as well, and everything may succeed later. What is wrong with one chat or
/// one message for good must not keep the others from being read.
const fn ends_the_look(error: &ServiceError) -> bool {
    match error {
        // Said of a chat, this may be the engine's word for a chat that it does not have.
        ServiceError::Engine(EngineError::SessionMissing) => false,
        error => error.is_passing(),
    }
}

impl Services {
    /// Fetches what a session missed, and notes until when nothing is missing. Whether it came
    /// to the end of it; otherwise `progress` says where the next look goes on.
    async fn catch_up(
        &self,
        owner: &SessionOwner,
        progress: &mut Progress,
    ) -> Result<bool, ServiceError> {
        let begun = self.clock.now();
        let mut tx = self.store.begin(owner.tenant).await?;
        let session = tx.sessions().lookup(owner.id).await?;
        let kept = tx.tenants().settings().await?.message_retention_days;
        tx.commit().await?;
        let Some(session) = session else {
            return Ok(true);
        };
        progress.keep_if_of(&session);
        let look = Look {
            owner,
            session: &session,
            key: SessionKey::of(owner.id),
            begun,
            since: since(&session, begun, kept),
        };
        let complete = self.read_all(&look, progress).await?;
        if complete {
            let mut tx = self.store.begin(owner.tenant).await?;
            tx.sessions().caught_up(owner.id, begun).await?;
            tx.commit().await?;
        }
        Ok(complete)
    }

    /// Reads every chat in which something was written. Whether all of it was read that can be.
    async fn read_all(
        &self,
        look: &Look<'_>,
        progress: &mut Progress,
    ) -> Result<bool, ServiceError> {
        let listing = self.chats_since(look).await?;
        let mut complete = listing.complete;
        let (mut read, mut left_out) = (0_u32, 0_u32);
        for chat in &listing.chats {
            match self.catch_up_chat(look, chat, progress).await {
                Ok(to_its_end) => {
                    read += 1;
                    complete &= to_its_end;
                }
                Err(error) if ends_the_look(&error) => return Err(error),
                Err(error) => {
                    left_out += 1;
                    warn!(error = %error, "a chat could not be read; it is left out");
                }
            }
        }
        if left_out == 0 {
            return Ok(complete);
        }
        // Where nothing could be read, or the session is gone, that says nothing of the chats.
        Ok(complete && read > 0 && self.works_at_engine(look).await?)
    }

    async fn works_at_engine(&self, look: &Look<'_>) -> Result<bool, ServiceError> {
        let session = self.engine.session(&look.key).await?;
        Ok(session.is_some_and(|session| session.status == Some(SessionStatus::Working)))
    }
}

/// From when on messages are read: since the last look, and none that are to be kept no longer,
/// since they would be found anew each time.
fn since(session: &Session, now: DateTime<Utc>, kept: Option<i32>) -> DateTime<Utc> {
    let missing = session
        .caught_up_at
        .map_or(now - HISTORY, |until| until - OVERLAP);
    let kept = kept.map(|days| now - TimeDelta::days(days.into()));
    kept.map_or(missing, |kept| kept.max(missing))
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};
    use mf_domain::SessionStatus::Working;
    use mf_engine::EngineError;

    use super::{HISTORY, OVERLAP, ends_the_look, since};
    use crate::sessions::status::tests::session;

    #[test]
    fn what_is_kept_no_longer_is_not_looked_for() {
        let now = chrono::DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(100);
        let days = |days| now - TimeDelta::days(days);
        let mut session = session(Working, true);
        assert_eq!(since(&session, now, None), now - HISTORY);
        assert_eq!(since(&session, now, Some(30)), now - HISTORY);
        assert_eq!(since(&session, now, Some(2)), days(2));
        session.caught_up_at = Some(days(3));
        assert_eq!(since(&session, now, Some(30)), days(3) - OVERLAP);
        assert_eq!(since(&session, now, Some(2)), days(2));
    }

    #[test]
    fn only_what_passes_ends_a_look() {
        let detail = String::new;
        for (error, ends) in [
            (EngineError::Unreachable, true),
            (EngineError::Timeout, true),
            (EngineError::Interrupted, true),
            (EngineError::Throttled, true),
            (EngineError::NotReady { status: None }, true),
            (EngineError::SessionMissing, false),
            (EngineError::Failed { detail: detail() }, false),
            (EngineError::Rejected { detail: detail() }, false),
            (EngineError::Unsupported { what: detail() }, false),
        ] {
            assert_eq!(ends_the_look(&error.clone().into()), ends, "{error}");
        }
    }
}
