//! Power cuts and refused writes under the journal, with a ledger of what was acknowledged.

mod disk;
mod journal;
mod random;
