//! An in-process Seatkeeper daemon for a vendor's tests: the real rules, journal and signatures, in memory, on clocks
//! that the test moves.
//!
#![doc = include_str!("../README.md")]

mod daemon;
mod license;
mod wire;

pub use daemon::Daemon;
pub use license::{Feature, Plan};
