//! Bodies into values that cannot be wrong; a refusal names the member.

use crate::problem::{Refused, problem};
use seatkeeper::token::lease;
use seatkeeper::wire::{Code, Item};
use seatkeeper_engine::ids::Name;
use std::str::FromStr;

/// Bytes of a product, feature or version.
pub(super) const NAME_BYTES: usize = 128;
/// Seats in one checkout: as many slots as a lease has room for, whatever their numbers are.
pub(super) const SEATS: u32 = 1024;
/// Roots that an application carries.
pub(super) const ROOTS: usize = 16;
/// Token types that a client names.
pub(super) const TOKEN_TYPES: usize = 32;
/// The whole wait in seconds.
const WAIT_S: u32 = 86_400;
/// Bytes of a lease token shown.
pub(super) const SEEN_BYTES: usize = 32 * 1024;
/// Bytes of a text for people: account, order.
pub(super) const TEXT_BYTES: usize = 256;

/// The whole wait in seconds.
pub(super) fn wait(wait_s: u64) -> Result<u32, Refused> {
    let wait = u32::try_from(wait_s).ok().filter(|wait| *wait <= WAIT_S);
    wait.ok_or_else(|| bad("wait_s", format_args!("more than {WAIT_S} (a day)")))
}

/// A refusal that names the member.
pub(super) fn bad(member: &str, why: impl std::fmt::Display) -> Refused {
    problem(Code::BadRequest, format!("{member}: {why}"))
}

/// What an id of our own making is not, where it is refused.
pub(super) const HEX: &str = "not 32 lower-case hex digits";

/// An id in hex digits, or of a holder.
pub(super) fn id<T: FromStr>(member: &str, text: &str, form: &str) -> Result<T, Refused> {
    text.parse().map_err(|_| bad(member, form))
}

/// The raw bytes of a nonce.
pub(super) fn nonce(text: &str) -> Result<Vec<u8>, Refused> {
    lease::nonce(text).ok_or_else(|| bad("nonce", "not base64url of 16 to 64 bytes"))
}

/// A product, feature or license name.
pub(super) fn name(member: &str, text: &str) -> Result<Name, Refused> {
    one_line(member, text, NAME_BYTES)?;
    if text.contains('/') {
        return Err(bad(member, "contains a slash"));
    }
    Ok(text.into())
}

/// A text on one line.
pub(super) fn one_line(member: &str, text: &str, bytes: usize) -> Result<(), Refused> {
    if text.is_empty() {
        return Err(bad(member, "is empty"));
    }
    if text.len() > bytes {
        return Err(bad(member, format_args!("has more than {bytes} bytes")));
    }
    if text.chars().any(char::is_control) || text.trim() != text {
        return Err(bad(
            member,
            "has a control character, or white space at an end",
        ));
    }
    Ok(())
}

/// A version (rule 12): numbers joined by dots.
fn version(text: &str) -> Result<Name, Refused> {
    name("items.version", text)?;
    let numbers = text
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if numbers {
        Ok(text.into())
    } else {
        let mut refused = bad("items.version", "not numbers joined by dots");
        refused.rule = Some(12);
        Err(refused)
    }
}

/// One item.
pub(super) struct Asked {
    pub(super) feature: Name,
    pub(super) version: Option<Name>,
    pub(super) n: u32,
}

/// The one item of a checkout (rule 8).
pub(super) fn items(items: &[Item]) -> Result<Asked, Refused> {
    match items {
        [one] => item(one),
        _ => {
            let mut refused = bad("items", "exactly one is taken");
            refused.rule = Some(8);
            Err(refused)
        }
    }
}

pub(super) fn item(item: &Item) -> Result<Asked, Refused> {
    if !(1..=SEATS).contains(&item.n) {
        return Err(bad("items.n", format_args!("not from 1 to {SEATS}")));
    }
    Ok(Asked {
        feature: name("items.feature", &item.feature)?,
        version: item.version.as_deref().map(version).transpose()?,
        n: item.n,
    })
}

/// Thumbprints of roots.
pub(super) fn roots(roots: &[String]) -> Result<Vec<Name>, Refused> {
    if roots.len() > ROOTS {
        return Err(bad("roots", format_args!("more than {ROOTS}")));
    }
    roots
        .iter()
        .map(|root| match root.len() {
            43 => name("roots", root),
            _ => Err(bad("roots", "not RFC 7638 thumbprints")),
        })
        .collect()
}

/// Sizes of what is shown and not read yet.
pub(super) fn shown(member: &str, token: Option<&str>) -> Result<(), Refused> {
    match token {
        Some(token) if token.len() > SEEN_BYTES => Err(bad(
            member,
            format_args!("has more than {SEEN_BYTES} bytes"),
        )),
        _ => Ok(()),
    }
}
