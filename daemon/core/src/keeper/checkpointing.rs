//! Checkpoints beside the keeper: it ends the journal's file and hands a snapshot over; a thread writes it and has the
//! journal note it. No command waits for that.

use super::worker::own;
use super::{Handle, Shared, Snapshot};
use crate::checkpoint::Checkpoints;
use crate::journal::Journal;
use seatkeeper_engine::{Command, Origin};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// With more users and grants together than this a checkpoint comes after more events than are configured, in proportion: it
/// costs as much as the state is large. A start reads and folds so many more.
const LARGE: u64 = 400_000;

/// When the next checkpoint is due, and who writes it.
pub(super) struct Checkpointing {
    every: u64,
    since: u64,
    writer: Arc<Writer>,
    hand: Sender<Arc<Snapshot>>,
}

/// What the writer tells.
#[derive(Default)]
pub(super) struct Writer {
    /// It has a snapshot to write.
    busy: AtomicBool,
    failed: Mutex<Option<String>>,
}

impl Writer {
    /// Why nothing came of the last checkpoint, where nothing did.
    pub(super) fn failed(&self) -> MutexGuard<'_, Option<String>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// After how many events a checkpoint is due: where the last could not be written, after a quarter of them.
fn due(every: u64, entries: u64, failed: bool) -> u64 {
    let due = every.max(every.saturating_mul(entries) / LARGE);
    if failed { due.div_ceil(4) } else { due }
}

impl Checkpointing {
    /// Starts the writer. `since`: the first event after the newest checkpoint.
    pub(super) fn start(
        folder: Checkpoints,
        every: u64,
        since: u64,
        writer: Arc<Writer>,
        shared: Weak<Shared>,
    ) -> io::Result<Self> {
        let (hand, snapshots) = channel();
        let tells = writer.clone();
        std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || write(&folder, &snapshots, &tells, &shared))?;
        Ok(Checkpointing {
            every: every.max(1),
            since,
            writer,
            hand,
        })
    }

    /// After a batch: where enough was recorded since the last checkpoint, the journal goes on in a new file and the
    /// snapshot goes to the writer. A file that cannot be made changes nothing; it is tried again some events later.
    pub(super) fn look(&mut self, journal: &dyn Journal, snapshot: &Arc<Snapshot>) {
        let next = snapshot.head.number + 1;
        let entries = snapshot.state.users.len() + snapshot.state.grants.len();
        let due = due(self.every, entries as u64, self.writer.failed().is_some());
        if next.saturating_sub(self.since) < due || self.writer.busy.load(Ordering::Acquire) {
            return;
        }
        if let Err(why) = journal.rotate(next) {
            tracing::warn!(%why, "no new journal file could be begun; events go on into the present one");
            self.since += self.every.div_ceil(16);
            return;
        }
        self.since = next;
        self.writer.busy.store(true, Ordering::Release);
        if self.hand.send(snapshot.clone()).is_err() {
            tracing::error!(
                "nobody writes checkpoints any more, until the next start: it reads the journal instead"
            );
        }
    }
}

fn write(
    folder: &Checkpoints,
    snapshots: &Receiver<Arc<Snapshot>>,
    writer: &Writer,
    shared: &Weak<Shared>,
) {
    for snapshot in snapshots {
        let _writing = Writing(&writer.busy);
        let written = folder.write(&snapshot);
        *writer.failed() = written.as_ref().err().map(ToString::to_string);
        match written {
            Ok((number, hash)) => {
                tracing::info!(number, %hash, "a checkpoint was written");
                note(shared, Command::NoteCheckpoint { number, hash });
            }
            Err(why) => {
                tracing::warn!(%why, "a checkpoint could not be written; the one before it and the journal do as well");
            }
        }
        drop(snapshot);
    }
}

/// While a checkpoint is written, and not beyond a panic: the next one is told that nobody writes it.
struct Writing<'a>(&'a AtomicBool);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Has the journal note it. At a stop that may come too late: the note only guards against a file that was exchanged.
fn note(shared: &Weak<Shared>, command: Command) {
    let Some(shared) = shared.upgrade() else {
        return;
    };
    let order = own(Origin::Watch, command);
    Handle { shared }.submit(order, None, Box::new(drop));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_site_has_a_checkpoint_later_in_proportion_and_sooner_after_one_that_failed() {
        assert_eq!(due(100_000, 0, false), 100_000);
        assert_eq!(due(100_000, LARGE, false), 100_000);
        assert_eq!(due(100_000, LARGE + LARGE / 2, false), 150_000);
        assert_eq!(due(100_000, 10 * LARGE, false), 1_000_000);
        assert_eq!(due(100_000, 10 * LARGE, true), 250_000);
        assert_eq!(due(1, 0, true), 1);
    }
}
