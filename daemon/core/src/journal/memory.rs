//! A journal in memory: the same rows, gone with the process. For tests, vendors' tests and the simulation.

use super::{EachRow, Journal, JournalError, Page};
use crate::calendar::Mark;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Rows in a map.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    kept: Mutex<Kept>,
}

#[derive(Clone, Debug, Default)]
struct Kept {
    rows: BTreeMap<u64, Vec<u8>>,
    mark: Option<Mark>,
}

impl MemoryJournal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a backup of it would be.
    #[must_use]
    pub fn copy(&self) -> Self {
        let kept = self.kept().clone();
        MemoryJournal {
            kept: Mutex::new(kept),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn load(&self, from: u64, each: EachRow<'_>) -> Result<Option<Mark>, JournalError> {
        let kept = self.kept();
        for (first, row) in kept.rows.range(from..) {
            each(*first, row).map_err(|fault| JournalError::row(&self.place(), *first, fault))?;
        }
        Ok(kept.mark)
    }

    fn rotate(&self, _first: u64) -> Result<(), JournalError> {
        Ok(())
    }

    fn append(&self, first: u64, row: &[u8]) -> Result<(), JournalError> {
        self.kept().rows.insert(first, row.to_vec());
        Ok(())
    }

    fn keep_mark(&self, mark: &Mark) -> Result<(), JournalError> {
        self.kept().mark = Some(*mark);
        Ok(())
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Box<str>)>, JournalError> {
        let kept = self.kept();
        let start = kept
            .rows
            .range(..=from)
            .next_back()
            .map_or(0, |(first, _)| *first);
        let mut page = Page::new(from, limit);
        for (first, row) in kept.rows.range(start..) {
            let more = page
                .take(*first, row)
                .map_err(|fault| JournalError::row(&self.place(), *first, fault))?;
            if !more {
                break;
            }
        }
        Ok(page.done())
    }

    fn place(&self) -> String {
        "the journal in memory".to_owned()
    }
}
