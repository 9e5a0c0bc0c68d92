use mf_engine::{Capabilities, EngineInfo, Feature, FeatureSet};

/// WAHA's engines, as far as they differ for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Noweb,
    Gows,
    Webjs,
    Wpp,
    /// Whatever comes: nothing is presumed of it.
    Other,
}

impl Dialect {
    pub(crate) fn named(name: &str) -> Self {
        match name.to_ascii_uppercase().as_str() {
            "NOWEB" => Self::Noweb,
            "GOWS" => Self::Gows,
            "WEBJS" => Self::Webjs,
            "WPP" => Self::Wpp,
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

/// Since when texts, polls, places and cards are sent under the caller's id, where they are at
/// all. Of media no version says that it does so.
const CALLER_IDS: Version = Version(2026, 4, 3);

/// Since when there are stickers.
const STICKERS: Version = Version(2026, 8, 2);

/// Since when there is the engine called WPP.
const WPP: Version = Version(2026, 3, 1);

const NEVER: Option<Version> = None;
const ALWAYS: Option<Version> = Some(ANY);

/// A feature, and since which version each engine has it.
struct Row {
    feature: Feature,
    noweb: Option<Version>,
    gows: Option<Version>,
    webjs: Option<Version>,
    wpp: Option<Version>,
}

const fn row(feature: Feature, [noweb, gows, webjs, wpp]: [Option<Version>; 4]) -> Row {
    Row {
        feature,
        noweb,
        gows,
        webjs,
        wpp,
    }
}

/// What not every engine can do.
#[rustfmt::skip]
const FEATURES: &[Row] = &[
    //                            NOWEB           GOWS            WEBJS           WPP
    row(Feature::Stickers,       [Some(STICKERS), Some(STICKERS), Some(STICKERS), Some(STICKERS)]),
    row(Feature::Stars,          [ALWAYS,         NEVER,          ALWAYS,         Some(WPP)]),
    row(Feature::AllChats,       [ALWAYS,         ALWAYS,         NEVER,          NEVER]),
    row(Feature::LabelEvents,    [ALWAYS,         ALWAYS,         NEVER,          NEVER]),
    row(Feature::CreateChannels, [ALWAYS,         ALWAYS,         NEVER,          Some(WPP)]),
    row(Feature::DeleteChannels, [ALWAYS,         NEVER,          NEVER,          Some(WPP)]),
    row(Feature::FollowChannels, [NEVER,          ALWAYS,         NEVER,          Some(WPP)]),
    row(Feature::PollVotes,      [ALWAYS,         ALWAYS,         ALWAYS,         Some(WPP)]),
    row(Feature::CallsTaken,     [ALWAYS,         ALWAYS,         NEVER,          NEVER]),
];

impl Row {
    fn holds(&self, dialect: Dialect, version: Version) -> bool {
        let since = match dialect {
            Dialect::Noweb => self.noweb,
            Dialect::Gows => self.gows,
            Dialect::Webjs => self.webjs,
            Dialect::Wpp => self.wpp,
            Dialect::Other => NEVER,
        };
        since.is_some_and(|since| version >= since)
    }
}

/// What a WAHA of this version and engine is and can do.
pub(crate) fn describe(version: &str, engine: &str) -> EngineInfo {
    let (dialect, number) = (Dialect::named(engine), Version::read(version));
    let direct = matches!(dialect, Dialect::Noweb | Dialect::Gows);
    let features: Vec<_> = FEATURES
        .iter()
        .filter(|row| row.holds(dialect, number))
        .map(|row| row.feature)
        .collect();
    EngineInfo {
        version: version.to_owned(),
        dialect: engine.to_owned(),
        capabilities: Capabilities {
            caller_message_ids: direct && number >= CALLER_IDS,
            caller_media_ids: false,
            find_by_bare_id: direct,
            features: FeatureSet::of(&features),
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
    use mf_engine::Feature;

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
    fn each_engine_can_do_what_its_column_says() {
        let can = |version, engine, feature| describe(version, engine).capabilities.can(feature);
        for (engine, version, feature, expected) in [
            ("NOWEB", "2026.8.2", Feature::Stickers, true),
            ("WEBJS", "2026.8.1", Feature::Stickers, false),
            ("GOWS", "2026.8.2", Feature::Stars, false),
            ("NOWEB", "2024.10.8", Feature::Stars, true),
            ("WEBJS", "2026.7.1", Feature::AllChats, false),
            ("GOWS", "2026.7.1", Feature::LabelEvents, true),
            ("WEBJS", "2026.7.1", Feature::CreateChannels, false),
            ("GOWS", "2026.7.1", Feature::DeleteChannels, false),
            ("gows", "2026.7.1", Feature::FollowChannels, true),
            ("WPP", "2026.7.1", Feature::DeleteChannels, true),
            ("WPP", "2026.2.1", Feature::DeleteChannels, false),
            ("WEBJS", "2026.7.1", Feature::PollVotes, true),
            ("WEBJS", "2026.7.1", Feature::CallsTaken, false),
            ("ANOTHER", "2027.1.1", Feature::PollVotes, false),
        ] {
            assert_eq!(
                can(version, engine, feature),
                expected,
                "{engine} {version} {feature:?}"
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
