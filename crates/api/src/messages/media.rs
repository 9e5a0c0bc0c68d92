use std::ops::Range;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::TryStreamExt as _;
use mf_domain::MediaId;
use mf_http_kit::{
    ApiError, ApiResult, Caller, Path,
    caller::MessagesRead,
    openapi::{AuthErrors, NotFoundError, ParamErrors, ServerErrors},
};
use mf_services::{MediaUnavailable, OpenedMedia};
use mf_store::Media;
use uuid::Uuid;

use super::{
    access::let_read_history,
    file_headers::{Part, disposition, is_known},
    form_dto::FileBytes,
};

/// Seconds after which a file that is on its way is worth another look.
const ARRIVES_IN: u64 = 5;

/// Read a file
///
/// The file of a message, in whichever direction it went. Of one that is still on its way from
/// WhatsApp the answer waits a little. A single `Range` of bytes is answered with that part. An
/// API key may read it only where the tenant lets keys read the history.
#[utoipa::path(
    get, path = "/media/{media_id}", tag = "messages",
    params(
        ("media_id" = Uuid, Path, description = "The file's id, as the message has it"),
        ("Range" = Option<String>, Header, description = "`bytes=0-1023`, `bytes=1024-` or `bytes=-1024`"),
        ("If-Range" = Option<String>, Header, description = "The `ETag` for which `Range` is meant"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` that is known already"),
    ),
    security(("ApiKeyAuth" = ["messages:read"]), ("BearerAuth" = ["messages:read"])),
    responses(
        (status = 200, body = FileBytes, content_type = "*/*", description = "The file"),
        (status = 206, body = FileBytes, content_type = "*/*", description = "The part asked for"),
        (status = 304, description = "It is the one that is known"),
        (status = 416, body = mf_http_kit::openapi::ErrorOut, description = "There is no such part"),
        AuthErrors, NotFoundError, ParamErrors, ServerErrors,
    ),
)]
pub(crate) async fn get_media(
    caller: Caller<MessagesRead>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let mut tx = caller.begin_reading().await?;
    let_read_history(&caller, &mut tx).await?;
    tx.commit().await?;
    let (services, tenant) = (&caller.services, caller.tenant());
    let media = services.media(tenant, MediaId::from(id)).await;
    let media = media.map_err(unavailable)?;
    let etag = media
        .sha256
        .as_ref()
        .map(|sha256| format!("\"{}\"", hex::encode(sha256)));
    let given = |name: HeaderName| headers.get(name)?.to_str().ok();
    if let (Some(known), Some(etag)) = (given(header::IF_NONE_MATCH), &etag)
        && is_known(known, etag)
    {
        let head = [cache(), (header::ETAG, text(etag))];
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    // A part is meant for the file that the client knows. A date never says which that is.
    let meant = given(header::IF_RANGE).is_none_or(|known| Some(known) == etag.as_deref());
    let range = given(header::RANGE).filter(|_| meant);
    let size = media.size.and_then(|size| u64::try_from(size).ok());
    let part = match size.map_or(Part::Whole, |size| Part::of(range, size)) {
        Part::Whole => None,
        Part::Bytes(part) => Some(part),
        Part::Nowhere => {
            let none = MediaUnavailable::Range(size.unwrap_or(0));
            return Err(unavailable(none));
        }
    };
    let is_part = part.is_some();
    let opened = services.open_media(tenant, media, part).await;
    Ok(answer(
        opened.map_err(unavailable)?,
        is_part,
        etag.as_deref(),
    ))
}

fn answer(opened: OpenedMedia, is_part: bool, etag: Option<&str>) -> Response {
    let OpenedMedia { media, opened } = opened;
    let Range { start, end } = opened.range;
    let body = opened.stream.inspect_err(|error| {
        tracing::warn!(error = %error, "a file broke off while it was read");
    });
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.extend([
        cache(),
        (header::CONTENT_LENGTH, HeaderValue::from(end - start)),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        // It goes out as it is: of what is compressed on the way no part can be asked for.
        (
            header::CONTENT_ENCODING,
            HeaderValue::from_static("identity"),
        ),
        // Strangers made it. Whatever it turns out to be, it runs nothing.
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("sandbox; default-src 'none'"),
        ),
    ]);
    describe(headers, &media);
    if let Some(etag) = etag {
        headers.insert(header::ETAG, text(etag));
    }
    if is_part && end > start {
        let range = format!("bytes {start}-{}/{}", end - 1, opened.size);
        headers.insert(header::CONTENT_RANGE, text(&range));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

fn describe(headers: &mut HeaderMap, media: &Media) {
    // Its type may be what a stranger says it is.
    let mimetype = HeaderValue::from_str(&media.mimetype)
        .ok()
        .filter(|mimetype| !mimetype.is_empty())
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, mimetype);
    let how = disposition(&media.mimetype, media.filename.as_deref());
    headers.insert(header::CONTENT_DISPOSITION, text(&how));
}

/// The bytes behind an id never change; but a message may be taken back, and its file with it.
const fn cache() -> (HeaderName, HeaderValue) {
    let value = HeaderValue::from_static("private, max-age=86400, immutable");
    (header::CACHE_CONTROL, value)
}

/// What is put together from ASCII alone.
fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static(""))
}

fn unavailable(reason: MediaUnavailable) -> ApiError {
    let sentence = reason.to_string();
    match reason {
        MediaUnavailable::NotFound => ApiError::not_found("Media"),
        MediaUnavailable::Lost => ApiError::new(StatusCode::NOT_FOUND, sentence),
        MediaUnavailable::NotYet => ApiError::unavailable(sentence, ARRIVES_IN),
        MediaUnavailable::Range(size) => ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, sentence)
            .with_header(header::CONTENT_RANGE, text(&format!("bytes */{size}"))),
        MediaUnavailable::Store(error) => ApiError::internal(error),
        MediaUnavailable::Failed(error) => error.into(),
    }
}
