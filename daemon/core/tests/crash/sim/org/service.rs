//! Terms of service as they were answered for (B15): what was published stays, and whoever accepted has accepted.

use super::{Org, other};
use crate::sim::people::{named, user};
use seatkeeper_engine::State;
use seatkeeper_engine::ids::{Name, TextHash};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub(super) struct Service {
    /// Versions and their texts, the oldest first.
    published: Vec<(u64, u64)>,
    /// How many there were when they accepted the newest of them.
    accepted: BTreeMap<&'static str, usize>,
}

impl Service {
    fn publish(&mut self, version: u64, text: u64) -> bool {
        if self.published.last() == Some(&(version, text)) {
            return true;
        }
        let lawful = self.published.iter().all(|(known, _)| *known != version);
        if lawful {
            self.published.push((version, text));
        }
        lawful
    }

    pub(super) fn forget(&mut self, who: &str) {
        self.accepted.remove(who);
    }

    /// What the daemon has otherwise.
    pub(super) fn differs(&self, state: &State) -> Option<String> {
        let number = |n: usize| u32::try_from(n).unwrap();
        let published = self.published.iter().enumerate();
        let published =
            published.map(|(n, (of, text))| (number(n + 1), (version(*of), self::text(*text))));
        let terms = state.terms.iter();
        let terms = terms.map(|(n, terms)| (*n, (terms.version.clone(), terms.text)));
        let accepted = self.accepted.iter();
        let accepted = accepted.map(|(who, n)| (user(who), number(*n)));
        let known = state.accepted_terms.iter().map(|(who, n)| (*who, *n));
        other("terms", published, terms).or_else(|| other("who accepted", accepted, known))
    }
}

impl Org {
    pub(super) fn publish(&mut self, version: u64, text: u64) -> bool {
        self.service.publish(version, text)
    }

    pub(super) fn accept(&mut self, who: &'static str, version: u64) -> bool {
        let all = &self.service.published;
        let lawful = self.knows(who) && all.last().is_some_and(|(known, _)| *known == version);
        if lawful {
            self.service.accepted.insert(who, all.len());
        }
        lawful
    }

    /// Versions that were published, the oldest first.
    pub(in crate::sim) fn versions(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.service.published.iter().map(|(version, _)| *version)
    }

    /// Whether they have yet to accept the terms in force.
    pub(in crate::sim) fn has_to_accept(&self, who: &str) -> bool {
        let all = self.service.published.len();
        let accepted = self.service.accepted.get(who).copied();
        all > 0 && accepted != Some(all)
    }
}

pub(in crate::sim) fn version(n: u64) -> Name {
    format!("v{n}").into()
}

pub(in crate::sim) fn text(n: u64) -> TextHash {
    TextHash(named(&format!("text {n}")))
}
