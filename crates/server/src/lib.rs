//! The binary: configuration, wiring, embedded Postgres, command line
