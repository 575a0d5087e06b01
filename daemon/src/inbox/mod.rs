//! The inboxes `licenses.d` and `vendors.d`: what lies there is copied in; deleting a file removes nothing.

mod listing;
mod quiet;
#[cfg(test)]
mod tests;

use crate::clock::Stopwatch;
use crate::os::files::{Unreadable, open_folder, read_below, trusted_folder};
use listing::{file_name, names, not_read, others, too_many};
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use quiet::Quiet;
use seatkeeper::token::dates;
use seatkeeper::wire::{Code, Finding, InstalledLicense};
use seatkeeper_core::desk::{Desk, Refused};
use seatkeeper_engine::ids::LicenseId;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// A file is read once it was left alone for so long.
const QUIET: Duration = Duration::from_secs(1);
/// So often both folders are looked through, whatever the system told of them, and what was refused is tried again: a
/// first day comes, a clock is set, a vendor is trusted.
const AGAIN: Duration = Duration::from_secs(60);
/// The largest license file (S8).
const LICENSE_MAX: u64 = 256 << 10;
/// The largest file of root keys.
const VENDOR_MAX: u64 = 64 << 10;

/// Who takes what lies in the inboxes and keeps what is to be said of it.
pub trait Taker: Send + Sync + 'static {
    /// A file of root keys; what came of it, in words for the log.
    ///
    /// # Errors
    /// It is refused.
    fn trust(&self, file: &str, pem: &str) -> Result<String, Refused>;

    /// A license file; what came of it, in words for the log.
    ///
    /// # Errors
    /// It is refused.
    fn install(&self, file: &str, bytes: &[u8]) -> Result<String, Refused>;

    /// What is to be said of a file or folder; `None` forgets it.
    fn note(&self, file: &str, finding: Option<Finding>);
}

impl Taker for Desk {
    fn trust(&self, file: &str, pem: &str) -> Result<String, Refused> {
        let vendor = self.trust_from_inbox(file, pem)?;
        Ok(format!("vendor {} is trusted", vendor.name))
    }

    fn install(&self, file: &str, bytes: &[u8]) -> Result<String, Refused> {
        let installed = self.install_from_inbox(file, bytes)?;
        let told = installed.licenses.iter().map(|license| told(self, license));
        if installed.licenses.is_empty() {
            let text = installed.warnings.join("; ");
            let remedy =
                "put the vendor's license file there, or take this one away: what it says is known"
                    .to_owned();
            let told = (!installed.changed).then(|| finding(file, text, remedy));
            self.remark(file, told);
        }
        Ok(told
            .chain(installed.warnings.clone())
            .collect::<Vec<_>>()
            .join("; "))
    }

    fn note(&self, file: &str, finding: Option<Finding>) {
        self.remark(file, finding);
    }
}

/// What came of a license: in force now, as before, or stale.
fn told(desk: &Desk, license: &InstalledLicense) -> String {
    let name = format!("license {}/{}", license.vendor, license.id);
    let serial = license.serial;
    if let Some(day) = license.waits_until {
        return format!("{name} serial {serial} waits until {}", dates::format(day));
    }
    if license.new {
        return format!("{name} serial {serial} is in force now");
    }
    let id = LicenseId {
        vendor: license.vendor.as_str().into(),
        id: license.id.as_str().into(),
    };
    let state = &desk.snapshot().state;
    match state.licenses.get(&id).map(|known| known.terms.serial) {
        Some(known) if known == serial => format!("{name} serial {serial} was in force already"),
        Some(known) => format!("{name} serial {serial} is stale: serial {known} is in force"),
        None if state.waits(&id).any(|known| known.terms.serial == serial) => {
            format!("{name} serial {serial} waits already")
        }
        None if state.replaced.contains_key(&id) => {
            format!("{name} serial {serial} is stale: another license has taken its place")
        }
        None => format!(
            "{name} serial {serial} was removed here; `seatkeeper license install FILE` brings it back, no file of this folder does"
        ),
    }
}

/// Which inbox.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    // In this order they are read: a license needs its vendor.
    Vendors,
    Licenses,
}

/// A file of an inbox, by its name.
type File = (Kind, String);

/// What tells one state of a file from the next: inode, size, times of change.
type Stamp = (u64, u64, i64, i64, i64);

enum Word {
    /// This file; true where it came whole.
    Changed(File, bool),
    /// Something was missed, or happened to the folder itself.
    Look,
    Stop,
}

/// The running inboxes; dropping them ends their thread.
pub struct Inbox {
    words: Sender<Word>,
    thread: Option<JoinHandle<()>>,
}

impl Inbox {
    /// Reads what lies in both folders, then watches them.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(
        desk: Arc<dyn Taker>,
        vendors: PathBuf,
        licenses: PathBuf,
    ) -> std::io::Result<Inbox> {
        let (words, heard) = channel();
        let mut reader = Reader {
            desk,
            folders: [(Kind::Vendors, vendors), (Kind::Licenses, licenses)],
            watchers: BTreeMap::new(),
            seen: BTreeMap::new(),
            refused: BTreeSet::new(),
            words: words.clone(),
        };
        let run = move || reader.run(&heard);
        let thread = std::thread::Builder::new()
            .name("inbox".to_owned())
            .spawn(run)?;
        Ok(Inbox {
            words,
            thread: Some(thread),
        })
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let _ = self.words.send(Word::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Reader {
    desk: Arc<dyn Taker>,
    folders: [(Kind, PathBuf); 2],
    /// Each with the inode of the folder that it watches: a folder that was made anew is watched anew.
    watchers: BTreeMap<Kind, (u64, RecommendedWatcher)>,
    seen: BTreeMap<File, Stamp>,
    refused: BTreeSet<File>,
    words: Sender<Word>,
}

impl Reader {
    fn run(&mut self, heard: &Receiver<Word>) {
        let clock = Stopwatch::start();
        let mut quiet = Quiet::new(QUIET);
        let all = self.look_everywhere();
        self.read_all(all);
        let mut again = AGAIN;
        loop {
            let now = clock.elapsed();
            let due = quiet.next().map_or(again, |due| due.min(again));
            let mut look = false;
            match heard.recv_timeout(due.saturating_sub(now)) {
                Ok(Word::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Word::Changed(file, whole)) => quiet.touched(file, clock.elapsed(), whole),
                Ok(Word::Look) => look = true,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = clock.elapsed();
            // One change is told several times.
            let mut due = quiet.due(now);
            due.retain(|file| self.is_new(file));
            self.read_all(due);
            if look || now >= again {
                again = now + AGAIN;
                // What changed may be being written; what is as it was when it was refused may be tried again.
                let found = self.look_everywhere().into_iter();
                let (new, refused): (Vec<_>, Vec<_>) = found.partition(|file| self.is_new(file));
                new.into_iter()
                    .for_each(|file| quiet.touched(file, now, false));
                self.read_all(refused);
            }
        }
    }

    /// Watches folders that are not watched yet; returns what is new, changed, or was refused in them.
    fn look_everywhere(&mut self) -> Vec<File> {
        let mut wanted = Vec::new();
        for (kind, path) in self.folders.clone() {
            let trusted = trusted_folder(&path).map_err(|e| (e.text, e.remedy));
            // A folder that cannot be watched is still looked through; one that others can write to is not.
            let watched = trusted.clone().and_then(|()| self.watch(kind, &path));
            let (files, left) = if trusted.is_ok() {
                names(&path, kind)
            } else {
                Default::default()
            };
            let others = || {
                let others = if trusted.is_ok() {
                    others(&path, kind)
                } else {
                    Vec::new()
                };
                (!others.is_empty()).then(|| not_read(&others, kind))
            };
            let said = watched
                .err()
                .or_else(|| (left > 0).then(|| too_many(left)))
                .or_else(others);
            let name = path.display().to_string();
            let said = said.map(|(text, remedy)| finding(&name, text, remedy));
            self.desk.note(&name, said);
            let files = files.into_iter().map(|name| (kind, name));
            wanted.extend(files.filter(|file| self.refused.contains(file) || self.is_new(file)));
        }
        let known = self.seen.keys().chain(&self.refused);
        let gone: BTreeSet<_> = known
            .filter(|file| self.stamp(file).is_none())
            .cloned()
            .collect();
        gone.iter().for_each(|file| self.forget(file));
        wanted
    }

    fn watch(&mut self, kind: Kind, path: &Path) -> Result<(), (String, String)> {
        let inode = std::fs::metadata(path).map_or(0, |found| found.ino());
        if self
            .watchers
            .get(&kind)
            .is_some_and(|(watched, _)| *watched == inode)
        {
            return Ok(());
        }
        self.watchers.remove(&kind);
        let words = self.words.clone();
        let itself = path.to_owned();
        let told = move |event: notify::Result<notify::Event>| {
            // The thread may have ended; then nobody wants to hear it.
            let Ok(event) = event else {
                let _ = words.send(Word::Look);
                return;
            };
            // Opening and closing is also what we do when we read.
            if matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write))
            {
                return;
            }
            if event.need_rescan() || event.paths.contains(&itself) {
                let _ = words.send(Word::Look);
            }
            let whole = matches!(
                event.kind,
                EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both))
            );
            for path in &event.paths {
                if let Some(name) = file_name(path, kind) {
                    let _ = words.send(Word::Changed((kind, name), whole));
                }
            }
        };
        let failed = |e: notify::Error| {
            (
                format!("cannot be watched: {e}"),
                "raise fs.inotify.max_user_watches; the folder is read once a minute meanwhile"
                    .to_owned(),
            )
        };
        let mut watcher = notify::recommended_watcher(told).map_err(failed)?;
        watcher
            .watch(path, RecursiveMode::NonRecursive)
            .map_err(failed)?;
        self.watchers.insert(kind, (inode, watcher));
        Ok(())
    }

    fn read_all(&mut self, mut files: Vec<File>) {
        files.sort();
        let before = self.refused.len();
        let vendors = files.iter().any(|(kind, _)| *kind == Kind::Vendors);
        files.iter().for_each(|file| self.read(file));
        // A vendor that is trusted now may be the one that a refused license waits for.
        if vendors && before > 0 {
            let waiting: Vec<_> = self
                .refused
                .iter()
                .filter(|(kind, _)| *kind == Kind::Licenses)
                .cloned()
                .collect();
            waiting.iter().for_each(|file| self.read(file));
        }
    }

    fn read(&mut self, file: &File) {
        let (kind, name) = file;
        let folder = self.folder(*kind).to_owned();
        if trusted_folder(&folder).is_err() {
            return;
        }
        // Before it is read: what is written meanwhile makes another stamp.
        if let Some(stamp) = self.stamp(file) {
            self.seen.insert(file.clone(), stamp);
        }
        let most = if *kind == Kind::Vendors {
            VENDOR_MAX
        } else {
            LICENSE_MAX
        };
        let bytes = open_folder(&folder)
            .map_err(|e| Unreadable::Failed(e.into()))
            .and_then(|folder| read_below(folder, name, most));
        let refused = match bytes {
            Err(Unreadable::Gone) => return self.forget(file),
            Err(why) => {
                let (text, remedy) = unreadable(&why, most);
                if !self.refused.contains(file) {
                    tracing::warn!(file = name, text, "not read from the inbox");
                }
                let code = matches!(why, Unreadable::TooLarge).then_some(Code::BodyTooLarge);
                let said = Finding {
                    code,
                    ..finding(name, text, remedy)
                };
                self.desk.note(name, Some(said));
                true
            }
            Ok(bytes) => self.take(*kind, name, &bytes),
        };
        if refused {
            self.refused.insert(file.clone())
        } else {
            self.refused.remove(file)
        };
    }

    /// Hands a file to the desk, which keeps what it says of it; true where it was refused.
    fn take(&self, kind: Kind, name: &str, bytes: &[u8]) -> bool {
        let done = match kind {
            Kind::Vendors => self.desk.trust(name, &String::from_utf8_lossy(bytes)),
            Kind::Licenses => self.desk.install(name, bytes),
        };
        match done {
            Ok(what) => tracing::info!(file = name, what, "read from the inbox"),
            Err(refused) if self.refused.contains(&(kind, name.to_owned())) => {
                tracing::debug!(file = name, code = %refused.code, "still refused");
                return true;
            }
            Err(refused) => {
                tracing::warn!(file = name, code = %refused.code, detail = %refused.detail, "refused from the inbox; see `seatkeeper doctor`");
                return true;
            }
        }
        false
    }

    fn forget(&mut self, file: &File) {
        self.seen.remove(file);
        self.refused.remove(file);
        self.desk.note(&file.1, None);
    }

    fn folder(&self, kind: Kind) -> &Path {
        let [(_, vendors), (_, licenses)] = &self.folders;
        if kind == Kind::Vendors {
            vendors
        } else {
            licenses
        }
    }

    /// It is not as it was when it was read, or is gone.
    fn is_new(&self, file: &File) -> bool {
        let stamp = self.stamp(file);
        stamp.is_none() || self.seen.get(file) != stamp.as_ref()
    }

    /// The state of a file now; of a link its own.
    fn stamp(&self, (kind, name): &File) -> Option<Stamp> {
        let found = std::fs::symlink_metadata(self.folder(*kind).join(name)).ok()?;
        Some((
            found.ino(),
            found.len(),
            found.mtime_nsec(),
            found.ctime(),
            found.ctime_nsec(),
        ))
    }
}

fn unreadable(why: &Unreadable, most: u64) -> (String, String) {
    let text = match why {
        Unreadable::Gone => "is gone".to_owned(),
        Unreadable::NotAFile => "is not a plain file".to_owned(),
        Unreadable::TooLarge => format!("has more than {most} bytes"),
        Unreadable::Failed(e) => format!("cannot be read: {e}"),
    };
    let remedy = match why {
        Unreadable::Failed(_) => "let the daemon's user read it",
        Unreadable::TooLarge => {
            "no such file is so large: put there what the vendor sent, and nothing else"
        }
        _ => "put the file itself there, not a link, as the vendor sent it",
    };
    (text, remedy.to_owned())
}

fn finding(file: &str, text: String, remedy: String) -> Finding {
    Finding {
        level: "warning".to_owned(),
        about: "inbox".to_owned(),
        text: format!("{file} {text}"),
        remedy,
        code: None,
        file: Some(file.to_owned()),
    }
}
