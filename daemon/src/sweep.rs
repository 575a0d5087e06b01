//! After a start, beside the serving daemon: whose process lives still is watched again, who died while no daemon ran, or with
//! an earlier boot of the machine, is ended (rules 6 and 14), names that no user has are erased, and the journal is looked through and pruned.

use crate::os::peer::{PeerProcess, again, provably_gone};
use crate::os::watch::Watch;
use seatkeeper_core::desk::Desk;
use seatkeeper_core::keeper::Snapshot;
use seatkeeper_engine::command::Pid;
use seatkeeper_engine::event::HolderFacts;
use seatkeeper_engine::ids::HolderId;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// Holders that end in one order: a row of the journal stays small.
const AT_ONCE: usize = 1_000;

/// What a look at a process said.
enum Found {
    /// It is provably the same.
    Alive(PeerProcess),
    /// It is provably gone.
    Gone,
    /// Neither: its holds count.
    Unknown,
}

/// Begins it. Each process costs a look at the kernel; a call that comes first says the same of its own process.
///
/// # Errors
/// There is no thread for it.
pub(crate) fn start(desk: &Arc<Desk>, watch: &Arc<Watch>) -> io::Result<()> {
    // Of the state that was found: who sits from here on is watched as they come.
    let snapshot = desk.snapshot();
    let names = desk.side().names_now().map_err(io::Error::other)?;
    let (desk, watch) = (desk.clone(), watch.clone());
    let thread = std::thread::Builder::new().name("sweep".to_owned());
    thread
        .spawn(move || {
            sweep(&desk, &watch, &snapshot);
            desk.sweep_names(names, &snapshot);
            desk.look_through_journal();
            desk.prune_journal();
        })
        .map(drop)
}

fn sweep(desk: &Desk, watch: &Watch, snapshot: &Snapshot) {
    let boot = desk.settings().boot;
    // One process may hold many seats: it is looked at once.
    let mut seen: HashMap<Pid, Found> = HashMap::new();
    let mut gone = Vec::new();
    for (id, facts) in holders(snapshot) {
        if facts.process.boot != boot {
            gone.extend(desk.is_of_an_earlier_boot(&facts.process).then_some(id));
            continue;
        }
        let Some(pid) = facts.pid else { continue };
        match seen.entry(pid).or_insert_with(|| look(pid)) {
            Found::Gone => gone.push(id),
            Found::Unknown => {}
            Found::Alive(process) => {
                let (uid, instance) = (facts.process.uid, facts.process.instance);
                // Another process that shows the instance is watched for its own holders; this one's holds count.
                if let Ok(admitted) = watch.admit(Some(process), uid, instance) {
                    admitted.watch(id);
                }
            }
        }
    }
    if !gone.is_empty() {
        let (count, first) = (gone.len(), gone[0]);
        tracing::info!(count, %first, "processes died while no daemon ran; their seats are free");
    }
    for gone in gone.chunks(AT_ONCE) {
        desk.submit(Desk::process_gone(gone.to_vec()), None, Box::new(drop));
    }
}

fn look(pid: Pid) -> Found {
    if provably_gone(pid) {
        Found::Gone
    } else {
        again(pid).map_or(Found::Unknown, Found::Alive)
    }
}

/// Every holder there is.
pub(crate) fn holders(snapshot: &Snapshot) -> impl Iterator<Item = (HolderId, &HolderFacts)> {
    let pools = snapshot.state.pools.values();
    let grants = pools.flat_map(|pool| pool.grants.iter());
    grants.flat_map(|(gid, grant)| {
        let id = |h| HolderId { gid: *gid, h };
        grant
            .holders
            .iter()
            .map(move |holder| (id(holder.h), &*holder.facts))
    })
}
