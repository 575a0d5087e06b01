//! The keeper over a memory journal.
