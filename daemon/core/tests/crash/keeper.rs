//! The keeper over the forgetful disk: what a client was answered is in the state after any power cut.

use crate::disk::{Disk, Fault};
use crate::random::Random;
use seatkeeper_core::clock::ManualClock;
use seatkeeper_core::journal::parse;
use seatkeeper_core::keeper::{Failure, Handle, Keeper, Parts, start};
use seatkeeper_core::side::Side;
use seatkeeper_core::storage::Guard;
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::ids::{LoginHash, MachineId, UserId};
use seatkeeper_engine::{Actor, Command, Order, Origin, Verdict};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;

/// Points after which a fresh disk takes over, so that loading stays quick.
const POINTS_PER_DISK: u64 = 8;

/// What clients were told, kept outside of the daemon's machine.
#[derive(Default)]
struct Ledger {
    users: BTreeMap<LoginHash, (UserId, u64)>,
    epoch: u64,
}

struct Machine {
    disk: Disk,
    side: Arc<Side>,
    fatal: Arc<AtomicU64>,
}

impl Machine {
    fn new(disk: Disk) -> Self {
        Machine {
            disk,
            side: Arc::new(Side::memory().unwrap()),
            fatal: Arc::default(),
        }
    }

    fn start(&self) -> Result<Keeper, String> {
        let journal = self.disk.journal().map_err(|e| e.to_string())?;
        let fatal = self.fatal.clone();
        start(Parts {
            journal: Arc::new(journal),
            side: self.side.clone(),
            clock: Arc::new(ManualClock::at(1_800_000_000)),
            checkpoints: None,
            clock_file: None,
            storage: Guard::none(),
            copied_key: false,
            host: "ws1".to_owned(),
            on_events: None,
            on_fatal: Box::new(move |_| {
                fatal.fetch_add(1, Ordering::SeqCst);
            }),
        })
        .map_err(|e| e.to_string())
    }
}

fn meet(random: &mut Random) -> (LoginHash, UserId, Order) {
    let mut login = [0; 32];
    login[..16].copy_from_slice(&random.id());
    let (login, user) = (LoginHash(login), UserId(random.id()));
    let actor = Actor::Local {
        uid: u32::try_from(random.below(6)).unwrap(),
        user: None,
        attested_by: MachineId([7; 16]),
        acting_for: None,
        token: None,
        session: None,
    };
    let command = Command::MeetUser { user, login };
    (
        login,
        user,
        Order {
            actor,
            origin: Origin::Socket,
            command,
        },
    )
}

/// Waves of orders until one is not answered; answers go into the ledger. I7: after the first failure none may come.
fn work(handle: &Handle, ledger: &mut Ledger, random: &mut Random) {
    ledger.epoch = ledger.epoch.max(handle.snapshot().state.run.epoch);
    let mut failed = false;
    for _ in 0..30 {
        let (send, answers) = channel();
        for _ in 0..=random.below(6) {
            let (login, user, order) = meet(random);
            let send = send.clone();
            handle.submit(
                order,
                None,
                Box::new(move |answer| drop(send.send((login, user, answer)))),
            );
        }
        drop(send);
        for (login, user, answer) in answers {
            match answer {
                Ok(answer) => {
                    assert!(!failed, "I7: acknowledged after a failure");
                    assert_eq!(answer.verdict, Verdict::User(user));
                    ledger.users.insert(login, (user, answer.events.start));
                }
                Err(e) => {
                    assert_eq!(e, Failure::Stopped);
                    failed = true;
                }
            }
        }
    }
}

fn survived(handle: &Handle, ledger: &Ledger) -> Result<(), String> {
    let snapshot = handle.snapshot();
    for (login, (user, number)) in &ledger.users {
        if snapshot.state.logins.get(login) != Some(user) {
            return Err(format!(
                "user {user} was acknowledged as event {number} and is gone"
            ));
        }
    }
    if snapshot.state.run.epoch <= ledger.epoch {
        return Err(format!(
            "I12: epoch {} was announced and comes again",
            ledger.epoch
        ));
    }
    let newest = ledger.users.values().max_by_key(|(_, number)| *number);
    let Some((user, number)) = newest else {
        return Ok(());
    };
    let page = handle.read(*number, 1).map_err(|e| e.to_string())?;
    let noted = parse(&page.first().ok_or("the event is gone")?.1).map_err(|e| e.to_string())?;
    match noted.what {
        Recorded::UserMet { user: kept, .. } if kept == *user => Ok(()),
        other => Err(format!("event {number} is {other:?}, not user {user}")),
    }
}

fn points(syncs: bool, points: u64, seed: u64) -> Result<usize, String> {
    let mut random = Random(seed);
    let mut acknowledged = 0;
    for round in 0..points.div_ceil(POINTS_PER_DISK) {
        let (machine, mut ledger) = (Machine::new(Disk::default()), Ledger::default());
        // The store is made under a temporary name and renamed when it is whole: no cut meets a half-made one.
        drop(machine.start()?);
        if !syncs {
            machine.disk.stop_syncing();
        }
        for point in 0..POINTS_PER_DISK {
            let at = 1 + random.below(160);
            let told =
                |e| format!("seed {seed}, round {round}, point {point}, operation {at}: {e}");
            machine.disk.boot(Fault::PowerCut { at });
            if let Ok(keeper) = machine.start() {
                work(&keeper.handle(), &mut ledger, &mut random);
            }
            let whole = !syncs || random.below(2) == 0;
            machine.disk.lose_power(|| !whole && random.below(2) == 0);
            machine.disk.boot(Fault::None);
            let keeper = machine.start().map_err(told)?;
            survived(&keeper.handle(), &ledger).map_err(told)?;
            ledger.epoch = keeper.handle().snapshot().state.run.epoch;
        }
        acknowledged += ledger.users.len();
    }
    Ok(acknowledged)
}

#[test]
fn i2_i6_no_answer_is_lost_at_2000_power_cuts() {
    let acknowledged = points(true, 2000, 26).unwrap();
    assert!(
        acknowledged > 5000,
        "the cuts left too little to lose: {acknowledged} answers"
    );
}

#[test]
fn i2_i6_without_the_sync_the_loss_is_found() {
    let found = points(false, 200, 26);
    let why = found.expect_err("a disk that never syncs must lose something");
    assert!(why.contains("was acknowledged"), "{why}");
}

#[test]
fn s26_i7_a_refused_write_is_fatal_once_and_the_restart_has_all() {
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        let (machine, mut ledger, mut random) =
            (Machine::new(Disk::default()), Ledger::default(), Random(3));
        drop(machine.start().unwrap());
        machine.disk.boot(Fault::Refuses { at: 40, kind });
        let keeper = machine.start().unwrap();
        work(&keeper.handle(), &mut ledger, &mut random);
        assert!(keeper.stop().is_err());
        assert_eq!(machine.fatal.load(Ordering::SeqCst), 1);
        assert!(
            !ledger.users.is_empty(),
            "something was acknowledged before"
        );
        machine.disk.boot(Fault::None);
        survived(&machine.start().unwrap().handle(), &ledger).unwrap();
    }
}
