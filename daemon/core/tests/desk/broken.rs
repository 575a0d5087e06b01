//! A store of the state directory that cannot be written any more: the keeper ends before anything is answered (S26, I7).

use crate::site::{DAY, Site, Vendor, checkout, keys_in, renewal};
use redb::StorageBackend;
use redb::backends::InMemoryBackend;
use seatkeeper::wire::{CheckoutBody, Code, ExportBody, UserChange, UserMake};
use seatkeeper_core::keeper::Failure;
use seatkeeper_core::side::Side;
use std::io::{ErrorKind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A disk that is full from some time on.
#[derive(Debug, Default)]
struct Disk {
    inner: InMemoryBackend,
    full: Arc<AtomicBool>,
}

impl Disk {
    fn change(&self) -> Result<()> {
        match self.full.load(Ordering::SeqCst) {
            true => Err(ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64> {
        self.inner.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.inner.read(offset, out)
    }
    fn set_len(&self, len: u64) -> Result<()> {
        self.change()?;
        self.inner.set_len(len)
    }
    fn sync_data(&self) -> Result<()> {
        self.change()?;
        self.inner.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.change()?;
        self.inner.write(offset, data)
    }
}

/// A licensed site where ana holds a seat, on stores that can be broken.
struct Broken {
    site: Site,
    vendor: Vendor,
    held: (CheckoutBody, String),
    full: Arc<AtomicBool>,
    keys: tempfile::TempDir,
}

impl Broken {
    fn new() -> Broken {
        let disk = Disk::default();
        let full = disk.full.clone();
        let keys = tempfile::tempdir().expect("a folder");
        let site = Site::of(
            Side::on(disk, "side.redb").expect("a side store"),
            keys_in(&keys.path().join("keys")),
            |_| {},
        );
        let vendor = Vendor::new("acme");
        site.trust(&vendor).expect("trust");
        let file = vendor.file(&site.key(), |_| {});
        site.install(&file, true).expect("install");
        let body = checkout(&vendor);
        let leased = site.desk.checkout(&site.ana(), &body).expect("a seat");
        Broken {
            held: (body, leased.reply.id),
            site,
            vendor,
            full,
            keys,
        }
    }

    fn break_keys(&self) {
        std::fs::remove_dir_all(self.keys.path().join("keys")).expect("they were there");
    }

    /// The side store's disk is full, and free space says so.
    fn fill(&self) {
        self.full.store(true, Ordering::SeqCst);
        self.site.free.store(0, Ordering::SeqCst);
        self.site.clock.advance(Duration::from_secs(2));
    }

    /// Nothing ended: the seat that is held goes on and comes back.
    fn goes_on(&self) {
        let (body, id) = &self.held;
        let (ana, renewal) = (self.site.ana(), renewal(body, 2, None));
        self.site.desk.renew(&ana, id, &renewal).expect("renewed");
        let released = self.site.desk.release(&ana, id, Some(&body.instance));
        released.expect("released");
        assert!(self.site.fatal.lock().expect("no panic").is_empty());
    }

    /// Whoever asks from here on is answered by nobody, and the reason is the store's.
    fn ended_over(self, why: &str) {
        let (body, id) = &self.held;
        let renewal = renewal(body, 2, None);
        let no = self.site.desk.renew(&self.site.ana(), id, &renewal);
        assert_eq!(no.expect_err("nobody renews").code, Code::ServerStopping);
        let fatal = self.site.fatal.clone();
        assert_eq!(self.site.stop(), Err(Failure::Stopped), "no clean stop");
        let fatal = fatal.lock().expect("no panic");
        assert!(fatal.len() == 1 && fatal[0].contains(why), "{fatal:?}");
    }
}

#[test]
fn s26_below_the_reserve_nobody_new_is_met_and_no_name_is_written() {
    let broken = Broken::new();
    let (site, root) = (&broken.site, broken.site.root());
    let eve = UserMake {
        login: "eve".to_owned(),
        ..UserMake::default()
    };
    broken.fill();
    let no = site.checkout(&site.bob(), &broken.vendor);
    let no = no.expect_err("nobody is met");
    assert_eq!((no.code, no.rule), (Code::StorageLow, Some(22)));
    let no = site.desk.make_user(&root, &eve).expect_err("nor made");
    assert_eq!(no.code, Code::StorageLow);
    assert!(no.detail.contains("or taken in"), "{}", no.detail);
    let no = site.assign(Some("bob")).expect_err("nor named");
    assert_eq!(no.code, Code::StorageLow);
    broken.goes_on();
    // Who has to be kept out is: that writes no name.
    let suspended = UserChange {
        status: Some("suspended".to_owned()),
        ..UserChange::default()
    };
    let done = site.desk.change_user(&root, "ana", &suspended, None);
    done.expect("suspended without room");
    broken.full.store(false, Ordering::SeqCst);
    site.free.store(1 << 30, Ordering::SeqCst);
    site.clock.advance(Duration::from_secs(2));
    site.desk.make_user(&root, &eve).expect("there is room");
}

#[test]
fn s26_a_name_that_cannot_be_written_ends_the_keeper_before_the_answer() {
    let broken = Broken::new();
    broken.full.store(true, Ordering::SeqCst);
    let no = broken.site.checkout(&broken.site.bob(), &broken.vendor);
    assert_eq!(no.expect_err("nobody is met").code, Code::ServerStopping);
    broken.ended_over("side.redb");
}

#[test]
fn s26_below_the_reserve_counts_wait_in_memory_and_a_stop_is_clean() {
    let broken = Broken::new();
    broken.fill();
    for _ in 0..2 {
        let no = broken.site.checkout(&broken.site.ana(), &broken.vendor);
        assert_eq!(no.expect_err("no room").code, Code::StorageLow);
        broken.site.clock.advance(Duration::from_secs(60));
        broken.site.desk.flush_denials().expect("they wait");
    }
    broken.goes_on();
    assert_eq!(broken.site.stop(), Ok(()), "a count is no reason to end");
}

#[test]
fn s26_counts_that_cannot_be_written_end_the_keeper_and_no_stop_is_clean() {
    let broken = Broken::new();
    let mut body = checkout(&broken.vendor);
    body.items[0].feature = "viewer".to_owned();
    let denied = broken.site.desk.checkout(&broken.site.ana(), &body);
    assert_eq!(denied.expect_err("a no").code, Code::UnknownFeature);
    broken.full.store(true, Ordering::SeqCst);
    let fatal = broken.site.fatal.clone();
    assert_eq!(broken.site.stop(), Err(Failure::Stopped), "no clean stop");
    assert!(fatal.lock().expect("no panic")[0].contains("side.redb"));
}

#[test]
fn s26_a_delegation_that_cannot_be_kept_signs_nothing_and_ends_the_keeper() {
    let broken = Broken::new();
    broken.break_keys();
    broken.site.clock.advance(Duration::from_secs(50 * DAY));
    let no = broken.site.checkout(&broken.site.ana(), &broken.vendor);
    assert_eq!(no.expect_err("no lease").code, Code::ServerStopping);
    // The new one was never in use: the next try fails as the first did.
    let no = broken.site.desk.site_key(&broken.site.root());
    assert_eq!(no.expect_err("no key").code, Code::ServerStopping);
    broken.ended_over("delegation");
}

#[test]
fn s26_an_export_that_cannot_be_marked_exports_nothing_and_ends_the_keeper() {
    let broken = Broken::new();
    broken.break_keys();
    let body = ExportBody {
        passphrase: "a long passphrase".to_owned(),
    };
    let no = broken.site.desk.export_site_key(&broken.site.root(), &body);
    assert_eq!(no.expect_err("no export").code, Code::ServerStopping);
    broken.ended_over("site.key");
}
