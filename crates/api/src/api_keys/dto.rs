use chrono::{DateTime, Utc};
use mf_domain::{Invalid, Preset, ScopeSet};
use mf_http_kit::{Faults, Input, Segment};
use mf_services::MintedKey;
use mf_store::ApiKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A key to be.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ApiKeyCreate {
    /// What to call it.
    #[schema(min_length = 1, max_length = 100, example = "n8n")]
    pub(crate) name: String,
    /// What it shall grant. Neither scopes nor preset: everything, unless the operator asks
    /// for a choice.
    #[schema(max_items = 100, example = json!(["sessions:read", "messages:send"]))]
    pub(crate) scopes: Option<Vec<String>>,
    /// `Messaging`, `Outreach`, `Read Only` or `Full Access`.
    #[schema(max_length = 50)]
    pub(crate) preset: Option<String>,
    /// For how many days it is good. Until it is deleted, unless given.
    #[schema(minimum = 1, maximum = 3650)]
    pub(crate) expires_in_days: Option<u32>,
}

impl ApiKeyCreate {
    /// What is asked for, or nothing in particular.
    pub(crate) fn wish(&self) -> Result<Option<ScopeSet>, Vec<(Vec<Segment>, Invalid)>> {
        match (&self.scopes, &self.preset) {
            (Some(scopes), _) if !scopes.is_empty() => {
                ScopeSet::parse(scopes).map(Some).map_err(|faults| {
                    let place = |index| vec![Segment::from("scopes"), Segment::from(index)];
                    faults
                        .into_iter()
                        .map(|(index, fault)| (place(index), fault))
                        .collect()
                })
            }
            (_, Some(preset)) => Preset::parse(preset)
                .map(|preset| Some(preset.scopes()))
                .map_err(|fault| vec![(vec![Segment::from("preset")], fault)]),
            _ => Ok(None),
        }
    }
}

impl Input for ApiKeyCreate {
    fn check(&self, faults: &mut Faults) {
        if self.name.trim().is_empty() {
            faults.add("name", Invalid::new("value_error.blank", "value is blank"));
        }
        for (place, fault) in self.wish().err().into_iter().flatten() {
            faults.add(place, fault);
        }
    }
}

/// A key, without what it opens.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeyOut {
    id: Uuid,
    name: String,
    /// The first characters of the key, to tell keys apart.
    key_prefix: String,
    scopes: Vec<String>,
    expires_at: Option<DateTime<Utc>>,
    /// Give or take a minute.
    last_used_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    is_active: bool,
}

impl From<ApiKey> for ApiKeyOut {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.uuid(),
            name: key.name,
            key_prefix: key.key_prefix,
            scopes: key.scopes,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            created_at: key.created_at,
            is_active: key.is_active,
        }
    }
}

/// A key, with what it opens.
#[derive(Serialize, ToSchema)]
pub(crate) struct MintedKeyOut {
    #[serde(flatten)]
    key: ApiKeyOut,
    /// The key itself. It is shown this once.
    raw_key: String,
}

impl From<MintedKey> for MintedKeyOut {
    fn from(minted: MintedKey) -> Self {
        Self {
            key: minted.key.into(),
            raw_key: minted.raw,
        }
    }
}

/// A key that is gone.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyDeletedOut {
    /// Always `deleted`.
    pub(crate) status: &'static str,
    pub(crate) id: Uuid,
}
