//! The real binary, killed at any moment under load: nothing acknowledged is lost, of seats, of the organisation, of tokens
//! and of codes, and no slot is held twice.

mod credentials;
mod directory;

use credentials::Keys;
use directory::Administrator;
use seatkeeper_tests::Site;
use seatkeeper_tests::wire::{Answer, Ask, Wire};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const CLIENTS: usize = 8;

/// What a client knows for sure after a kill.
#[derive(Default)]
struct Ledger {
    /// Checkouts that were answered 201 and whose release was never sent, with the holder's id.
    held: Vec<(String, Ask)>,
    /// Holders whose release was answered.
    released: Vec<(String, Ask)>,
    /// Checkouts whose answer never came.
    open: Vec<Ask>,
    /// Checkouts whose release was sent and never answered.
    unsure: Vec<Ask>,
}

/// Kills the daemon so often under load (`SEATKEEPER_KILLS`, else 200), and compares with the clients' ledgers.
#[test]
fn i2_i3_i4_killed_under_load_nothing_acknowledged_is_lost_and_no_slot_held_twice() {
    let kills: u64 = std::env::var("SEATKEEPER_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(200);
    let (mut site, vendor) = Site::with_seats(1000);
    let roots = vendor.roots();
    let mut random = Random(0x5EED);
    let mut newest = (0, 0);
    let mut administrator = Administrator::new(&site);
    let mut keys = Keys::new(&site);
    for round in 0..kills {
        let stop = AtomicBool::new(false);
        let done = AtomicU64::new(0);
        let (most, changes) = (1 + random.below(40), AtomicU64::new(0));
        let made = AtomicU64::new(0);
        let few = random.below(8);
        let socket = site.socket();
        let ledgers: Vec<Ledger> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|n| {
                    let (stop, done, roots, socket) = (&stop, &done, &roots, &socket);
                    scope.spawn(move || load(socket, roots, stop, done, n as u64 + round))
                })
                .collect();
            let arranging = scope.spawn(|| administrator.work(&socket, &stop, &changes));
            let making = scope.spawn(|| keys.work(&socket, &stop, &made));
            let changed = || changes.load(Ordering::Relaxed) >= few || arranging.is_finished();
            let some = || made.load(Ordering::Relaxed) > 0 || making.is_finished();
            while done.load(Ordering::Relaxed) < most || !changed() || !some() {
                std::thread::yield_now();
            }
            site.kill();
            stop.store(true, Ordering::Relaxed);
            clients
                .into_iter()
                .map(|c| c.join().expect("a client ends well"))
                .collect()
        });
        site.start();
        newest = check(&site, ledgers, newest, round);
        administrator.check(&site, round);
        keys.check(&site, round);
    }
    let Administrator { done, refused, .. } = administrator;
    println!("{kills} kills, {done} changes of the organisation acknowledged, {refused} refused");
    assert!(done > 2 * kills, "too little was changed: {done}");
    let Keys { done, redeemed, .. } = keys;
    println!("{done} times a token or a code was made or taken back, {redeemed} codes used");
    assert!(done >= kills, "too few tokens and codes: {done}");
}

/// Checks out and releases until the daemon is gone.
fn load(socket: &Path, roots: &[String], stop: &AtomicBool, done: &AtomicU64, seed: u64) -> Ledger {
    let mut ledger = Ledger::default();
    let mut random = Random(seed | 1);
    let Ok(mut wire) = Wire::connect(socket) else {
        return ledger;
    };
    while !stop.load(Ordering::Relaxed) {
        let ask = Ask::new("cad", "modeler", roots);
        match ask.checkout(&mut wire) {
            Ok(answer) if answer.status == 201 => {
                ledger.held.push((answer.text("id").to_owned(), ask))
            }
            Ok(answer) => panic!("with free seats: {answer:?}"),
            Err(_) => {
                ledger.open.push(ask);
                break;
            }
        }
        done.fetch_add(1, Ordering::Relaxed);
        if random.below(3) > 0
            && let Some((id, ask)) = ledger.held.pop()
        {
            match ask.release(&mut wire, &id) {
                Ok(answer) if answer.status / 100 == 2 => ledger.released.push((id, ask)),
                Ok(answer) => panic!("a release: {answer:?}"),
                Err(_) => {
                    ledger.unsure.push(ask);
                    break;
                }
            }
        }
    }
    ledger
}

/// Every ledger against the restarted daemon, then gives all back; returns the newest (epoch, seq) seen.
fn check(site: &Site, ledgers: Vec<Ledger>, before: (u64, u64), round: u64) -> (u64, u64) {
    let mut slots = BTreeMap::new();
    let mut newest = before;
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    for (id, ask) in ledgers.iter().flat_map(|l| &l.released) {
        let answer = ask.renew(&mut wire, id).expect("an answer");
        assert_eq!(
            answer.text("code"),
            "lease_ended",
            "round {round}: {id} was given back, acknowledged: {answer:?}"
        );
    }
    for (id, ask) in ledgers.iter().flat_map(|l| &l.held) {
        let answer = ask.renew(&mut wire, id).expect("an answer");
        assert_eq!(
            answer.status / 100,
            2,
            "round {round}: {id} was acknowledged and is lost: {answer:?}"
        );
        newest = once(&answer, &mut slots, newest, round);
    }
    for ask in ledgers.iter().flat_map(|l| &l.open) {
        let answer = ask.checkout(&mut wire).expect("an answer");
        assert_eq!(answer.status / 100, 2, "round {round}: {answer:?}");
        newest = once(&answer, &mut slots, newest, round);
    }
    for ledger in ledgers {
        let held = ledger.held.into_iter().map(|(_, ask)| ask);
        for ask in held.chain(ledger.open).chain(ledger.unsure) {
            let answer = ask.release(&mut wire, &ask.checkout_id).expect("an answer");
            assert_eq!(answer.status / 100, 2, "round {round}: {answer:?}");
        }
    }
    newest
}

/// Notes a lease's slots while all are held together, and that its number is new (I4).
fn once(
    answer: &Answer,
    slots: &mut BTreeMap<u64, String>,
    newest: (u64, u64),
    round: u64,
) -> (u64, u64) {
    let lease = claims(answer.text("lease"));
    let number = (
        lease["epoch"].as_u64().expect("an epoch"),
        lease["seq"].as_u64().expect("a seq"),
    );
    assert!(
        number > newest,
        "round {round}: {number:?} after {newest:?}"
    );
    for slot in lease["slots"].as_array().expect("slots") {
        let gid = lease["gid"].as_str().expect("a gid").to_owned();
        if let Some(other) = slots.insert(slot.as_u64().expect("a slot"), gid.clone()) {
            assert_eq!(other, gid, "round {round}: slot {slot} is held twice");
        }
    }
    number
}

/// The claims of a token, unverified: the test asks what was said, not whether to believe it.
fn claims(token: &str) -> serde_json::Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).expect("three segments");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// Xorshift: the points must differ, nobody guesses here.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}
