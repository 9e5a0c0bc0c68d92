use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mf_domain::SessionId;
use mf_http_kit::{
    ApiError, ApiResult, Caller, Path, Query, Reply,
    caller::SessionsManage,
    openapi::{AuthErrors, EngineErrors, NotFoundError, ParamErrors, ServerErrors},
};

use utoipa::ToSchema;

use super::{
    dto::{QrFormat, QrOut, QrQuery},
    qr_image, refused,
};

/// Get the QR code
///
/// For the phone: WhatsApp, Linked devices, Link a device. A code lives about 20 seconds;
/// `session.status` at `/events` says when there is another.
#[utoipa::path(
    get, path = "/sessions/{session_id}/qr", tag = "sessions",
    params(("session_id" = Uuid, Path, description = "The session's id"), QrQuery),
    security(("ApiKeyAuth" = ["sessions:manage"]), ("BearerAuth" = ["sessions:manage"])),
    responses(
        (status = 200, content(
            (QrPicture = "image/png"), (String = "image/svg+xml"), (QrOut = "application/json"),
            (String = "text/plain"),
        )),
        AuthErrors, NotFoundError, ParamErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn get_session_qr(
    caller: Caller<SessionsManage>,
    Path(id): Path<SessionId>,
    Query(query): Query<QrQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let code = caller
        .services
        .session_qr(caller.tenant(), id)
        .await
        .map_err(refused)?;
    let image = |result: Result<_, qr_image::TooLong>| result.map_err(ApiError::internal);
    let answer = match query.format.unwrap_or_else(|| preferred(&headers)) {
        QrFormat::Png | QrFormat::Image => {
            let png = image(qr_image::png(&code.text))?;
            ([(header::CONTENT_TYPE, "image/png")], png).into_response()
        }
        QrFormat::Svg => {
            let svg = image(qr_image::svg(&code.text).map(String::into_bytes))?;
            ([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response()
        }
        QrFormat::Raw => code.text.into_response(),
        QrFormat::Json => {
            let png = image(qr_image::png(&code.text))?;
            let image = format!("data:image/png;base64,{}", STANDARD.encode(png));
            let status = "qr_code";
            let expires_at = code.expires_at;
            Reply(QrOut {
                session_id: id.uuid(),
                status,
                qr: code.text,
                image,
                expires_at,
            })
            .into_response()
        }
    };
    Ok(answer)
}

/// The PNG, for the document.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it only documents")]
struct QrPicture(Vec<u8>);

/// JSON for those who ask for JSON and for no picture.
fn preferred(headers: &HeaderMap) -> QrFormat {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    match accept {
        Some(accept) if accept.contains("application/json") && !accept.contains("image/") => {
            QrFormat::Json
        }
        _ => QrFormat::Png,
    }
}
