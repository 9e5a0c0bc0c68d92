use axum::body::Bytes;
use axum::extract::multipart::{Field, Multipart, MultipartError, MultipartRejection};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Body, room};
use crate::validation::{self, Input};
use crate::{ApiError, Place};

/// A body that may bring a file: JSON, or a form (`multipart/form-data`) whose texts are the
/// same fields and whose one file comes beside them. Both are held against the same schema,
/// which must be that of a plain structure. A form with a file sets the field `file` to true.
#[derive(Debug)]
pub struct Upload<T> {
    /// The fields.
    pub input: T,
    /// The file of a form.
    pub file: Option<UploadedFile>,
    /// Room for as long as it is worked on.
    pub place: UploadPlace,
}

/// Large bodies are few at a time, of one tenant and in all. Kept until the file is stored.
#[derive(Debug)]
pub struct UploadPlace {
    _place: Option<room::Place>,
}

/// A file out of a form.
pub struct UploadedFile {
    /// What is in it.
    pub bytes: Bytes,
    /// Its name, where the form says one.
    pub filename: Option<String>,
    /// Its type, where the form says one.
    pub mimetype: Option<String>,
}

/// Its length: what is in it, and its name, are nobody's business.
impl std::fmt::Debug for UploadedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UploadedFile({} bytes)", self.bytes.len())
    }
}

impl<T: Input + ToSchema, S: Send + Sync> FromRequest<S> for Upload<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let size = room::Size::of(&request);
        let place = UploadPlace {
            _place: room::place(size).await?,
        };
        if !is_form(&request) {
            let Body(input) = Body::from_request(request, state).await?;
            return Ok(Self {
                input,
                file: None,
                place,
            });
        }
        let mut form = Multipart::from_request(request, state)
            .await
            .map_err(|rejection: MultipartRejection| malformed(&rejection.body_text()))?;
        let (mut pairs, mut file) = (Vec::new(), None);
        while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
            if field.file_name().is_some() {
                if file.replace(read_file(field).await?).is_some() {
                    return Err(ApiError::bad_request("The form brings more than one file"));
                }
            } else {
                let name = field.name().unwrap_or_default().to_owned();
                let text = field.text().await.map_err(|error| broken(&error))?;
                pairs.push((name, text));
            }
        }
        let validator = validation::of_body::<T>();
        let mut value = validator.coerce(&pairs);
        if let (Some(_), Some(fields)) = (&file, value.as_object_mut()) {
            // So that a check of the fields can see that there is one.
            fields.insert("file".to_owned(), Value::Bool(true));
        }
        let input = validation::read(&validator, Place::Body, value).map_err(ApiError::invalid)?;
        Ok(Self { input, file, place })
    }
}

fn is_form(request: &Request) -> bool {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .trim_start()
                .to_ascii_lowercase()
                .starts_with("multipart/form-data")
        })
}

async fn read_file(field: Field<'_>) -> Result<UploadedFile, ApiError> {
    let filename = field.file_name().map(str::to_owned);
    let mimetype = field.content_type().map(str::to_owned);
    Ok(UploadedFile {
        bytes: field.bytes().await.map_err(|error| broken(&error))?,
        filename: filename.filter(|name| !name.is_empty()),
        mimetype,
    })
}

fn broken(error: &MultipartError) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::too_large()
    } else {
        malformed(&error.body_text())
    }
}

fn malformed(why: &str) -> ApiError {
    ApiError::bad_request(format!("The form could not be read: {why}"))
}
