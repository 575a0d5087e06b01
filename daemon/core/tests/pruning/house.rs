//! A site on a real disk, with a checkpoint every few events and a clock that is passed in.

use redb::{ReadableDatabase, ReadableTable};
use seatkeeper::token::anchor;
use seatkeeper::token::keys::PublicKey;
use seatkeeper::wire::AuditEvent;
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::checkpoint::Checkpoints;
use seatkeeper_core::clock::{Clock, ManualClock};
use seatkeeper_core::desk::view::{AuditFilter, Cursor};
use seatkeeper_core::desk::{self, Desk, Peer};
use seatkeeper_core::journal::{Hash, Head, Journal, RedbJournal, follow};
use seatkeeper_core::keeper::{self, Keeper};
use seatkeeper_core::keys::{self, Keys, SiteKeyFrom};
use seatkeeper_core::side::{DenialNote, RETENTION_DAYS, Side};
use seatkeeper_core::state_dir::StateDir;
use seatkeeper_core::storage::Guard;
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::ids::{BootId, LoginHash, MachineId, UserId};
use seatkeeper_engine::{Actor, Command, Order, Origin};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Events from one checkpoint to the next in these tests.
pub(crate) const EVERY: u64 = 10;
pub(crate) const NOON: u64 = 1_800_000_000;
pub(crate) const DAY: u64 = 86_400;

pub(crate) struct House {
    folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
}

/// A daemon's core over it. Dropped it ends as by a kill.
pub(crate) struct Site {
    pub(crate) desk: Desk,
    keeper: Keeper,
}

impl House {
    pub(crate) fn new() -> Self {
        House {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::at(NOON)),
        }
    }

    /// Another one with the same on its disk, and its clock where this one's stands.
    pub(crate) fn copy(&self) -> House {
        let other = House::new();
        copy(self.folder.path(), other.folder.path());
        let (from, to) = (self.clock.read(), other.clock.read());
        let passed = from.boot_ms - to.boot_ms;
        other.clock.advance(Duration::from_millis(passed));
        other
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn days(&self, days: u64) {
        self.clock.advance(Duration::from_secs(days * DAY));
    }

    pub(crate) fn start(&self) -> Site {
        self.try_start().unwrap_or_else(|why| panic!("{why}"))
    }

    pub(crate) fn try_start(&self) -> Result<Site, String> {
        let dir = StateDir::open(self.folder.path()).map_err(|e| e.to_string())?;
        let journal = RedbJournal::open(&dir.journal(), 0).map_err(|e| e.to_string())?;
        self.start_over(Arc::new(journal))
    }

    /// The same over a journal that may fail.
    pub(crate) fn start_over(&self, journal: Arc<dyn Journal>) -> Result<Site, String> {
        let side = Arc::new(Side::open(&self.path("side.redb")).map_err(|e| e.to_string())?);
        let checkpoints = Checkpoints::open(&self.path("checkpoints")).unwrap();
        let keeper = keeper::start(keeper::Parts {
            journal,
            side: side.clone(),
            checkpoints: Some((checkpoints, EVERY)),
            clock: self.clock.clone(),
            clock_file: None,
            storage: Guard::none(),
            copied_key: false,
            host: "ws1".to_owned(),
            on_events: None,
            on_fatal: Box::new(|_| {}),
        })
        .map_err(|e| e.to_string())?;
        let (j, wall_s) = (keeper.handle().now().j, self.clock.read().wall_s);
        let prepared = keys::prepare(&self.path("keys"), &SiteKeyFrom::Folder, false, wall_s);
        let keys = prepared.and_then(|prepared| Keys::open(prepared, j));
        let desk = Desk::new(desk::Parts {
            keeper: keeper.handle(),
            side,
            keys: keys.map_err(|e| e.to_string())?,
            clock: self.clock.clone(),
            space: Box::new(|| Ok(1 << 30)),
            settings: desk::Settings {
                site_name: "Acme".to_owned(),
                machine: "ws1".to_owned(),
                boot: BootId([7; 16]),
                administrators: "root".into(),
                create_users: true,
                refused_roots: Vec::new(),
                assign_new_to_everyone: false,
                terms_block_checkout: false,
                disk_reserve: 0,
                retention_days: RETENTION_DAYS,
                version: "0.1.0".to_owned(),
            },
        });
        let desk = desk.map_err(|e| e.to_string())?;
        Ok(Site { desk, keeper })
    }

    /// A site that so many users came to, with the checkpoints of all that written.
    pub(crate) fn lived(&self, users: Range<u8>) -> Site {
        let site = self.start();
        for n in users {
            site.meet(n);
            self.settle(&site);
        }
        site
    }

    /// Waits until what is due is written and noted.
    pub(crate) fn settle(&self, site: &Site) {
        for _ in 0..20_000 {
            let newest = self.numbers("checkpoints").last().copied().unwrap_or(1);
            let begun = self.numbers("journal").last().copied().unwrap_or(1);
            let noted = newest == 1 || site.noted(newest);
            let due = site.desk.snapshot().head.number + 1 - begun >= EVERY;
            if newest == begun && noted && !due {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        panic!("a checkpoint was never written");
    }

    /// Numbers in the names of files, in order.
    pub(crate) fn numbers(&self, folder: &str) -> Vec<u64> {
        let files = fs::read_dir(self.path(folder)).unwrap();
        let mut numbers: Vec<u64> = files
            .filter_map(|file| {
                let name = file.unwrap().file_name().into_string().unwrap();
                name.trim_end_matches(".redb").parse().ok()
            })
            .collect();
        numbers.sort_unstable();
        numbers
    }

    /// Features whose denials are counted, by the side store of a site that is down.
    pub(crate) fn counted(&self) -> Vec<String> {
        const DENIALS: redb::TableDefinition<'_, (u64, &str, &str, &[u8; 16]), u64> =
            redb::TableDefinition::new("denials");
        let database = redb::Database::open(self.path("side.redb")).unwrap();
        let read = database.begin_read().unwrap().open_table(DENIALS).unwrap();
        let rows = read.iter().unwrap();
        rows.map(|row| row.unwrap().0.value().1.to_owned())
            .collect()
    }

    /// Changes the first row of a file that `how` changes.
    pub(crate) fn edit(&self, file: u64, how: impl Fn(&str) -> String) {
        const ROWS: redb::TableDefinition<'_, u64, &[u8]> = redb::TableDefinition::new("rows");
        let path = self.path(&format!("journal/{file}.redb"));
        let database = redb::Database::open(path).unwrap();
        let read = database.begin_read().unwrap().open_table(ROWS).unwrap();
        let (first, changed) = read
            .iter()
            .unwrap()
            .find_map(|row| {
                let (first, bytes) = row.unwrap();
                let before = std::str::from_utf8(bytes.value()).unwrap().to_owned();
                let after = how(&before);
                (after != before).then(|| (first.value(), after))
            })
            .unwrap();
        drop(read);
        let txn = database.begin_write().unwrap();
        let mut table = txn.open_table(ROWS).unwrap();
        table.insert(first, changed.as_bytes()).unwrap();
        drop(table);
        txn.commit().unwrap();
    }
}

impl Site {
    pub(crate) fn meet(&self, n: u8) {
        let command = Command::MeetUser {
            user: UserId([n; 16]),
            login: LoginHash([n; 32]),
        };
        let order = Order {
            actor: Actor::Daemon,
            origin: Origin::Socket,
            command,
        };
        self.keeper.handle().ask(order).unwrap();
    }

    fn noted(&self, number: u64) -> bool {
        let events = self.keeper.handle().read(number, 100).unwrap();
        let said = |raw: &str| raw.contains("CheckpointWritten");
        events.iter().any(|(_, raw)| said(raw))
    }

    pub(crate) fn root(&self) -> Caller {
        let peer = Peer {
            uid: 0,
            pid: None,
            administers: true,
        };
        let login = self.desk.login(0, "root").unwrap();
        self.desk.caller(peer, login, None)
    }

    pub(crate) fn denied(&self, feature: &str) {
        self.desk.side().note_denial(DenialNote {
            wall_s: self.desk.status(&self.root()).unwrap().j,
            user: None,
            machine: MachineId([1; 16]),
            unit: self.desk.unit(),
            feature: feature.into(),
            code: "no_seat_free",
            rule: 9,
        });
    }

    /// What stands in `status` of the journal.
    pub(crate) fn findings(&self) -> Vec<String> {
        let found = self.desk.findings(&self.desk.snapshot()).into_iter();
        found
            .filter(|finding| finding.about == "journal" && !finding.remedy.is_empty())
            .map(|finding| finding.text)
            .collect()
    }

    /// What a look through the journal says.
    pub(crate) fn holes(&self) -> Vec<String> {
        self.desk.look_through_journal();
        let mut found = self.findings();
        found.retain(|text| text.contains("has holes"));
        found
    }

    /// The audit log behind an event.
    pub(crate) fn events(&self, after: u64) -> Vec<AuditEvent> {
        let cursor = Cursor {
            after: Some(after.to_string()),
            limit: Some(1000),
        };
        let all = AuditFilter::default();
        self.desk.audit(&self.root(), &cursor, &all).unwrap().items
    }

    /// The number of the last event that was pruned, where the chain follows from its anchor to the end and an event says
    /// so: what `audit verify` does.
    pub(crate) fn verifies(&self) -> Result<u64, String> {
        let mut head = Head::default();
        if let Ok(told) = self.desk.audit_pruned(&self.root()) {
            let key = PublicKey::from_pem(&told.site_key).unwrap();
            let claims = anchor::verify(&told.anchor, &key).map_err(|e| e.to_string())?;
            head.number = claims.number;
            head.hash = Hash(anchor::hash_of(&claims).unwrap());
        }
        let began = head.number;
        let mut said = began == 0;
        for event in self.events(began) {
            let noted = follow(&mut head, &event.stored).map_err(|e| e.to_string())?;
            said |= matches!(noted.what, Recorded::JournalPruned { before } if before == began + 1);
        }
        if head != self.desk.snapshot().head {
            return Err(format!("it ends with {}", head.number));
        }
        said.then_some(began)
            .ok_or_else(|| format!("no event says that events up to {began} were pruned"))
    }
}

/// Flips one bit in the middle.
pub(crate) fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let other = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &other);
        } else {
            fs::copy(&path, &other).unwrap();
        }
    }
}
