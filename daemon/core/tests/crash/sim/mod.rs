//! A seeded simulator of engine, keeper and journal: lives of a daemon one after the other over a forgetful disk, each with
//! a fault at some I/O call; applications whose messages are lost, doubled and late; clocks that are set; states that are
//! restored; administrators who change the organisation meanwhile. What all of them were told is held against the promises
//! (claims.md 3).
//!
//! A seed that fails is printed with the golden script of what was asked: the engine's scripts play it, and where they
//! agree with it the fault lies below the engine. More of it: `SEATKEEPER_CYCLES=1000000 SEATKEEPER_SEED=1 cargo test
//! --release -p seatkeeper-core --test crash -- sim --nocapture`.

mod asks;
mod changes;
mod hears;
mod ledger;
mod org;
mod owners;
mod people;
mod promised;
mod proofs;
mod rights;
mod script;
mod world;

use ledger::Counts;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use world::World;

/// The wall clock at the beginning, as the engine's scripts have it.
const BASE_S: u64 = 1_767_225_600;
/// Of which there are seats.
const FEATURE: &str = "modeler";
/// Lives over one state directory; then a fresh one takes over, so that loading stays quick.
const LIVES: u64 = 10;
/// One in whose lives a bit of everything happens.
const SCRIPT_SEED: u64 = 42;

/// The state directories of one seed.
fn live(seed: u64) -> Result<Counts, String> {
    let mut counts = Counts::default();
    let mut world = World::new(seed).map_err(|why| format!("seed {seed}: {why}"))?;
    let mut lived = || {
        for _ in 0..LIVES {
            counts.add(&world.cycle()?);
        }
        world.settle()
    };
    match lived() {
        Ok(()) => Ok(counts),
        Err(why) => Err(world
            .script
            .text(&format!("Seed {seed} of the simulator: {why}."))),
    }
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Seeds from the first on, on all cores, until one fails.
fn run(first: u64, cycles: u64) -> Result<Counts, String> {
    let seeds = first..first + cycles.div_ceil(LIVES);
    let (next, failed) = (
        AtomicU64::new(seeds.start),
        Mutex::new(None::<(u64, String)>),
    );
    let counts = Mutex::new(Counts::default());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end {
                        return;
                    }
                    match live(seed) {
                        Ok(lived) => counts.lock().unwrap().add(&lived),
                        Err(why) => {
                            next.store(seeds.end, Ordering::SeqCst);
                            let mut failed = failed.lock().unwrap();
                            if failed.as_ref().is_none_or(|(earlier, _)| seed < *earlier) {
                                *failed = Some((seed, why));
                            }
                        }
                    }
                }
            });
        }
    });
    match failed.into_inner().unwrap() {
        Some((_, why)) => Err(why),
        None => Ok(counts.into_inner().unwrap()),
    }
}

#[test]
fn i1_to_i14_nothing_is_lost_or_doubled_in_20000_crashes() {
    let cycles = from_environment("SEATKEEPER_CYCLES", 20_000);
    let first = from_environment("SEATKEEPER_SEED", 1);
    let counts = run(first, cycles).unwrap_or_else(|why| panic!("{why}"));
    println!("{counts:#?}");
    let often = [
        counts.failed_in_start,
        counts.failed_in_work,
        counts.undecided_kept,
        counts.undecided_lost,
        counts.leases,
        counts.denials,
        counts.retries,
        counts.expired,
        counts.arranged,
        counts.not_arranged,
    ];
    let seldom = [
        counts.restores,
        counts.quarantines,
        counts.adopted,
        counts.over_limits,
        counts.lasts,
        counts.owners,
        counts.not_opened,
        counts.promised,
        counts.withheld,
        counts.redeemed,
        counts.not_redeemed,
        counts.accepted,
        counts.not_accepted,
        counts.sessions,
        counts.full,
        counts.over,
    ];
    assert!(
        often.iter().all(|n| *n > cycles / 200) && seldom.iter().all(|n| *n > cycles / 5000),
        "too little happened to say anything: {counts:#?}"
    );
}

/// What a seed that fails is printed as. The engine's golden scripts play it, and say what comes of each line.
#[test]
fn i14_a_seed_is_a_golden_script() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/testscripts/sim_a_seed.txt");
    let mut world = World::new(SCRIPT_SEED).unwrap();
    for _ in 0..LIVES {
        world.cycle().unwrap();
    }
    let told = world
        .script
        .text("A seed of the simulator: crashes, restored states, lost answers.");
    let kept = std::fs::read_to_string(&script).unwrap_or_default();
    let (kept, outcome) = kept.split_once("---\n").unwrap_or((&kept, ""));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(script, format!("{told}---\n{outcome}")).unwrap();
    } else {
        assert_eq!(
            kept, told,
            "UPDATE=1 writes it anew, then that of the engine's scripts its outcome"
        );
    }
}
