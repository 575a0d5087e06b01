//! The start: load and verify the journal, found the site where there is none, journal the new run, then serve.

use super::checkpointing::Checkpointing;
use super::worker::{Rounds, Worker, own, serve};
use super::{ByHand, Handle, Keeper, OnEvents, OnFatal, Shared, queue::Queue};
use crate::calendar::{Began, Calendar, Mark};
use crate::checkpoint::{Checkpoint, Checkpoints};
use crate::clock::Clock;
use crate::journal::{Head, Journal, JournalError, Row, RowFault, RowWriter, follow};
use crate::random;
use crate::side::{Kind, Side, SideError};
use crate::state_dir::replace;
use crate::storage::Guard;
use arc_swap::ArcSwap;
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::ids::{CheckpointHash, MachineId, RunId, UnitId};
use seatkeeper_engine::{Command, Engine, Origin};
use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::{fmt, io, thread};

/// Events of the journal that are handed over together, at least.
const TOGETHER: usize = 1024;
/// So many of these packets are parsed ahead of the state, and wait for it.
const AHEAD: usize = 512;

/// What a keeper is made of.
pub struct Parts {
    /// Where events go.
    pub journal: Arc<dyn Journal>,
    /// Where names are.
    pub side: Arc<Side>,
    /// Where checkpoints are, and after how many events each is written; none over a journal in memory.
    pub checkpoints: Option<(Checkpoints, u64)>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Where a start leaves the clocks for the next one; nowhere over a journal in memory.
    pub clock_file: Option<PathBuf>,
    /// The guard over `disk_reserve`.
    pub storage: Guard,
    /// The site key is a copy of a running daemon's: without its state it begins in quarantine (rule 21).
    pub copied_key: bool,
    /// This machine's name: kept beside its id when the site is founded.
    pub host: String,
    /// Is given what was recorded, where anyone wants it.
    pub on_events: Option<OnEvents>,
    /// Called when the keeper cannot go on.
    pub on_fatal: OnFatal,
}

/// There is no start.
#[derive(Debug)]
pub enum StartError {
    /// The journal cannot be read or written.
    Journal(JournalError),
    /// The side store cannot be written.
    Side(SideError),
    /// The newest checkpoint is another version's, and the journal that would do instead does not go so far back.
    OtherFormat {
        /// The checkpoint, and which version wrote it.
        checkpoint: String,
        /// What the journal lacks.
        lacks: String,
    },
    /// The system does not give the checkpoints: which, and what to do.
    Checkpoint(io::Error),
    /// No randomness, no thread.
    System(io::Error),
    /// The journal's last events say that a run was refused: a defect.
    Refused,
}

/// Starts a keeper. When this returns, the run is journaled and the keeper serves.
pub fn start(parts: Parts) -> Result<Keeper, StartError> {
    let handle = begin(parts, true)?;
    let shared = handle.shared.clone();
    let thread = thread::Builder::new()
        .name("keeper".to_owned())
        .spawn(move || serve(&shared))?;
    Ok(Keeper {
        handle,
        thread: Some(thread),
    })
}

/// The same without a thread: nothing is judged and nothing ends until a round is called for. For simulators, which
/// decide what comes between two rounds and in which order.
pub fn start_by_hand(parts: Parts) -> Result<ByHand, StartError> {
    let handle = begin(parts, false)?;
    Ok(ByHand { handle })
}

/// Everything up to the first round: the run is journaled.
fn begin(parts: Parts, by_callers: bool) -> Result<Handle, StartError> {
    let folder = parts.checkpoints.as_ref().map(|(folder, _)| folder);
    let Loaded {
        engine,
        head,
        mark,
        since,
    } = load(&*parts.journal, folder)?;
    let state = engine.state();
    let accepts = state.clock.count;
    let reading = parts.clock.read();
    let mut calendar = Calendar::start(mark, state.clock.last, state.newest_iat, reading);
    if let Some(before) = parts.clock_file.as_deref().and_then(left_before) {
        calendar.make_up(&before, accepts);
    }
    let began = calendar.began(accepts);
    let mut worker = Worker::new(
        engine,
        RowWriter::after(head),
        calendar,
        parts.journal.clone(),
        parts.storage,
    );
    found(&mut worker, &parts.side, &parts.host)?;
    // Before the first run: a crash in between finds it undone, and does it.
    if parts.copied_key && worker.state().run.epoch == 0 {
        tracing::warn!(
            "the site key was exported from a running daemon or is kept elsewhere, and its state is not here: quarantine (rule 21)"
        );
        worker.first(own(Origin::Run, Command::BeginQuarantine))?;
    }
    let run = RunId(random::bytes()?);
    worker.first(own(Origin::Run, Command::StartRun { run }))?;
    // Licenses whose first day came while the daemon was down are in force before anyone is served.
    worker.first(own(Origin::Run, Command::Tick))?;
    if let Some(path) = &parts.clock_file
        && let Err(why) = leave(path, &began)
    {
        tracing::warn!(%why, path = %path.display(), "the clocks could not be left for the next start; a crash before it may take ten minutes off the date");
    }
    let snapshot = worker.snapshot();
    if snapshot.state.run.id != run {
        return Err(StartError::Refused);
    }
    let shared = Arc::new(Shared {
        queue: Queue::default(),
        snapshot: ArcSwap::from_pointee(snapshot),
        journal: parts.journal,
        checkpoints: parts.checkpoints.as_ref().map(|(folder, _)| folder.clone()),
        writer: Arc::default(),
        clock: parts.clock,
        before: mark,
        failed: OnceLock::new(),
        rounds: Mutex::new(Rounds::new(parts.on_events, parts.on_fatal)),
        worker: Mutex::new(worker),
        by_callers,
        slow: AtomicBool::new(false),
    });
    if let Some((folder, every)) = parts.checkpoints {
        let (writer, weak) = (shared.writer.clone(), Arc::downgrade(&shared));
        let checkpointing = Checkpointing::start(folder, every, since, writer, weak)?;
        shared.rounds().write(checkpointing);
    }
    wake_with_clock(&shared);
    Ok(Handle { shared })
}

/// What a start begins from.
struct Loaded {
    engine: Engine,
    head: Head,
    mark: Option<Mark>,
    /// Number of the first event after the checkpoint.
    since: u64,
}

/// Why a start cannot go on from a checkpoint.
enum Unloaded {
    /// Its bytes are those that were written, and no state.
    Unparsed(String),
    Journal(JournalError),
    System(io::Error),
}

/// The newest checkpoint that can be read, and the journal from there on.
fn load(journal: &dyn Journal, folder: Option<&Checkpoints>) -> Result<Loaded, StartError> {
    loop {
        let found = folder.map(Checkpoints::newest).transpose();
        let found = found.map_err(StartError::Checkpoint)?;
        let (from, other_format) = found.map_or((None, None), |of| (of.newest, of.other_format));
        let number = from.as_ref().map(Checkpoint::number);
        match (load_after(from, journal), folder.zip(number)) {
            // The next turn takes the one before it.
            (Err(Unloaded::Unparsed(why)), Some((folder, number))) => {
                folder.set_aside(number, &why)?;
            }
            (loaded, _) => return loaded.map_err(|why| why.told(other_format)),
        }
    }
}

/// What a checkpoint and the journal after it make. While the state is parsed, another thread reads the journal and parses
/// its events, as far ahead as there is room.
fn load_after(from: Option<Checkpoint>, journal: &dyn Journal) -> Result<Loaded, Unloaded> {
    let (give, rows) = sync_channel(AHEAD);
    let tail = Tail::after(from.as_ref());
    let since = tail.head.number + 1;
    thread::scope(|scope| {
        let reader = thread::Builder::new().name("journal".to_owned());
        let reader = reader.spawn_scoped(scope, move || tail.read(journal, &give))?;
        let state = from.map(Checkpoint::state).transpose();
        let mut engine = match state.map_err(Unloaded::Unparsed)? {
            Some(state) => Engine::resume(state),
            None => Engine::new(),
        };
        for event in rows.into_iter().flatten() {
            engine.replay(&event);
        }
        let Tail { head, mark, .. } = reader.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok(Loaded {
            engine,
            head,
            mark,
            since,
        })
    })
}

/// How far the journal was read.
struct Tail {
    head: Head,
    mark: Option<Mark>,
    /// The checkpoint that it was begun from.
    kept: Option<(u64, CheckpointHash)>,
    /// Events that were read and not handed over yet.
    events: Vec<Recorded>,
}

impl Tail {
    fn after(checkpoint: Option<&Checkpoint>) -> Self {
        Tail {
            head: checkpoint.map_or_else(Head::default, |from| from.head),
            mark: checkpoint.map(|from| from.mark),
            kept: checkpoint.map(|from| (from.number(), from.hash)),
            events: Vec::new(),
        }
    }

    /// Reads the journal to its end; the chain is verified over the stored bytes.
    fn read(
        mut self,
        journal: &dyn Journal,
        give: &SyncSender<Vec<Recorded>>,
    ) -> Result<Self, JournalError> {
        let since = self.head.number + 1;
        let outside = journal.load(since, &mut |first, bytes| self.take(first, bytes, give))?;
        self.mark = later(self.mark, outside);
        self.hand_over(give);
        Ok(self)
    }

    fn take(
        &mut self,
        first: u64,
        bytes: &[u8],
        give: &SyncSender<Vec<Recorded>>,
    ) -> Result<(), RowFault> {
        let parsed = Row::parse(bytes)?;
        if first != self.head.number + 1 || parsed.events.is_empty() {
            return Err(RowFault::Broken {
                number: self.head.number + 1,
            });
        }
        let mut last = None;
        for raw in &parsed.events {
            let noted = follow(&mut self.head, raw.get())?;
            if let (Recorded::CheckpointWritten { number, hash }, Some(kept)) =
                (&noted.what, self.kept)
                && *number == kept.0
                && *hash != kept.1
            {
                return Err(RowFault::OtherCheckpoint { number: *number });
            }
            self.events.push(noted.what);
            last = noted.mark;
        }
        self.mark = later(self.mark, Some(parsed.mark_by(last)?));
        if self.events.len() >= TOGETHER {
            self.hand_over(give);
        }
        Ok(())
    }

    fn hand_over(&mut self, give: &SyncSender<Vec<Recorded>>) {
        // Nobody takes them any more where the checkpoint could not be parsed.
        let _ = give.send(std::mem::take(&mut self.events));
    }
}

impl Unloaded {
    fn told(self, other_format: Option<String>) -> StartError {
        match self {
            // There was no checkpoint.
            Unloaded::Unparsed(why) => StartError::System(io::Error::other(why)),
            Unloaded::Journal(why) => instead(why, other_format),
            Unloaded::System(why) => StartError::System(why),
        }
    }
}

impl From<JournalError> for Unloaded {
    fn from(why: JournalError) -> Self {
        Unloaded::Journal(why)
    }
}

impl From<io::Error> for Unloaded {
    fn from(why: io::Error) -> Self {
        Unloaded::System(why)
    }
}

/// Why the journal does not do. Where another version's checkpoint stands for what it lacks, nothing has to be restored.
fn instead(why: JournalError, other_format: Option<String>) -> StartError {
    let lacks = match &why {
        JournalError::Pruned { place } => format!("{place} was pruned"),
        JournalError::Missing { place, .. } => format!("{place} is missing"),
        _ => return why.into(),
    };
    match other_format {
        Some(checkpoint) => StartError::OtherFormat { checkpoint, lacks },
        None => why.into(),
    }
}

/// The later of two marks by lease time, which only grows.
fn later(a: Option<Mark>, b: Option<Mark>) -> Option<Mark> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.lease_ms >= a.lease_ms { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// The first start: names this machine, then founds the site.
fn found(worker: &mut Worker, side: &Side, host: &str) -> Result<(), StartError> {
    if worker.state().site.is_some() {
        return Ok(());
    }
    let unit = UnitId(random::bytes()?);
    let machine = MachineId(random::bytes()?);
    side.put_name(Kind::Machine, machine.0, host)?;
    worker.first(own(Origin::Run, Command::FoundSite { unit, machine }))?;
    Ok(())
}

/// What the start before left, where it can be read: it only makes up for a crash.
fn left_before(path: &Path) -> Option<Began> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn leave(path: &Path, began: &Began) -> io::Result<()> {
    replace(path, &serde_json::to_vec(began)?)
}

/// A clock that jumps wakes the keeper; one that only runs does not, and a keeper that is gone is not kept alive.
fn wake_with_clock(shared: &Arc<Shared>) {
    let weak = Arc::downgrade(shared);
    shared.clock.wake_on_change(Box::new(move || {
        if let Some(shared) = weak.upgrade() {
            shared.queue.nudge();
        }
    }));
}

impl From<JournalError> for StartError {
    fn from(e: JournalError) -> Self {
        StartError::Journal(e)
    }
}

impl From<SideError> for StartError {
    fn from(e: SideError) -> Self {
        StartError::Side(e)
    }
}

impl From<io::Error> for StartError {
    fn from(e: io::Error) -> Self {
        StartError::System(e)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Journal(e) => e.fmt(f),
            StartError::Side(e) => e.fmt(f),
            StartError::OtherFormat { checkpoint, lacks } => write!(
                f,
                "{checkpoint}, and the journal does not do instead: {lacks}. The checkpoint and the journal are where they were. Start the version that wrote it; starting without it could give its seats twice"
            ),
            StartError::Checkpoint(e) => e.fmt(f),
            StartError::System(e) => write!(f, "the system gave no random bytes or no thread: {e}"),
            StartError::Refused => f.write_str("the engine refused to start a run on this journal: please report this as a defect, with `seatkeeper audit export`"),
        }
    }
}

impl std::error::Error for StartError {}
