//! Room for redb, judged before a transaction is begun: a redb that met a full disk in the middle of one takes nothing any
//! more until it is opened again.

use crate::storage::Space;
use std::fmt;

/// What a transaction takes beside its rows: pages of its tables, and of what is freed by it.
const BESIDE: u64 = 1 << 20;

/// The room that a journal has.
pub(super) struct Room {
    space: Box<dyn Space>,
}

impl Room {
    pub(super) fn of(space: Box<dyn Space>) -> Self {
        Room { space }
    }

    /// Whether redb can take rows of so many bytes: a page may be half empty, and is rounded up. What cannot be read stops
    /// nobody.
    pub(super) fn has(&self, rows: usize) -> bool {
        let need = BESIDE + 3 * rows as u64;
        self.space.free_bytes().map_or(true, |free| free >= need)
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Room")
    }
}
