//! Checkpoints: the recorded state as it was before an event, in a file of its own, so that a start reads one file and
//! the events after it.
//!
//! `checkpoints/N` is the fold of all events below N; `journal/N.redb` goes on from there. A file is a line of text that
//! names its format, a head, the state, and the SHA-256 of all before it. It is written from a snapshot, beside the
//! keeper, under a temporary name; the journal records its number and hash afterwards.

use crate::calendar::Mark;
use crate::journal::Head;
use crate::keeper::Snapshot;
use crate::state_dir::settle;
use postcard::ser_flavors::Flavor;
use seatkeeper_engine::State;
use seatkeeper_engine::ids::CheckpointHash;
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The first line of a file. A later format has another number.
const FORMAT: &[u8] = b"seatkeeper checkpoint 12\n";
/// What that line begins with, of every format.
const ANY_FORMAT: &[u8] = b"seatkeeper checkpoint ";
/// So many are kept: the newest, and the one before it in case the newest cannot be read.
const KEPT: usize = 2;
/// Bytes that are summed and written at once.
const BUFFER: usize = 1 << 16;
/// How the name of one ends that was put aside.
const DAMAGED: &str = "damaged";

/// The folder of a site's checkpoints.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
}

/// A checkpoint that was read and has the bytes that were written; its state is not parsed yet.
pub struct Checkpoint {
    /// The end of the journal's chain that it is the fold of.
    pub head: Head,
    /// The times when it was taken.
    pub mark: Mark,
    /// Of its file.
    pub hash: CheckpointHash,
    bytes: Vec<u8>,
    /// Where in them the state is.
    state: Range<usize>,
}

/// What a start finds.
pub struct Found {
    /// The newest that is whole.
    pub newest: Option<Checkpoint>,
    /// A newer one of another format, in words: it stays as it is, for the version that wrote it.
    pub other_format: Option<String>,
}

/// Why a checkpoint is not read.
enum Unread {
    /// Another version of Seatkeeper wrote it: which, in words.
    OtherFormat(String),
    /// It is not what was written.
    Damaged(String),
    /// The system does not give it: nothing is known of it.
    NotGiven(io::Error),
}

impl Checkpoints {
    /// Makes the folder where it is missing, and takes away what a crash left half written.
    ///
    /// # Errors
    /// The system's.
    pub fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "new") {
                fs::remove_file(path)?;
            }
        }
        Ok(Checkpoints {
            folder: folder.to_owned(),
        })
    }

    /// Numbers of the checkpoints that are there, oldest first.
    fn list(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            numbers.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Writes the checkpoint of a snapshot: whole and synced, or not at all. Older ones beyond the one before are removed.
    ///
    /// # Errors
    /// The system's: the checkpoints that were there are there still.
    pub fn write(&self, snapshot: &Snapshot) -> io::Result<(u64, CheckpointHash)> {
        let number = snapshot.head.number + 1;
        let path = self.path(number);
        let new = path.with_extension("new");
        let written = write_file(&new, snapshot);
        match written.and_then(|hash| settle(&new, &path).map(|()| hash)) {
            Ok(hash) => {
                if let Err(why) = self.prune() {
                    tracing::warn!(%why, "old checkpoints could not be removed; the next one does it");
                }
                Ok((number, hash))
            }
            Err(why) => {
                // What cannot be removed now is removed at the next start.
                let _ = fs::remove_file(&new);
                Err(why)
            }
        }
    }

    /// The newest checkpoint that is whole. One that is damaged is put aside and named; one of another format stays. The
    /// one before it does as well, with more of the journal.
    ///
    /// # Errors
    /// The system's, which may be over when it is asked again: nothing is put aside for it.
    pub fn newest(&self) -> io::Result<Found> {
        let mut other_format = None;
        for number in self.list()?.into_iter().rev() {
            let place = self.path(number);
            match read_file(&place, number) {
                Ok(checkpoint) => {
                    let newest = Some(checkpoint);
                    return Ok(Found {
                        newest,
                        other_format,
                    });
                }
                Err(Unread::OtherFormat(what)) => {
                    let why = format!("{}: {what}", place.display());
                    tracing::warn!(%why, "a checkpoint of another format is not read and stays where it is; the start reads the one before it, and the journal instead");
                    other_format.get_or_insert(why);
                }
                Err(Unread::Damaged(what)) => self.set_aside(number, &what)?,
                Err(Unread::NotGiven(why)) => {
                    let text = format!(
                        "{}: {why}. It is as it was. Give it back to the user that runs the daemon; where the disk has lost it, move it away: the one before it and the journal do as well",
                        place.display()
                    );
                    return Err(io::Error::new(why.kind(), text));
                }
            }
        }
        Ok(Found {
            newest: None,
            other_format,
        })
    }

    /// The files that were set aside.
    #[must_use]
    pub fn damaged(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        let mut damaged: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|end| end == DAMAGED))
            .collect();
        damaged.sort_unstable();
        damaged
    }

    /// Puts a file that cannot be read aside, under a name that no start reads, and tells why.
    ///
    /// # Errors
    /// The system's.
    pub fn set_aside(&self, number: u64, what: &str) -> io::Result<()> {
        let place = self.path(number);
        let why = format!("{}: {what}", place.display());
        tracing::error!(%why, "a checkpoint cannot be read and is put aside; the start goes on from the one before it and the journal. Check the disk");
        fs::rename(&place, place.with_extension(DAMAGED))
    }

    /// Numbers of those that this version reads, oldest first.
    fn own(&self) -> io::Result<Vec<u64>> {
        let mut own = Vec::new();
        for number in self.list()? {
            match is_own(&self.path(number)) {
                Ok(true) => own.push(number),
                Ok(false) => {}
                // A newer one took its place.
                Err(why) if why.kind() == io::ErrorKind::NotFound => {}
                Err(why) => return Err(why),
            }
        }
        Ok(own)
    }

    /// The oldest that is kept, where there is one before the newest: no start needs an event before it, as long as both
    /// are whole. Those of another format do not count.
    ///
    /// # Errors
    /// The system's.
    pub fn oldest(&self) -> io::Result<Option<u64>> {
        let numbers = self.own()?;
        Ok(numbers.first().copied().filter(|_| numbers.len() >= KEPT))
    }

    /// Whether every one that is kept has the bytes that were written.
    ///
    /// # Errors
    /// Which one has not, in words.
    pub fn are_whole(&self) -> Result<(), String> {
        let numbers = self
            .own()
            .map_err(|why| format!("{}: {why}", self.folder.display()))?;
        numbers.into_iter().try_for_each(|number| {
            let path = self.path(number);
            match sum_of(&path) {
                Ok(true) => Ok(()),
                Ok(false) => Err(format!(
                    "{}: its bytes are not those that were written",
                    path.display()
                )),
                // A newer one took its place.
                Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(why) => Err(format!("{}: {why}", path.display())),
            }
        })
    }

    /// Those of another format leave with the own ones that are as old: from then on the journal may be pruned behind them.
    fn prune(&self) -> io::Result<()> {
        let own = self.own()?;
        let Some(oldest) = own.iter().rev().nth(KEPT - 1) else {
            return Ok(());
        };
        let old = self.list()?.into_iter().filter(|number| number < oldest);
        old.into_iter()
            .try_for_each(|number| fs::remove_file(self.path(number)))
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(number.to_string())
    }
}

/// Writes the file; who gives it its name syncs it.
fn write_file(path: &Path, snapshot: &Snapshot) -> io::Result<CheckpointHash> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    let mut out = Out::new(file);
    out.buffer.extend_from_slice(FORMAT);
    let written = postcard::serialize_with_flavor(&(snapshot.head, snapshot.mark()), &mut out)
        .and_then(|()| postcard::serialize_with_flavor(&snapshot.state, &mut out))
        .and_then(|()| out.flush());
    written.map_err(|why| out.failed.take().unwrap_or_else(|| io::Error::other(why)))?;
    let hash: [u8; 32] = out.sum.finalize().into();
    out.file.write_all(&hash)?;
    Ok(CheckpointHash(hash))
}

impl Checkpoint {
    /// Its number: that of the first event after it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.head.number + 1
    }

    /// The state.
    ///
    /// # Errors
    /// Its bytes are those that were written, and no state of this version: a defect, in words.
    pub fn state(self) -> Result<State, String> {
        postcard::from_bytes(&self.bytes[self.state]).map_err(unparsed)
    }
}

/// The sum is verified before a byte of the rest is parsed.
fn read_file(path: &Path, number: u64) -> Result<Checkpoint, Unread> {
    // A pipe would be waited for.
    if !fs::metadata(path).map_err(Unread::NotGiven)?.is_file() {
        return Err(Unread::Damaged("it is no file".to_owned()));
    }
    let bytes = fs::read(path).map_err(Unread::NotGiven)?;
    match (bytes.starts_with(FORMAT), format_of(&bytes)) {
        (true, _) => verified(bytes, number).map_err(Unread::Damaged),
        (false, Some(format)) => Err(Unread::OtherFormat(in_words(format))),
        (false, None) => Err(Unread::Damaged("it is no checkpoint".to_owned())),
    }
}

/// The format that a first line names.
fn format_of(bytes: &[u8]) -> Option<u32> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let format = str::from_utf8(line.strip_prefix(ANY_FORMAT)?).ok()?;
    format.parse().ok()
}

/// Which version wrote a checkpoint of another format.
fn in_words(format: u32) -> String {
    let own = format_of(FORMAT).unwrap_or_default();
    let version = if format > own { "a newer" } else { "an older" };
    format!("{version} version of Seatkeeper wrote it (format {format}, this one reads {own})")
}

/// Whether a file says that it is of the format of this version.
fn is_own(path: &Path) -> io::Result<bool> {
    let mut line = Vec::with_capacity(FORMAT.len());
    File::open(path)?
        .take(FORMAT.len() as u64)
        .read_to_end(&mut line)?;
    Ok(line == FORMAT)
}

/// A file of this format that has the bytes that were written, under its own name.
fn verified(bytes: Vec<u8>, number: u64) -> Result<Checkpoint, String> {
    let (summed, kept) = bytes.split_last_chunk::<32>().ok_or("it is cut short")?;
    let hash = CheckpointHash(*kept);
    if hash.0 != <[u8; 32]>::from(Sha256::digest(summed)) {
        return Err("its bytes are not those that were written".to_owned());
    }
    let described = summed.get(FORMAT.len()..).ok_or("it is cut short")?;
    let ((head, mark), rest) =
        postcard::take_from_bytes::<(Head, Mark)>(described).map_err(unparsed)?;
    if head.number + 1 != number {
        let of = head.number + 1;
        return Err(format!("it is checkpoint {of} under the name of another"));
    }
    let state = summed.len() - rest.len()..summed.len();
    Ok(Checkpoint {
        head,
        mark,
        hash,
        bytes,
        state,
    })
}

fn unparsed(why: postcard::Error) -> String {
    format!("it cannot be parsed ({why})")
}

/// Whether a file ends with the sum of all before it.
fn sum_of(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut kept = [0; 32];
    let body = file.metadata()?.len().saturating_sub(kept.len() as u64);
    let mut sum = Summed(Sha256::new());
    let summed = io::copy(&mut (&mut file).take(body), &mut sum)?;
    let read = file.read(&mut kept)?;
    Ok((summed, read) == (body, kept.len()) && kept == <[u8; 32]>::from(sum.0.finalize()))
}

/// A file that a state is written to. It buffers what postcard hands on in small pieces, and sums and writes some 64 KiB at
/// a time.
struct Out {
    file: File,
    sum: Sha256,
    buffer: Vec<u8>,
    /// What the system said: postcard has no place for it.
    failed: Option<io::Error>,
}

impl Out {
    fn new(file: File) -> Self {
        Out {
            file,
            sum: Sha256::new(),
            buffer: Vec::with_capacity(BUFFER),
            failed: None,
        }
    }

    fn flush(&mut self) -> postcard::Result<()> {
        self.sum.update(&self.buffer);
        let written = self.file.write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(|why| {
            self.failed = Some(why);
            postcard::Error::SerializeBufferFull
        })
    }
}

impl Flavor for &mut Out {
    type Output = ();

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        self.buffer.push(byte);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Sums what is written to it.
struct Summed(Sha256);

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(path: &Path) -> Out {
        Out::new(
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .open(path)
                .expect("a file"),
        )
    }

    /// Single bytes, pieces, and one that is larger than the buffer.
    fn large() -> (Vec<u64>, String, Vec<u64>) {
        let numbers = |from: u64| (from..from + BUFFER as u64).collect();
        (numbers(1), "x".repeat(BUFFER + 7), numbers(1 << 40))
    }

    #[test]
    fn what_fills_the_buffer_many_times_is_written_and_summed_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("1");
        let mut out = out(&path);
        postcard::serialize_with_flavor(&large(), &mut out).expect("it takes everything");
        out.flush().expect("it takes the rest");
        let written = fs::read(&path).expect("a file");
        assert_eq!(written, postcard::to_allocvec(&large()).expect("bytes"));
        assert_eq!(out.sum.finalize(), Sha256::digest(&written));
    }

    #[test]
    fn what_the_system_says_in_the_middle_is_kept() {
        let mut out = out(Path::new("/dev/full"));
        postcard::serialize_with_flavor(&large(), &mut out).expect_err("a full disk");
        let why = out.failed.map(|why| why.kind());
        assert_eq!(why, Some(io::ErrorKind::StorageFull));
    }
}
