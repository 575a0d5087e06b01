//! Numbers in words: spans, dates and counts, as a person would say them.

pub(crate) use seatkeeper::token::dates::{end, format as date};
use seatkeeper::wire::{Ended, Seat};

/// A span: `45 s`, `12 min`, `3 h 5 min`, `2 days`.
pub(crate) fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (
        seconds / 86_400,
        seconds % 86_400 / 3_600,
        seconds % 3_600 / 60,
    );
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) if minutes < 3 && !seconds.is_multiple_of(60) => {
            format!("{minutes} min {} s", seconds % 60)
        }
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (1, 0, _) => "1 day".to_owned(),
        (1, hours, _) => format!("1 day {hours} h"),
        (days, _, _) => format!("{days} days"),
    }
}

/// What is known of the moment from which asking again can help.
pub(crate) fn again(code: &str, after: u64) -> String {
    let after = span(after);
    match code {
        "no_seat_free" => format!(
            "at any time, when somebody gives one back; the next hold ends in {after} unless it is renewed"
        ),
        "cool_down" => format!("when the pause is over, in {after} at the latest"),
        _ => format!("in {after}"),
    }
}

/// For how long a seat is held.
pub(crate) fn held(seat: &Seat) -> String {
    let span = span(seat.held_s);
    match seat.held_at_least {
        true => format!("at least {span}"),
        false => span,
    }
}

/// A moment to the second, as machines sort it and people read it: `2027-01-31T15:04:05Z`.
pub(crate) fn moment(unix_s: u64) -> String {
    let s = unix_s % 86_400;
    let (hours, minutes, seconds) = (s / 3_600, s % 3_600 / 60, s % 60);
    let day = seatkeeper::token::dates::day(unix_s);
    format!("{day}T{hours:02}:{minutes:02}:{seconds:02}Z")
}

/// A mail address, and how it is known to be theirs where no code that was mailed there showed it.
pub(crate) fn address(text: &str, is: Option<&str>) -> String {
    match is {
        Some("not_proved") => format!("{text} (not proved)"),
        Some("given") => format!("{text} (given by an administrator)"),
        _ => text.to_owned(),
    }
}

/// The address of somebody beside their login. Where it is the login, it is not said twice; nothing where none is known.
pub(crate) fn address_of(login: &str, text: Option<&str>, is: Option<&str>) -> Option<String> {
    match text {
        Some(text) if !text.eq_ignore_ascii_case(login) => Some(address(text, is)),
        _ => is.or(text).map(|_| address("the login", is)),
    }
}

/// Whether somebody may sit, and until when a guest may.
pub(crate) fn standing(status: &str, until: Option<u64>, over: bool) -> String {
    match until.map(end) {
        Some(until) if over => format!("{status}, a guest until {until}, which is over"),
        Some(until) => format!("{status}, a guest until {until}"),
        None => status.to_owned(),
    }
}

/// What ended with a change of somebody's rights, as a line of its own; nothing where nothing did.
pub(crate) fn ended(ended: Option<&Ended>, whose: &str) -> String {
    let Some(ended) = ended else {
        return String::new();
    };
    let all = [
        (ended.codes, "code"),
        (ended.tokens, "token"),
        (ended.sessions, "session"),
    ];
    let all = all.into_iter().filter(|(n, _)| *n > 0);
    let all: Vec<_> = all.map(|(n, noun)| count(n, noun)).collect();
    format!(
        "\nended with it: {} of {whose}, made before; what is still needed is made anew",
        all.join(" and ")
    )
}

/// A count with its noun: `1 seat`, `3 seats`.
pub(crate) fn count(n: u64, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

/// `2 of 3`, or `2 of unlimited`.
pub(crate) fn of(in_use: u64, total: Option<u64>) -> String {
    total.map_or_else(
        || format!("{in_use} of unlimited"),
        |total| format!("{in_use} of {total}"),
    )
}

/// Seats in use, of a pool or under a limit: `2 of 3 seats in use`. A limit that was set later may be less than what counts
/// for it.
pub(crate) fn counted(code: &str, in_use: u64, total: Option<u64>) -> String {
    match total.filter(|_| code.starts_with("over_")) {
        Some(limit) => format!("{} in use, limit {limit}", count(in_use, "seat")),
        None => format!("{} seats in use", of(in_use, total)),
    }
}

/// When a license ends: its last day, the moment, or never.
pub(crate) fn until(exp: Option<u64>) -> String {
    match exp {
        None => "perpetual".to_owned(),
        Some(exp) => end(exp),
    }
}

/// Bytes: `812 MiB`.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut left = n / 1024;
    while left >= 10 * 1024 && unit + 1 < UNITS.len() {
        left /= 1024;
        unit += 1;
    }
    format!("{left} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_a_person_says_them() {
        let said: Vec<_> = [0, 59, 90, 720, 3_600, 11_100, 86_400, 90_000, 300_000]
            .into_iter()
            .map(span)
            .collect();
        assert_eq!(
            said,
            [
                "0 s",
                "59 s",
                "1 min 30 s",
                "12 min",
                "1 h",
                "3 h 5 min",
                "1 day",
                "1 day 1 h",
                "3 days"
            ]
        );
    }

    #[test]
    fn r10_what_counts_for_a_limit_may_be_more_than_it() {
        assert_eq!(
            counted("over_unit_max", 2, Some(1)),
            "2 seats in use, limit 1"
        );
        assert_eq!(counted("no_seat_free", 3, Some(3)), "3 of 3 seats in use");
    }

    #[test]
    fn r22_nothing_is_promised_for_a_moment_that_nobody_knows() {
        let seat = again("no_seat_free", 900);
        assert!(
            seat.starts_with("at any time") && seat.ends_with("15 min unless it is renewed"),
            "{seat}"
        );
        assert_eq!(
            again("cool_down", 1800),
            "when the pause is over, in 30 min at the latest"
        );
        assert_eq!(again("server_busy", 1), "in 1 s");
    }

    #[test]
    fn u4_an_address_that_is_the_login_is_said_once() {
        let said = |text, is| address_of("Ana@x.example", text, is);
        assert_eq!(
            said(Some("b@x.example"), Some("given")).as_deref(),
            Some("b@x.example (given by an administrator)")
        );
        for text in [Some("ana@x.example"), None] {
            let not_proved = said(text, Some("not_proved"));
            assert_eq!(not_proved.as_deref(), Some("the login (not proved)"));
            assert_eq!(said(text, Some("proved")).as_deref(), Some("the login"));
        }
        assert_eq!(said(None, None), None);
    }

    #[test]
    fn d15_what_ended_is_counted_by_its_kind() {
        let said = Ended {
            codes: 1,
            tokens: 2,
            sessions: 0,
        };
        assert_eq!(
            ended(Some(&said), "ana"),
            "\nended with it: 1 code and 2 tokens of ana, made before; what is still needed is made anew"
        );
        assert_eq!(ended(None, "ana"), "");
    }

    #[test]
    fn a_license_names_its_last_day() {
        assert_eq!(until(Some(86_400 * 31)), "1970-01-31");
        assert_eq!(until(None), "perpetual");
        assert_eq!(
            (count(1, "seat"), of(2, Some(3))),
            ("1 seat".to_owned(), "2 of 3".to_owned())
        );
        assert_eq!(bytes(812 << 20), "812 MiB");
    }
}
