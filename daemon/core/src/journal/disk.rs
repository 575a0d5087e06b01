//! The journal on disk: a folder of redb files, and before them the append segment, in which a row is durable first.

use super::file::{JournalFile, damaged, storage};
use super::room::Room;
use super::segment::Segment;
use super::{Archive, EachRow, Journal, JournalError, Page, STORE_VERSION};
use crate::calendar::Mark;
use crate::storage::{Directory, Space};
use redb::StorageBackend;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The append segment, beside the files.
const APPEND: &str = "append";

/// The files of a folder, the last of them open for rows, which reach it through the append segment.
///
/// An ended file is opened for each look into it, by one reader at a time, and closed again: a site has years of them.
#[derive(Debug)]
pub struct RedbJournal {
    pub(super) folder: PathBuf,
    /// Never asked for by one who has `files`.
    segment: Mutex<Segment>,
    files: RwLock<Files>,
    one_reader: Mutex<()>,
    room: Room,
}

#[derive(Debug)]
pub(super) struct Files {
    /// Number of the first event of each file that is ended, oldest first.
    pub(super) ended: Vec<u64>,
    /// The same of the present one.
    pub(super) first: u64,
    present: JournalFile,
}

impl RedbJournal {
    /// Opens the journal in a folder, or makes one. A file that is missing is noticed where its events are wanted: here,
    /// where rows in the segment do not follow the files; at [`Journal::load`], where a checkpoint's own file is gone or one
    /// between two that are read; and by [`Archive::holes`] where no start reads it. Where `disk_reserve`
    /// is not 0 some space is held for a disk that others fill up.
    ///
    /// # Errors
    /// Another process has it open, it is no journal or a newer one, or the disk refuses.
    pub fn open(folder: &Path, disk_reserve: u64) -> Result<Self, JournalError> {
        let space = Box::new(Directory(folder.to_owned()));
        RedbJournal::open_within(folder, space, disk_reserve)
    }

    /// The same where this tells the free space: for tests of a disk that is full.
    ///
    /// # Errors
    /// As for a folder.
    pub fn open_within(
        folder: &Path,
        space: Box<dyn Space>,
        disk_reserve: u64,
    ) -> Result<Self, JournalError> {
        let mut ended = firsts(folder).map_err(|e| storage(&folder.display().to_string(), &e))?;
        let append = folder.join(APPEND);
        let first = ended.pop().unwrap_or(1);
        let path = path(folder, first);
        if !path.exists() {
            // A first start, or one that was killed before it had written anything.
            Segment::make(&append)?;
            if !Segment::open(&append, 0)?.is_empty() {
                return Err(damaged(&path.display().to_string(), &"it is missing"));
            }
        }
        let mut present = JournalFile::open(&path)?;
        if present.version()? < STORE_VERSION {
            Segment::make(&append)?;
            present = migrate(folder, &path, present)?;
        }
        let last = present.last()?.unwrap_or(first - 1);
        let segment = Segment::open(&append, last)?;
        let files = Files {
            ended,
            first,
            present,
        };
        let room = Room::of(space, folder, disk_reserve);
        RedbJournal::of(folder, files, segment, room)
    }

    /// A journal over other storages, of one file and an append segment of a size in bytes (a multiple of 4,096), which
    /// are made where they are empty: for tests that lose what was not synced.
    ///
    /// # Errors
    /// As for a folder.
    pub fn over(
        file: impl StorageBackend,
        append: impl StorageBackend,
        size: usize,
        (folder, space): (&str, Box<dyn Space>),
    ) -> Result<Self, JournalError> {
        let folder = Path::new(folder);
        let place = folder.join(APPEND).display().to_string();
        if append.len().map_err(|e| storage(&place, &e))? == 0 {
            let made = append
                .write(0, &vec![0; size])
                .and_then(|()| append.sync_data());
            made.map_err(|e| storage(&place, &e))?;
        }
        let present = JournalFile::over(file, &path(folder, 1).display().to_string())?;
        let last = present.last()?.unwrap_or(0);
        let segment = Segment::on(Box::new(append), &place, size, last)?;
        let files = Files {
            ended: Vec::new(),
            first: 1,
            present,
        };
        RedbJournal::of(folder, files, segment, Room::told(space))
    }

    /// Rows that are found in the segment go to redb before any other row is written. The last of them may never have
    /// been synced: a process that was killed, or whose sync failed, leaves it in the page cache only. A row behind it
    /// would say that it had been answered for. Where redb has no room for them they stay, so that the seats go on: then
    /// the last of them is made sure in its own place.
    fn of(folder: &Path, files: Files, segment: Segment, room: Room) -> Result<Self, JournalError> {
        let end = files.end()?;
        if let Some((next, _)) = segment.rows().next()
            && next != end
        {
            let lost = gap(end, next, files.first);
            return Err(damaged(&folder.display().to_string(), &lost));
        }
        let journal = RedbJournal {
            folder: folder.to_owned(),
            segment: Mutex::new(segment),
            files: RwLock::new(files),
            one_reader: Mutex::new(()),
            room,
        };
        let mut segment = journal.segment();
        if !journal.settle_or_stay(&mut segment)? {
            segment.make_sure()?;
        }
        drop(segment);
        Ok(journal)
    }

    fn segment(&self) -> MutexGuard<'_, Segment> {
        self.segment.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the segment's rows into the present file, where there is room. False where there is none: they stay, and redb
    /// was not touched.
    fn settle_rows(&self, segment: &mut Segment) -> Result<bool, JournalError> {
        let room = self.room.has(segment.bytes());
        if room {
            self.move_rows(segment)?;
        }
        Ok(room || segment.is_empty())
    }

    /// The same where rows that stay are no failure.
    fn settle_or_stay(&self, segment: &mut Segment) -> Result<bool, JournalError> {
        let settled = self.settle_rows(segment)?;
        if !settled {
            tracing::warn!(
                "no room for the newest events in redb: they stay in the append segment"
            );
        }
        Ok(settled)
    }

    /// Moves the segment's rows into the present file. There is room for them.
    fn move_rows(&self, segment: &mut Segment) -> Result<(), JournalError> {
        if segment.is_empty() {
            return Ok(());
        }
        #[cfg(planted)]
        if seatkeeper_engine::planted::is("moved-nowhere") {
            segment.moved();
            return Ok(());
        }
        self.files().present.take_all(segment)?;
        segment.moved();
        Ok(())
    }

    /// What is said where rows have to go into a file and there is no room.
    fn full(&self) -> JournalError {
        storage(
            &self.folder.display().to_string(),
            &"no space is left for more events",
        )
    }

    /// Adds events to a page from the files, oldest first.
    fn read_files(&self, page: &mut Page) -> Result<(), JournalError> {
        let files = self.files();
        for first in files.ended_from(page.next()) {
            self.look(*first, |file| file.read(page))?;
            if page.is_full() {
                return Ok(());
            }
        }
        files.present.read(page)
    }

    pub(super) fn files(&self) -> RwLockReadGuard<'_, Files> {
        self.files.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for readers.
    pub(super) fn files_to_change(&self) -> RwLockWriteGuard<'_, Files> {
        self.files.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks into an ended file.
    pub(super) fn look<T>(
        &self,
        first: u64,
        into: impl FnOnce(&JournalFile) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let _one = self
            .one_reader
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        into(&JournalFile::ended(&path(&self.folder, first))?)
    }
}

impl Files {
    /// Number of the event that comes behind those in the files.
    fn end(&self) -> Result<u64, JournalError> {
        Ok(self.present.span()?.map_or(self.first, |(_, after)| after))
    }

    /// The ended files from the one that has an event on.
    fn ended_from(&self, event: u64) -> &[u64] {
        let before = self.ended.partition_point(|first| *first <= event);
        let from = if event >= self.first {
            self.ended.len()
        } else {
            before.saturating_sub(1)
        };
        &self.ended[from..]
    }

    fn has(&self, first: u64) -> bool {
        self.first == first || self.ended.contains(&first)
    }
}

impl Journal for RedbJournal {
    fn load(&self, from: u64, each: EachRow<'_>) -> Result<Option<Mark>, JournalError> {
        let files = self.files();
        if !files.has(from) {
            let place = path(&self.folder, from).display().to_string();
            return Err(match from {
                1 if self.has_anchor() => JournalError::Pruned { place },
                _ => JournalError::Missing {
                    place,
                    checkpoint: (from > 1).then_some(from),
                },
            });
        }
        let ended = files.ended_from(from);
        let behind = ended.iter().skip(1).chain([&files.first]);
        for (first, next) in ended.iter().zip(behind) {
            let span = self.look(*first, |file| {
                file.load(from, each)?;
                file.span()
            })?;
            let after = span.map_or(*first, |(_, after)| after);
            if after != *next {
                let lost = gap(after, *next, *first);
                return Err(damaged(&self.folder.display().to_string(), &lost));
            }
        }
        files.present.load(from, each)?;
        let mark = files.present.mark()?;
        drop(files);
        let segment = self.segment();
        for (first, row) in segment.rows() {
            if first >= from {
                let given = each(first, row);
                given.map_err(|fault| JournalError::row(segment.place(), first, fault))?;
            }
        }
        Ok(mark)
    }

    fn append(&self, first: u64, row: &[u8]) -> Result<(), JournalError> {
        let mut segment = self.segment();
        if !segment.has_room(row.len()) {
            if !self.room.make(segment.bytes()) {
                return Err(self.full());
            }
            self.move_rows(&mut segment)?;
        }
        if segment.has_room(row.len()) {
            segment.append(first, row)?;
            self.room.refill();
            return Ok(());
        }
        // A row that is larger than the whole segment.
        if !self.room.make(row.len()) {
            return Err(self.full());
        }
        self.files().present.append(first, row)?;
        segment.moved();
        Ok(())
    }

    fn rotate(&self, first: u64) -> Result<(), JournalError> {
        if !self.settle_rows(&mut self.segment())? {
            return Err(self.full());
        }
        let path = path(&self.folder, first);
        let made = JournalFile::open(&path).map_err(|why| {
            // A file that is there and gets no rows would be taken for the end of the journal.
            match fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    storage(&path.display().to_string(), &e)
                }
                _ => why,
            }
        })?;
        // The file that ends is closed when the lock is given back.
        let mut files = self.files_to_change();
        let ended = std::mem::replace(&mut files.first, first);
        files.ended.push(ended);
        files.present = made;
        Ok(())
    }

    fn keep_mark(&self, mark: &Mark) -> Result<(), JournalError> {
        self.room.refill();
        // Rows carry the times, too: a site that is busy needs none of these.
        if !self.room.has(0) {
            tracing::warn!("no room to note the times");
            return Ok(());
        }
        self.files().present.keep_mark(mark)
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Box<str>)>, JournalError> {
        let mut page = Page::new(from, limit);
        loop {
            let moves = self.segment().moves();
            self.read_files(&mut page)?;
            if page.is_full() {
                break;
            }
            let segment = self.segment();
            if segment.moves() == moves {
                segment.read(&mut page)?;
                break;
            }
            // Rows went from the segment into the files in between: they are there now.
        }
        Ok(page.done())
    }

    fn archive(&self) -> Option<&dyn Archive> {
        Some(self)
    }

    fn settle(&self) -> Result<(), JournalError> {
        self.settle_or_stay(&mut self.segment()).map(drop)
    }

    fn place(&self) -> String {
        self.folder.display().to_string()
    }
}

impl Drop for RedbJournal {
    /// Not needed for what was answered: whoever copies the files of a stopped daemon finds all of it in redb.
    fn drop(&mut self) {
        if !self.segment().is_broken()
            && let Err(why) = self.settle()
        {
            tracing::warn!(%why, "the last events stay in the append segment; the next start finds them there");
        }
    }
}

/// What does not follow: the events of a file end before `after`, and those behind it begin with `next`.
pub(super) fn gap(after: u64, next: u64, file: u64) -> String {
    if after < next {
        let last = next - 1;
        format!("events {after} to {last} are missing behind {file}.redb")
    } else {
        format!("{file}.redb has events that belong behind it")
    }
}

/// Whether a folder has a journal.
///
/// # Errors
/// The folder cannot be read.
pub fn exists(folder: &Path) -> std::io::Result<bool> {
    firsts(folder).map(|firsts| !firsts.is_empty())
}

/// Numbers of the first events of the files in a folder, in order.
fn firsts(folder: &Path) -> std::io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".redb"));
        firsts.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

pub(super) fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first}.redb"))
}

/// Raises an older store to this version, after a copy of it: `backup/journal-vN` beside the journal's folder.
fn migrate(folder: &Path, path: &Path, present: JournalFile) -> Result<JournalFile, JournalError> {
    let version = present.version()?;
    drop(present);
    let kept = folder
        .with_file_name("backup")
        .join(format!("journal-v{version}"));
    let copied = fs::create_dir_all(&kept).and_then(|()| {
        let copy = kept.join(path.file_name().unwrap_or_default());
        fs::copy(path, &copy)?;
        fs::File::open(&copy)?.sync_all()
    });
    copied.map_err(|e| storage(&kept.display().to_string(), &e))?;
    let present = JournalFile::open(path)?;
    present.raise_version()?;
    tracing::info!(from = version, to = STORE_VERSION, copy = %kept.display(), "the journal's layout was raised");
    Ok(present)
}
