//! Power cuts and refused writes under the journal, with a ledger of what was acknowledged.
#![allow(clippy::unwrap_used)] // A test that unwraps has failed, in its helpers too.

mod disk;
mod journal;
mod keeper;
mod random;
mod segment;
mod sim;
