//! The state directory: one owner at a time, and files that exist whole or not at all (ARCHITECTURE.md, where state lives).

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A state directory that this process owns for as long as the value lives.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

/// The directory cannot be had.
#[derive(Debug)]
pub enum StateDirError {
    /// Another process owns it.
    Owned {
        /// The directory.
        path: PathBuf,
        /// Its pid as it wrote it, where it did.
        pid: Option<u32>,
    },
    /// The system refused.
    Io {
        /// What was touched.
        path: PathBuf,
        /// What it said.
        why: io::Error,
    },
}

impl StateDir {
    /// Makes the directory where it is missing (mode 0700) and takes its lock.
    pub fn open(path: &Path) -> Result<Self, StateDirError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |why| StateDirError::Io { path, why }
        };
        for dir in [path.to_owned(), path.join("journal"), path.join("keys")] {
            make_dir(&dir).map_err(failed(&dir))?;
            owners_alone(&dir).map_err(failed(&dir))?;
        }
        let file = path.join("lock");
        let lock = take_lock(&file).map_err(failed(&file))?;
        match lock {
            Ok(lock) => Ok(StateDir {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(pid) => Err(StateDirError::Owned {
                path: path.to_owned(),
                pid,
            }),
        }
    }

    /// The directory itself: what the storage guard watches.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the journal's files, each named by its first event.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// The states that starts begin from.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The clocks as the last start found them.
    #[must_use]
    pub fn clock(&self) -> PathBuf {
        self.path.join("clock")
    }

    /// What may be erased: names by id, counts of denials.
    #[must_use]
    pub fn side(&self) -> PathBuf {
        self.path.join("side.redb")
    }

    /// Site key and lease key.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }
}

/// Takes the lock, or tells whose it is.
fn take_lock(path: &Path) -> io::Result<Result<File, Option<u32>>> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            writeln!(file, "{}", std::process::id())?;
            Ok(Ok(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            file.take(32).read_to_string(&mut text)?;
            Ok(Err(text.trim().parse().ok()))
        }
        Err(TryLockError::Error(e)) => Err(e),
    }
}

fn make_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Refuses a directory in which others could put files in the place of the daemon's; that of a link is the one that it
/// leads to. Who may only read is kept out of the files by their own modes.
fn owners_alone(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o022 == 0 {
        return Ok(());
    }
    let mode = mode & 0o777;
    Err(io::Error::other(format!(
        "others may write into it (mode {mode:o}): see that nobody did, then `chmod 0700` it"
    )))
}

/// Makes a file where it is missing: under a temporary name, synced, then renamed, so that a crash leaves none or
/// all of it.
pub fn made_whole<E>(
    path: &Path,
    make: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), Result<E, io::Error>> {
    if path.exists() {
        return Ok(());
    }
    let new = beside(path).map_err(Err)?;
    make(&new).map_err(Ok)?;
    settle(&new, path).map_err(Err)
}

/// Writes a small file that its owner alone reads, in the place of one that may be there: a crash leaves the one or the
/// other.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path)?;
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    options.open(&new)?.write_all(bytes)?;
    settle(&new, path)
}

/// A file's temporary name, which is free: what an earlier crash left under it is taken away.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    match fs::remove_file(&new) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(new),
    }
}

/// Syncs a finished file, gives it its name, and syncs the directory that holds the name.
pub(crate) fn settle(new: &Path, path: &Path) -> io::Result<()> {
    File::open(new)?.sync_all()?;
    fs::rename(new, path)?;
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

impl fmt::Display for StateDirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateDirError::Owned { path, pid } => {
                let pid = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
                write!(
                    f,
                    "another seatkeeperd{pid} owns {}. Stop it first, or give this one a state directory of its own",
                    path.display()
                )
            }
            StateDirError::Io { path, why } => write!(
                f,
                "{}: {why}. The state directory must exist or be creatable, and belong to the user that runs the daemon",
                path.display()
            ),
        }
    }
}

impl std::error::Error for StateDirError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_told_whose_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let first = StateDir::open(&path).unwrap();
        let why = StateDir::open(&path).unwrap_err().to_string();
        assert!(
            why.contains(&format!(
                "another seatkeeperd (pid {}) owns",
                std::process::id()
            )),
            "{why}"
        );
        assert!(why.contains("Stop it first"), "{why}");
        drop(first);
        StateDir::open(&path).unwrap();
    }

    #[test]
    fn s15_only_the_owner_may_look_inside() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(&dir.path().join("state")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(state.path()), 0o700);
        assert_eq!(mode(&state.keys()), 0o700);
    }

    #[test]
    fn a_file_that_is_half_made_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let broken = made_whole(&path, |new| {
            fs::write(new, "half").unwrap();
            Err("power")
        });
        assert_eq!(broken.unwrap_err().unwrap(), "power");
        assert!(!path.exists());
        made_whole(&path, |new| {
            assert!(!new.exists(), "what a crash left is taken away first");
            fs::write(new, "whole").map_err(|_| "write")
        })
        .unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        made_whole::<&str>(&path, |_| Err("made twice")).unwrap();
    }
}
