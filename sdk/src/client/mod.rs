//! The client: it asks a local daemon for seats, holds them while the application runs, and gives them back.

#[cfg(feature = "admin")]
pub mod admin;
mod endpoint;
#[cfg_attr(
    not(any(feature = "admin", feature = "testing")),
    allow(unreachable_pub, reason = "public for tests and the command line only")
)]
mod transport;
