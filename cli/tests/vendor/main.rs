//! The vendor's side from outside: keys, issuer, license, inspection, and what OpenSSL says about it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod desk;

use desk::{Desk, claims, err, key, site};
use seatkeeper::token::claims::{Counting, InstalledRef, Issuer, Model, Term};
use seatkeeper::token::keys::{PublicKey, SigningKey};
use seatkeeper::token::{chain, file, issuer};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const EXAMPLE: &str = include_str!("../../examples/license.toml");

#[test]
fn l9_l13_from_keygen_to_a_license_that_openssl_verifies() {
    let desk = Desk::new();
    let license = desk.issue(1, EXAMPLE).unwrap();
    assert_eq!(license.site_key, site().public());
    let text = desk.good("inspect 1.lic --root root.pub.pem --split out");
    assert!(text.contains("everything holds"), "{text}");
    assert!(text.contains("Harbor Engineering (4711)"), "{text}");
    let version = Command::new("openssl").arg("version").output();
    if !version.is_ok_and(|output| output.status.success()) {
        println!("not run: openssl is not installed");
        return;
    }
    let verify = || {
        let words =
            "pkeyutl -verify -pubin -inkey out/key.pem -rawin -in out/signed -sigfile out/sig";
        let mut command = Command::new("openssl");
        command
            .args(words.split(' '))
            .current_dir(desk.folder.path());
        command.output().unwrap()
    };
    assert!(verify().status.success(), "{}", err(&verify()));
    desk.write("out/signed", &(desk.read("out/signed") + "A"));
    assert!(!verify().status.success());
    for line in [
        "pkey -in issuing.pem -noout",
        "pkey -pubin -in issuing.pub.pem -noout",
    ] {
        let mut command = Command::new("openssl");
        let output = command
            .args(line.split(' '))
            .current_dir(desk.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {}", err(&output));
    }
}

#[test]
fn s23_a_key_is_private_and_never_overwritten() {
    let desk = Desk::empty();
    let out = desk.command("keygen root a").output().unwrap();
    let before = desk.read("a.pem");
    let mode = fs::metadata(desk.path("a.pem"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let secret: Vec<_> = before
        .lines()
        .filter(|line| !line.starts_with(['#', '-']))
        .collect();
    assert!(
        secret
            .iter()
            .all(|line| !String::from_utf8_lossy(&out.stdout).contains(line))
    );
    assert!(
        desk.bad("keygen root a", 1)
            .contains("nothing is overwritten")
    );
    desk.write("b.pub.pem", "");
    desk.bad("keygen root b", 1);
    assert_eq!(
        (desk.read("a.pem"), desk.path("b.pem").exists()),
        (before, false)
    );
    assert!(desk.bad("inspect a.pem", 2).contains("secret key"));
}

#[test]
fn u4_what_could_not_be_written_is_in_nobody_s_way() {
    let desk = Desk::empty();
    let full = desk.command("keygen root k");
    let mut on_a_full_disk = Command::new("sh");
    on_a_full_disk
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""])
        .arg(full.get_program())
        .args(full.get_args())
        .current_dir(desk.folder.path())
        .env_remove("SEATKEEPER_PASSPHRASE");
    let output = on_a_full_disk.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(!desk.path("k.pem").exists() && !desk.path("k.pub.pem").exists());
    desk.good("keygen root k");
}

#[test]
fn s23_a_passphrase_comes_from_a_file_or_the_environment() {
    let desk = Desk::empty();
    desk.write("pass", "correct horse\n");
    desk.write("wrong", "no\n");
    desk.good("keygen root root --passphrase-file pass");
    assert!(SigningKey::is_encrypted(&desk.read("root.pem")));
    let line = "keygen issuing issuing";
    let output = desk
        .command(line)
        .env("SEATKEEPER_PASSPHRASE", "battery")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(SigningKey::is_encrypted(&desk.read("issuing.pem")));
    assert!(SigningKey::from_pem(&desk.read("issuing.pem"), Some(b"battery")).is_ok());
    let line = "issuer --root-key root.pem --issuing-key issuing.pub.pem --vendor acme --product p --until 2099-01-01 --passphrase-file";
    assert!(
        desk.bad(&format!("{line} wrong"), 1)
            .contains("does not open")
    );
    desk.good(&format!("{line} pass"));
}

#[test]
fn l9_the_example_takes_the_defaults_of_the_design() {
    let license = Desk::new().issue(1, EXAMPLE).unwrap().license;
    let f = &license.features[0];
    assert_eq!(
        (f.ttl_s, f.grace_s, f.save_s, f.cool_down_s),
        (900, 0, 300, 600)
    );
    assert_eq!((f.linger_s, f.overdraft, f.named_min_s), (0, 0, 0));
    assert_eq!((f.model, f.counting), (Model::Floating, Counting::Process));
    assert_eq!((f.share_max.number(), &f.borrow), (None, &None));
    assert_eq!((license.serial, license.term), (1, Term::Dated));
    assert_eq!(EXAMPLE.lines().count(), 10);
}

#[test]
fn r17_a_renewal_has_the_next_serial_and_never_an_older_one() {
    let desk = Desk::new();
    assert_eq!(desk.issue(1, EXAMPLE).unwrap().license.serial, 1);
    assert_eq!(desk.issue(2, EXAMPLE).unwrap().license.serial, 2);
    let same = desk
        .issue(3, &format!("serial = 2\n{EXAMPLE}"))
        .unwrap_err();
    assert!(same.contains("the next one is 3 (rule 17)"), "{same}");
    assert_eq!(
        desk.issue(3, &format!("serial = 7\n{EXAMPLE}"))
            .unwrap()
            .license
            .serial,
        7
    );
    assert_eq!(desk.read("issued.jsonl").lines().count(), 3);
    let mut installed = claims(&site(), 4);
    installed.installed = vec![InstalledRef {
        vendor: "acme".into(),
        license: "L-1001".into(),
        serial: 20,
    }];
    desk.request("4.req", &installed, &site());
    desk.write("4.toml", EXAMPLE);
    let line =
        "-o json issue 4.req 4.toml --key issuing.pem --issuer acme.issuer --ledger other.jsonl";
    let issued: Value = serde_json::from_str(&desk.good(line)).unwrap();
    assert_eq!(issued["license"]["serial"], 21);
}

#[test]
fn l9_a_request_is_taken_once() {
    let desk = Desk::new();
    desk.issue(1, EXAMPLE).unwrap();
    let line = "issue 1.req 1.toml --key issuing.pem --issuer acme.issuer --out again.lic";
    let refusal = desk.bad(line, 5);
    assert!(refusal.contains("answered on"), "{refusal}");
    assert!(refusal.contains("1.lic"), "{refusal}");
    assert!(!desk.path("again.lic").exists());
}

#[test]
fn l9_a_license_moves_to_another_site_only_when_told() {
    let desk = Desk::new();
    desk.issue(1, EXAMPLE).unwrap();
    desk.request("2.req", &claims(&key(8), 2), &key(8));
    let line = "issue 2.req 1.toml --key issuing.pem --issuer acme.issuer --out 2.lic";
    assert!(desk.bad(line, 5).contains("--new-site"));
    desk.good(&format!("{line} --new-site"));
}

#[test]
fn u4_a_license_that_cannot_be_written_is_not_entered() {
    let desk = Desk::new();
    desk.request("1.req", &claims(&site(), 1), &site());
    desk.write("1.toml", EXAMPLE);
    desk.write("1.lic", "mine");
    let line = "issue 1.req 1.toml --key issuing.pem --issuer acme.issuer --out";
    desk.bad(&format!("{line} 1.lic"), 1);
    assert_eq!(
        (desk.read("issued.jsonl"), desk.read("1.lic")),
        (String::new(), "mine".into())
    );
    desk.good(&format!("{line} 2.lic"));
    desk.write("issued.jsonl", &(desk.read("issued.jsonl") + "{\"at\":1"));
    desk.request("2.req", &claims(&site(), 2), &site());
    let refusal = desk.bad(
        "issue 2.req 1.toml --key issuing.pem --issuer acme.issuer",
        1,
    );
    assert!(refusal.contains("line 2 of the ledger"), "{refusal}");
}

#[test]
fn u4_a_bad_description_is_told_with_its_line() {
    let desk = Desk::new();
    let with = |line: &str| format!("{EXAMPLE}{line}\n");
    for (toml, line, words) in [
        (with("seatz = 3"), 11, "unknown field `seatz`"),
        (
            with("model = \"named\"\ncounting = \"process\""),
            12,
            "rule 7",
        ),
        (with("model = \"named\"\nshare_max = 2"), 12, "rule 7"),
        (with("ttl_s = 90000"), 11, "86400"),
        (with("ttl_s = 60\nsave_s = 61"), 12, "save_s is 61"),
        (
            with("borrow = { max_days = 31 }"),
            11,
            "borrow.max_days is 31",
        ),
        (with("version = \"2026.x\""), 11, "numbers joined by dots"),
        (with("counting = \"cpu\""), 11, "unknown variant"),
        (
            EXAMPLE.replace("seats = 3", "seats = 0"),
            8,
            "a number from 1, or \"unlimited\"",
        ),
        (
            EXAMPLE.replace("seats = 3", "seats = \"many\""),
            8,
            "a number from 1, or \"unlimited\"",
        ),
        (EXAMPLE.replace("2027-12-31", "2027-02-30"), 4, ""),
        (
            EXAMPLE.replace("2027-12-31", "\"soon\""),
            4,
            "write it as 2027-12-31",
        ),
        (
            EXAMPLE.replace("2027-12-31", "2020-12-31"),
            4,
            "ended already",
        ),
        (
            EXAMPLE.replace("acme-cad", "acme-cam"),
            2,
            "does not cover the product",
        ),
        (
            EXAMPLE.replace("\"4711\"", "\"4712\""),
            3,
            "the request is of account",
        ),
        (EXAMPLE.replace("until = 2027-12-31", ""), 1, "until when?"),
        (format!("term = \"perpetual\"\n{EXAMPLE}"), 5, "no last day"),
    ] {
        let refusal = desk.issue(1, &toml).unwrap_err();
        assert!(
            refusal.contains(&format!("1.toml, line {line}: ")),
            "{toml}\n{refusal}"
        );
        assert!(refusal.contains(words), "{toml}\n{refusal}");
    }
    assert!(!desk.read("issued.jsonl").contains('{'));
    desk.issue(1, EXAMPLE).unwrap();
}

#[test]
fn l9_words_for_everything_else_a_license_can_say() {
    let toml = EXAMPLE.replace(
        "until = 2027-12-31",
        "term = \"perpetual\"\nreplaces = \"L-0\"\nfrom = \"2026-01-01\"",
    ) + "counting = \"user\"\nborrow = {}\ngrace_s = 60\n\n[[features]]\nname = \"viewer\"\nseats = \"unlimited\"\nmodel = \"named\"\n[info]\nsupport = \"help@acme.example\"\n";
    let license = Desk::new().issue(1, &toml).unwrap().license;
    assert_eq!(
        (license.term, license.exp, license.nbf),
        (Term::Perpetual, None, 1_767_225_600)
    );
    assert_eq!(license.replaces.as_deref(), Some("L-0"));
    let borrow = license.features[0].borrow.clone().unwrap();
    assert_eq!(
        (borrow.max_days, borrow.max_share_percent, borrow.write_offs),
        (30, 20, 0)
    );
    assert_eq!(
        (
            license.features[1].counting,
            license.features[1].seats.number()
        ),
        (Counting::User, None)
    );
    assert_eq!(license.info["support"], "help@acme.example");
}

#[test]
fn l9_the_full_example_names_every_term_with_its_default() {
    let desk = Desk::new();
    let full = desk
        .issue(1, include_str!("../../examples/every-term.toml"))
        .unwrap()
        .license;
    let mut short = desk.issue(2, EXAMPLE).unwrap().license.features.remove(0);
    let every = serde_json::to_value(&full.features[0]).unwrap();
    short.version = full.features[0].version.clone();
    short.borrow = full.features[0].borrow.clone();
    assert_eq!(every, serde_json::to_value(short).unwrap());
    let text = include_str!("../../examples/every-term.toml");
    for term in every.as_object().unwrap().keys() {
        assert!(
            text.contains(&format!("\n{term} = ")) || term == "borrow",
            "{term}"
        );
    }
}

#[test]
fn s3_a_request_under_a_weak_key_is_refused() {
    let desk = Desk::new();
    let mut weak = claims(&site(), 1);
    weak.cnf.jwk.x = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into();
    let token = site().sign_token(
        "seatkeeper-request+jwt",
        &serde_json::to_vec(&weak).unwrap(),
    );
    desk.write("weak.req", &token);
    desk.write("1.toml", EXAMPLE);
    let line = "issue weak.req 1.toml --key issuing.pem --issuer acme.issuer";
    assert!(desk.bad(line, 5).contains("weak key"));
    assert!(desk.bad("inspect weak.req", 5).contains("not good"));
}

#[test]
fn s4_only_the_key_above_signs_a_token() {
    let desk = Desk::new();
    let license = desk.issue(1, EXAMPLE).unwrap();
    let forged = seatkeeper::token::license::sign(&license.license, &site()).unwrap();
    desk.write(
        "forged.lic",
        &format!("{}\n\n{forged}\n", license.issuer_token),
    );
    let text = desk.good("inspect forged.lic");
    assert!(!text.contains("ok     signature of the license"), "{text}");
    let other = desk.good("keygen root other");
    assert!(other.contains("NOT encrypted"));
    desk.bad("inspect 1.lic --root other.pub.pem", 5);
    let line =
        "issue 1.req 1.toml --key root.pem --issuer acme.issuer --ledger new.jsonl --out r.lic";
    assert!(desk.bad(line, 1).contains("the root key signs no licenses"));
}

#[test]
fn s8_an_altered_license_is_shown_and_called_wrong() {
    let desk = Desk::new();
    desk.issue(1, EXAMPLE).unwrap();
    let text = desk.read("1.lic");
    let dot = text.rfind('.').unwrap();
    let other = if text.as_bytes()[dot + 5] == b'A' {
        "B"
    } else {
        "A"
    };
    desk.write(
        "bad.lic",
        &format!("{}{other}{}", &text[..dot + 5], &text[dot + 6..]),
    );
    let output = desk
        .command("-o json inspect bad.lic --root root.pub.pem")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["good"], false);
    let wrong = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["found"] == "wrong");
    assert_eq!(wrong.count(), 2, "{report:#}");
    assert!(desk.bad("inspect root.pub.pem", 1).contains("no token"));
}

#[test]
fn u4_what_a_root_withdrew_stays_withdrawn() {
    let desk = Desk::new();
    desk.good("keygen issuing second");
    let leaked = PublicKey::from_pem(&desk.read("issuing.pub.pem"))
        .unwrap()
        .thumbprint();
    let base = "issuer --root-key root.pem --issuing-key second.pub.pem --until 2099-12-31";
    desk.good(&format!(
        "{base} --after acme.issuer --revoke {leaked} --min-serial 5 --out 2.issuer"
    ));
    let text = desk.good(&format!("{base} --after 2.issuer --out 3.issuer"));
    assert!(
        text.contains("below serial 5 are withdrawn") && text.contains(&leaked),
        "{text}"
    );
    assert!(
        desk.bad(
            &format!("{base} --after 2.issuer --min-serial 4 --out 4.issuer"),
            2
        )
        .contains("lower than 5")
    );
    let own = base.replace("second", "issuing");
    assert!(
        desk.bad(&format!("{own} --after 2.issuer --out 4.issuer"), 2)
            .contains("itself withdrawn")
    );
    let same = base.replace("second", "root");
    assert!(
        desk.bad(&format!("{same} --after 2.issuer --out 4.issuer"), 2)
            .contains("same key")
    );
    desk.request("1.req", &claims(&site(), 1), &site());
    desk.write("1.toml", EXAMPLE);
    let line = "-o json issue 1.req 1.toml --key second.pem --issuer 3.issuer";
    let issued: Value = serde_json::from_str(&desk.good(line)).unwrap();
    assert_eq!(issued["license"]["serial"], 5);
}

#[test]
fn r17_an_issuer_token_is_newer_than_the_one_before() {
    let desk = Desk::new();
    desk.good("keygen issuing second");
    let root = SigningKey::from_pem(&desk.read("root.pem"), None).unwrap();
    let text = desk.read("acme.issuer");
    let read = file::parse(text.as_bytes()).unwrap();
    let (_, before) = chain::verify_issuer(&[root.public()], &read.issuers[0]).unwrap();
    // One of the same second, and one from a machine whose clock was ahead.
    let ahead = Issuer {
        iat: before.iat + 30 * 86_400,
        ..before.clone()
    };
    let signed = issuer::sign(&ahead, &root).unwrap() + "\n";
    desk.write("ahead.issuer", &signed);
    let line = "-o json issuer --root-key root.pem --issuing-key second.pub.pem --until 2099-12-31 --after";
    for (after, iat) in [("acme", before.iat), ("ahead", ahead.iat)] {
        let line = format!("{line} {after}.issuer --out {after}-2.issuer");
        let output = desk.command(&line).output().unwrap();
        let made: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(made["issuer"]["iat"].as_u64() > Some(iat), "{made:#}");
        let told = err(&output).contains("this machine's clock has not reached");
        assert_eq!(told, after == "ahead", "{}", err(&output));
    }
}
