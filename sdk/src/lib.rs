//! What an application links to hold a seat.
