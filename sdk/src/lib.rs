//! What an application links to hold a license seat, and the contract that everyone shares: tokens and wire types.

pub mod token;
pub mod wire;
