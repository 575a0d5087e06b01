//! The append segment: a file of fixed size that takes each row with one write and one sync, before redb has it.
//!
//! redb makes a row durable with several pages and two syncs. Here it takes one of each, and many rows go to redb in one
//! transaction: when the segment is full, when a journal file ends, and at a stop. A record begins at a multiple of
//! [`BLOCK`]: [`MAGIC`], the number of the row's first event, the row's length, SHA-256 over both and the row, the row,
//! zeros up to the next block. A block that was answered for is not written again with other bytes before its row is in redb;
//! so what a power cut leaves half written was never answered for, and it can only be the last record.

use super::file::{damaged, storage};
use super::{JournalError, Page, RowFault};
use crate::state_dir::made_whole;
use redb::backends::FileBackend;
use redb::{DatabaseError, StorageBackend};
use sha2::{Digest, Sha256};
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Size of the segment: some dozen batches of a busy site, or a day of a quiet one. Moving them is a pause of some
/// milliseconds.
pub(super) const SIZE: usize = 1 << 20;
/// No two records share a block: what a disk writes as one, and a power cut may lose as one.
const BLOCK: usize = 4096;
/// No row has these bytes: it is JSON, which has no zero byte.
const MAGIC: [u8; 8] = *b"seatrow\0";
/// Magic, number, length and hash.
const HEADER: usize = 8 + 8 + 8 + 32;

/// Rows that redb does not have yet, in a file that is there at its full size, and in memory.
#[derive(Debug)]
pub(super) struct Segment {
    storage: Box<dyn StorageBackend>,
    place: String,
    size: usize,
    /// Where the next record begins.
    end: usize,
    kept: Vec<Kept>,
    /// How often rows went into redb past or out of the segment, so that a reader sees that it happened.
    moves: u64,
    /// The first error: nothing is written after it (S26).
    broken: Option<String>,
    /// Room to lay a record out.
    record: Vec<u8>,
}

/// A row in the segment.
#[derive(Debug)]
struct Kept {
    first: u64,
    row: Box<[u8]>,
}

impl Segment {
    /// Makes the file where it is missing: whole, and written once, so that no later write has to find it room.
    pub(super) fn make(path: &Path) -> Result<(), JournalError> {
        let made = made_whole(path, |new| {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(new)?;
            io::copy(&mut io::repeat(0).take(SIZE as u64), &mut file).map(drop)
        });
        made.map_err(|e| storage(&path.display().to_string(), &e.unwrap_or_else(|e| e)))
    }

    /// Opens the file, and finds the rows in it that redb does not have: those that begin after this event.
    pub(super) fn open(path: &Path, after: u64) -> Result<Self, JournalError> {
        let place = path.display().to_string();
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => JournalError::Damaged {
                place: place.clone(),
                why: "it is missing, and the newest events stood in it".to_owned(),
            },
            _ => storage(&place, &e),
        })?;
        let backend = FileBackend::new(file).map_err(|e| match e {
            DatabaseError::DatabaseAlreadyOpen => JournalError::Owned {
                place: place.clone(),
            },
            e => storage(&place, &e),
        })?;
        Segment::on(Box::new(backend), &place, SIZE, after)
    }

    /// The same over another storage.
    pub(super) fn on(
        storage: Box<dyn StorageBackend>,
        place: &str,
        size: usize,
        after: u64,
    ) -> Result<Self, JournalError> {
        let mut segment = Segment {
            storage,
            place: place.to_owned(),
            size,
            end: 0,
            kept: Vec::new(),
            moves: 0,
            broken: None,
            record: Vec::new(),
        };
        let length = segment.storage.len().map_err(|e| segment.failed(&e))?;
        if length != size as u64 {
            let why =
                format!("it has {length} bytes and not {size}, and the newest events stood in it");
            return Err(damaged(place, &why));
        }
        segment.find(after)?;
        Ok(segment)
    }

    /// Whether a row of this length still goes in.
    pub(super) fn has_room(&self, length: usize) -> bool {
        self.end + blocks(length) <= self.size
    }

    /// Makes a row durable. There is room for it.
    pub(super) fn append(&mut self, first: u64, row: &[u8]) -> Result<(), JournalError> {
        if let Some(why) = &self.broken {
            return Err(self.failed(why));
        }
        let kept = Kept {
            first,
            row: row.into(),
        };
        self.record.clear();
        self.record.extend_from_slice(&MAGIC);
        self.record.extend_from_slice(&first.to_le_bytes());
        let length = row.len() as u64;
        self.record.extend_from_slice(&length.to_le_bytes());
        self.record.extend_from_slice(&sum(first, row));
        self.record.extend_from_slice(row);
        self.record.resize(blocks(row.len()), 0);
        let written = self.storage.write(self.end as u64, &self.record);
        #[cfg(planted)]
        if seatkeeper_engine::planted::is("no-sync") {
            self.keep(kept);
            return written.map_err(|e| self.failed(&e));
        }
        if let Err(e) = written.and_then(|()| self.storage.sync_data()) {
            self.broken = Some(e.to_string());
            return Err(self.failed(&e));
        }
        self.keep(kept);
        self.record.shrink_to(SIZE / 8);
        Ok(())
    }

    /// Every row in order, with the number of its first event.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.kept.iter().map(|kept| (kept.first, &*kept.row))
    }

    /// Adds events to a page until it is full or the rows end.
    pub(super) fn read(&self, page: &mut Page) -> Result<(), JournalError> {
        let behind = self.kept.partition_point(|kept| kept.first <= page.next());
        for kept in &self.kept[behind.saturating_sub(1)..] {
            let more = page.take(kept.first, &kept.row);
            if !more.map_err(|fault| JournalError::row(&self.place, kept.first, fault))? {
                break;
            }
        }
        Ok(())
    }

    /// How often rows went into redb.
    pub(super) fn moves(&self) -> u64 {
        self.moves
    }

    /// All rows are in redb, durable: their room is free.
    pub(super) fn moved(&mut self) {
        self.kept.clear();
        self.end = 0;
        self.moves += 1;
    }

    /// Makes the last row that was found durable before another one comes behind it: a process that was killed, or whose
    /// sync failed, leaves it in the page cache only, and a sync alone does not write again what once failed. The bytes are
    /// the same, so that a power cut within it leaves them as they were, or a record that was never answered for.
    pub(super) fn make_sure(&mut self) -> Result<(), JournalError> {
        let Some(last) = self.kept.pop() else {
            return Ok(());
        };
        self.end -= blocks(last.row.len());
        self.append(last.first, &last.row)
    }

    /// Bytes of the rows that wait for redb.
    pub(super) fn bytes(&self) -> usize {
        self.kept.iter().map(|kept| kept.row.len()).sum()
    }

    /// Nothing in it waits for redb.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Nothing may be written any more.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Finds the rows after `after`. A record that is not whole ends them; one that is whole behind it proves that it was
    /// once whole too, because each was answered for before the next was written.
    fn find(&mut self, after: u64) -> Result<(), JournalError> {
        let mut newest = after;
        while let Some(row) = self.record_at(self.end)? {
            if row.first <= newest {
                break;
            }
            newest = row.first;
            self.keep(row);
        }
        for at in (self.end..self.size).step_by(BLOCK) {
            if let Some(lost) = self.record_at(at)?.filter(|row| row.first > newest) {
                let fault = RowFault::Damaged { at: self.end };
                return Err(JournalError::row(&self.place, lost.first, fault));
            }
        }
        if let Some((first, ..)) = self.header_at(self.end)?.filter(|(n, ..)| *n > newest) {
            tracing::warn!(
                place = self.place,
                from = first,
                "the last record is not whole, and its events are not read. A power cut or a kill in the middle of writing leaves such a one, and nobody was told of it; where there was none the disk has damaged what was answered for: check the disk"
            );
        }
        Ok(())
    }

    /// The header of a record that begins at a block, if one does: number, length and hash.
    fn header_at(&self, at: usize) -> Result<Option<(u64, usize, [u8; 32])>, JournalError> {
        let Some(room) = self.size.checked_sub(at + HEADER) else {
            return Ok(None);
        };
        let mut header = [0; HEADER];
        let read = self.storage.read(at as u64, &mut header);
        read.map_err(|e| self.failed(&e))?;
        Ok(parse(&header).filter(|(_, length, _)| *length <= room))
    }

    /// The row of the whole record that begins at a block, if one does.
    fn record_at(&self, at: usize) -> Result<Option<Kept>, JournalError> {
        let Some((first, length, hash)) = self.header_at(at)? else {
            return Ok(None);
        };
        let mut row = vec![0; length].into_boxed_slice();
        let read = self.storage.read((at + HEADER) as u64, &mut row);
        read.map_err(|e| self.failed(&e))?;
        #[cfg(planted)]
        if seatkeeper_engine::planted::is("torn-row-taken") {
            return Ok(Some(Kept { first, row }));
        }
        Ok((sum(first, &row) == hash).then_some(Kept { first, row }))
    }

    fn keep(&mut self, row: Kept) {
        self.end += blocks(row.row.len());
        self.kept.push(row);
    }

    fn failed(&self, why: &dyn Display) -> JournalError {
        storage(&self.place, why)
    }
}

/// A record's header: the number of the row's first event, the row's length, and the sum.
fn parse(header: &[u8; HEADER]) -> Option<(u64, usize, [u8; 32])> {
    let rest = header.strip_prefix(&MAGIC)?;
    let (first, rest) = rest.split_first_chunk::<8>()?;
    let (length, hash) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    Some((u64::from_le_bytes(*first), length, hash.try_into().ok()?))
}

fn sum(first: u64, row: &[u8]) -> [u8; 32] {
    let sum = Sha256::new().chain_update(first.to_le_bytes());
    sum.chain_update((row.len() as u64).to_le_bytes())
        .chain_update(row)
        .finalize()
        .into()
}

/// Bytes that a row of this length takes up: whole blocks.
fn blocks(length: usize) -> usize {
    (HEADER + length).next_multiple_of(BLOCK)
}
