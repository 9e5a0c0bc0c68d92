//! What tests stand on: database, clients by kind of caller, receivers
