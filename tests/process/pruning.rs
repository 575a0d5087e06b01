//! A real daemon whose journal was pruned: what is left verifies, what was done to it is found, and every way of reading it
//! says where it begins.

use crate::audit::program_of_the_document;
use crate::past::{self, ANCHOR, Kept};
use seatkeeper_tests::binaries::run;
use seatkeeper_tests::site::copy;
use seatkeeper_tests::wire::Wire;
use seatkeeper_tests::{Application, Site};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Events in the file that goes.
const PRUNED: u64 = 20;

/// A pruned site, a whole export from before that, and an anchor of an event that is gone.
fn pruned() -> (Site, PathBuf, PathBuf) {
    let mut site = Site::new();
    site.configure("retention_days = 36500");
    let Kept { anchor } = past::give(&site);
    let early = site.path("early.anchor");
    fs::write(&early, serde_json::to_string(&anchor).expect("JSON") + "\n").expect("written");
    site.start();
    let whole = export(&site, "whole.jsonl");
    assert_eq!(site.stop(), Some(0));
    site.configure("retention_days = 400");
    site.start();
    past::is_pruned(&site);
    let vendor = site.give_seats(2);
    Application::start(&site, &vendor).end();
    (site, whole, early)
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

fn says_pruned(told: &str) -> bool {
    let begins = format!("events 1 to {PRUNED} were pruned on ");
    told.contains(&begins)
        && told.contains("; an anchor of the site key stands for them")
        && told.contains(&format!("events {} to ", PRUNED + 1))
        && told.contains("the first from that anchor")
}

#[test]
fn i15_a_pruned_journal_verifies_from_its_anchor_and_so_do_its_exports() {
    let (mut site, whole, early) = pruned();
    let (code, told) = verify(&site, &[]);
    assert!(code == 0 && says_pruned(&told), "{told}");
    let (code, told) = verify(&site, &["--anchor", text(&whole)]);
    assert!(code == 0 && told.contains("2 anchors of it hold"), "{told}");
    let (code, told) = verify(&site, &["--from", text(&whole)]);
    assert!(
        code == 0 && told.contains("the first from a signed anchor"),
        "{told}"
    );
    // What lies before the anchor cannot be held against it, and that is no failure and no success.
    for flag in ["--anchor", "--from"] {
        let (code, told) = verify(&site, &[flag, text(&early)]);
        assert!(
            code == 7 && says_pruned(&told) && told.contains("could not be held against it"),
            "{told}"
        );
    }
    let told = site.ok(&["status"]);
    assert!(told.contains(&format!("(1 to {PRUNED} pruned)")), "{told}");
    let told = site.cli(&["audit", "list", "--all"]);
    assert!(
        told.code == 0
            && told
                .err
                .contains(&format!("events 1 to {PRUNED} were pruned")),
        "{told:?}"
    );
    assert!(
        told.out.contains(&format!("events 1 to {PRUNED} pruned")),
        "{told:?}"
    );
    let told = site.cli(&["doctor"]);
    assert!(
        !told.out.contains("audit log") && !told.out.contains("pruned"),
        "{told:?}"
    );

    let file = site.path("pruned.jsonl");
    let told = site.cli(&["audit", "export", text(&file)]);
    let first = format!("events 1 to {PRUNED} were pruned; the first line is the anchor");
    assert!(told.code == 0 && told.err.contains(&first), "{told:?}");
    let lines = fs::read_to_string(&file).expect("text");
    let anchor = fs::read_to_string(site.path("state").join(ANCHOR)).expect("text");
    assert!(lines.starts_with(&anchor), "{lines}");
    let program = site.path("verify.py");
    fs::write(&program, program_of_the_document()).expect("written");
    let python = run(Command::new("python3").arg(&program).arg(&file));
    let (code, told) = verify(&site, &[text(&file)]);
    assert!(code == 0 && says_pruned(&told), "{told}");
    let hash = python.out.trim().rsplit(' ').next().unwrap_or_default();
    assert!(python.code == 0 && told.contains(hash), "{python:?}");
    // The export of before and one that follows it are one, and whole; one that would follow an older one is not made.
    let next = site.path("next.jsonl");
    site.ok(&["audit", "export", text(&next), "--after", text(&whole)]);
    let both = site.path("both.jsonl");
    let joined = [&whole, &next].map(|path| fs::read_to_string(path).expect("text"));
    fs::write(&both, joined.concat()).expect("written");
    let (code, told) = verify(&site, &[text(&both), "--anchor", text(&early)]);
    assert!(code == 0 && told.starts_with("events 1 to "), "{told}");
    let (code, told) = verify(&site, &[text(&both), "--anchor", text(&file)]);
    assert_eq!(code, 0, "{told}");
    let late = site.path("late.jsonl");
    let no = site.cli(&["audit", "export", text(&late), "--after", text(&early)]);
    assert!(
        no.code == 1 && no.err.contains("were pruned since") && !late.exists(),
        "{no:?}"
    );
    // A script replays from event 1, or is refused.
    for args in [&["audit", "script"][..], &["audit", "script", text(&file)]] {
        let no = site.cli(args);
        assert!(no.code == 1 && no.out.is_empty(), "{no:?}");
        assert!(
            no.err
                .contains(&format!("begins with event {}", PRUNED + 1)),
            "{no:?}"
        );
        assert!(no.err.contains("exports that were made before"), "{no:?}");
    }
    assert!(
        site.ok(&["audit", "script", text(&both)])
            .ends_with("state\n")
    );
    assert_eq!(site.stop(), Some(0));
    site.start();
    let (code, told) = verify(&site, &["--anchor", text(&both)]);
    assert!(code == 0 && says_pruned(&told), "{told}");
}

#[test]
fn i15_a_cursor_before_the_first_kept_event_is_told() {
    let (site, _, _) = pruned();
    for path in [
        "/v1/audit?after=0",
        "/v1/audit?after=19&user=user-1@past",
        "/v1/events?after=3",
    ] {
        let no = site.admin("GET", path, None);
        assert_eq!(
            (no.status, no.text("code")),
            (410, "pruned"),
            "{path}: {no:?}"
        );
        assert!(
            no.text("detail").contains("events 1 to 20 were pruned"),
            "{no:?}"
        );
        assert!(no.text("hint").contains("ask without `after`"), "{no:?}");
    }
    let first = |path: &str| {
        let page = site.admin("GET", path, None);
        page.body["items"][0]["n"].as_u64()
    };
    for path in [
        "/v1/audit",
        "/v1/events",
        "/v1/audit?after=20",
        "/v1/events?after=20",
    ] {
        assert_eq!(first(path), Some(PRUNED + 1), "{path}");
    }
    // A reader that comes back after too long is told before its stream begins.
    let mut wire = Wire::connect(&site.socket()).expect("it listens");
    let ask = "GET /v1/events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\nlast-event-id: 7\r\n\r\n";
    wire.send(ask.as_bytes()).expect("sent");
    let no = wire.answer().expect("an answer");
    assert_eq!((no.status, no.text("code")), (410, "pruned"), "{no:?}");
}

/// As soon as a step is seen from outside: mostly before the next one is over.
#[test]
fn i2_a_daemon_that_is_killed_while_it_prunes_starts_and_verifies() {
    let mut site = Site::new();
    past::give(&site);
    let (state, base) = (site.path("state"), site.path("base"));
    copy(&state, &base);
    let steps: [fn(&Path) -> bool; 3] = [
        |state| state.join("journal/anchor.new").exists() || state.join(ANCHOR).exists(),
        |state| state.join(ANCHOR).exists(),
        |state| !state.join("journal/1.redb").exists(),
    ];
    for round in 0..24 {
        copy(&base, &state);
        site.start();
        let seen = steps[round % steps.len()];
        assert!((0..10_000_000).any(|_| seen(&state)), "{}", site.log());
        site.kill();
        site.start();
        past::is_pruned(&site);
        let (code, told) = verify(&site, &[]);
        assert!(code == 0 && says_pruned(&told), "{round}: {told}");
        let told = site.cli(&["doctor"]).out;
        assert!(!told.contains("audit log"), "{round}: {told}");
        site.kill();
    }
}

/// What somebody does to a pruned state directory, who has a later anchor too.
type Deed = fn(&Path, &Path);

#[test]
fn i15_what_is_taken_out_of_a_pruned_journal_is_found() {
    let (mut site, _, _) = pruned();
    let later = site.path("later.anchor");
    let now: Value = site.admin("GET", "/v1/audit/anchor", None).body;
    fs::write(&later, now.to_string()).expect("written");
    assert_eq!(site.stop(), Some(0));
    let (state, base) = (site.path("state"), site.path("base"));
    copy(&state, &base);
    let deeds: [(Deed, &str, &str); 4] = [
        (
            |state, _| fs::remove_file(state.join(ANCHOR)).expect("removed"),
            "events 1 to 20 are missing",
            "journal/anchor is missing: nothing shows that events 1 to 20",
        ),
        (
            |state, _| fs::remove_file(state.join("journal/21.redb")).expect("removed"),
            "are missing",
            "21.redb: events 21 to",
        ),
        (
            |state, later| {
                fs::copy(later, state.join(ANCHOR)).expect("copied");
            },
            "no event says that they were pruned",
            "",
        ),
        (
            |state, later| {
                fs::remove_file(state.join("journal/21.redb")).expect("removed");
                fs::copy(later, state.join(ANCHOR)).expect("copied");
            },
            "no event says that they were pruned",
            "",
        ),
    ];
    for (deed, verified, told) in deeds {
        copy(&base, &state);
        deed(&state, &later);
        site.start();
        let (code, said) = verify(&site, &[]);
        assert!(code == 1 && said.contains(verified), "{verified}: {said}");
        let doctor = || site.cli(&["doctor"]).out;
        assert!(
            (0..2_000).any(|_| doctor().contains(told)),
            "{told}: {}",
            doctor()
        );
        site.kill();
    }
    copy(&base, &state);
    site.start();
    let (code, told) = verify(&site, &[]);
    assert!(code == 0 && says_pruned(&told), "{told}");
}

#[test]
fn i15_a_tampered_export_of_a_pruned_journal_is_found() {
    let (site, whole, _) = pruned();
    let file = export(&site, "pruned.jsonl");
    let read = |path: &Path| -> Vec<String> {
        let text = fs::read_to_string(path).expect("text");
        text.lines().map(str::to_owned).collect()
    };
    let good = read(&file);
    let last = good.len() - 1;
    let found = |lines: &[String], says: &str| {
        let path = site.path("bad.jsonl");
        fs::write(&path, lines.join("\n") + "\n").expect("written");
        let (code, told) = verify(&site, &[text(&path)]);
        assert!(code == 1 && told.contains(says), "{says}: {told}");
    };
    let mut edited = good.clone();
    edited[3] = edited[3].replacen("\"v\":2", "\"v\":3", 1);
    found(&edited, "event 24 does not follow from event 23");
    let mut without = good.clone();
    without.remove(1);
    found(&without, "event 21 is missing");
    let mut swapped = good.clone();
    swapped.swap(4, 5);
    found(&swapped, "event 24 is missing");
    found(&good[..last - 1], "does not end with an anchor");
    found(&good[1..], "events 1 to 20 are missing");
    let mut later = good.clone();
    later[0] = read(&whole).pop().expect("an anchor");
    found(&later, "stands after event");
}
