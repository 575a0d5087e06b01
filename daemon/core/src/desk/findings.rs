//! The site at a glance: counts, clocks, disk, keys, and what wants doing, each with its remedy.

use super::Desk;
use super::view;
use crate::authorize::{Caller, Permission, Sight};
use crate::checkpoint::Checkpoints;
use crate::keeper::Snapshot;
use crate::problem::Refused;
use seatkeeper::token::dates;
use seatkeeper::wire::{Code, Finding, Status};
use seatkeeper_engine::State;
use seatkeeper_engine::state::License;
use seatkeeper_engine::time::Date;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Things around the daemon that something is said of.
const REMARKS: usize = 256;
/// A license is told to end soon from here on.
const SOON_S: u64 = 30 * 86_400;
/// What those around the desk have to say: inboxes of their files, the daemon of its machine.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    by_subject: Mutex<BTreeMap<String, Finding>>,
}

impl Remarks {
    /// Says this of a subject from now on, or nothing any more; true where that is news.
    pub(super) fn note(&self, subject: &str, finding: Option<Finding>) -> bool {
        let mut said = self.lock();
        let Some(finding) = finding else {
            return said.remove(subject).is_some();
        };
        if said.get(subject) == Some(&finding) {
            return false;
        }
        if said.len() < REMARKS || said.contains_key(subject) {
            said.insert(subject.to_owned(), finding);
        } else {
            tracing::warn!(subject, text = %finding.text, "too many findings to list");
        }
        true
    }

    fn findings(&self) -> Vec<Finding> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Finding>> {
        self.by_subject
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// `GET /v1/status`. What wants doing is for those who can do it: who waits for an answer, for those who may give it.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn status(&self, caller: &Caller) -> Result<Status, Refused> {
        self.authorize(caller, Permission::StatusRead, self.unit)?;
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        let operates = self.authorize(caller, Permission::Operate, self.unit);
        let mut findings = operates.map_or_else(|_| Vec::new(), |_| self.findings(&snapshot));
        findings.extend(who_waits(&snapshot, caller));
        let licenses = self.licenses_seen(&snapshot, caller);
        let waiting = state.waiting.keys();
        let users = Sight::of(&snapshot, caller, Permission::UserRead);
        Ok(Status {
            version: self.settings.version.clone(),
            site: self.settings.site_name.clone(),
            site_key: self.keys.site_thumbprint().to_owned(),
            epoch: state.run.epoch,
            run_id: state.run.id.to_string(),
            j: self.now().j.0,
            clock_behind_s: snapshot.clock.behind_s,
            clocks_accepted: state.clock.count,
            quarantine_s: self.quarantine_s(state),
            partial: !caller.administers,
            licenses: count(state.licenses.keys().filter(|id| licenses.has(id)).count()),
            waiting: count(waiting.filter(|(id, _)| licenses.has(id)).count()),
            holders: count(holders(&snapshot, caller)),
            users: count(
                state
                    .users
                    .keys()
                    .filter(|id| users.shows(state, **id))
                    .count(),
            ),
            events: snapshot.head.number,
            pruned: self.pruned(),
            disk_free: self.space.free_bytes().unwrap_or(0),
            disk_reserve: self.settings.disk_reserve,
            site_key_elsewhere: self.keys.elsewhere(),
            delegation_exp: self.brought_until(),
            storage_low: self.storage_low(),
            administrators: self.settings.administrators.to_string(),
            mail: None,
            findings,
        })
    }

    /// What is to be said in `status` of something around the desk (a file of an inbox, a setting): `None` forgets what
    /// was said. True where that is news.
    pub fn remark(&self, subject: &str, finding: Option<Finding>) -> bool {
        self.remarks.note(subject, finding)
    }

    /// Seconds until new seats are given again.
    fn quarantine_s(&self, state: &State) -> Option<u64> {
        let now = self.now().lease;
        state
            .quarantined(now)
            .map(|until| (until - now).div_ceil(1000))
    }

    fn quarantine_finding(&self, state: &State) -> Option<Finding> {
        let left = self.quarantine_s(state)?;
        let text = format!(
            "nothing new is granted for {left} s more; the state was restored, cloned or lost, and leases may be out that it does not know"
        );
        let remedy = "wait; who shows a lease that lives keeps its seat. Two daemons with one site key would go on like this: `seatkeeper audit list` says what was shown, stop the copy that should not run";
        Some(Finding {
            code: Some(Code::Quarantine),
            ..finding("error", "quarantine", text, remedy)
        })
    }

    /// What wants doing, worst first by nature of the list: disk, clock, keys, licenses, what others remark.
    #[must_use]
    pub fn findings(&self, snapshot: &Snapshot) -> Vec<Finding> {
        let mut found = Vec::new();
        if self.storage_low() {
            let text = format!(
                "free space on the disk of the state directory is below disk_reserve ({} bytes): no new seats",
                self.settings.disk_reserve
            );
            let remedy = "free space on the disk of the state directory, or lower `disk_reserve`";
            found.push(Finding {
                code: Some(Code::StorageLow),
                ..finding("error", "disk", text, remedy)
            });
        }
        found.extend(self.quarantine_finding(&snapshot.state));
        found.extend(super::dates::finding(snapshot));
        found.extend(self.checkpoint_findings());
        found.extend(self.key_findings());
        let now = self.now().j;
        for license in snapshot.state.licenses.values() {
            found.extend(self.license_findings(snapshot, license, now));
        }
        found.extend(waiting_findings(&snapshot.state, now));
        if snapshot.state.licenses.is_empty() && snapshot.state.waiting.is_empty() {
            let text = "no license is installed: applications are refused with not_licensed, or run as a demo".to_owned();
            let remedy = "`seatkeeper license request --account ID --out site.req`, send it to the vendor, then `seatkeeper license install FILE`";
            found.push(finding("warning", "license", text, remedy));
        }
        found.extend(self.remarks.findings());
        if self.keys.elsewhere() {
            found.iter_mut().for_each(super::site_key::needs_the_key);
        }
        found
    }

    /// Starts do without them, and take longer; and no file of the journal leaves.
    fn checkpoint_findings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        if let Some(why) = self.keeper.unwritten() {
            let text = format!("the last checkpoint could not be written: {why}");
            let remedy = "it is tried again by itself; see that the state directory can be written and has space";
            found.push(finding("warning", "checkpoint", text, remedy));
        }
        let folder = self.keeper.checkpoints();
        for path in folder.map(Checkpoints::damaged).unwrap_or_default() {
            let text = format!("{} was damaged, and a start put it aside", path.display());
            let remedy = "check the disk, then delete the file: nothing reads it";
            found.push(finding("warning", "checkpoint", text, remedy));
        }
        found
    }

    fn license_findings(&self, snapshot: &Snapshot, license: &License, now: Date) -> Vec<Finding> {
        let (terms, state) = (&license.terms, &snapshot.state);
        let id = &terms.id.id;
        let renew = "ask the vendor for a renewal: `seatkeeper license request --account ID --out site.req`";
        let mut found = Vec::new();
        let mut add = |level: &str, text: String, remedy: &str, code: Option<Code>| {
            found.push(Finding {
                code,
                ..finding(level, "license", text, remedy)
            });
        };
        match (view::license_status(state, license, now), terms.exp) {
            ("revoked", _) => add(
                "error",
                format!("the vendor has withdrawn license {id}"),
                "its seats are ending and it gives nothing new: ask the vendor for a replacement, and install it; or `seatkeeper license remove`",
                Some(Code::RevokedLicense),
            ),
            ("expired", Some(exp)) => add(
                "error",
                format!("license {id} ended at {}", dates::format(exp.0)),
                renew,
                Some(Code::LicenseExpired),
            ),
            ("not_started", _) => add(
                "error",
                format!(
                    "license {id} is valid from {}, and the time of dates (J) was put back before it",
                    dates::format(terms.nbf.0)
                ),
                "is the clock right? `seatkeeper clock show`; if it is, the license serves from that day on",
                Some(Code::NotStarted),
            ),
            (_, Some(exp)) if exp.0 < now.0 + SOON_S => add(
                "warning",
                format!("license {id} ends on {}", dates::last_day(exp.0)),
                renew,
                None,
            ),
            _ => {}
        }
        if !state
            .assignments
            .values()
            .any(|assignment| assignment.license == terms.id)
        {
            let remedy = format!("`seatkeeper license assign {id} --everyone`, or `--user NAME`");
            add(
                "warning",
                format!("license {id} is assigned to nobody"),
                &remedy,
                Some(Code::NotAssigned),
            );
        }
        found
    }
}

/// Holders that the caller sees.
fn holders(snapshot: &Snapshot, caller: &Caller) -> usize {
    let state = &snapshot.state;
    let sight = Sight::of(snapshot, caller, Permission::SeatRead);
    let grants = state.pools.values().flat_map(|pool| pool.grants.values());
    let holders = grants.flat_map(|grant| grant.holders.iter());
    holders
        .filter(|holder| sight.shows(state, holder.facts.user))
        .count()
}

/// Who waits for an answer, told to whoever may give it.
fn who_waits(snapshot: &Snapshot, caller: &Caller) -> Vec<Finding> {
    let state = &snapshot.state;
    let manages = Sight::of(snapshot, caller, Permission::UserManage);
    let sees = Sight::of(snapshot, caller, Permission::UserRead);
    let own = |user| manages.over(state, user);
    let asks = state.registrations.keys();
    let asks = asks.filter(|user| own(**user) && sees.over(state, **user));
    let forgot = state.credentials.resets.keys().filter(|user| own(**user));
    let waits = [
        (
            "registration",
            asks.count(),
            "asked to come in and waits for an answer",
            "asked to come in and wait for an answer",
            "`seatkeeper registration list` shows who; `seatkeeper registration approve LOGIN` lets one in",
        ),
        (
            "reset",
            forgot.count(),
            "cannot get in and asked for a code",
            "cannot get in and asked for a code",
            "`seatkeeper user resets` shows who; `seatkeeper user reset-link LOGIN` makes the code for one whom you know",
        ),
    ];
    let told = waits.into_iter().filter(|(_, n, ..)| *n > 0);
    let told = told.map(|(about, n, one, many, remedy)| {
        let text = match n {
            1 => format!("1 user {one}"),
            n => format!("{n} users {many}"),
        };
        finding("warning", about, text, remedy)
    });
    told.collect()
}

/// What waits and will not begin as things stand; and that nothing is in force where all that is there waits.
fn waiting_findings(state: &State, now: Date) -> Vec<Finding> {
    let mut found = Vec::new();
    for license in state.waiting.values() {
        let (id, serial) = (&license.terms.id.id, license.terms.serial);
        let why = match view::waiting_status(state, license, now) {
            "revoked" => ("the vendor has withdrawn it", Code::RevokedLicense),
            "expired" => ("its time was over before it began", Code::LicenseExpired),
            _ => continue,
        };
        let text = format!(
            "license {id} serial {serial} waits and does not begin: {}",
            why.0
        );
        let remedy = format!(
            "ask the vendor for a replacement; `seatkeeper license remove {id} --waiting {serial}` takes it away"
        );
        found.push(Finding {
            code: Some(why.1),
            ..finding("warning", "license", text, &remedy)
        });
    }
    let first = state.waiting.values().min_by_key(|first| first.terms.nbf);
    if let Some(first) = first.filter(|_| state.licenses.is_empty()) {
        let text = format!(
            "no license is in force yet: {} begins on {}",
            first.terms.id.id,
            dates::day(first.terms.nbf.0)
        );
        let remedy = "wait for that day; is the clock right? `seatkeeper clock show`";
        found.push(finding("warning", "license", text, remedy));
    }
    found
}

pub(super) fn finding(level: &str, about: &str, text: String, remedy: &str) -> Finding {
    Finding {
        level: level.to_owned(),
        about: about.to_owned(),
        text,
        remedy: remedy.to_owned(),
        code: None,
        file: None,
    }
}

fn count(n: usize) -> u64 {
    n.try_into().unwrap_or(u64::MAX)
}
