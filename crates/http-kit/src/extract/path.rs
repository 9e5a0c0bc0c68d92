use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use mf_domain::{
    ApiKeyId, ChatId, ContactId, DeliveryId, EventId, Invalid, MessageId, SessionId, TenantId,
    UserId, WebhookId,
};
use uuid::Uuid;

use crate::validation::words;
use crate::{ApiError, Faults, Place};

/// The parameters of the path, in their order: one [`PathParam`] or a tuple of them.
///
/// `#[utoipa::path]` documents them by itself where they are `Uuid`, `String` or numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path<T>(pub T);

/// What one parameter of a path can be read as.
pub trait PathParam: Sized {
    /// Reads the parameter's text, its escapes already resolved.
    fn parse(text: &str) -> Result<Self, Invalid>;
}

impl PathParam for String {
    fn parse(text: &str) -> Result<Self, Invalid> {
        if text.contains('\0') {
            Err(words::nul())
        } else {
            Ok(text.to_owned())
        }
    }
}

impl PathParam for Uuid {
    fn parse(text: &str) -> Result<Self, Invalid> {
        Self::try_parse(text).map_err(|_| words::uuid())
    }
}

macro_rules! integers {
    ($($kind:ty),+) => {$(
        impl PathParam for $kind {
            fn parse(text: &str) -> Result<Self, Invalid> {
                text.parse().map_err(|_| words::integer())
            }
        }
    )+};
}

integers! { i32, i64, u32, u64 }

macro_rules! ids {
    ($($id:ty),+) => {$(
        impl PathParam for $id {
            fn parse(text: &str) -> Result<Self, Invalid> {
                <Uuid as PathParam>::parse(text).map(Self::from)
            }
        }
    )+};
}

ids! {
    ApiKeyId, ChatId, ContactId, DeliveryId, EventId, MessageId, SessionId, TenantId, UserId,
    WebhookId
}

/// What all parameters of a path together can be read as.
pub trait PathParams: Sized {
    /// Reads the parameters in their order; lists every one that does not fit.
    fn read(params: &mut dyn Iterator<Item = (&str, &str)>, faults: &mut Faults) -> Option<Self>;
}

fn next<T: PathParam>(
    params: &mut dyn Iterator<Item = (&str, &str)>,
    faults: &mut Faults,
) -> Option<T> {
    let (name, text) = params.next()?;
    faults.keep(name.to_owned(), T::parse(text))
}

impl<T: PathParam> PathParams for T {
    fn read(params: &mut dyn Iterator<Item = (&str, &str)>, faults: &mut Faults) -> Option<Self> {
        next(params, faults)
    }
}

macro_rules! tuples {
    ($(($($part:ident),+))+) => {$(
        impl<$($part: PathParam),+> PathParams for ($($part,)+) {
            fn read(
                params: &mut dyn Iterator<Item = (&str, &str)>,
                faults: &mut Faults,
            ) -> Option<Self> {
                // All are read before any is missed, so that all faults are listed.
                let parts = ($(next::<$part>(params, faults),)+);
                #[allow(non_snake_case)]
                let ($($part,)+) = parts;
                Some(($($part?,)+))
            }
        }
    )+};
}

tuples! { (A, B) (A, B, C) (A, B, C, D) }

impl<T: PathParams, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|error| ApiError::bad_request("The path is not valid UTF-8").because(error))?;
        let mut faults = Faults::new(Place::Path);
        match T::read(&mut params.iter(), &mut faults) {
            Some(read) => Ok(Self(read)),
            None if faults.is_empty() => Err(ApiError::internal(
                "the route has fewer parameters than its handler reads",
            )),
            None => Err(faults.into()),
        }
    }
}
