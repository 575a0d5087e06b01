//! The HTTP API: who may connect, who asks, one file per resource. It decides nothing; the desk does.

mod exchange;
mod extract;
mod identity;
mod limits;
mod listener;
mod permits;
mod refusal;
mod trace;
mod wire;

pub use identity::{Account, NameServiceDown, Names};
pub use limits::Limits;

#[cfg(test)]
mod listener_tests;
