//! What is wrong with a configuration: where, what, and what to do.

use super::fragment::Entry;
use super::keys::{KEYS, Key, Kind, is_table, nearest};
use super::settings::Origin;
use std::fmt;
use std::path::Path;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: `FILE:LINE`, `environment NAME`, `flag`, `default`.
    pub place: String,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub remedy: String,
}

/// All that is wrong; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Fault {
    pub(crate) fn of_file(path: &Path, text: &str, remedy: &str) -> Fault {
        Fault {
            place: path.display().to_string(),
            text: text.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    pub(crate) fn of_syntax(path: &Path, line: usize, message: &str) -> Fault {
        let place = Origin::File(path.to_path_buf(), line).to_string();
        Fault {
            place,
            text: message.trim().to_owned(),
            remedy: "correct the line; values are TOML, texts stand in quotes".to_owned(),
        }
    }

    pub(crate) fn of_key(entry: &Entry) -> Fault {
        let shown = match &entry.origin {
            Origin::Environment(name) => name.clone(),
            _ => entry.key.clone(),
        };
        let remedy = match nearest(&entry.key) {
            _ if is_table(&entry.key) => {
                format!("it is a table: write `[{}]`, and its settings in the lines below", entry.key)
            }
            _ if entry.key.replace('.', "_") == "mail_password" => {
                "a password stands in no setting: write it into a file that the daemon's user alone can read, and name that in `mail.password_file`".to_owned()
            }
            Some(meant) => format!("did you mean `{}`?", spelled(meant, &entry.origin)),
            None => format!("the settings are: {}", KEYS.map_names()),
        };
        Fault {
            place: entry.origin.to_string(),
            text: format!("there is no setting `{shown}`"),
            remedy,
        }
    }

    pub(crate) fn of_value(entry: &Entry, key: &Key, text: &str) -> Fault {
        Fault {
            place: entry.origin.to_string(),
            text: format!("`{}` {text}", key.name),
            remedy: takes(key),
        }
    }

    pub(crate) fn of_setting(key: &str, origin: &Origin, text: &str, remedy: &str) -> Fault {
        Fault {
            place: origin.to_string(),
            text: format!("`{key}` {text}"),
            remedy: remedy.to_owned(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.text, self.remedy)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|fault| writeln!(f, "{fault}"))
    }
}

impl std::error::Error for Faults {}

trait Names {
    fn map_names(&self) -> String;
}

impl Names for [Key] {
    fn map_names(&self) -> String {
        self.iter()
            .map(|key| key.name)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// A setting's name as one writes it at that place.
fn spelled(name: &str, origin: &Origin) -> String {
    match origin {
        Origin::Environment(_) => {
            super::keys::find(name).map_or_else(|| name.to_owned(), Key::variable)
        }
        _ => name.to_owned(),
    }
}

/// What a setting takes, for people.
fn takes(key: &Key) -> String {
    let what = match key.kind {
        Kind::Text(_) => "a text in quotes".to_owned(),
        Kind::Path => "an absolute path in quotes".to_owned(),
        Kind::SecretFile => "the absolute path of a file in quotes".to_owned(),
        Kind::Choice(words) => format!("one of \"{}\"", words.join("\", \"")),
        Kind::Switch => "true or false, without quotes".to_owned(),
        Kind::Number(least, most) => format!("a whole number from {least} to {most}"),
        Kind::Size => {
            "a size such as \"256 MiB\" (B, KiB, MiB, GiB, TiB), or bytes as a number".to_owned()
        }
    };
    format!("it takes {what}; its default is {}", key.default)
}
