//! What nobody is to read again in answers and logs: the secrets of tokens and sessions, and what a body held (S23).

use seatkeeper::wire::{Problem, SESSION_PREFIX, TOKEN_PREFIX};
use std::borrow::Cow;

/// How `_` stands in a text and in a path.
const LINES: [&str; 3] = ["_", "%5F", "%5f"];

/// A text without the secrets that somebody wrote where a name or an id belongs.
pub(super) fn blanked(text: &str) -> Cow<'_, str> {
    let mut next = first(text);
    if next.is_none() {
        return Cow::Borrowed(text);
    }
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, len)) = next {
        let (before, found) = rest.split_at(at + len);
        told.push_str(before);
        let secret = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '%';
        let end = found.find(|c| !secret(c)).unwrap_or(found.len());
        told.push_str(if end == 0 { "" } else { "…" });
        rest = &found[end..];
        next = first(rest);
    }
    told.push_str(rest);
    Cow::Owned(told)
}

/// A refusal without them.
pub(super) fn blank(problem: &mut Problem) {
    for text in [&mut problem.detail, &mut problem.hint] {
        if let Cow::Owned(told) = blanked(text) {
            *text = told;
        }
    }
}

/// What serde says of a value that does not fit, without the value: `invalid type: integer, expected a string`. A body may
/// hold a password, and where it stands at a wrong place nothing says so.
pub(super) fn valueless(message: &str) -> Cow<'_, str> {
    let is = |start: &&&str| message.starts_with(**start);
    let Some(start) = ["invalid type: ", "invalid value: "].iter().find(is) else {
        return Cow::Borrowed(message);
    };
    // What was expected is ours and has no such words in it; the value may have them.
    let Some((found, expected)) = message[start.len()..].rsplit_once(", expected ") else {
        return Cow::Owned(start.trim_end_matches(": ").to_owned());
    };
    let kind = found
        .split(['`', '"'])
        .next()
        .unwrap_or_default()
        .trim_end();
    Cow::Owned(format!("{start}{kind}, expected {expected}"))
}

/// Where the first token or session begins, and how many bytes say what it is.
fn first(text: &str) -> Option<(usize, usize)> {
    let stems = [TOKEN_PREFIX, SESSION_PREFIX].map(|prefix| prefix.trim_end_matches('_'));
    let found = stems.iter().flat_map(|stem| text.match_indices(*stem));
    let whole = found.filter_map(|(at, stem)| {
        let after = &text[at + stem.len()..];
        let line = LINES.iter().find(|line| after.starts_with(**line))?;
        Some((at, stem.len() + line.len()))
    });
    whole.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s23_a_secret_is_no_name_that_is_told_back() {
        let secret = "sks_0123456789-abcdefghijklmnopqrstuvwxyz_ABCDE";
        let told = blanked("/v1/sessions/sks_0123-4_Z/x?a=skt_7&b=skt_");
        assert_eq!(told, "/v1/sessions/sks_…/x?a=skt_…&b=skt_");
        assert_eq!(blanked("/v1/tokens/skt%5F012"), "/v1/tokens/skt%5F…");
        assert!(matches!(blanked("/v1/tokens"), Cow::Borrowed(_)));
        let code = seatkeeper::wire::Code::NotFound;
        let mut problem = Problem::new(code, format!("there is no session {secret}"));
        problem.hint = format!("`{secret}`");
        blank(&mut problem);
        assert_eq!(problem.detail, "there is no session sks_…");
        assert_eq!(problem.hint, "`sks_…`");
    }

    #[test]
    fn s23_of_a_value_that_does_not_fit_only_its_kind_is_told() {
        for (said, told) in [
            (
                "invalid type: integer `918`, expected a string at line 1 column 9",
                "invalid type: integer, expected a string at line 1 column 9",
            ),
            (
                "invalid type: string \"a, expected b\", expected struct SignIn",
                "invalid type: string, expected struct SignIn",
            ),
            (
                "invalid value: floating point `1.5`, expected u32",
                "invalid value: floating point, expected u32",
            ),
            (
                "invalid type: null, expected a string",
                "invalid type: null, expected a string",
            ),
            ("missing field `login`", "missing field `login`"),
        ] {
            assert_eq!(valueless(said), told);
        }
    }
}
