//! WhatsApp numbers: pairing, lifecycle, settings.

mod crud;
mod failure;
mod lifecycle;
mod qr;
mod settings;
