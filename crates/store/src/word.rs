use std::{error::Error, str::FromStr};

use mf_domain::{Direction, MessageKind, MessageStatus, Role, SessionStatus};
use sqlx::{
    Decode, Postgres, Type,
    error::BoxDynError,
    postgres::{PgTypeInfo, PgValueRef},
};

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

macro_rules! words {
    ($($name:ty),+) => {$(
        impl From<Word<$name>> for $name {
            fn from(word: Word<$name>) -> Self {
                word.0
            }
        }
    )+};
}

words!(Direction, MessageKind, MessageStatus, Role, SessionStatus);
