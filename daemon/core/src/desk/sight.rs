//! Who may do what, and whom and what they see: things out of somebody's sight are told as if there were none.

use super::Desk;
use super::assign::license_named;
use super::directory::nobody;
use crate::authorize::{Caller, Permission, Sight, authorize, forbidden, outright};
use crate::keeper::Snapshot;
use crate::problem::Refused;
use seatkeeper_engine::State;
use seatkeeper_engine::denial::{Code, Denial};
use seatkeeper_engine::ids::{AssignmentId, GroupId, LicenseId, UnitId, UserId};
use seatkeeper_engine::state::Target;

/// Which targets of assignments a caller sees by name.
pub(super) struct Targets<'a> {
    snapshot: &'a Snapshot,
    units: Sight,
    groups: Sight,
}

impl Targets<'_> {
    pub(super) fn shows(&self, target: Target) -> bool {
        let state = &self.snapshot.state;
        match target {
            Target::Unit(unit) => self.units.at(state, unit),
            Target::Group(group) => {
                let known = state.groups.get(&group);
                known.is_some_and(|known| self.groups.at(state, known.unit))
            }
            Target::User(_) => true,
        }
    }
}

/// Which licenses a caller sees.
pub(super) struct Licenses<'a> {
    snapshot: &'a Snapshot,
    read: Sight,
    manage: Sight,
    home: UnitId,
    own: Option<UserId>,
}

impl Desk {
    /// Refuses unless the caller has the permission at this unit; tells the account for which they act by it.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn authorize(
        &self,
        caller: &Caller,
        permission: Permission,
        unit: UnitId,
    ) -> Result<Option<UnitId>, Refused> {
        if outright(caller, permission) {
            return Ok(None);
        }
        authorize(&self.keeper.snapshot(), caller, permission, &[unit])
    }

    /// Refuses who has the permission nowhere.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn authorize_somewhere(
        &self,
        caller: &Caller,
        permission: Permission,
    ) -> Result<(), Refused> {
        self.sight(&self.keeper.snapshot(), caller, permission)
            .map(drop)
    }

    /// The caller as they act at one of these units.
    pub(super) fn acting(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        permission: Permission,
        units: &[UnitId],
    ) -> Result<Caller, Refused> {
        match authorize(snapshot, caller, permission, units) {
            Ok(acting_for) => Ok(caller.acting(acting_for)),
            Err(mut refused) => {
                // Where nothing was named it is the home account that is meant.
                if units == [self.unit] {
                    self.lacks_at_home(&mut refused, caller, permission);
                }
                Err(refused)
            }
        }
    }

    fn lacks_at_home(&self, refused: &mut Refused, caller: &Caller, permission: Permission) {
        let lacks = format!("{} lacks the permission {permission}", caller.in_words());
        refused.detail = format!("{lacks} at the home account of this site");
    }

    /// The caller as they act, who has to have the permission at each of these units.
    pub(super) fn acting_at_all(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        permission: Permission,
        units: &[UnitId],
    ) -> Result<Caller, Refused> {
        let mut acting_for = None;
        for unit in units {
            let may = authorize(snapshot, caller, permission, &[*unit]);
            acting_for = acting_for.or(may.map_err(|mut refused| {
                if units == [self.unit] {
                    self.lacks_at_home(&mut refused, caller, permission);
                    if !Sight::of(snapshot, caller, permission).is_nowhere() {
                        let ask = std::mem::take(&mut refused.hint);
                        refused.hint = format!("name a unit of yours with `--unit`, or {ask}");
                    }
                }
                refused
            })?);
        }
        Ok(caller.acting(acting_for))
    }

    /// Where a caller has the permission; who has it nowhere is told so, once and for all.
    pub(super) fn sight(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        permission: Permission,
    ) -> Result<Sight, Refused> {
        let sight = Sight::of(snapshot, caller, permission);
        match sight.is_nowhere() {
            true => Err(forbidden(caller, permission)),
            false => Ok(sight),
        }
    }

    /// Whether the caller may see to whom this is assigned.
    pub(super) fn assignment_seen(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        id: AssignmentId,
    ) -> bool {
        let (state, manage) = (&snapshot.state, Permission::LicenseManageUsers);
        let sight = Sight::of(snapshot, caller, manage);
        let known = state.assignments.get(&id);
        known.is_some_and(|known| sight.on(state, known.target))
    }

    /// A denial as the caller may see it: it names no assignment of others that is out of their sight (rule 11).
    pub(super) fn denial_seen(
        &self,
        denial: &Denial,
        caller: &Caller,
        snapshot: &Snapshot,
    ) -> Denial {
        let of_others = matches!(denial.code, Code::ReservedForOthers | Code::OverPromised);
        let hidden = |id: &AssignmentId| of_others && !self.assignment_seen(snapshot, caller, *id);
        let assignment = denial.assignment.filter(|id| !hidden(id));
        let pool = denial.pool.clone();
        let pool = pool.filter(|pool| self.license_told(snapshot, caller, &pool.license));
        Denial {
            assignment,
            pool,
            ..denial.clone()
        }
    }

    /// Whether the caller is told which license it is: one that they see, or of an account that they are in.
    pub(super) fn license_told(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        license: &LicenseId,
    ) -> bool {
        let state = &snapshot.state;
        let of = |root| {
            let known = caller.person(state).and_then(|user| state.users.get(&user));
            // Who is met first is in the home account.
            known.map_or(root == self.unit, |known| state.in_account_of(known, root))
        };
        state.account_for(license).is_none_or(of)
            || self.licenses_seen(snapshot, caller).has(license)
    }

    /// A unit that the caller sees.
    pub(super) fn unit_seen(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        (member, text): (&str, &str),
    ) -> Result<UnitId, Refused> {
        let sight = self.sight(snapshot, caller, Permission::UnitRead)?;
        let state = &snapshot.state;
        let found = self.unit_named_of(state, (member, text), &|unit| sight.at(state, unit))?;
        match sight.at(state, found) {
            true => Ok(found),
            false => Err(nobody("unit", &text, "unit list")),
        }
    }

    /// A group that the caller sees.
    pub(super) fn group_seen(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        text: &str,
    ) -> Result<GroupId, Refused> {
        let sight = self.sight(snapshot, caller, Permission::GroupRead)?;
        let state = &snapshot.state;
        let found = self.group_named(state, text)?;
        let unit = state.groups.get(&found).map(|known| known.unit);
        match unit.is_some_and(|unit| sight.at(state, unit)) {
            true => Ok(found),
            false => Err(nobody("group", &text, "group list")),
        }
    }

    /// A user whom the caller sees; everyone sees themselves.
    pub(super) fn user_seen(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        text: &str,
    ) -> Result<UserId, Refused> {
        let state = &snapshot.state;
        let sight = Sight::of(snapshot, caller, Permission::UserRead);
        match self.user_named(state, text) {
            Ok(found) if sight.shows(state, found) => Ok(found),
            _ if sight.is_nowhere() => Err(forbidden(caller, Permission::UserRead)),
            Ok(_) => Err(nobody("user", &text, "user list")),
            Err(refused) => Err(refused),
        }
    }

    /// A license that the caller sees.
    pub(super) fn license_seen(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        (vendor, id): (&str, &str),
    ) -> Result<LicenseId, Refused> {
        let sees = self.licenses_seen(snapshot, caller);
        license_named(&snapshot.state, (vendor, id), |license| sees.has(license))
    }

    /// Which targets of assignments the caller sees by name.
    pub(super) fn targets_seen<'a>(&self, snapshot: &'a Snapshot, caller: &Caller) -> Targets<'a> {
        Targets {
            snapshot,
            units: Sight::of(snapshot, caller, Permission::UnitRead),
            groups: Sight::of(snapshot, caller, Permission::GroupRead),
        }
    }

    /// Which licenses the caller sees: those of accounts where they may read or assign them, and those that cover them.
    pub(super) fn licenses_seen<'a>(
        &self,
        snapshot: &'a Snapshot,
        caller: &Caller,
    ) -> Licenses<'a> {
        Licenses {
            snapshot,
            read: Sight::of(snapshot, caller, Permission::LicenseRead),
            manage: Sight::of(snapshot, caller, Permission::LicenseManageUsers),
            home: self.unit,
            own: caller.person(&snapshot.state),
        }
    }
}

impl Licenses<'_> {
    /// Whether the caller may read it whole: whose it is, too.
    pub(super) fn reads(&self, license: &LicenseId) -> bool {
        let state = &self.snapshot.state;
        let root = state.account_for(license).unwrap_or(self.home);
        self.read.at(state, root)
    }

    pub(super) fn has(&self, license: &LicenseId) -> bool {
        let state = &self.snapshot.state;
        let root = state.account_for(license).unwrap_or(self.home);
        self.read.at(state, root) || self.manage.inside(state, root) || self.covers(state, license)
    }

    /// Whether it covers the caller themselves; whom nobody has met yet is in the home account.
    fn covers(&self, state: &State, license: &LicenseId) -> bool {
        match self.own {
            Some(own) => state.covering_of(license, own).next().is_some(),
            None => {
                let everyone = Target::Unit(self.home);
                let covers = state.covers.get(license);
                covers.is_some_and(|covers| covers.by.contains_key(&everyone))
            }
        }
    }
}
