//! The client: it asks a local daemon for seats, holds them while the application runs, and gives them back.

#[cfg(feature = "admin")]
pub mod admin;
mod builder;
mod call;
mod checkout;
#[cfg_attr(
    not(feature = "admin"),
    allow(
        unreachable_pub,
        dead_code,
        reason = "public for the command line only"
    )
)]
mod endpoint;
mod error;
mod event;
mod heartbeat;
mod life;
mod schedule;
mod seat;
#[cfg_attr(
    not(feature = "testing"),
    allow(
        unreachable_pub,
        dead_code,
        reason = "public for tests and the command line only"
    )
)]
mod transport;
mod trust;

pub use builder::Builder;
pub use checkout::{Checkout, Several};
pub use error::{Denied, Error, Misused, Unreachable, Untrusted};
pub use event::{EndingReason, Event, EventKind, LostReason, State, Until};
pub use seat::{LeaseFacts, Seat};
#[cfg(feature = "testing")]
pub use {
    builder::DEV_ROOT,
    transport::{Broken, Request, Response, Transport},
};

use life::{Lives, Setup};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// A way to seats of one product. Clones share seats' heartbeat, connections and events.
///
/// ```
/// # let daemon = seatkeeper_testing::Daemon::start();
/// # let client = daemon.client();
/// let seat = client.checkout("modeler").version("2026.2").acquire()?;
/// assert!(seat.allows("export-pdf"));
/// seat.release()?; // or drop it
/// # Ok::<(), seatkeeper::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    setup: Arc<Setup>,
    lives: Arc<Lives>,
}

impl Client {
    /// Starts to build a client for a product, named as its licenses name it.
    pub fn builder(product: &str) -> Builder {
        Builder::new(product)
    }

    /// Asks for a seat of a feature; nothing is sent before `acquire`.
    pub fn checkout(&self, feature: &str) -> Checkout<'_> {
        Checkout::new(self, feature)
    }

    /// The oldest event that was not polled yet. Up to 1,024 are kept.
    #[must_use]
    pub fn poll_event(&self) -> Option<Event> {
        self.lives.begun().and_then(|life| life.poll())
    }

    /// The socket that the last connection went to; none before the first call, and in a forked child before its first.
    #[must_use]
    pub fn endpoint(&self) -> Option<PathBuf> {
        self.lives
            .begun()
            .and_then(|life| life.transport.endpoint())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("product", &self.setup.product)
            .finish_non_exhaustive()
    }
}
