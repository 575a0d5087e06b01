//! What a change ended beside what it says: codes, tokens and sessions that do not outlast it, and assignments to who is gone.

use crate::authorize::{Caller, Permission, Sight};
use crate::desk::Desk;
use crate::journal::{JournalError, parse};
use crate::keeper::{Answer, Snapshot};
use seatkeeper::wire::{Assignment, Ended};
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::state::Target;

impl Desk {
    /// How many ended of those whom the caller sees, by the events of the change itself. The change stands also where they
    /// cannot be read.
    pub(super) fn ended(&self, answer: &Answer, caller: &Caller) -> Option<Ended> {
        let counted = self.counted(answer, caller);
        let counted = counted.inspect_err(|why| {
            tracing::warn!(%why, "it is not told what a change ended");
        });
        counted.ok().filter(|ended| *ended != Ended::default())
    }

    /// What is assigned to a user or a group, of what the caller sees: told by its name, as long as that is there.
    pub(super) fn assigned(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        target: Target,
    ) -> Vec<Assignment> {
        let state = &snapshot.state;
        let sight = Sight::of(snapshot, caller, Permission::LicenseManageUsers);
        if !sight.on(state, target) {
            return Vec::new();
        }
        let all = state.assignments.iter();
        all.filter(|(_, known)| known.target == target)
            .map(|(id, known)| self.assignment_view(state, *id, known))
            .collect()
    }

    fn counted(&self, answer: &Answer, caller: &Caller) -> Result<Ended, JournalError> {
        let sight = Sight::of(&answer.snapshot, caller, Permission::UserRead);
        let seen = |user| sight.shows(&answer.snapshot.state, user);
        let mut ended = Ended::default();
        let mut events = answer.events.clone();
        while !events.is_empty() {
            let most = usize::try_from(events.end - events.start).unwrap_or(usize::MAX);
            let rows = self.keeper.read(events.start, most)?;
            let Some((last, _)) = rows.last() else {
                break;
            };
            events.start = last + 1;
            let noted = rows.iter().filter_map(|(_, raw)| parse(raw).ok());
            noted.for_each(|noted| match noted.what {
                Recorded::CodesDropped { user, codes } if seen(user) => {
                    ended.codes += codes.len() as u64;
                }
                Recorded::TokensRevoked { user, tokens } if seen(user) => {
                    ended.tokens += tokens.len() as u64;
                }
                Recorded::SessionsEnded { user, sessions } if seen(user) => {
                    ended.sessions += sessions.len() as u64;
                }
                _ => {}
            });
        }
        Ok(ended)
    }
}
