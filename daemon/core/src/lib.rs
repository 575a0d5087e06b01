//! The daemon without a runtime: the desk (wire and signatures), the keeper (single writer), the journal, the side store
//! and the two times.

pub mod authorize;
pub mod calendar;
pub mod checkpoint;
pub mod clock;
pub mod desk;
mod hush;
pub mod journal;
pub mod keeper;
pub mod keys;
pub mod licenses;
pub mod login;
pub mod problem;
pub mod random;
pub mod side;
pub mod state_dir;
pub mod storage;
mod store;
