//! The desk over a memory journal and a manual clock.
