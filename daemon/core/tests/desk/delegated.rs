//! A site key that is kept elsewhere: what the daemon does under a delegation that was brought, and after its end.

use crate::site::{DAY, NOON, Site, Vendor, checkout, hex, keys_in, renewal};
use seatkeeper::token::chain;
use seatkeeper::token::claims::Lease;
use seatkeeper::token::delegation;
use seatkeeper::token::keys::{PublicKey, SigningKey};
use seatkeeper::wire::{
    CheckoutBody, Code, DelegationBody, ExplainBody, ExportBody, Item, LeaseReply,
    LicenseRequestBody, SiteKey,
};
use seatkeeper_core::clock::ManualClock;
use seatkeeper_core::desk::Refused;
use seatkeeper_core::journal::MemoryJournal;
use seatkeeper_core::side::Side;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A site whose key is in a safe, with a license for everyone.
struct Away {
    site: Site,
    vendor: Vendor,
    /// In the safe.
    key: SigningKey,
    _keys: tempfile::TempDir,
}

impl Away {
    /// A daemon that had its key at first, and has been restarted without it.
    fn new() -> Away {
        let keys = tempfile::tempdir().expect("a folder");
        let (folder, journal) = (keys.path().join("keys"), Arc::new(MemoryJournal::new()));
        let clock = Arc::new(ManualClock::at(NOON));
        let site = over(&folder, &journal, &clock);
        let vendor = Vendor::new("acme");
        site.trust(&vendor).expect("trust");
        let file = vendor.file(&site.key(), |_| {});
        site.install(&file, true).expect("install");
        let here = fs::read_to_string(folder.join("site.key")).expect("a key");
        let key = SigningKey::from_pem(&here, None).expect("a key");
        let taken = accept(&site, &signed(&site, &key, NOON, 90)).expect("it is taken");
        assert!(!taken.elsewhere);
        site.stop().expect("a clean stop");
        fs::remove_file(folder.join("site.key")).expect("it was there");
        Away {
            site: over(&folder, &journal, &clock),
            vendor,
            key,
            _keys: keys,
        }
    }

    fn pass_to(&self, at: u64) {
        let now = self.now();
        self.site.clock.advance(Duration::from_secs(at - now));
    }

    fn now(&self) -> u64 {
        self.site
            .desk
            .status(&self.site.root())
            .expect("a status")
            .j
    }

    fn until(&self) -> Option<u64> {
        self.shown().delegation_exp
    }

    fn shown(&self) -> SiteKey {
        self.site.desk.site_key(&self.site.root()).expect("a key")
    }

    /// What `status` says of the delegation, to those who operate.
    fn told(&self) -> Option<(String, Option<Code>)> {
        let findings = self.site.desk.status(&self.site.root());
        let findings = findings.expect("a status").findings.into_iter();
        let mut about = findings.filter(|f| f.about == "delegation" || f.about == "key");
        about.next().map(|f| (f.level, f.code))
    }

    fn take(&self) -> Result<(CheckoutBody, LeaseReply), Refused> {
        let body = checkout(&self.vendor);
        let leased = self.site.desk.checkout(&self.site.ana(), &body)?;
        Ok((body, leased.reply))
    }

    fn renew(&self, body: &CheckoutBody, n: u8, seat: &LeaseReply) -> Result<LeaseReply, Refused> {
        let body = renewal(body, n, Some(&seat.lease));
        let renewed = self.site.desk.renew(&self.site.ana(), &seat.id, &body)?;
        Ok(renewed.reply)
    }
}

fn over(folder: &Path, journal: &Arc<MemoryJournal>, clock: &Arc<ManualClock>) -> Site {
    let side = Side::memory().expect("a side store");
    Site::over(
        journal.clone(),
        clock.clone(),
        side,
        keys_in(folder),
        |_| {},
    )
}

/// As `site key delegate` signs it.
fn signed(site: &Site, key: &SigningKey, iat: u64, days: u64) -> String {
    let lease = site.desk.site_key(&site.root()).expect("a key").lease_key;
    let lease = PublicKey::from_pem(&lease).expect("a key");
    let claims = delegation::to_lease_key(&lease, key, (hex(), iat), days * DAY);
    let token = delegation::sign(&claims, key).expect("signed");
    delegation::file(&claims, &token)
}

fn accept(site: &Site, delegation: &str) -> Result<SiteKey, Refused> {
    let delegation = delegation.to_owned();
    let body = DelegationBody { delegation };
    site.desk.accept_delegation(&site.root(), &body)
}

fn lease_of(reply: &LeaseReply) -> Lease {
    use base64::Engine as _;
    let claims = reply.lease.split('.').nth(1).expect("three parts");
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims);
    serde_json::from_slice(&claims.expect("base64url")).expect("claims")
}

#[test]
fn s17_seats_go_on_under_a_brought_delegation_and_end_with_it() {
    let away = Away::new();
    let root = away.site.root();
    let status = away.site.desk.status(&root).expect("a status");
    let until = NOON + 90 * DAY - 3600;
    assert!(status.site_key_elsewhere);
    assert_eq!(status.delegation_exp, Some(until));
    assert_eq!(away.told(), None, "nothing wants doing");
    let (body, seat) = away.take().expect("a seat");
    // Warned of from 30 days before its end on.
    away.pass_to(until - 30 * DAY + 1);
    assert_eq!(away.told(), Some(("warning".to_owned(), None)));
    drop((body, seat));
    // Leases are cut to the end, grace first.
    away.pass_to(until - 930);
    let (body, seat) = away.take().expect("a seat");
    let lease = lease_of(&seat);
    assert_eq!((lease.ttl_s, lease.grace_s), (900, 30));
    assert_eq!(lease.warning, ["expires_soon"]);
    away.pass_to(until - 100);
    let last = away.renew(&body, 2, &seat).expect("renewed");
    let lease = lease_of(&last);
    assert_eq!((lease.ttl_s, lease.grace_s), (100, 0));
    away.pass_to(until - 9);
    let refused = away.renew(&body, 3, &last).expect_err("too late");
    assert_eq!(refused.code, Code::NotDelegated);
    away.pass_to(until);
    let used = || away.site.desk.status(&root).expect("a status").holders;
    let before = used();
    let refused = away.take().expect_err("nothing is signed");
    assert_eq!((refused.code, refused.status), (Code::NotDelegated, 503));
    let ended = format!("its delegation ended at {}", chain_date(until));
    assert!(refused.detail.contains(&ended), "{}", refused.detail);
    assert!(
        refused.hint.contains("ask an administrator"),
        "{}",
        refused.hint
    );
    assert_eq!(refused.trace_id, "trace-1");
    assert_eq!(used(), before, "no seat is taken that nobody can sign");
    assert_eq!(away.until(), None);
    assert_eq!(
        away.told(),
        Some(("error".to_owned(), Some(Code::NotDelegated)))
    );
    let why = why(&away);
    assert!(!why.0 && why.1.contains("not_delegated"), "{why:?}");
    // What is to be done about the license needs the key, and says so.
    away.pass_to(NOON + 340 * DAY);
    let found = away.site.desk.status(&root).expect("a status").findings;
    let license = found.iter().find(|f| f.about == "license").expect("told");
    assert!(license.remedy.contains("site_key_elsewhere"), "{license:?}");
}

fn chain_date(unix_s: u64) -> String {
    seatkeeper::token::dates::format(unix_s)
}

fn why(away: &Away) -> (bool, String) {
    let body = ExplainBody {
        suppose: Vec::new(),
        user: None,
        product: None,
        item: Item {
            feature: "modeler".to_owned(),
            version: None,
            n: 1,
        },
        roots: None,
        interactive: false,
    };
    let told = away.site.desk.explain(&away.site.root(), &body, |_| false);
    let told = told.expect("told");
    assert_eq!(told.granted, told.denial.is_none());
    (told.granted, told.summary)
}

#[test]
fn s17_a_renewed_delegation_reaches_those_who_hold_seats() {
    let away = Away::new();
    assert!(why(&away).0);
    let (body, seat) = away.take().expect("a seat");
    away.pass_to(NOON + 600);
    let second = away.renew(&body, 2, &seat).expect("renewed");
    away.pass_to(NOON + 900);
    let third = away.renew(&body, 3, &second).expect("renewed");
    assert_eq!(third.chain.delegation, None, "it has not changed");
    // Signed before the lease that the application holds, brought after it.
    let brought = signed(&away.site, &away.key, NOON + 100, 60);
    away.pass_to(NOON + 1200);
    assert_eq!(
        accept(&away.site, &brought).expect("taken").delegation_exp,
        Some(NOON + 100 + 60 * DAY)
    );
    away.pass_to(NOON + 1500);
    let fourth = away.renew(&body, 4, &third).expect("renewed");
    let sent = fourth.chain.delegation.expect("the new one");
    assert!(brought.contains(&sent));
    let mut all = seat.chain.clone();
    all.delegation = Some(sent);
    chain::verify(&[away.vendor.root.public()], &all).expect("a chain");
}

#[test]
fn s17_what_the_site_key_itself_must_sign_is_refused_with_a_next_step() {
    let away = Away::new();
    let (desk, root) = (&away.site.desk, away.site.root());
    let request = LicenseRequestBody {
        account: "4711".to_owned(),
        product_version: None,
        order: None,
    };
    let export = ExportBody {
        passphrase: "a long one".to_owned(),
    };
    let noes = [
        desk.license_request(&root, &request).map(drop),
        desk.audit_anchor(&root).map(drop),
        desk.export_site_key(&root, &export).map(drop),
    ];
    for no in noes {
        let no = no.expect_err("the key is not here");
        assert_eq!((no.code.clone(), no.status), (Code::SiteKeyElsewhere, 409));
        assert!(no.detail.contains("kept elsewhere"), "{}", no.detail);
        assert!(no.hint.contains("keys/site.key"), "{}", no.hint);
        assert_eq!(no.trace_id, "trace-1");
    }
    assert!(
        away.shown().exported,
        "nothing is asked for that cannot be done"
    );
}

#[test]
fn s17_a_delegation_that_is_not_for_this_daemon_is_refused_and_changes_nothing() {
    let away = Away::new();
    let (site, before) = (&away.site, away.until());
    let other = SigningKey::generate(&zeroize::Zeroizing::new([9; 32]));
    let their = signed(site, &other, NOON, 90);
    let ended = signed(site, &away.key, NOON - 10 * DAY, 10);
    let early = signed(site, &away.key, NOON + DAY, 10);
    let lease = delegation::to_lease_key(&other.public(), &away.key, (hex(), NOON), DAY);
    let lease = delegation::sign(&lease, &away.key).expect("signed");
    let mut some = delegation::to_lease_key(
        &PublicKey::from_pem(&away.shown().lease_key).expect("a key"),
        &away.key,
        (hex(), NOON),
        DAY,
    );
    some.slots = serde_json::from_value(serde_json::json!({"ranges": [
        {"vendor": "acme", "license": "ACME-1", "feature": "modeler", "first": 0, "last": 0}
    ]}))
    .expect("ranges");
    let some = delegation::sign(&some, &away.key).expect("signed");
    for (text, says) in [
        (&*their, "is no delegation that site key"),
        (&*ended, "ended at"),
        (&*early, "begins at"),
        (&*lease, "is for lease key"),
        (&*some, "some slots only"),
        ("", "not exactly one token"),
        ("# a line", "not exactly one token"),
        ("e30.e30.e30", "is no delegation"),
    ] {
        let no = accept(site, text).expect_err(says);
        assert_eq!(no.code, Code::BadRequest, "{says}");
        assert!(no.detail.contains(says), "{says}: {}", no.detail);
        assert!(no.hint.contains("site key delegate"), "{}", no.hint);
    }
    let body = DelegationBody { delegation: their };
    let no = site.desk.accept_delegation(&site.ana(), &body);
    assert_eq!(
        no.expect_err("ana does not administer").code,
        Code::Forbidden
    );
    assert_eq!(away.until(), before);
    away.take().expect("seats go on");
}
