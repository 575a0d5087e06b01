//! Applications as the simulator plays them, with what each knows: the lease that it holds and its own clock.

use seatkeeper_engine::LeaseTerms;
use seatkeeper_engine::command::{Checkout, Pid, Process, Shown};
use seatkeeper_engine::ids::{
    BootId, CheckoutId, HolderId, InstanceId, LoginHash, MachineId, Name, RunId, UserId,
};
use seatkeeper_engine::time::Date;
use std::num::NonZeroU32;

/// Who may ask: as many users as machines, so that every way of counting tells them apart.
pub(super) const PEOPLE: [(&str, &str); 6] = [
    ("ana", "ws1"),
    ("ana", "ws2"),
    ("bob", "ws1"),
    ("bob", "ws2"),
    ("eve", "ws3"),
    ("eve", "ws1"),
];

/// A process.
#[derive(Clone, Debug)]
pub(super) struct App {
    pub(super) user: &'static str,
    pub(super) machine: &'static str,
    /// Tells instances of one person on one machine apart.
    pub(super) instance: u64,
    pub(super) life: Life,
    /// The newest lease that it has, also where it is over: what it shows.
    pub(super) newest: Option<Shown>,
}

#[derive(Clone, Debug)]
pub(super) enum Life {
    Idle,
    /// A checkout without an answer: it is repeated, or given up.
    Asking(Box<Take>),
    Held(Held),
}

/// A checkout, and its number, by which a script names it.
#[derive(Clone, Debug)]
pub(super) struct Take {
    pub(super) number: u64,
    /// Lease time at its first try.
    pub(super) made_ms: u64,
    pub(super) asked: Checkout,
}

/// A seat as its application knows it.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) holder: HolderId,
    pub(super) slots: Vec<u64>,
    /// When it is lost without a renewal, on the application's clock, in seconds: send time + ttl + grace (rule 15).
    pub(super) until_s: u64,
    /// Someone may have ended it: it may be refused.
    pub(super) doubtful: bool,
    /// From before the state was restored.
    pub(super) old: bool,
}

impl App {
    pub(super) fn new(who: usize, instance: u64) -> App {
        let (user, machine) = PEOPLE[who % PEOPLE.len()];
        App {
            user,
            machine,
            instance,
            life: Life::Idle,
            newest: None,
        }
    }

    pub(super) fn process(&self) -> Process {
        let machine = MachineId(named(self.machine));
        Process {
            machine,
            attested_by: machine,
            uid: uid(self.user),
            boot: BootId(named(self.machine)),
            instance: InstanceId(named(&format!("{} {}", self.words(), self.instance))),
        }
    }

    /// As a script names it.
    pub(super) fn words(&self) -> String {
        format!("{}@{} app={}", self.user, self.machine, self.instance)
    }

    pub(super) fn checkout(
        &self,
        (number, made_ms): (u64, u64),
        n: u32,
        interactive: bool,
    ) -> Box<Take> {
        let asked = Checkout {
            checkout_id: CheckoutId(named(&format!("checkout {number}"))),
            process: self.process(),
            pid: Some(Pid {
                pid: NonZeroU32::new(100).unwrap(),
                born: None,
                namespace: None,
            }),
            user: user(self.user),
            product: "cad".into(),
            feature: "modeler".into(),
            version: None,
            n,
            roots: vec![root()],
            wait_s: 0,
            interactive,
            needs_terms: false,
            shown: None,
        };
        Box::new(Take {
            number,
            made_ms,
            asked,
        })
    }

    /// The seat, where it holds one that is not over on its own clock.
    pub(super) fn sits(&self, now_s: u64) -> Option<&Held> {
        match &self.life {
            Life::Held(held) if held.until_s > now_s => Some(held),
            _ => None,
        }
    }

    /// What it shows of its newest lease, with the random ids that the desk adds.
    pub(super) fn shows(&self, number: u64) -> Option<Box<Shown>> {
        let newest = self.newest.clone()?;
        Some(Box::new(Shown {
            user: Some(user(self.user)),
            next_run: RunId(named(&format!("run {number}"))),
            checkout_id: CheckoutId(named(&format!("adopted {number}"))),
            ..newest
        }))
    }

    /// A lease has come; it was asked for at this moment.
    pub(super) fn hear(&mut self, lease: &LeaseTerms, sent_s: u64) {
        let until_s = sent_s + lease.ttl_s + lease.grace_s;
        let before = match &self.life {
            Life::Held(held) if held.holder == lease.holder => held.until_s,
            _ => 0,
        };
        self.newest = Some(shown(lease));
        self.life = Life::Held(Held {
            holder: lease.holder,
            slots: lease.slots.clone(),
            // The SDK takes the end of the newest lease; the later one is the harder case.
            until_s: until_s.max(before),
            doubtful: lease.last.is_some(),
            old: false,
        });
    }
}

/// A lease as it is shown later.
fn shown(terms: &LeaseTerms) -> Shown {
    Shown {
        run: terms.run,
        epoch: terms.epoch,
        seq: terms.seq,
        holder: terms.holder,
        license: terms.signed.hash,
        feature: terms.feature.clone(),
        version: terms.version.clone(),
        slots: terms.slots.clone(),
        iat: Date(terms.now.j.0),
        term_s: terms.ttl_s + terms.grace_s,
        last: terms.last.is_some(),
        user: None,
        next_run: RunId([0; 16]),
        checkout_id: CheckoutId([0; 16]),
    }
}

pub(super) fn root() -> Name {
    "root of acme".into()
}

pub(super) fn user(name: &str) -> UserId {
    UserId(named(name))
}

pub(super) fn login(name: &str) -> LoginHash {
    LoginHash(named(name))
}

fn uid(name: &str) -> u32 {
    u32::from_be_bytes(named(name)) % 50_000 + 1000
}

/// Bytes that are always the same for the same words.
pub(super) fn named<const N: usize>(name: &str) -> [u8; N] {
    use sha2::{Digest, Sha256};
    let hash: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    let mut bytes = [0; N];
    bytes.copy_from_slice(&hash[..N]);
    bytes
}
