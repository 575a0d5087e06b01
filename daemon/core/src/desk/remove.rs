//! What is taken away: a license, all of them, a vendor (rule 17). What went is handed back as a license file.

use super::Desk;
use super::parse::bad;
use super::release::ending;
use crate::authorize::{Caller, Permission};
use crate::problem::{Refused, problem};
use seatkeeper::token::dates;
use seatkeeper::wire::{Assignment, Code, Removed, RemovedLicense, Vendor};
use seatkeeper_engine::ids::{LicenseId, Name, UnitId};
use seatkeeper_engine::state::{License, Place};
use seatkeeper_engine::{Command, State, Verdict, foresee_removal};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How something is taken away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Removal {
    /// Only this serial, which waits for its first day.
    pub waiting: Option<u64>,
    /// Its holders get no time to save.
    pub hard: bool,
    /// Only say what it would do.
    pub dry_run: bool,
    /// Refused unless what is taken away still has this revision.
    pub if_match: Option<u64>,
}

impl Desk {
    /// `DELETE /v1/licenses/{vendor}/{id}`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, or there is none.
    pub fn remove_license(
        &self,
        caller: &Caller,
        vendor: &str,
        id: &str,
        how: Removal,
    ) -> Result<Removed, Refused> {
        self.by_rights_of_now(caller, |caller| self.remove_seen(caller, (vendor, id), how))
    }

    /// `DELETE /v1/licenses`: all of them, where the account's name was typed (L21, D5). Blocks.
    ///
    /// # Errors
    /// `forbidden`, another name, or what met one of them; those before it are gone.
    pub fn remove_all_licenses(
        &self,
        caller: &Caller,
        confirm: &str,
        how: Removal,
    ) -> Result<Removed, Refused> {
        self.traced(caller, self.remove_all(caller, confirm, how))
    }

    /// `DELETE /v1/vendors/{name}`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, `conflict` while a license of theirs is installed, or there is none.
    pub fn remove_vendor(
        &self,
        caller: &Caller,
        name: &str,
        if_match: Option<u64>,
    ) -> Result<Vendor, Refused> {
        self.authorize(caller, Permission::VendorRemove, self.unit)?;
        self.traced(caller, self.remove_vendor_of(caller, name, if_match))
    }

    fn remove_seen(
        &self,
        caller: &Caller,
        named: (&str, &str),
        how: Removal,
    ) -> Result<Removed, Refused> {
        let snapshot = self.keeper.snapshot();
        self.sight(&snapshot, caller, Permission::LicenseRemove)?;
        let license = self.license_seen(&snapshot, caller, named)?;
        let root = snapshot.state.account_for(&license).unwrap_or(self.unit);
        let caller = self.acting(&snapshot, caller, Permission::LicenseRemove, &[root])?;
        self.remove_one(&caller, license, how)
    }

    fn remove_all(&self, caller: &Caller, confirm: &str, how: Removal) -> Result<Removed, Refused> {
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        let sight = self.sight(&snapshot, caller, Permission::LicenseRemove)?;
        let accounts = state.units.iter();
        let accounts = accounts.filter(|(_, known)| matches!(known.place, Place::Account(_)));
        let accounts = accounts
            .map(|(id, _)| *id)
            .filter(|id| sight.at(state, *id));
        let named: Vec<_> = accounts.map(|id| (id, self.unit_name(state, id))).collect();
        let Some((account, _)) = named.iter().find(|(_, name)| name == confirm) else {
            return Err(not_confirmed(&named));
        };
        let caller = &self.acting(&snapshot, caller, Permission::LicenseRemove, &[*account])?;
        let waiting = state.waiting.keys().map(|(id, _)| id);
        let theirs = |id: &&LicenseId| state.account_for(id).unwrap_or(self.unit) == *account;
        let ids = state.licenses.keys().chain(waiting).filter(theirs);
        let ids: BTreeSet<_> = ids.cloned().collect();
        let mut all = nothing(!how.dry_run);
        for license in ids {
            let how = Removal {
                waiting: None,
                if_match: None,
                ..how
            };
            let one = self.remove_one(caller, license, how)?;
            all.licenses.extend(one.licenses);
            all.ending.extend(one.ending);
            all.assignments.extend(one.assignments);
            all.file.push_str(&one.file);
        }
        all.changed &= !all.licenses.is_empty();
        Ok(all)
    }

    fn remove_one(
        &self,
        caller: &Caller,
        license: LicenseId,
        how: Removal,
    ) -> Result<Removed, Refused> {
        let snapshot = self.keeper.snapshot();
        let (state, now) = (&snapshot.state, self.now());
        let gone = concerned(state, &license, how.waiting);
        if gone.is_empty() {
            let serial = how.waiting.unwrap_or_default();
            let text = format!("no serial {serial} of license {} waits", license.id);
            let mut refused = problem(Code::NotFound, text);
            refused.hint = "`seatkeeper license show` names those that do".to_owned();
            return Err(refused);
        }
        let mut done = nothing(!how.dry_run);
        done.file = gone.iter().map(|(known, _)| file_of(known)).collect();
        let rows = gone.iter().map(|(known, waiting)| removed(known, *waiting));
        done.licenses = rows.collect();
        let nothing_left = how.waiting.is_none()
            || !state.licenses.contains_key(&license) && state.waits(&license).count() == 1;
        if nothing_left {
            done.assignments = self.assignments_of(state, &license);
        }
        if how.dry_run {
            let lost = if how.waiting.is_none() {
                foresee_removal(state, &license)
            } else {
                Vec::new()
            };
            done.ending = ending(&lost, now.lease).ending;
            return Ok(done);
        }
        let what = format!("license {}", license.id);
        let command = Command::RemoveLicense {
            license,
            waiting: how.waiting,
            hard: how.hard,
            if_match: how.if_match,
        };
        let answer = self.asked(caller, command)?;
        match &answer.verdict {
            Verdict::Ending(holders) => {
                done.ending = ending(holders, answer.now.lease).ending;
                Ok(done)
            }
            _ => Err(self.not_done(caller, &what, &answer)),
        }
    }

    fn assignments_of(&self, state: &State, license: &LicenseId) -> Vec<Assignment> {
        let of = state.assignments.iter();
        of.filter(|(_, known)| known.license == *license)
            .map(|(id, known)| self.assignment_view(state, *id, known))
            .collect()
    }

    fn remove_vendor_of(
        &self,
        caller: &Caller,
        name: &str,
        if_match: Option<u64>,
    ) -> Result<Vendor, Refused> {
        let vendor: Name = name.into();
        let snapshot = self.keeper.snapshot();
        let Some(known) = snapshot.state.vendors.get(&vendor) else {
            let mut refused = problem(Code::NotFound, format!("no vendor {name} is trusted"));
            refused.hint = "`seatkeeper vendor list` shows those that are".to_owned();
            return Err(refused);
        };
        let gone = super::view::vendor(&vendor, known);
        let answer = self.asked(caller, Command::RemoveVendor { vendor, if_match })?;
        match &answer.verdict {
            Verdict::Done => Ok(gone),
            Verdict::Denied(denial) => {
                let mut refused = self.not_done(caller, &format!("vendor {name}"), &answer);
                if let Some(license) = denial
                    .limit
                    .as_ref()
                    .filter(|_| refused.code == Code::Conflict)
                {
                    refused.detail = format!("license {license} of {name} is installed here");
                    refused.hint = format!(
                        "remove its licenses first: `seatkeeper license remove {name}/{license}`"
                    );
                }
                Err(refused)
            }
            _ => Err(self.not_done(caller, &format!("vendor {name}"), &answer)),
        }
    }
}

/// The name of an account was to be typed.
fn not_confirmed(accounts: &[(UnitId, String)]) -> Refused {
    let mut refused = bad("confirm", "is not the name of an account");
    if let Some((_, account)) = accounts.first() {
        refused.hint = format!(
            "to remove all licenses of {account}, type that name: `seatkeeper license remove --all --confirm='{account}'`"
        );
    }
    refused
}

/// What a removal takes: a serial, and whether it waits.
fn concerned(
    state: &State,
    license: &LicenseId,
    waiting: Option<u64>,
) -> Vec<(Arc<License>, bool)> {
    let in_force = state.licenses.get(license).filter(|_| waiting.is_none());
    let waits = state.waits(license);
    let waits = waits.filter(|known| waiting.is_none_or(|serial| serial == known.terms.serial));
    let in_force = in_force.into_iter().map(|known| (known.clone(), false));
    in_force
        .chain(waits.map(|known| (known.clone(), true)))
        .collect()
}

fn nothing(changed: bool) -> Removed {
    Removed {
        changed,
        licenses: Vec::new(),
        ending: Vec::new(),
        assignments: Vec::new(),
        file: String::new(),
    }
}

fn removed(known: &License, waiting: bool) -> RemovedLicense {
    let terms = &known.terms;
    RemovedLicense {
        vendor: terms.id.vendor.to_string(),
        id: terms.id.id.to_string(),
        serial: terms.serial,
        waiting,
    }
}

/// The tokens of a license as they came, as a part of a license file.
fn file_of(known: &License) -> String {
    let terms = &known.terms;
    format!(
        "# license {} serial {} of {}, valid from {}\n{}\n\n{}\n\n",
        terms.id.id,
        terms.serial,
        terms.id.vendor,
        dates::day(terms.nbf.0),
        terms.issuer,
        terms.token
    )
}
