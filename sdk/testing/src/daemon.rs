//! The daemon in the test's process: keeper and desk over a memory journal, and two clocks that move together.

use crate::license::{Plan, VENDOR, Vendor};
use crate::wire::{Faults, Line};
use seatkeeper::testing::{ManualClock, boot_id};
use seatkeeper::token::keys::PublicKey;
use seatkeeper::wire::{Code, InstallBody, Seat, TrustBody};
use seatkeeper::{Builder, Client};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::clock::{Clock, ManualClock as DaemonClock};
use seatkeeper_core::desk::view::Cursor;
use seatkeeper_core::desk::{Desk, Parts as DeskParts, Peer, Refused, Settings};
use seatkeeper_core::journal::MemoryJournal;
use seatkeeper_core::keeper::{self, Keeper, Parts};
use seatkeeper_core::keys::Keys;
use seatkeeper_core::side::Side;
use seatkeeper_core::storage::Guard;
use seatkeeper_engine::ids::BootId;
use seatkeeper_engine::time::Date;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A daemon that lives as long as this or one of its clients: its license is installed and assigned to everyone.
pub struct Daemon {
    product: String,
    vendor: Vendor,
    site: PublicKey,
    serial: AtomicU64,
    root: String,
    clock: ManualClock,
    daemon_clock: Arc<DaemonClock>,
    faults: Arc<Faults>,
    desk: Arc<Desk>,
    keeper: Arc<Keeper>,
    /// The logins that were asked for: each has a uid of its own.
    users: Mutex<Vec<String>>,
}

/// Wall clock at the start of every test's daemon, so that a failure repeats: seconds since 1970.
const START: u64 = 1_800_000_000;
const MACHINE: &str = "test";
/// Time passes in steps that heartbeats keep up with.
const STEP: Duration = Duration::from_secs(1);
/// A uid that is a user like others.
const FIRST_UID: u32 = 1_000;

impl Plan {
    /// Starts a daemon with this license.
    ///
    /// # Panics
    /// Where the plan makes no license, with what is wrong with it.
    #[must_use]
    pub fn start(self) -> Daemon {
        Daemon::with(&self)
            .unwrap_or_else(|error| panic!("the daemon of this test does not start: {error}"))
    }
}

impl Daemon {
    /// Starts a daemon with the default plan: product `cad`, feature `modeler`, 3 seats.
    ///
    /// # Panics
    /// Where the machine gives no randomness or no thread.
    #[must_use]
    pub fn start() -> Daemon {
        Plan::default().start()
    }

    fn with(plan: &Plan) -> Result<Daemon, Box<dyn std::error::Error>> {
        let side = Arc::new(Side::memory()?);
        let clock = Arc::new(DaemonClock::at(START));
        let keeper = keeper::start(Parts {
            journal: Arc::new(MemoryJournal::new()),
            side: side.clone(),
            clock: clock.clone(),
            checkpoints: None,
            clock_file: None,
            storage: Guard::none(),
            copied_key: false,
            host: MACHINE.to_owned(),
            on_events: None,
            on_fatal: Box::new(|_| {}),
        })?;
        let keys = Keys::memory(Date(START))?;
        let vendor = Vendor::new(random()?, random()?);
        let site = keys.site();
        let file = vendor.license_file(plan, &site, (1, START));
        let desk = Desk::new(DeskParts {
            keeper: keeper.handle(),
            side,
            keys,
            clock: clock.clone(),
            space: Box::new(|| Ok(u64::MAX)),
            settings: settings()?,
        })?;
        let root = vendor.root().to_pem();
        furnish(&desk, &root, file)
            .map_err(|refused| format!("{}: {}", refused.title, refused.detail))?;
        Ok(Daemon {
            product: plan.product.clone(),
            vendor,
            site,
            serial: AtomicU64::new(1),
            root,
            clock: ManualClock::new(),
            daemon_clock: clock,
            faults: Arc::default(),
            desk: Arc::new(desk),
            keeper: Arc::new(keeper),
            users: Mutex::default(),
        })
    }

    /// A client of the plan's product, as the user `you`.
    ///
    /// # Panics
    /// Never for a plan that started.
    #[must_use]
    pub fn client(&self) -> Client {
        self.builder()
            .build()
            .expect("a plan that started has a product and a root")
    }

    /// The same before it is built: add `on_event`, or the application's own settings.
    pub fn builder(&self) -> Builder {
        self.builder_of("you")
    }

    /// A client of another user, by login.
    pub fn builder_of(&self, user: &str) -> Builder {
        self.builder_over(self.line(user), &self.root)
    }

    /// A client of the user `you` that carries another vendor root instead of this daemon's vendor's.
    pub fn builder_with(&self, root: &str) -> Builder {
        self.builder_over(self.line("you"), root)
    }

    /// The bare exchange as this user, for a program that is put in front of the daemon: leases only.
    #[must_use]
    pub fn transport_of(&self, user: &str) -> Arc<dyn seatkeeper::testing::Transport> {
        Arc::new(self.line(user))
    }

    fn builder_over(&self, line: Line, root: &str) -> Builder {
        Client::builder(&self.product)
            .vendor_roots(&[root])
            .transport(Arc::new(line))
            .clock(self.clock.clone())
    }

    fn line(&self, user: &str) -> Line {
        Line {
            desk: self.desk.clone(),
            faults: self.faults.clone(),
            user: user.to_owned(),
            uid: self.uid_of(user),
            _keeper: self.keeper.clone(),
        }
    }

    fn uid_of(&self, user: &str) -> u32 {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let known = users.iter().position(|known| known == user);
        let place = known.unwrap_or_else(|| {
            users.push(user.to_owned());
            users.len() - 1
        });
        FIRST_UID + u32::try_from(place).expect("tests have few users")
    }

    /// The vendor's root in PEM, for applications that take it from elsewhere in tests.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Time passes, awake: whatever falls due on the way has been done when this returns.
    pub fn pass(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() {
            let step = left.min(STEP);
            self.leap(step);
            left -= step;
        }
    }

    /// The machine sleeps so long: time passes in one leap, and nobody acts before its end.
    pub fn sleep(&self, time: Duration) {
        self.leap(time);
    }

    /// The daemon is not reached from now on, or is again.
    pub fn away(&self, away: bool) {
        self.faults.away(away);
    }

    /// So many next replies are lost after the daemon has done what was asked.
    pub fn lose_replies(&self, replies: usize) {
        self.faults.lose(replies);
    }

    /// The next call is refused with this code, whatever it asks.
    pub fn deny_next(&self, code: Code) {
        self.faults.deny_next(code);
    }

    /// Every checkout is refused with this code, until another or `None`.
    pub fn deny_checkouts(&self, code: Option<Code>) {
        self.faults.deny_checkouts(code);
    }

    /// Every renewal is refused with this code, until another or `None`; the seat itself stays at the daemon.
    pub fn deny_renewals(&self, code: Option<Code>) {
        self.faults.deny_renewals(code);
    }

    /// An administrator takes a seat back, by the id that its lease names; its application has time to save.
    ///
    /// # Errors
    /// The refusal: no such seat.
    pub fn reclaim(&self, id: &str) -> Result<(), String> {
        self.take_back(id, false)
    }

    /// The same without time to save: its application learns it at its next renewal, and has lost it.
    ///
    /// # Errors
    /// The refusal: no such seat.
    pub fn reclaim_hard(&self, id: &str) -> Result<(), String> {
        self.take_back(id, true)
    }

    fn take_back(&self, id: &str, hard: bool) -> Result<(), String> {
        administrator(&self.desk)
            .and_then(|caller| self.desk.reclaim(&caller, id, hard))
            .map(drop)
            .map_err(|refused| refused.detail)
    }

    /// The vendor renews the license as this plan says, from now on: more seats or fewer, other policies, a later end. Who
    /// sits is told at the next renewal.
    ///
    /// # Panics
    /// Where the plan makes no license, or one of another product, with what is wrong with it.
    pub fn renew_license(&self, plan: &Plan) {
        assert_eq!(
            plan.product, self.product,
            "a renewal is of the same product"
        );
        let serial = self.serial.fetch_add(1, Ordering::SeqCst) + 1;
        let now = self.daemon_clock.read().wall_s;
        let text = self.vendor.license_file(plan, &self.site, (serial, now));
        let installed =
            administrator(&self.desk).and_then(|caller| install(&self.desk, &caller, text));
        if let Err(refused) = installed {
            panic!(
                "the license is not renewed: {}: {}",
                refused.title, refused.detail
            );
        }
    }

    /// The seats held now, as `seatkeeper seat list` shows them; 100 at most.
    #[must_use]
    pub fn seats(&self) -> Vec<Seat> {
        let list = |caller| self.desk.seats(&caller, &Cursor::default(), |_| false);
        administrator(&self.desk)
            .and_then(list)
            .map(|page| page.items)
            .unwrap_or_default()
    }

    fn leap(&self, time: Duration) {
        // The daemon's clock first: a client that acts on its own finds the daemon there.
        self.daemon_clock.advance(time);
        self.clock.advance(time);
    }
}

impl fmt::Debug for Daemon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Daemon")
            .field("product", &self.product)
            .finish_non_exhaustive()
    }
}

/// The caller behind a login.
pub(crate) fn caller(
    desk: &Desk,
    (uid, user): (u32, &str),
    administers: bool,
) -> Result<Caller, Refused> {
    let peer = Peer {
        uid,
        pid: None,
        administers,
    };
    Ok(desk.caller(peer, desk.login(uid, user)?, None))
}

fn administrator(desk: &Desk) -> Result<Caller, Refused> {
    caller(desk, (FIRST_UID - 1, "administrator"), true)
}

/// Trusts the vendor and installs its license for everyone.
fn furnish(desk: &Desk, root: &str, text: String) -> Result<(), Refused> {
    let caller = administrator(desk)?;
    desk.trust(
        &caller,
        &TrustBody {
            name: VENDOR.to_owned(),
            pem: root.to_owned(),
        },
    )?;
    install(desk, &caller, text)
}

fn install(desk: &Desk, caller: &Caller, text: String) -> Result<(), Refused> {
    let body = InstallBody {
        account: None,
        text,
        assign_everyone: true,
        accept_date: false,
        verify_only: false,
    };
    desk.install(caller, &body).map(drop)
}

fn settings() -> std::io::Result<Settings> {
    Ok(Settings {
        site_name: "Test site".to_owned(),
        machine: MACHINE.to_owned(),
        boot: BootId(boot_id()?),
        administrators: "root".into(),
        create_users: true,
        refused_roots: Vec::new(),
        assign_new_to_everyone: false,
        terms_block_checkout: false,
        disk_reserve: 0,
        retention_days: seatkeeper_core::side::RETENTION_DAYS,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn random() -> std::io::Result<[u8; 32]> {
    seatkeeper_core::random::bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_login_has_a_uid_of_its_own_and_keeps_it() {
        let daemon = Daemon::start();
        let uids = ["Aa", "BB", "Aa"].map(|login| daemon.uid_of(login));
        assert_eq!(uids, [FIRST_UID, FIRST_UID + 1, FIRST_UID]);
    }
}
