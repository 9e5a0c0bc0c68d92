//! Accounts and logins.

mod login;
mod me;
mod refresh;
mod signup;
