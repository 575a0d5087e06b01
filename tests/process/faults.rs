//! Bad input and faults: each ends in a clear no with its code and what to do, and nothing acknowledged is lost.

use seatkeeper::token::claims::Term;
use seatkeeper::token::keys::SigningKey;
use seatkeeper_tests::vendor::now;
use seatkeeper_tests::wire::{Answer, Ask, Wire};
use seatkeeper_tests::{Site, Vendor};
use serde_json::json;

fn install(site: &Site, text: &str) -> Answer {
    site.admin(
        "POST",
        "/v1/licenses",
        Some(&json!({"text": text, "assign_everyone": true})),
    )
}

/// Every refusal says what, why and what to do next.
fn refused(answer: &Answer, code: &str) {
    assert_eq!(answer.text("code"), code, "{answer:?}");
    assert!(answer.status >= 400, "{answer:?}");
    for member in ["title", "detail", "hint", "trace_id"] {
        assert!(!answer.text(member).is_empty(), "{member} of {answer:?}");
    }
    assert_eq!(answer.text("type"), format!("/problems/{code}"));
}

#[test]
fn u1_licenses_that_must_not_count_are_refused_each_with_its_reason() {
    let (site, vendor) = Site::with_seats(2);
    let key = site.site_key();
    let good = vendor.license("L-2", 1, 5, &key);
    let other = Vendor::new("other", 9);
    let elsewhere = SigningKey::generate(&zeroize::Zeroizing::new([77; 32])).public();

    refused(
        &install(&site, &other.file(&other.license("X-1", 1, 5, &key))),
        "wrong_vendor",
    );
    refused(
        &install(
            &site,
            &vendor.file(&vendor.license("L-2", 1, 5, &elsewhere)),
        ),
        "wrong_server_host",
    );

    let mut expired = good.clone();
    (expired.iat, expired.nbf, expired.exp) = (now() - 9000, now() - 9000, Some(now() - 60));
    refused(&install(&site, &vendor.file(&expired)), "license_expired");

    let mut early = good.clone();
    early.nbf = now() + 9000;
    let waits = install(&site, &vendor.file(&early));
    assert_eq!(waits.status, 201, "{waits:?}");
    assert_eq!(waits.body["licenses"][0]["waits_until"], early.nbf);

    let mut ahead = good.clone();
    (ahead.iat, ahead.nbf) = (now() + 40 * 86_400, now() - 60);
    let mut late = Vendor::new("acme", 1);
    late.issuer.exp = now() + 900 * 86_400;
    ahead.exp = Some(now() + 500 * 86_400);
    refused(&install(&site, &late.file(&ahead)), "clock_skew");

    let text = vendor.file(&good);
    let token = text
        .lines()
        .rfind(|line| line.contains('.'))
        .expect("a token")
        .to_owned();
    let altered = text.replace(&token, &flip(&token, token.len() - 20));
    refused(&install(&site, &altered), "bad_signature");
    refused(
        &install(&site, &text.replace(&token, &token[..token.len() / 2])),
        "bad_syntax",
    );
    refused(&install(&site, "no token at all"), "bad_syntax");
    refused(&install(&site, &"# x\n".repeat(80_000)), "body_too_large");
    let retyped = Ask::new("cad", "modeler", &vendor.roots());
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let lease = retyped
        .checkout(&mut wire)
        .expect("an answer")
        .text("lease")
        .to_owned();
    let swapped = install(&site, &lease);
    assert!(swapped.status >= 400, "a lease is no license: {swapped:?}");

    assert_eq!(install(&site, &text).status / 100, 2);
    let again = install(&site, &text);
    assert_eq!(
        again.body["licenses"][0]["new"], false,
        "no harm: {again:?}"
    );
    let newer = vendor.file(&vendor.license("L-2", 2, 5, &key));
    assert_eq!(install(&site, &newer).status / 100, 2);
    refused(&install(&site, &text), "superseded");
}

fn flip(token: &str, at: usize) -> String {
    let mut bytes = token.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).expect("still base64url")
}

#[test]
fn r17_a_license_shrunk_while_seats_are_held_ends_the_seats_beyond_it() {
    let (site, vendor) = Site::with_seats(2);
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let asks: Vec<_> = (0..2)
        .map(|_| Ask::new("cad", "modeler", &vendor.roots()))
        .collect();
    let ids: Vec<_> = asks
        .iter()
        .map(|ask| {
            ask.checkout(&mut wire)
                .expect("an answer")
                .text("id")
                .to_owned()
        })
        .collect();
    let small = vendor.license("L-1", 2, 1, &site.site_key());
    assert_eq!(install(&site, &vendor.file(&small)).status / 100, 2);
    let kept = asks[0].renew(&mut wire, &ids[0]).expect("an answer");
    assert_eq!(kept.status / 100, 2, "{kept:?}");
    let last = asks[1].renew(&mut wire, &ids[1]).expect("an answer");
    assert_eq!(last.status / 100, 2, "one last lease: {last:?}");
    let next = Ask::new("cad", "modeler", &vendor.roots())
        .checkout(&mut wire)
        .expect("an answer");
    refused(&next, "no_seat_free");
}

#[test]
fn l16_a_renewal_with_more_seats_extends_while_seats_are_held() {
    let (site, vendor) = Site::with_seats(1);
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let first = Ask::new("cad", "modeler", &vendor.roots());
    let id = first
        .checkout(&mut wire)
        .expect("an answer")
        .text("id")
        .to_owned();
    let second = Ask::new("cad", "modeler", &vendor.roots());
    refused(
        &second.checkout(&mut wire).expect("an answer"),
        "no_seat_free",
    );
    let mut perpetual = vendor.license("L-1", 2, 2, &site.site_key());
    (perpetual.term, perpetual.exp) = (Term::Perpetual, None);
    assert_eq!(install(&site, &vendor.file(&perpetual)).status / 100, 2);
    let third = Ask::new("cad", "modeler", &vendor.roots());
    assert_eq!(third.checkout(&mut wire).expect("an answer").status, 201);
    assert_eq!(
        first.renew(&mut wire, &id).expect("an answer").status / 100,
        2
    );
}

#[test]
fn a_second_daemon_on_the_same_state_is_refused() {
    let (site, _vendor) = Site::with_seats(1);
    let mut second = Site::new();
    second.configure("");
    let text = std::fs::read_to_string(second.path("seatkeeper.toml")).expect("its configuration");
    let state = second.path("state").display().to_string();
    let text = text.replace(&state, &site.path("state").display().to_string());
    std::fs::write(second.path("seatkeeper.toml"), text).expect("it is written");
    let said = second.try_start().expect_err("one owner at a time");
    assert!(
        said.contains("state") && said.to_lowercase().contains("another"),
        "{said}"
    );
}

/// A stop right behind a start, as a package that is upgraded twice makes it.
#[test]
fn r19_whoever_says_that_it_is_ready_stops_in_order() {
    let mut site = Site::new();
    for _ in 0..20 {
        site.start();
        assert_eq!(site.stop(), Some(0), "{}", site.log());
    }
}

#[test]
fn r19_a_stop_and_a_start_keep_every_seat() {
    let (mut site, vendor) = Site::with_seats(1);
    let ask = Ask::new("cad", "modeler", &vendor.roots());
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let id = ask
        .checkout(&mut wire)
        .expect("an answer")
        .text("id")
        .to_owned();
    let at_least = |site: &Site| {
        let seats = site.admin("GET", "/v1/seats", None);
        seats.body["items"][0]["held_at_least"].clone()
    };
    assert_eq!(at_least(&site), false);
    assert_eq!(site.stop(), Some(0), "{}", site.log());
    site.start();
    assert_eq!(at_least(&site), true, "the time in between is not counted");
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    refused(
        &Ask::new("cad", "modeler", &vendor.roots())
            .checkout(&mut wire)
            .expect("an answer"),
        "no_seat_free",
    );
    assert_eq!(
        ask.renew(&mut wire, &id).expect("an answer").status / 100,
        2
    );
}

#[test]
fn below_the_disk_reserve_nothing_new_is_granted_and_renewals_go_on() {
    let (mut site, vendor) = Site::with_seats(2);
    let ask = Ask::new("cad", "modeler", &vendor.roots());
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let id = ask
        .checkout(&mut wire)
        .expect("an answer")
        .text("id")
        .to_owned();
    site.stop();
    let text = std::fs::read_to_string(site.path("seatkeeper.toml")).expect("its configuration");
    let text = text.replace("disk_reserve = \"0\"", "disk_reserve = \"900000 GiB\"");
    std::fs::write(site.path("seatkeeper.toml"), text).expect("it is written");
    site.start();
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    refused(
        &Ask::new("cad", "modeler", &vendor.roots())
            .checkout(&mut wire)
            .expect("an answer"),
        "storage_low",
    );
    assert_eq!(
        ask.renew(&mut wire, &id).expect("an answer").status / 100,
        2
    );
    assert_eq!(
        ask.release(&mut wire, &id).expect("an answer").status / 100,
        2
    );
}

#[test]
fn unknown_configuration_keys_are_named_with_file_and_line() {
    let mut site = Site::new();
    site.configure("unknwon_users = \"create\"");
    let said = site.try_start().expect_err("an unknown key is an error");
    assert!(
        said.contains("unknwon_users") && said.contains("seatkeeper.toml:7"),
        "{said}"
    );
}

#[test]
fn s24_a_body_too_large_and_a_slow_client_are_cut_off_and_cost_others_nothing() {
    let (site, vendor) = Site::with_seats(2);
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let large = json!({"product": "x".repeat(70 << 10)});
    refused(
        &wire
            .exchange("POST", "/v1/leases", Some(&large))
            .expect("an answer"),
        "body_too_large",
    );
    let begun = |what: &[u8]| {
        let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
        wire.send(what).expect("it is sent");
        wire
    };
    let body = b"POST /v1/leases HTTP/1.1\r\nhost: l\r\ncontent-length: 100\r\n\r\n{";
    let slow: Vec<_> = (0..200).map(|_| begun(body)).collect();
    let slower: Vec<_> = (0..200).map(|_| begun(b"POST /v1/lea")).collect();
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let answer = Ask::new("cad", "modeler", &vendor.roots())
        .checkout(&mut wire)
        .expect("an answer");
    assert_eq!(answer.status, 201, "others go on: {answer:?}");
    // Who would wait for ever runs into the wire's own patience, which is another error.
    let hung_up = |error: std::io::Error| {
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{error}");
    };
    for mut wire in slow {
        match wire.answer() {
            Ok(answer) => refused(&answer, "request_timeout"),
            Err(error) => hung_up(error),
        }
    }
    for mut wire in slower {
        match wire.answer() {
            Ok(answer) => assert!(answer.status >= 400, "{answer:?}"),
            Err(error) => hung_up(error),
        }
    }
}

#[test]
fn one_uid_has_its_share_of_connections_and_no_more() {
    let mut site = Site::new();
    site.configure("max_connections_per_uid = 8");
    site.start();
    let mut held: Vec<_> = (0..8)
        .map(|_| Wire::connect(&site.socket()).expect("the daemon listens"))
        .collect();
    for wire in &mut held {
        assert_eq!(
            wire.exchange("GET", "/healthz", None)
                .expect("an answer")
                .status,
            200
        );
    }
    let mut ninth = Wire::connect(&site.socket()).expect("the daemon listens");
    match ninth.exchange("GET", "/healthz", None) {
        Ok(answer) => refused(&answer, "server_busy"),
        Err(error) => panic!("hung up without a word: {error}"),
    }
    drop(held.pop());
    for _ in 0..10_000 {
        let mut again = Wire::connect(&site.socket()).expect("the daemon listens");
        if again
            .exchange("GET", "/healthz", None)
            .is_ok_and(|a| a.status == 200)
        {
            return;
        }
    }
    panic!("the share is never given back");
}

#[test]
fn s12_browsers_are_refused_where_applications_ask() {
    let (site, _vendor) = Site::with_seats(1);
    for header in ["origin: https://example.org", "sec-fetch-site: cross-site"] {
        let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
        wire.send(
            format!(
                "POST /v1/leases HTTP/1.1\r\nhost: l\r\n{header}\r\ncontent-length: 2\r\n\r\n{{}}"
            )
            .as_bytes(),
        )
        .expect("it is sent");
        refused(&wire.answer().expect("an answer"), "browser_refused");
    }
}

#[test]
fn two_editors_of_one_assignment_the_second_is_told() {
    let (site, _vendor) = Site::with_seats(1);
    let list = site.admin("GET", "/v1/assignments", None);
    let id = list.body["items"][0]["id"]
        .as_str()
        .expect("an assignment")
        .to_owned();
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    wire.send(
        format!("DELETE /v1/assignments/{id} HTTP/1.1\r\nhost: l\r\nif-match: \"999999\"\r\n\r\n")
            .as_bytes(),
    )
    .expect("it is sent");
    refused(&wire.answer().expect("an answer"), "wrong_revision");
}

/// One line a second stands for all refusals of a uid; a log that a caller can fill would hide everything else.
#[test]
fn s24_a_flood_of_refusals_is_not_a_flood_of_lines() {
    let (site, _vendor) = Site::with_seats(1);
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    for _ in 0..1000 {
        let answer = wire.exchange("GET", "/nowhere", None).expect("an answer");
        assert_eq!(answer.text("code"), "not_found", "{answer:?}");
    }
    let log = site.log();
    let lines = log.lines().filter(|line| line.contains("refused")).count();
    assert!((1..250).contains(&lines), "{lines} lines: {log}");
}
