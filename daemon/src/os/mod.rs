//! Everything of one operating system, behind small functions: nothing else of the daemon knows Linux.

pub mod files;
pub mod process;
