//! Vendors, licenses and assignments.

pub(crate) mod assign;
pub(crate) mod install;
pub(crate) mod vendor;
