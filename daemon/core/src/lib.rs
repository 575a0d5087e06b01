//! The daemon without a runtime: the keeper (single writer), the journal, the side store and the two times.

pub mod calendar;
pub mod clock;
pub mod journal;
pub mod keeper;
pub mod random;
pub mod side;
pub mod state_dir;
pub mod storage;
