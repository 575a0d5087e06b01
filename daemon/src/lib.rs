//! The daemon around the core: configuration, the operating system, sockets and files.

pub mod api;
pub mod clock;
pub mod config;
pub mod dev;
pub mod inbox;
pub mod mail;
pub mod observe;
pub mod os;
pub mod run;
pub mod service;
pub mod site;
mod sweep;
