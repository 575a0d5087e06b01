//! The whole walk through the built programs, as the README tells it: from the vendor's keys to a seat, a renewal and a no.

use seatkeeper_tests::binaries::{Said, binary, run};
use seatkeeper_tests::site::{DAEMON_UID, is_root};
use seatkeeper_tests::{Application, Site, vendor};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What no log, answer or file but the one that holds it may show (S23).
const PASSPHRASE: &str = "canary-cormorant-7b1f";
const FEATURE: &str = "acme-cad/modeler";

/// The vendor's desk: a folder with its keys, its issuer file and its ledger.
struct Desk {
    socket: PathBuf,
    folder: PathBuf,
}

impl Desk {
    /// `vendor keygen` twice and `vendor issuer`; no daemon is needed for it.
    fn open(site: &Site) -> Self {
        let folder = site.path("vendor");
        std::fs::create_dir(&folder).expect("a folder");
        let desk = Desk {
            socket: site.socket(),
            folder,
        };
        std::fs::write(desk.path("passphrase"), PASSPHRASE).expect("it is written");
        for (purpose, name) in [("root", "acme-root"), ("issuing", "acme-issuing")] {
            desk.ok(&[
                "vendor",
                "keygen",
                purpose,
                name,
                "--passphrase-file",
                "passphrase",
            ]);
        }
        desk.ok(&[
            "vendor",
            "issuer",
            "--root-key",
            "acme-root.pem",
            "--issuing-key",
            "acme-issuing.pub.pem",
            "--vendor",
            "acme",
            "--product",
            "acme-cad",
            "--until",
            "2099-12-31",
            "--out",
            "acme.issuer",
            "--passphrase-file",
            "passphrase",
        ]);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A command of the CLI in this folder.
    fn say(&self, args: &[&str]) -> Said {
        run(Command::new(binary("seatkeeper"))
            .args(args)
            .env("SEATKEEPER_SOCKET", &self.socket)
            .current_dir(&self.folder))
    }

    fn ok(&self, args: &[&str]) -> Said {
        let said = self.say(args);
        assert_eq!(
            said.code, 0,
            "seatkeeper {args:?}: {}{}",
            said.out, said.err
        );
        said
    }

    /// `license request` at the site and `vendor issue` here: a license file with so many seats.
    fn issue(&self, name: &str, seats: u64) -> PathBuf {
        let request = format!("{name}.req");
        self.ok(&[
            "license",
            "request",
            "--account",
            "4711",
            "--product-version",
            "2026.2",
            "--out",
            &request,
        ]);
        self.answer(name, seats)
    }

    /// `vendor issue` for a request.
    fn answer(&self, name: &str, seats: u64) -> PathBuf {
        let (request, license) = (format!("{name}.req"), format!("{name}.lic"));
        self.describe(seats);
        self.ok(&[
            "vendor",
            "issue",
            &request,
            "license.toml",
            "--key",
            "acme-issuing.pem",
            "--issuer",
            "acme.issuer",
            "--passphrase-file",
            "passphrase",
            "--out",
            &license,
        ]);
        self.path(&license)
    }

    /// Exports the site key: the exit status, and whether it counts as kept safe then.
    fn export(&self, out: &str) -> (i32, bool) {
        let key = ["site", "key", "export", "--out", out];
        let said = self.say(&[&key[..], &["--passphrase-file", "passphrase"]].concat());
        let shown = self.ok(&["site", "key", "show"]);
        (said.code, shown.out.contains("kept safe   yes"))
    }

    fn describe(&self, seats: u64) {
        let text = format!(
            "id = \"L-1001\"\nproduct = \"acme-cad\"\nuntil = 2099-06-30\n\
             customer = {{ id = \"4711\", name = \"Harbor Engineering\", contact = \"it@harbor.example\" }}\n\n\
             [[features]]\nname = \"modeler\"\nseats = {seats}\n"
        );
        std::fs::write(self.path("license.toml"), text).expect("it is written");
    }

    /// The application, with the vendor's public root.
    fn application(&self) -> Application {
        Application::with(&self.socket, &self.path("acme-root.pub.pem"), FEATURE, &[])
    }
}

/// Puts a finished file into an inbox, as an installer does it.
fn drop_in(site: &Site, from: &Path, name: &str) {
    let inbox = site.path("licenses.d");
    std::fs::copy(from, inbox.join(".new")).expect("it is copied");
    std::fs::rename(inbox.join(".new"), inbox.join(name)).expect("it is renamed");
}

/// Asks until the answer is as wanted, or a minute of the file system's time is over.
fn until(site: &Site, args: &[&str], wanted: impl Fn(&Value) -> bool) -> Value {
    let end = vendor::now() + 60;
    loop {
        let told = json(&site.ok(args));
        if wanted(&told) {
            return told;
        }
        assert!(vendor::now() < end, "{args:?}: {told}\n{}", site.log());
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn seats(site: &Site) -> Vec<Value> {
    let told = json(&site.ok(&["seat", "list", "-o", "json"]));
    told.as_array().cloned().expect("a list")
}

/// A refused command: its code stands in what it says, with a remedy, and `help CODE` knows more.
fn refused(site: &Site, said: &Said, exit: i32, code: &str) {
    assert_eq!(said.code, exit, "{said:?}");
    assert!(said.err.contains(code), "{code}: {said:?}");
    let help = site.ok(&["help", code]);
    assert!(help.lines().count() >= 3 && help.contains(code), "{help}");
}

/// U1 to U8 in one line: keys, license, trust, install, seat, no, renewal, seat, list, end.
#[test]
fn u1_the_whole_walk_from_keygen_to_seat_list() {
    let mut site = Site::new();
    site.start();
    let desk = Desk::open(&site);
    let first = desk.issue("first", 1);
    let file = first.display().to_string();

    refused(
        &site,
        &site.cli(&["license", "install", &file]),
        5,
        "wrong_vendor",
    );
    let issuing = desk.say(&["vendor", "trust", "acme-issuing.pub.pem", "--name", "acme"]);
    refused(&site, &issuing, 2, "bad_request");
    assert!(issuing.err.contains("an issuing key"), "{issuing:?}");
    desk.ok(&["vendor", "trust", "acme-root.pub.pem", "--name", "acme"]);
    desk.ok(&["license", "verify", &file]);
    desk.ok(&["license", "install", &file, "--assign", "everyone"]);

    let mut app = desk.application();
    assert_eq!(app.said["slots"], serde_json::json!([0]), "{}", app.said);
    let held = seats(&site);
    assert_eq!(held.len(), 1, "{held:?}");
    assert_eq!(held[0]["pid"], app.pid(), "{held:?}");
    let user = held[0]["user"].as_str().expect("a user").to_owned();
    let caller = format!("{user}@{}", held[0]["machine"].as_str().unwrap_or_default());
    assert_eq!(app.said["user"], caller, "{held:?}");

    let mut late = desk.application();
    assert_eq!(late.said["code"], "no_seat_free", "{}", late.said);
    assert_eq!(late.end(), Some(1));
    let why = site.cli(&["why", &user, FEATURE]);
    assert!(
        why.out.contains("no_seat_free") && why.out.contains("rule"),
        "{why:?}"
    );
    refused(
        &site,
        &site.cli(&["seat", "checkout", FEATURE]),
        5,
        "no_seat_free",
    );

    let second = desk.issue("second", 2);
    drop_in(&site, &second, "renewal.lic");
    until(&site, &["license", "list", "-o", "json"], |told| {
        told[0]["serial"] == 2
    });
    drop_in(&site, &first, "stale.lic");
    let stale = "serial 1 is stale: serial 2 is in force";
    until(&site, &["status", "-o", "json"], |_| {
        site.log().contains(stale)
    });
    assert!(
        site.log().contains("serial 2 is in force now"),
        "{}",
        site.log()
    );
    let mut late = desk.application();
    assert_eq!(late.said["slots"], serde_json::json!([1]), "{}", late.said);
    assert_eq!(seats(&site).len(), 2, "the first is still held");
    assert_eq!(late.end(), Some(0));
    assert_eq!(app.end(), Some(0));
    assert_eq!(seats(&site), Vec::<Value>::new());
    assert_eq!(site.stop(), Some(0), "{}", site.log());
}

/// A key that `site key new` made, put in place as its help says.
fn put_key(site: &Site, key: &Path) {
    let keys = site.path("state/keys");
    std::fs::create_dir(&keys).expect("a folder");
    std::fs::copy(key, keys.join("site.key")).expect("it is copied");
    for (path, mode) in [(keys.join("site.key"), 0o600), (keys.clone(), 0o700)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
        if is_root() {
            std::os::unix::fs::chown(&path, Some(DAEMON_UID), Some(DAEMON_UID)).expect("given");
        }
    }
}

/// The license is there before the site; and where the site is lost, its exported key begins a new one (rule 21).
#[test]
fn s20_a_site_begins_with_a_key_and_a_license_that_were_made_before_it() {
    let mut site = Site::new();
    site.configure("assign_new_licenses = \"everyone\"");
    let desk = Desk::open(&site);
    let made = desk.ok(&[
        "site",
        "key",
        "new",
        "--out",
        "site.key",
        "--request",
        "first.req",
        "--account",
        "4711",
        "--site-name",
        "Harbor",
    ]);
    assert!(
        made.out.contains("site.key") && made.out.contains("first.req"),
        "{made:?}"
    );
    let mode = std::fs::metadata(desk.path("site.key"))
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let nowhere = [
        "site",
        "key",
        "new",
        "--out",
        "other.key",
        "--request",
        "no/such.req",
    ];
    let no = desk.say(
        &[
            &nowhere[..],
            &["--account", "4711", "--site-name", "Harbor"],
        ]
        .concat(),
    );
    assert!(
        no.err.contains("no/such.req") && !desk.path("other.key").exists(),
        "half is none: {no:?}"
    );
    let no = desk.say(&[&nowhere[..], &["--account", "4711"]].concat());
    assert!(
        no.code == 2 && no.err.contains("--site-name <NAME>"),
        "{no:?}"
    );
    let again = desk.say(&["site", "key", "new", "--out", "site.key"]);
    assert!(
        again.code == 1 && again.err.contains("nothing is overwritten"),
        "{again:?}"
    );

    let license = desk.answer("first", 1);
    put_key(&site, &desk.path("site.key"));
    std::fs::copy(
        desk.path("acme-root.pub.pem"),
        site.path("vendors.d/acme.pem"),
    )
    .expect("copied");
    std::fs::copy(&license, site.path("licenses.d/first.lic")).expect("copied");
    site.start();
    until(&site, &["license", "list", "-o", "json"], |told| {
        told[0]["status"] == "in_force"
    });
    let mut app = desk.application();
    assert_eq!(app.said["slots"], serde_json::json!([0]), "{}", app.said);
    assert_eq!(app.end(), Some(0));
    let doctor = site.cli(&["doctor"]);
    assert!(!doctor.out.contains("quarantine"), "{doctor:?}");
    for nowhere in ["no/such.pem", "site.key"] {
        let told = desk.export(nowhere);
        assert!(told.0 != 0 && !told.1, "written nowhere: {told:?}");
    }
    assert_eq!(desk.export("export.pem"), (0, true));
    assert_eq!(site.stop(), Some(0));

    std::fs::remove_dir_all(site.path("state")).expect("the machine is lost");
    std::fs::create_dir(site.path("state")).expect("a new one");
    if is_root() {
        std::os::unix::fs::chown(site.path("state"), Some(DAEMON_UID), Some(DAEMON_UID))
            .expect("given");
    }
    let wrong = [
        "site",
        "key",
        "new",
        "--from",
        "export.pem",
        "--out",
        "back.key",
        "--passphrase-file",
    ];
    std::fs::write(desk.path("wrong"), "another passphrase").expect("written");
    let no = desk.say(&[&wrong[..], &["wrong"]].concat());
    assert!(
        no.code == 1 && no.err.contains("does not open it"),
        "{no:?}"
    );
    desk.ok(&[&wrong[..], &["passphrase"]].concat());
    put_key(&site, &desk.path("back.key"));
    site.start();
    until(&site, &["license", "list", "-o", "json"], |told| {
        told[0]["status"] == "in_force"
    });
    let mut late = desk.application();
    assert_eq!(late.said["code"], "quarantine", "{}", late.said);
    assert_eq!(late.end(), Some(1));
}

/// Keys are the vendor's alone, and none is ever overwritten; a request is answered once.
#[test]
fn s18_keys_are_not_overwritten_and_a_request_is_answered_once() {
    let mut site = Site::new();
    site.start();
    let desk = Desk::open(&site);
    let key = desk.path("acme-root.pem");
    let before = std::fs::read(&key).expect("the key is there");
    let mode = std::fs::metadata(&key)
        .expect("the key is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = desk.say(&[
        "vendor",
        "keygen",
        "root",
        "acme-root",
        "--passphrase-file",
        "passphrase",
    ]);
    assert_eq!(again.code, 1, "{again:?}");
    assert_eq!(std::fs::read(&key).expect("the key is there"), before);

    desk.issue("one", 1);
    let again = desk.say(&[
        "vendor",
        "issue",
        "one.req",
        "license.toml",
        "--key",
        "acme-issuing.pem",
        "--issuer",
        "acme.issuer",
        "--passphrase-file",
        "passphrase",
        "--out",
        "again.lic",
    ]);
    assert_ne!(again.code, 0, "{again:?}");
    assert!(again.err.contains("a request is taken once"), "{again:?}");
    assert!(!desk.path("again.lic").exists());
}

/// What an inbox refused stands in `status` and `doctor`, with file, code and remedy, until the file is gone.
#[test]
fn u1_a_file_that_the_inbox_refused_stands_in_status_and_doctor() {
    let mut site = Site::new();
    site.start();
    let desk = Desk::open(&site);
    let license = desk.issue("foreign", 1);
    drop_in(&site, &license, "foreign.lic");
    let named = |status: &Value| {
        let findings = status["findings"].as_array().cloned().unwrap_or_default();
        findings
            .into_iter()
            .find(|finding| finding["file"] == "foreign.lic")
    };
    let status = until(&site, &["status", "-o", "json"], |status| {
        named(status).is_some()
    });
    let finding = named(&status).expect("it was there");
    assert_eq!(finding["code"], "wrong_vendor", "{finding}");
    assert!(
        finding["remedy"]
            .as_str()
            .is_some_and(|r| r.contains("vendor trust")),
        "{finding}"
    );
    let doctor = site.cli(&["doctor"]);
    for word in ["foreign.lic", "wrong_vendor", "vendor trust"] {
        assert!(doctor.out.contains(word), "{word}: {doctor:?}");
    }

    let root = site.path("vendors.d/acme.pem");
    std::fs::copy(desk.path("acme-root.pub.pem"), site.path("vendors.d/.new"))
        .expect("it is copied");
    std::fs::rename(site.path("vendors.d/.new"), root).expect("it is renamed");
    until(&site, &["status", "-o", "json"], |status| {
        named(status).is_none()
    });
    assert_eq!(
        json(&site.ok(&["license", "list", "-o", "json"]))[0]["serial"],
        1
    );
}

/// A misspelt `admin_group` leaves root alone in charge: said by `check-config`, in the log and in `doctor`.
#[test]
fn a_group_of_administrators_that_does_not_exist_is_told() {
    let group = "seatkeeper-no-such-group";
    let mut site = Site::new();
    site.configure(&format!("admin_group = \"{group}\""));
    let file = site.path("seatkeeper.toml");
    let check = run(Command::new(binary("seatkeeperd"))
        .arg("check-config")
        .arg("--config")
        .arg(&file));
    assert_eq!(check.code, 0, "it holds: {check:?}");
    assert!(
        check.err.contains(group) && check.err.contains("groupadd"),
        "{check:?}"
    );
    site.start();
    until(&site, &["status", "-o", "json"], |status| {
        status["findings"].to_string().contains(group)
    });
    assert!(site.cli(&["doctor"]).out.contains("groupadd"));
    assert!(site.log().contains(group), "{}", site.log());
}

/// A real license needs no tool of ours to be checked.
#[test]
fn s5_openssl_checks_the_signature_of_a_license() {
    let mut site = Site::new();
    site.start();
    let desk = Desk::open(&site);
    desk.issue("open", 3);
    desk.ok(&[
        "vendor",
        "inspect",
        "open.lic",
        "--root",
        "acme-root.pub.pem",
        "--split",
        "parts",
    ]);
    let check = |signed: &str| {
        run(Command::new("openssl")
            .current_dir(desk.path("parts"))
            .args([
                "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", signed,
                "-sigfile", "sig",
            ]))
    };
    assert_eq!(check("signed").code, 0, "{:?}", check("signed"));
    let mut altered = std::fs::read(desk.path("parts/signed")).expect("it is there");
    altered[100] ^= 1;
    std::fs::write(desk.path("parts/altered"), altered).expect("it is written");
    assert_ne!(check("altered").code, 0, "{:?}", check("altered"));
}

/// Whatever is secret stays where it was put: not in the daemon's log at its most talkative, nor in any answer or state.
#[test]
fn s23_no_secret_stands_in_a_log_an_answer_or_a_message() {
    let mut site = Site::new();
    site.configure("log_level = \"trace\"");
    site.start();
    let desk = Desk::open(&site);
    let license = desk.issue("quiet", 1);
    let mut seen = String::new();
    let mut keep = |said: Said| seen.extend([said.out, said.err]);
    keep(desk.ok(&["vendor", "trust", "acme-root.pub.pem", "--name", "acme"]));
    keep(desk.ok(&["license", "install", "quiet.lic", "--assign", "everyone"]));
    keep(desk.say(&[
        "site",
        "key",
        "export",
        "--out",
        "site.key",
        "--passphrase-file",
        "passphrase",
    ]));
    keep(desk.say(&[
        "vendor",
        "keygen",
        "root",
        "acme-root",
        "--passphrase-file",
        "passphrase",
    ]));
    keep(desk.say(&["vendor", "inspect", "acme-root.pem"]));
    keep(desk.say(&[
        "license",
        "install",
        &site.path("vendor/acme-root.pem").display().to_string(),
    ]));
    let app = desk.application();
    assert!(app.said["slots"].is_array(), "{}", app.said);
    for path in [
        "/v1/status",
        "/v1/config",
        "/v1/site-key",
        "/metrics",
        "/v1/events",
        "/v1/seats",
        "/v1/audit",
        "/v1/audit/anchor",
        "/v1/audit/pruned",
        "/v1/nothing",
    ] {
        if path != "/v1/events" {
            seen.push_str(&site.admin("GET", path, None).body.to_string());
        }
    }
    for what in ["list", "script", "export"] {
        let file = if what == "export" { &["-"][..] } else { &[] };
        let said = desk.ok(&[&["audit", what], file].concat());
        seen.extend([said.out, said.err]);
    }
    drop(app);
    site.stop();
    seen.push_str(&site.log());
    assert!(seen.len() > 2000, "the run left traces: {seen}");
    drop(license);

    let mut secrets = vec![PASSPHRASE.to_owned()];
    for file in [
        desk.path("acme-root.pem"),
        desk.path("acme-issuing.pem"),
        desk.path("site.key"),
    ] {
        secrets.extend(lines_of_key(&file));
    }
    for entry in std::fs::read_dir(site.path("state/keys")).expect("root may read it") {
        secrets.extend(lines_of_key(&entry.expect("an entry").path()));
    }
    assert!(secrets.len() >= 5, "{}", secrets.len());
    for secret in secrets {
        assert!(!seen.contains(&secret), "a secret was said");
    }
}

/// The base64 lines of a secret key that tell it apart from any other.
fn lines_of_key(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    if !text.contains("PRIVATE KEY") {
        return Vec::new();
    }
    let lines = text
        .lines()
        .filter(|line| line.len() >= 32 && !line.starts_with(['-', '#']));
    lines.map(str::to_owned).collect()
}
