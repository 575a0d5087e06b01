//! Inboxes as real folders, before a taker that remembers what it was given.

use super::*;
use seatkeeper::wire::Code;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::{Condvar, Mutex};

const PATIENCE: Duration = Duration::from_secs(20);

/// Takes what starts with `good` and licenses whose vendor was taken before.
#[derive(Default)]
struct Memory {
    said: Mutex<Said>,
    news: Condvar,
}

#[derive(Default)]
struct Said {
    taken: Vec<String>,
    offered: usize,
    notes: BTreeMap<String, Finding>,
}

impl Memory {
    fn offer(
        &self,
        file: &str,
        bytes: &[u8],
        fine: impl Fn(&Said) -> bool,
    ) -> Result<String, Refused> {
        let mut said = self.said.lock().unwrap();
        said.offered += 1;
        self.news.notify_all();
        if fine(&said) {
            said.taken
                .push(format!("{file}={}", String::from_utf8_lossy(bytes)));
            Ok("taken".to_owned())
        } else {
            Err(refusal())
        }
    }

    fn wait(&self, what: &str, until: impl Fn(&Said) -> bool) {
        let said = self.said.lock().unwrap();
        let waited = self
            .news
            .wait_timeout_while(said, PATIENCE, |said| !until(said))
            .unwrap();
        assert!(
            !waited.1.timed_out(),
            "{what}: {:?} {:?}",
            waited.0.taken,
            waited.0.notes
        );
    }
}

impl Taker for Memory {
    fn trust(&self, file: &str, pem: &str) -> Result<String, Refused> {
        self.offer(file, pem.as_bytes(), |_| pem.starts_with("good"))
    }

    fn install(&self, file: &str, bytes: &[u8]) -> Result<String, Refused> {
        self.offer(file, bytes, |said| {
            bytes.starts_with(b"good") && said.taken.iter().any(|taken| taken.starts_with("v.pem"))
        })
    }

    fn note(&self, file: &str, finding: Option<Finding>) {
        let mut said = self.said.lock().unwrap();
        match finding {
            Some(finding) => said.notes.insert(file.to_owned(), finding),
            None => said.notes.remove(file),
        };
        self.news.notify_all();
    }
}

struct Room {
    dir: tempfile::TempDir,
    memory: Arc<Memory>,
}

impl Room {
    fn new() -> Room {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("vendors.d")).unwrap();
        fs::create_dir(dir.path().join("licenses.d")).unwrap();
        Room {
            dir,
            memory: Arc::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn start(&self) -> Inbox {
        Inbox::start(
            self.memory.clone(),
            self.path("vendors.d"),
            self.path("licenses.d"),
        )
        .unwrap()
    }

    fn taken(&self, text: &str) {
        self.memory
            .wait(text, |said| said.taken.iter().any(|taken| taken == text));
    }
}

#[test]
fn u5_what_lies_there_at_the_start_is_read_vendors_first() {
    let room = Room::new();
    room.put("licenses.d/a.lic", "good");
    room.put("licenses.d/.hidden.lic", "good");
    room.put("licenses.d/a.lic~", "good");
    room.put("licenses.d/README", "good");
    room.put("vendors.d/v.pem", "good");
    let _inbox = room.start();
    room.taken("a.lic=good");
    let said = room.memory.said.lock().unwrap();
    assert_eq!(said.taken, ["v.pem=good", "a.lic=good"]);
    assert_eq!(said.offered, 2);
}

#[test]
fn u5_what_has_another_ending_is_named() {
    let room = Room::new();
    room.put("licenses.d/acme.issuer", "good");
    room.put("licenses.d/README", "good");
    let _inbox = room.start();
    let folder = room.path("licenses.d").display().to_string();
    room.memory.wait("it is named", |said| {
        said.notes.get(&folder).is_some_and(|finding| {
            finding.text.ends_with("not read: acme.issuer") && finding.remedy.contains(".lic")
        })
    });
}

#[test]
fn u5_a_file_that_comes_is_read_once_and_again_when_it_changes() {
    let room = Room::new();
    room.put("vendors.d/v.pem", "good");
    let _inbox = room.start();
    room.taken("v.pem=good");
    room.put("licenses.d/new", "good one");
    fs::rename(room.path("licenses.d/new"), room.path("licenses.d/a.lic")).unwrap();
    room.taken("a.lic=good one");
    room.put("licenses.d/a.lic", "good two");
    room.taken("a.lic=good two");
    room.put("licenses.d/b.lic", "good");
    room.taken("b.lic=good");
    assert_eq!(
        room.memory.said.lock().unwrap().offered,
        4,
        "reading a file is no reason to read it again"
    );
}

#[test]
fn u5_a_refused_license_is_taken_when_its_vendor_comes() {
    let room = Room::new();
    room.put("licenses.d/a.lic", "good");
    let _inbox = room.start();
    room.memory.wait("offered", |said| said.offered == 1);
    room.put("vendors.d/v.pem", "good");
    room.taken("a.lic=good");
}

#[test]
fn s8_s15_links_and_large_files_are_named_until_they_are_gone() {
    let room = Room::new();
    room.put("secret", "good");
    symlink("../secret", room.path("licenses.d/link.lic")).unwrap();
    fs::write(
        room.path("licenses.d/large.lic"),
        vec![b'x'; 256 * 1024 + 1],
    )
    .unwrap();
    let _inbox = room.start();
    room.memory.wait("both are named", |said| {
        said.notes.contains_key("link.lic") && said.notes.contains_key("large.lic")
    });
    assert_eq!(room.memory.said.lock().unwrap().offered, 0);
    fs::remove_file(room.path("licenses.d/link.lic")).unwrap();
    room.memory.wait("the gone one is forgotten", |said| {
        !said.notes.contains_key("link.lic")
    });
    assert!(
        room.memory
            .said
            .lock()
            .unwrap()
            .notes
            .contains_key("large.lic")
    );
}

#[test]
fn s10_a_folder_that_is_missing_or_open_to_others_is_a_finding_and_not_read() {
    let room = Room::new();
    fs::remove_dir(room.path("vendors.d")).unwrap();
    room.put("licenses.d/a.lic", "good");
    fs::set_permissions(room.path("licenses.d"), fs::Permissions::from_mode(0o777)).unwrap();
    let inbox = room.start();
    let (vendors, licenses) = (room.path("vendors.d"), room.path("licenses.d"));
    room.memory.wait("both are named", |said| {
        [&vendors, &licenses]
            .iter()
            .all(|path| said.notes.contains_key(&path.display().to_string()))
    });
    drop(inbox);
    assert_eq!(room.memory.said.lock().unwrap().offered, 0);
}

#[test]
fn u5_a_folder_that_was_made_anew_is_watched_anew() {
    let room = Room::new();
    let _inbox = room.start();
    let vendors = room.path("vendors.d").display().to_string();
    fs::remove_dir(room.path("vendors.d")).unwrap();
    room.memory
        .wait("it is missed", |said| said.notes.contains_key(&vendors));
}

fn refusal() -> Refused {
    let code = Code::WrongVendor;
    let problem = serde_json::json!({
        "type": "/problems/wrong_vendor", "title": code.title(), "status": code.status(), "detail": "of another vendor",
        "code": code, "class": code.class(), "retryable": false, "hint": code.remedy(),
    });
    serde_json::from_value(problem).unwrap()
}

#[test]
fn s8_a_file_that_is_too_large_is_told_so_and_nothing_of_links() {
    let room = Room::new();
    room.put(
        "licenses.d/big.lic",
        &"x".repeat(usize::try_from(LICENSE_MAX).unwrap() + 1),
    );
    let _inbox = room.start();
    let large = |finding: &Finding| {
        finding.code == Some(Code::BodyTooLarge)
            && finding.text.contains("more than 262144 bytes")
            && !finding.remedy.contains("link")
    };
    room.memory.wait("too large", |said| {
        said.notes.get("big.lic").is_some_and(large)
    });
}
