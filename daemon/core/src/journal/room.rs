//! Room for redb, judged before a transaction is begun: a redb that met a full disk in the middle of one takes nothing any
//! more until it is opened again.
//!
//! A part of `disk_reserve` lies beside the journal as a file, `journal/reserve`. On a disk that others filled up it is given
//! back piece by piece, so that seats that end are still recorded, and it is made whole again once there is space.

use crate::storage::{Held, Space};
use std::fmt;
use std::path::Path;

/// What a transaction takes beside its rows: pages of its tables, and of what is freed by it.
const BESIDE: u64 = 1 << 20;
/// What is held at the most.
const HELD: u64 = 8 << 20;
/// The file that holds it, beside the journal's files.
const RESERVE: &str = "reserve";

/// The room that a journal has.
pub(super) struct Room {
    space: Box<dyn Space>,
    held: Option<Held>,
    /// `disk_reserve`: what has to stay free where more is held.
    disk_reserve: u64,
}

impl Room {
    /// The room on the disk of a folder; a reserve of 0 holds nothing there.
    pub(super) fn of(space: Box<dyn Space>, folder: &Path, disk_reserve: u64) -> Self {
        let held = Held::new(folder.join(RESERVE), disk_reserve.min(HELD));
        let room = Room {
            space,
            held: (disk_reserve > 0).then_some(held),
            disk_reserve,
        };
        room.refill();
        room
    }

    /// Room that is told of only, where there is no folder.
    pub(super) fn told(space: Box<dyn Space>) -> Self {
        Room {
            space,
            held: None,
            disk_reserve: 0,
        }
    }

    /// Whether redb can take rows of so many bytes: a page may be half empty, and is rounded up. What cannot be read stops
    /// nobody.
    pub(super) fn has(&self, rows: usize) -> bool {
        self.lacks(rows) == 0
    }

    /// The same, by what is held where need be: for rows that have no other place.
    pub(super) fn make(&self, rows: usize) -> bool {
        let Some(held) = &self.held else {
            return self.has(rows);
        };
        loop {
            let lacks = self.lacks(rows);
            if lacks == 0 {
                return true;
            }
            match held.give(lacks) {
                Ok(0) => return false,
                Ok(given) => {
                    tracing::warn!(
                        given,
                        "the disk is full: the journal goes on in its reserve"
                    );
                }
                Err(why) => {
                    tracing::warn!(%why, "the journal's reserve cannot be given back");
                    return false;
                }
            }
        }
    }

    /// Holds what is missing of it, where that takes nothing of `disk_reserve`.
    pub(super) fn refill(&self) {
        let Some(held) = &self.held else { return };
        let missing = held.missing();
        let free = self.space.free_bytes().unwrap_or(0);
        if missing > 0
            && free >= self.disk_reserve.saturating_add(missing)
            && let Err(why) = held.grow()
        {
            tracing::warn!(%why, "the journal has no reserve for a full disk");
        }
    }

    /// Bytes that have to be free and are not.
    fn lacks(&self, rows: usize) -> u64 {
        let need = BESIDE + 3 * rows as u64;
        let free = self.space.free_bytes().unwrap_or(need);
        need.saturating_sub(free)
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Room")
    }
}
