//! Denials are no events: the newest stand in a bounded ring, all of them are counted by the hour.

use seatkeeper_engine::ids::{MachineId, Name, UnitId, UserId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem;

/// Denials in the ring. A crash costs it.
pub const DENIALS_KEPT: usize = 100_000;
/// Different counts between two flushes; whatever comes beyond is counted under the feature `*`, so that made-up
/// feature names fill neither memory nor disk.
const COUNTED: usize = 4096;
/// Names that are held once, however often they are denied.
const NAMES: usize = 4096;
const OTHERS: &str = "*";

/// One denial, as the ring keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DenialNote {
    /// Wall clock.
    pub wall_s: u64,
    /// Who was denied, where known.
    pub user: Option<UserId>,
    /// On which machine.
    pub machine: MachineId,
    /// The unit whose count it is.
    pub unit: UnitId,
    /// `PRODUCT/FEATURE`, as asked for.
    pub feature: Name,
    /// The code, as on the wire.
    pub code: &'static str,
    /// The rule that decided.
    pub rule: u8,
}

/// What is counted together.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Bucket {
    hour: u64,
    feature: Name,
    code: &'static str,
    unit: UnitId,
}

/// A key of the table of counts.
pub(super) type Key<'a> = (u64, &'a str, &'a str, &'a [u8; 16]);

#[derive(Debug, Default)]
pub(super) struct Denials {
    ring: VecDeque<DenialNote>,
    counts: BTreeMap<Bucket, u64>,
    names: BTreeSet<Name>,
}

impl Denials {
    pub(super) fn note(&mut self, mut note: DenialNote) {
        note.feature = self.one_name(note.feature);
        let mut bucket = Bucket {
            hour: note.wall_s / 3600,
            feature: note.feature.clone(),
            code: note.code,
            unit: note.unit,
        };
        if self.counts.len() >= COUNTED && !self.counts.contains_key(&bucket) {
            bucket.feature = self.one_name(OTHERS.into());
        }
        *self.counts.entry(bucket).or_default() += 1;
        if self.ring.len() >= DENIALS_KEPT {
            self.ring.pop_front();
        }
        self.ring.push_back(note);
    }

    pub(super) fn newest(&self, limit: usize) -> Vec<DenialNote> {
        self.ring.iter().rev().take(limit).cloned().collect()
    }

    pub(super) fn take_counts(&mut self) -> BTreeMap<Bucket, u64> {
        mem::take(&mut self.counts)
    }

    /// The same name from its first bearer, so that a ring of one feature's denials holds its name once.
    fn one_name(&mut self, name: Name) -> Name {
        if let Some(known) = self.names.get(&name) {
            return known.clone();
        }
        if self.names.len() >= NAMES {
            self.names.clear();
        }
        self.names.insert(name.clone());
        name
    }
}

impl Bucket {
    pub(super) fn key(&self) -> Key<'_> {
        (self.hour, &self.feature, self.code, &self.unit.0)
    }
}
