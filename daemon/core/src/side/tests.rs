//! Names, counts and the ring.
