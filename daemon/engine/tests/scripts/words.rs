//! The words of a line: positional ones, `name=value` pairs, flags; times and ids as people write them.

use seatkeeper_engine::ids::{LoginHash, NameHash};
use seatkeeper_engine::state::MailAddress;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A line, taken apart.
pub(crate) struct Words {
    plain: Vec<String>,
    pairs: BTreeMap<String, String>,
}

impl Words {
    pub(crate) fn of(line: &str) -> Words {
        let mut words = Words {
            plain: Vec::new(),
            pairs: BTreeMap::new(),
        };
        for word in line.split_whitespace() {
            match word.split_once('=') {
                Some((name, value)) => {
                    words.pairs.insert(name.to_owned(), value.to_owned());
                }
                None => words.plain.push(word.to_owned()),
            }
        }
        words
    }

    /// The nth plain word.
    pub(crate) fn at(&self, n: usize) -> Result<&str, String> {
        self.plain
            .get(n)
            .map(String::as_str)
            .ok_or_else(|| format!("word {} is missing", n + 1))
    }

    /// The plain word after this one.
    pub(crate) fn after(&self, word: &str) -> Result<&str, String> {
        let place = self
            .plain
            .iter()
            .position(|w| w == word)
            .ok_or_else(|| format!("`{word}` is missing"))?;
        self.at(place + 1)
    }

    pub(crate) fn flag(&self, word: &str) -> bool {
        self.plain.iter().any(|w| w == word)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.get(name).map(String::as_str)
    }

    pub(crate) fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T, String> {
        self.get(name).map_or(Ok(default), |text| {
            text.parse()
                .map_err(|_| format!("{name}={text} is no number"))
        })
    }

    /// Seconds, where the pair is there.
    pub(crate) fn seconds(&self, name: &str) -> Result<Option<u64>, String> {
        self.get(name).map(seconds).transpose()
    }
}

/// `90s`, `15m`, `2h`, `3d`, `1m30s`, `500ms` is not: seconds are the finest.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    let mut total = 0;
    let mut number = String::new();
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(format!("{text} is no time")),
        };
        total += unit
            * number
                .parse::<u64>()
                .map_err(|_| format!("{text} is no time"))?;
        number.clear();
    }
    if number.is_empty() {
        Ok(total)
    } else {
        Err(format!("{text} lacks its unit"))
    }
}

/// `+40d`, `-10s`.
pub(crate) fn signed(text: &str) -> Result<i64, String> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    i64::try_from(seconds(rest)?)
        .map(|s| sign * s)
        .map_err(|_| format!("{text} is too long"))
}

/// A time as people write it.
pub(crate) fn show(seconds: u64) -> String {
    format!("{seconds}s")
}

/// A mail address among the logins; `login:NAME` is the one that is the login of somebody.
pub(crate) fn address(text: &str) -> LoginHash {
    match text.strip_prefix("login:") {
        Some(name) => LoginHash(id("login", name)),
        None => LoginHash(id("address", text)),
    }
}

/// The same with its domain.
pub(crate) fn mail_address(text: &str) -> MailAddress {
    let domain = text.rsplit('@').next().unwrap_or(text);
    MailAddress {
        hash: address(text),
        domain: NameHash(id("domain", domain)),
    }
}

/// An id that is always the same for the same words.
pub(crate) fn id<const N: usize>(kind: &str, name: &str) -> [u8; N] {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut out = [0; N];
    for (place, byte) in out.iter_mut().enumerate() {
        for b in kind
            .bytes()
            .chain([b':'])
            .chain(name.bytes())
            .chain(place.to_be_bytes())
        {
            hash = (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
        }
        *byte = hash.to_be_bytes()[3];
    }
    out
}
