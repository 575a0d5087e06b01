//! The third step: settings that cannot be wrong, and where each came from.

use super::fault::Fault;
use super::fragment::Value;
use super::keys::{KEYS, Key, Kind};
use super::mail::MailSettings;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Bytes that the path of a unix socket may have (`sun_path` without its NUL).
const SOCKET_PATH_BYTES: usize = 107;
/// Files that a connection costs: itself, and the hold on the process at its other end.
const FILES_PER_CONNECTION: u64 = 2;
/// Files that the daemon has open beside them: journal, log, inboxes, its own events.
const OTHER_FILES: u64 = 64;

/// What happens to a local account that the directory does not know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnknownUsers {
    /// It becomes a user.
    Create,
    /// It is refused: `unknown_user`.
    Refuse,
}

/// To whom a license is assigned when it is installed for the first time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AssignNew {
    /// An administrator decides later.
    Nobody,
    /// Everyone of the site.
    Everyone,
}

/// How loud the log is, by who must wake up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How the log is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// One line per event for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of a file, from 1.
    File(PathBuf, usize),
    /// A variable.
    Environment(String),
    /// The command line.
    Flag,
}

/// A setting as `config show --origin` and `GET /v1/config` tell it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigEntry {
    /// Its name.
    pub key: &'static str,
    /// Its value, as it would stand in the file.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// The settings of a daemon.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The state directory.
    pub state_dir: PathBuf,
    /// The unix socket.
    pub socket: PathBuf,
    /// Inbox of vendor root keys.
    pub vendors_dir: PathBuf,
    /// Inbox of licenses.
    pub licenses_dir: PathBuf,
    /// The installation's name for people; empty for the machine's.
    pub site_name: String,
    /// What happens to unknown accounts.
    pub unknown_users: UnknownUsers,
    /// To whom new licenses go.
    pub assign_new_licenses: AssignNew,
    /// Nobody gets a new seat who has not accepted the terms of service.
    pub terms_block_checkout: bool,
    /// The administrators' group of the operating system; empty for none.
    pub admin_group: String,
    /// Bytes to be kept free on the state directory's disk.
    pub disk_reserve: u64,
    /// Events from one checkpoint to the next.
    pub checkpoint_events: u64,
    /// Days that counts of denials are kept.
    pub retention_days: u64,
    /// How loud the log is.
    pub log_level: LogLevel,
    /// How it is written.
    pub log_format: LogFormat,
    /// Connections at a time.
    pub max_connections: u64,
    /// Connections at a time of one uid.
    pub max_connections_per_uid: u64,
    /// Mail.
    pub mail: MailSettings,
    shown: BTreeMap<&'static str, (String, Origin)>,
}

impl Settings {
    /// Every setting with its value and where it came from, in the order of the table.
    #[must_use]
    pub fn origins(&self) -> Vec<ConfigEntry> {
        KEYS.iter()
            .filter_map(|key| {
                let (value, origin) = self.shown.get(key.name)?.clone();
                Some(ConfigEntry {
                    key: key.name,
                    value,
                    origin,
                })
            })
            .collect()
    }

    /// Takes a value; the text of an error follows the key's name.
    pub(crate) fn set(
        &mut self,
        key: &'static Key,
        value: &Value,
        origin: Origin,
    ) -> Result<(), String> {
        let judged = Judged::of(key.kind, value)?;
        self.put(key.name, &judged)?;
        self.shown.insert(key.name, (judged.to_string(), origin));
        Ok(())
    }

    /// What no value can say alone.
    pub(crate) fn check(&self, open_files: Option<u64>, faults: &mut Vec<Fault>) {
        let mut fault = |key: &str, text: &str, remedy: &str| {
            let origin = self
                .shown
                .get(key)
                .map_or(Origin::Default, |(_, origin)| origin.clone());
            faults.push(Fault::of_setting(key, &origin, text, remedy));
        };
        // Half of the open files are the process watch's.
        let room =
            open_files.map(|most| (most / 2).saturating_sub(OTHER_FILES) / FILES_PER_CONNECTION);
        if let Some(room) = room.filter(|room| self.max_connections > *room) {
            let text = format!(
                "is {}, but the limit of open files ({}) has room for {room}",
                self.max_connections,
                open_files.unwrap_or(0)
            );
            fault(
                "max_connections",
                &text,
                "raise LimitNOFILE of the service (ulimit -Hn), or lower the setting",
            );
        }
        let bytes = self.socket.as_os_str().len();
        if bytes > SOCKET_PATH_BYTES {
            let text =
                format!("has {bytes} bytes; a socket's path has at most {SOCKET_PATH_BYTES}");
            fault("socket", &text, "choose a shorter path");
        }
        if self.vendors_dir == self.licenses_dir {
            fault(
                "vendors_dir",
                "is the same folder as `licenses_dir`",
                "keep keys and licenses in two folders",
            );
        }
        for (key, path) in [
            ("vendors_dir", &self.vendors_dir),
            ("licenses_dir", &self.licenses_dir),
            ("socket", &self.socket),
        ] {
            if path.starts_with(&self.state_dir) {
                fault(
                    key,
                    "lies in `state_dir`, which is the daemon's alone",
                    "choose a place outside of it",
                );
            }
        }
        self.mail.check(&mut fault);
    }

    fn put(&mut self, key: &str, value: &Judged) -> Result<(), String> {
        match (key, value) {
            ("state_dir", Judged::Path(path)) => self.state_dir.clone_from(path),
            ("socket", Judged::Path(path)) => self.socket.clone_from(path),
            ("vendors_dir", Judged::Path(path)) => self.vendors_dir.clone_from(path),
            ("licenses_dir", Judged::Path(path)) => self.licenses_dir.clone_from(path),
            ("site_name", Judged::Text(text)) => self.site_name.clone_from(text),
            ("admin_group", Judged::Text(text)) => self.admin_group.clone_from(text),
            ("terms_block_checkout", Judged::Switch(on)) => self.terms_block_checkout = *on,
            ("disk_reserve", Judged::Size(bytes)) => self.disk_reserve = *bytes,
            ("checkpoint_events", Judged::Number(n)) => self.checkpoint_events = *n,
            ("retention_days", Judged::Number(n)) => self.retention_days = *n,
            ("max_connections", Judged::Number(n)) => self.max_connections = *n,
            ("max_connections_per_uid", Judged::Number(n)) => self.max_connections_per_uid = *n,
            ("unknown_users", Judged::Word("create")) => self.unknown_users = UnknownUsers::Create,
            ("unknown_users", Judged::Word("refuse")) => self.unknown_users = UnknownUsers::Refuse,
            ("assign_new_licenses", Judged::Word("nobody")) => {
                self.assign_new_licenses = AssignNew::Nobody
            }
            ("assign_new_licenses", Judged::Word("everyone")) => {
                self.assign_new_licenses = AssignNew::Everyone
            }
            ("log_format", Judged::Word("text")) => self.log_format = LogFormat::Text,
            ("log_format", Judged::Word("json")) => self.log_format = LogFormat::Json,
            ("log_level", Judged::Word(word)) => self.log_level = LogLevel::of(word),
            (key, value) => {
                let of_mail = key.strip_prefix("mail.");
                if !of_mail.is_some_and(|key| self.mail.put(key, value)) {
                    return Err("is not a value of this setting".to_owned());
                }
            }
        }
        Ok(())
    }
}

impl Default for Settings {
    /// The defaults of the table.
    fn default() -> Self {
        let mut settings = Settings {
            state_dir: PathBuf::new(),
            socket: PathBuf::new(),
            vendors_dir: PathBuf::new(),
            licenses_dir: PathBuf::new(),
            site_name: String::new(),
            unknown_users: UnknownUsers::Create,
            assign_new_licenses: AssignNew::Nobody,
            terms_block_checkout: false,
            admin_group: String::new(),
            disk_reserve: 0,
            checkpoint_events: 0,
            retention_days: 0,
            log_level: LogLevel::Info,
            log_format: LogFormat::Text,
            max_connections: 0,
            max_connections_per_uid: 0,
            mail: MailSettings::none(),
            shown: BTreeMap::new(),
        };
        for key in KEYS {
            let value = match key
                .default
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
            {
                Some(text) => Value::Text(text.to_owned()),
                None => Value::Loose(key.default.to_owned()),
            };
            settings
                .set(key, &value, Origin::Default)
                .expect("the table's defaults are valid: a test sets each of them");
        }
        settings
    }
}

impl LogLevel {
    fn of(word: &str) -> LogLevel {
        match word {
            "error" => LogLevel::Error,
            "warn" => LogLevel::Warn,
            "debug" => LogLevel::Debug,
            "trace" => LogLevel::Trace,
            _ => LogLevel::Info,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path, line) => write!(f, "{}:{line}", path.display()),
            Origin::Environment(name) => write!(f, "environment {name}"),
            Origin::Flag => f.write_str("flag"),
        }
    }
}

/// A value of its kind.
pub(super) enum Judged {
    Text(String),
    Path(PathBuf),
    Word(&'static str),
    Switch(bool),
    Number(u64),
    Size(u64),
}

impl Judged {
    fn of(kind: Kind, value: &Value) -> Result<Judged, String> {
        match kind {
            Kind::Text(most) => text(value).and_then(|t| plain(t, most).map(Judged::Text)),
            Kind::SecretFile => match value {
                Value::Text(text) | Value::Loose(text) if text.is_empty() => {
                    Ok(Judged::Path(PathBuf::new()))
                }
                Value::Text(text) | Value::Loose(text) => {
                    let path = path(text).map(Judged::Path);
                    path.map_err(|_| "is the absolute path of a file, without `..`".to_owned())
                }
                _ => Err("is the absolute path of a file".to_owned()),
            },
            Kind::Path => text(value).and_then(|t| path(t).map(Judged::Path)),
            Kind::Choice(words) => {
                let text = text(value)?;
                let word = words.iter().find(|word| **word == text);
                word.map(|word| Judged::Word(word))
                    .ok_or_else(|| format!("cannot be \"{text}\""))
            }
            Kind::Switch => switch(value).map(Judged::Switch),
            Kind::Number(least, most) => {
                let n = number(value)?;
                let fits = (least..=most).contains(&n);
                if fits {
                    Ok(Judged::Number(n))
                } else {
                    Err(format!("cannot be {n}"))
                }
            }
            Kind::Size => match value {
                Value::Text(text) | Value::Loose(text) => size(text).map(Judged::Size),
                _ => number(value).map(Judged::Size),
            },
        }
    }
}

impl fmt::Display for Judged {
    /// As it would stand in the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        match self {
            Judged::Text(text) => f.write_str(&quoted(text)),
            Judged::Path(path) => f.write_str(&quoted(&path.to_string_lossy())),
            Judged::Word(word) => f.write_str(&quoted(word)),
            Judged::Switch(on) => write!(f, "{on}"),
            Judged::Number(n) => write!(f, "{n}"),
            Judged::Size(bytes) => f.write_str(&quoted(&size_text(*bytes))),
        }
    }
}

fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(text) | Value::Loose(text) => Ok(text),
        Value::Number(n) => Err(format!("is a text, not the number {n}")),
        Value::Switch(on) => Err(format!("is a text, not {on} without quotes")),
        Value::Other(name) => Err(format!("is a text, not a TOML {name}")),
    }
}

fn number(value: &Value) -> Result<u64, String> {
    match value {
        Value::Number(n) => u64::try_from(*n).map_err(|_| format!("cannot be {n}")),
        Value::Loose(text) => text
            .parse()
            .map_err(|_| format!("is a whole number, not \"{text}\"")),
        Value::Text(text) => Err(format!("is a whole number, not the text \"{text}\"")),
        Value::Switch(on) => Err(format!("is a whole number, not {on}")),
        Value::Other(name) => Err(format!("is a whole number, not a TOML {name}")),
    }
}

fn switch(value: &Value) -> Result<bool, String> {
    match value {
        Value::Switch(on) => Ok(*on),
        Value::Loose(text) => {
            let on = text.parse();
            on.map_err(|_| format!("is true or false, not \"{text}\""))
        }
        Value::Text(text) => Err(format!("is true or false, not the text \"{text}\"")),
        Value::Number(n) => Err(format!("is true or false, not {n}")),
        Value::Other(name) => Err(format!("is true or false, not a TOML {name}")),
    }
}

/// A text for people: short, on one line.
fn plain(text: &str, most: usize) -> Result<String, String> {
    if text.chars().count() > most {
        Err(format!("has more than {most} characters"))
    } else if text.chars().any(char::is_control) {
        Err("contains control characters".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

fn path(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    let up = path
        .components()
        .any(|part| part == std::path::Component::ParentDir);
    if !path.is_absolute() {
        Err(format!("is an absolute path, not \"{text}\""))
    } else if up || text.chars().any(char::is_control) {
        Err(format!(
            "cannot be {text:?}: no `..` and no control characters in a path"
        ))
    } else {
        Ok(path.to_path_buf())
    }
}

const UNITS: [(&str, u32); 5] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];

/// `"256 MiB"`, `"1GiB"`, `"4096"`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = (&text[..digits], text[digits..].trim());
    let shift = match unit {
        "" => Some(0),
        unit => UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .map(|(_, shift)| *shift),
    };
    let bytes = number
        .parse::<u64>()
        .ok()
        .zip(shift)
        .and_then(|(n, shift)| n.checked_mul(1 << shift));
    bytes.ok_or_else(|| format!("is no size: \"{text}\""))
}

/// The largest unit that says it exactly.
fn size_text(bytes: u64) -> String {
    let exact = UNITS
        .iter()
        .find(|(_, shift)| bytes != 0 && bytes.is_multiple_of(1 << shift));
    let (unit, shift) = exact.unwrap_or(&UNITS[4]);
    format!("{} {unit}", bytes >> shift)
}

impl From<ConfigEntry> for seatkeeper::wire::ConfigEntry {
    fn from(entry: ConfigEntry) -> Self {
        seatkeeper::wire::ConfigEntry {
            key: entry.key.to_owned(),
            value: entry.value,
            origin: entry.origin.to_string(),
        }
    }
}
