//! `clock show|accept`: in words, as data, and with the revision that was looked at.

use super::fake::{Fake, problem};
use super::{code, err, out};
use serde_json::{Value, json};

const NOON: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

fn clock(wall: u64, j: u64, more: Value) -> Value {
    let mut clock = json!({ "wall": wall, "j": j, "lease_s": 7200, "behind_s": j.saturating_sub(wall),
        "ahead_s": wall.saturating_sub(j), "newest_iat": NOON - DAY, "accepted": 0, "revision": 0 });
    let (all, more) = (clock.as_object_mut().unwrap(), more.as_object().unwrap());
    all.extend(more.clone());
    clock
}

fn carried() -> Value {
    let license = json!({ "vendor": "acme", "id": "L-1", "now": "expired", "then": "in_force" });
    let accept = json!({ "to": NOON, "held_by_vendor": false, "licenses": [license] });
    clock(
        NOON,
        NOON + 40 * DAY,
        json!({ "accept": accept, "revision": 7 }),
    )
}

fn put_right() -> Value {
    let last = json!({ "from": NOON + 40 * DAY, "to": NOON, "ago_s": 0 });
    clock(
        NOON,
        NOON,
        json!({ "accepted": 2, "last": last, "revision": 12 }),
    )
}

#[test]
fn u4_clock_show_says_what_each_clock_says_and_what_comes_of_it() {
    for (shown, said) in [
        (
            clock(NOON, NOON, json!({})),
            vec![
                "2027-01-15",
                "both run on together",
                "would change nothing",
                "2 h",
            ],
        ),
        (
            clock(NOON + 40 * DAY, NOON, json!({ "followed_in_s": 1800 })),
            vec![
                "40 days ahead",
                "J follows in 30 min, if the wall clock stays there",
                "would change nothing",
            ],
        ),
        (
            carried(),
            vec![
                "40 days behind",
                "never goes back",
                "would put J back by 40 days",
                "license L-1: in_force instead of expired",
            ],
        ),
        (
            clock(NOON - 40 * DAY, NOON, json!({})),
            vec![
                "40 days behind",
                "never below the newest date that a vendor signed",
            ],
        ),
        (put_right(), vec!["2 times; at last from"]),
    ] {
        let fake = Fake::new(vec![("GET /v1/clock", 200, shown)]);
        let show = fake.run("clock show");
        assert_eq!(code(&show), 0, "{}", err(&show));
        for part in said {
            assert!(out(&show).contains(part), "{part}: {}", out(&show));
        }
    }
}

#[test]
fn u4_clock_accept_asks_nothing_and_says_before_and_after() {
    let done = json!({ "accepted": true, "before": carried(), "after": put_right() });
    let fake = Fake::new(vec![
        ("GET /v1/clock", 200, carried()),
        ("POST /v1/clock/accept", 200, done),
    ]);
    let accept = fake.run("clock accept");
    assert_eq!(code(&accept), 0, "{}", err(&accept));
    for part in [
        "before      2027-02-24",
        "after       2027-01-15",
        "L-1",
        "2 times",
    ] {
        assert!(out(&accept).contains(part), "{part}: {}", out(&accept));
    }
    assert!(err(&accept).contains("tells the vendor"));
    let asked = fake.asked();
    assert_eq!(
        asked[1].1.as_deref(),
        Some("\"7\""),
        "of the revision that was seen"
    );
    let data: Value = serde_json::from_str(&out(&fake.run("clock accept -o json"))).unwrap();
    assert_eq!(data["after"]["accepted"], 2);
}

#[test]
fn u4_clock_accept_dry_run_changes_nothing() {
    let fake = Fake::new(vec![("GET /v1/clock", 200, carried())]);
    let dry = fake.run("clock accept --dry-run");
    assert_eq!(code(&dry), 0, "{}", err(&dry));
    assert!(
        out(&dry).contains("would put J back by 40 days"),
        "{}",
        out(&dry)
    );
    assert!(err(&dry).contains("nothing was changed"));
    assert!(
        fake.asked()
            .iter()
            .all(|(what, ..)| what.starts_with("GET "))
    );
}

#[test]
fn u4_clock_accept_is_refused_to_others_and_to_the_second_of_two() {
    for (name, status, exit) in [("forbidden", 403, 4), ("wrong_revision", 412, 1)] {
        let fake = Fake::new(vec![
            ("GET /v1/clock", 200, carried()),
            ("POST /v1/clock/accept", status, problem(name, status)),
        ]);
        let refused = fake.run("clock accept");
        assert_eq!(
            (code(&refused), out(&refused)),
            (exit, String::new()),
            "{name}"
        );
        assert!(err(&refused).contains(name), "{}", err(&refused));
    }
}
