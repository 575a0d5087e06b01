//! The whole walk, as the README tells it.
