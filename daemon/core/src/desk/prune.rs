//! Pruning: events older than the retention leave the journal in whole files, and an anchor of the site key stands for them.
//!
//! In this order, so that what a crash leaves is accounted for: the new anchor is laid out on the disk, the journal records
//! that it was pruned, the anchor takes its place, and only then the files go, oldest first. Nothing goes that does not
//! follow event by event from where the journal begins: an edit or a gap is told, and not signed over.

use super::Desk;
use super::findings::finding;
use crate::calendar::Mark;
use crate::journal::{Archive, Hash, Head, JournalError, Row, follow};
use arc_swap::ArcSwap;
use seatkeeper::token::TokenError;
use seatkeeper::token::anchor;
use seatkeeper::token::claims::{self, Info};
use seatkeeper::token::keys::SigningKey;
use seatkeeper::wire::AuditAnchor;
use seatkeeper_engine::time::LeaseTime;
use seatkeeper_engine::{Actor, Command, Order, Origin};
use std::fmt::Display;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What could not be pruned is tried again this much later.
const AGAIN_MS: u64 = 3600 * 1000;
const DAY_S: u64 = 86_400;
/// What to do about an anchor that does not stand for what is gone.
const ANCHOR_BACK: &str = "stop the daemon, put journal/anchor back from a backup, or make it of the first line of an export since then (`seatkeeper audit export`), and start it again; seats do not need it, the audit log does";

/// Where the journal begins, and what is known of the file that goes next.
pub(super) struct Pruning {
    beginning: ArcSwap<Beginning>,
    next: Mutex<Next>,
}

/// What stands for the events before the first one.
enum Beginning {
    /// None were pruned.
    Whole,
    /// This anchor.
    Pruned { anchor: AuditAnchor, head: Head },
    /// Events are gone, and nothing stands for them: why not.
    Broken(String),
}

#[derive(Default)]
struct Next {
    /// The oldest file, and its youngest row as far as it was looked for: it does not go before that row may.
    waits: Option<(u64, Mark)>,
    /// After something failed.
    again: LeaseTime,
    /// The journal has recorded that events before this one were pruned, in this run.
    noted: u64,
}

impl Desk {
    /// Removes the ended files of the journal whose every event is older than the retention and that no start needs. Where
    /// that cannot be done, `status` says why; nothing else depends on it. Once a minute: blocks, seldom for long.
    pub fn prune_journal(&self) {
        let Some(archive) = self.keeper.archive() else {
            return;
        };
        let mut next = self.pruning.next();
        let now = self.mark();
        if now.lease_ms < next.again {
            return;
        }
        let failed = self.prune(archive, &now, &mut next).err();
        if failed.is_some() {
            next.again = now.lease_ms + AGAIN_MS;
        }
        let remedy = match self.keys.elsewhere() {
            true => {
                "nothing is lost meanwhile but room on the disk: `seatkeeper help site_key_elsewhere` says how the key signs here again"
            }
            false => {
                "look at the disk and at what is named (`seatkeeper audit verify` tells whether the log is whole); it is tried again every hour, and seats do not depend on it"
            }
        };
        let told = failed.as_ref().map(|why| {
            finding(
                "warning",
                "journal",
                format!("events older than `retention_days` could not be pruned: {why}"),
                remedy,
            )
        });
        let news = self.remark("pruning", told);
        if let Some(why) = failed.filter(|_| news) {
            tracing::warn!(%why, "events older than the retention could not be pruned");
        }
    }

    /// The number of the last event that was pruned; 0 where none was.
    #[must_use]
    pub fn pruned(&self) -> u64 {
        self.pruned_anchor().map_or(0, |(_, number)| number)
    }

    /// The anchor that stands for what was pruned, and the number of the last event of that. An anchor that was set while
    /// all files are there still stands for nothing yet.
    pub(super) fn pruned_anchor(&self) -> Option<(AuditAnchor, u64)> {
        let begin = self.keeper.archive().map_or(1, Archive::begin);
        match &**self.pruning.beginning.load() {
            Beginning::Pruned { anchor, head } if begin > 1 => Some((anchor.clone(), head.number)),
            _ => None,
        }
    }

    /// The site key signs that the chain stands there.
    pub(super) fn anchor(&self, key: &SigningKey, head: Head) -> Result<AuditAnchor, TokenError> {
        let run = &self.keeper.recorded().state.run;
        let claims = claims::Anchor {
            iss: key.thumbprint().to_owned(),
            iat: self.now().j.0,
            number: head.number,
            hash: anchor::hash_text(&head.hash.0),
            epoch: run.epoch,
            run_id: run.id.to_string(),
            info: Info::new(),
        };
        Ok(AuditAnchor {
            anchor: anchor::sign(&claims, key)?,
            site_key: key.public().to_pem(),
        })
    }

    /// What is wrong with the beginning of the journal and with its files, each in words and with its remedy. Nothing is
    /// pruned meanwhile.
    pub(super) fn holes(&self) -> Vec<(String, &'static str)> {
        let Some(archive) = self.keeper.archive() else {
            return Vec::new();
        };
        let _still = self.pruning.next();
        let mut found = Vec::new();
        let pruned = match &**self.pruning.beginning.load() {
            Beginning::Whole => 0,
            Beginning::Pruned { head, .. } => head.number,
            Beginning::Broken(why) => {
                found.push((why.clone(), ANCHOR_BACK));
                archive.begin() - 1
            }
        };
        let files = archive.holes(pruned);
        if !files.is_empty() {
            let back = "put the files back from a backup; seats do not need them, the audit log does. `seatkeeper audit verify` says what it cannot show";
            found.push((files.join("; "), back));
        }
        found
    }

    /// Looks where the journal begins, once, when the desk is made.
    pub(super) fn look_at_beginning(&self) {
        if let Some(archive) = self.keeper.archive() {
            let found = self.beginning(archive);
            self.pruning.beginning.store(found.into());
        }
    }

    fn beginning(&self, archive: &dyn Archive) -> Beginning {
        let begin = archive.begin();
        let broken = |why: &str| {
            let gone = begin - 1;
            Beginning::Broken(format!(
                "journal/anchor {why}: nothing shows that events 1 to {gone}, which are gone, were pruned"
            ))
        };
        let line = match archive.anchor() {
            Ok(Some(line)) => line,
            // Nothing is gone, so that nothing has to stand for it.
            _ if begin == 1 => return Beginning::Whole,
            Ok(None) => return broken("is missing"),
            Err(why) => return broken(&format!("cannot be read ({})", why.short())),
        };
        match self.stands_for(&line) {
            Ok((anchor, head)) => Beginning::Pruned { anchor, head },
            Err(_) if begin == 1 => Beginning::Whole,
            Err(why) => broken(&why),
        }
    }

    /// The anchor in a line, where the site key signed it and the journal goes on from there.
    fn stands_for(&self, line: &[u8]) -> Result<(AuditAnchor, Head), String> {
        let anchor: AuditAnchor = serde_json::from_slice(line)
            .map_err(|_| "is damaged (it is not the line that was written)".to_owned())?;
        let claims = anchor::verify(&anchor.anchor, &self.keys.site())
            .map_err(|why| format!("is not signed by the site key ({why})"))?;
        if anchor.site_key != self.keys.site().to_pem() {
            return Err("is damaged (the key beside it is not the site key)".to_owned());
        }
        let head = Head {
            number: claims.number,
            hash: Hash(anchor::hash_of(&claims).unwrap_or_default()),
        };
        let behind = self.keeper.read(head.number + 1, 1);
        let behind = behind.map_err(|why| format!("cannot be compared ({})", why.short()))?;
        let mut at = head;
        match behind.first() {
            // Files behind it are gone too: that is told of them.
            Some((number, _)) if *number > head.number + 1 => {}
            Some((_, raw)) if follow(&mut at, raw).is_ok() => {}
            Some(_) => {
                let number = head.number;
                return Err(format!(
                    "is of another journal (event {} does not follow from event {number} as it was signed)",
                    number + 1
                ));
            }
            None => {
                let number = head.number;
                return Err(format!(
                    "signs event {number}, and the journal ends before: an older journal was put back, or another anchor"
                ));
            }
        }
        Ok((anchor, head))
    }

    /// One pass. What kept it from going further is the error, after what could be done.
    fn prune(&self, archive: &dyn Archive, now: &Mark, next: &mut Next) -> Result<(), String> {
        let anchored = match &**self.pruning.beginning.load() {
            Beginning::Whole => Head::default(),
            Beginning::Pruned { head, .. } => *head,
            // Told already; whoever removes more would hide it.
            Beginning::Broken(_) => return Ok(()),
        };
        let Some(files) = self.spare_files(archive)? else {
            return Ok(());
        };
        match files.first() {
            Some(oldest) if self.may_be_due(archive, oldest, now, next)? => {}
            _ => return Ok(()),
        }
        if let Some(checkpoints) = self.keeper.checkpoints() {
            checkpoints.are_whole()?;
        }
        let (mut head, mut gone, mut stopped) = (anchored, Vec::new(), Ok(()));
        for file in files {
            match self.followed(archive, &file, now, head) {
                Ok(Due::Yes(after)) => {
                    head = after;
                    gone.push(file.start);
                }
                Ok(Due::NotBefore(row)) => {
                    next.waits = gone.is_empty().then_some((file.start, row));
                    break;
                }
                Err(why) => {
                    stopped = Err(why);
                    break;
                }
            }
        }
        if head.number > anchored.number {
            self.set_anchor(archive, head, next)?;
        } else if !gone.is_empty() {
            // What a kill left, of which another run may have recorded nothing.
            self.record_pruned(head, next)?;
        }
        for file in gone {
            archive.remove(file).map_err(|why| why.short())?;
            tracing::info!(
                file,
                pruned = head.number,
                "a file of the journal was pruned"
            );
        }
        stopped
    }

    /// Ended files that no start needs: from the older of two checkpoints on it finds all that it reads.
    fn spare_files(&self, archive: &dyn Archive) -> Result<Option<Vec<Range<u64>>>, String> {
        let Some(checkpoints) = self.keeper.checkpoints() else {
            return Ok(None);
        };
        let oldest = checkpoints
            .oldest()
            .map_err(|why| format!("the checkpoints cannot be listed: {why}"))?;
        Ok(oldest.map(|needed| {
            let mut files = archive.ended();
            files.retain(|file| file.end <= needed);
            files
        }))
    }

    /// Whether the last row of the oldest file is old enough, which costs a look that is remembered.
    fn may_be_due(
        &self,
        archive: &dyn Archive,
        oldest: &Range<u64>,
        now: &Mark,
        next: &mut Next,
    ) -> Result<bool, String> {
        let known = next.waits.filter(|(file, _)| *file == oldest.start);
        let row = match known {
            Some((_, row)) => row,
            None => match archive.newest(oldest.start).map_err(|why| why.short())? {
                Some(row) => row,
                None => return Ok(true),
            },
        };
        next.waits = Some((oldest.start, row));
        Ok(row.age_s(now) >= self.retention_s())
    }

    /// Follows the chain through a file, row by row, as far as its rows are old enough. A file before the anchor was followed
    /// when that was set, and is only as old as it is.
    fn followed(
        &self,
        archive: &dyn Archive,
        file: &Range<u64>,
        now: &Mark,
        anchored: Head,
    ) -> Result<Due, String> {
        let again = file.end <= anchored.number + 1;
        let (mut head, mut from) = (anchored, file.start);
        loop {
            let rows = archive.rows(file.start, from).map_err(|why| why.short())?;
            let Some((last, _)) = rows.last() else { break };
            from = last + 1;
            for (first, bytes) in rows {
                let told = |fault| JournalError::row(&format!("{}.redb", file.start), first, fault);
                let row = Row::parse(&bytes).map_err(|fault| told(fault).short())?;
                let mark = row.mark().map_err(|fault| told(fault).short())?;
                if mark.age_s(now) < self.retention_s() {
                    return Ok(Due::NotBefore(mark));
                }
                for raw in row.events.iter().filter(|_| !again) {
                    follow(&mut head, raw.get()).map_err(|fault| told(fault).short())?;
                }
            }
        }
        if again || head.number + 1 == file.end {
            return Ok(Due::Yes(head));
        }
        Err(format!(
            "events {} to {} are missing behind {}.redb",
            head.number + 1,
            file.end - 1,
            file.start
        ))
    }

    /// Records that events up to there are pruned, and puts the anchor that stands for them in its place.
    fn set_anchor(&self, archive: &dyn Archive, head: Head, next: &mut Next) -> Result<(), String> {
        let unsigned = |why: &dyn Display| format!("the anchor cannot be signed: {why}");
        let key = self.keys.site_signing().map_err(|why| unsigned(&why))?;
        let anchor = self.anchor(key, head).map_err(|why| unsigned(&why))?;
        let mut line = serde_json::to_vec(&anchor).map_err(|why| why.to_string())?;
        line.push(b'\n');
        archive.lay_out(&line).map_err(|why| why.short())?;
        self.record_pruned(head, next)?;
        archive.set_anchor().map_err(|why| why.short())?;
        let pruned = Beginning::Pruned { anchor, head };
        self.pruning.beginning.store(pruned.into());
        Ok(())
    }

    /// Has the journal record it, once in a run.
    fn record_pruned(&self, head: Head, next: &mut Next) -> Result<(), String> {
        let before = head.number + 1;
        if next.noted != before {
            let order = Order {
                actor: Actor::Daemon,
                origin: Origin::Watch,
                command: Command::NotePruning { before },
            };
            self.ask(order, None)
                .map_err(|why| format!("it could not be recorded: {why}"))?;
            next.noted = before;
        }
        Ok(())
    }

    /// The times, as rows have them.
    fn mark(&self) -> Mark {
        let now = self.now();
        Mark {
            lease_ms: now.lease,
            j_s: now.j,
            wall_s: self.wall_s(),
        }
    }

    /// How long events and counts of denials are kept.
    fn retention_s(&self) -> u64 {
        self.settings.retention_days.saturating_mul(DAY_S)
    }

    /// The wall clock of the oldest hour whose counts are kept: a clock that was set far ahead says nothing until J follows.
    pub(super) fn counts_since_s(&self) -> u64 {
        let now = self.mark();
        now.wall_s.min(now.j_s.0).saturating_sub(self.retention_s())
    }
}

/// Whether a file may go.
enum Due {
    /// It may, and the chain stands there behind it.
    Yes(Head),
    /// Not before this row may.
    NotBefore(Mark),
}

impl Pruning {
    pub(super) fn new() -> Self {
        Pruning {
            beginning: ArcSwap::from_pointee(Beginning::Whole),
            next: Mutex::default(),
        }
    }

    fn next(&self) -> MutexGuard<'_, Next> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
