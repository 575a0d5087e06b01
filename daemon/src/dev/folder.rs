//! The scratch folder of `dev`: private, found again by SDK and CLI, and gone when `dev` ends.

use crate::os::process;
use seatkeeper::admin::dev_folders;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// The folder, with the socket in it and a state below it.
pub(super) struct Folder {
    path: PathBuf,
    _lock: Lock,
}

/// Held from before anything is removed: of two that start at the same time one is told so.
struct Lock {
    path: PathBuf,
    _file: File,
}

impl Folder {
    /// Makes it, or takes over what an earlier `dev` left.
    pub(super) fn open() -> Result<Folder, String> {
        let places = dev_folders();
        let usable = |place: &&PathBuf| place.parent().is_some_and(Path::is_dir);
        let path = places
            .iter()
            .find(usable)
            .ok_or("there is no temporary folder; set TMPDIR")?;
        let lock = Lock::take(&path.with_extension("lock"))?;
        make(path)?;
        let folder = Folder {
            path: path.clone(),
            _lock: lock,
        };
        if UnixStream::connect(folder.socket()).is_ok() {
            // Not ours to remove.
            let path = std::mem::ManuallyDrop::new(folder).socket();
            return Err(format!(
                "another `seatkeeperd dev` of yours serves {}; stop that one first (Ctrl-C)",
                path.display()
            ));
        }
        folder
            .empty()
            .map_err(|e| format!("{}: {e}; remove what lies there", path.display()))?;
        Ok(folder)
    }

    /// Where it listens.
    pub(super) fn socket(&self) -> PathBuf {
        self.path.join("seatkeeper.sock")
    }

    /// The state directory.
    pub(super) fn state(&self) -> PathBuf {
        self.path.join("state")
    }

    fn empty(&self) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(why) = self.empty().and_then(|()| fs::remove_dir(&self.path)) {
            tracing::warn!(path = %self.path.display(), %why, "the scratch folder could not be removed");
        }
    }
}

impl Lock {
    fn take(path: &Path) -> Result<Lock, String> {
        let told = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|e| told(&e))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock {
                path: path.to_owned(),
                _file: file,
            }),
            Err(TryLockError::WouldBlock) => Err(
                "another `seatkeeperd dev` of yours runs; stop that one first (Ctrl-C)".to_owned(),
            ),
            Err(TryLockError::Error(e)) => Err(told(&e)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What stays is an empty file that the next `dev` uses.
        let _ = fs::remove_file(&self.path);
    }
}

/// Mode 0700, and ours: in a shared temporary folder anybody could have made one of this name.
fn make(path: &Path) -> Result<(), String> {
    let told = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(told(&e)),
        _ => {}
    }
    let found = fs::symlink_metadata(path).map_err(|e| told(&e))?;
    if found.is_dir() && found.uid() == process::uid() && found.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(told(
        &"is there already, and is not a folder of yours that nobody else may enter; remove it, or set TMPDIR",
    ))
}
