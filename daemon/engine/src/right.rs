//! Who may use a license, and with which policies (rules 3, 4): asked at every checkout and at every renewal.

use crate::denial::{Code, Denial};
use crate::ids::{AssignmentId, LicenseId, Name, PoolId, UnitId, UserId};
use crate::state::{Assignment, Covers, Feature, State, Target, User};
use crate::time::Date;
use std::sync::Arc;

/// Why a user may not use a feature (rule 4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoRight {
    /// Nobody has this id.
    Unknown,
    /// Invited, pending, suspended, or a guest whose last day is over.
    NotActive,
    /// No assignment covers them.
    NotAssigned,
    /// The license is installed for an account that they are not in.
    OtherAccount,
    /// This assignment keeps them out; it wins over all others (rule 10).
    Excluded(AssignmentId),
}

impl NoRight {
    /// The denial.
    pub(crate) fn denial(self) -> Denial {
        match self {
            NoRight::Unknown => Denial::new(Code::UnknownUser, 4),
            NoRight::NotActive => Denial::new(Code::UserNotActive, 4),
            NoRight::NotAssigned => Denial::new(Code::NotAssigned, 4),
            NoRight::OtherAccount => Denial {
                other_account: true,
                ..Denial::new(Code::NotAssigned, 4)
            },
            NoRight::Excluded(by) => Denial {
                assignment: Some(by),
                ..Denial::new(Code::Excluded, 10)
            },
        }
    }
}

impl State {
    /// The assignment that gives a user the right to a feature, the most direct one: their own, then those of their
    /// groups, then those of their units from the nearest up.
    ///
    /// # Errors
    /// Why there is none.
    pub fn right(
        &self,
        license: &LicenseId,
        feature: &str,
        user: UserId,
        j: Date,
    ) -> Result<AssignmentId, NoRight> {
        let known = self.users.get(&user).ok_or(NoRight::Unknown)?;
        if !known.active(j) {
            return Err(NoRight::NotActive);
        }
        // First of all: nobody outside its account can be given it.
        if !self.under_account(license, known) {
            return Err(NoRight::OtherAccount);
        }
        let covers = self.covers.get(license).ok_or(NoRight::NotAssigned)?;
        if covers.keep_out == 0 {
            let mut around = self.around(user, known);
            let first = around.find_map(|target| covers.by.get(&target).copied());
            return first.ok_or(NoRight::NotAssigned);
        }
        let mut first = None;
        for (id, assignment) in self.covering(covers, user, known) {
            if assignment.terms.keeps_out(feature) {
                return Err(NoRight::Excluded(id));
            }
            first = first.or(Some(id));
        }
        first.ok_or(NoRight::NotAssigned)
    }

    /// The assignments of a license that cover a user, the most direct first.
    pub fn covering_of(
        &self,
        license: &LicenseId,
        user: UserId,
    ) -> impl Iterator<Item = (AssignmentId, &Arc<Assignment>)> {
        let found = self.covers.get(license).zip(self.users.get(&user));
        found
            .into_iter()
            .flat_map(move |(covers, known)| self.covering(covers, user, known))
    }

    fn covering<'a>(
        &'a self,
        covers: &'a Covers,
        user: UserId,
        known: &'a User,
    ) -> impl Iterator<Item = (AssignmentId, &'a Arc<Assignment>)> {
        self.around(user, known).filter_map(|target| {
            let id = covers.by.get(&target)?;
            Some((*id, self.assignments.get(id)?))
        })
    }

    /// Whatever an assignment may name to cover a user, the most direct first.
    pub(crate) fn around<'a>(
        &'a self,
        user: UserId,
        known: &'a User,
    ) -> impl Iterator<Item = Target> + 'a {
        let groups = (!known.groups.is_empty()).then(|| self.groups_around(&known.groups));
        let groups = groups.into_iter().flatten().map(Target::Group);
        std::iter::once(Target::User(user))
            .chain(groups)
            .chain(self.nearest_up(self.units_of(known)).map(Target::Unit))
    }

    /// These units and those above them, the nearest first. Two may meet further up: what is there is told twice.
    fn nearest_up<'a>(&'a self, units: &'a [UnitId]) -> impl Iterator<Item = UnitId> + 'a {
        let (one, several) = match units {
            [one] => (Some(*one), &[][..]),
            several => (None, several),
        };
        let all = several.iter();
        let mut all: Vec<_> = all
            .flat_map(|unit| self.upwards(*unit).enumerate())
            .collect();
        all.sort_by_key(|(steps, _)| *steps);
        let one = one.into_iter().flat_map(|unit| self.upwards(unit));
        one.chain(all.into_iter().map(|(_, unit)| unit))
    }

    /// Whether the license is installed for an account above the user.
    fn under_account(&self, license: &LicenseId, user: &User) -> bool {
        let account = self.account_for(license);
        if user.units.is_empty() {
            return account == self.site.map(|site| site.unit);
        }
        let mut units = user.units.iter();
        units.any(|unit| self.account_of(*unit).map(|(root, _)| root) == account)
    }

    /// The account that a license is installed for, in force or waiting.
    #[must_use]
    pub fn account_for(&self, license: &LicenseId) -> Option<UnitId> {
        let known = self.licenses.get(license);
        let known = known.or_else(|| self.waits(license).next());
        let account = known.and_then(|known| known.account);
        account.or(self.site.map(|site| site.unit))
    }

    /// Whether what is assigned of a license can reach this target: a user in its account, or a unit of it. A group holds
    /// users of any account.
    pub(crate) fn in_account(&self, license: &LicenseId, target: Target) -> bool {
        match target {
            Target::User(user) => {
                let known = self.users.get(&user);
                known.is_some_and(|known| self.under_account(license, known))
            }
            Target::Unit(unit) => {
                let account = self.account_of(unit).map(|(root, _)| root);
                account == self.account_for(license)
            }
            Target::Group(_) => true,
        }
    }

    /// The right of a user who sits in a pool.
    pub(crate) fn sits_rightly(&self, pool: &PoolId, user: UserId, j: Date) -> bool {
        self.right(&pool.license, &pool.feature, user, j).is_ok()
    }

    /// Whether a holder of this pool loses its seat at its next call: its license is in force, and its user has no
    /// right to it any more (rules 4, 16).
    #[must_use]
    pub fn right_lost(&self, pool: &PoolId, user: UserId, j: Date) -> bool {
        self.licenses.contains_key(&pool.license) && !self.sits_rightly(pool, user, j)
    }

    /// The policies of a lease: the feature's own, and of the optional ones those that an assignment gives (rule 4).
    pub(crate) fn policies(&self, pool: &PoolId, feature: &Feature, user: UserId) -> Vec<Name> {
        let mut policies = feature.policies.clone();
        let given = self.covers.get(&pool.license).map_or(0, |c| c.policies);
        if feature.optional.is_empty() || given == 0 {
            return policies;
        }
        let chosen: Vec<_> = self
            .covering_of(&pool.license, user)
            .flat_map(|(_, assignment)| &assignment.terms.policies)
            .collect();
        for policy in &feature.optional {
            if chosen.contains(&policy) && !policies.contains(policy) {
                policies.push(policy.clone());
            }
        }
        policies
    }
}
