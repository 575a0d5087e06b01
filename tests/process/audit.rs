//! The audit log of a real daemon: exported, verified, tampered with, rewritten, and played again.

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use seatkeeper_engine::Engine;
use seatkeeper_engine::event::Recorded;
use seatkeeper_tests::binaries::run;
use seatkeeper_tests::wire::{Ask, Wire};
use seatkeeper_tests::{Application, Site, Vendor};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");

/// A row of the journal, its parts as stored.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

/// What of an event happened.
#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    what: &'a RawValue,
}

/// A site whose day had seats taken, given back, refused, lost with their process and taken away.
fn busy() -> (Site, Vendor) {
    let (site, vendor) = Site::with_seats(2);
    some_seats(&site, &vendor, 3);
    let mut dies = Application::start(&site, &vendor);
    dies.kill();
    let mut stays = Application::start(&site, &vendor);
    site.ok(&["license", "assign", "L-1", "--user", "bob"]);
    site.ok(&["license", "unassign", "L-1", "--user", "bob"]);
    stays.end();
    (site, vendor)
}

fn some_seats(site: &Site, vendor: &Vendor, many: u64) {
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    for _ in 0..many {
        let ask = Ask::new("cad", "modeler", &vendor.roots());
        let answer = ask.checkout(&mut wire).expect("an answer");
        let id = answer.text("id").to_owned();
        assert!(!id.is_empty(), "{answer:?}");
        ask.release(&mut wire, &id).expect("an answer");
    }
}

fn export(site: &Site, name: &str) -> PathBuf {
    let path = site.path(name);
    site.ok(&["audit", "export", text(&path)]);
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of a test is text")
}

fn verify(site: &Site, args: &[&str]) -> (i32, String) {
    let said = site.cli(&[&["audit", "verify"], args].concat());
    (said.code, said.out + &said.err)
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("it is text");
    text.lines().map(str::to_owned).collect()
}

/// The rows of a stopped daemon's journal.
fn rows(site: &Site) -> Vec<(u64, Vec<u8>)> {
    let database = Database::open(site.path("state/journal/1.redb")).expect("it is closed");
    let read = database.begin_read().expect("a view");
    let table = read.open_table(ROWS).expect("rows");
    let rows = table.iter().expect("rows");
    rows.map(|row| {
        let (first, bytes) = row.expect("a row");
        (first.value(), bytes.value().to_vec())
    })
    .collect()
}

/// Writes the journal of a stopped daemon anew: each event as `change` makes it, and each made to follow from the one before.
fn rewrite(site: &Site, change: impl Fn(u64, String) -> String) {
    let mut hash = [0; 32];
    let mut number = 0;
    let mut anew = Vec::new();
    for (first, bytes) in rows(site) {
        let row: Row<'_> = serde_json::from_slice(&bytes).expect("a row");
        let mut events = Vec::new();
        for event in row.events {
            number += 1;
            let value: Value = serde_json::from_str(event.get()).expect("JSON");
            let before = value["prev"].as_str().expect("a hash");
            let raw = change(number, event.get().replacen(before, &hex(&hash), 1));
            hash = Sha256::new()
                .chain_update(hash)
                .chain_update(&raw)
                .finalize()
                .into();
            events.push(raw);
        }
        let row = format!("{{\"events\":[{}]}}", events.join(","));
        anew.push((first, row));
    }
    let database = Database::open(site.path("state/journal/1.redb")).expect("it is closed");
    let write = database.begin_write().expect("a transaction");
    {
        let mut table = write.open_table(ROWS).expect("rows");
        for (first, row) in &anew {
            table.insert(first, row.as_bytes()).expect("a row");
        }
    }
    write.commit().expect("it is written");
}

/// The files of a stopped daemon's journal.
const FILES: [&str; 2] = ["state/journal/1.redb", "state/journal/append"];

fn kept(site: &Site) -> [Vec<u8>; 2] {
    FILES.map(|name| std::fs::read(site.path(name)).expect("the journal"))
}

/// Puts an old copy of the journal back.
fn put_back(site: &Site, kept: &[Vec<u8>; 2]) {
    for (name, bytes) in FILES.iter().zip(kept) {
        let mut file = std::fs::File::options()
            .write(true)
            .truncate(true)
            .open(site.path(name))
            .expect("it is there");
        std::io::Write::write_all(&mut file, bytes).expect("it is written");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash of the state that events make.
fn state_hash<'a>(events: impl Iterator<Item = &'a str>) -> String {
    let mut engine = Engine::new();
    for event in events {
        let event: Recorded = serde_json::from_str(event).expect("an event");
        engine.replay(&event);
    }
    hex(&Sha256::digest(
        serde_json::to_vec(engine.state()).expect("a state is JSON"),
    ))
}

#[test]
fn people_read_who_did_what_and_when() {
    let (site, _vendor) = busy();
    let table = site.ok(&["audit", "list", "--all"]);
    for part in [
        "WHEN",
        "daemon started, epoch 1",
        "vendor acme trusted, 1 root key",
        "license acme/L-1 serial 1 installed: cad, modeler 2 seats",
        "took slot 0 of acme/L-1/modeler (seat 1.1)",
        "its process died",
        "given back",
        "assigned to bob",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let count = |args: &[&str]| {
        site.ok(&[&["audit", "list"], args].concat())
            .lines()
            .count()
    };
    assert_eq!(count(&["--last", "3"]), 4);
    assert_eq!(count(&["--kind", "seat_taken", "-o", "jsonl"]), 5);
    let feature = count(&["--feature", "cad/modeler", "-o", "jsonl"]);
    assert_eq!(feature, count(&["--feature", "modeler", "-o", "jsonl"]));
    assert!(feature >= 12 && feature < count(&["--all", "-o", "jsonl"]));
    assert_eq!(count(&["--since", "1d", "--until", "1h", "-o", "jsonl"]), 0);
    assert!(count(&["--actor", "daemon", "-o", "jsonl"]) >= 2);
    let csv = site.ok(&["audit", "list", "--user", "bob", "-o", "csv"]);
    assert!(
        csv.starts_with("n,when,who,what\r\n") && csv.lines().count() == 4,
        "{csv}"
    );
    let no = site.cli(&["audit", "list", "--user", "nobody-here"]);
    assert_eq!((no.code, no.err.contains("next:")), (3, true), "{}", no.err);
    assert_eq!(site.cli(&["audit", "list", "--kind", "SeatTakn"]).code, 2);
    if seatkeeper_tests::site::is_root() {
        for args in [
            &["audit", "list"][..],
            &["audit", "verify"],
            &["audit", "export", "-"],
        ] {
            assert_eq!(site.cli_as(20_001, args).code, 4, "{args:?}");
        }
    }
}

#[test]
fn an_export_is_the_journal_byte_for_byte_and_verifies_where_no_daemon_is() {
    let (mut site, vendor) = busy();
    let first = export(&site, "first.jsonl");
    some_seats(&site, &vendor, 4);
    let next = site.path("next.jsonl");
    site.ok(&["audit", "export", text(&next), "--after", text(&first)]);
    let key = site.site_key().thumbprint();
    let (code, told) = verify(&site, &[]);
    assert!(code == 0 && told.contains(&key), "{told}");
    let (code, told) = verify(&site, &["--anchor", text(&first), "--anchor", text(&next)]);
    assert!(code == 0 && told.contains("3 anchors"), "{told}");
    let (code, told) = verify(&site, &["--from", text(&first)]);
    assert!(code == 0 && told.contains("from a signed anchor"), "{told}");
    let (code, told) = verify(&site, &["--from", text(&next), "--anchor", text(&first)]);
    assert!(
        code == 7 && told.contains("could not be held against it"),
        "{told}"
    );
    assert_eq!(site.stop(), Some(0));

    for (file, first_event) in [
        (&first, "events 1 to"),
        (&next, "the first from a signed anchor"),
    ] {
        let (code, told) = verify(&site, &[text(file), "--site-key", &key]);
        assert!(code == 0 && told.contains(first_event), "{told}");
    }
    let (code, told) = verify(&site, &[text(&next), "--anchor", text(&first)]);
    assert_eq!(code, 0, "{told}");
    // Two exports that follow one another are one. An anchor from before the beginning proves nothing, and that is said.
    let whole: String = [&first, &next]
        .map(|file| lines(file).join("\n") + "\n")
        .concat();
    let both = site.path("both.jsonl");
    std::fs::write(&both, whole).expect("written");
    assert_eq!(verify(&site, &[text(&both)]).0, 0);
    let (code, told) = verify(&site, &[text(&both), "--from", text(&first)]);
    assert!(code == 0 && told.contains("from a signed anchor"), "{told}");
    let (code, told) = verify(
        &site,
        &[text(&both), "--from", text(&next), "--anchor", text(&first)],
    );
    assert_eq!(code, 7, "{told}");

    let stored: Vec<String> = rows(&site)
        .iter()
        .flat_map(|(_, bytes)| {
            let row: Row<'_> = serde_json::from_slice(bytes).expect("a row");
            let raw = row.events.iter().map(|event| event.get().to_owned());
            raw.collect::<Vec<_>>()
        })
        .collect();
    let exported: Vec<String> = lines(&both)
        .into_iter()
        .filter(|line| !line.starts_with("{\"anchor\""))
        .collect();
    assert_eq!(exported, stored[..exported.len()]);
    assert_eq!(site.cli(&["audit", "verify"]).code, 6);
    assert_eq!(verify(&site, &[text(&site.path("none"))]).0, 3);
}

/// The program of the documentation.
pub(crate) fn program_of_the_document() -> String {
    let document = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../packaging/doc/audit.md"
    ))
    .expect("the document");
    let program = document.split("```python\n").nth(1);
    let program = program.and_then(|rest| rest.split("```").next());
    program.expect("a program").to_owned()
}

/// What the documentation offers to those who do not believe our code does what it says.
#[test]
fn the_documents_own_program_agrees() {
    let (site, vendor) = busy();
    let file = site.path("verify.py");
    std::fs::write(&file, program_of_the_document()).expect("written");
    let says = |path: &Path| run(Command::new("python3").arg(&file).arg(path));
    let first = export(&site, "first.jsonl");
    some_seats(&site, &vendor, 2);
    let next = site.path("next.jsonl");
    site.ok(&["audit", "export", text(&next), "--after", text(&first)]);
    for path in [&first, &next] {
        let (ours, theirs) = (verify(&site, &[text(path)]), says(path));
        let hash = theirs.out.trim().rsplit(' ').next().unwrap_or_default();
        assert!(theirs.code == 0 && ours.1.contains(hash), "{theirs:?}");
    }
    let good = lines(&first);
    for change in 0..4 {
        let mut bad = good.clone();
        match change {
            0 => bad[3] = bad[3].replacen("\"v\":2", "\"v\":3", 1),
            1 => drop(bad.remove(5)),
            2 => bad.swap(2, 3),
            _ => drop(bad.remove(good.len() - 2)),
        }
        let path = site.path("bad.jsonl");
        std::fs::write(&path, bad.join("\n") + "\n").expect("written");
        assert_eq!(
            (says(&path).code, verify(&site, &[text(&path)]).0),
            (1, 1),
            "{change}"
        );
    }
}

#[test]
fn a_tampered_export_is_found_and_the_first_wrong_event_named() {
    let (site, _vendor) = busy();
    let good = lines(&export(&site, "good.jsonl"));
    let last = good.len() - 1;
    let found = |name: &str, lines: &[String], more: &[&str]| {
        let path = site.path(name);
        std::fs::write(&path, lines.join("\n") + "\n").expect("written");
        let (code, told) = verify(&site, &[&[text(&path)], more].concat());
        assert_eq!(code, 1, "{name}: {told}");
        assert!(told.contains("next:"), "{told}");
        told
    };
    let mut one_byte = good.clone();
    one_byte[6] = one_byte[6].replacen("\"origin\":\"s", "\"origin\":\"S", 1);
    assert_ne!(one_byte, good);
    let told = found("byte", &one_byte, &[]);
    assert!(
        told.contains("event 8 does not follow from event 7"),
        "{told}"
    );
    let mut removed = good.clone();
    removed.remove(4);
    assert!(found("removed", &removed, &[]).contains("event 5 is missing"));
    let mut swapped = good.clone();
    swapped.swap(5, 6);
    assert!(found("swapped", &swapped, &[]).contains("event 6 is missing"));
    // A tail that is gone takes the anchor with it; one that is put back signs what is gone.
    let told = found("cut", &good[..last - 2], &[]);
    assert!(told.contains("does not end with an anchor"), "{told}");
    let mut cut = good[..last - 2].to_vec();
    cut.push(good[last].clone());
    let told = found("resigned", &cut, &[]);
    assert!(
        told.contains(&format!("event {last} stands after event {}", last - 2)),
        "{told}"
    );
    let mut half = good.clone();
    half[last].truncate(200);
    found("half", &half, &[]);
    let mut forged = good.clone();
    let signature = forged[last].find("\",\"site_key").expect("a key");
    forged[last].replace_range(signature - 8..signature - 6, "AA");
    assert!(found("forged", &forged, &[]).contains("not signed by site key"));
    assert!(found("other", &good, &["--site-key", "x"]).contains("not by x"));
    // A whole other site's journal is in order, and not this one's.
    let (elsewhere, _) = Site::with_seats(1);
    let other = export(&elsewhere, "other.jsonl");
    let told = found("mine", &good, &["--anchor", text(&other)]);
    assert!(told.contains("not signed by site key"), "{told}");
    // Every byte of a line counts.
    for at in (0..good[3].len()).step_by(40) {
        let mut edited = good.clone();
        let with = if good[3][at..].starts_with('0') {
            "1"
        } else {
            "0"
        };
        edited[3].replace_range(at..=at, with);
        found("edited", &edited, &[]);
    }
}

#[test]
fn a_journal_that_was_rewritten_or_put_back_is_found_by_an_old_anchor() {
    let (mut site, vendor) = busy();
    let old = export(&site, "old.jsonl");
    let events = lines(&old).len() as u64 - 1;
    assert_eq!(site.stop(), Some(0));
    let kept = kept(&site);

    // Somebody who may write the state directory makes another hour of event 4, and the chain to fit.
    rewrite(&site, |number, raw| match number {
        4 => raw.replacen("\"wall_s\":1", "\"wall_s\":2", 1),
        _ => raw,
    });
    site.start();
    let (code, told) = verify(&site, &[]);
    assert_eq!(code, 0, "a chain alone cannot know: {told}");
    let (code, told) = verify(&site, &["--anchor", text(&old)]);
    assert_eq!(code, 1, "{told}");
    assert!(
        told.contains(&format!("event {events} is not the one that was signed")),
        "{told}"
    );
    let anew = export(&site, "anew.jsonl");
    assert_eq!(verify(&site, &[text(&anew)]).0, 0);
    assert_eq!(verify(&site, &[text(&anew), "--anchor", text(&old)]).0, 1);
    assert_eq!(site.stop(), Some(0));

    // The true journal goes on, and an old copy of it is put back.
    put_back(&site, &kept);
    site.start();
    some_seats(&site, &vendor, 5);
    let later = export(&site, "later.jsonl");
    assert_eq!(verify(&site, &["--anchor", text(&old)]).0, 0);
    assert_eq!(site.stop(), Some(0));
    put_back(&site, &kept);
    site.start();
    let (code, told) = verify(&site, &["--anchor", text(&later)]);
    assert!(
        code == 1 && told.contains("what follows was cut off"),
        "{told}"
    );
    assert_eq!(verify(&site, &["--anchor", text(&old)]).0, 0);
    let no = site.cli(&[
        "audit",
        "export",
        text(&site.path("x")),
        "--after",
        text(&later),
    ]);
    assert!(no.code == 1 && no.err.contains("was cut off"), "{}", no.err);
    assert!(!site.path("x").exists());
}

#[test]
fn i15_the_script_of_a_real_day_folds_to_the_state_of_its_journal() {
    let (mut site, vendor) = busy();
    site.kill();
    site.start();
    some_seats(&site, &vendor, 20);
    let file = export(&site, "day.jsonl");
    let script = site.ok(&["audit", "script"]);
    assert_eq!(script, site.ok(&["audit", "script", text(&file)]));
    // All of it is in the file then, and the stop itself behind it.
    site.stop();
    let events: Vec<&str> = script
        .lines()
        .filter_map(|line| line.strip_prefix("event "))
        .collect();
    assert_eq!(events.len() + 2, script.lines().count(), "{script}");
    let rows = rows(&site);
    let journal: Vec<&str> = rows
        .iter()
        .flat_map(|(_, bytes)| {
            let row: Row<'_> = serde_json::from_slice(bytes).expect("a row");
            row.events
        })
        .map(|raw| {
            let stored: Stored<'_> = serde_json::from_str(raw.get()).expect("an event");
            stored.what.get()
        })
        .take(events.len())
        .collect();
    assert_eq!(events.len(), journal.len());
    let whole = state_hash(journal.into_iter());
    assert_eq!(state_hash(events.iter().copied()), whole);
    let without = events[..events.len() - 1].iter().copied();
    assert_ne!(state_hash(without), whole);
}

#[test]
fn a_journal_that_grows_while_it_is_read_verifies() {
    let (site, vendor) = Site::with_seats(2);
    std::thread::scope(|scope| {
        let (site, vendor) = (&site, &vendor);
        let busy = scope.spawn(move || some_seats(site, vendor, 300));
        let mut rounds = 0;
        while !busy.is_finished() || rounds == 0 {
            let (code, told) = verify(site, &[]);
            assert_eq!(code, 0, "{told}");
            let path = site.path(&format!("round-{rounds}.jsonl"));
            site.ok(&["audit", "export", text(&path)]);
            assert_eq!(verify(site, &[text(&path)]).0, 0);
            rounds += 1;
        }
    });
}
