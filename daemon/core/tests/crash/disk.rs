//! A disk that forgets: what was written since the last sync is gone, whole or in parts, when the power fails.

use redb::StorageBackend;
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
}

/// A disk with its page cache. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    live: Vec<u8>,
    durable: Vec<u8>,
    cached: Vec<Change>,
    operations: u64,
    syncs: u64,
    fault: Option<Fault>,
    sync_lies: bool,
}

#[derive(Debug)]
enum Change {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

impl Disk {
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

    /// Syncs ever made.
    pub(crate) fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// The power is gone: of what was not synced, `keep` says what reached the disk.
    pub(crate) fn lose_power(&self, mut keep: impl FnMut() -> bool) {
        let mut state = self.state();
        let cached = std::mem::take(&mut state.cached);
        for change in cached {
            if keep() {
                change.apply(&mut state.durable);
            }
        }
        state.live = state.durable.clone();
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
            _ => Ok(()),
        }
    }

    fn change(&mut self, change: Change) -> Result<()> {
        self.operation()?;
        change.apply(&mut self.live);
        self.cached.push(change);
        Ok(())
    }
}

impl Change {
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

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64> {
        Ok(self.state().live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let state = self.state();
        let offset = usize::try_from(offset).unwrap();
        let bytes = state.live.get(offset..offset + out.len());
        out.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.state()
            .change(Change::Length(usize::try_from(len).unwrap()))
    }

    fn sync_data(&self) -> Result<()> {
        let mut state = self.state();
        state.operation()?;
        state.syncs += 1;
        if !state.sync_lies {
            for change in std::mem::take(&mut state.cached) {
                change.apply(&mut state.durable);
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.state().change(Change::Bytes(
            usize::try_from(offset).unwrap(),
            data.to_vec(),
        ))
    }
}
