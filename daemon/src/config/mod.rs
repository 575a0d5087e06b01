//! Configuration in three steps: fragments as written, merged by precedence, validated [`Settings`] that know where each value came from.
//!
//! Later wins: defaults, the file, `conf.d/*.toml` beside it in the order of their names, `SEATKEEPERD_*`, flags.
//! All that is wrong is told at once, each with its place. `run` and `check-config` use this one loader.

mod example;
mod fault;
mod fragment;
mod keys;
mod mail;
mod settings;
#[cfg(test)]
mod tests;

pub use example::example;
pub use fault::{Fault, Faults};
pub use keys::{KEYS, Key};
pub use mail::{MailSettings, Tls};
pub use settings::{AssignNew, ConfigEntry, LogFormat, LogLevel, Origin, Settings, UnknownUsers};

use fragment::{Entry, from_environment, from_file, from_flags};
use std::path::{Path, PathBuf};

/// The file that is read where `--config` names none; it may be missing.
pub const DEFAULT_FILE: &str = "/etc/seatkeeper/seatkeeper.toml";

/// Where to look, as the process was started.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`: then it must exist. Its `conf.d` lies beside it.
    pub file: Option<PathBuf>,
    /// The environment; only names that start with `SEATKEEPERD_` are looked at.
    pub environment: Vec<(String, String)>,
    /// Flags: (key, value).
    pub flags: Vec<(String, String)>,
    /// How many files the process may have open (hard `RLIMIT_NOFILE`); a limit above it is refused.
    pub open_files: Option<u64>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The files that were read, in order.
    pub files: Vec<PathBuf>,
}

/// Reads, merges and validates.
///
/// # Errors
/// All faults that were found, in the order of the sources.
pub fn load(sources: &Sources) -> Result<Loaded, Faults> {
    let mut faults = Vec::new();
    let mut files = Vec::new();
    let mut entries = Vec::new();
    for path in paths(sources, &mut faults) {
        entries.extend(from_file(&path, &mut faults));
        files.push(path);
    }
    entries.extend(from_environment(&sources.environment));
    entries.extend(from_flags(&sources.flags));
    let settings = merge(&entries, &mut faults);
    settings.check(sources.open_files, &mut faults);
    if faults.is_empty() {
        Ok(Loaded { settings, files })
    } else {
        Err(Faults(faults))
    }
}

/// The main file, where it is there or asked for, and the fragments beside it.
fn paths(sources: &Sources, faults: &mut Vec<Fault>) -> Vec<PathBuf> {
    let main = sources.file.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
    let mut paths = Vec::new();
    if sources.file.is_some() || main.exists() {
        paths.push(main.to_path_buf());
    }
    let folder = main.parent().unwrap_or(Path::new("/")).join("conf.d");
    match fragments(&folder) {
        Ok(found) => paths.extend(found),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => faults.push(Fault::of_file(
            &folder,
            &format!("cannot be read: {e}"),
            "let the daemon's user read the folder",
        )),
    }
    paths
}

/// `*.toml` of a folder in the order of their names; hidden ones (editors' copies) are left alone.
fn fragments(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
        if path.extension().is_some_and(|e| e == "toml") && !hidden {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Applies the defaults and then every entry in turn, so that a fault in an overridden one is told too.
fn merge(entries: &[Entry], faults: &mut Vec<Fault>) -> Settings {
    let mut settings = Settings::default();
    for entry in entries {
        match keys::find(&entry.key) {
            Some(key) => {
                if let Err(text) = settings.set(key, &entry.value, entry.origin.clone()) {
                    faults.push(Fault::of_value(entry, key, &text));
                }
            }
            None => faults.push(Fault::of_key(entry)),
        }
    }
    settings
}
