//! Dates for people: seconds since 1970 as `2027-01-31`, in UTC, and back. No clock is read here.

const DAY: u64 = 86_400;

/// The date, with the time where it is not midnight: `2027-01-31` or `2027-01-31 15:04 UTC`.
#[must_use]
pub fn format(unix_s: u64) -> String {
    let date = day(unix_s);
    match unix_s % DAY {
        0 => date,
        s => format!("{date} {:02}:{:02} UTC", s / 3600, s % 3600 / 60),
    }
}

/// The day alone: `2027-01-31`.
#[must_use]
pub fn day(unix_s: u64) -> String {
    let (year, month, day) = civil(unix_s / DAY);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The last day of a span that ends at `exp`: the day before where it ends at midnight.
#[must_use]
pub fn last_day(exp: u64) -> String {
    day(exp.saturating_sub(1))
}

/// When a span that ends at `exp` does, as it was asked for: its last day, or the date with the time.
#[must_use]
pub fn end(exp: u64) -> String {
    match exp % DAY {
        0 => last_day(exp),
        _ => format(exp),
    }
}

/// Midnight (UTC) of a day written `2027-01-31`, in the years 1970 to 9999.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    if (year.len(), month.len(), day.len()) != (4, 2, 2)
        || !text.bytes().all(|b| b == b'-' || b.is_ascii_digit())
    {
        return None;
    }
    let (year, month, day): (u64, u64, u64) =
        (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    if year < 1970 || !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    let days = days(year, month, day);
    (civil(days) == (year, month, day)).then_some(days * DAY)
}

/// Days since 1970-01-01 of a day in the proleptic Gregorian calendar; years count from March, so that the leap day is last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    before + (153 * month + 2) / 5 + day - 1 - 719_468
}

fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let year = year + era * 400;
    if month < 10 {
        (year, month + 3, day)
    } else {
        (year + 1, month - 9, day)
    }
}
