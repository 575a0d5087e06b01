//! An in-process Seatkeeper daemon for a vendor's tests: the real rules, journal and signatures, in memory, on a clock
//! that the test moves. No socket, no file, no waiting.
//!
//! ```
//! use seatkeeper::{LostReason, State};
//! use seatkeeper_testing::Daemon;
//! use std::time::Duration;
//!
//! let daemon = Daemon::start(); // product `cad`, feature `modeler`, 3 seats
//! let seat = daemon.client().checkout("modeler").acquire()?;
//!
//! daemon.away(true);
//! daemon.pass(Duration::from_secs(900));
//! assert!(matches!(seat.state(), State::Grace { .. }));
//! daemon.pass(Duration::from_secs(300));
//! assert_eq!(seat.state(), State::Lost { reason: LostReason::Lapsed });
//!
//! daemon.away(false);
//! daemon.pass(Duration::from_secs(60));
//! assert_eq!(seat.state(), State::Held);
//! # Ok::<(), seatkeeper::Error>(())
//! ```

mod daemon;
mod license;
mod wire;

pub use daemon::Daemon;
pub use license::{Feature, Plan};
