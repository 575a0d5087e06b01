//! What an application links to hold a license seat, and the contract that everyone shares: tokens and wire types.

pub mod token;
pub mod wire;

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod clock;
#[cfg(feature = "client")]
mod os;

#[cfg(feature = "admin")]
pub use client::admin;
