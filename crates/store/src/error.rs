use sqlx::{
    error::DatabaseError,
    postgres::{PgDatabaseError, PgSeverity},
};

/// SQLSTATEs that say that the database cannot work at present. 57P: being shut down or started;
/// 53: no disk, memory or connection slot left; 58: the file system failed.
const PASSING: [&str; 3] = ["57P", "53", "58"];
/// Of what ends a connection: that it should not have been opened. 28: who it is for; 3D: where to.
const LASTING: [&str; 2] = ["28", "3D"];

/// Whether what was refused was so for a reason that passes, and that is not the request's.
fn passes(refusal: &dyn DatabaseError) -> bool {
    let code = refusal.code().unwrap_or_default();
    let is_of = |classes: &[&str]| classes.iter().any(|class| code.starts_with(class));
    let severity = refusal
        .try_downcast_ref::<PgDatabaseError>()
        .map(PgDatabaseError::severity);
    let ended = matches!(severity, Some(PgSeverity::Fatal | PgSeverity::Panic));
    is_of(&PASSING) || ended && !is_of(&LASTING)
}

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A named constraint of the schema refused: the caller knows what it means.
    #[error("refused by {constraint}")]
    Constraint {
        /// The constraint's name, such as `app_user_email_key`.
        constraint: String,
    },
    /// The database cannot be reached at present. Nothing is known to be wrong with the
    /// request, and it may be made again.
    #[error("the database cannot be reached")]
    Unavailable(#[source] sqlx::Error),
    /// Anything else: a fault of ours.
    #[error("the database refused")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// There is too much to do at present: as if no connection had been free in time.
    pub fn busy() -> Self {
        Self::Unavailable(sqlx::Error::PoolTimedOut)
    }

    /// Whether the database cannot hold what it was given, now or at any other time: a value out
    /// of its range, or longer than an index takes.
    pub fn is_data(&self) -> bool {
        // 22: data exception; 54: program limit exceeded.
        self.is_of_class(&["22", "54"])
    }

    /// Whether another transaction was in the way. The same one, made again, may succeed.
    pub fn is_conflict(&self) -> bool {
        self.is_of_class(&["40001", "40P01"])
    }

    fn is_of_class(&self, classes: &[&str]) -> bool {
        let Self::Database(sqlx::Error::Database(refusal)) = self else {
            return false;
        };
        let code = refusal.code().unwrap_or_default();
        classes.iter().any(|class| code.starts_with(class))
    }

    /// Whether a constraint of this name refused.
    pub fn is_constraint(&self, name: &str) -> bool {
        matches!(self, Self::Constraint { constraint } if constraint == name)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(refusal) = &error {
            if let Some(constraint) = refusal.constraint() {
                return Self::Constraint {
                    constraint: constraint.to_owned(),
                };
            }
            if passes(refusal.as_ref()) {
                return Self::Unavailable(error);
            }
        }
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unavailable(error),
            other => Self::Database(other),
        }
    }
}
