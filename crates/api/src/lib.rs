//! Handlers and their DTOs, one folder per resource, and the router
