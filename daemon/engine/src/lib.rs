//! The rules of a seat: pure, synchronous, deterministic. Commands in, events out, time passed in.
//!
//! No I/O, no clock, no randomness, no async, and only ordered maps; `clippy.toml` beside this crate forbids the rest.

pub mod access;
pub mod command;
mod covering;
mod credentials;
pub mod dates;
pub mod denial;
mod directory;
mod draft;
pub mod engine;
pub mod event;
mod evolve;
pub mod ids;
mod index;
mod licensing;
pub mod limits;
mod losses;
#[cfg(planted)]
pub mod planted;
pub mod reserves;
pub mod right;
mod rollback;
mod seats;
pub mod state;
mod terms;
pub mod time;

pub use command::{Actor, Command, Order, Origin};
pub use draft::Draft;
pub use engine::{Engine, LeaseTerms, Verdict, Warning, explain};
pub use licensing::install::foresee as foresee_install;
pub use licensing::remove::foresee as foresee_removal;
pub use losses::{Concerned, free_by, losing};
pub use seats::{Choice, Owners};
pub use state::State;
