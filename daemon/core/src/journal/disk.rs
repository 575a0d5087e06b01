//! The journal on disk: a folder of redb files, every row one transaction, two-phase and synced before it counts.

use super::file::{JournalFile, storage};
use super::{EachRow, Journal, JournalError, Page, STORE_VERSION};
use crate::calendar::Mark;
use redb::StorageBackend;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

/// The files of a folder, the last of them open for rows.
///
/// An ended file is opened for each look into it, by one reader at a time, and closed again: a site has years of them.
#[derive(Debug)]
pub struct RedbJournal {
    folder: PathBuf,
    files: RwLock<Files>,
    one_reader: Mutex<()>,
}

#[derive(Debug)]
struct Files {
    /// Number of the first event of each file that is ended, oldest first.
    ended: Vec<u64>,
    /// The same of the present one.
    first: u64,
    present: JournalFile,
}

impl RedbJournal {
    /// Opens the journal in a folder, or makes one.
    ///
    /// # Errors
    /// Another process has it open, it is no journal or a newer one, or the disk refuses.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        let mut ended = firsts(folder).map_err(|e| storage(&folder.display().to_string(), &e))?;
        let first = ended.pop().unwrap_or(1);
        let path = path(folder, first);
        let mut present = JournalFile::open(&path)?;
        if present.version()? < STORE_VERSION {
            present = migrate(folder, &path, present)?;
        }
        Ok(RedbJournal {
            folder: folder.to_owned(),
            files: RwLock::new(Files {
                ended,
                first,
                present,
            }),
            one_reader: Mutex::new(()),
        })
    }

    /// A journal over another storage, of one file, which is made a store where it is empty: for tests that lose what
    /// was not synced.
    ///
    /// # Errors
    /// As for a folder.
    pub fn over(backend: impl StorageBackend, place: &str) -> Result<Self, JournalError> {
        let present = JournalFile::over(backend, place)?;
        Ok(RedbJournal {
            folder: PathBuf::from(place),
            files: RwLock::new(Files {
                ended: Vec::new(),
                first: 1,
                present,
            }),
            one_reader: Mutex::new(()),
        })
    }

    fn files(&self) -> RwLockReadGuard<'_, Files> {
        self.files.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks into an ended file.
    fn look<T>(
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
        if from > 1 && !files.has(from) {
            return Err(JournalError::Missing {
                place: path(&self.folder, from).display().to_string(),
                checkpoint: from,
            });
        }
        for first in files.ended_from(from) {
            self.look(*first, |file| file.load(from, each))?;
        }
        files.present.load(from, each)?;
        files.present.mark()
    }

    fn append(&self, first: u64, row: &[u8]) -> Result<(), JournalError> {
        self.files().present.append(first, row)
    }

    fn rotate(&self, first: u64) -> Result<(), JournalError> {
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
        // Waits for readers: the file that ends is closed when the lock is given back.
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        let ended = std::mem::replace(&mut files.first, first);
        files.ended.push(ended);
        files.present = made;
        Ok(())
    }

    fn keep_mark(&self, mark: &Mark) -> Result<(), JournalError> {
        self.files().present.keep_mark(mark)
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Box<str>)>, JournalError> {
        let files = self.files();
        let mut page = Page::new(from, limit);
        for first in files.ended_from(from) {
            self.look(*first, |file| file.read(from, &mut page))?;
            if page.is_full() {
                return Ok(page.done());
            }
        }
        files.present.read(from, &mut page)?;
        Ok(page.done())
    }

    fn place(&self) -> String {
        self.folder.display().to_string()
    }
}

/// Whether a folder has a journal.
#[must_use]
pub fn exists(folder: &Path) -> bool {
    firsts(folder).is_ok_and(|firsts| !firsts.is_empty())
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

fn path(folder: &Path, first: u64) -> PathBuf {
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
