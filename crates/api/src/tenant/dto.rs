use mf_domain::{ContentStorage, Invalid};
use mf_http_kit::{Faults, Input};
use mf_store::{SettingsPatch, TenantSettings};
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use utoipa::ToSchema;

/// What a tenant has set for itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct TenantSettingsOut {
    /// Whether API keys may read the history of chats. Whoever logged in always may.
    chat_history_access_enabled: bool,
    /// After how many days messages are removed. Null: never.
    message_retention_days: Option<i32>,
    /// How much of a message's text is kept.
    store_message_content: KeptContent,
}

impl From<TenantSettings> for TenantSettingsOut {
    fn from(settings: TenantSettings) -> Self {
        Self {
            chat_history_access_enabled: settings.chat_history_access_enabled,
            message_retention_days: settings.message_retention_days,
            store_message_content: settings.store_message_content.into(),
        }
    }
}

/// How much of a message's text is kept.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeptContent {
    /// All of it.
    Full,
    /// The first 500 characters. Events tell all of it.
    Preview,
}

impl From<ContentStorage> for KeptContent {
    fn from(storage: ContentStorage) -> Self {
        match storage {
            ContentStorage::Full => Self::Full,
            ContentStorage::Preview => Self::Preview,
        }
    }
}

impl From<KeptContent> for ContentStorage {
    fn from(kept: KeptContent) -> Self {
        match kept {
            KeptContent::Full => Self::Full,
            KeptContent::Preview => Self::Preview,
        }
    }
}

/// A change of settings. What is left out stays.
#[derive(Deserialize, ToSchema)]
pub(crate) struct TenantSettingsPatch {
    /// Whether API keys may read the history of chats.
    chat_history_access_enabled: Option<bool>,
    /// After how many days messages are removed, those that are there already included. Null:
    /// never.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 3650, example = 365)]
    message_retention_days: Given<i32>,
    /// How much of the text of messages to come is kept.
    store_message_content: Option<KeptContent>,
    /// What the documented API has and this server does not enforce yet: an answer of 200 would
    /// be taken for protection.
    #[serde(default)]
    #[schema(ignore)]
    allowed_numbers: Option<IgnoredAny>,
    #[serde(default)]
    #[schema(ignore)]
    require_approval: Option<IgnoredAny>,
    #[serde(default)]
    #[schema(ignore)]
    ai_consent_enabled: Option<IgnoredAny>,
}

impl Input for TenantSettingsPatch {
    fn check(&self, faults: &mut Faults) {
        for (field, given) in [
            ("allowed_numbers", &self.allowed_numbers),
            ("require_approval", &self.require_approval),
            ("ai_consent_enabled", &self.ai_consent_enabled),
        ] {
            if given.is_some() {
                let invalid = Invalid::new(
                    "value_error.not_supported",
                    "this server does not enforce this setting yet",
                );
                faults.add(field, invalid);
            }
        }
    }
}

/// Left out, null, or a value: three different things.
type Given<T> = Option<Option<T>>;

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Given<i32>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl TenantSettingsPatch {
    pub(crate) fn patch(&self) -> SettingsPatch {
        SettingsPatch {
            chat_history_access_enabled: self.chat_history_access_enabled,
            message_retention_days: self.message_retention_days,
            store_message_content: self.store_message_content.map(ContentStorage::from),
        }
    }
}
