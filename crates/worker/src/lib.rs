//! Background work: the outbox and reconciliation
