//! Rights of people over the organisation: named permissions, bundled in roles, given at a unit.

mod give;
mod permission;
mod role;
mod sight;

pub use permission::{Permission, Scope, UnknownPermission};
pub use role::{Given, Reach, Role};
pub use sight::{By, Standing};

pub(crate) use give::{change, judged_now, keeps_an_administrator};
