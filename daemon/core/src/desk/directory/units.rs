//! `/v1/units`.

use super::names::HOME;
use super::{Named, brought, spelled, word};
use crate::authorize::{Caller, Permission, Sight, forbidden};
use crate::desk::Desk;
use crate::desk::directory::name_key;
use crate::desk::parse::bad;
use crate::desk::view::{Cursor, page};
use crate::keeper::Snapshot;
use crate::problem::{Refused, internal, problem};
use crate::side::Kind;
use seatkeeper::wire::{self, Changed, Code, Page, UnitChange, UnitMake};
use seatkeeper_engine::access::Scope;
use seatkeeper_engine::command::{self, Arrange, MoveTo};
use seatkeeper_engine::ids::{NameHash, UnitId};
use seatkeeper_engine::state::{Account, AccountKind, Place, Target};
use seatkeeper_engine::{Concerned, State};
use std::sync::PoisonError;

pub(super) const KINDS: &[(&str, AccountKind)] = &[
    ("producer", AccountKind::Producer),
    ("partner", AccountKind::Partner),
    ("customer", AccountKind::Customer),
];
/// What an account is that made itself: a customer, of a type of its own (F16).
pub(super) const SELF_REGISTERED: &str = "self-registered";

/// What is told of accounts: the customers' ids to who reads their licenses, the domains to who sees their users.
struct Told {
    licenses: Sight,
    users: Sight,
}

impl Told {
    fn of(snapshot: &Snapshot, caller: &Caller) -> Told {
        Told {
            licenses: Sight::of(snapshot, caller, Permission::LicenseRead),
            users: Sight::of(snapshot, caller, Permission::UserRead),
        }
    }
}

impl Desk {
    /// `GET /v1/units`.
    ///
    /// # Errors
    /// `forbidden`, or a cursor that is none.
    pub fn units(&self, caller: &Caller, cursor: &Cursor) -> Result<Page<wire::Unit>, Refused> {
        let snapshot = self.keeper.snapshot();
        let sight = self.sight(&snapshot, caller, Permission::UnitRead)?;
        let told = Told::of(&snapshot, caller);
        let after = cursor.after_id::<UnitId>()?;
        let rows = snapshot
            .state
            .units
            .range(after)
            .filter(|(id, _)| sight.at(&snapshot.state, **id))
            .map(|(id, _)| (id.to_string(), self.unit_view(&snapshot.state, *id, &told)));
        Ok(page(
            rows.filter_map(|(key, row)| Some((key, row?))),
            cursor.limit()?,
        ))
    }

    /// `GET /v1/units/{unit}`.
    ///
    /// # Errors
    /// `forbidden`, or there is none.
    pub fn unit_of(&self, caller: &Caller, unit: &str) -> Result<wire::Unit, Refused> {
        let snapshot = self.keeper.snapshot();
        let id = self.unit_seen(&snapshot, caller, ("unit", unit))?;
        self.unit_shown(&snapshot, caller, id)
    }

    /// `POST /v1/units`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `bad_request` that names the member, or the denial.
    pub fn make_unit(&self, caller: &Caller, body: &UnitMake) -> Result<wire::Unit, Refused> {
        self.by_rights_of_now(caller, |caller| self.make_unit_of(caller, body))
    }

    /// `PATCH /v1/units/{unit}`: one change. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, `bad_request` that names the member, or the denial.
    pub fn change_unit(
        &self,
        caller: &Caller,
        unit: &str,
        body: &UnitChange,
        if_match: Option<u64>,
    ) -> Result<Changed<wire::Unit>, Refused> {
        self.by_rights_of_now(caller, |caller| {
            self.change_unit_of(caller, unit, body, if_match)
        })
    }

    /// `DELETE /v1/units/{unit}`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, `not_empty`, or there is none.
    pub fn remove_unit(
        &self,
        caller: &Caller,
        unit: &str,
        if_match: Option<u64>,
    ) -> Result<(), Refused> {
        self.by_rights_of_now(caller, |caller| self.remove_unit_of(caller, unit, if_match))
    }

    fn make_unit_of(&self, caller: &Caller, body: &UnitMake) -> Result<wire::Unit, Refused> {
        let unit: UnitId = brought(body.id.as_deref())?;
        let snapshot = self.keeper.snapshot();
        let (caller, place) = match (&body.above, &body.kind) {
            (Some(above), None) if body.managed_by.is_none() => {
                let above = self.unit_seen(&snapshot, caller, ("above", above))?;
                let manage = Permission::UnitManage;
                let caller = self.acting(&snapshot, caller, manage, &[above])?;
                (caller, Place::Below(above))
            }
            (None, Some(kind)) => {
                let account = Account {
                    kind: word("kind", kind, KINDS)?,
                    managed_by: self.manager(&snapshot, caller, body.managed_by.as_deref())?,
                    self_registered: false,
                };
                (
                    self.makes_accounts(&snapshot, caller, account)?,
                    Place::Account(account),
                )
            }
            _ => {
                return Err(bad(
                    "above",
                    "either a unit that it comes below, or the kind of an account is needed",
                ));
            }
        };
        let caller = &caller;
        let (text, name) = self.hashed_name("name", &body.name)?;
        if matches!(place, Place::Account(_)) {
            self.account_name(unit, &text)?;
        }
        let change = Arrange::MakeUnit { unit, name, place };
        let what = format!("unit {text}");
        let named = named(unit, &text, name);
        let answer = self.arranged_by_name(caller, &what, &named, change)?;
        self.unit_shown(&answer.snapshot, caller, unit)
    }

    fn change_unit_of(
        &self,
        caller: &Caller,
        unit: &str,
        body: &UnitChange,
        if_match: Option<u64>,
    ) -> Result<Changed<wire::Unit>, Refused> {
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        let id = self.unit_seen(&snapshot, caller, ("unit", unit))?;
        let what = format!("unit {}", self.unit_path(state, id));
        let hard = body.hard;
        let parts = (&body.name, &body.above, &body.kind, &body.managed_by);
        let (caller, change) = match parts {
            (Some(name), None, None, None) => {
                let caller = self.acting(&snapshot, caller, Permission::UnitManage, &[id])?;
                return self.rename_unit(&caller, (id, &what), name, if_match);
            }
            (None, Some(above), None, None) => {
                let to = self.unit_seen(&snapshot, caller, ("above", above))?;
                let manage = Permission::UnitManage;
                self.acting(&snapshot, caller, manage, &[to])?;
                self.gains_nothing(&snapshot, caller, (id, to))?;
                let caller = self.takes_out(&snapshot, caller, id)?;
                let to = MoveTo::Below(to);
                (caller, command::UnitChange::Move { to, hard })
            }
            (None, None, Some(kind), None) => {
                let to = MoveTo::Account(word("kind", kind, KINDS)?);
                let accounts = Permission::AccountManage;
                let caller = self.acting(&snapshot, caller, accounts, &[self.unit])?;
                (caller, command::UnitChange::Move { to, hard })
            }
            (None, None, None, Some(by)) => {
                let accounts = Permission::AccountManage;
                let caller = self.acting(&snapshot, caller, accounts, &[self.unit])?;
                let by = self.manager(&snapshot, &caller, Some(by))?;
                (caller, command::UnitChange::Manage(by))
            }
            _ => {
                return Err(bad(
                    "name",
                    "exactly one of name, above, kind and managed_by is needed",
                ));
            }
        };
        let change = Arrange::ChangeUnit {
            unit: id,
            change,
            if_match,
        };
        let answer = self.arranged(&caller, &what, change);
        let answer = answer.map_err(|refused| named_there(refused, &what))?;
        let item = wire::Unit {
            ended: self.ended(&answer, &caller),
            ..self.unit_shown(&answer.snapshot, &caller, id)?
        };
        let concerned = Concerned::Targets(vec![Target::Unit(id)]);
        let ending = self.losing(state, &answer, &concerned).ending;
        Ok(Changed { item, ending })
    }

    fn rename_unit(
        &self,
        caller: &Caller,
        (unit, what): (UnitId, &str),
        name: &str,
        if_match: Option<u64>,
    ) -> Result<Changed<wire::Unit>, Refused> {
        let (text, name) = self.hashed_name("name", name)?;
        let state = &self.keeper.snapshot().state;
        let place = state.units.get(&unit).map(|known| known.place);
        if matches!(place, Some(Place::Account(_))) {
            self.account_name(unit, &text)?;
        }
        let change = Arrange::ChangeUnit {
            unit,
            change: command::UnitChange::Rename(name),
            if_match,
        };
        let named = named(unit, &text, name);
        let answer = self.arranged_by_name(caller, what, &named, change)?;
        let item = self.unit_shown(&answer.snapshot, caller, unit)?;
        let ending = Vec::new();
        Ok(Changed { item, ending })
    }

    fn remove_unit_of(
        &self,
        caller: &Caller,
        unit: &str,
        if_match: Option<u64>,
    ) -> Result<(), Refused> {
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        let id = self.unit_seen(&snapshot, caller, ("unit", unit))?;
        let what = format!("unit {}", self.unit_path(state, id));
        let caller = &self.takes_out(&snapshot, caller, id)?;
        let _one = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let name = state.units.get(&id).and_then(|known| known.name);
        let domains = state.approved_domains.get(&id).into_iter().flatten();
        let change = Arrange::RemoveUnit { unit: id, if_match };
        self.arranged(caller, &what, change)?;
        for name in name.iter().chain(domains) {
            self.erase_name(Kind::Unit, name_key(id.0, *name));
        }
        Ok(())
    }

    fn manager(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        by: Option<&str>,
    ) -> Result<Option<UnitId>, Refused> {
        let by = by.filter(|by| !by.is_empty());
        by.map(|by| self.unit_seen(snapshot, caller, ("managed_by", by)))
            .transpose()
    }

    /// Who may make this account: a customer of theirs, those who manage units of the account that will manage it.
    fn makes_accounts(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        account: Account,
    ) -> Result<Caller, Refused> {
        match (account.kind, account.managed_by) {
            (AccountKind::Customer, Some(manager)) => {
                self.acting(snapshot, caller, Permission::UnitManage, &[manager])
            }
            _ => self.acting(snapshot, caller, Permission::AccountManage, &[self.unit]),
        }
    }

    /// Refuses who would have more over a unit where it goes than where it is.
    fn gains_nothing(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        (unit, to): (UnitId, UnitId),
    ) -> Result<(), Refused> {
        let placed = Permission::ALL.iter().copied();
        let mut placed = placed.filter(|one| one.scope() == Scope::Place);
        let gained = placed.find(|permission| {
            let sight = Sight::of(snapshot, caller, *permission);
            sight.at(&snapshot.state, to) && !sight.at(&snapshot.state, unit)
        });
        match gained {
            Some(permission) => Err(forbidden(caller, permission)),
            None => Ok(()),
        }
    }

    /// Who may take a unit out of its place: those who manage what it is in.
    fn takes_out(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        unit: UnitId,
    ) -> Result<Caller, Refused> {
        match snapshot.state.units.get(&unit).map(|known| known.place) {
            Some(Place::Below(above)) => {
                self.acting(snapshot, caller, Permission::UnitManage, &[above])
            }
            _ => self.acting(snapshot, caller, Permission::AccountManage, &[self.unit]),
        }
    }

    /// An account is not called as the home account is found: its paths would lead elsewhere.
    pub(super) fn account_name(&self, unit: UnitId, text: &str) -> Result<(), Refused> {
        let lower = text.to_lowercase();
        let home = lower == HOME || lower == self.settings.site_name.to_lowercase();
        if home && unit != self.unit {
            let detail =
                format!("account {text}: the home account of this site is found by this name");
            return Err(problem(Code::NameTaken, detail));
        }
        Ok(())
    }

    pub(super) fn unit_shown(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        id: UnitId,
    ) -> Result<wire::Unit, Refused> {
        let told = Told::of(snapshot, caller);
        let view = self.unit_view(&snapshot.state, id, &told);
        view.ok_or_else(|| internal("a unit that was found is not there", &id))
    }

    fn unit_view(&self, state: &State, id: UnitId, told: &Told) -> Option<wire::Unit> {
        let known = state.units.get(&id)?;
        let (above, account) = match known.place {
            Place::Below(above) => (Some(above), None),
            Place::Account(account) => (None, Some(account)),
        };
        let managed_by = account.and_then(|account| account.managed_by);
        Some(wire::Unit {
            id: id.to_string(),
            name: self.unit_name(state, id),
            path: self.unit_path(state, id),
            above: above.map(|above| above.to_string()),
            kind: account.map(|account| match account.self_registered {
                true => SELF_REGISTERED.to_owned(),
                false => spelled(account.kind, KINDS).to_owned(),
            }),
            managed_by: managed_by.map(|by| self.unit_name(state, by)),
            aliases: match account {
                Some(_) if told.licenses.at(state, id) => self.aliases(state, id),
                _ => Vec::new(),
            },
            lets_in: match told.users.at(state, id) {
                true => self.domains_of(state, id),
                false => Vec::new(),
            },
            home: id == self.unit,
            units: known.units,
            users: known.users,
            revision: known.revision,
            ended: None,
        })
    }
}

/// A unit that moves brings its name along: where that is taken, it takes another one first.
fn named_there(mut refused: Refused, what: &str) -> Refused {
    if refused.code == Code::NameTaken {
        let path = what.strip_prefix("unit ").unwrap_or(what);
        refused.detail = format!("{what}: a unit of this name is there already");
        refused.hint =
            format!("give it another name first: `seatkeeper unit rename '{path}' NAME`");
    }
    refused
}

fn named(unit: UnitId, text: &str, name: NameHash) -> Named<'_> {
    Named {
        kind: Kind::Unit,
        id: unit.0,
        text,
        name,
    }
}
