//! The first step: what one file, the environment or the command line says, each value with its place.

use super::fault::Fault;
use super::keys::{KEYS, PREFIX, is_table};
use super::settings::Origin;
use crate::os::files::{Untrusted, read_trusted};
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Bytes that a configuration file may have.
const FILE_BYTES: u64 = 1024 * 1024;

/// A value as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A text of a file.
    Text(String),
    /// A number of a file.
    Number(i64),
    /// `true` or `false` of a file.
    Switch(bool),
    /// Something else, by the name of its type.
    Other(&'static str),
    /// Of the environment or a flag, where everything is text.
    Loose(String),
}

/// A value, its key and its place.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// The entries of a file; what cannot be read or parsed becomes faults, the rest still counts.
pub(crate) fn from_file(path: &Path, faults: &mut Vec<Fault>) -> Vec<Entry> {
    let bytes = match read_trusted(path, FILE_BYTES) {
        Ok(bytes) => bytes,
        Err(Untrusted { text, remedy }) => {
            faults.push(Fault::of_file(path, &text, &remedy));
            return Vec::new();
        }
    };
    let Ok(text) = String::from_utf8(bytes) else {
        faults.push(Fault::of_file(
            path,
            "is not UTF-8 text",
            "save it as UTF-8",
        ));
        return Vec::new();
    };
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in &errors {
        let line = error.span().map_or(1, |span| line_of(&text, span.start));
        faults.push(Fault::of_syntax(path, line, error.message()));
    }
    let mut entries = Vec::new();
    for (key, value) in in_order(table.get_ref()) {
        match value.get_ref() {
            DeValue::Table(inner) if is_table(key.get_ref()) => {
                let inner = in_order(inner).into_iter();
                entries.extend(inner.map(|(name, value)| {
                    let within = entry(path, &text, name, value);
                    Entry {
                        key: format!("{}.{}", key.get_ref(), within.key),
                        ..within
                    }
                }));
            }
            _ => entries.push(entry(path, &text, key, value)),
        }
    }
    entries
}

/// The pairs of a table as they stand in the file.
fn in_order<'t, 'i>(
    table: &'t DeTable<'i>,
) -> Vec<(
    &'t Spanned<std::borrow::Cow<'i, str>>,
    &'t Spanned<DeValue<'i>>,
)> {
    let mut pairs: Vec<_> = table.iter().collect();
    pairs.sort_by_key(|(key, _)| key.span().start);
    pairs
}

/// What the environment says. A name with the prefix and no setting is kept, to be refused.
pub(crate) fn from_environment(environment: &[(String, String)]) -> Vec<Entry> {
    let ours = environment
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX));
    ours.map(|(name, value)| Entry {
        key: KEYS.iter().find(|key| key.variable() == *name).map_or_else(
            || name[PREFIX.len()..].to_ascii_lowercase(),
            |key| key.name.to_owned(),
        ),
        value: Value::Loose(value.clone()),
        origin: Origin::Environment(name.clone()),
    })
    .collect()
}

/// What the flags say.
pub(crate) fn from_flags(flags: &[(String, String)]) -> Vec<Entry> {
    flags
        .iter()
        .map(|(key, value)| Entry {
            key: key.clone(),
            value: Value::Loose(value.clone()),
            origin: Origin::Flag,
        })
        .collect()
}

fn entry(
    path: &Path,
    text: &str,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
) -> Entry {
    Entry {
        key: key.get_ref().to_string(),
        value: match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Value::Other("number that is too large"), Value::Number),
            DeValue::Boolean(on) => Value::Switch(*on),
            other => Value::Other(other.type_str()),
        },
        origin: Origin::File(path.to_path_buf(), line_of(text, key.span().start)),
    }
}

/// The line of a byte offset, from 1.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|b| *b == b'\n').count()
}
