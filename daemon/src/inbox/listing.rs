//! What lies in an inbox: the files that are read, and those that are not.

use super::Kind;
use std::collections::BTreeSet;
use std::path::Path;

/// Files of one inbox that are looked at.
const FILES: usize = 1024;
/// Files with another ending that are named.
const OTHERS: usize = 5;

/// The files of a folder that belong into its inbox, in order, and how many more there are than are looked at.
pub(super) fn names(path: &Path, kind: Kind) -> (BTreeSet<String>, usize) {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: BTreeSet<_> = entries
        .filter_map(|entry| file_name(&entry.path(), kind))
        .collect();
    let left = names.len().saturating_sub(FILES);
    while names.len() > FILES {
        names.pop_last();
    }
    (names, left)
}

/// What lies there and is not looked at, at most a few: a name with another ending, mostly by mistake.
pub(super) fn others(path: &Path, kind: Kind) -> Vec<String> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .filter(|entry| file_name(&entry.path(), kind).is_none())
        .map(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .replace(char::is_control, "?")
        })
        .filter(|name| {
            !name.starts_with('.') && !name.ends_with('~') && !name.starts_with("README")
        })
        .collect();
    names.sort();
    names.truncate(OTHERS);
    names
}

/// What is said of them.
pub(super) fn not_read(others: &[String], kind: Kind) -> (String, String) {
    let end = ending(kind);
    let text = format!("holds what is not read: {}", others.join(", "));
    let remedy = format!(
        "files here are read where their name ends in {end}: rename them, or take them away"
    );
    (text, remedy)
}

/// What is said of more files than are read.
pub(super) fn too_many(left: usize) -> (String, String) {
    let text = format!("holds {left} files more than the {FILES} that are read");
    (
        text,
        "take away what is installed: deleting a file here removes nothing".to_owned(),
    )
}

/// The name of a file that belongs into an inbox: `*.pem` or `*.lic`, not hidden.
pub(super) fn file_name(path: &Path, kind: Kind) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let end = ending(kind);
    (name.ends_with(end) && !name.starts_with('.') && name.len() > end.len())
        .then(|| name.to_owned())
}

fn ending(kind: Kind) -> &'static str {
    match kind {
        Kind::Vendors => ".pem",
        Kind::Licenses => ".lic",
    }
}
