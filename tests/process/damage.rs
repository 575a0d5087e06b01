//! Every single file of the state directory deleted, emptied, cut in half, bit-flipped, swapped for an older one: the
//! daemon refuses by name and says what to do, or starts with every seat that it had given.

use crate::past;
use seatkeeper_tests::site::copy;
use seatkeeper_tests::wire::{Answer, Ask, Wire, nonce};
use seatkeeper_tests::{Site, Vendor};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn pairs(site: &Site, vendor: &Vendor, n: usize) {
    let mut wire = Wire::connect(&site.socket()).expect("it listens");
    for _ in 0..n {
        let ask = Ask::new("cad", "modeler", &vendor.roots());
        let seat = ask.checkout(&mut wire).expect("an answer");
        assert_eq!(seat.status, 201, "{seat:?}");
        ask.release(&mut wire, seat.text("id")).expect("an answer");
    }
}

fn take(site: &Site, vendor: &Vendor) -> (Ask, Answer) {
    let mut wire = Wire::connect(&site.socket()).expect("it listens");
    let ask = Ask::new("cad", "modeler", &vendor.roots());
    let answer = ask.checkout(&mut wire).expect("an answer");
    assert_eq!(answer.status, 201, "{answer:?}");
    (ask, answer)
}

fn held(site: &Site) -> BTreeSet<String> {
    let list: Value =
        serde_json::from_str(&site.ok(&["seat", "list", "-o", "json"])).expect("JSON");
    let ids = list.as_array().expect("a list").iter();
    ids.map(|seat| seat["id"].as_str().expect("an id").to_owned())
        .collect()
}

fn files(below: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(below).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// Bits that are flipped, one at a time, all over a file.
const FLIPS: usize = 6;

/// What is done to a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Damage {
    Deleted,
    Emptied,
    Halved,
    /// As it was before the last run.
    Older,
    Flipped(usize),
}

impl Damage {
    fn all() -> impl Iterator<Item = Damage> {
        [
            Damage::Deleted,
            Damage::Emptied,
            Damage::Halved,
            Damage::Older,
        ]
        .into_iter()
        .chain((0..FLIPS).map(Damage::Flipped))
    }

    /// The file's bytes after it; no bytes where it is gone, nothing where this is no damage.
    fn to(self, bytes: &[u8], older: Option<Vec<u8>>) -> Option<Option<Vec<u8>>> {
        Some(match self {
            Damage::Deleted => None,
            Damage::Emptied => Some(Vec::new()),
            Damage::Halved => Some(bytes[..bytes.len() / 2].to_vec()),
            Damage::Older => Some(older.filter(|old| old != bytes)?),
            Damage::Flipped(n) => {
                let mut bytes = bytes.to_vec();
                let at = bytes.len() * n / FLIPS + n * 37 % 64;
                // Also bits that make no text of a text.
                *bytes.get_mut(at)? ^= if n % 2 == 0 { 0x10 } else { 0x80 };
                Some(bytes)
            }
        })
    }
}

/// The daemon has to refuse: it cannot know what it gave, or who asks.
fn is_refused(file: &str, damage: Damage) -> bool {
    let cut = matches!(damage, Damage::Emptied | Damage::Halved);
    match file {
        "keys/login.salt" => true,
        "journal/append" | "journal/present" | "keys/site.key" => cut || damage == Damage::Deleted,
        // It can do without, and is told to.
        "keys/lease.key" | "side.redb" => cut,
        _ => false,
    }
}

#[test]
fn i2_every_damaged_file_is_named_or_costs_no_seat() {
    let mut site = Site::new();
    site.configure("checkpoint_events = 1000");
    // Some of its events are older than the retention, so that there is an anchor which stands for them.
    past::give(&site);
    site.start();
    past::is_pruned(&site);
    let vendor = site.give_seats(6);
    take(&site, &vendor);
    pairs(&site, &vendor, 1_300);
    site.stop();
    let (state, base, older) = (site.path("state"), site.path("base"), site.path("older"));
    copy(&state, &older);
    site.start();
    take(&site, &vendor);
    pairs(&site, &vendor, 700);
    let (ask, newest) = take(&site, &vendor);
    let expected = held(&site);
    assert_eq!(expected.len(), 3);
    site.kill();
    copy(&state, &base);
    let (present, grew, mut anchors) = (last_file(&base), last_file(&older), 0);
    for file in files(&base) {
        let name = file.strip_prefix(&base).expect("below").to_owned();
        let text = name.to_str().expect("text");
        let ended = text.starts_with("journal/") && text.ends_with(".redb") && file != present;
        let known = if file == present {
            "journal/present"
        } else {
            text
        };
        let bytes = fs::read(&file).expect("read");
        for damage in Damage::all() {
            let Some(damaged) = damage.to(&bytes, fs::read(older.join(&name)).ok()) else {
                continue;
            };
            copy(&base, &state);
            match damaged {
                Some(bytes) => fs::write(state.join(&name), bytes).expect("written"),
                None => fs::remove_file(state.join(&name)).expect("removed"),
            }
            fs::write(site.path("log"), "").expect("a new log");
            let what = format!("{text}, {damage:?}");
            if let Err(log) = site.try_start() {
                let said = log.lines().find(|line| line.starts_with("seatkeeperd: "));
                let said = said.unwrap_or_else(|| panic!("{what}: it ends without a word: {log}"));
                let back = [
                    "ut it back",
                    "ut the file back",
                    "own key back",
                    "estore",
                    "ove it away",
                ];
                let helps = said.contains(text) && back.iter().any(|words| said.contains(words));
                assert!(helps, "{what}: {said}");
                assert!(!log.contains("panicked"), "{what}: {log}");
                continue;
            }
            assert!(!is_refused(known, damage), "{what}: it starts");
            let lost: Vec<_> = expected.difference(&held(&site)).cloned().collect();
            if (text, damage) == ("journal/append", Damage::Older) {
                // A state of before, which nobody can tell from the right one until the lost lease is shown (rule 21).
                assert_eq!(lost, [newest.text("id")], "{what}");
                let body = serde_json::json!({"instance": ask.instance, "nonce": nonce(), "seen": newest.text("lease")});
                let mut wire = Wire::connect(&site.socket()).expect("it listens");
                let path = format!("/v1/leases/{}", newest.text("id"));
                let kept = wire.exchange("PUT", &path, Some(&body)).expect("an answer");
                assert_eq!(kept.status, 200, "{kept:?}");
                let more = Ask::new("cad", "modeler", &vendor.roots());
                let more = more.checkout(&mut wire).expect("an answer");
                assert_eq!(more.text("code"), "quarantine", "{more:?}");
            } else {
                assert!(lost.is_empty(), "{what}: {lost:?} is lost");
            }
            let same = damage == Damage::Older && text != grew;
            if ended && !same && !matches!(damage, Damage::Flipped(_)) {
                is_told(&site, &what, "the audit log has holes");
            }
            if text == past::ANCHOR {
                anchors += 1;
                is_told(&site, &what, "nothing shows that events 1 to");
            }
            site.kill();
            let log = site.log();
            assert!(!log.contains("panicked"), "{what}: {log}");
        }
    }
    assert_eq!(
        anchors,
        Damage::all().count() - 1,
        "the anchor has no older one"
    );
}

/// The file that rows went to.
fn last_file(state: &Path) -> String {
    let journal = files(&state.join("journal"));
    let number = |path: &PathBuf| path.file_stem()?.to_str()?.parse::<u64>().ok();
    let last = journal.iter().filter_map(number).max();
    format!("journal/{}.redb", last.expect("a file of rows"))
}

/// The journal is looked through beside the serving daemon: `doctor` says so as soon as that is done.
fn is_told(site: &Site, what: &str, words: &str) {
    let told = || site.cli(&["doctor"]).out.contains(words);
    assert!((0..2_000).any(|_| told()), "{what}: nobody tells of it");
}

/// The newest rows, byte by byte. redb notes in a file of its own that it was opened.
fn newest_rows(state: &Path) -> Option<Vec<u8>> {
    fs::read(state.join("journal/append")).ok()
}

/// More than one file is gone: refused, nothing is written, and the files put back are all that it takes.
#[test]
fn i2_what_is_refused_is_not_changed_and_starts_again_when_it_is_put_back() {
    let (mut site, vendor) = Site::with_seats(6);
    site.stop();
    site.configure("checkpoint_events = 1000");
    let (state, young, old) = (site.path("state"), site.path("young"), site.path("old"));
    site.start();
    take(&site, &vendor);
    site.stop();
    copy(&state, &young);
    site.start();
    pairs(&site, &vendor, 1_300);
    take(&site, &vendor);
    let expected = held(&site);
    site.kill();
    copy(&state, &old);
    let last = last_file(&old);
    let checkpoint = last.replace("journal", "checkpoints").replace(".redb", "");
    let first = ["journal/1.redb".to_owned(), checkpoint.clone()];
    let gone: [(&Path, &[&str], &str); 6] = [
        // No file of it says that events are missing, but those behind them do.
        (&old, &[&last, &checkpoint], "are missing"),
        (&old, &["checkpoints", "journal/1.redb"], "1.redb"),
        (
            &old,
            &["checkpoints", "journal/1001.redb"],
            "are missing behind 1.redb",
        ),
        (&old, &["journal"], "had one"),
        (&young, &["journal/1.redb"], "had one"),
        (&young, &["journal/1.redb", "journal/append"], "had one"),
    ];
    assert!(first.iter().all(|name| old.join(name).exists()), "{last}");
    for (base, names, says) in gone {
        copy(base, &state);
        for name in names {
            let path = state.join(name);
            let removed = if path.is_dir() {
                fs::remove_dir_all(path)
            } else {
                fs::remove_file(path)
            };
            removed.unwrap_or_else(|e| panic!("{name}: {e}"));
        }
        let rows = newest_rows(&state);
        fs::write(site.path("log"), "").expect("a new log");
        let log = site
            .try_start()
            .expect_err(&format!("{names:?} are gone, and it starts"));
        let said = log.lines().find(|line| line.starts_with("seatkeeperd: "));
        assert!(
            said.is_some_and(|said| said.contains(says)),
            "{names:?}: {log}"
        );
        assert!(newest_rows(&state) == rows, "{names:?}: rows were moved");
        for name in names {
            let (from, to) = (base.join(name), state.join(name));
            copy(&from, &to);
        }
        site.start();
        let now = held(&site);
        let all = if base == old {
            expected.clone()
        } else {
            expected.iter().take(1).cloned().collect()
        };
        assert_eq!(now, all, "{names:?} were put back");
        assert!(!site.cli(&["doctor"]).out.contains("holes"), "{names:?}");
        site.kill();
    }
}

/// Another site's key in the place of this one's, also where nothing in the folder of the keys says so.
#[test]
fn i2_another_sites_key_is_refused_and_the_right_one_is_taken_again() {
    let (mut site, vendor) = Site::with_seats(2);
    take(&site, &vendor);
    site.stop();
    let key = site.path("state/keys/site.key");
    let own = fs::read(&key).expect("read");
    for (other, delegation) in [("one.key", true), ("two.key", false)] {
        let other = site.path(other);
        let made = site.cli(&["site", "key", "new", "--out", other.to_str().expect("text")]);
        assert_eq!(made.code, 0, "{made:?}");
        fs::write(&key, fs::read(&other).expect("read")).expect("written");
        if !delegation {
            fs::remove_file(site.path("state/keys/delegation")).expect("removed");
        }
        let log = site.try_start().expect_err("it is another site's key");
        assert!(log.contains("Put the site's own key back"), "{log}");
        fs::write(&key, &own).expect("written");
        site.start();
        assert_eq!(held(&site).len(), 1);
        site.stop();
    }
}
