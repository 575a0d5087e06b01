//! One file of the journal.

use super::segment::Segment;
use super::{EachRow, JournalError, Page, Row, STORE_VERSION, StoredRow};
use crate::calendar::Mark;
use crate::hush::{aloud, hushed};
use crate::store::{self, BROKEN, Closed, sound};
use redb::{
    Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, TableError,
    WriteTransaction,
};
use std::cell::Cell;
use std::fmt::Display;
use std::panic::resume_unwind;
use std::path::Path;

/// Rows: number of the first event → the batch as JSON.
const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");
/// The store's version, and the times where no row carries them.
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const VERSION: &str = "version";
const MARK: &str = "mark";
/// Rows that are read while others wait for the file.
const ROWS_AT_ONCE: usize = 256;

/// Rows in a redb file.
#[derive(Debug)]
pub(super) struct JournalFile {
    place: String,
    database: Database,
}

impl JournalFile {
    /// Opens a file, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let broken = || Err(damaged(&path.display().to_string(), &BROKEN));
        sound(|| Self::look(path)).unwrap_or_else(broken)
    }

    /// Opens it and looks at both ends.
    fn look(path: &Path) -> Result<Self, JournalError> {
        let place = path.display().to_string();
        let of = |database| JournalFile {
            place: place.clone(),
            database,
        };
        let opened = store::open(path, |database| of(database).found());
        let database = opened.map_err(|closed| match closed {
            Closed::Owned => JournalError::Owned {
                place: place.clone(),
            },
            Closed::Failed(why) => storage(&place, &why),
            Closed::Damaged(why) => damaged(&place, &why),
            Closed::Unfounded(why) => why,
        })?;
        let file = of(database);
        file.check_version()?;
        file.last()?;
        Ok(file)
    }

    /// Opens a file that is there: one that is ended is never made anew.
    pub(super) fn ended(path: &Path) -> Result<Self, JournalError> {
        match path.try_exists() {
            Ok(true) => JournalFile::open(path),
            Ok(false) => Err(damaged(&path.display().to_string(), &"it is missing")),
            Err(e) => Err(storage(&path.display().to_string(), &e)),
        }
    }

    pub(super) fn over(backend: impl StorageBackend, place: &str) -> Result<Self, JournalError> {
        let database = store::builder()
            .create_with_backend(backend)
            .map_err(|e| storage(place, &e))?;
        let file = JournalFile {
            place: place.to_owned(),
            database,
        };
        if file.is_blank()? {
            file.found()?;
        }
        file.check_version()?;
        Ok(file)
    }

    /// Gives its rows from an event on.
    pub(super) fn load(&self, from: u64, each: EachRow<'_>) -> Result<(), JournalError> {
        let ours = Cell::new(false);
        let loaded = hushed(|| {
            self.load_rows(from, &mut |first, bytes| {
                ours.set(true);
                let taken = aloud(|| each(first, bytes));
                ours.set(false);
                taken
            })
        });
        match loaded {
            Ok(loaded) => loaded,
            // A panic of whoever takes the rows is none of the file's.
            Err(panic) if ours.get() => resume_unwind(panic),
            Err(_) => Err(damaged(&self.place, &BROKEN)),
        }
    }

    fn load_rows(&self, from: u64, each: EachRow<'_>) -> Result<(), JournalError> {
        let read = self.database.begin_read().map_err(|e| self.failed(e))?;
        let rows = read.open_table(ROWS).map_err(|e| self.failed(e))?;
        for row in rows.range(from..).map_err(|e| self.failed(e))? {
            let (first, bytes) = row.map_err(|e| self.failed(e))?;
            each(first.value(), bytes.value())
                .map_err(|fault| JournalError::row(&self.place, first.value(), fault))?;
        }
        Ok(())
    }

    pub(super) fn mark(&self) -> Result<Option<Mark>, JournalError> {
        let read = self.database.begin_read().map_err(|e| self.failed(e))?;
        let meta = read.open_table(META).map_err(|e| self.failed(e))?;
        let mark = meta.get(MARK).map_err(|e| self.failed(e))?;
        mark.map(|bytes| serde_json::from_slice(bytes.value()))
            .transpose()
            .map_err(|e| self.odd(&format_args!("its time mark cannot be read ({e})")))
    }

    /// Takes over all rows of the append segment.
    pub(super) fn take_all(&self, segment: &Segment) -> Result<(), JournalError> {
        self.write(|txn| {
            let mut table = txn.open_table(ROWS)?;
            for (first, row) in segment.rows() {
                table.insert(first, row)?;
            }
            Ok(())
        })
    }

    /// Number of its first event, and of the one after its last.
    pub(super) fn span(&self) -> Result<Option<(u64, u64)>, JournalError> {
        let broken = || Err(damaged(&self.place, &BROKEN));
        sound(|| self.ends()).unwrap_or_else(broken)
    }

    fn ends(&self) -> Result<Option<(u64, u64)>, JournalError> {
        let read = self.database.begin_read().map_err(|e| self.failed(e))?;
        let rows = read.open_table(ROWS).map_err(|e| self.failed(e))?;
        let first = rows.first().map_err(|e| self.failed(e))?;
        let last = rows.last().map_err(|e| self.failed(e))?;
        let (Some((first, _)), Some((last, row))) = (first, last) else {
            return Ok(None);
        };
        let fault = |fault| JournalError::row(&self.place, last.value(), fault);
        let events = Row::parse(row.value()).map_err(fault)?.events.len() as u64;
        Ok(Some((first.value(), last.value() + events)))
    }

    /// Its rows from an event on, [`ROWS_AT_ONCE`] of them at the most.
    pub(super) fn some_rows(&self, from: u64) -> Result<Vec<StoredRow>, JournalError> {
        let take = || {
            let read = self.database.begin_read().map_err(|e| self.failed(e))?;
            let rows = read.open_table(ROWS).map_err(|e| self.failed(e))?;
            let rows = rows.range(from..).map_err(|e| self.failed(e))?;
            rows.take(ROWS_AT_ONCE)
                .map(|row| {
                    let (first, bytes) = row.map_err(|e| self.failed(e))?;
                    Ok((first.value(), bytes.value().into()))
                })
                .collect()
        };
        let broken = || Err(damaged(&self.place, &BROKEN));
        sound(take).unwrap_or_else(broken)
    }

    /// The times of the last row.
    pub(super) fn newest(&self) -> Result<Option<Mark>, JournalError> {
        let broken = || Err(damaged(&self.place, &BROKEN));
        sound(|| self.last_mark()).unwrap_or_else(broken)
    }

    fn last_mark(&self) -> Result<Option<Mark>, JournalError> {
        let read = self.database.begin_read().map_err(|e| self.failed(e))?;
        let rows = read.open_table(ROWS).map_err(|e| self.failed(e))?;
        let Some((first, row)) = rows.last().map_err(|e| self.failed(e))? else {
            return Ok(None);
        };
        let fault = |fault| JournalError::row(&self.place, first.value(), fault);
        let mark = Row::parse(row.value()).and_then(|row| row.mark());
        mark.map(Some).map_err(fault)
    }

    /// Number of the first event of the last row.
    pub(super) fn last(&self) -> Result<Option<u64>, JournalError> {
        let read = self.database.begin_read().map_err(|e| self.failed(e))?;
        let rows = read.open_table(ROWS).map_err(|e| self.failed(e))?;
        let last = rows.last().map_err(|e| self.failed(e))?;
        Ok(last.map(|(first, _)| first.value()))
    }

    pub(super) fn append(&self, first: u64, row: &[u8]) -> Result<(), JournalError> {
        self.write(|txn| {
            txn.open_table(ROWS)?.insert(first, row)?;
            Ok(())
        })
    }

    pub(super) fn keep_mark(&self, mark: &Mark) -> Result<(), JournalError> {
        let bytes = serde_json::to_vec(mark).map_err(|e| self.odd(&e))?;
        self.write(|txn| {
            txn.open_table(META)?.insert(MARK, bytes.as_slice())?;
            Ok(())
        })
    }

    /// Adds events to a page until it is full or the file ends.
    pub(super) fn read(&self, page: &mut Page) -> Result<(), JournalError> {
        let read = self.database.begin_read().map_err(|e| self.failed(e))?;
        let rows = read.open_table(ROWS).map_err(|e| self.failed(e))?;
        let before = rows
            .range(..=page.next())
            .map_err(|e| self.failed(e))?
            .next_back();
        let start = match before.transpose().map_err(|e| self.failed(e))? {
            Some((first, _)) => first.value(),
            None => 0,
        };
        for row in rows.range(start..).map_err(|e| self.failed(e))? {
            let (first, bytes) = row.map_err(|e| self.failed(e))?;
            let more = page
                .take(first.value(), bytes.value())
                .map_err(|fault| JournalError::row(&self.place, first.value(), fault))?;
            if !more {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn version(&self) -> Result<u64, JournalError> {
        let read = self.database.begin_read().map_err(|e| self.failed(e))?;
        let meta = read.open_table(META).map_err(|e| self.failed(e))?;
        let stored = meta.get(VERSION).map_err(|e| self.failed(e))?;
        let version = stored.and_then(|bytes| bytes.value().try_into().ok());
        version
            .map(u64::from_le_bytes)
            .ok_or_else(|| self.odd(&"it is no journal of Seatkeeper: its version is missing"))
    }

    pub(super) fn raise_version(&self) -> Result<(), JournalError> {
        self.write(|txn| {
            txn.open_table(META)?
                .insert(VERSION, STORE_VERSION.to_le_bytes().as_slice())?;
            Ok(())
        })
    }

    fn is_blank(&self) -> Result<bool, JournalError> {
        let read = self.database.begin_read().map_err(|e| self.failed(e))?;
        match read.open_table(META) {
            Ok(_) => Ok(false),
            Err(TableError::TableDoesNotExist(_)) => Ok(true),
            Err(e) => Err(self.failed(e)),
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
        match self.version()? {
            version if version <= STORE_VERSION => Ok(()),
            version => Err(JournalError::Newer {
                place: self.place.clone(),
                version,
            }),
        }
    }

    fn write(
        &self,
        how: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), JournalError> {
        store::write(&self.database, how).map_err(|e| self.failed(e))
    }

    fn failed(&self, why: impl Into<redb::Error>) -> JournalError {
        match why.into() {
            redb::Error::Corrupted(why) => damaged(&self.place, &why),
            why => storage(&self.place, &why),
        }
    }

    fn odd(&self, why: &dyn Display) -> JournalError {
        damaged(&self.place, why)
    }
}

pub(super) fn damaged(place: &str, why: &dyn Display) -> JournalError {
    JournalError::Damaged {
        place: place.to_owned(),
        why: why.to_string(),
    }
}

pub(super) fn storage(place: &str, why: &dyn Display) -> JournalError {
    JournalError::Storage {
        place: place.to_owned(),
        why: why.to_string(),
    }
}
