//! The client against the real rules: keeper, desk and engine in this process, on a clock that the test moves.

use seatkeeper::wire::Code;
use seatkeeper::{Client, EndingReason, Error, EventKind, LostReason, State};
use seatkeeper_testing::{Daemon, Feature, Plan};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn told(client: &Client) -> Vec<EventKind> {
    std::iter::from_fn(|| client.poll_event())
        .map(|event| event.kind)
        .collect()
}

fn short(seats: u64) -> Plan {
    let feature = Feature::new("modeler")
        .seats(seats)
        .ttl(Duration::from_secs(60))
        .grace(Duration::from_secs(30));
    Plan::new("cad").feature(feature)
}

#[test]
fn r9_as_many_sit_as_there_are_seats_and_the_next_is_told_why() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let seats: Vec<_> = (0..3)
        .map(|_| client.checkout("modeler").acquire().unwrap())
        .collect();
    let slots: Vec<_> = seats
        .iter()
        .map(|seat| seat.lease().unwrap().slots[0])
        .collect();
    assert_eq!(slots, [0, 1, 2]);
    let Err(Error::Denied(denied)) = client.checkout("modeler").acquire() else {
        panic!("a fourth seat")
    };
    assert_eq!((denied.code(), denied.rule()), (&Code::NoSeatFree, Some(9)));
    assert_eq!(denied.seats(), Some((3, Some(3))));
    drop(seats);
    assert!(daemon.seats().is_empty());
}

#[test]
fn r20_replies_that_are_lost_cost_no_second_seat() {
    let daemon = Daemon::start();
    daemon.lose_replies(2);
    let seat = daemon.client().checkout("modeler").acquire().unwrap();
    let held = daemon.seats();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].id, seat.lease().unwrap().id);
}

#[test]
fn a_denial_can_be_ordered_and_is_for_one_call() {
    let daemon = Daemon::start();
    let client = daemon.client();
    daemon.deny_next(Code::VersionTooNew);
    let error = client.checkout("modeler").acquire().unwrap_err();
    assert!(
        matches!(&error, Error::Denied(denied) if *denied.code() == Code::VersionTooNew),
        "{error}"
    );
    assert!(!error.is_retryable() && !error.hint().is_empty());
    assert_eq!(daemon.seats().len(), 0);
    let seat = client.checkout("modeler").acquire().unwrap();
    daemon.deny_next(Code::LeaseEnded);
    daemon.pass(6 * MINUTE);
    let ended = matches!(seat.state(), State::Lost { .. });
    assert!(ended && !told(&client).is_empty(), "{:?}", seat.state());
}

#[test]
fn whether_asking_again_can_help_is_told_by_kind_and_code() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let after = |code| {
        daemon.deny_next(code);
        client.checkout("modeler").acquire().unwrap_err()
    };
    assert!(after(Code::NoSeatFree).is_retryable(), "seats come back");
    assert!(
        !after(Code::NotAssigned).is_retryable(),
        "somebody has to act"
    );
    daemon.away(true);
    let unreached = client
        .checkout("modeler")
        .deadline(Duration::from_millis(50))
        .acquire()
        .unwrap_err();
    assert!(matches!(unreached, Error::Unreachable(_)) && unreached.is_retryable());
    let misused = client.checkout("").acquire().unwrap_err();
    assert!(matches!(misused, Error::Misused(_)) && !misused.is_retryable());
}

#[test]
fn i5_a_day_of_heartbeats_keeps_the_seat() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    daemon.pass(24 * 60 * MINUTE);
    assert_eq!((seat.state(), told(&client)), (State::Held, vec![]));
}

#[test]
fn s22_after_a_suspend_the_seat_is_there_again_if_one_is_free() {
    let daemon = short(1).start();
    let client = daemon.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    let before = seat.lease().unwrap().id;
    daemon.sleep(8 * 60 * MINUTE);
    daemon.pass(MINUTE);
    assert_eq!(seat.state(), State::Held);
    assert_ne!(seat.lease().unwrap().id, before);
    assert_eq!(
        told(&client),
        [EventKind::Lost(LostReason::Lapsed), EventKind::Regained]
    );
}

#[test]
fn s22_a_suspend_that_ends_in_grace_is_no_outage() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    daemon.sleep(16 * MINUTE);
    daemon.pass(MINUTE);
    assert_eq!((seat.state(), told(&client)), (State::Held, vec![]));
}

#[test]
fn s22_a_seat_that_went_to_another_comes_back_when_that_one_leaves() {
    let daemon = short(1).start();
    let (sleeper, other) = (daemon.client(), daemon.builder_of("bob").build().unwrap());
    let seat = sleeper.checkout("modeler").acquire().unwrap();
    daemon.away(true);
    daemon.pass(2 * MINUTE);
    daemon.away(false);
    let taken = other.checkout("modeler").acquire().unwrap();
    daemon.pass(2 * MINUTE);
    assert_eq!(
        seat.state(),
        State::Lost {
            reason: LostReason::Lapsed
        }
    );
    assert_eq!(taken.state(), State::Held);
    drop(taken);
    daemon.pass(MINUTE);
    assert_eq!(seat.state(), State::Held);
}

#[test]
fn r16_a_reclaimed_seat_has_time_to_save_and_a_cool_down_that_its_user_can_end() {
    let daemon = short(1).start();
    let client = daemon.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    daemon.reclaim(&seat.lease().unwrap().id).unwrap();
    daemon.pass(Duration::from_secs(25));
    let State::Ending {
        until,
        reason: EndingReason::Reclaimed,
    } = seat.state()
    else {
        panic!("{:?}", seat.state())
    };
    assert!(until.remaining() > Duration::from_secs(30));
    daemon.pass(2 * MINUTE);
    assert_eq!(
        seat.state(),
        State::Lost {
            reason: LostReason::Reclaimed
        }
    );
    assert!(daemon.seats().is_empty(), "released at its end");
    assert_eq!(
        client.checkout("modeler").acquire().unwrap_err().code(),
        "cool_down"
    );
    assert!(client.checkout("modeler").asked_by_user().acquire().is_ok());
}

#[test]
fn r16_a_license_that_ends_asks_to_save_and_then_denies() {
    let daemon = short(1).lasts(10 * MINUTE).start();
    let client = daemon.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    daemon.pass(9 * MINUTE + MINUTE / 2);
    assert!(
        matches!(
            seat.state(),
            State::Ending {
                reason: EndingReason::LicenseEnds,
                ..
            }
        ),
        "{:?}",
        seat.state()
    );
    daemon.pass(MINUTE);
    assert_eq!(
        seat.state(),
        State::Lost {
            reason: LostReason::LicenseEnded
        }
    );
    assert_eq!(
        client.checkout("modeler").acquire().unwrap_err().code(),
        "license_expired"
    );
}

#[test]
fn r12_a_version_beyond_the_license_is_denied() {
    let daemon = Plan::new("cad")
        .feature(Feature::new("modeler").version("2026"))
        .start();
    let client = daemon.client();
    assert!(
        client
            .checkout("modeler")
            .version("2026.9")
            .acquire()
            .is_ok()
    );
    assert_eq!(
        client
            .checkout("modeler")
            .version("2027.0")
            .acquire()
            .unwrap_err()
            .code(),
        "version_too_new"
    );
}

#[test]
fn s5_another_vendor_of_the_same_product_is_not_accepted() {
    let (ours, theirs) = (Daemon::start(), Daemon::start());
    let client = theirs
        .builder()
        .vendor_roots(&[ours.root()])
        .build()
        .unwrap();
    assert!(
        client.checkout("modeler").acquire().is_ok(),
        "both roots are carried"
    );
    let theirs = theirs.builder_with(ours.root());
    let error = theirs
        .build()
        .unwrap()
        .checkout("modeler")
        .acquire()
        .unwrap_err();
    assert_eq!(error.code(), "wrong_vendor");
}
