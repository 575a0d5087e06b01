//! Whole-house tests: the built binaries as processes, with sockets and files of their own.

pub mod application;
pub mod binaries;
pub mod site;
pub mod vendor;
pub mod wire;

pub use application::Application;
pub use site::Site;
pub use vendor::Vendor;
