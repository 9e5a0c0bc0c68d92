//! The real program as a child process: its first start, its command line, its end, and what
//! becomes of messages when it is killed.

mod client;
mod gate;
mod rig;
mod scene;

mod command_line;
mod configuration;
mod database_away;
mod drain;
mod first_start;
mod inbox;
mod kill;
mod secrecy;
