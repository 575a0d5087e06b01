//! Free space of the state directory, looked at once a second at most: below the reserve nothing new is granted. And space
//! that is held by a file, so that it can be given back.

use rustix::fs::{FallocateFlags, Mode, OFlags, fallocate, open, stat, statvfs};
use seatkeeper_engine::time::LeaseTime;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::PathBuf;

/// The state directory is looked at no more often than this.
const LOOK_EVERY_MS: u64 = 1000;

/// Tells how many bytes are free.
pub trait Space: Send + Sync {
    /// Free bytes for a process without privileges.
    fn free_bytes(&self) -> io::Result<u64>;
}

/// The file system that holds a directory.
#[derive(Clone, Debug)]
pub struct Directory(pub PathBuf);

impl Space for Directory {
    fn free_bytes(&self) -> io::Result<u64> {
        let stat = statvfs(&self.0)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// A fixed or test-driven amount of space.
impl<F: Fn() -> io::Result<u64> + Send + Sync> Space for F {
    fn free_bytes(&self) -> io::Result<u64> {
        self()
    }
}

/// Whether so little is free that nothing new is begun.
pub(crate) fn is_low(free: u64, reserve: u64) -> bool {
    free < reserve
}

/// Space that is held by a file of zeros.
#[derive(Debug)]
pub(crate) struct Held {
    path: PathBuf,
    /// Its size while none of it was given back.
    whole: u64,
}

impl Held {
    /// Space that a file of this size holds; nothing is touched yet.
    pub(crate) fn new(path: PathBuf, whole: u64) -> Self {
        Held { path, whole }
    }

    /// What is held now: a file that is not there, or a hole in it, holds nothing.
    pub(crate) fn bytes(&self) -> u64 {
        const BLOCK: u64 = 512;
        let bytes = |number: i64| u64::try_from(number).unwrap_or(0);
        stat(&self.path).map_or(0, |file| {
            bytes(file.st_size).min(bytes(file.st_blocks).saturating_mul(BLOCK))
        })
    }

    /// Gives all of it back, for good.
    pub(crate) fn end(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// What was given back, or never held.
    pub(crate) fn missing(&self) -> u64 {
        self.whole.saturating_sub(self.bytes())
    }

    /// Gives so many bytes back, or what is left; returns how many. In whole pieces: a file system may free no less.
    pub(crate) fn give(&self, lacks: u64) -> io::Result<u64> {
        const PIECE: u64 = 1 << 16;
        let len = self.bytes();
        let given = lacks.min(len).next_multiple_of(PIECE).min(len);
        if given > 0 {
            let file = OpenOptions::new().write(true).open(&self.path)?;
            file.set_len(len - given)?;
            // Space is free once the file system has written down that it is.
            file.sync_all()?;
        }
        Ok(given)
    }

    /// Takes all of it again. Fails where there is not so much, and on a file system that holds none for a file.
    pub(crate) fn grow(&self) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        let file = File::from(open(&self.path, flags, Mode::RUSR | Mode::WUSR)?);
        let held = self.bytes();
        let grown = fallocate(&file, FallocateFlags::empty(), 0, self.whole);
        grown.map_err(|why| {
            // What was taken of it may hold nothing, and would look as if it did.
            let _ = file.set_len(held);
            why.into()
        })
    }
}

/// The guard over the reserve.
pub struct Guard {
    space: Box<dyn Space>,
    reserve: u64,
    looked: Option<LeaseTime>,
    low: bool,
}

impl Guard {
    /// Watches this space; a reserve of 0 asks for nothing.
    #[must_use]
    pub fn new(space: Box<dyn Space>, reserve: u64) -> Self {
        Guard {
            space,
            reserve,
            looked: None,
            low: false,
        }
    }

    /// A guard that never refuses: memory has no disk.
    #[must_use]
    pub fn none() -> Self {
        Guard::new(Box::new(|| Ok(u64::MAX)), 0)
    }

    /// Whether space is low. What cannot be read is logged and changes nothing: a failing look must not stop a site.
    pub fn low(&mut self, now: LeaseTime) -> bool {
        if self.reserve == 0 || self.looked.is_some_and(|at| now - at < LOOK_EVERY_MS) {
            return self.low;
        }
        self.looked = Some(now);
        match self.space.free_bytes() {
            Ok(free) => self.note(free),
            Err(e) => {
                tracing::warn!(error = %e, "free space of the state directory cannot be read")
            }
        }
        self.low
    }

    fn note(&mut self, free: u64) {
        let low = is_low(free, self.reserve);
        if low && !self.low {
            tracing::warn!(
                free,
                reserve = self.reserve,
                "free space is below disk_reserve: no new seats until there is more"
            );
        } else if self.low && !low {
            tracing::info!(free, "free space is above disk_reserve again");
        }
        self.low = low;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn the_reserve_is_looked_at_once_a_second_at_most() {
        let (free, looks) = (Arc::new(AtomicU64::new(99)), Arc::new(AtomicU64::new(0)));
        let (seen, counted) = (free.clone(), looks.clone());
        let space = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(seen.load(Ordering::Relaxed))
        };
        let mut guard = Guard::new(Box::new(space), 100);
        assert!(guard.low(LeaseTime(5000)));
        free.store(100, Ordering::Relaxed);
        assert!(
            guard.low(LeaseTime(5999)),
            "within the second nothing is asked"
        );
        assert_eq!(looks.load(Ordering::Relaxed), 1);
        assert!(!guard.low(LeaseTime(6000)));
    }

    #[test]
    fn a_look_that_fails_changes_nothing() {
        let mut guard = Guard::new(
            Box::new(|| Err(io::ErrorKind::PermissionDenied.into())),
            100,
        );
        assert!(!guard.low(LeaseTime(0)));
    }

    #[test]
    fn a_real_directory_has_space() {
        let dir = tempfile::tempdir().unwrap();
        let space = || Box::new(Directory(dir.path().to_owned()));
        assert!(!Guard::new(space(), 1).low(LeaseTime(0)));
        assert!(Guard::new(space(), u64::MAX).low(LeaseTime(0)));
    }
}
