//! The site's keys on disk: private, whole, and refused where they could give seats twice.

use seatkeeper::token::delegation;
use seatkeeper::token::keys::SigningKey;
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
