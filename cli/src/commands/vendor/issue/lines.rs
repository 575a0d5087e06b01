//! Where in the TOML a text about a claim belongs: every refusal names its line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The line (from 1) of a byte.
pub(super) fn at(text: &str, byte: usize) -> usize {
    text.as_bytes()[..byte.min(text.len())]
        .iter()
        .filter(|b| **b == b'\n')
        .count()
        + 1
}

/// The line of the key that a refused claim came from; the first line where nothing fits.
pub(super) fn of_claim(text: &str, refusal: &str) -> usize {
    let Ok(table) = DeTable::parse(text) else {
        return 1;
    };
    let table = table.get_ref();
    let rest = refusal.strip_prefix("feature \"");
    let found = match rest.and_then(|rest| rest.split_once("\": ")) {
        Some((name, rest)) => in_feature(table, name, rest),
        None => in_table(table, refusal),
    };
    found.map_or(1, |byte| at(text, byte))
}

fn in_feature(table: &DeTable<'_>, name: &str, refusal: &str) -> Option<usize> {
    let features = table.get("features")?.get_ref().as_array()?;
    let feature = features.iter().find(|feature| {
        let named = feature.get_ref().as_table().and_then(|f| f.get("name"));
        named.and_then(|value| value.get_ref().as_str()) == Some(name)
    })?;
    in_table(feature.get_ref().as_table()?, refusal).or(Some(feature.span().start))
}

/// The first key that the text names, inner tables first: `borrow.max_days` stands in `borrow`.
fn in_table(table: &DeTable<'_>, refusal: &str) -> Option<usize> {
    let words: Vec<&str> = refusal
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(typed)
        .collect();
    words.iter().find_map(|word| {
        let (key, value) = table.get_key_value(*word)?;
        let inner = match value.get_ref() {
            DeValue::Table(inner) => in_table(inner, refusal),
            _ => None,
        };
        inner.or(Some(start(key)))
    })
}

/// The key that a vendor types for a claim, where it has another name.
fn typed(claim: &str) -> &str {
    match claim {
        "exp" => "until",
        "nbf" => "from",
        "sub" => "id",
        "counted" => "counting",
        other => other,
    }
}

fn start<T>(key: &Spanned<T>) -> usize {
    key.span().start
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "id = \"L\"\nuntil = 2027-01-01\n[customer]\nname = \"n\"\n[[features]]\nname = \"a\"\nttl_s = 5\n[[features]]\nname = \"b\"\nborrow = { max_days = 90 }\ncounting = \"process\"\n";

    #[test]
    fn u4_a_refused_value_is_found_in_the_toml() {
        for (refusal, line) in [
            ("exp is not after nbf", 2),
            ("customer.name is empty", 4),
            ("feature \"a\": ttl_s + grace_s is 90000, at most", 7),
            ("feature \"b\": borrow.max_days is 90", 10),
            (
                "feature \"b\": a named seat cannot be counted by process (rule 7)",
                11,
            ),
            ("feature \"b\": something else", 8),
            ("the moon is full", 1),
        ] {
            assert_eq!(of_claim(TEXT, refusal), line, "{refusal}");
        }
    }
}
