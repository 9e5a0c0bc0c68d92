use mf_engine::{Capabilities, EngineInfo};

/// WAHA's engines, as far as they differ for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Noweb,
    Gows,
    /// WEBJS, WPP and whatever comes: nothing is presumed of them.
    Other,
}

impl Dialect {
    pub(crate) fn named(name: &str) -> Self {
        match name.to_ascii_uppercase().as_str() {
            "NOWEB" => Self::Noweb,
            "GOWS" => Self::Gows,
            _ => Self::Other,
        }
    }
}

/// WAHA's versions are a year, a month and a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u16, u16, u16);

impl Version {
    /// The version that a text names. What cannot be read is the oldest: less is presumed of it.
    pub(crate) fn read(text: &str) -> Self {
        let mut parts = text.trim().split('.').map(|part| {
            let end = part
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(part.len());
            part.get(..end)
                .and_then(|digits| digits.parse().ok())
                .unwrap_or(0)
        });
        let mut next = || parts.next().unwrap_or(0);
        Self(next(), next(), next())
    }
}

/// Since when `sendText` takes the message's id from the caller, where the engine does at all.
const CALLER_IDS: Version = Version(2026, 4, 3);

/// What a WAHA of this version and engine is and can do.
pub(crate) fn describe(version: &str, engine: &str) -> EngineInfo {
    let direct = matches!(Dialect::named(engine), Dialect::Noweb | Dialect::Gows);
    EngineInfo {
        version: version.to_owned(),
        dialect: engine.to_owned(),
        capabilities: Capabilities {
            caller_message_ids: direct && Version::read(version) >= CALLER_IDS,
            find_by_bare_id: direct,
        },
    }
}

const ANY: Version = Version(0, 0, 0);
const GROUP_ACKS: Version = Version(2025, 12, 2);

/// What a session reports. `message` is left out, since `message.any` says the same and more.
///
/// An unknown name makes WAHA refuse the whole configuration, so names that were not always
/// there are asked for only where they surely are.
const EVENTS: &[(&str, Version)] = &[
    ("session.status", ANY),
    ("message.any", ANY),
    ("message.ack", ANY),
    ("message.ack.group", GROUP_ACKS),
    ("message.reaction", ANY),
    ("message.edited", GROUP_ACKS),
    ("message.revoked", ANY),
    ("group.v2.join", GROUP_ACKS),
    ("group.v2.leave", GROUP_ACKS),
    ("group.v2.update", GROUP_ACKS),
    ("group.v2.participants", GROUP_ACKS),
    ("poll.vote", ANY),
    ("poll.vote.failed", ANY),
    ("label.upsert", ANY),
    ("label.deleted", ANY),
    ("label.chat.added", ANY),
    ("label.chat.deleted", ANY),
    ("call.received", ANY),
    ("call.accepted", ANY),
    ("call.rejected", ANY),
    ("presence.update", ANY),
];

/// The names of the events that a session shall report, at this version.
pub(crate) fn events(version: &str) -> Vec<&'static str> {
    let version = Version::read(version);
    EVENTS
        .iter()
        .filter(|(_, since)| version >= *since)
        .map(|(name, _)| *name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{describe, events};

    #[test]
    fn our_ids_are_taken_by_two_engines_since_one_version() {
        for (version, engine, ours, bare) in [
            ("2026.7.1", "NOWEB", true, true),
            ("2026.4.3", "GOWS", true, true),
            ("2026.10.1", "gows", true, true),
            ("2026.4.2", "NOWEB", false, true),
            ("2025.12.9", "GOWS", false, true),
            ("2026.7.1", "WEBJS", false, false),
            ("2026.7.1", "WPP", false, false),
            ("2026.7.1-beta.3", "NOWEB", true, true),
            ("", "NOWEB", false, true),
            ("latest", "GOWS", false, true),
        ] {
            let can = describe(version, engine).capabilities;
            assert_eq!(
                (can.caller_message_ids, can.find_by_bare_id),
                (ours, bare),
                "{engine} {version}"
            );
        }
    }

    #[test]
    fn an_old_server_is_not_asked_for_events_it_does_not_know() {
        assert!(!events("2024.10.8").contains(&"message.ack.group"));
        assert!(events("2024.10.8").contains(&"message.ack"));
        assert!(events("2026.7.1").contains(&"message.ack.group"));
        assert!(!events("2026.7.1").contains(&"message"));
    }
}
