//! The inboxes `licenses.d` and `vendors.d`: what lies there is copied in; deleting a file removes nothing.

mod quiet;

use crate::clock::Stopwatch;
use crate::os::files::{Unreadable, open_folder, read_below, trusted_folder};
use notify::event::{EventKind, ModifyKind, RenameMode};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use quiet::Quiet;
use seatkeeper::wire::Finding;
use seatkeeper_core::desk::Desk;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// A file is read once it was left alone for so long.
const QUIET: Duration = Duration::from_secs(1);
/// What was refused is tried again so often: a first day comes, a clock is set, a vendor is trusted.
const AGAIN: Duration = Duration::from_secs(60);
/// The largest license file (S8).
const LICENSE_MAX: u64 = 256 << 10;
/// The largest file of root keys.
const VENDOR_MAX: u64 = 64 << 10;

/// Which inbox.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    // In this order they are read: a license needs its vendor.
    Vendors,
    Licenses,
}

/// A file of an inbox, by its name.
type File = (Kind, String);

enum Word {
    Changed(File, bool),
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
    pub fn start(desk: Arc<Desk>, vendors: PathBuf, licenses: PathBuf) -> std::io::Result<Inbox> {
        let (words, heard) = channel();
        let mut reader = Reader {
            desk,
            folders: [(Kind::Vendors, vendors), (Kind::Licenses, licenses)],
            watchers: Vec::new(),
            watched: BTreeSet::new(),
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
    desk: Arc<Desk>,
    folders: [(Kind, PathBuf); 2],
    watchers: Vec<RecommendedWatcher>,
    watched: BTreeSet<Kind>,
    refused: BTreeSet<File>,
    words: Sender<Word>,
}

impl Reader {
    fn run(&mut self, heard: &Receiver<Word>) {
        let clock = Stopwatch::start();
        let mut quiet = Quiet::new(QUIET);
        self.look_everywhere();
        let mut again = AGAIN;
        loop {
            let now = clock.elapsed();
            let due = quiet.next().map_or(again, |due| due.min(again));
            match heard.recv_timeout(due.saturating_sub(now)) {
                Ok(Word::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Word::Changed(file, whole)) => quiet.touched(file, clock.elapsed(), whole),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = clock.elapsed();
            self.read_all(quiet.due(now));
            if now >= again {
                again = now + AGAIN;
                self.look_everywhere();
            }
        }
    }

    /// Watches folders that are not watched yet and reads what is new or was refused there.
    fn look_everywhere(&mut self) {
        for (kind, path) in self.folders.clone() {
            let first = !self.watched.contains(&kind);
            let name = path.display().to_string();
            let opened = trusted_folder(&path).map_err(|e| (e.text, e.remedy));
            match opened.and_then(|()| self.watch(kind, &path)) {
                Ok(()) => self.desk.note_inbox(&name, None),
                Err((text, remedy)) => {
                    self.desk
                        .note_inbox(&name, Some(finding(&name, text, remedy)));
                    continue;
                }
            }
            let files = names(&path, kind).into_iter().map(|name| (kind, name));
            let wanted = files
                .filter(|file| first || self.refused.contains(file))
                .collect();
            self.read_all(wanted);
        }
        let gone: Vec<_> = self
            .refused
            .iter()
            .filter(|file| !self.path(file).exists())
            .cloned()
            .collect();
        gone.iter().for_each(|file| self.forget(file));
    }

    fn watch(&mut self, kind: Kind, path: &Path) -> Result<(), (String, String)> {
        if self.watched.contains(&kind) {
            return Ok(());
        }
        let words = self.words.clone();
        let told = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
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
        self.watchers.push(watcher);
        self.watched.insert(kind);
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
                self.desk
                    .note_inbox(name, Some(finding(name, text, remedy)));
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
            Kind::Vendors => self
                .desk
                .trust_from_inbox(name, &String::from_utf8_lossy(bytes))
                .map(|_| ()),
            Kind::Licenses => self.desk.install_from_inbox(name, bytes).map(|_| ()),
        };
        match done {
            Ok(()) => tracing::info!(file = name, "read from the inbox"),
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
        self.refused.remove(file);
        self.desk.note_inbox(&file.1, None);
    }

    fn folder(&self, kind: Kind) -> &Path {
        let [(_, vendors), (_, licenses)] = &self.folders;
        if kind == Kind::Vendors {
            vendors
        } else {
            licenses
        }
    }

    fn path(&self, (kind, name): &File) -> PathBuf {
        self.folder(*kind).join(name)
    }
}

/// The files of a folder that belong into its inbox, in order.
fn names(path: &Path, kind: Kind) -> BTreeSet<String> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| file_name(&entry.path(), kind))
        .collect()
}

/// The name of a file that belongs into an inbox: `*.pem` or `*.lic`, not hidden.
fn file_name(path: &Path, kind: Kind) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let end = if kind == Kind::Vendors {
        ".pem"
    } else {
        ".lic"
    };
    (name.ends_with(end) && !name.starts_with('.') && name.len() > end.len())
        .then(|| name.to_owned())
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
