//! Whose is whose: every operation of the live document, with somebody else's ids, without a
//! credential, and without the scope. A new operation is walked by itself, or fails the test
//! until it is told how to be called.

mod credentials;
mod document;
mod tenants;
