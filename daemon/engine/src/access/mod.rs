//! Rights of people over the organisation: named permissions, bundled in roles, given at a unit.

mod give;
mod permission;
mod role;
mod standing;

pub use permission::{Permission, Scope, UnknownPermission};
pub use role::{Given, Reach, Role};
pub use standing::{By, Standing};

pub(crate) use give::{change, judged_now, keeps_an_administrator};
