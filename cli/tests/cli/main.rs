//! The binary from outside: what it prints where, and how it exits.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod child;
mod clock;
mod fake;
mod seated;
mod told;

use fake::{Fake, page, problem, seatkeeper};
use serde_json::{Value, json};
use std::process::{Output, Stdio};

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn seat(user: &str) -> Value {
    json!({ "id": "1.1.1", "pool": "acme/L-1/modeler", "product": "cad", "feature": "modeler", "slots": [0],
        "user": user, "machine": "ws1", "uid": 1000, "pid": 4711, "state": "live", "watched": true,
        "held_s": 720, "hold_s": 900 })
}

fn license() -> Value {
    json!({ "vendor": "acme", "id": "L-1", "serial": 2, "product": "cad", "status": "in_force",
        "customer": "Harbor (4711)", "nbf": 1_767_225_600, "exp": 1_798_761_600, "hash": "h", "revision": 7,
        "notes": ["overdraft of modeler gives nothing yet"],
        "features": [{ "name": "modeler", "seats": 3, "in_use": 1, "model": "floating", "counting": "process",
            "served": true, "ttl_s": 900, "grace_s": 0, "save_s": 300, "cool_down_s": 600, "overdraft": 2,
            "linger_s": 0, "share_max": 1, "policies": ["export"], "optional": [] }] })
}

fn installed(new: bool) -> Value {
    json!({ "licenses": [{ "vendor": "acme", "id": "L-1", "serial": 2, "new": new, "assigned_to_everyone": false,
        "ending": [] }], "warnings": [] })
}

fn assignment(user: Option<&str>) -> Value {
    json!({ "id": "0a", "vendor": "acme", "license": "L-1", "user": user, "everyone": user.is_none(), "revision": 5 })
}

#[test]
fn u4_data_is_on_stdout_in_the_form_asked_for() {
    let fake = Fake::new(vec![(
        "GET /v1/seats",
        200,
        page(json!([seat("ana"), seat("bob")])),
    )]);
    let table = fake.run("seat list");
    assert_eq!((code(&table), err(&table)), (0, String::new()));
    assert!(
        out(&table).starts_with("FEATURE      SLOTS  USER  MACHINE"),
        "{}",
        out(&table)
    );
    let all: Value = serde_json::from_str(&out(&fake.run("-o json seat list --user bob"))).unwrap();
    assert_eq!(
        (all.as_array().unwrap().len(), &all[0]["user"]),
        (1, &json!("bob"))
    );
    assert_eq!(out(&fake.run("seat list -o jsonl")).lines().count(), 2);
    assert!(
        out(&fake.run("seat list -o csv"))
            .starts_with("feature,slots,user,machine,pid,held,id,state\r\n")
    );
}

#[test]
fn u4_an_empty_list_is_a_valid_document() {
    let fake = Fake::new(vec![("GET /v1/seats", 200, page(json!([])))]);
    assert_eq!(out(&fake.run("seat list -o json")), "[]\n");
    let table = fake.run("seat list");
    assert_eq!(out(&table), "");
    assert!(err(&table).contains("no seat is in use"));
}

#[test]
fn u4_exit_codes_tell_apart() {
    for (name, status, exit) in [
        ("not_found", 404, 3),
        ("forbidden", 403, 4),
        ("no_seat_free", 409, 5),
        ("request_timeout", 408, 8),
        ("internal", 500, 1),
    ] {
        let fake = Fake::new(vec![(
            "POST /v1/seats/1.4/reclaim",
            status,
            problem(name, status),
        )]);
        assert_eq!(code(&fake.run("seat reclaim 1.4.1")), exit, "{name}");
    }
    assert_eq!(code(&seatkeeper("seat reclaim").output().unwrap()), 2);
    assert_eq!(
        code(
            &seatkeeper("seat list --socket /nonexistent/s")
                .output()
                .unwrap()
        ),
        6
    );
}

#[test]
fn r22_a_refusal_says_what_why_what_next_and_the_trace() {
    let fake = Fake::new(vec![(
        "POST /v1/seats/1.4/reclaim",
        409,
        problem("no_seat_free", 409),
    )]);
    let output = fake.run("seat reclaim 1.4");
    assert_eq!(out(&output), "");
    for part in [
        "refused: what happened",
        "no_seat_free, rule 9, 3 of 3 seats",
        "next: what to do",
        "trace: 7f3a",
    ] {
        assert!(
            err(&output).contains(part),
            "{part} is not in\n{}",
            err(&output)
        );
    }
}

#[test]
fn l5_an_install_that_is_assigned_to_nobody_says_the_command() {
    let command = "`seatkeeper license assign acme/L-1 --everyone`";
    // Of a new license the daemon says it; of one that was in force already the CLI looks it up.
    let mut new = installed(true);
    new["warnings"] = json!([format!("license acme/L-1 is assigned to nobody: {command}")]);
    for (answer, said) in [
        (new, "acme/L-1 serial 2 is in force\n"),
        (installed(false), "acme/L-1"),
    ] {
        let fake = Fake::new(vec![
            ("POST /v1/licenses", 200, answer),
            ("GET /v1/assignments", 200, page(json!([]))),
        ]);
        let file = fake.file("a.lic", "text");
        let output = fake.run(&format!("license install {}", file.display()));
        assert_eq!(code(&output), 0);
        assert!(out(&output).starts_with(said), "{}", out(&output));
        assert_eq!(err(&output).matches(command).count(), 1, "{}", err(&output));
        let both = fake.run_on_one_screen(&format!("license install {}", file.display()));
        assert!(both.starts_with(said), "what was done stands first: {both}");
    }
}

#[test]
fn a_vendor_that_is_refused_is_not_said_to_be_compared() {
    let answer = |status, body| Fake::new(vec![("POST /v1/vendors", status, body)]);
    let trusted = json!({ "name": "acme", "roots": [], "revision": 1 });
    for (fake, exit, says) in [
        (answer(200, trusted), 0, true),
        (answer(403, problem("forbidden", 403)), 4, false),
    ] {
        let file = fake.file("acme.pem", seatkeeper::testing::DEV_ROOT);
        let output = fake.run(&format!("vendor trust {}", file.display()));
        assert_eq!(code(&output), exit, "{}", err(&output));
        assert_eq!(
            err(&output).contains("compare it"),
            says,
            "{}",
            err(&output)
        );
    }
}

#[test]
fn l16_a_renewal_of_an_assigned_license_asks_for_nothing() {
    let fake = Fake::new(vec![
        ("POST /v1/licenses", 200, installed(true)),
        (
            "GET /v1/assignments",
            200,
            page(json!([assignment(Some("ana"))])),
        ),
    ]);
    let file = fake.file("a.lic", "text");
    assert_eq!(
        err(&fake.run(&format!("license install {}", file.display()))),
        ""
    );
}

#[test]
fn u6_l15_where_some_files_are_refused_the_rest_is_done_and_said() {
    let fake = Fake::new(vec![
        ("POST /v1/licenses", 200, installed(true)),
        ("GET /v1/assignments", 200, page(json!([assignment(None)]))),
    ]);
    let file = fake.file("a.lic", "text");
    let output = fake.run(&format!(
        "license install {} /nonexistent/b.lic",
        file.display()
    ));
    assert_eq!(code(&output), 7);
    assert!(out(&output).contains("is in force") && err(&output).contains("/nonexistent/b.lic"));
    let which = format!("installed {}; not: /nonexistent/b.lic", file.display());
    assert!(err(&output).contains(&which), "{}", err(&output));
    assert_eq!(code(&fake.run("license install /nonexistent/b.lic")), 3);
}

#[test]
fn u6_a_file_without_a_license_says_what_it_holds_and_is_no_success() {
    for (changed, verb, exit) in [
        (false, "install", 1),
        (true, "install", 0),
        (false, "verify", 1),
    ] {
        let holds = "holds no license, only the issuer token of acme";
        let answer = json!({ "licenses": [], "warnings": [holds], "changed": changed });
        let fake = Fake::new(vec![("POST /v1/licenses", 200, answer)]);
        let file = fake.file("acme.issuer", "text");
        let output = fake.run(&format!("license {verb} {}", file.display()));
        assert_eq!(code(&output), exit, "{}", err(&output));
        let said = format!("{} {holds}", file.display());
        assert!(err(&output).contains(&said), "{}", err(&output));
    }
}

#[test]
fn l17_show_tells_the_terms_and_what_is_not_served_yet() {
    let fake = Fake::new(vec![
        ("GET /v1/licenses", 200, page(json!([license()]))),
        ("GET /v1/assignments", 200, page(json!([]))),
    ]);
    let text = out(&fake.run("license show L-1"));
    for part in [
        "1 of 3 seats in use",
        "through 2026-12-31",
        "to nobody yet",
        "Not served by this version yet",
        "overdraft",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert_eq!(code(&fake.run("license show other/L-1")), 3);
}

#[test]
fn c13_unassign_names_the_revision_that_it_saw() {
    let fake = Fake::new(vec![
        ("GET /v1/licenses", 200, page(json!([license()]))),
        (
            "GET /v1/assignments",
            200,
            page(json!([assignment(Some("ana")), assignment(None)])),
        ),
        (
            "DELETE /v1/assignments/0a?hard=true",
            200,
            json!({ "ending": [{ "id": "1.1.1", "within_s": 303 }] }),
        ),
    ]);
    let output = fake.run("license unassign L-1 --user ana --hard");
    assert_eq!(
        out(&output),
        "seat 1.1.1 is ending; its slots are free within 5 min\n",
        "{}",
        err(&output)
    );
    assert_eq!(fake.asked().last().unwrap().1.as_deref(), Some("\"5\""));
    assert_eq!(code(&fake.run("license unassign L-1 --user bob")), 3);
}

#[test]
fn r17_a_license_that_waits_is_listed_with_its_day() {
    let later = json!({ "serial": 3, "product": "cad", "status": "waiting", "nbf": 1_798_761_600, "exp": null,
        "features": [], "hash": "h", "revision": 9 });
    let mut known = license();
    known["waiting"] = json!([later]);
    let mut new = license();
    (new["id"], new["status"], new["nbf"]) = ("L-2".into(), "waiting".into(), 1_798_761_600.into());
    let fake = Fake::new(vec![
        ("GET /v1/licenses", 200, page(json!([known, new]))),
        ("GET /v1/assignments", 200, page(json!([]))),
    ]);
    let listed = out(&fake.run("license list"));
    assert!(
        listed.contains("in force; serial 3 waits until 2027-01-01"),
        "{listed}"
    );
    assert!(listed.contains("  waits until 2027-01-01"), "{listed}");
    let shown = out(&fake.run("license show L-1"));
    assert!(
        shown.contains("waits     serial 3 of cad: valid from 2027-01-01"),
        "{shown}"
    );
}

#[test]
fn r17_remove_names_the_revision_that_it_saw_and_keeps_what_went() {
    let gone = |changed: bool| {
        json!({ "changed": changed, "licenses": [{ "vendor": "acme", "id": "L-1", "serial": 2, "waiting": false }],
            "ending": [{ "id": "1.1.1", "within_s": 303 }], "assignments": [assignment(Some("ana"))], "file": "tokens\n" })
    };
    let fake = Fake::new(vec![
        ("GET /v1/licenses", 200, page(json!([license()]))),
        ("DELETE /v1/licenses/acme/L-1?", 200, gone(true)),
        (
            "DELETE /v1/licenses/acme/L-1?hard=true&dry_run=true",
            200,
            gone(false),
        ),
        (
            "DELETE /v1/licenses/acme/L-1?dry_run=true",
            200,
            gone(false),
        ),
    ]);
    let output = fake.run("license remove L-1 --hard --dry-run");
    assert_eq!(
        out(&output),
        "acme/L-1 serial 2 would be removed\n  its assignments to ana would go with it\n  seat 1.1.1 would be ending; its slots are free within 5 min\n",
        "{}",
        err(&output)
    );
    let kept = fake.file("unused", "").with_file_name("gone.lic");
    let output = fake.run(&format!("license remove L-1 --backup {}", kept.display()));
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(out(&output).starts_with("acme/L-1 serial 2 is removed\n"));
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "tokens\n");
    assert!(err(&output).contains("seatkeeper license install"));
    assert_eq!(fake.asked().last().unwrap().1.as_deref(), Some("\"7\""));
    assert_eq!(
        code(&fake.run("license remove L-1 --waiting 9")),
        3,
        "no such serial waits"
    );
}

#[test]
fn u4_run_is_125_where_there_is_no_daemon_or_seat() {
    let output = seatkeeper("run cad/modeler --socket /nonexistent/s -- true")
        .output()
        .unwrap();
    assert_eq!(code(&output), 125, "{}", err(&output));
    let fake = Fake::new(vec![("GET /v1/vendors", 200, page(json!([])))]);
    let output = seatkeeper("run cad/modeler --socket")
        .arg(fake.socket())
        .args(["--", "true"])
        .output()
        .unwrap();
    assert_eq!(code(&output), 125);
    assert!(
        err(&output).contains("trusts no vendor"),
        "{}",
        err(&output)
    );
}

#[test]
fn u4_a_reader_who_goes_away_is_no_failure() {
    let many: Vec<_> = (0..10_000).map(|_| seat("ana")).collect();
    let fake = Fake::new(vec![("GET /v1/seats", 200, page(json!(many)))]);
    let mut command = seatkeeper("seat list --socket");
    command
        .arg(fake.socket())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), err(&output)), (0, String::new()));
}

#[test]
fn u4_doctor_says_what_to_start_where_nobody_listens() {
    let output = seatkeeper("doctor --socket /nonexistent/s")
        .output()
        .unwrap();
    assert_eq!(code(&output), 6);
    assert!(
        out(&output).contains("systemctl start seatkeeperd"),
        "{}",
        out(&output)
    );
}

#[test]
fn u4_where_nobody_listens_every_way_to_start_is_named() {
    let output = seatkeeper("seat list --socket /nonexistent/s")
        .output()
        .unwrap();
    for way in [
        "systemctl start seatkeeperd",
        "seatkeeperd run --config",
        "seatkeeperd dev",
    ] {
        assert!(err(&output).contains(way), "{}", err(&output));
    }
}

#[test]
fn u4_a_file_that_cannot_be_read_comes_with_a_next_step() {
    let fake = Fake::new(vec![]);
    for (path, next) in [("/nonexistent/a.lic", "`ls`"), ("/", "not a folder")] {
        let output = fake.run(&format!("license install {path}"));
        let text = err(&output);
        assert!(
            text.contains("cannot read /") && text.contains(next),
            "{text}"
        );
    }
}

#[test]
fn u4_doctor_tells_others_whom_to_ask() {
    let status = json!({ "version": "0", "site": "s", "site_key": "k", "epoch": 1, "run_id": "r", "j": 1, "licenses": 0,
        "holders": 0, "users": 0, "events": 1, "disk_free": 1, "disk_reserve": 0, "storage_low": false,
        "administrators": "root", "findings": [{ "level": "warning", "about": "registration",
            "text": "1 user asked to come in", "remedy": "`seatkeeper registration list`" }] });
    let fake = Fake::new(vec![
        ("GET /v1/status", 200, status),
        ("GET /v1/config", 403, problem("forbidden", 403)),
    ]);
    let text = out(&fake.run("doctor"));
    assert!(text.contains("no license is in force"), "{text}");
    assert!(
        text.contains("ask an administrator of this daemon: root"),
        "{text}"
    );
    assert!(!text.contains("license request"), "{text}");
    // Who waits is told to whoever may answer, whatever else they may not.
    assert!(
        text.contains("do: `seatkeeper registration list`"),
        "{text}"
    );
}

#[test]
fn u4_help_knows_codes_and_commands() {
    let text = out(&seatkeeper("help no_seat_free").output().unwrap());
    assert!(
        text.contains("What to do:") && text.contains("rule 9"),
        "{text}"
    );
    assert!(out(&seatkeeper("help license install").output().unwrap()).contains("--accept-date"));
    assert!(out(&seatkeeper("help").output().unwrap()).contains("Exit codes:"));
    assert_eq!(code(&seatkeeper("help moon").output().unwrap()), 3);
}
