//! How a session gets its phone.

use chrono::{DateTime, TimeDelta, Utc};
use mf_domain::{PhoneNumber, SessionId, SessionStatus};
use mf_engine::{EngineError, SessionKey};
use mf_store::Tenant;

use super::SessionRefused;
use crate::Services;

/// How long WhatsApp shows a code before it shows the next.
const QR_LIFETIME: TimeDelta = TimeDelta::seconds(20);

/// The code that a phone scans.
#[derive(Debug, Clone)]
pub struct QrCode {
    /// What the code says.
    pub text: String,
    /// Until when it can be counted on. The first code of a pairing lives longer.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Services {
    /// The QR code that a session shows at present.
    pub async fn session_qr(
        &self,
        tenant: Tenant,
        id: SessionId,
    ) -> Result<QrCode, SessionRefused> {
        let session = self.session(tenant, id).await?;
        if session.status != SessionStatus::QrCode {
            return Err(no_qr_code(session.status));
        }
        match self.engine.qr(&SessionKey::of(id)).await {
            Ok(text) => {
                let expires_at = session.engine_status_at.map(|since| since + QR_LIFETIME);
                Ok(QrCode { text, expires_at })
            }
            Err(EngineError::NotReady { status }) => {
                Err(no_qr_code(status.unwrap_or(SessionStatus::Starting)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The code that pairs a session when it is typed on the phone with this number.
    pub async fn session_pairing_code(
        &self,
        tenant: Tenant,
        id: SessionId,
        phone: &PhoneNumber,
    ) -> Result<String, SessionRefused> {
        let session = self.session(tenant, id).await?;
        if session.status != SessionStatus::QrCode {
            return Err(no_pairing_code(session.status));
        }
        match self.engine.pairing_code(&SessionKey::of(id), phone).await {
            Err(EngineError::NotReady { status }) => {
                Err(no_pairing_code(status.unwrap_or(SessionStatus::Starting)))
            }
            code => Ok(code?),
        }
    }
}

fn no_qr_code(status: SessionStatus) -> SessionRefused {
    let hint = hint(status);
    SessionRefused::NoQrCode { status, hint }
}

fn no_pairing_code(status: SessionStatus) -> SessionRefused {
    let hint = hint(status);
    SessionRefused::NoPairingCode { status, hint }
}

/// What to do about there being no code.
const fn hint(status: SessionStatus) -> &'static str {
    match status {
        SessionStatus::Working => "It is paired already.",
        SessionStatus::Starting => "Wait until it is qr_code.",
        SessionStatus::QrCode => "Ask again in a moment.",
        SessionStatus::Stopped | SessionStatus::Failed => "Start it first.",
    }
}
