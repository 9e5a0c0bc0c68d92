use mf_domain::{PhoneNumber, SessionId};
use mf_http_kit::{
    ApiError, ApiResult, Body, Caller, Faults, Path, Reply,
    caller::SessionsManage,
    openapi::{AuthErrors, EngineErrors, InputErrors, NotFoundError, ServerErrors},
};

use super::{
    dto::{PairingCodeIn, PairingCodeOut},
    refused,
};

/// Get a pairing code
///
/// Instead of scanning the QR code: WhatsApp, Linked devices, Link with phone number. The session
/// must be in `qr_code`, and the phone is the one that the code is typed on.
#[utoipa::path(
    post, path = "/sessions/{session_id}/pairing-code", tag = "sessions",
    params(("session_id" = Uuid, Path, description = "The session's id")),
    request_body = PairingCodeIn,
    security(("ApiKeyAuth" = ["sessions:manage"]), ("BearerAuth" = ["sessions:manage"])),
    responses((status = 200, body = PairingCodeOut), AuthErrors, NotFoundError, InputErrors, EngineErrors, ServerErrors),
)]
pub(crate) async fn create_session_pairing_code(
    caller: Caller<SessionsManage>,
    Path(id): Path<SessionId>,
    Body(body): Body<PairingCodeIn>,
) -> ApiResult<Reply<PairingCodeOut>> {
    let phone = PhoneNumber::parse(&body.phone)
        .map_err(|invalid| ApiError::invalid(Faults::body("phone", invalid)))?;
    let code = caller
        .services
        .session_pairing_code(caller.tenant(), id, &phone)
        .await
        .map_err(refused)?;
    Ok(Reply(PairingCodeOut { code }))
}
