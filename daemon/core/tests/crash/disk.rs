//! A disk that forgets: what was written since the last sync is gone, whole or in parts, when the power fails.

use redb::StorageBackend;
use seatkeeper_core::journal::{JournalError, RedbJournal};
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::sync::{Arc, Mutex, MutexGuard};

/// What goes wrong, and when: counted in writes, length changes and syncs from the last boot on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// The power fails at this operation: it and all later ones fail.
    PowerCut { at: u64 },
    /// From this operation on the system answers with this error.
    Refuses { at: u64, kind: ErrorKind },
    /// This operation is answered with this error, and all later ones work again.
    Once { at: u64, kind: ErrorKind },
}

/// The append segment of these tests: it is full, and moves its rows, every dozen of them.
pub(crate) const SEGMENT: usize = 64 << 10;
const BLOCK: usize = 4096;

/// A disk of files with its page cache. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    state: Arc<Mutex<State>>,
}

/// One file of a disk.
#[derive(Debug)]
pub(crate) struct DiskFile {
    name: &'static str,
    disk: Disk,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<&'static str, Image>,
    operations: u64,
    syncs: u64,
    fault: Option<Fault>,
    sync_lies: bool,
}

/// A file as a process sees it, as a power cut leaves it, and what lies between.
#[derive(Clone, Debug, Default)]
struct Image {
    live: Vec<u8>,
    durable: Vec<u8>,
    cached: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

impl Disk {
    /// The journal on this disk.
    pub(crate) fn journal(&self) -> std::result::Result<RedbJournal, JournalError> {
        let (file, append) = (self.file("1.redb"), self.file("append"));
        let space = Box::new(|| Ok(u64::MAX));
        RedbJournal::over(file, append, SEGMENT, ("journal", space))
    }

    pub(crate) fn file(&self, name: &'static str) -> DiskFile {
        let disk = self.clone();
        DiskFile { name, disk }
    }

    /// Changes a file's bytes as no process does.
    pub(crate) fn damage(&self, name: &'static str, how: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let image = state.image(name);
        how(&mut image.live);
        image.durable = image.live.clone();
    }

    /// From here on syncs do nothing, and say that they did: the test that must fail.
    pub(crate) fn stop_syncing(&self) {
        self.state().sync_lies = true;
    }

    /// Boots again with a fault to come.
    pub(crate) fn boot(&self, fault: Fault) {
        let mut state = self.state();
        state.operations = 0;
        state.fault = Some(fault);
    }

    /// Changes made since the last boot.
    pub(crate) fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Another disk with the same on it, as it stands: page cache and all.
    pub(crate) fn copy(&self) -> Disk {
        let files = self.state().files.clone();
        let state = State {
            files,
            ..State::default()
        };
        Disk {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Whether the fault has come.
    pub(crate) fn failed(&self) -> bool {
        let state = self.state();
        match state.fault {
            None | Some(Fault::None) => false,
            Some(Fault::PowerCut { at } | Fault::Refuses { at, .. } | Fault::Once { at, .. }) => {
                state.operations >= at
            }
        }
    }

    /// Syncs ever made.
    pub(crate) fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// The power is gone: of what was not synced, `keep` says what reached the disk, block by block.
    pub(crate) fn lose_power(&self, mut keep: impl FnMut() -> bool) {
        for image in self.state().files.values_mut() {
            for change in std::mem::take(&mut image.cached) {
                for change in change.torn() {
                    if keep() {
                        change.apply(&mut image.durable);
                    }
                }
            }
            image.live = image.durable.clone();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn operation(&mut self) -> Result<()> {
        self.operations += 1;
        match self.fault {
            Some(Fault::PowerCut { at }) if self.operations >= at => Err(Error::other("no power")),
            Some(Fault::Refuses { at, kind }) if self.operations >= at => Err(kind.into()),
            Some(Fault::Once { at, kind }) if self.operations == at => Err(kind.into()),
            _ => Ok(()),
        }
    }

    fn image(&mut self, name: &'static str) -> &mut Image {
        self.files.entry(name).or_default()
    }

    fn change(&mut self, name: &'static str, change: Change) -> Result<()> {
        self.operation()?;
        let image = self.image(name);
        change.apply(&mut image.live);
        image.cached.push(change);
        Ok(())
    }
}

impl Change {
    /// The parts that reach the disk alone: blocks, as a power cut tears a longer write.
    fn torn(self) -> Vec<Change> {
        match self {
            Change::Length(_) => vec![self],
            Change::Bytes(offset, bytes) => {
                let block =
                    |(at, part): (usize, &[u8])| Change::Bytes(offset + at * BLOCK, part.to_vec());
                bytes.chunks(BLOCK).enumerate().map(block).collect()
            }
        }
    }

    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Change::Length(length) => image.resize(*length, 0),
            Change::Bytes(offset, bytes) => {
                let end = offset + bytes.len();
                if image.len() < end {
                    image.resize(end, 0);
                }
                image[*offset..end].copy_from_slice(bytes);
            }
        }
    }
}

impl StorageBackend for DiskFile {
    fn len(&self) -> Result<u64> {
        Ok(self.disk.state().image(self.name).live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let mut state = self.disk.state();
        let offset = usize::try_from(offset).unwrap();
        let bytes = state.image(self.name).live.get(offset..offset + out.len());
        out.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let change = Change::Length(usize::try_from(len).unwrap());
        self.disk.state().change(self.name, change)
    }

    fn sync_data(&self) -> Result<()> {
        let mut state = self.disk.state();
        state.operation()?;
        state.syncs += 1;
        if !state.sync_lies {
            let image = state.image(self.name);
            for change in std::mem::take(&mut image.cached) {
                change.apply(&mut image.durable);
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let change = Change::Bytes(usize::try_from(offset).unwrap(), data.to_vec());
        self.disk.state().change(self.name, change)
    }
}
