//! The durable log of events: the journal is the truth, the audit log and the usage log.
//!
//! A row is one batch: its events, each with version, number, actor, origin, trace id and the hash of its
//! predecessor, and the times when it was written. A row is keyed by the number of its first event, and a file
//! (`journal/N.redb`) by the number of its own: the next one begins where a checkpoint ends. A row is durable first in the
//! append segment (`journal/append`), from where many go to the file together.

mod archive;
mod disk;
mod file;
mod memory;
mod room;
mod row;
mod segment;

pub use archive::Archive;
pub use disk::{RedbJournal, exists};
pub use memory::MemoryJournal;
pub use row::{Cause, Hash, Head, Noted, Row, RowFault, RowWriter, follow, parse};

use crate::calendar::Mark;
use std::fmt;

/// Version of the store's layout. An older program refuses a newer store.
///
/// 1: all events in `1.redb`. 2: a file for each checkpoint. 3: the append segment before them.
pub const STORE_VERSION: u64 = 3;

/// Events in one page of [`Journal::read`], at most.
pub const PAGE: usize = 1000;

/// Is given the rows in order: the number of the row's first event, and its bytes.
pub type EachRow<'a> = &'a mut dyn FnMut(u64, &[u8]) -> Result<(), RowFault>;

/// A row as it is stored: the number of its first event, and its bytes.
pub type StoredRow = (u64, Box<[u8]>);

/// Where rows are kept. Only the keeper appends; anyone may read beside it.
pub trait Journal: Send + Sync {
    /// Gives every row in order from the one that begins with event `from`, and the newest mark written outside of rows.
    fn load(&self, from: u64, each: EachRow<'_>) -> Result<Option<Mark>, JournalError>;

    /// Makes a row durable. When this returns `Ok` the row survives any crash; after an error nothing more may be
    /// appended or acknowledged (I6, I7).
    fn append(&self, first: u64, row: &[u8]) -> Result<(), JournalError>;

    /// Ends the present file: the next row, whose first event is `first`, begins a new one. An error leaves the present
    /// file as it is, and rows go on into it.
    fn rotate(&self, first: u64) -> Result<(), JournalError>;

    /// Makes the times durable where no row carries them.
    fn keep_mark(&self, mark: &Mark) -> Result<(), JournalError>;

    /// The stored bytes of up to `limit` events (and never more than [`PAGE`]) from a number on.
    fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Box<str>)>, JournalError>;

    /// Brings all rows into the files, where they are not kept there from the first. It is not needed for what was
    /// answered; a clean stop does it for whoever copies the files.
    fn settle(&self) -> Result<(), JournalError> {
        Ok(())
    }

    /// Its ended files, where it has files.
    fn archive(&self) -> Option<&dyn Archive> {
        None
    }

    /// What to call this journal in messages: the file's path.
    fn place(&self) -> String;
}

/// The journal failed.
#[derive(Debug)]
pub enum JournalError {
    /// Reading or writing failed.
    Storage {
        /// The file.
        place: String,
        /// What the system said.
        why: String,
    },
    /// A file is not what was written.
    Damaged {
        /// The file.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// A row is not what this program writes.
    Row {
        /// The file.
        place: String,
        /// The row, by the number of its first event.
        row: u64,
        /// What is wrong with it.
        fault: RowFault,
    },
    /// The store was written by a later version.
    Newer {
        /// The file.
        place: String,
        /// Its version.
        version: u64,
    },
    /// The file that a checkpoint goes on in is not there, or the one that the newest events were written to.
    Missing {
        /// The file.
        place: String,
        /// The checkpoint.
        checkpoint: Option<u64>,
    },
    /// The first events are wanted, and were pruned.
    Pruned {
        /// The first file, which is gone on purpose.
        place: String,
    },
    /// There is no journal, and there was one.
    Gone {
        /// The folder.
        place: String,
    },
    /// Another process has the file open.
    Owned {
        /// The file.
        place: String,
    },
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalError::Storage { place, why } => {
                write!(
                    f,
                    "{place}: {why}. Check the disk (space, errors in the kernel's log), then start again: what was acknowledged is there"
                )
            }
            JournalError::Damaged { place, why } => write!(
                f,
                "{place}: {why}. Nothing was changed. Keep a copy of this file, check the disk, then put the file back or restore the last backup; starting without it could give its seats twice"
            ),
            JournalError::Row {
                place,
                row,
                fault: RowFault::Newer(v),
            } => write!(
                f,
                "{place}, row {row}: written by a newer Seatkeeper (event version {v}). Install that version again, or restore the backup made before the upgrade"
            ),
            JournalError::Row {
                place,
                row,
                fault: fault @ RowFault::OtherCheckpoint { number },
            } => write!(
                f,
                "{place}, row {row}: {fault}. Nothing was changed. Move checkpoints/{number} away: the start then takes the one before it"
            ),
            JournalError::Row { place, row, fault } => write!(
                f,
                "{place}, row {row}: {fault}. Nothing was changed. Keep a copy of this file, then restore the last backup; starting without the row could give its seats twice"
            ),
            JournalError::Newer { place, version } => write!(
                f,
                "{place}: written by a newer Seatkeeper (store version {version}, this one knows {STORE_VERSION}). Install that version again, or restore the backup made before the upgrade"
            ),
            JournalError::Missing { place, checkpoint } => {
                let lost = match checkpoint {
                    Some(number) => format!("what happened after checkpoint {number}"),
                    None => "what no checkpoint stands behind".to_owned(),
                };
                write!(
                    f,
                    "{place} is missing: {lost} stood in it. Put the file back, or restore the last backup; starting without it could give its seats twice"
                )
            }
            JournalError::Pruned { place } => write!(
                f,
                "{place} was pruned, and no checkpoint that can be read stands in its place. Put the checkpoints back, or restore the last backup; starting without them could give its seats twice"
            ),
            JournalError::Gone { place } => write!(
                f,
                "{place}: there is no journal, and this state directory had one. Put the folder back, or restore the last backup; starting without it would give all its seats again. To begin a new site with this site key on purpose, move everything but keys/site.key away"
            ),
            JournalError::Owned { place } => write!(
                f,
                "{place}: another process has it open. One daemon owns a state directory; stop the other one first"
            ),
        }
    }
}

impl std::error::Error for JournalError {}

impl JournalError {
    /// Where and what, without what a start that it keeps from starting would have to do.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            JournalError::Storage { place, why } | JournalError::Damaged { place, why } => {
                format!("{place}: {why}")
            }
            JournalError::Row { place, row, fault } => format!("{place}, row {row}: {fault}"),
            other => other.to_string(),
        }
    }

    /// A row of a file that is not what it should be.
    pub(crate) fn row(place: &str, row: u64, fault: RowFault) -> Self {
        JournalError::Row {
            place: place.to_owned(),
            row,
            fault,
        }
    }
}

/// Picks the events of a page out of rows that come in order.
pub(crate) struct Page {
    from: u64,
    limit: usize,
    events: Vec<(u64, Box<str>)>,
}

impl Page {
    pub(crate) fn new(from: u64, limit: usize) -> Self {
        Page {
            from,
            limit: limit.min(PAGE),
            events: Vec::new(),
        }
    }

    /// Takes what it wants of a row; false where the page is full.
    pub(crate) fn take(&mut self, first: u64, row: &[u8]) -> Result<bool, RowFault> {
        for (number, raw) in (first..).zip(Row::parse(row)?.events) {
            if self.events.len() >= self.limit {
                return Ok(false);
            }
            if number >= self.from {
                self.events.push((number, raw.get().into()));
                self.from = number + 1;
            }
        }
        Ok(self.events.len() < self.limit)
    }

    /// Number of the event that comes next.
    pub(crate) fn next(&self) -> u64 {
        self.from
    }

    pub(crate) fn is_full(&self) -> bool {
        self.events.len() >= self.limit
    }

    pub(crate) fn done(self) -> Vec<(u64, Box<str>)> {
        self.events
    }
}
