use std::{error::Error, str::FromStr};

use mf_domain::{
    ContentStorage, DeliveryState, Direction, MediaState, MessageKind, MessageStatus, Role,
    SessionStatus,
};
use sqlx::{
    Decode, Postgres, Type,
    error::BoxDynError,
    postgres::{PgTypeInfo, PgValueRef},
};
use uuid::Uuid;

/// A `text` column that holds one of a domain enum's words.
#[derive(Debug)]
pub(crate) struct Word<T>(T);

impl<T> Type<Postgres> for Word<T> {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <str as Type<Postgres>>::compatible(ty)
    }
}

impl<'r, T> Decode<'r, Postgres> for Word<T>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<&str as Decode<Postgres>>::decode(value)?.parse()?))
    }
}

/// A `uuid` column that may be empty. Say `AS "column!: MaybeId<T>"`: it sees to `NULL` itself.
#[derive(Debug)]
pub(crate) struct MaybeId<T>(Option<T>);

impl<T> Type<Postgres> for MaybeId<T> {
    fn type_info() -> PgTypeInfo {
        <Uuid as Type<Postgres>>::type_info()
    }
}

impl<'r, T: From<Uuid>> Decode<'r, Postgres> for MaybeId<T> {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let id = <Option<Uuid> as Decode<Postgres>>::decode(value)?;
        Ok(Self(id.map(T::from)))
    }
}

impl<T> From<MaybeId<T>> for Option<T> {
    fn from(id: MaybeId<T>) -> Self {
        id.0
    }
}

macro_rules! words {
    ($($name:ty),+) => {$(
        impl From<Word<$name>> for $name {
            fn from(word: Word<$name>) -> Self {
                word.0
            }
        }
    )+};
}

words!(
    ContentStorage,
    DeliveryState,
    Direction,
    MediaState,
    MessageKind,
    MessageStatus,
    Role,
    SessionStatus
);
