//! Credentials for programs.

mod create;
mod scopes;
mod use_and_end;
