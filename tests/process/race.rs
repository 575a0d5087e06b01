//! Many want few seats, and the same checkout comes twice.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seatkeeper_tests::Site;
use seatkeeper_tests::wire::{Answer, Ask, Wire};
use std::collections::BTreeSet;
use std::sync::Barrier;

/// 2N clients race for N seats, 100 rounds: exactly N win each time, on N different slots.
#[test]
fn i1_i9_twice_as_many_clients_race_for_the_seats_and_exactly_those_win() {
    const SEATS: usize = 8;
    let (site, vendor) = Site::with_seats(SEATS as u64);
    let socket = site.socket();
    let roots = vendor.roots();
    let start = Barrier::new(2 * SEATS);
    let wins: Vec<Vec<Option<(String, u64)>>> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..2 * SEATS)
            .map(|_| {
                scope.spawn(|| {
                    let mut wire = Wire::connect(&socket).expect("the daemon listens");
                    (0..100)
                        .map(|_| {
                            start.wait();
                            let ask = Ask::new("cad", "modeler", &roots);
                            let answer = ask.checkout(&mut wire).expect("an answer");
                            let won = match answer.status {
                                201 => Some((answer.text("id").to_owned(), slot_of(&answer))),
                                _ => {
                                    assert_eq!(answer.text("code"), "no_seat_free", "{answer:?}");
                                    None
                                }
                            };
                            start.wait();
                            if let Some((id, _)) = &won {
                                let gone = ask.release(&mut wire, id).expect("an answer");
                                assert_eq!(gone.status / 100, 2, "{gone:?}");
                            }
                            won
                        })
                        .collect()
                })
            })
            .collect();
        racers
            .into_iter()
            .map(|r| r.join().expect("a racer ends well"))
            .collect()
    });
    for round in 0..100 {
        let won: BTreeSet<_> = wins
            .iter()
            .filter_map(|racer| racer[round].as_ref().map(|(_, slot)| *slot))
            .collect();
        assert_eq!(won.len(), SEATS, "round {round}: {won:?}");
    }
}

/// The slot that a lease names.
fn slot_of(answer: &Answer) -> u64 {
    let payload = answer
        .text("lease")
        .split('.')
        .nth(1)
        .expect("a lease has three parts");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    let claims: serde_json::Value = serde_json::from_slice(&payload).expect("claims");
    claims["slots"][0].as_u64().expect("a slot")
}

/// A retried checkout never takes a second seat, whoever else runs.
#[test]
fn i8_a_retried_checkout_is_the_same_holder() {
    let (site, vendor) = Site::with_seats(2);
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let ask = Ask::new("cad", "modeler", &vendor.roots());
    let first = ask.checkout(&mut wire).expect("an answer");
    let mut other = Wire::connect(&site.socket()).expect("the daemon listens");
    let second = ask.checkout(&mut other).expect("an answer");
    assert_eq!((first.status, second.status / 100), (201, 2), "{second:?}");
    assert_eq!(first.text("id"), second.text("id"));
    assert_ne!(
        first.text("lease"),
        second.text("lease"),
        "signed anew for the attempt's nonce"
    );
    let seats = site.admin("GET", "/v1/seats", None);
    assert_eq!(
        seats.body["items"].as_array().map(Vec::len),
        Some(1),
        "{seats:?}"
    );
    let changed = ask
        .clone()
        .with("interactive", true.into())
        .checkout(&mut wire)
        .expect("an answer");
    assert_eq!(changed.text("code"), "conflict", "{changed:?}");
}

/// The client hangs up after it asked: the seat is there, and its retry gets it.
#[test]
fn r20_a_client_that_hangs_up_finds_its_seat_again() {
    let (site, vendor) = Site::with_seats(1);
    let ask = Ask::new("cad", "modeler", &vendor.roots());
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let body = ask.body().to_string();
    let head = format!(
        "POST /v1/leases HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    wire.send((head + &body).as_bytes()).expect("it is sent");
    drop(wire);
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let again = ask.checkout(&mut wire).expect("an answer");
    assert_eq!(again.status / 100, 2, "{again:?}");
    assert!(again.text("id").ends_with(".1"), "one holder: {again:?}");
}
