//! The ended files of a journal, and the anchor that stands for those that were removed.
//!
//! The anchor is a line of text in `journal/anchor`, as it is the first line of an export: it signs the last event of what
//! was removed. It is written before the first file goes, so that whatever a crash leaves is accounted for.

use super::disk::{RedbJournal, gap, path};
use super::file::{JournalFile, storage};
use super::{JournalError, StoredRow};
use crate::calendar::Mark;
use crate::state_dir::settle;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// The anchor, beside the files.
const ANCHOR: &str = "anchor";
/// More is no anchor: a token has 4 KiB, a key some hundred bytes.
const ANCHOR_MAX: u64 = 16 << 10;

/// What can be done with the files of a journal that rows no longer go to. One caller at a time removes.
pub trait Archive: Send + Sync {
    /// Number of the first event that is there, as the name of its file says.
    fn begin(&self) -> u64;

    /// The numbers of the events of each ended file, oldest first.
    fn ended(&self) -> Vec<Range<u64>>;

    /// The times of the last row of an ended file.
    fn newest(&self, first: u64) -> Result<Option<Mark>, JournalError>;

    /// Rows of an ended file from an event on, in order: some hundred, none where there are no more. The file is free for
    /// other readers in between.
    fn rows(&self, first: u64, from: u64) -> Result<Vec<StoredRow>, JournalError>;

    /// The anchor's line, where there is one.
    fn anchor(&self) -> Result<Option<Vec<u8>>, JournalError>;

    /// Lays a new anchor out, durable, in no one's place yet: whatever the disk has no room for is told here.
    fn lay_out(&self, anchor: &[u8]) -> Result<(), JournalError>;

    /// Puts the anchor that was laid out in its place.
    fn set_anchor(&self) -> Result<(), JournalError>;

    /// Removes the oldest file, which is ended.
    fn remove(&self, first: u64) -> Result<(), JournalError>;

    /// What is missing of the files that a start does not read, in words; events up to `pruned` may be gone.
    fn holes(&self, pruned: u64) -> Vec<String>;
}

impl RedbJournal {
    /// Whether anything was pruned, as far as the anchor's name says.
    pub(super) fn has_anchor(&self) -> bool {
        self.anchor_path().exists()
    }

    fn anchor_path(&self) -> PathBuf {
        self.folder.join(ANCHOR)
    }

    fn laid_out_path(&self) -> PathBuf {
        self.anchor_path().with_extension("new")
    }
}

impl Archive for RedbJournal {
    fn begin(&self) -> u64 {
        let files = self.files();
        *files.ended.first().unwrap_or(&files.first)
    }

    fn ended(&self) -> Vec<Range<u64>> {
        let files = self.files();
        let behind = files.ended.iter().skip(1).chain([&files.first]);
        files
            .ended
            .iter()
            .zip(behind)
            .map(|(first, next)| *first..*next)
            .collect()
    }

    fn newest(&self, first: u64) -> Result<Option<Mark>, JournalError> {
        self.look(first, JournalFile::newest)
    }

    fn rows(&self, first: u64, from: u64) -> Result<Vec<StoredRow>, JournalError> {
        self.look(first, |file| file.some_rows(from))
    }

    fn anchor(&self) -> Result<Option<Vec<u8>>, JournalError> {
        let path = self.anchor_path();
        let read = fs::metadata(&path).and_then(|found| {
            if found.len() > ANCHOR_MAX {
                return Err(io::Error::other("it is too large for an anchor"));
            }
            fs::read(&path)
        });
        match read {
            Ok(line) => Ok(Some(line)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(storage(&path.display().to_string(), &e)),
        }
    }

    fn lay_out(&self, anchor: &[u8]) -> Result<(), JournalError> {
        let path = self.laid_out_path();
        let write = || {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&path)?;
            file.write_all(anchor)?;
            file.sync_all()
        };
        write().map_err(|e| {
            // What cannot be removed now is written over the next time.
            let _ = fs::remove_file(&path);
            storage(&path.display().to_string(), &e)
        })
    }

    fn set_anchor(&self) -> Result<(), JournalError> {
        let path = self.anchor_path();
        settle(&self.laid_out_path(), &path).map_err(|e| storage(&path.display().to_string(), &e))
    }

    fn remove(&self, first: u64) -> Result<(), JournalError> {
        let path = path(&self.folder, first);
        let mut files = self.files_to_change();
        if files.ended.first() != Some(&first) {
            let why = "it is not the oldest of the files that ended";
            return Err(storage(&path.display().to_string(), &why));
        }
        // The next one goes only after this is durable: no crash leaves a gap.
        let removed = fs::remove_file(&path).and_then(|()| {
            files.ended.remove(0);
            File::open(&self.folder)?.sync_all()
        });
        removed.map_err(|e| storage(&path.display().to_string(), &e))
    }

    fn holes(&self, pruned: u64) -> Vec<String> {
        let mut holes = Vec::new();
        let begin = self.begin();
        if begin > pruned + 1 {
            let lost = path(&self.folder, pruned + 1);
            holes.push(format!(
                "{}: events {} to {} are missing",
                lost.display(),
                pruned + 1,
                begin - 1
            ));
        }
        // A file that ends meanwhile is not among them, and is whole.
        for file in self.ended() {
            match self.look(file.start, JournalFile::span) {
                Ok(Some(span)) if span == (file.start, file.end) => {}
                Ok(span) => {
                    let after = span.map_or(file.start, |(_, after)| after);
                    let lost = gap(after, file.end, file.start);
                    holes.push(format!("{}: {lost}", self.folder.display()));
                }
                Err(why) => holes.push(why.short()),
            }
        }
        holes
    }
}
