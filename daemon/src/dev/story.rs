//! What `dev` tells on stdout: who sits where, and what happens to the seats while one tries things out.

use seatkeeper_core::desk::Desk;
use seatkeeper_core::keeper::{Published, PublishedEvent};
use seatkeeper_core::side::Kind;
use seatkeeper_engine::event::{EndWhy, EndingWhy, HolderFacts, Recorded};
use seatkeeper_engine::ids::{Gid, HolderId, UserId};
use std::collections::BTreeMap;
use std::io::{self, Write, stdout};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Tells seats by their slots, as people see them.
pub(super) struct Story {
    desk: Arc<Desk>,
    slots: Mutex<BTreeMap<Gid, String>>,
}

impl Story {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        Story {
            desk,
            slots: Mutex::default(),
        }
    }

    /// Tells what a batch recorded; whether a seat was taken in it.
    pub(super) fn recorded(&self, batch: &Published) -> bool {
        for event in &batch.events {
            if let Some(text) = self.text(event) {
                say(&text);
            }
        }
        let taken = |event: &PublishedEvent| matches!(event.what, Recorded::SeatTaken(_));
        batch.events.iter().any(taken)
    }

    /// A process died; its seats are free since so long.
    pub(super) fn gone(&self, holders: &[HolderId], took: Duration) {
        for holder in holders {
            let slots = self.slots().remove(&holder.gid);
            if let Some(slots) = slots {
                let ms = took.as_secs_f64() * 1000.0;
                say(&format!("{slots} free: process died, {ms:.0} ms"));
            }
        }
    }

    fn text(&self, event: &PublishedEvent) -> Option<String> {
        match &event.what {
            Recorded::SeatTaken(taken) => {
                let slots = slots_text(&taken.slots);
                self.slots().insert(taken.gid, slots.clone());
                Some(format!("{slots} taken: {}", self.who(&taken.who)))
            }
            Recorded::HolderJoined { holder, who, .. } => {
                let slots = self.slots().get(&holder.gid)?.clone();
                Some(format!("{slots} shared: {}", self.who(who)))
            }
            Recorded::HoldersEnding {
                holders, why, hard, ..
            } => {
                let known = self.slots();
                let slots: Vec<_> = holders
                    .iter()
                    .filter_map(|h| known.get(&h.gid).cloned())
                    .collect();
                let how = if *hard {
                    "at once"
                } else {
                    "told at the next renewal, with time to save"
                };
                Some(format!(
                    "{} ending: {} ({how})",
                    slots.join(", "),
                    ending(*why)
                ))
            }
            // The watch tells these, with the time that it took.
            Recorded::SeatEnded {
                why: EndWhy::ProcessDied,
                ..
            } => None,
            Recorded::SeatEnded { gid, why, .. } => {
                let slots = self.slots().remove(gid)?;
                Some(format!("{slots} free: {}", ended(*why)))
            }
            _ => None,
        }
    }

    fn who(&self, who: &HolderFacts) -> String {
        let user = self.name(who.user);
        match who.pid {
            Some(pid) => format!("{user}, pid {}", pid.pid),
            None => user,
        }
    }

    fn name(&self, user: UserId) -> String {
        let name = self.desk.side().name(Kind::User, user.0);
        name.ok().flatten().unwrap_or_else(|| user.to_string())
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, BTreeMap<Gid, String>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says a line; nobody is left to tell where stdout is closed.
pub(super) fn say(text: &str) {
    let mut out = stdout().lock();
    let _: io::Result<()> = writeln!(out, "{text}").and_then(|()| out.flush());
}

fn slots_text(slots: &[u64]) -> String {
    let numbers: Vec<_> = slots.iter().map(ToString::to_string).collect();
    let word = if slots.len() == 1 { "slot" } else { "slots" };
    format!("{word} {}", numbers.join(", "))
}

fn ended(why: EndWhy) -> &'static str {
    match why {
        EndWhy::Released => "given back",
        EndWhy::ProcessDied => "process died",
        EndWhy::HeartbeatLost => "not renewed in time",
        EndWhy::Reclaimed => "taken back by an administrator",
        EndWhy::ReleasedElsewhere => "given back from elsewhere",
        EndWhy::RightLost => "its user lost the right",
        EndWhy::Superseded => "a newer license has no place for it",
        EndWhy::Displaced => "a lease that lives has its slots",
    }
}

fn ending(why: EndingWhy) -> &'static str {
    match why {
        EndingWhy::Reclaimed => "an administrator takes it back",
        EndingWhy::Released => "its user gives it back",
        EndingWhy::RightLost => "its user lost the right",
        EndingWhy::Superseded => "a newer license has no place for it",
    }
}
