//! The two times, sentence by sentence, and a wall clock set by up to ten years.

use super::*;

const NOON: u64 = 1_800_000_000;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

fn at(boot_s: u64, wall_s: u64) -> Reading {
    Reading {
        boot_ms: boot_s * 1000,
        wall_s,
    }
}

fn mark(lease_s: u64, j_s: u64) -> Mark {
    Mark {
        lease_ms: LeaseTime(lease_s * 1000),
        j_s: Date(j_s),
        wall_s: j_s,
    }
}

/// A calendar at lease time 1,000 s, J = NOON, booted 50 s ago.
fn running() -> Calendar {
    Calendar::start(Some(mark(1000, NOON)), None, Date(0), at(50, NOON))
}

fn j(calendar: &Calendar) -> u64 {
    calendar.now().j.0
}

#[test]
fn d5_a_new_site_takes_its_dates_from_the_wall_clock() {
    let calendar = Calendar::start(None, None, Date(0), at(50, NOON));
    assert_eq!(
        calendar.now(),
        Now {
            lease: LeaseTime(0),
            j: Date(NOON)
        }
    );
}

#[test]
fn d5_lease_time_stands_still_while_down_and_goes_on_from_its_mark() {
    let mut calendar = Calendar::start(Some(mark(1000, NOON)), None, Date(0), at(7, NOON + DAY));
    assert_eq!(calendar.now().lease, LeaseTime(1_000_000));
    calendar.advance(at(17, NOON + DAY + 10));
    assert_eq!(calendar.now().lease, LeaseTime(1_010_000));
    assert_eq!(calendar.mark().lease_ms, LeaseTime(1_010_000));
}

#[test]
fn d5_nobody_can_set_lease_time() {
    let mut calendar = running();
    calendar.advance(at(60, NOON + 5 * YEAR));
    calendar.advance(at(60, 0));
    assert_eq!(calendar.now().lease, LeaseTime(1_010_000));
}

#[test]
fn d5_a_boot_clock_that_steps_back_takes_no_lease_time() {
    let mut calendar = running();
    calendar.advance(at(40, NOON));
    assert_eq!(calendar.now().lease, LeaseTime(1_000_000));
    calendar.advance(at(51, NOON));
    assert_eq!(calendar.now().lease, LeaseTime(1_001_000));
}

#[test]
fn d5_j_runs_on_with_lease_time_where_the_wall_clock_stands() {
    let mut calendar = running();
    calendar.advance(at(50 + 600, NOON));
    assert_eq!(j(&calendar), NOON + 600);
}

#[test]
fn d5_j_follows_a_lead_of_a_day_at_once() {
    let mut calendar = running();
    assert!(
        calendar.advance(at(50, NOON + DAY)),
        "a leap has license dates examined"
    );
    assert_eq!(j(&calendar), NOON + DAY);
    assert_eq!(calendar.standing(), Standing::default());
}

#[test]
fn d5_a_running_clock_is_no_leap() {
    let mut calendar = running();
    for s in 1..100 {
        assert!(!calendar.advance(at(50 + s, NOON + s + s % 2)));
    }
}

#[test]
fn d5_j_follows_31_days_at_a_start() {
    let start = |lead| {
        j(&Calendar::start(
            Some(mark(1000, NOON)),
            None,
            Date(0),
            at(50, NOON + lead),
        ))
    };
    assert_eq!(start(31 * DAY), NOON + 31 * DAY);
    assert_eq!(start(31 * DAY + 1), NOON);
}

#[test]
fn d5_a_longer_lead_counts_after_an_hour_of_lease_time_in_one_place() {
    let mut calendar = running();
    let lead = DAY + 1;
    for s in 0..HOUR {
        calendar.advance(at(50 + s, NOON + lead + s));
        assert_eq!(j(&calendar), NOON + s, "not before the hour is over");
    }
    let ahead = calendar.standing().ahead.unwrap();
    assert_eq!((ahead.lead_s, ahead.since), (lead, LeaseTime(1_000_000)));
    assert_eq!(ahead.until, LeaseTime(1_000_000 + STOOD_MS));
    assert!(calendar.advance(at(50 + HOUR, NOON + lead + HOUR)));
    assert_eq!(j(&calendar), NOON + lead + HOUR);
    assert_eq!(calendar.standing().ahead, None);
}

#[test]
fn d5_a_long_lead_at_a_start_counts_after_the_hour_too() {
    let lead = 40 * DAY;
    let mut calendar = Calendar::start(Some(mark(1000, NOON)), None, Date(0), at(50, NOON + lead));
    calendar.advance(at(50 + HOUR - 1, NOON + lead + HOUR - 1));
    assert_eq!(j(&calendar), NOON + HOUR - 1);
    calendar.advance(at(50 + HOUR, NOON + lead + HOUR));
    assert_eq!(j(&calendar), NOON + lead + HOUR);
}

#[test]
fn d5_a_clock_that_moves_within_the_hour_starts_it_anew() {
    let mut calendar = running();
    calendar.advance(at(50, NOON + 2 * DAY));
    calendar.advance(at(50 + 3000, NOON + 3 * DAY + 3000));
    calendar.advance(at(50 + HOUR, NOON + 3 * DAY + HOUR));
    assert_eq!(j(&calendar), NOON + HOUR);
    calendar.advance(at(50 + 3000 + HOUR, NOON + 3 * DAY + 3000 + HOUR));
    assert_eq!(j(&calendar), NOON + 3 * DAY + 3000 + HOUR);
}

#[test]
fn d5_a_clock_put_right_within_the_hour_is_forgotten() {
    let mut calendar = running();
    calendar.advance(at(50, NOON + 2 * DAY));
    calendar.advance(at(60, NOON + 10));
    assert_eq!(calendar.standing(), Standing::default());
    calendar.advance(at(50 + HOUR, NOON + 2 * DAY + HOUR));
    assert_eq!(
        j(&calendar),
        NOON + HOUR,
        "the hour begins with the second lead"
    );
}

#[test]
fn d5_a_newer_vendor_iat_raises_j_at_once_and_an_older_changes_nothing() {
    let mut calendar = running();
    calendar.raise(Date(NOON + 3 * DAY));
    assert_eq!(j(&calendar), NOON + 3 * DAY);
    calendar.raise(Date(NOON));
    assert_eq!(j(&calendar), NOON + 3 * DAY);
    let started = Calendar::start(
        Some(mark(1000, NOON)),
        None,
        Date(NOON + YEAR),
        at(50, NOON),
    );
    assert_eq!(j(&started), NOON + YEAR);
}

#[test]
fn d5_a_wall_clock_behind_changes_nothing_and_is_told_from_5_minutes_on() {
    let mut calendar = running();
    calendar.advance(at(50, NOON - 299));
    assert_eq!((j(&calendar), calendar.standing().behind_s), (NOON, None));
    calendar.advance(at(50, NOON - 300));
    assert_eq!(
        (j(&calendar), calendar.standing().behind_s),
        (NOON, Some(300))
    );
}

#[test]
fn d5_j_never_goes_back_over_a_restart() {
    let mut calendar = running();
    calendar.advance(at(650, NOON + 600));
    let again = Calendar::start(Some(calendar.mark()), None, Date(0), at(3, NOON - YEAR));
    assert_eq!(again.now(), calendar.now());
}

#[test]
fn d5_an_accepted_clock_is_where_j_goes_on_from() {
    let mut calendar = running();
    calendar.raise(Date(NOON + 10 * YEAR));
    calendar.advance(at(60, NOON + 2 * DAY + 10 * YEAR));
    assert!(calendar.standing().ahead.is_some());
    calendar.accept(Date(NOON));
    assert_eq!((j(&calendar), calendar.standing().ahead), (NOON, None));
    calendar.advance(at(70, NOON + 10));
    assert_eq!(j(&calendar), NOON + 10);
    assert_eq!(calendar.now().lease, LeaseTime(1_020_000));
}

#[test]
fn d5_a_mark_that_is_not_younger_than_an_accept_says_nothing_of_j() {
    let accepted = |lease_s: u64| Accept {
        from: Date(NOON + YEAR),
        to: Date(NOON),
        at: LeaseTime(lease_s * 1000),
    };
    let start = |mark, accepted| {
        Calendar::start(Some(mark), Some(accepted), Date(0), at(50, NOON - DAY)).now()
    };
    let of_before = start(mark(1000, NOON + YEAR), accepted(1000));
    assert_eq!(
        (of_before.j, of_before.lease),
        (Date(NOON), LeaseTime(1_000_000))
    );
    let older = start(mark(900, NOON + YEAR), accepted(1000));
    assert_eq!((older.j, older.lease), (Date(NOON), LeaseTime(1_000_000)));
    let younger = start(mark(1001, NOON + 5), accepted(1000));
    assert_eq!(
        (younger.j, younger.lease),
        (Date(NOON + 5), LeaseTime(1_001_000))
    );
}

#[test]
fn clock_sweep_of_ten_years_never_locks_out_and_never_goes_back() {
    for step in [
        1,
        60,
        299,
        300,
        301,
        HOUR,
        DAY - 1,
        DAY,
        DAY + 1,
        31 * DAY,
        32 * DAY,
        YEAR,
        10 * YEAR,
    ] {
        for wall in [NOON + step, NOON - step] {
            let mut calendar = running();
            let mut before = calendar.now();
            for s in 1..=2 * HOUR {
                calendar.advance(at(50 + s, wall + s));
                let now = calendar.now();
                assert_eq!(
                    now.lease - before.lease,
                    1000,
                    "{step}: lease time is not the wall clock's"
                );
                assert!(now.j > before.j, "{step}: J went back or stood still");
                before = now;
            }
            let right = (NOON + 2 * HOUR).max(wall + 2 * HOUR);
            assert_eq!(
                before.j.0, right,
                "{step}: after two hours J is where it belongs"
            );
        }
    }
}

/// How old a row is, as pruning asks: never older than one of two clocks that can be set says, and never younger than the
/// one that cannot.
#[test]
fn d5_an_age_is_what_lease_time_or_both_clocks_vouch_for() {
    let mark = |lease_s: u64, j_s, wall_s| Mark {
        lease_ms: LeaseTime(lease_s * 1000),
        j_s: Date(j_s),
        wall_s,
    };
    let then = mark(100, 1_000, 1_000);
    for (now, age) in [
        (mark(100, 1_000, 1_000), 0),
        (mark(150, 1_050, 1_050), 50),
        // Down for a while.
        (mark(150, 9_000, 9_000), 8_000),
        // One of them was set, ahead or back.
        (mark(150, 1_050, 9_000), 50),
        (mark(150, 9_000, 1_050), 50),
        (mark(150, 10, 20), 50),
        // Nothing of it is before itself.
        (mark(0, 0, 0), 0),
    ] {
        assert_eq!(then.age_s(&now), age, "{now:?}");
    }
}

#[test]
fn s21_kills_between_two_marks_take_no_time_off_a_license() {
    // The wall clock was set back by a day, and stays there.
    let (mut written, mut began) = (mark(1000, NOON), None);
    for life in 0..100 {
        let reading = at(50 + life * 585, NOON - DAY);
        let mut calendar = Calendar::start(Some(written), None, Date(0), reading);
        if let Some(began) = &began {
            calendar.make_up(began, 0);
        }
        assert_eq!(j(&calendar), NOON + life * 585, "life {life}");
        // Its own row carries the times of a start; then it only renews, until it is killed.
        (written, began) = (calendar.mark(), Some(calendar.began(0)));
    }
}

#[test]
fn s21_what_a_run_did_not_write_down_is_made_up_for_by_ten_minutes_at_the_most() {
    let began = Began {
        boot_ms: 50_000,
        j_s: Date(NOON),
        accepts: 0,
    };
    let after = |began: &Began, boot_s, accepts| {
        let mut calendar = Calendar::start(
            Some(mark(1000, NOON)),
            None,
            Date(0),
            at(boot_s, NOON - DAY),
        );
        calendar.make_up(began, accepts);
        j(&calendar) - NOON
    };
    assert_eq!(after(&began, 350, 0), 300);
    // Of another machine, or one that slept.
    assert_eq!(after(&began, 50 + YEAR, 0), MARK_EVERY_MS / 1000);
    // Booted since.
    assert_eq!(after(&began, 49, 0), 0);
    // J was put back since.
    assert_eq!(after(&began, 350, 1), 0);
    let torn = Began {
        j_s: Date(u64::MAX),
        ..began
    };
    assert_eq!(after(&torn, 350, 0), MARK_EVERY_MS / 1000);
}
