//! A redb file of the state directory: made whole, its owner's alone, and every commit durable.

use crate::state_dir::made_whole;
use redb::{Builder, Database, DatabaseError, Durability, WriteTransaction};
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

/// Why a file cannot be opened.
pub(crate) enum Closed<E> {
    /// Another process has it open.
    Owned,
    /// The disk, or what lies there.
    Failed(String),
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
    let open = fs::metadata(path).map_err(|e| failed(&e))?.permissions();
    if open.mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(PRIVATE)).map_err(|e| failed(&e))?;
    }
    builder().open(path).map_err(closed)
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
        why => failed(&why),
    }
}

fn failed<E>(why: &dyn Display) -> Closed<E> {
    Closed::Failed(why.to_string())
}
