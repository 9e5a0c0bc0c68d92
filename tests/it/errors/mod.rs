//! What every request may count on, whatever its route.

mod bodies;
mod credentials;
mod requests;
