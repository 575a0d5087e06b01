//! The hash chain: does each event follow from the one before it, and are signed places still what they were. No I/O.

use seatkeeper::token::claims::Anchor;
use seatkeeper::token::{anchor, link};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// A chain as far as it was followed.
#[derive(Default)]
pub(super) struct Chain {
    began: u64,
    /// Events up to there may stand before it, and are not looked at.
    passes: bool,
    number: u64,
    hash: [u8; 32],
    /// Hashes that signed anchors give, by number.
    expected: BTreeMap<u64, Vec<[u8; 32]>>,
    /// Anchors that were reached.
    pub held: u64,
    /// When what lies before the beginning was pruned (wall clock), as an event says.
    pub pruned_s: Option<u64>,
}

/// The first thing that does not follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The bytes are no event.
    Unreadable { after: u64, why: String },
    /// Events are not there.
    Missing { from: u64, to: u64 },
    /// An event stands where a later one should.
    Early { number: u64, after: u64 },
    /// An event names another predecessor.
    Unlinked { number: u64 },
    /// A signed anchor names another hash.
    Rewritten { number: u64 },
    /// A signed anchor lies behind the end.
    Short { last: u64, signed: u64 },
    /// Events are gone, and none of those that are there says that they were pruned.
    Unsaid { upto: u64 },
}

/// What of an event says that others were pruned.
#[derive(Deserialize)]
struct Pruning {
    wall_s: u64,
    what: Pruned,
}

#[derive(Deserialize)]
struct Pruned {
    #[serde(rename = "JournalPruned")]
    pruned: Before,
}

#[derive(Deserialize)]
struct Before {
    before: u64,
}

/// What of an event the chain reads.
#[derive(Deserialize)]
struct Stored {
    n: u64,
    prev: String,
}

impl Chain {
    /// A chain that goes on after a signed anchor.
    pub(super) fn after(anchor: &Anchor) -> Chain {
        Chain {
            began: anchor.number,
            passes: false,
            number: anchor.number,
            hash: anchor::hash_of(anchor).unwrap_or_default(),
            expected: BTreeMap::new(),
            held: 0,
            pruned_s: None,
        }
    }

    /// The same, where events from before the anchor may come first.
    pub(super) fn from(anchor: &Anchor) -> Chain {
        Chain {
            passes: true,
            ..Chain::after(anchor)
        }
    }

    /// Whether this number lies before the beginning and is passed over.
    pub(super) fn passes(&self, number: u64) -> bool {
        self.passes && self.number == self.began && number <= self.began
    }

    /// The number of its last event.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The number that it began after.
    pub(super) fn began(&self) -> u64 {
        self.began
    }

    /// The hash after its last event, in hex.
    pub(super) fn hash(&self) -> String {
        hex(&self.hash)
    }

    /// Takes the next event, as stored.
    pub(super) fn event(&mut self, stored: &[u8]) -> Result<(), Fault> {
        let read: Stored = serde_json::from_slice(stored).map_err(|e| Fault::Unreadable {
            after: self.number,
            why: unreadable(stored, &e),
        })?;
        let next = self.number + 1;
        if self.passes(read.n) {
            return Ok(());
        }
        if read.n > next {
            return Err(Fault::Missing {
                from: next,
                to: read.n - 1,
            });
        }
        if read.n < next {
            return Err(Fault::Early {
                number: read.n,
                after: self.number,
            });
        }
        if read.prev != hex(&self.hash) {
            return Err(Fault::Unlinked { number: next });
        }
        self.hash = link(&self.hash, stored);
        self.number = next;
        if self.began > 0 {
            self.pruned_s = self.pruned_s.or(says_pruned(stored, self.began + 1));
        }
        match self.expected.remove(&next) {
            Some(signed) => signed.into_iter().try_for_each(|hash| self.holds(hash)),
            None => Ok(()),
        }
    }

    /// Holds the chain against an anchor: now, or when it comes there. False where it lies before the beginning.
    pub(super) fn anchor(&mut self, signed: &Anchor) -> Result<bool, Fault> {
        let hash = anchor::hash_of(signed).unwrap_or_default();
        if signed.number < self.number {
            return Ok(false);
        }
        if signed.number == self.number {
            return self.holds(hash).map(|()| true);
        }
        self.expected.entry(signed.number).or_default().push(hash);
        Ok(true)
    }

    /// There are no more events.
    pub(super) fn end(&self) -> Result<(), Fault> {
        match self.expected.keys().next_back() {
            Some(signed) => Err(Fault::Short {
                last: self.number,
                signed: *signed,
            }),
            None => Ok(()),
        }
    }

    fn holds(&mut self, hash: [u8; 32]) -> Result<(), Fault> {
        if hash != self.hash {
            return Err(Fault::Rewritten {
                number: self.number,
            });
        }
        self.held += 1;
        Ok(())
    }
}

/// When the events before this one were pruned, where the event says so.
fn says_pruned(stored: &[u8], before: u64) -> Option<u64> {
    let text = std::str::from_utf8(stored).ok()?;
    if !text.contains("JournalPruned") {
        return None;
    }
    let said: Pruning = serde_json::from_str(text).ok()?;
    (said.what.pruned.before == before).then_some(said.wall_s)
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unreadable(stored: &[u8], why: &serde_json::Error) -> String {
    match (stored.is_empty(), std::str::from_utf8(stored)) {
        (true, _) => "an empty line".to_owned(),
        (_, Err(_)) => "it is not text".to_owned(),
        _ => why.to_string(),
    }
}

impl Fault {
    /// What it means, and what to do.
    pub(super) fn next(&self) -> &'static str {
        match self {
            Fault::Unreadable { .. } | Fault::Missing { .. } | Fault::Early { .. } => {
                "fetch the file again from where it was first kept; if it is the same there, or this is the daemon's own \
                 journal, keep a copy as it is, and find out who could write to it"
            }
            Fault::Unlinked { .. } => {
                "keep a copy as it is; compare these two events with an earlier export or backup (`audit verify \
                 EARLIER`), and find out who could write to it"
            }
            Fault::Rewritten { .. } => {
                "keep both as they are; every event up to there may be another one than was written: compare them line \
                 by line, and find out who could write to the state directory"
            }
            Fault::Unsaid { .. } => {
                "put the files of the journal back from a backup; keep a copy of what is there, and find out who could \
                 write to the state directory"
            }
            Fault::Short { .. } => {
                "was an older state put back, or a file cut? fetch the file again; for the daemon's own journal: stop \
                 it, keep a copy, and restore the newest backup, for seats could be given twice"
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Unreadable { after, why } => {
                write!(f, "what stands after event {after} is no event: {why}")
            }
            Fault::Missing { from, to } if from == to => {
                write!(f, "event {from} is missing: it was taken out")
            }
            Fault::Missing { from, to } => {
                write!(f, "events {from} to {to} are missing: they were taken out")
            }
            Fault::Early { number, after } => write!(
                f,
                "event {number} stands after event {after}: the order was changed, or it was put in twice"
            ),
            Fault::Unlinked { number: 1 } => f.write_str(
                "event 1 does not begin a journal: it was changed, or it is not the first event",
            ),
            Fault::Unlinked { number } => write!(
                f,
                "event {number} does not follow from event {0}: event {0} was changed after it was written, or event \
                 {number} is not the one that was written after it",
                number - 1
            ),
            Fault::Rewritten { number } => write!(
                f,
                "event {number} is not the one that was signed: it, or one before it, was changed or the journal was \
                 written anew"
            ),
            Fault::Unsaid { upto } => write!(
                f,
                "events 1 to {upto} are gone, and no event says that they were pruned: they were taken out, and an anchor \
                 was put in their place"
            ),
            Fault::Short { last, signed } => write!(
                f,
                "it ends with event {last}, and event {signed} was signed: what follows was cut off"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events that follow one another.
    fn journal(many: u64) -> Vec<String> {
        let mut hash = [0; 32];
        (1..=many)
            .map(|n| {
                let prev = hex(&hash);
                let event = format!("{{\"v\":1,\"n\":{n},\"prev\":\"{prev}\",\"what\":\"e{n}\"}}");
                hash = link(&hash, event.as_bytes());
                event
            })
            .collect()
    }

    fn signed(events: &[String]) -> Anchor {
        let mut chain = Chain::default();
        for event in events {
            chain.event(event.as_bytes()).unwrap();
        }
        serde_json::from_value(serde_json::json!({
            "iss": "", "iat": 0, "number": chain.number, "hash": anchor::hash_text(&chain.hash), "epoch": 1,
            "run_id": "r", "info": {},
        }))
        .unwrap()
    }

    fn follow(chain: &mut Chain, events: &[String]) -> Result<(), Fault> {
        events
            .iter()
            .try_for_each(|event| chain.event(event.as_bytes()))?;
        chain.end()
    }

    #[test]
    fn a_whole_journal_follows_and_its_anchors_hold() {
        let events = journal(9);
        let mut chain = Chain::default();
        for many in [3, 9] {
            assert_eq!(chain.anchor(&signed(&events[..many])), Ok(true));
        }
        assert_eq!(follow(&mut chain, &events), Ok(()));
        assert_eq!((chain.number(), chain.held), (9, 2));
        // From an anchor on, what lies before is not needed, and not seen.
        let mut tail = Chain::after(&signed(&events[..4]));
        assert_eq!(tail.anchor(&signed(&events[..3])), Ok(false));
        assert_eq!(tail.anchor(&signed(&events)), Ok(true));
        assert_eq!(follow(&mut tail, &events[4..]), Ok(()));
        assert_eq!((tail.began(), tail.number(), tail.held), (4, 9, 1));
        // Events from before it are passed over only where that was asked for, and only before it.
        let end = signed(&events[..4]);
        assert_eq!(follow(&mut Chain::from(&end), &events), Ok(()));
        assert!(follow(&mut Chain::after(&end), &events).is_err());
        let twice = [&events[..], &events[3..4]].concat();
        assert!(follow(&mut Chain::from(&end), &twice).is_err());
    }

    #[test]
    fn every_edit_removal_swap_and_cut_is_found() {
        let events = journal(6);
        let end = signed(&events);
        let found = |changed: &[String]| {
            let mut chain = Chain::default();
            chain.anchor(&end).unwrap();
            follow(&mut chain, changed)
        };
        for at in 0..6 {
            let number = at as u64 + 1;
            let mut edited = events.clone();
            edited[at] = edited[at].replace("what\":\"e", "what\":\"E");
            let expected = match number {
                6 => Fault::Rewritten { number: 6 },
                _ => Fault::Unlinked { number: number + 1 },
            };
            assert_eq!(found(&edited), Err(expected));
            let mut without = events.clone();
            without.remove(at);
            let expected = match number {
                6 => Fault::Short { last: 5, signed: 6 },
                _ => Fault::Missing {
                    from: number,
                    to: number,
                },
            };
            assert_eq!(found(&without), Err(expected));
            assert!(matches!(found(&events[..at]), Err(Fault::Short { .. })));
            for with in at + 1..6 {
                let mut swapped = events.clone();
                swapped.swap(at, with);
                assert!(found(&swapped).is_err(), "{at} and {with}");
            }
            let mut twice = events.clone();
            twice.insert(at, events[at].clone());
            assert!(matches!(found(&twice), Err(Fault::Early { .. })));
        }
    }

    #[test]
    fn i15_what_was_pruned_is_said_by_an_event_behind_it() {
        let mut events = journal(4);
        let mut chain = Chain::default();
        follow(&mut chain, &events).unwrap();
        let prev = hex(&chain.hash);
        let what = r#"{"JournalPruned":{"before":3}}"#;
        let said = format!(r#"{{"n":5,"prev":"{prev}","wall_s":77,"what":{what}}}"#);
        events.push(said);
        for (began, when) in [(0, None), (1, None), (2, Some(77)), (3, None)] {
            let begin = signed(&events[..began]);
            let mut chain = match began {
                0 => Chain::default(),
                _ => Chain::after(&begin),
            };
            assert_eq!(follow(&mut chain, &events[began..]), Ok(()));
            assert_eq!(chain.pruned_s, when, "{began}");
        }
    }

    #[test]
    fn a_journal_written_anew_is_found_by_an_old_anchor_alone() {
        let (old, mut new) = (journal(6), journal(3));
        let mut hash = [0; 32];
        // Another event 2, and everything after it made to follow.
        for (n, event) in new.iter_mut().enumerate() {
            *event = format!(
                "{{\"n\":{},\"prev\":\"{}\",\"what\":\"x\"}}",
                n + 1,
                hex(&hash)
            );
            hash = link(&hash, event.as_bytes());
        }
        assert_eq!(follow(&mut Chain::default(), &new), Ok(()));
        let mut held = Chain::default();
        held.anchor(&signed(&old[..2])).unwrap();
        assert_eq!(follow(&mut held, &new), Err(Fault::Rewritten { number: 2 }));
        let mut held = Chain::default();
        held.anchor(&signed(&old)).unwrap();
        assert_eq!(
            follow(&mut held, &new),
            Err(Fault::Short { last: 3, signed: 6 })
        );
    }
}
