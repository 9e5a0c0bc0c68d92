//! The adapter against a simulated WAHA over real HTTP, in each of WAHA's dialects.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod carried;
mod happening;
mod lists;
mod openapi;
mod openapi_more;
mod receiver;
mod waha;
mod world;

use mf_waha_sim::Dialect;
use world::SimWorld;

mf_engine::conformance_tests!(noweb, SimWorld::new(Dialect::Noweb));
mf_engine::conformance_tests!(gows, SimWorld::new(Dialect::Gows));
mf_engine::conformance_tests!(webjs, SimWorld::new(Dialect::Webjs));
