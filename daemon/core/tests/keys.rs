//! The site's keys on disk: private, whole, and refused where they could give seats twice.

use seatkeeper::token::delegation;
use seatkeeper::token::keys::{PublicKey, SigningKey};
use seatkeeper_core::keys::{self, Keys, KeysError, SiteKeyFrom};
use seatkeeper_engine::time::Date;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const NOON: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

fn open(folder: &Path, now: u64) -> Result<Keys, KeysError> {
    let prepared = keys::prepare(folder, &SiteKeyFrom::Folder, false, now)?;
    Keys::open(prepared, Date(now))
}

fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let keys = dir.path().join("keys");
    (dir, keys)
}

#[test]
fn keys_are_made_once_and_are_private() {
    let (_dir, folder) = folder();
    let keys = open(&folder, NOON).expect("a first start");
    let (site, token) = (
        keys.site_thumbprint().to_owned(),
        keys.delegation(Date(NOON)).expect("one").token.clone(),
    );
    for file in ["site.key", "lease.key", "login.salt", "delegation"] {
        let mode = fs::metadata(folder.join(file))
            .expect(file)
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(
        fs::metadata(&folder)
            .expect("a folder")
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    let text = fs::read_to_string(folder.join("site.key")).expect("text");
    assert!(
        text.starts_with("# seatkeeper site key: new 2027-01-15\n-----BEGIN PRIVATE KEY-----"),
        "{text}"
    );
    let again = open(&folder, NOON + DAY).expect("a second start");
    assert_eq!(again.site_thumbprint(), site);
    assert_eq!(
        again.delegation(Date(NOON + DAY)).expect("the same").token,
        token
    );
}

#[test]
fn s15_keys_that_others_may_touch_are_refused() {
    let (_dir, folder) = folder();
    open(&folder, NOON).expect("a first start");
    for file in ["site.key", "lease.key", "login.salt"] {
        let path = folder.join(file);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("a mode");
        let refused = open(&folder, NOON).err().expect("a refusal").to_string();
        assert!(
            refused.contains(file) && refused.contains("chmod 0600"),
            "{refused}"
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
    }
    fs::write(folder.join("site.key"), "no key").expect("written");
    let refused = open(&folder, NOON).err().expect("a refusal").to_string();
    assert!(
        !refused.contains("no key"),
        "a key file is never quoted: {refused}"
    );
}

#[test]
fn r21_an_exported_key_counts_as_a_copy_from_then_on() {
    let (_dir, folder) = folder();
    let copy = || {
        keys::prepare(&folder, &SiteKeyFrom::Folder, true, NOON)
            .expect("whole")
            .copied()
    };
    let keys = open(&folder, NOON).expect("a first start");
    assert!(!keys.exported() && !copy());
    let pem = keys.export(b"a passphrase", NOON).expect("exported");
    assert!(pem.starts_with(
        "# seatkeeper site key: export 2027-01-15\n-----BEGIN ENCRYPTED PRIVATE KEY-----"
    ));
    let read = SigningKey::from_pem(&pem, Some(b"a passphrase")).expect("it opens");
    assert_eq!(read.thumbprint(), keys.site_thumbprint());
    assert!(SigningKey::from_pem(&pem, Some(b"another")).is_err());
    assert!(copy() && open(&folder, NOON).expect("a later start").exported());
    let bare = keys
        .export(b"", NOON)
        .expect_err("no passphrase")
        .to_string();
    assert!(bare.contains("passphrase"), "{bare}");
}

#[test]
fn r21_a_key_without_its_first_line_counts_as_a_copy() {
    let (_dir, folder) = folder();
    open(&folder, NOON).expect("a first start");
    let path = folder.join("site.key");
    let text = fs::read_to_string(&path).expect("text");
    let (_, bare) = text.split_once('\n').expect("two lines");
    fs::write(&path, bare).expect("written");
    assert!(
        keys::prepare(&folder, &SiteKeyFrom::Folder, true, NOON)
            .expect("whole")
            .copied()
    );
}

#[test]
fn a_site_key_comes_from_the_service_manager_and_is_nowhere_else() {
    let (dir, folder) = folder();
    let own = open(&folder, NOON).expect("a first start");
    let credential = dir.path().join("site.key");
    fs::rename(folder.join("site.key"), &credential).expect("moved");
    let from = SiteKeyFrom::Credential(credential.clone());
    let prepared = keys::prepare(&folder, &from, true, NOON).expect("whole");
    assert!(!prepared.copied());
    let keys = Keys::open(prepared, Date(NOON)).expect("a start");
    assert_eq!(keys.site_thumbprint(), own.site_thumbprint());
    keys.export(b"a passphrase", NOON).expect("exported");
    assert!(keys.exported());
    assert!(
        !folder.join("site.key").exists(),
        "no copy in the state directory"
    );
    fs::remove_file(&credential).expect("removed");
    let refused = keys::prepare(&folder, &from, true, NOON)
        .err()
        .expect("a refusal");
    assert!(refused.to_string().contains("site.key"), "{refused}");
}

#[test]
fn a_delegation_is_renewed_at_half_and_after_a_clock_that_was_put_back() {
    let (_dir, folder) = folder();
    let keys = open(&folder, NOON).expect("a first start");
    let token = |j: u64| {
        keys.delegation(Date(j))
            .expect("a delegation")
            .token
            .clone()
    };
    let first = token(NOON);
    assert_eq!(token(NOON + 44 * DAY), first);
    let second = token(NOON + 46 * DAY);
    assert_ne!(second, first);
    let back = token(NOON);
    assert_ne!(back, second);
    let claims = delegation::verify(&back, &keys.site()).expect("genuine");
    assert!(claims.nbf <= NOON && claims.exp - claims.nbf == 90 * DAY);
    // Put back by a minute, the delegation would still be in its time: no lease is older than what it stands on.
    let third = token(NOON - 60);
    assert_ne!(third, back);
    let claims = delegation::verify(&third, &keys.site()).expect("genuine");
    assert_eq!(claims.iat, NOON - 60);
}

#[test]
fn a_half_written_key_is_no_key() {
    let (_dir, folder) = folder();
    let keys = open(&folder, NOON).expect("a first start");
    fs::write(folder.join("site.key.new"), "half").expect("written");
    drop(keys);
    let keys = open(&folder, NOON).expect("a start after a crash");
    keys.export(b"a passphrase", NOON)
        .expect("it is overwritten");
    assert!(!folder.join("site.key.new").exists());
}

/// What `site key delegate` writes for these keys.
fn signed_elsewhere(keys: &Keys, site: &SigningKey, days: u64) -> String {
    let signed = ("d-1".to_owned(), NOON);
    let claims = delegation::to_lease_key(&keys.lease_public(), site, signed, days * DAY);
    delegation::file(&claims, &delegation::sign(&claims, site).expect("signed"))
}

fn site_key_in(folder: &Path) -> SigningKey {
    let pem = fs::read_to_string(folder.join("site.key")).expect("text");
    SigningKey::from_pem(&pem, None).expect("a key")
}

fn prepared(folder: &Path) -> Result<keys::Prepared, KeysError> {
    keys::prepare(folder, &SiteKeyFrom::Folder, true, NOON)
}

#[test]
fn r21_a_key_for_which_a_delegation_is_brought_counts_as_a_copy_from_then_on() {
    let (_dir, folder) = folder();
    let keys = open(&folder, NOON).expect("a first start");
    let site = site_key_in(&folder);
    assert!(!keys.exported());
    keys.accept(&signed_elsewhere(&keys, &site, 30), Date(NOON), NOON)
        .expect("taken");
    assert!(keys.exported() && !keys.elsewhere());
    let file = fs::read_to_string(folder.join("site.key")).expect("text");
    assert!(file.starts_with("# seatkeeper site key: export "), "{file}");
    assert!(prepared(&folder).expect("whole").copied());
}

#[test]
fn a_daemon_without_its_site_key_signs_under_what_was_brought() {
    let (_dir, folder) = folder();
    let own = open(&folder, NOON).expect("a first start");
    let (site, file) = (site_key_in(&folder), folder.join("site.key"));
    let brought = signed_elsewhere(&own, &site, 30);
    own.accept(&brought, Date(NOON), NOON).expect("taken");
    fs::remove_file(&file).expect("taken away");
    let ready = prepared(&folder).expect("its public half stands for it");
    assert_eq!(ready.thumbprint(), site.thumbprint());
    assert!(ready.copied(), "nobody here knows where else it is");
    let keys = Keys::open(ready, Date(NOON + DAY)).expect("a start");
    assert!(keys.elsewhere() && keys.exported());
    let kept = keys.delegation(Date(NOON + DAY)).expect("that one");
    assert!(brought.contains(&kept.token));
    assert_eq!(kept.exp, NOON + 30 * DAY);
    assert!(
        keys.delegation(Date(NOON + 30 * DAY - 1)).is_ok(),
        "not renewed at half"
    );
    for (j, says) in [
        (NOON + 30 * DAY, "ended at 2027-02-14"),
        (NOON - 2 * DAY, "begins at"),
    ] {
        let refused = keys.delegation(Date(j)).expect_err(says).to_string();
        assert!(refused.contains(says), "{refused}");
    }
    let refused = keys.export(b"a passphrase", NOON).expect_err("no key");
    assert!(matches!(refused, KeysError::Elsewhere), "{refused}");
    assert!(!file.exists(), "none is made");
    // The key is put back: it renews by itself again.
    let text = seatkeeper::token::keys::SiteKeyOrigin::Export.file(&site.to_pem(), NOON);
    fs::write(&file, text.as_bytes()).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
    let keys = open(&folder, NOON + 20 * DAY).expect("a start");
    let renewed = keys.delegation(Date(NOON + 20 * DAY)).expect("one");
    assert!(renewed.exp > NOON + 100 * DAY);
}

#[test]
fn a_daemon_that_ends_without_its_delegation_starts_and_signs_nothing() {
    let (_dir, folder) = folder();
    let own = open(&folder, NOON).expect("a first start");
    let site = site_key_in(&folder);
    own.accept(&signed_elsewhere(&own, &site, 30), Date(NOON), NOON)
        .expect("taken");
    fs::remove_file(folder.join("site.key")).expect("taken away");
    let lost = |name: &str| {
        let (file, kept) = (folder.join(name), folder.join("kept"));
        fs::rename(&file, &kept).expect("taken away");
        let keys = open(&folder, NOON).expect("it starts");
        let refused = keys.delegation(Date(NOON)).expect_err("none").to_string();
        assert!(refused.contains("has no delegation"), "{name}: {refused}");
        // One for its lease key of now is taken, and good over a restart.
        let brought = signed_elsewhere(&keys, &site, 1);
        keys.accept(&brought, Date(NOON), NOON).expect("taken");
        let keys = open(&folder, NOON).expect("it starts");
        assert!(keys.delegation(Date(NOON)).is_ok(), "{name}");
        fs::rename(&kept, &file).expect("put back");
    };
    lost("delegation");
    lost("lease.key");
}

#[test]
fn a_site_key_that_was_never_here_is_known_by_its_public_half() {
    let (dir, folder) = folder();
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("a mode");
    let site = open(&dir.path().join("safe"), NOON).expect("a safe");
    fs::write(folder.join("site.pub.pem"), site.site().to_pem()).expect("written");
    let keys = open(&folder, NOON).expect("a first start");
    assert_eq!(keys.site_thumbprint(), site.site_thumbprint());
    assert!(keys.elsewhere() && keys.delegation(Date(NOON)).is_err());
    assert!(!folder.join("site.key").exists());
    let key = site_key_in(&dir.path().join("safe"));
    keys.accept(&signed_elsewhere(&keys, &key, 90), Date(NOON), NOON)
        .expect("taken");
    assert!(keys.delegation(Date(NOON)).is_ok());
}

#[test]
fn i2_a_public_half_that_is_not_this_sites_is_refused_by_name() {
    let (_dir, folder) = folder();
    let own = open(&folder, NOON).expect("a first start");
    let site = site_key_in(&folder);
    own.accept(&signed_elsewhere(&own, &site, 30), Date(NOON), NOON)
        .expect("taken");
    fs::remove_file(folder.join("site.key")).expect("taken away");
    let public = folder.join("site.pub.pem");
    let whole = fs::read_to_string(&public).expect("text");
    assert_eq!(PublicKey::from_pem(&whole).expect("a key"), own.site());
    let other = own.lease_public().to_pem();
    for (text, says) in [
        (&*other, "not the key that this state was served with"),
        ("", "public half"),
        (&whole[..60], "public half"),
    ] {
        fs::write(&public, text).expect("written");
        let refused = prepared(&folder).err().expect(says).to_string();
        assert!(
            refused.contains("site.pub.pem") && refused.contains(says),
            "{refused}"
        );
    }
    fs::remove_file(&public).expect("removed");
    let refused = prepared(&folder).err().expect("neither").to_string();
    assert!(
        refused.contains("site.key") && refused.contains("kept elsewhere on purpose"),
        "{refused}"
    );
}
