//! The daemon around the core: sockets, threads, files.

pub mod api;
pub mod clock;
pub mod config;
pub mod os;
