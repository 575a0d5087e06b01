//! The one thread of a client: it renews what is due, regains what was lost, and tells what changed.

use super::call::{self, Attempted, Failed};
use super::error::{Denied, Error};
use super::event::{EventKind, LostReason};
use super::life::{Life, lock};
use super::schedule::Jitter;
use super::seat::{Cell, Step};
use super::trust::Proven;
use crate::clock::Moment;
use crate::os;
use crate::wire::Code;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Without seats there is nothing to do until the bell rings.
const IDLE: Duration = Duration::from_secs(3_600);
/// A release on the way is tried so long before it is left for later.
const RELEASE: Duration = Duration::from_secs(2);

/// Starts the thread; it ends with its life.
pub(crate) fn start(life: &Arc<Life>) -> io::Result<()> {
    let (weak, bell, clock) = (
        Arc::downgrade(life),
        life.bell.clone(),
        life.setup.clock.clone(),
    );
    let beat = move || {
        while !bell.is_closed() {
            let rings = bell.rings();
            let Some(due) = beat(&weak) else { return };
            let longest = due.map_or(IDLE, |due| due.since(clock.now()).min(clock.nap()));
            if !longest.is_zero() {
                bell.answer(rings);
                bell.rest(rings, longest);
            }
        }
    };
    std::thread::Builder::new()
        .name("seatkeeper".to_owned())
        .spawn(beat)
        .map(drop)
}

/// One round over all seats. The outer `None` where the life is over, the inner where nothing is due later.
fn beat(life: &Weak<Life>) -> Option<Option<Moment>> {
    let life = life.upgrade()?;
    Some(round(&life))
}

/// Does what is due, and tells when something is due next.
pub(crate) fn round(life: &Life) -> Option<Moment> {
    let mut next = life.repeat_farewells();
    for cell in life.seats() {
        attend(life, &cell);
        let due = lock(&cell.sitting).due(life.setup.clock.now());
        next = next.into_iter().chain(due).min();
    }
    next
}

fn attend(life: &Life, cell: &Cell) {
    // A machine that wakes within grace finds its daemon there: it is asked before anyone is told.
    if !lock(&cell.sitting).calls_in_grace(life.setup.clock.now()) {
        tell_change(life, cell);
    }
    let step = lock(&cell.sitting).step(life.setup.clock.now());
    match step {
        Step::Rest => return,
        Step::Renew => renew(life, cell),
        Step::CheckOut => check_out_anew(life, cell),
        Step::Leave(id) => drop(life.give_back(&id, RELEASE)),
    }
    tell_change(life, cell);
}

fn tell_change(life: &Life, cell: &Cell) {
    let news = lock(&cell.sitting).news(life.setup.clock.now());
    for kind in news {
        life.tell(cell, kind);
    }
}

fn renew(life: &Life, cell: &Cell) {
    let (id, token, chain) = lock(&cell.sitting).shown();
    match at_most_twice(|| call::renew(life, &cell.ask, &id, (&token, &chain), life.patience())) {
        Ok(proven) => adopt(life, cell, proven, None),
        Err(Failed::For(Error::Denied(denied))) => denied_renewal(life, cell, &id, &denied),
        Err(failed) => no_answer(life, cell, failed),
    }
}

/// What a no to a renewal means (rule 20).
fn denied_renewal(life: &Life, cell: &Cell, id: &str, denied: &Denied) {
    match denied.code() {
        Code::LeaseLapsed | Code::Superseded | Code::UnknownLease => {
            lock(&cell.sitting).gone();
            check_out_anew(life, cell);
        }
        Code::LeaseEnded => {
            lock(&cell.sitting).end(LostReason::Ended);
            // An ending holder keeps its slot until it is released.
            drop(life.give_back(id, RELEASE));
        }
        _ => denied_anyhow(life, cell, denied),
    }
}

/// The seat goes on by the lease that it has; a reason is told once.
fn denied_anyhow(life: &Life, cell: &Cell, denied: &Denied) {
    let now = life.setup.clock.now();
    let new = lock(&cell.sitting).denied(denied.code(), now, jitter());
    if new {
        let refused = EventKind::Refused {
            code: denied.code().clone(),
            text: denied.to_string(),
        };
        life.tell(cell, refused);
    }
}

fn no_answer(life: &Life, cell: &Cell, failed: Failed) {
    let now = life.setup.clock.now();
    lock(&cell.sitting).unanswered(now, jitter());
    if let Failed::For(Error::Untrusted(untrusted)) = failed {
        life.tell(
            cell,
            EventKind::Untrusted(Error::Untrusted(untrusted).to_string()),
        );
    }
}

/// A checkout under a new id, for the same product and items, never as interactive. Where the old lease still lives
/// it is swapped inside the seat and then given back.
fn check_out_anew(life: &Life, cell: &Cell) {
    let Ok(checkout_id) = call::random_id() else {
        return lock(&cell.sitting).unanswered(life.setup.clock.now(), jitter());
    };
    let attempted = Attempted {
        ask: &cell.ask,
        checkout_id,
        interactive: false,
        sent: std::cell::Cell::new(false),
    };
    match at_most_twice(|| call::checkout(life, &attempted, life.patience())) {
        Ok(proven) => {
            let old = lock(&cell.sitting).old_holder();
            adopt(life, cell, proven, old);
        }
        Err(Failed::For(Error::Denied(denied))) => denied_anyhow(life, cell, &denied),
        Err(failed) => {
            // Whether the daemon gave a seat is not known, or it cannot be used.
            drop(life.give_back(&attempted.checkout_id, RELEASE));
            no_answer(life, cell, failed);
        }
    }
}

/// Takes a lease in; `old` is the holder that it takes the place of.
fn adopt(life: &Life, cell: &Cell, proven: Proven, old: Option<String>) {
    life.saw(&proven);
    let id = proven.lease.jti.clone();
    let taken = lock(&cell.sitting).adopt(proven, jitter());
    // The application gave the seat back while the call was on its way.
    let leave = if taken {
        old.filter(|old| *old != id)
    } else {
        Some(id)
    };
    if let Some(leave) = leave {
        drop(life.give_back(&leave, RELEASE));
    }
}

/// A connection that was kept too long is no failure of the daemon.
fn at_most_twice(mut call: impl FnMut() -> Result<Proven, Failed>) -> Result<Proven, Failed> {
    match call() {
        Err(Failed::Again { at_once: true, .. }) => call(),
        result => result,
    }
}

pub(crate) fn jitter() -> Jitter {
    let mut bytes = [0; 2];
    // Without randomness everybody calls at the same time, which is no reason to lose a seat.
    drop(os::random(&mut bytes));
    Jitter::from_random(bytes)
}
