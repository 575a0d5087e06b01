//! The id of one HTTP exchange: in `x-trace-id`, in problems, in the log and in the events that it caused.

use axum::http::HeaderMap;
use axum::http::HeaderValue;
use seatkeeper_core::random;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

/// Its header.
pub(super) const HEADER: &str = "x-trace-id";
/// Characters of an id that a caller brings.
const LONGEST: usize = 64;

/// A trace id: 32 hex digits, or what the caller brought, where that is well-formed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Trace(Arc<str>);

impl Trace {
    /// The one of a request.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let brought = headers.get(HEADER).and_then(|value| value.to_str().ok());
        match brought.filter(|text| well_formed(text)) {
            Some(text) => Trace(text.into()),
            None => Trace::new(),
        }
    }

    /// A new one: a random number of this process, and a count. It names an exchange and protects nothing, so that
    /// nobody asks the kernel for each; where the kernel has no randomness the first half is all zeros.
    pub(super) fn new() -> Self {
        static PROCESS: LazyLock<u64> =
            LazyLock::new(|| u64::from_be_bytes(random::bytes().unwrap_or_default()));
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = (u128::from(*PROCESS) << 64 | u128::from(count)).to_be_bytes();
        // A formatter takes its time, and this is made for every request.
        let half = |at: usize| id[at / 2] >> (4 * (1 - at % 2)) & 15;
        let digit = |at| b"0123456789abcdef"[usize::from(half(at))];
        let digits: [u8; 32] = std::array::from_fn(digit);
        Trace(str::from_utf8(&digits).expect("hex digits").into())
    }

    /// For the journal.
    pub(crate) fn name(&self) -> Arc<str> {
        self.0.clone()
    }

    /// For the header.
    pub(super) fn value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("hex digits or what `well_formed` let in")
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Nothing that could break out of a log line.
fn well_formed(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (8..=LONGEST).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_ids_count_up() {
        let number = |trace: Trace| u128::from_str_radix(&trace.to_string(), 16).expect("hex");
        let (first, second) = (number(Trace::new()), number(Trace::new()));
        assert!(first < second, "{first:032x} {second:032x}");
        assert_eq!(first >> 64, second >> 64);
    }

    #[test]
    fn a_trace_id_is_taken_over_only_where_it_is_well_formed() {
        let with = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_static(text));
            Trace::of(&headers).to_string()
        };
        assert_eq!(with("build-4711_a"), "build-4711_a");
        for bad in ["short", "spaces in it", "semi;colon", "\"quotes\""] {
            assert_ne!(with(bad), bad);
            assert_eq!(with(bad).len(), 32);
        }
    }
}
