//! A wrong clock in the keeper: J follows it, `clock accept` puts J back, and no restart takes the wrong date again.

use super::seat_tests::{checkout, code, dated, furnish_with, order, process, until_lapsed};
use super::tests::{House, NOON, until};
use super::*;
use seatkeeper_engine::Command;
use seatkeeper_engine::command::Renew;
use seatkeeper_engine::denial::Code;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::time::Duration;

const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;

pub(super) fn accept(wall_s: u64) -> Order {
    order(Command::AcceptClock {
        wall: Date(wall_s),
        if_match: None,
    })
}

/// A house whose clock was ten years ahead for more than an hour, and is right again: at boot time 3,700 s.
fn carried(house: &House, exp: Option<u64>) -> (Keeper, seatkeeper_engine::ids::MachineId) {
    let keeper = house.start();
    let machine = furnish_with(&keeper.handle(), dated(1, (NOON, NOON), exp));
    house.clock.set_wall(NOON + 10 * YEAR);
    keeper.handle().ask(order(Command::Tick)).unwrap();
    house.clock.advance(Duration::from_secs(3700));
    let moved = keeper.handle().ask(order(Command::Tick)).unwrap();
    assert_eq!(moved.now.j, Date(NOON + 10 * YEAR + 3700));
    house.clock.set_wall(NOON + 3700);
    (keeper, machine)
}

#[test]
fn s21_an_accepted_clock_holds_for_the_next_command_and_is_counted() {
    let house = House::new();
    let (keeper, machine) = carried(&house, Some(NOON + 30 * DAY));
    let handle = keeper.handle();
    let refused = handle.ask(order(checkout(machine, 1))).unwrap();
    assert_eq!(code(&refused), Some(Code::LicenseExpired));
    let accepted = handle.ask(accept(NOON + 3700)).unwrap();
    let to = Date(NOON + 3700);
    assert!(matches!(accepted.verdict, Verdict::ClockAccepted { to: j, .. } if j == to));
    assert_eq!(
        (handle.now().j, handle.snapshot().clock.behind_s),
        (to, None)
    );
    assert_eq!(handle.snapshot().state.clock.count, 1);
    let leased = handle.ask(order(checkout(machine, 1))).unwrap();
    let Verdict::Leased(terms) = &leased.verdict else {
        panic!("{:?}", leased.verdict);
    };
    assert_eq!((terms.now.j, terms.ttl_s), (to, 60));
    let again = handle.ask(accept(NOON + 3700)).unwrap();
    assert_eq!(
        (again.verdict, again.events.is_empty()),
        (Verdict::Done, true)
    );
}

#[test]
fn s21_no_restart_takes_back_the_date_that_was_put_right() {
    for clean in [true, false] {
        let house = House::new();
        let (keeper, _) = carried(&house, None);
        keeper.handle().ask(accept(NOON + 3700)).unwrap();
        if clean {
            keeper.stop().unwrap();
        } else {
            drop(keeper);
        }
        house.clock.advance(Duration::from_secs(5));
        let again = house.start();
        assert_eq!(again.handle().now().j, Date(NOON + 3705), "clean: {clean}");
        assert_eq!(again.handle().snapshot().state.clock.count, 1);
    }
}

#[test]
fn s21_a_mark_kept_in_the_moment_of_an_accept_is_of_before_it() {
    let house = House::new();
    let (keeper, _) = carried(&house, None);
    // The keeper sees a clock that was set: it keeps a mark, with the wrong date, at this very moment of lease time.
    until(|| house.journal.marks() > 0);
    keeper.handle().ask(accept(NOON + 3700)).unwrap();
    drop(keeper);
    assert_eq!(house.start().handle().now().j, Date(NOON + 3700));
}

#[test]
fn i7_an_accept_that_was_not_written_never_was() {
    let house = House::new();
    let (keeper, _) = carried(&house, None);
    house.journal.fails.store(true, Ordering::SeqCst);
    assert!(keeper.handle().ask(accept(NOON + 3700)).is_err());
    drop(keeper);
    house.journal.fails.store(false, Ordering::SeqCst);
    let again = house.start();
    assert_eq!(again.handle().snapshot().state.clock.count, 0);
    assert!(again.handle().now().j >= Date(NOON + 10 * YEAR));
}

#[test]
fn s22_a_suspend_of_8_h_ends_holds_and_the_keeper_notices_without_a_command() {
    let house = House::new();
    let (send, receive) = channel();
    let keeper = house.start_with(Some(Box::new(move |p: &Arc<Published>| {
        drop(send.send(p.clone()))
    })));
    let handle = keeper.handle();
    let machine = furnish_with(&handle, dated(1, (NOON, NOON), None));
    let leased = handle.ask(order(checkout(machine, 1))).unwrap();
    let Verdict::Leased(terms) = leased.verdict else {
        panic!("{:?}", leased.verdict);
    };
    // Time since boot counts sleep, and so does the wall clock.
    house.clock.advance(Duration::from_secs(8 * 3600));
    until_lapsed(&receive);
    let renew = Command::Renew(Renew {
        shown: None,
        holder: terms.holder,
        process: process(machine, 1),
    });
    let late = handle.ask(order(renew)).unwrap();
    assert_eq!(code(&late), Some(Code::LeaseLapsed));
    assert_eq!(
        code(&handle.ask(order(checkout(machine, 2))).unwrap()),
        None
    );
}
