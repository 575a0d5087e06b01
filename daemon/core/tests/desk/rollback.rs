//! Restored, cloned and lost states (rule 21), with the leases that clients hold over them.

use crate::site::{NOON, Site, Vendor, checkout, hex, keys_in, nonce, renewal};
use seatkeeper::token::claims::Count;
use seatkeeper::wire::{CheckoutBody, Code, LeaseReply, RenewBody};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::clock::ManualClock;
use seatkeeper_core::desk::Refused;
use seatkeeper_core::journal::MemoryJournal;
use seatkeeper_core::side::Side;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Seats of the license, fewer than there are applications.
const SEATS: u64 = 4;
const APPLICATIONS: usize = 7;
/// Ttl and grace of the feature.
const TERM_S: u64 = 960;

/// A house whose state can be copied: keys in a folder, a journal in memory, one clock.
struct House {
    keys: tempfile::TempDir,
    clock: Arc<ManualClock>,
    vendor: Vendor,
    /// Seconds since the beginning.
    now: u64,
}

impl House {
    fn new() -> House {
        House {
            keys: private_folder(),
            clock: Arc::new(ManualClock::at(NOON)),
            vendor: Vendor::new("acme"),
            now: 0,
        }
    }

    /// A daemon over this journal, with the house's keys or those of another folder.
    fn daemon(&self, journal: &Arc<MemoryJournal>, keys: &Path) -> Site {
        let keys = keys_in(keys);
        let side = Side::memory().expect("a side store");
        Site::over(journal.clone(), self.clock.clone(), side, keys, |_| {})
    }

    fn licensed(&self, journal: &Arc<MemoryJournal>) -> Site {
        let site = self.daemon(journal, self.keys.path());
        self.install(&site);
        site
    }

    /// The same file wherever it is installed.
    fn install(&self, site: &Site) {
        site.trust(&self.vendor).expect("trust");
        let file = self.vendor.file(&site.key(), |license| {
            license.features[0].seats = Count::Number(SEATS);
        });
        site.install(&file, true).expect("install");
    }

    fn pass(&mut self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.now += seconds;
    }
}

fn private_folder() -> tempfile::TempDir {
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    let folder = tempfile::Builder::new().permissions(private).tempdir();
    folder.expect("a disk that works")
}

/// An application as the SDK makes it: it keeps its newest lease, shows it, and counts its time by itself.
struct Application {
    name: String,
    uid: u32,
    body: CheckoutBody,
    held: Option<Held>,
}

#[derive(Clone)]
struct Held {
    reply: LeaseReply,
    delegation: Option<String>,
    slots: Vec<u64>,
    until: u64,
}

impl Application {
    fn new(n: usize, vendor: &Vendor) -> Application {
        Application {
            name: format!("user{}", n % 5),
            uid: 1000 + u32::try_from(n % 5).expect("few"),
            body: checkout(vendor),
            held: None,
        }
    }

    fn caller(&self, site: &Site) -> Caller {
        site.caller(self.uid, &self.name, false)
    }

    fn holds(&self, slot: u64, now: u64) -> bool {
        let held = self.held.as_ref().filter(|held| held.until > now);
        held.is_some_and(|held| held.slots.contains(&slot))
    }

    /// Takes a seat under a new id.
    fn take(&mut self, site: &Site, now: u64) -> Result<(), Refused> {
        self.body.checkout_id = hex();
        let leased = site.desk.checkout(&self.caller(site), &self.body)?;
        self.keep(leased.reply, now);
        Ok(())
    }

    fn renewal(&self, held: &Held) -> RenewBody {
        renewal(&self.body, 2, Some(&held.reply.lease))
    }

    /// Renews what it holds, and shows it.
    fn renew(&mut self, site: &Site, now: u64) -> Result<(), Refused> {
        let held = self.held.clone().expect("a seat");
        let mut body = self.renewal(&held);
        let renew = |body: &RenewBody| site.desk.renew(&self.caller(site), &held.reply.id, body);
        let leased = match renew(&body) {
            Err(refused) if refused.code == Code::ShowDelegation => {
                body.delegation = held.delegation.clone();
                renew(&body)
            }
            other => other,
        }?;
        self.keep(leased.reply, now);
        Ok(())
    }

    fn release(&mut self, site: &Site) {
        if let Some(held) = self.held.take() {
            let instance = self.body.instance.clone();
            // Whether the daemon still knows it or not.
            let _ = site
                .desk
                .release(&self.caller(site), &held.reply.id, Some(&instance));
        }
    }

    fn keep(&mut self, reply: LeaseReply, now: u64) {
        let claims = claims(&reply.lease);
        let slots = claims["slots"].as_array().expect("slots");
        let slots = slots.iter().filter_map(serde_json::Value::as_u64).collect();
        let before = self.held.take().and_then(|held| held.delegation);
        self.held = Some(Held {
            delegation: reply.chain.delegation.clone().or(before),
            slots,
            until: now + TERM_S,
            reply,
        });
    }
}

fn claims(token: &str) -> serde_json::Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).expect("a token");
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload);
    serde_json::from_slice(&payload.expect("base64url")).expect("claims")
}

/// xorshift64*: a seed repeats a run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % n
    }
}

fn quarantined(site: &Site) -> bool {
    site.desk
        .status(&site.root())
        .expect("status")
        .quarantine_s
        .is_some()
}

/// Some calls of applications, before anything goes wrong.
fn live(house: &mut House, site: &Site, applications: &mut [Application], random: &mut Random) {
    for _ in 0..12 + random.below(12) {
        house.pass(random.below(200));
        let which = usize::try_from(random.below(APPLICATIONS as u64)).expect("few");
        let (one, now) = (&mut applications[which], house.now);
        match (&one.held, random.below(5)) {
            (Some(_), 0) => one.release(site),
            (Some(held), _) if held.until > now => {
                if one.renew(site, now).is_err() {
                    one.held = None;
                }
            }
            _ => {
                one.held = None;
                let _ = one.take(site, now);
            }
        }
    }
}

/// One run: a state from before is restored, and the clients of the lost time call it. True where there was a witness.
fn restored(seed: u64, house: &mut House) -> bool {
    let mut random = Random(seed);
    let journal = Arc::new(MemoryJournal::new());
    let site = house.licensed(&journal);
    let mut applications: Vec<_> = (0..APPLICATIONS)
        .map(|n| Application::new(n, &house.vendor))
        .collect();
    live(house, &site, &mut applications, &mut random);
    let backup = Arc::new(journal.copy());
    let known = site.desk.snapshot().state.run.grants;
    live(house, &site, &mut applications, &mut random);
    drop(site);
    house.pass(random.below(600));
    let site = house.daemon(&backup, house.keys.path());
    let mut witnessed = false;
    for step in 0..60 {
        house.pass(random.below(120));
        let which = usize::try_from(random.below(APPLICATIONS as u64)).expect("few");
        let told = |what: &str| format!("seed {seed}, step {step}, application {which}: {what}");
        let now = house.now;
        let before = applications[which]
            .held
            .clone()
            .filter(|held| held.until > now);
        let quarantine = quarantined(&site);
        let epoch = site.desk.snapshot().state.run.epoch;
        match &before {
            Some(held) => {
                let claims = claims(&held.reply.lease);
                let (lost_epoch, gid) = (&claims["epoch"], claims["gid"].as_str().expect("a gid"));
                let n: u64 = gid
                    .rsplit('.')
                    .next()
                    .and_then(|n| n.parse().ok())
                    .expect("a gid");
                let proves = *lost_epoch == 1 && n > known;
                let first = proves && !witnessed;
                let done = applications[which].renew(&site, now);
                if first {
                    assert!(quarantined(&site), "{}", told("its lease proves a future"));
                    assert!(
                        site.desk.snapshot().state.run.epoch > epoch,
                        "{}",
                        told("a new run")
                    );
                }
                witnessed |= proves;
                if let Err(refused) = done {
                    let lost = *lost_epoch == 1;
                    assert!(lost, "{}", told("a lease of its own was not renewed"));
                    let known = [
                        Code::Quarantine,
                        Code::UnknownLease,
                        Code::LeaseEnded,
                        Code::LeaseLapsed,
                        Code::Forbidden,
                    ];
                    assert!(
                        known.contains(&refused.code),
                        "{}",
                        told(&format!("{refused:?}"))
                    );
                    if refused.code != Code::Quarantine {
                        applications[which].held = None;
                    }
                }
            }
            None => {
                applications[which].held = None;
                let done = applications[which].take(&site, now);
                if quarantine {
                    let refused = done.expect_err(&told("something new in quarantine"));
                    assert_eq!(refused.code, Code::Quarantine, "{}", told("another no"));
                    assert!(refused.retry_after_s.is_some(), "{}", told("when it ends"));
                }
            }
        }
        // From the first witness on no call gives anyone a slot that another one's lease covers.
        if witnessed && let Some(held) = applications[which].held.clone() {
            for slot in &held.slots {
                let had = before
                    .as_ref()
                    .is_some_and(|before| before.slots.contains(slot));
                let others = applications.iter().enumerate().filter(|(n, _)| *n != which);
                let doubled = others.filter(|(_, other)| other.holds(*slot, now)).count();
                assert!(
                    had || doubled == 0,
                    "{}",
                    told(&format!("slot {slot} is doubled"))
                );
            }
        }
    }
    witnessed
}

#[test]
fn s19_i13_500_restored_states_grant_nothing_new_from_their_first_witness_and_double_nothing() {
    let mut house = House::new();
    let witnessed = (1..=500)
        .filter(|seed| restored(*seed * 7919, &mut house))
        .count();
    assert!(witnessed > 250, "only {witnessed} runs had a witness");
}

#[test]
fn s19_two_clones_stay_in_quarantine_while_clients_go_from_one_to_the_other() {
    let mut house = House::new();
    for seed in 1..=60 {
        let mut random = Random(seed * 104_729);
        let journal = Arc::new(MemoryJournal::new());
        let first = house.licensed(&journal);
        let second = house.daemon(&Arc::new(journal.copy()), house.keys.path());
        let mut one = Application::new(0, &house.vendor);
        let mut other = Application::new(1, &house.vendor);
        one.take(&first, house.now).expect("a seat");
        house.pass(200);
        let mut there = true;
        for _ in 0..6 {
            let site = if there { &second } else { &first };
            let _ = one.renew(site, house.now);
            assert!(
                quarantined(site),
                "seed {seed}: each knows more than the other"
            );
            let refused = other.take(site, house.now).expect_err("nothing new");
            assert_eq!(refused.code, Code::Quarantine);
            there = !there;
            house.pass(60 + random.below(60));
        }
    }
}

#[test]
fn s19_a_forged_witness_by_the_thousand_changes_nothing() {
    let mut house = House::new();
    let site = house.licensed(&Arc::new(MemoryJournal::new()));
    let mut one = Application::new(0, &house.vendor);
    one.take(&site, house.now).expect("a seat");
    house.pass(10);
    let held = one.held.clone().expect("a seat");
    let before = site.desk.snapshot();
    let mut parts = held.reply.lease.split('.');
    let header = parts.next().expect("a header").to_owned();
    let signature = parts.nth(1).expect("a signature");
    for n in 0..1000_u64 {
        let mut forged = claims(&held.reply.lease);
        forged["epoch"] = (n + 2).into();
        forged["gid"] = format!("{}.1", n + 2).into();
        forged["jti"] = format!("{}.1.1", n + 2).into();
        forged["run_id"] = hex().into();
        let forged = encoded(&serde_json::to_vec(&forged).expect("claims"));
        let token = format!("{header}.{forged}.{signature}");
        let body = renewal(&one.body, 3, Some(&token));
        let leased = site.desk.renew(&one.caller(&site), &held.reply.id, &body);
        leased.expect("the seat is renewed, whatever is shown");
    }
    let after = site.desk.snapshot();
    assert_eq!(before.head, after.head, "nothing is recorded");
    assert_eq!(before.state.run.epoch, after.state.run.epoch);
    assert!(!quarantined(&site));
}

fn encoded(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn s20_another_lease_key_of_the_site_is_proved_by_its_delegation() {
    let mut house = House::new();
    let site = house.licensed(&Arc::new(MemoryJournal::new()));
    let mut one = Application::new(0, &house.vendor);
    one.take(&site, house.now).expect("a seat");
    drop(site);
    house.pass(100);
    // The site key alone was carried to another machine: a lease key is made there.
    let folder = private_folder();
    let from = house.keys.path().join("site.key");
    std::fs::copy(from, folder.path().join("site.key")).expect("a disk that works");
    let journal = Arc::new(MemoryJournal::new());
    let elsewhere = house.daemon(&journal, folder.path());
    house.install(&elsewhere);
    let held = one.held.clone().expect("a seat");
    let mut body = one.renewal(&held);
    let renew = |body: &RenewBody| {
        let caller = one.caller(&elsewhere);
        elsewhere.desk.renew(&caller, &held.reply.id, body)
    };
    let refused = renew(&body).expect_err("a lease key that nobody knows here");
    assert_eq!(refused.code, Code::ShowDelegation);
    assert!(!quarantined(&elsewhere), "nothing is proved yet");
    body.delegation = Some("e30.e30.e30".to_owned());
    let refused = renew(&body).expect_err("no delegation of this site: as if nothing was shown");
    assert_eq!(refused.code, Code::UnknownLease);
    body.delegation = held.delegation.clone();
    body.nonce = nonce(4).0;
    let leased = renew(&body)
        .expect("a lease of this site that lives: its seat is adopted, and its user met");
    assert_ne!(leased.reply.id, held.reply.id);
    assert!(quarantined(&elsewhere));
    // Its key is known from here.
    body.delegation = None;
    let again = renew(&body).expect("the same seat again");
    assert_eq!(again.reply.id, leased.reply.id);
}
