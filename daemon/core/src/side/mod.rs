//! The side store: what may be erased. Names and hashes of passwords by id, texts by hash, and how often what was denied; no rule
//! reads it.
//!
//! Names are committed before the first event that refers to their ids; one that no event ever named, because the daemon
//! ended in between, is erased after the next start, 64 of them at the most.

mod denials;
#[cfg(test)]
mod tests;

pub use denials::{DENIALS_KEPT, DenialNote};

use crate::store::{self, Closed};
use denials::Denials;
use redb::backends::InMemoryBackend;
use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
    TableError, WriteTransaction,
};
use seatkeeper_engine::ids::UserId;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const USERS: TableDefinition<'_, &[u8; 16], &str> = TableDefinition::new("users");
const UNITS: TableDefinition<'_, &[u8; 16], &str> = TableDefinition::new("units");
const GROUPS: TableDefinition<'_, &[u8; 16], &str> = TableDefinition::new("groups");
const PASSWORDS: TableDefinition<'_, &[u8; 16], &str> = TableDefinition::new("passwords");
const TOKENS: TableDefinition<'_, &[u8; 16], &str> = TableDefinition::new("tokens");
const MACHINES: TableDefinition<'_, &[u8; 16], &str> = TableDefinition::new("machines");
/// Texts that the journal has the SHA-256 of: terms of service.
const TEXTS: TableDefinition<'_, &[u8; 32], &str> = TableDefinition::new("texts");
/// (hour since 1970, feature, code, unit) → how often.
const DENIALS: TableDefinition<'_, (u64, &str, &str, &[u8; 16]), u64> =
    TableDefinition::new("denials");
const VERSION: &str = "version";
/// What to do about a damaged one.
const WITHOUT: &str = "It holds names, hashes of passwords, texts of terms and counts of denials, no seat: put the last backup's back, or move it away and start without; users are shown by their ids then, nobody's password fits any more, and terms have to be published anew";
/// Version of the side store's layout.
///
/// 1: names of users and machines. 2: of units and groups, too. 3: texts, hashes of passwords, names of tokens.
const SIDE_VERSION: u64 = 3;
/// How long counts of denials, and events, are kept unless the site says otherwise.
pub const RETENTION_DAYS: u64 = 400;
/// What a name belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A user: the login as text.
    User,
    /// A machine: its host name.
    Machine,
    /// A unit: its name, by a key of both.
    Unit,
    /// A group, in the same way.
    Group,
    /// A password: its hash, by an id of its own. It is kept here and not in the journal, which is exported.
    Password,
    /// A token that stands for a person: what they call it.
    Token,
}

/// The side store. Shared; writers wait for each other.
#[derive(Debug)]
pub struct Side {
    place: String,
    database: Database,
    denials: Mutex<Denials>,
}

/// The names as they were at one moment.
pub struct NamesThen(ReadTransaction);

/// What was found of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Swept {
    /// Names that nobody has, which are erased.
    pub erased: usize,
    /// The same, and more than crashes leave: they are kept.
    pub kept: usize,
    /// Names that somebody has.
    pub named: u64,
}

/// So many names at the most does a crash leave: each belongs to a request that was being served.
const SWEPT_MOST: usize = 64;

/// The side store failed. As for the journal, nothing is retried.
#[derive(Debug)]
pub struct SideError {
    place: String,
    why: String,
}

impl Side {
    /// Opens the store, or makes it.
    ///
    /// # Errors
    /// Another process has it open, it is no side store or a newer one, or the disk refuses.
    pub fn open(path: &Path) -> Result<Self, SideError> {
        let place = path.display().to_string();
        let failed = |why: String| SideError {
            place: place.clone(),
            why,
        };
        let opened = store::open(path, |database| Side::over(place.clone(), database).found());
        let database = opened.map_err(|closed| match closed {
            Closed::Owned => failed("another process has it open; stop that one first".to_owned()),
            Closed::Failed(why) => failed(why),
            Closed::Damaged(why) => failed(format!("{why}. {WITHOUT}")),
            Closed::Unfounded(why) => why,
        })?;
        let side = Side::over(place, database);
        side.check_version()?;
        Ok(side)
    }

    /// A store in memory, for tests.
    pub fn memory() -> Result<Self, SideError> {
        Side::on(InMemoryBackend::new(), "the side store in memory")
    }

    /// A new store on what bears it, for tests of what fails.
    ///
    /// # Errors
    /// The backend refuses.
    pub fn on(backend: impl StorageBackend, place: &str) -> Result<Self, SideError> {
        let place = place.to_owned();
        let database = store::builder()
            .create_with_backend(backend)
            .map_err(|e| SideError {
                place: place.clone(),
                why: e.to_string(),
            })?;
        let side = Side::over(place, database);
        side.found()?;
        Ok(side)
    }

    /// Makes a name durable. Call it before the order whose events refer to the id.
    pub fn put_name(&self, kind: Kind, id: [u8; 16], name: &str) -> Result<(), SideError> {
        if self.name(kind, id)?.as_deref() == Some(name) {
            return Ok(());
        }
        self.write(|txn| {
            txn.open_table(kind.table())?.insert(&id, name)?;
            Ok(())
        })
    }

    /// The name of an id, unless it was erased or never known.
    pub fn name(&self, kind: Kind, id: [u8; 16]) -> Result<Option<String>, SideError> {
        let look = || -> Result<Option<String>, redb::Error> {
            let table = self.database.begin_read()?.open_table(kind.table())?;
            Ok(table.get(&id)?.map(|name| name.value().to_owned()))
        };
        look().map_err(|e| self.failed(&e))
    }

    /// The login of a user, for people: their id where it was erased or cannot be read.
    #[must_use]
    pub fn login(&self, user: UserId) -> String {
        let name = self.name(Kind::User, user.0);
        let name = name.inspect_err(|e| tracing::error!(error = %e, "a name cannot be read"));
        name.ok().flatten().unwrap_or_else(|| user.to_string())
    }

    /// Erases a name.
    ///
    /// # Errors
    /// The store failed.
    pub fn erase_name(&self, kind: Kind, id: [u8; 16]) -> Result<(), SideError> {
        self.write(|txn| {
            txn.open_table(kind.table())?.remove(&id)?;
            Ok(())
        })
    }

    /// Makes a text durable under its hash. Call it before the order whose events name the hash.
    ///
    /// # Errors
    /// The store failed.
    pub fn put_text(&self, hash: [u8; 32], text: &str) -> Result<(), SideError> {
        if self.text(hash)?.as_deref() == Some(text) {
            return Ok(());
        }
        self.write(|txn| {
            txn.open_table(TEXTS)?.insert(&hash, text)?;
            Ok(())
        })
    }

    /// The text under a hash, unless it was never known.
    ///
    /// # Errors
    /// The store failed.
    pub fn text(&self, hash: [u8; 32]) -> Result<Option<String>, SideError> {
        let look = || -> Result<Option<String>, redb::Error> {
            let table = self.database.begin_read()?.open_table(TEXTS)?;
            Ok(table.get(&hash)?.map(|text| text.value().to_owned()))
        };
        look().map_err(|e| self.failed(&e))
    }

    /// The names as they are now, to look through later.
    pub fn names_now(&self) -> Result<NamesThen, SideError> {
        let read = self.database.begin_read();
        read.map(NamesThen).map_err(|e| self.failed(&e))
    }

    /// Erases those names of a moment that nobody knows, where they are few: many are no crash's, and a name does not
    /// come back. Never a newer name: its event may be on its way.
    pub fn sweep_names(
        &self,
        then: &NamesThen,
        kind: Kind,
        known: impl Fn([u8; 16]) -> bool,
    ) -> Result<Swept, SideError> {
        let look = || -> Result<(Vec<[u8; 16]>, u64), redb::Error> {
            let table = then.0.open_table(kind.table())?;
            let (mut orphans, mut named) = (Vec::new(), 0);
            for row in table.iter()? {
                let id = *row?.0.value();
                if known(id) {
                    named += 1;
                } else {
                    orphans.push(id);
                }
            }
            Ok((orphans, named))
        };
        let (orphans, named) = look().map_err(|e| self.failed(&e))?;
        let few = orphans.len() <= SWEPT_MOST && named > 0;
        let swept = Swept {
            erased: if few { orphans.len() } else { 0 },
            kept: if few { 0 } else { orphans.len() },
            named,
        };
        if swept.erased > 0 {
            self.write(|txn| {
                let mut table = txn.open_table(kind.table())?;
                for id in &orphans {
                    table.remove(id)?;
                }
                Ok(())
            })?;
        }
        Ok(swept)
    }

    /// Notes a denial: in the ring at once, in the counts of its hour at the next flush.
    pub fn note_denial(&self, note: DenialNote) {
        self.denials().note(note);
    }

    /// The newest denials, newest first, at most `limit`.
    #[must_use]
    pub fn newest_denials(&self, limit: usize) -> Vec<DenialNote> {
        self.denials().newest(limit)
    }

    /// Writes the counts since the last flush, and lets go of those of hours before `since_s` (wall clock). Once a minute
    /// and at the stop; without denials it writes nothing.
    pub fn flush_denials(&self, since_s: u64) -> Result<(), SideError> {
        let counts = self.denials().take_counts();
        if counts.is_empty() {
            return Ok(());
        }
        let oldest = since_s / 3600;
        self.write(|txn| {
            let mut table = txn.open_table(DENIALS)?;
            for (bucket, more) in &counts {
                let before = table.get(bucket.key())?.map_or(0, |n| n.value());
                table.insert(bucket.key(), before.saturating_add(*more))?;
            }
            table.retain_in(..(oldest, "", "", &[0; 16]), |_, _| false)?;
            Ok(())
        })
    }

    fn over(place: String, database: Database) -> Self {
        Side {
            place,
            database,
            denials: Mutex::default(),
        }
    }

    fn found(&self) -> Result<(), SideError> {
        self.write(|txn| {
            use Kind::{Group, Machine, Password, Token, Unit, User};
            for kind in [User, Machine, Unit, Group, Password, Token] {
                txn.open_table(kind.table())?;
            }
            txn.open_table(TEXTS)?;
            txn.open_table(DENIALS)?;
            txn.open_table(META)?.insert(VERSION, SIDE_VERSION)?;
            Ok(())
        })
    }

    fn check_version(&self) -> Result<(), SideError> {
        let look = || -> Result<Option<u64>, redb::Error> {
            match self.database.begin_read()?.open_table(META) {
                Ok(meta) => Ok(meta.get(VERSION)?.map(|version| version.value())),
                Err(TableError::TableDoesNotExist(_)) => Ok(None),
                Err(e) => Err(e.into()),
            }
        };
        match look().map_err(|e| self.failed(&e))? {
            Some(SIDE_VERSION) => Ok(()),
            // Tables that are missing are made.
            Some(version) if version < SIDE_VERSION => self.found(),
            Some(version) => Err(self.failed(&format_args!(
                "written by a newer Seatkeeper (side store version {version}, this one knows {SIDE_VERSION}). Install that version again, or restore the backup made before the upgrade"
            ))),
            None => Err(self.failed(&format_args!("it is no side store of Seatkeeper. {WITHOUT}"))),
        }
    }

    fn write(
        &self,
        how: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), SideError> {
        store::write(&self.database, how).map_err(|e| self.failed(&e))
    }

    fn failed(&self, why: &dyn fmt::Display) -> SideError {
        SideError {
            place: self.place.clone(),
            why: why.to_string(),
        }
    }

    fn denials(&self) -> MutexGuard<'_, Denials> {
        self.denials.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kind {
    fn table(self) -> TableDefinition<'static, &'static [u8; 16], &'static str> {
        match self {
            Kind::User => USERS,
            Kind::Machine => MACHINES,
            Kind::Unit => UNITS,
            Kind::Group => GROUPS,
            Kind::Password => PASSWORDS,
            Kind::Token => TOKENS,
        }
    }
}

impl fmt::Display for SideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.why)
    }
}

impl std::error::Error for SideError {}
