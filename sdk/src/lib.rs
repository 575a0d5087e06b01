//! What an application links to hold a license seat, and the contract that everyone shares: tokens and wire types.
#![cfg_attr(feature = "client", doc = "")]
#![cfg_attr(feature = "client", doc = include_str!("../README.md"))]

pub mod token;
pub mod wire;

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
#[cfg_attr(
    not(feature = "testing"),
    allow(unreachable_pub, reason = "public for tests only")
)]
mod clock;
#[cfg(feature = "client")]
mod os;

#[cfg(feature = "admin")]
pub use client::admin;
#[cfg(feature = "client")]
pub use client::{
    Builder, Checkout, Client, Denied, EndingReason, Error, Event, EventKind, LeaseFacts,
    LostReason, Misused, Seat, Several, State, Unreachable, Until, Untrusted,
};

/// What a vendor's tests put in the place of a socket and of time.
#[cfg(all(feature = "client", feature = "testing"))]
pub mod testing {
    pub use crate::client::{Broken, DEV_ROOT, Request, Response, Transport};
    pub use crate::clock::{Bell, BootClock, Clock, ManualClock, Moment};

    /// The 16 raw bytes of this machine's boot id, which leases are bound to.
    ///
    /// # Errors
    /// Where the machine does not tell.
    pub fn boot_id() -> std::io::Result<[u8; 16]> {
        crate::os::boot_id()
    }
}
