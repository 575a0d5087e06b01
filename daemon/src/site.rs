//! From a plan to an open site: state directory, journal, engine, keeper, keys, desk; and its close, in order.

use crate::api::{Follow, Metrics, Timed};
use seatkeeper_core::checkpoint::Checkpoints;
use seatkeeper_core::clock::Clock;
use seatkeeper_core::desk::{self, Desk};
use seatkeeper_core::journal::{self, JournalError, RedbJournal};
use seatkeeper_core::keeper::{self, Failure, Keeper, OnFatal, StartError};
use seatkeeper_core::keys::{self, Keys, KeysError, SiteKeyFrom};
use seatkeeper_core::licenses;
use seatkeeper_core::side::{Side, SideError};
use seatkeeper_core::state_dir::{StateDir, StateDirError};
use seatkeeper_core::storage::{Directory, Guard};
use seatkeeper_engine::event::Recorded;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// What a site is opened with.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The state directory.
    pub state: PathBuf,
    /// Where the site key is.
    pub site_key: SiteKeyFrom,
    /// Events of the journal from one checkpoint to the next.
    pub checkpoint_events: u64,
    /// What the desk is told.
    pub desk: desk::Settings,
}

/// An open site: this process owns its state directory.
pub struct Site {
    /// The desk.
    pub desk: Arc<Desk>,
    /// Where batches are published.
    pub follow: Follow,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    keeper: Keeper,
    _owned: StateDir,
}

/// There is no open site.
#[derive(Debug)]
pub enum SiteError {
    /// The state directory.
    State(StateDirError),
    /// The journal.
    Journal(JournalError),
    /// The side store.
    Side(SideError),
    /// The keys.
    Keys(KeysError),
    /// The keeper.
    Keeper(StartError),
    /// The site key is not the one that a license is bound to.
    OtherKey {
        /// The license.
        license: String,
        /// The key that it is bound to, by its thumbprint.
        bound: String,
    },
    /// The keeper started without a site: a defect.
    Desk(desk::NotFounded),
}

impl Site {
    /// Opens it. When this returns the run is journaled and the keeper serves.
    ///
    /// # Errors
    /// Whatever of it cannot be opened; nothing was changed that a next start would trip over.
    pub fn open(plan: Plan, clock: Arc<dyn Clock>, on_fatal: OnFatal) -> Result<Site, SiteError> {
        let owned = StateDir::open(&plan.state)?;
        let has_journal = has_journal(&owned)?;
        let wall_s = clock.read().wall_s;
        let prepared = keys::prepare(&owned.keys(), &plan.site_key, has_journal, wall_s)?;
        let checkpoints = owned.checkpoints();
        let checkpoints = Checkpoints::open(&checkpoints).map_err(|why| StateDirError::Io {
            path: checkpoints,
            why,
        })?;
        let (follow, metrics) = (Follow::default(), Arc::new(Metrics::new()));
        let side = Arc::new(Side::open(&owned.side())?);
        let keeper = keeper::start(keeper::Parts {
            journal: Arc::new(Timed {
                journal: Arc::new(RedbJournal::open(&owned.journal(), plan.desk.disk_reserve)?),
                metrics: metrics.clone(),
            }),
            side: side.clone(),
            checkpoints: Some((checkpoints, plan.checkpoint_events)),
            clock: clock.clone(),
            clock_file: Some(owned.clock()),
            storage: Guard::new(
                Box::new(Directory(plan.state.clone())),
                plan.desk.disk_reserve,
            ),
            copied_key: prepared.copied(),
            host: plan.desk.machine.clone(),
            on_events: Some(on_events(&follow, &metrics)),
            on_fatal,
        })?;
        let handle = keeper.handle();
        // Before a delegation is signed that would name this key as the one that served the state.
        let state = &handle.recorded().state;
        if let Some((license, bound)) = licenses::bound_elsewhere(state, prepared.thumbprint()) {
            return Err(SiteError::OtherKey { license, bound });
        }
        let keys = Keys::open(prepared, handle.now().j)?;
        let desk = Desk::new(desk::Parts {
            keeper: handle,
            side,
            keys,
            clock,
            space: Box::new(Directory(plan.state)),
            settings: plan.desk,
        })?;
        Ok(Site {
            desk: Arc::new(desk),
            follow,
            metrics,
            keeper,
            _owned: owned,
        })
    }

    /// A clean stop, once nobody asks any more: the counts of denials, then the ends of holds (rule 19).
    ///
    /// # Errors
    /// The keeper could not end cleanly, or the counts could not be written (which ends it, too); the next start takes the journal as after a crash.
    pub fn close(self) -> Result<(), Failure> {
        if let Err(why) = self.desk.flush_denials() {
            tracing::error!(%why, "the last counts of denials are lost");
        }
        self.keeper.stop()
    }
}

/// Whether this state has a journal: refused where it had one, which a lease key or a checkpoint says; both are made after it.
fn has_journal(owned: &StateDir) -> Result<bool, SiteError> {
    let place = owned.journal();
    let io = |path: PathBuf| move |why| StateDirError::Io { path, why };
    if journal::exists(&place).map_err(io(place.clone()))? {
        return Ok(true);
    }
    let checkpoints = owned.checkpoints();
    let had_checkpoints = match std::fs::read_dir(&checkpoints) {
        Ok(mut entries) => entries.next().is_some(),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => false,
        Err(why) => return Err(io(checkpoints)(why).into()),
    };
    if had_checkpoints || owned.keys().join("lease.key").exists() {
        let place = place.display().to_string();
        return Err(JournalError::Gone { place }.into());
    }
    Ok(false)
}

fn on_events(follow: &Follow, metrics: &Arc<Metrics>) -> keeper::OnEvents {
    let (follow, metrics) = (follow.clone(), metrics.clone());
    Box::new(move |published| {
        metrics.recorded(published);
        let begins =
            |event: &keeper::PublishedEvent| matches!(event.what, Recorded::QuarantineBegan { .. });
        if published.events.iter().any(begins) {
            tracing::error!(
                "quarantine: nothing new is granted for a while, because this state was restored, cloned or lost (rule 21); `seatkeeper status` says how long, `seatkeeper audit list` what showed it"
            );
        }
        follow.publish(published);
    })
}

macro_rules! from {
    ($($from:ty => $variant:ident),*) => {$(
        impl From<$from> for SiteError {
            fn from(why: $from) -> Self {
                SiteError::$variant(why)
            }
        }
    )*};
}
from!(StateDirError => State, JournalError => Journal, SideError => Side, KeysError => Keys, StartError => Keeper, desk::NotFounded => Desk);

impl fmt::Display for SiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SiteError::State(why) => why.fmt(f),
            SiteError::Journal(why) => why.fmt(f),
            SiteError::Side(why) => why.fmt(f),
            SiteError::Keys(why) => why.fmt(f),
            SiteError::Keeper(why) => why.fmt(f),
            SiteError::OtherKey { license, bound } => write!(
                f,
                "the site key is not the one that license {license} is bound to (thumbprint {bound}): no application would accept its seats. {}",
                keys::KEY_BACK
            ),
            SiteError::Desk(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for SiteError {}
