//! A site in memory with a manual clock, and a vendor who signs for it.

use seatkeeper::token::chain::Expect;
use seatkeeper::token::claims::{
    self, Count, Counting, Customer, Feature, Info, License, Model, Term,
};
use seatkeeper::token::keys::{PublicKey, SigningKey};
use seatkeeper::token::{chain, issuer, license};
use seatkeeper::wire::{
    Assignment, CheckoutBody, InstallBody, Installed, Item, LeaseReply, RenewBody, TrustBody,
};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::clock::ManualClock;
use seatkeeper_core::desk::{Desk, Leased, Parts, Peer, Refused, Settings};
use seatkeeper_core::journal::MemoryJournal;
use seatkeeper_core::keeper::{self, Failure, Keeper};
use seatkeeper_core::keys::{self, Keys, SiteKeyFrom};
use seatkeeper_core::random;
use seatkeeper_core::side::Side;
use seatkeeper_core::storage::Guard;
use seatkeeper_engine::ids::BootId;
use seatkeeper_engine::time::Date;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

pub(crate) const NOON: u64 = 1_800_000_000;
pub(crate) const DAY: u64 = 86_400;
pub(crate) const BOOT: BootId = BootId([7; 16]);

/// A vendor's root and issuing key.
pub(crate) struct Vendor {
    pub(crate) name: &'static str,
    pub(crate) root: SigningKey,
    pub(crate) issuing: SigningKey,
}

/// Whom hints name in these tests.
pub(crate) const ADMINISTRATORS: &str = "root, or a member of the group `it`";

/// A daemon's core without the daemon.
pub(crate) struct Site {
    pub(crate) desk: Desk,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) free: Arc<AtomicU64>,
    /// Why the keeper ended.
    pub(crate) fatal: Arc<Mutex<Vec<String>>>,
    keeper: Keeper,
}

fn key() -> SigningKey {
    SigningKey::generate(&Zeroizing::new(random::bytes().expect("randomness")))
}

impl Vendor {
    pub(crate) fn new(name: &'static str) -> Vendor {
        Vendor {
            name,
            root: key(),
            issuing: key(),
        }
    }

    pub(crate) fn issuer_claims(&self, iat: u64) -> claims::Issuer {
        claims::Issuer {
            iss: self.name.to_owned(),
            sub: self.issuing.thumbprint().to_owned(),
            jti: format!("issuer-{iat}"),
            iat,
            nbf: NOON - 1000 * DAY,
            exp: NOON + 4000 * DAY,
            cnf: self.issuing.public().to_cnf(),
            products: vec!["cad".to_owned()],
            min_serial: 0,
            revoked_kids: Vec::new(),
            info: Info::new(),
        }
    }

    /// A license file with a license that was changed so.
    pub(crate) fn file(&self, site: &PublicKey, change: impl FnOnce(&mut License)) -> String {
        let mut claims = license_claims(self.name, site);
        change(&mut claims);
        self.sign(&self.issuer_claims(NOON - 100 * DAY), &[claims])
    }

    pub(crate) fn sign(&self, by: &claims::Issuer, licenses: &[License]) -> String {
        let mut text = format!(
            "# a license\n{}\n",
            issuer::sign(by, &self.root).expect("an issuer")
        );
        for claims in licenses {
            let token = license::sign(claims, &self.issuing).expect("a license");
            text.push_str(&format!("\n{token}\n"));
        }
        text
    }
}

pub(crate) fn license_claims(vendor: &str, site: &PublicKey) -> License {
    License {
        iss: vendor.to_owned(),
        sub: "ACME-1".to_owned(),
        iat: NOON - DAY,
        serial: 1,
        replaces: None,
        product: "cad".to_owned(),
        customer: Customer {
            id: "C-1".to_owned(),
            name: "Acme".to_owned(),
            contact: "it@acme.example".to_owned(),
            managed_by: None,
        },
        nbf: NOON - DAY,
        term: Term::Dated,
        exp: Some(NOON + 365 * DAY),
        cnf: site.to_cnf(),
        features: vec![feature("modeler", 2)],
        info: Info::new(),
    }
}

pub(crate) fn feature(name: &str, seats: u64) -> Feature {
    Feature {
        name: name.to_owned(),
        seats: Count::Number(seats),
        model: Model::Floating,
        counting: Counting::Process,
        version: None,
        ttl_s: 900,
        grace_s: 60,
        save_s: 300,
        cool_down_s: 600,
        linger_s: 0,
        overdraft: 0,
        share_max: Count::Number(1),
        named_min_s: 0,
        borrow: None,
        policies: vec!["save".to_owned()],
        optional_policies: Vec::new(),
    }
}

impl Site {
    pub(crate) fn new() -> Site {
        Site::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Site {
        let side = Side::memory().expect("a side store");
        Site::of(side, Keys::memory(Date(NOON)).expect("keys"), change)
    }

    /// A site with these stores.
    pub(crate) fn of(side: Side, keys: Keys, change: impl FnOnce(&mut Settings)) -> Site {
        let clock = Arc::new(ManualClock::at(NOON));
        Site::over(Arc::new(MemoryJournal::new()), clock, side, keys, change)
    }

    /// A site over a journal that may have lived before, by this clock.
    pub(crate) fn over(
        journal: Arc<MemoryJournal>,
        clock: Arc<ManualClock>,
        side: Side,
        keys: Keys,
        change: impl FnOnce(&mut Settings),
    ) -> Site {
        let side = Arc::new(side);
        let fatal: Arc<Mutex<Vec<String>>> = Arc::default();
        let ended = fatal.clone();
        let free = Arc::new(AtomicU64::new(1 << 30));
        let (guarded, shown) = (free.clone(), free.clone());
        let guard = Guard::new(
            Box::new(move || Ok(guarded.load(Ordering::SeqCst))),
            1 << 20,
        );
        let keeper = keeper::start(keeper::Parts {
            journal,
            side: side.clone(),
            clock: clock.clone(),
            checkpoints: None,
            clock_file: None,
            storage: guard,
            copied_key: false,
            host: "ws1".to_owned(),
            on_events: None,
            on_fatal: Box::new(move |why| ended.lock().expect("no panic").push(why.to_owned())),
        })
        .expect("a keeper");
        let mut settings = Settings {
            site_name: "Acme".to_owned(),
            machine: "ws1".to_owned(),
            boot: BOOT,
            administrators: ADMINISTRATORS.into(),
            create_users: true,
            refused_roots: Vec::new(),
            assign_new_to_everyone: false,
            terms_block_checkout: false,
            disk_reserve: 1 << 20,
            retention_days: seatkeeper_core::side::RETENTION_DAYS,
            version: "0.1.0".to_owned(),
        };
        change(&mut settings);
        let desk = Desk::new(Parts {
            keeper: keeper.handle(),
            side,
            keys,
            clock: clock.clone(),
            space: Box::new(move || Ok(shown.load(Ordering::SeqCst))),
            settings,
        })
        .expect("a founded site");
        Site {
            desk,
            clock,
            free,
            fatal,
            keeper,
        }
    }

    /// Stops as a daemon does: counts of denials first, then the ends of holds.
    pub(crate) fn stop(self) -> Result<(), Failure> {
        // A failed flush has ended the keeper, which is what the caller looks at.
        let _ = self.desk.flush_denials();
        self.keeper.stop()
    }

    /// A site with one license (two floating seats of cad/modeler), assigned to everyone.
    pub(crate) fn licensed() -> (Site, Vendor) {
        let (site, vendor) = (Site::new(), Vendor::new("acme"));
        site.trust(&vendor).expect("trust");
        site.install(&vendor.file(&site.key(), |_| {}), true)
            .expect("install");
        (site, vendor)
    }

    pub(crate) fn key(&self) -> PublicKey {
        let pem = self.desk.site_key(&self.root()).expect("the site key").pem;
        PublicKey::from_pem(&pem).expect("a key")
    }

    pub(crate) fn caller(&self, uid: u32, name: &str, administers: bool) -> Caller {
        let peer = Peer {
            uid,
            pid: None,
            administers,
        };
        let login = self.desk.login(uid, name).expect("a login");
        self.desk.caller(peer, login, Some("trace-1".into()))
    }

    pub(crate) fn root(&self) -> Caller {
        self.caller(0, "root", true)
    }

    pub(crate) fn ana(&self) -> Caller {
        self.caller(1000, "ana", false)
    }

    pub(crate) fn bob(&self) -> Caller {
        self.caller(1001, "bob", false)
    }

    pub(crate) fn trust(&self, vendor: &Vendor) -> Result<(), Refused> {
        let body = TrustBody {
            name: vendor.name.to_owned(),
            pem: vendor.root.public().to_pem(),
        };
        self.desk.trust(&self.root(), &body).map(|_| ())
    }

    pub(crate) fn install(&self, text: &str, everyone: bool) -> Result<Installed, Refused> {
        let body = InstallBody {
            account: None,
            text: text.to_owned(),
            assign_everyone: everyone,
            accept_date: false,
            verify_only: false,
        };
        self.desk.install(&self.root(), &body)
    }

    pub(crate) fn assign(&self, user: Option<&str>) -> Result<Assignment, Refused> {
        let body = Assignment {
            id: String::new(),
            vendor: String::new(),
            license: "ACME-1".to_owned(),
            user: user.map(str::to_owned),
            everyone: user.is_none(),
            ..Assignment::default()
        };
        self.desk.assign(&self.root(), &body)
    }

    pub(crate) fn checkout(&self, caller: &Caller, vendor: &Vendor) -> Result<Leased, Refused> {
        self.desk.checkout(caller, &checkout(vendor))
    }
}

/// Where a nonce of 32 bytes `n` comes from.
pub(crate) fn nonce(n: u8) -> (String, Vec<u8>) {
    use base64::Engine as _;
    let raw = vec![n; 32];
    (
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&raw),
        raw,
    )
}

/// The keys in a folder, made there where they are missing.
pub(crate) fn keys_in(folder: &Path) -> Keys {
    let prepared = keys::prepare(folder, &SiteKeyFrom::Folder, false, NOON).expect("a site key");
    Keys::open(prepared, Date(NOON)).expect("keys")
}

pub(crate) fn hex() -> String {
    BootId(random::bytes().expect("randomness")).to_string()
}

/// A checkout of cad/modeler by a new process.
pub(crate) fn checkout(vendor: &Vendor) -> CheckoutBody {
    CheckoutBody {
        checkout_id: hex(),
        instance: hex(),
        nonce: nonce(1).0,
        product: "cad".to_owned(),
        items: vec![Item {
            feature: "modeler".to_owned(),
            version: None,
            n: 1,
        }],
        roots: vec![vendor.root.thumbprint().to_owned()],
        seen: None,
        delegation: None,
        wait_s: 0,
        interactive: false,
        tokens: Vec::new(),
    }
}

pub(crate) fn renewal(of: &CheckoutBody, n: u8, seen: Option<&str>) -> RenewBody {
    RenewBody {
        instance: of.instance.clone(),
        nonce: nonce(n).0,
        seen: seen.map(str::to_owned),
        delegation: None,
    }
}

/// Checks a reply as the SDK does: up to the vendor's root.
pub(crate) fn check(
    vendor: &Vendor,
    chain: &seatkeeper::wire::Chain,
    reply: &LeaseReply,
    n: u8,
    renewal: bool,
) -> claims::Lease {
    let chain = chain::verify(&[vendor.root.public()], chain).expect("a chain");
    let (_, raw) = nonce(n);
    let expect = Expect {
        nonce: &raw,
        boot_id: BOOT.0,
        product: "cad",
        feature: "modeler",
        version: None,
        n: 1,
        renewal,
    };
    chain.check_lease(&reply.lease, &expect).expect("a lease")
}
