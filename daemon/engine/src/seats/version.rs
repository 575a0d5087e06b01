//! Rule 12: versions are compared as numbers, over as many parts as the limit has. `judge` refuses by it.

use std::cmp::Ordering;

/// A part of a version that is no number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoNumber;

/// A number of any length, without leading zeros: the longer one is larger, and of the same length the text decides.
type Number<'a> = (usize, &'a str);

/// The parts of a version.
fn parts(version: &str) -> Result<Vec<Number<'_>>, NoNumber> {
    let number = |part| -> Result<Number<'_>, NoNumber> {
        let part: &str = part;
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NoNumber);
        }
        let digits = part.trim_start_matches('0');
        Ok((digits.len(), digits))
    };
    version.split('.').map(number).collect()
}

/// Whether a version is well-formed.
pub(crate) fn check(version: Option<&str>) -> Result<(), NoNumber> {
    version.map_or(Ok(()), |version| parts(version).map(|_| ()))
}

/// Whether a limit covers a version; no version counts as too new where there is a limit.
pub(crate) fn covers(limit: Option<&str>, version: Option<&str>) -> bool {
    let Some(limit) = limit else { return true };
    let Some(version) = version else { return false };
    let (Ok(limit), Ok(version)) = (parts(limit), parts(version)) else {
        return false;
    };
    let compared = limit
        .iter()
        .enumerate()
        .map(|(n, most)| version.get(n).copied().unwrap_or_default().cmp(most));
    compared.fold(Ordering::Equal, Ordering::then) != Ordering::Greater
}

#[cfg(test)]
mod tests {
    use super::{check, covers};

    #[test]
    fn r12_versions_compare_as_numbers_over_the_parts_of_the_limit() {
        assert!(covers(None, None) && covers(None, Some("7")));
        assert!(
            covers(Some("2026.2"), Some("2026.2.9")),
            "parts beyond the limit do not count"
        );
        assert!(covers(Some("2026.10"), Some("2026.9")), "numbers, not text");
        assert!(covers(Some("2026.1"), Some("2026")), "a missing part is 0");
        assert!(!covers(Some("2026"), Some("2027.0")));
        assert!(
            covers(Some("7.0"), Some("007")),
            "leading zeros say nothing"
        );
        let beyond = "18446744073709551616";
        assert!(check(Some(beyond)).is_ok(), "a number has any length");
        assert!(!covers(Some("9"), Some(beyond)) && covers(Some(beyond), Some("9.1")));
        assert!(covers(Some(beyond), Some(beyond)));
        assert!(!covers(Some("2026"), None), "no version is too new");
        assert!(
            check(Some("1.x")).is_err() && check(Some("")).is_err() && check(Some("1..2")).is_err()
        );
    }
}
