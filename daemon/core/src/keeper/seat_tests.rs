//! A seat in the keeper: it comes back by itself, dates follow the vendor, and a full disk gives no new one.

use super::tests::{House, LONG, NOON, submit, until};
use super::*;
use seatkeeper_engine::access::Given;
use seatkeeper_engine::command::{Access, Arrange, Checkout, Credential, Process, Renew, Signed};
use seatkeeper_engine::denial::Code;
use seatkeeper_engine::event::EndWhy;
use seatkeeper_engine::ids::*;
use seatkeeper_engine::state::{CountingUnit, Feature, LicenseTerms, Model, Purpose};
use seatkeeper_engine::{Command, Verdict};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

pub(super) fn order(command: Command) -> Order {
    Order {
        actor: Actor::Daemon,
        origin: Origin::Socket,
        command,
    }
}

fn license(iat: u64) -> Command {
    dated(1, (iat, iat), None)
}

/// A license with this serial, its `iat` and `nbf`, and its `exp`.
pub(super) fn dated(serial: u64, (iat, nbf): (u64, u64), exp: Option<u64>) -> Command {
    let feature = Feature {
        name: "modeler".into(),
        seats: Some(1),
        overdraft: 0,
        model: Model::Floating,
        unit: CountingUnit::Process,
        version: None,
        ttl_s: 60,
        grace_s: 0,
        save_s: 10,
        cool_down_s: 0,
        share_max: None,
        linger_s: 0,
        named_min_s: 0,
        policies: Vec::new(),
        optional: Vec::new(),
    };
    let terms = LicenseTerms {
        id: LicenseId {
            vendor: "acme".into(),
            id: "L1".into(),
        },
        serial,
        replaces: None,
        product: "cad".into(),
        customer: "".into(),
        root: "root".into(),
        kid: "kid".into(),
        signed: Signed {
            hash: TokenHash([1; 32]),
            iat: Date(iat),
        },
        nbf: Date(nbf),
        exp: exp.map(Date),
        features: vec![feature],
        token: "token".into(),
        issuer: "issuer".into(),
    };
    Command::InstallLicense {
        terms: Box::new(terms),
        account: None,
        assign_everyone: Some(AssignmentId([4; 16])),
        note_known: false,
    }
}

pub(super) fn process(machine: MachineId, n: u8) -> Process {
    Process {
        machine,
        attested_by: machine,
        uid: 1000,
        boot: BootId([1; 16]),
        instance: InstanceId([n; 16]),
    }
}

pub(super) fn checkout(machine: MachineId, n: u8) -> Command {
    Command::Checkout(Box::new(Checkout {
        checkout_id: CheckoutId([n; 16]),
        process: process(machine, n),
        pid: None,
        user: UserId([1; 16]),
        product: "cad".into(),
        feature: "modeler".into(),
        version: None,
        n: 1,
        roots: vec!["root".into()],
        wait_s: 0,
        interactive: false,
        needs_terms: false,
        shown: None,
    }))
}

/// A house with one seat of cad/modeler for everyone, and one user.
fn furnish(handle: &Handle, iat: u64) -> MachineId {
    furnish_with(handle, license(iat))
}

pub(super) fn furnish_with(handle: &Handle, license: Command) -> MachineId {
    let trust = Command::TrustVendor {
        vendor: "acme".into(),
        roots: vec![("root".into(), "pem".into())],
    };
    let user = Command::MeetUser {
        user: UserId([1; 16]),
        login: LoginHash([1; 32]),
    };
    for command in [trust, user, license] {
        let verdict = handle.ask(order(command)).unwrap().verdict;
        assert!(!matches!(verdict, Verdict::Denied(_)), "{verdict:?}");
    }
    handle.snapshot().state.site.unwrap().machine
}

pub(super) fn code(answer: &Answer) -> Option<Code> {
    match &answer.verdict {
        Verdict::Denied(denial) => Some(denial.code),
        _ => None,
    }
}

/// Waits until the keeper publishes that a hold is over.
pub(super) fn until_lapsed(receive: &Receiver<Arc<Published>>) {
    until(|| {
        let published = receive.recv_timeout(LONG).unwrap();
        published.events.iter().any(|e| {
            matches!(
                e.what,
                Recorded::SeatEnded {
                    why: EndWhy::HeartbeatLost,
                    ..
                }
            )
        })
    });
}

#[test]
fn r14_a_seat_whose_hold_is_over_comes_back_without_anyone_asking() {
    let house = House::new();
    let (send, receive) = channel();
    let keeper = house.start_with(Some(Box::new(move |p: &Arc<Published>| {
        drop(send.send(p.clone()))
    })));
    let handle = keeper.handle();
    let machine = furnish(&handle, NOON);
    handle.ask(order(checkout(machine, 1))).unwrap();
    assert_eq!(
        code(&handle.ask(order(checkout(machine, 2))).unwrap()),
        Some(Code::NoSeatFree)
    );
    // Hold: 60 s × 1.001 + 2 s.
    house.clock.advance(Duration::from_millis(62_061));
    until_lapsed(&receive);
    assert_eq!(
        code(&handle.ask(order(checkout(machine, 3))).unwrap()),
        None
    );
}

#[test]
fn d5_a_vendors_date_ahead_of_the_wall_clock_raises_j_at_once() {
    let house = House::new();
    let keeper = house.start();
    furnish(&keeper.handle(), NOON + 7200);
    let snapshot = keeper.handle().snapshot();
    assert_eq!(snapshot.now.j, Date(NOON + 7200));
    assert_eq!(snapshot.clock.behind_s, Some(7200));
}

#[test]
fn below_disk_reserve_nothing_new_is_granted_and_what_is_held_goes_on() {
    let house = House::new();
    let keeper = house.start();
    let handle = keeper.handle();
    let machine = furnish(&handle, NOON);
    house.free.store(99, Ordering::SeqCst);
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(
        code(&handle.ask(order(checkout(machine, 1))).unwrap()),
        Some(Code::StorageLow)
    );
    house.free.store(100, Ordering::SeqCst);
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(
        code(&handle.ask(order(checkout(machine, 1))).unwrap()),
        None
    );
    house.free.store(99, Ordering::SeqCst);
    house.clock.advance(Duration::from_secs(1));
    let again = handle.ask(order(checkout(machine, 1))).unwrap();
    assert_eq!(code(&again), None, "a retry is a renewal");
}

#[test]
fn r19_a_clean_stop_keeps_the_seat_and_its_hold() {
    let house = House::new();
    let keeper = house.start();
    let machine = furnish(&keeper.handle(), NOON);
    keeper.handle().ask(order(checkout(machine, 1))).unwrap();
    keeper.stop().unwrap();
    let keeper = house.start();
    assert_eq!(keeper.handle().snapshot().state.grants.len(), 1);
    assert_eq!(
        code(&keeper.handle().ask(order(checkout(machine, 2))).unwrap()),
        Some(Code::NoSeatFree)
    );
}

/// A house with a seat that process 1 holds, and the order that renews it.
fn seated(house: &House) -> (Keeper, HolderId, impl Fn() -> Order) {
    let keeper = house.start();
    let machine = furnish(&keeper.handle(), NOON);
    let answer = keeper.handle().ask(order(checkout(machine, 1))).unwrap();
    let Verdict::Leased(terms) = answer.verdict else {
        panic!("{:?}", answer.verdict);
    };
    let holder = terms.holder;
    let renew = move || {
        order(Command::Renew(Renew {
            shown: None,
            holder,
            process: process(machine, 1),
        }))
    };
    (keeper, holder, renew)
}

fn hold_of(keeper: &Keeper, holder: HolderId) -> u64 {
    let snapshot = keeper.handle().snapshot();
    snapshot.state.holder(holder).unwrap().until.0
}

#[test]
fn r15_a_renewal_between_two_batches_is_answered_at_once_and_shown() {
    let house = House::new();
    let (keeper, holder, renew) = seated(&house);
    let handle = keeper.handle();
    let (before, appends) = (
        hold_of(&keeper, holder),
        house.journal.appends.load(Ordering::SeqCst),
    );
    house.clock.advance(Duration::from_secs(20));
    // The changed clock wakes the keeper, which may be at its round just now: then the answer comes from there.
    let at_once = || submit(&handle, renew()).try_recv().is_ok();
    until(at_once);
    until(|| hold_of(&keeper, holder) == before + 20_000);
    assert_eq!(
        house.journal.appends.load(Ordering::SeqCst),
        appends,
        "renewals are not journaled"
    );
}

#[test]
fn i6_a_renewal_during_a_commit_waits_for_it() {
    let house = House::new();
    let (keeper, _, renew) = seated(&house);
    let handle = keeper.handle();
    let appends = house.journal.appends.load(Ordering::SeqCst);
    house.journal.hold(true);
    let met = Command::MeetUser {
        user: UserId([2; 16]),
        login: LoginHash([2; 32]),
    };
    let met = submit(&handle, order(met));
    until(|| house.journal.appends.load(Ordering::SeqCst) == appends + 1);
    let renewed = submit(&handle, renew());
    assert!(
        renewed.try_recv().is_err(),
        "answered over what is not durable"
    );
    house.journal.hold(false);
    for reply in [met, renewed] {
        let answer = reply.recv_timeout(LONG).unwrap().unwrap();
        assert_eq!(code(&answer), None);
    }
}

#[test]
fn i7_after_a_failed_write_no_renewal_is_answered_either() {
    let house = House::new();
    let (keeper, holder, renew) = seated(&house);
    house.journal.fails.store(true, Ordering::SeqCst);
    let gid = holder.gid;
    let reclaim = Command::Reclaim { gid, hard: true };
    assert!(keeper.handle().ask(order(reclaim)).is_err());
    assert_eq!(keeper.handle().ask(renew()).unwrap_err(), Failure::Stopped);
}

#[test]
fn r15_a_renewal_after_the_end_of_its_hold_is_refused_whoever_comes_first() {
    let house = House::new();
    let (keeper, _, renew) = seated(&house);
    house.clock.advance(Duration::from_millis(62_061));
    let answer = keeper.handle().ask(renew()).unwrap();
    assert_eq!(code(&answer), Some(Code::LeaseLapsed));
}

#[test]
fn r19_no_renewal_comes_after_the_ends_of_holds_are_recorded() {
    let house = House::new();
    let (keeper, _, renew) = seated(&house);
    let handle = keeper.handle();
    keeper.stop().unwrap();
    assert_eq!(handle.ask(renew()).unwrap_err(), Failure::Stopped);
}

/// The panic is outside of the lock, so that the lock itself tells nobody.
#[test]
fn i7_after_a_panic_in_a_reply_no_renewal_is_answered_at_once() {
    let house = House::new();
    let (keeper, _, renew) = seated(&house);
    let handle = keeper.handle();
    let (told, heard) = channel();
    let again = handle.clone();
    let renewal = renew();
    *house.at_end.lock().unwrap() = Some(Box::new(move || {
        drop(told.send(submit(&again, renewal)));
    }));
    let met = Command::MeetUser {
        user: UserId([2; 16]),
        login: LoginHash([2; 32]),
    };
    handle.submit(order(met), None, Box::new(|_| panic!("a reply panics")));
    let renewed = heard.recv_timeout(LONG).unwrap();
    let answer = renewed.recv_timeout(LONG).unwrap();
    assert_eq!(answer.unwrap_err(), Failure::Stopped);
}

#[test]
fn i14_a_replayed_journal_gives_the_same_state() {
    let house = House::new();
    let keeper = house.start();
    let handle = keeper.handle();
    let machine = furnish(&handle, NOON);
    let home = handle.snapshot().state.site.unwrap().unit;
    let (user, group) = (UserId([1; 16]), GroupId([5; 16]));
    let members = Arrange::AddMembers {
        group,
        users: vec![user],
        groups: Vec::new(),
        if_match: None,
    };
    let made = Arrange::MakeGroup {
        group,
        name: NameHash([6; 32]),
        unit: home,
    };
    let given = Given {
        role: "auditor".into(),
        unit: home,
    };
    let commands = [
        Command::Arrange(made),
        Command::Arrange(members),
        Command::Access(Access::GiveRoles {
            user,
            roles: vec![given],
            if_match: None,
        }),
        Command::Credential(Credential::MakeCode {
            user,
            purpose: Purpose::Invitation,
            code: CodeHash([7; 32]),
            mailed: None,
            if_match: None,
        }),
        checkout(machine, 1),
    ];
    for command in commands {
        let answer = handle.ask(order(command)).unwrap();
        assert_eq!(code(&answer), None, "{answer:?}");
    }
    let mut before = handle.snapshot().state.clone();
    drop((keeper, handle));
    let after = house.start().handle().snapshot().state.clone();
    let seats = |state: &State| -> Vec<_> {
        let all = state.pools.values().flat_map(|pool| pool.grants.iter());
        all.map(|(gid, grant)| (*gid, grant.user, grant.slots.clone()))
            .collect()
    };
    assert_eq!(seats(&after), seats(&before));
    assert_eq!(after.events, before.events + 1, "a run began");
    // With it all holds are as long as they can be, and what was counted is counted anew.
    (before.events, before.run) = (after.events, after.run);
    (before.runs, before.pools) = (after.runs.clone(), after.pools.clone());
    (before.places, before.stands) = (after.places, after.stands);
    assert!(after == before, "{after:?}\n{before:?}");
}
