//! What was asked, as a golden script: the engine's scripts play it (`daemon/engine/testscripts`).

use super::BASE_S;
use seatkeeper_engine::time::Now;
use std::fmt::Write as _;

/// Lines whose effects are durable, and those of a batch of which that is not known yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    lines: Vec<(u64, String)>,
    open: Vec<(u64, String)>,
    /// How far ahead of lease time J is in the last line, beyond what both had at the beginning.
    ahead_s: i64,
    /// The same after the open lines.
    open_ahead_s: i64,
    /// What was added to lease time since a state was restored: a script's time never runs backwards.
    shift_s: u64,
}

impl Script {
    /// One command of the batch at hand.
    pub(super) fn ask(&mut self, now: Now, words: &str) {
        let at_s = now.lease.0 / 1000 + self.shift_s;
        let ahead = i64::try_from(now.j.0).unwrap() - i64::try_from(BASE_S + at_s).unwrap();
        if ahead != self.open_ahead_s {
            let by = ahead - self.open_ahead_s;
            self.open.push((at_s, format!("carried {by:+}s")));
            self.open_ahead_s = ahead;
        }
        self.open.push((at_s, words.to_owned()));
    }

    /// J was put to here by the last line.
    pub(super) fn accepted(&mut self, now: Now, to_s: u64) {
        let right = BASE_S + now.lease.0 / 1000 + self.shift_s;
        self.open_ahead_s = i64::try_from(to_s).unwrap() - i64::try_from(right).unwrap();
    }

    /// The batch is durable.
    pub(super) fn durable(&mut self) {
        self.lines.append(&mut self.open);
        self.ahead_s = self.open_ahead_s;
    }

    /// The batch never was. True where there was one.
    pub(super) fn lost(&mut self) -> bool {
        self.open_ahead_s = self.ahead_s;
        !std::mem::take(&mut self.open).is_empty()
    }

    /// A start goes on from here: what was asked later left no trace in the journal.
    pub(super) fn back_to(&mut self, now: Now) {
        let at_s = now.lease.0 / 1000 + self.shift_s;
        self.lines.retain(|(at, _)| *at <= at_s);
    }

    /// The state as it was saved takes the place of this one, and goes on from this lease time.
    pub(super) fn restored(&mut self, now: Now) {
        self.lost();
        let last_s = self.lines.last().map_or(0, |(at, _)| *at);
        self.shift_s = last_s.saturating_sub(now.lease.0 / 1000);
        self.ask(now, "restore");
        self.durable();
    }

    /// As text, with what was found as its title.
    pub(super) fn text(&self, title: &str) -> String {
        let mut text = format!("# {title}\n");
        for (at_s, line) in &self.lines {
            let _ = writeln!(text, "{line} at={at_s}s");
        }
        for (at_s, line) in &self.open {
            let _ = writeln!(text, "# not known to be durable: {line} at={at_s}s");
        }
        text
    }
}
