use chrono::{DateTime, Utc};
use mf_domain::{PhoneNumber, SessionName};
use mf_http_kit::{Faults, Input};
use mf_store::Session;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A session to be.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SessionCreate {
    /// What to call it.
    #[schema(min_length = 1, max_length = 100, example = "Front desk")]
    pub(crate) name: String,
}

impl Input for SessionCreate {
    fn check(&self, faults: &mut Faults) {
        faults.keep("name", SessionName::parse(&self.name));
    }
}

/// A WhatsApp number connected to the server.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionOut {
    id: Uuid,
    name: String,
    /// `stopped`, `starting`, `qr_code`, `working` or `failed`.
    #[schema(example = "working")]
    status: &'static str,
    /// Digits, once paired.
    #[schema(example = "15551234567")]
    phone_number: Option<String>,
    is_business: bool,
    push_name: Option<String>,
    /// What was set at `/settings`.
    #[schema(value_type = Object)]
    config: Value,
    /// Why it is where it is, if that is no good place.
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Session> for SessionOut {
    fn from(session: Session) -> Self {
        Self {
            id: session.id.uuid(),
            name: session.name,
            status: session.status.as_str(),
            phone_number: session.phone_number,
            is_business: session.is_business,
            push_name: session.push_name,
            config: session.config,
            last_error: session.last_error,
            created_at: session.created_at,
            updated_at: session.updated_at,
        }
    }
}

/// A session that is gone.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionDeletedOut {
    /// Always `deleted`.
    pub(crate) status: &'static str,
    pub(crate) id: Uuid,
}

/// How the QR code shall be answered.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct QrQuery {
    /// Unless given: JSON where `Accept` asks for it, else a PNG.
    #[param(inline)]
    pub(crate) format: Option<QrFormat>,
}

impl Input for QrQuery {}

/// Forms of a QR code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum QrFormat {
    Png,
    Image,
    Svg,
    Json,
    Raw,
}

/// A QR code with what there is to know about it.
#[derive(Serialize, ToSchema)]
pub(crate) struct QrOut {
    pub(crate) session_id: Uuid,
    /// Always `qr_code`.
    pub(crate) status: &'static str,
    /// What the code says.
    pub(crate) qr: String,
    /// The code as a PNG, in a data URL.
    pub(crate) image: String,
    /// Until when it can be counted on; then there is another.
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// Whose phone is to be paired.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PairingCodeIn {
    /// The number with its country code.
    #[schema(max_length = 64, example = "15551234567")]
    pub(crate) phone: String,
}

impl Input for PairingCodeIn {
    fn check(&self, faults: &mut Faults) {
        faults.keep("phone", PhoneNumber::parse(&self.phone));
    }
}

/// What to type on the phone.
#[derive(Serialize, ToSchema)]
pub(crate) struct PairingCodeOut {
    #[schema(example = "ABCD-EFGH")]
    pub(crate) code: String,
}

/// A session's settings.
#[derive(Serialize, ToSchema)]
pub(crate) struct SettingsOut {
    /// Always `ok`.
    pub(crate) status: &'static str,
    #[schema(value_type = Object)]
    pub(crate) config: Value,
}
