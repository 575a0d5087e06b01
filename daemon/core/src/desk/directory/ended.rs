//! What a change ended beside what it says: codes, tokens and sessions that do not outlast it.

use crate::desk::Desk;
use crate::journal::{JournalError, parse};
use crate::keeper::Answer;
use seatkeeper::wire::Ended;
use seatkeeper_engine::event::Recorded;

impl Desk {
    /// How many ended, by the events of the change itself. The change stands also where they cannot be read.
    pub(super) fn ended(&self, answer: &Answer) -> Option<Ended> {
        let counted = self.counted(answer);
        let counted = counted.inspect_err(|why| {
            tracing::warn!(%why, "it is not told what a change ended");
        });
        counted.ok().filter(|ended| *ended != Ended::default())
    }

    fn counted(&self, answer: &Answer) -> Result<Ended, JournalError> {
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
                Recorded::CodesDropped { codes, .. } => ended.codes += codes.len() as u64,
                Recorded::TokensRevoked { tokens, .. } => ended.tokens += tokens.len() as u64,
                Recorded::SessionsEnded { sessions, .. } => ended.sessions += sessions.len() as u64,
                _ => {}
            });
        }
        Ok(ended)
    }
}
