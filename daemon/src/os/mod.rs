//! Everything of one operating system, behind small functions: nothing else of the daemon knows Linux.

pub mod files;
pub mod machine;
pub mod names;
pub mod peer;
pub mod process;
pub mod service;
pub mod socket;
pub mod watch;
