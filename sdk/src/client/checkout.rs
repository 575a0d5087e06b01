//! Asking for a seat: attempts under one checkout id, within a deadline (rule 20).

use super::call::{self, Attempted, Failed};
use super::error::{Error, Misused, Unreachable};
use super::life::Life;
use super::seat::Seat;
use super::trust::{Ask, Proven};
use super::{Client, heartbeat};
use crate::clock::{Bell, BootClock, Clock, Moment};
use crate::wire::Item;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

/// A question for a seat.
#[must_use = "nothing is asked before `acquire`"]
pub struct Checkout<'a> {
    several: Several<'a>,
}

/// A question for seats of several features: all, or none.
#[must_use = "nothing is asked before `acquire`"]
pub struct Several<'a> {
    client: &'a Client,
    items: Vec<Item>,
    interactive: bool,
    deadline: Duration,
}

/// Within which an attempt may be repeated, unless the application says otherwise.
const DEADLINE: Duration = Duration::from_secs(10);
const LONGEST_DEADLINE: Duration = Duration::from_secs(30);
/// One attempt has at most so long, so that there is time for another.
const ATTEMPT: Duration = Duration::from_secs(5);
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A checkout that is given up is released, which may take so long.
const GIVE_UP: Duration = Duration::from_secs(1);

impl<'a> Checkout<'a> {
    pub(super) fn new(client: &'a Client, feature: &str) -> Checkout<'a> {
        let several = Several {
            client,
            items: vec![item(feature)],
            interactive: false,
            deadline: DEADLINE,
        };
        Checkout { several }
    }

    /// The application's version (rule 12).
    pub fn version(self, version: &str) -> Checkout<'a> {
        Checkout {
            several: self.several.version(version),
        }
    }

    /// So many seats, from one pool; one unless said.
    pub fn n(self, n: u32) -> Checkout<'a> {
        Checkout {
            several: self.several.n(n),
        }
    }

    /// The user asked for it just now, by a click: this ends a cool-down (rule 16). Never say so for a program's own
    /// attempts.
    pub fn asked_by_user(self) -> Checkout<'a> {
        Checkout {
            several: self.several.asked_by_user(),
        }
    }

    /// How long `acquire` may take, at most 30 s; 10 s unless said.
    pub fn deadline(self, deadline: Duration) -> Checkout<'a> {
        Checkout {
            several: self.several.deadline(deadline),
        }
    }

    /// A seat of another feature, too; what follows of `version` and `n` is said of it.
    pub fn also(self, feature: &str) -> Several<'a> {
        self.several.also(feature)
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// `Denied` with code, rule and hint; `Unreachable`; `Untrusted`.
    pub fn acquire(self) -> Result<Seat, Error> {
        self.several
            .acquire()?
            .pop()
            .ok_or_else(|| Misused::new("no feature was named").into())
    }
}

impl<'a> Several<'a> {
    /// A seat of another feature, too.
    pub fn also(mut self, feature: &str) -> Several<'a> {
        self.items.push(item(feature));
        self
    }

    /// The application's version, for the feature named last.
    pub fn version(mut self, version: &str) -> Several<'a> {
        if let Some(last) = self.items.last_mut() {
            last.version = Some(version.to_owned());
        }
        self
    }

    /// So many seats of the feature named last.
    pub fn n(mut self, n: u32) -> Several<'a> {
        if let Some(last) = self.items.last_mut() {
            last.n = n;
        }
        self
    }

    /// The user asked for them just now.
    pub fn asked_by_user(mut self) -> Several<'a> {
        self.interactive = true;
        self
    }

    /// How long `acquire` may take for each, at most 30 s.
    pub fn deadline(mut self, deadline: Duration) -> Several<'a> {
        self.deadline = deadline.min(LONGEST_DEADLINE);
        self
    }

    /// Asks for them in turn. If one is refused, all are given back.
    ///
    /// # Errors
    /// As `Checkout::acquire`, for the first that is not given.
    pub fn acquire(self) -> Result<Vec<Seat>, Error> {
        // Seats that were taken before a refusal are dropped here, and so given back.
        self.items
            .iter()
            .map(|item| self.acquire_one(item))
            .collect()
    }

    fn acquire_one(&self, item: &Item) -> Result<Seat, Error> {
        if item.feature.is_empty() || item.n == 0 {
            return Err(Misused::new("a checkout names a feature and at least one seat").into());
        }
        let life = self.client.lives.current(&self.client.setup)?;
        let ask = Ask {
            product: self.client.setup.product.clone(),
            item: item.clone(),
        };
        let attempted = Attempted {
            ask: &ask,
            checkout_id: call::random_id()?,
            interactive: self.interactive,
            sent: Cell::new(false),
        };
        let proven = persist(&life, &attempted, self.deadline).inspect_err(|error| {
            // A seat may have been given to an answer that never came, or that proves nothing.
            if !matches!(error, Error::Denied(_)) && error.code() != "no_daemon" {
                drop(life.give_back(&attempted.checkout_id, GIVE_UP));
            }
        })?;
        match life.seat(ask.clone(), proven) {
            Ok(cell) => Ok(Seat::new(life, cell)),
            Err(error) => {
                drop(life.give_back(&attempted.checkout_id, GIVE_UP));
                Err(error)
            }
        }
    }
}

/// Attempts until there is an answer, all under one id; the wait for a daemon is real time, whatever clock seats run on.
fn persist(
    life: &Arc<Life>,
    attempted: &Attempted<'_>,
    deadline: Duration,
) -> Result<Proven, Error> {
    let until = BootClock.now() + deadline;
    let mut pause = FIRST_PAUSE;
    loop {
        let left = until.since(BootClock.now());
        let timeout = (left / 2).clamp(SHORTEST_ATTEMPT.min(left), ATTEMPT);
        match call::checkout(life, attempted, timeout) {
            Ok(proven) => return Ok(proven),
            Err(Failed::For(error)) => return Err(error),
            Err(Failed::Again { error, .. }) if is_hopeless(&error, pause, until) => {
                return Err(error.into());
            }
            Err(Failed::Again { at_once: true, .. }) => {}
            Err(Failed::Again { .. }) => {
                rest(heartbeat::jitter().of(pause));
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// No daemon is there at all, or no time is left for another attempt.
fn is_hopeless(error: &Unreachable, pause: Duration, until: Moment) -> bool {
    error.code() == "no_daemon" || BootClock.now() + pause >= until
}

fn rest(pause: Duration) {
    let bell = Bell::default();
    bell.rest(bell.rings(), pause);
}

fn item(feature: &str) -> Item {
    Item {
        feature: feature.to_owned(),
        version: None,
        n: 1,
    }
}
