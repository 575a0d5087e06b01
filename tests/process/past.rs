//! A site that lived before: events of 500 days ago in a journal file of their own, by the core and a clock that is passed
//! in. The built daemon takes the state over, and finds that file to be older than the retention.

use seatkeeper::wire::AuditAnchor;
use seatkeeper_core::checkpoint::Checkpoints;
use seatkeeper_core::clock::{Clock, ManualClock};
use seatkeeper_core::desk::{self, Desk, Peer};
use seatkeeper_core::journal::RedbJournal;
use seatkeeper_core::keeper::{self, Keeper, Parts};
use seatkeeper_core::keys::{self, Keys, SiteKeyFrom};
use seatkeeper_core::side::{Kind, RETENTION_DAYS, Side};
use seatkeeper_core::state_dir::StateDir;
use seatkeeper_core::storage::Guard;
use seatkeeper_engine::ids::{BootId, LoginHash, UserId};
use seatkeeper_engine::{Actor, Command, Order, Origin};
use seatkeeper_tests::Site;
use seatkeeper_tests::site::{DAEMON_UID, is_root};
use seatkeeper_tests::vendor::now;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Below the state directory.
pub(crate) const ANCHOR: &str = "journal/anchor";
const DAY: u64 = 86_400;
/// Events from one checkpoint to the next.
const EVERY: u64 = 20;

/// What was kept elsewhere in those days.
pub(crate) struct Kept {
    /// An anchor of an event that is pruned now.
    pub(crate) anchor: AuditAnchor,
}

/// Gives it to a site that was never started.
pub(crate) fn give(site: &Site) -> Kept {
    let dir = StateDir::open(&site.path("state")).expect("a state directory");
    let clock = Arc::new(ManualClock::at(now() - 500 * DAY));
    let side = Arc::new(Side::open(&dir.side()).expect("a side store"));
    let prepared = keys::prepare(
        &dir.keys(),
        &SiteKeyFrom::Folder,
        false,
        clock.read().wall_s,
    );
    let checkpoints = Checkpoints::open(&dir.checkpoints()).expect("a folder");
    let keeper = keeper::start(Parts {
        journal: Arc::new(RedbJournal::open(&dir.journal(), 0).expect("a journal")),
        side: side.clone(),
        checkpoints: Some((checkpoints, EVERY)),
        clock: clock.clone(),
        clock_file: None,
        storage: Guard::none(),
        copied_key: false,
        host: "past".to_owned(),
        on_events: None,
        on_fatal: Box::new(|_| {}),
    })
    .expect("a keeper");
    let mut life = Life {
        folder: dir.checkpoints(),
        users: 0,
        side,
        keeper,
    };
    let opened = prepared.and_then(|keys| Keys::open(keys, life.keeper.handle().now().j));
    let keys = opened.expect("keys");
    let kept = Kept {
        anchor: life.anchored(keys, clock.clone()),
    };
    life.until_checkpoints(1);
    clock.advance(Duration::from_secs(500 * DAY));
    life.until_checkpoints(2);
    life.keeper.stop().expect("a clean stop");
    drop(dir);
    if is_root() {
        to_daemon(&site.path("state"));
    }
    kept
}

/// Waits until the daemon has pruned it, which it does beside serving.
pub(crate) fn is_pruned(site: &Site) {
    let first = site.path("state/journal/1.redb");
    let gone = || {
        (!first.exists()).then_some(()).or_else(|| {
            std::thread::park_timeout(Duration::from_millis(10));
            None
        })
    };
    assert!((0..6_000).any(|_| gone().is_some()), "{}", site.log());
    assert!(site.path("state").join(ANCHOR).exists());
}

struct Life {
    folder: PathBuf,
    users: u8,
    side: Arc<Side>,
    keeper: Keeper,
}

impl Life {
    /// Users come until there are so many checkpoints.
    fn until_checkpoints(&mut self, many: usize) {
        let is_whole = |name: &str| name.parse::<u64>().is_ok();
        let there = |folder: &Path| {
            let entries = fs::read_dir(folder).expect("a folder");
            let names = entries.map(|entry| entry.expect("an entry").file_name());
            names
                .filter(|name| name.to_str().is_some_and(is_whole))
                .count()
        };
        for tries in 0..20_000 {
            let head = self.keeper.handle().snapshot().head.number;
            if there(&self.folder) >= many {
                return;
            }
            // One more where the writer was busy when it was due.
            if head < many as u64 * EVERY || tries % 1_000 == 999 {
                self.users += 1;
                meet(&self.keeper, &self.side, self.users);
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        panic!("a checkpoint was never written");
    }

    /// What the site key signed of the journal in those days.
    fn anchored(&self, keys: Keys, clock: Arc<ManualClock>) -> AuditAnchor {
        let desk = Desk::new(desk::Parts {
            keeper: self.keeper.handle(),
            side: self.side.clone(),
            keys,
            clock,
            space: Box::new(|| Ok(1 << 30)),
            settings: desk::Settings {
                site_name: String::new(),
                machine: "past".to_owned(),
                boot: BootId([7; 16]),
                administrators: "root".into(),
                create_users: true,
                refused_roots: Vec::new(),
                assign_new_to_everyone: false,
                terms_block_checkout: false,
                disk_reserve: 0,
                retention_days: RETENTION_DAYS,
                version: String::new(),
            },
        })
        .expect("a desk");
        let peer = Peer {
            uid: 0,
            pid: None,
            administers: true,
        };
        let root = desk.login(0, "root").expect("a login");
        desk.audit_anchor(&desk.caller(peer, root, None))
            .expect("an anchor")
    }
}

fn meet(keeper: &Keeper, side: &Side, n: u8) {
    side.put_name(Kind::User, [n; 16], &format!("user-{n}@past"))
        .expect("a name");
    let command = Command::MeetUser {
        user: UserId([n; 16]),
        login: LoginHash([n; 32]),
    };
    let order = Order {
        actor: Actor::Daemon,
        origin: Origin::Socket,
        command,
    };
    keeper.handle().ask(order).expect("an answer");
}

/// As an administrator gives a folder to the daemon's user.
fn to_daemon(path: &Path) {
    std::os::unix::fs::chown(path, Some(DAEMON_UID), Some(DAEMON_UID)).expect("root may");
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            to_daemon(&entry.expect("an entry").path());
        }
    }
}
