//! The bytes of a row: one batch as JSON, its events chained by SHA-256 over what is stored, never over what was read. Its
//! last event carries the times when it was written, so that they are in the chain, too.

use crate::calendar::Mark;
use seatkeeper::token::link;
use seatkeeper_engine::event::{EVENT_VERSION, Recorded};
use seatkeeper_engine::ids::Name;
use seatkeeper_engine::{Actor, Origin};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;

/// What the bytes of an event of version 1 begin with.
const VERSION_1: &str = "{\"v\":1,";
/// What is said of a row whose times are not where they belong.
const NO_TIMES: &str = "its times are not in its last event";

/// Hash of an event: SHA-256 over its predecessor's hash and its own stored bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Hash(pub [u8; 32]);

/// The end of the chain: the last event's number and hash. Before the first event it is 0 and 32 zero bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Head {
    /// The last event's number; the first has 1.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
}

/// An event as the journal keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noted {
    /// Version of `what`.
    #[serde(rename = "v")]
    pub version: u8,
    /// Its number.
    #[serde(rename = "n")]
    pub number: u64,
    /// Hash of its predecessor.
    pub prev: Hash,
    /// Wall clock of the batch, for people; rules read lease time and J.
    pub wall_s: u64,
    /// Who caused it.
    pub actor: Actor,
    /// Where the command came in.
    pub origin: Origin,
    /// The trace id of the exchange (`x-trace-id`), where there was one.
    #[serde(default)]
    pub trace: Option<Name>,
    /// What happened.
    pub what: Recorded,
    /// The times when its row was written: the last event of a row has them, no other one.
    #[serde(default)]
    pub mark: Option<Mark>,
}

/// Why a row is not what this program wrote.
#[derive(Debug)]
pub enum RowFault {
    /// An event of a later version.
    Newer(u8),
    /// The bytes are not a row.
    Unreadable(String),
    /// Its stored bytes are not those that were written.
    Damaged {
        /// Where in the file.
        at: usize,
    },
    /// It records a checkpoint with another hash than the one that the start began from.
    OtherCheckpoint {
        /// The checkpoint.
        number: u64,
    },
    /// An event does not follow from the one before it: something was changed, taken out or put in.
    Broken {
        /// Its number, as far as counted.
        number: u64,
    },
}

/// A row, taken apart but not parsed: the bytes of its events stay as stored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row<'a> {
    /// The events, in order.
    #[serde(borrow)]
    pub events: Vec<&'a RawValue>,
    /// The times when it was written, where its events are of version 1: outside of the chain.
    #[serde(default)]
    mark: Option<Mark>,
}

/// Makes rows, one after the other, and keeps the chain.
#[derive(Debug, Default)]
pub struct RowWriter {
    buffer: Vec<u8>,
    /// The last event that is closed.
    head: Head,
    first: u64,
    /// Where in the buffer the event begins that is not closed yet: it may be the last of its row, which carries the times.
    open: Option<usize>,
}

/// Who and when: what the events of one command share.
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    /// Who caused it.
    pub actor: &'a Actor,
    /// Where it came in.
    pub origin: Origin,
    /// The trace id, where there is one.
    pub trace: Option<&'a str>,
    /// Wall clock.
    pub wall_s: u64,
}

#[derive(Serialize)]
struct Written<'a> {
    v: u8,
    n: u64,
    prev: Hash,
    wall_s: u64,
    actor: &'a Actor,
    origin: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
    what: &'a Recorded,
}

impl Head {
    /// The head after an event with these stored bytes.
    #[must_use]
    pub fn after(self, bytes: &[u8]) -> Head {
        Head {
            number: self.number + 1,
            hash: Hash(link(&self.hash.0, bytes)),
        }
    }
}

impl RowWriter {
    /// Goes on after the head of what was loaded.
    #[must_use]
    pub fn after(head: Head) -> Self {
        RowWriter {
            head,
            ..RowWriter::default()
        }
    }

    /// Adds an event to the row; its number is returned.
    pub fn push(&mut self, cause: Cause<'_>, what: &Recorded) -> u64 {
        if self.buffer.is_empty() {
            self.first = self.head.number + 1;
            self.buffer.extend_from_slice(b"{\"events\":[");
        } else {
            self.close();
            self.buffer.push(b',');
        }
        self.open = Some(self.buffer.len());
        let written = Written {
            v: EVENT_VERSION,
            n: self.head.number + 1,
            prev: self.head.hash,
            wall_s: cause.wall_s,
            actor: cause.actor,
            origin: cause.origin,
            trace: cause.trace,
            what,
        };
        serde_json::to_writer(&mut self.buffer, &written)
            .expect("events are structs of integers, texts and lists, which JSON takes, and memory takes all bytes");
        self.number()
    }

    /// Whether the row has no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Ends the row, which has an event: the number of its first event, and its bytes. Call `clear` when they are stored.
    pub fn finish(&mut self, mark: &Mark) -> (u64, &[u8]) {
        let brace = self.buffer.pop();
        debug_assert_eq!(brace, Some(b'}'), "an event is an object, and one is open");
        self.buffer.extend_from_slice(b",\"mark\":");
        serde_json::to_writer(&mut self.buffer, mark)
            .expect("three integers make JSON, and memory takes all bytes");
        self.buffer.push(b'}');
        self.close();
        self.buffer.extend_from_slice(b"]}");
        (self.first, &self.buffer)
    }

    /// Makes room for the next row; the memory is kept, up to a bound.
    pub fn clear(&mut self) {
        const KEPT: usize = 1 << 20;
        self.buffer.clear();
        self.buffer.shrink_to(KEPT);
    }

    /// Number of the last event, in whatever row.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.head.number + u64::from(self.open.is_some())
    }

    /// The end of the chain. An event that was pushed is in it from the next one, or from `finish`, on.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// The open event is what the next one follows from.
    fn close(&mut self) {
        if let Some(start) = self.open.take() {
            self.head = self.head.after(&self.buffer[start..]);
        }
    }
}

impl<'a> Row<'a> {
    /// Takes a row apart. Times beside events that carry their own are nothing that was written: the chain would not tell
    /// what was done to them.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RowFault> {
        let row: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
        let last = row.events.last().map_or("", |raw| raw.get());
        if row.mark.is_some() == last.starts_with(VERSION_1) {
            Ok(row)
        } else {
            Err(RowFault::Unreadable(NO_TIMES.to_owned()))
        }
    }

    /// The times when it was written.
    pub fn mark(&self) -> Result<Mark, RowFault> {
        #[derive(Deserialize)]
        struct Last {
            mark: Option<Mark>,
        }
        let last = self.events.last().map_or("{}", |raw| raw.get());
        let last: Last = serde_json::from_str(last).map_err(unreadable)?;
        self.mark_by(last.mark)
    }

    /// The same by what its last event carries, where that is parsed already.
    pub fn mark_by(&self, last: Option<Mark>) -> Result<Mark, RowFault> {
        let mark = self.mark.or(last);
        mark.ok_or_else(|| RowFault::Unreadable(NO_TIMES.to_owned()))
    }
}

/// Parses the stored bytes of one event that must follow `head`, and moves the head behind it.
pub fn follow(head: &mut Head, raw: &str) -> Result<Noted, RowFault> {
    let noted = parse(raw)?;
    if noted.number != head.number + 1 || noted.prev != head.hash {
        return Err(RowFault::Broken {
            number: head.number + 1,
        });
    }
    *head = head.after(raw.as_bytes());
    Ok(noted)
}

/// Parses the stored bytes of one event. A version that this program does not know decides before all else.
pub fn parse(raw: &str) -> Result<Noted, RowFault> {
    #[derive(Deserialize)]
    struct Version {
        v: u8,
    }
    let newer = |v| v > EVENT_VERSION;
    match serde_json::from_str::<Noted>(raw) {
        Ok(noted) if newer(noted.version) => Err(RowFault::Newer(noted.version)),
        Ok(noted) => Ok(noted),
        Err(e) => match serde_json::from_str(raw) {
            Ok(Version { v }) if newer(v) => Err(RowFault::Newer(v)),
            _ => Err(unreadable(e)),
        },
    }
}

fn unreadable(why: serde_json::Error) -> RowFault {
    RowFault::Unreadable(why.to_string())
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RowFault::Newer(v) => {
                write!(
                    f,
                    "it holds an event of version {v}, and this program knows {EVENT_VERSION}"
                )
            }
            RowFault::Unreadable(why) => write!(f, "it cannot be read: {why}"),
            RowFault::Damaged { at } => write!(
                f,
                "the bytes from {at} on are not those that were written (their SHA-256 differs)"
            ),
            RowFault::OtherCheckpoint { number } => write!(
                f,
                "checkpoints/{number} is not the file that the journal recorded; somebody put another one there"
            ),
            RowFault::Broken { number } => write!(
                f,
                "the chain breaks at event {number}: it, or one before it, is not what was written"
            ),
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&text).expect("hex digits are ASCII"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        seatkeeper_engine::ids::TokenHash(self.0).serialize(s)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        // TokenHash is the same 32 bytes in the same spelling; its reader and writer are the only ones for them.
        seatkeeper_engine::ids::TokenHash::deserialize(d)
            .map(|hash| Hash(hash.0))
            .map_err(D::Error::custom)
    }
}
