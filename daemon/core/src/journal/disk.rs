//! The journal on disk: one redb file, every row one transaction, two-phase and synced before it counts.

use super::{EachRow, Journal, JournalError, Page, STORE_VERSION};
use crate::calendar::Mark;
use crate::store::{self, Closed};
use redb::{
    Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, TableError,
    WriteTransaction,
};
use std::path::Path;

/// Rows: number of the first event → the batch as JSON.
const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");
/// The store's version, and the times where no row carries them.
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const VERSION: &str = "version";
const MARK: &str = "mark";

/// Rows in a redb file.
#[derive(Debug)]
pub struct RedbJournal {
    place: String,
    database: Database,
}

impl RedbJournal {
    /// Opens a journal, or makes one.
    ///
    /// # Errors
    /// Another process has it open, it is no journal or a newer one, or the disk refuses.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let place = path.display().to_string();
        let of = |database| RedbJournal {
            place: place.clone(),
            database,
        };
        let opened = store::open(path, |database| of(database).found());
        let database = opened.map_err(|closed| match closed {
            Closed::Owned => JournalError::Owned {
                place: place.clone(),
            },
            Closed::Failed(why) => storage(&place, &why),
            Closed::Unfounded(why) => why,
        })?;
        let journal = of(database);
        journal.check_version()?;
        Ok(journal)
    }

    /// A journal over another storage, which is made a store where it is empty: for tests that lose what was not
    /// synced.
    pub fn over(backend: impl StorageBackend, place: &str) -> Result<Self, JournalError> {
        let database = store::builder()
            .create_with_backend(backend)
            .map_err(|e| storage(place, &e))?;
        let journal = RedbJournal {
            place: place.to_owned(),
            database,
        };
        if journal.is_blank()? {
            journal.found()?;
        }
        journal.check_version()?;
        Ok(journal)
    }

    fn is_blank(&self) -> Result<bool, JournalError> {
        let read = self.database.begin_read().map_err(|e| self.failed(&e))?;
        match read.open_table(META) {
            Ok(_) => Ok(false),
            Err(TableError::TableDoesNotExist(_)) => Ok(true),
            Err(e) => Err(self.failed(&e)),
        }
    }

    fn found(&self) -> Result<(), JournalError> {
        self.write(|txn| {
            txn.open_table(ROWS)?;
            txn.open_table(META)?
                .insert(VERSION, STORE_VERSION.to_le_bytes().as_slice())?;
            Ok(())
        })
    }

    fn check_version(&self) -> Result<(), JournalError> {
        let read = self.database.begin_read().map_err(|e| self.failed(&e))?;
        let meta = read.open_table(META).map_err(|e| self.failed(&e))?;
        let stored = meta.get(VERSION).map_err(|e| self.failed(&e))?;
        let version = stored
            .and_then(|bytes| bytes.value().try_into().ok())
            .map(u64::from_le_bytes);
        match version {
            Some(version) if version <= STORE_VERSION => Ok(()),
            Some(version) => Err(JournalError::Newer {
                place: self.place.clone(),
                version,
            }),
            None => Err(self.failed(&"it is no journal of Seatkeeper: its version is missing")),
        }
    }

    fn write(
        &self,
        how: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), JournalError> {
        store::write(&self.database, how).map_err(|e| self.failed(&e))
    }

    fn failed(&self, why: &dyn std::fmt::Display) -> JournalError {
        storage(&self.place, why)
    }
}

impl Journal for RedbJournal {
    fn load(&self, each: EachRow<'_>) -> Result<Option<Mark>, JournalError> {
        let read = self.database.begin_read().map_err(|e| self.failed(&e))?;
        let rows = read.open_table(ROWS).map_err(|e| self.failed(&e))?;
        for row in rows.iter().map_err(|e| self.failed(&e))? {
            let (first, bytes) = row.map_err(|e| self.failed(&e))?;
            each(first.value(), bytes.value())?;
        }
        let meta = read.open_table(META).map_err(|e| self.failed(&e))?;
        let mark = meta.get(MARK).map_err(|e| self.failed(&e))?;
        mark.map(|bytes| serde_json::from_slice(bytes.value()))
            .transpose()
            .map_err(|e| self.failed(&format_args!("its time mark cannot be read ({e})")))
    }

    fn append(&self, first: u64, row: &[u8]) -> Result<(), JournalError> {
        self.write(|txn| {
            txn.open_table(ROWS)?.insert(first, row)?;
            Ok(())
        })
    }

    fn keep_mark(&self, mark: &Mark) -> Result<(), JournalError> {
        let bytes = serde_json::to_vec(mark).map_err(|e| self.failed(&e))?;
        self.write(|txn| {
            txn.open_table(META)?.insert(MARK, bytes.as_slice())?;
            Ok(())
        })
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Box<str>)>, JournalError> {
        let read = self.database.begin_read().map_err(|e| self.failed(&e))?;
        let rows = read.open_table(ROWS).map_err(|e| self.failed(&e))?;
        let before = rows
            .range(..=from)
            .map_err(|e| self.failed(&e))?
            .next_back();
        let start = match before.transpose().map_err(|e| self.failed(&e))? {
            Some((first, _)) => first.value(),
            None => 0,
        };
        let mut page = Page::new(from, limit);
        for row in rows.range(start..).map_err(|e| self.failed(&e))? {
            let (first, bytes) = row.map_err(|e| self.failed(&e))?;
            let more =
                page.take(first.value(), bytes.value())
                    .map_err(|fault| JournalError::Row {
                        place: self.place.clone(),
                        row: first.value(),
                        fault,
                    })?;
            if !more {
                break;
            }
        }
        Ok(page.done())
    }

    fn place(&self) -> String {
        self.place.clone()
    }
}

fn storage(place: &str, why: &dyn std::fmt::Display) -> JournalError {
    JournalError::Storage {
        place: place.to_owned(),
        why: why.to_string(),
    }
}
