//! A redb file of the state directory: made whole, its owner's alone, and every commit durable.

use crate::hush::hushed;
use crate::state_dir::made_whole;
use redb::{Builder, Database, DatabaseError, Durability, StorageError, WriteTransaction};
use std::fmt::Display;
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// redb's page cache of one file. The journal is appended to at one end and read in pages, and the names of the busy
/// users are few, so that little of either is ever wanted.
const CACHE: usize = 4 * 1024 * 1024;
/// Who may touch a file: the daemon's user.
const PRIVATE: u32 = 0o600;

/// What is said of a file that makes redb panic.
pub(crate) const BROKEN: &str = "its pages do not fit together";

/// Why a file cannot be opened.
pub(crate) enum Closed<E> {
    /// Another process has it open.
    Owned,
    /// The disk.
    Failed(String),
    /// What lies there is not what was written.
    Damaged(String),
    /// `found` refused.
    Unfounded(E),
}

/// Opens a file, or makes it: under a temporary name, with what `found` lays into it, synced, then renamed.
pub(crate) fn open<E>(
    path: &Path,
    found: impl FnOnce(Database) -> Result<(), E>,
) -> Result<Database, Closed<E>> {
    made_whole(path, |path| {
        private(path).map_err(|e| failed(&e))?;
        let database = builder().create(path).map_err(closed)?;
        found(database).map_err(Closed::Unfounded)
    })
    .map_err(|e| e.unwrap_or_else(|e| failed(&e)))?;
    let found = fs::metadata(path).map_err(|e| failed(&e))?;
    if found.len() == 0 {
        return Err(Closed::Damaged("it is empty".to_owned()));
    }
    if found.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(PRIVATE)).map_err(|e| failed(&e))?;
    }
    let opened = sound(|| builder().open(path));
    let broken = || Closed::Damaged(BROKEN.to_owned());
    opened.ok_or_else(broken)?.map_err(closed)
}

/// What redb says of a file; `None` where it panics, as it does over some that are damaged.
pub(crate) fn sound<T>(look: impl FnOnce() -> T) -> Option<T> {
    hushed(look).ok()
}

/// A builder with our settings.
pub(crate) fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    builder
}

/// One transaction with our settings. redb needs no quick-repair for them: that would make every commit dearer to save
/// a repair that the size of a file bounds.
pub(crate) fn write(
    database: &Database,
    how: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
) -> Result<(), redb::Error> {
    let mut txn = database.begin_write()?;
    txn.set_durability(Durability::Immediate)?;
    txn.set_two_phase_commit(true);
    how(&txn)?;
    txn.commit()?;
    Ok(())
}

/// An empty file that nobody else may open, for redb to fill.
fn private(path: &Path) -> io::Result<()> {
    let new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE)
        .open(path);
    new.map(drop)
}

fn closed<E>(why: DatabaseError) -> Closed<E> {
    match why {
        DatabaseError::DatabaseAlreadyOpen => Closed::Owned,
        DatabaseError::Storage(StorageError::Corrupted(why)) => Closed::Damaged(why),
        DatabaseError::Storage(StorageError::Io(why)) if is_damage(&why) => {
            Closed::Damaged(why.to_string())
        }
        DatabaseError::RepairAborted | DatabaseError::UpgradeRequired(_) => {
            Closed::Damaged(why.to_string())
        }
        why => failed(&why),
    }
}

fn failed<E>(why: &dyn Display) -> Closed<E> {
    Closed::Failed(why.to_string())
}

/// The disk gave what it was asked for, and that is no such file.
fn is_damage(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}
