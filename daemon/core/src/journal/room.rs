//! Room for redb, judged before a transaction is begun: a redb that met a full disk in the middle of one takes nothing any
//! more until it is opened again.
//!
//! Where `disk_reserve` asks for space at all, some of it lies beside the journal as a file, `journal/reserve`. On a disk that
//! others filled up it is given back piece by piece, so that seats that end are still recorded, and it is made whole again
//! once there is space.

use crate::storage::{Held, Space};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a transaction takes beside its rows: pages of its tables, and of what is freed by it.
const BESIDE: u64 = 1 << 20;
/// What rows take of redb's pages at the most: one may be half empty, and is rounded up.
const TIMES: u64 = 3;
/// What is held: several times what one move of the append segment may need.
const HELD: u64 = 8 << 20;
/// The file that holds it, beside the journal's files.
const RESERVE: &str = "reserve";

/// The room that a journal has.
pub(super) struct Room {
    space: Box<dyn Space>,
    held: Option<Held>,
    /// Some of what is to be held was given back, or never had.
    short: AtomicBool,
    /// `disk_reserve`: what has to stay free where more is held.
    disk_reserve: u64,
}

impl Room {
    /// The room on the disk of a folder; a reserve of 0 holds nothing there.
    pub(super) fn of(space: Box<dyn Space>, folder: &Path, disk_reserve: u64) -> Self {
        let held = Held::new(folder.join(RESERVE), HELD);
        if disk_reserve == 0 {
            if let Err(why) = held.end() {
                tracing::warn!(%why, "the journal's reserve of an earlier setting cannot be given back");
            }
            return Room::told(space);
        }
        let room = Room {
            space,
            held: Some(held),
            short: AtomicBool::new(true),
            disk_reserve,
        };
        room.refill();
        room
    }

    /// Room of which nothing is held.
    pub(super) fn told(space: Box<dyn Space>) -> Self {
        Room {
            space,
            held: None,
            short: AtomicBool::new(false),
            disk_reserve: 0,
        }
    }

    /// Whether redb can take rows of so many bytes. What cannot be read stops nobody.
    pub(super) fn has(&self, bytes: usize) -> bool {
        self.lacks(bytes) == 0
    }

    /// The same, by what is held where need be: for rows that have no other place.
    pub(super) fn make(&self, bytes: usize) -> bool {
        let Some(held) = &self.held else {
            return self.has(bytes);
        };
        loop {
            let lacks = self.lacks(bytes);
            if lacks == 0 {
                return true;
            }
            // What is not enough stays, for rows that need less.
            if lacks > held.bytes() {
                return false;
            }
            match held.give(lacks) {
                Ok(given) => {
                    self.short.store(true, Ordering::Relaxed);
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

    /// Holds what is missing of it, where something is and that takes nothing of `disk_reserve`.
    pub(super) fn refill(&self) {
        let short = self.short.load(Ordering::Relaxed);
        let Some(held) = self.held.as_ref().filter(|_| short) else {
            return;
        };
        let missing = held.missing();
        if missing > 0 {
            let free = self.space.free_bytes().unwrap_or(0);
            if free < self.disk_reserve.saturating_add(missing) {
                return;
            }
            if let Err(why) = held.grow() {
                tracing::warn!(%why, "the journal has no reserve for a full disk");
            }
        }
        // One that cannot be had is tried again at the next start, and not with every row.
        self.short.store(false, Ordering::Relaxed);
    }

    /// Bytes that have to be free and are not.
    fn lacks(&self, bytes: usize) -> u64 {
        let need = BESIDE + TIMES * bytes as u64;
        let free = self.space.free_bytes().unwrap_or(need);
        need.saturating_sub(free)
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Room")
    }
}
