//! Assignments: license to user, group, unit or everyone (rule 3).

use super::Desk;
use super::directory::nobody;
use super::draft::Draft;
use super::parse::{self, bad};
use super::people::people;
use super::release::ending;
use crate::authorize::{Caller, Permission, Sight};
use crate::keeper::Snapshot;
use crate::problem::{Refused, internal, problem};
use crate::random;
use seatkeeper::wire::{Assignment, AssignmentChange, Changed, Code, EndingReply};
use seatkeeper_engine::ids::{AssignmentId, LicenseId, Name, PoolId, UserId};
use seatkeeper_engine::reserves;
use seatkeeper_engine::state::{AssignmentTerms, Limit, Target};
use seatkeeper_engine::{Command, State, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// To whom something is assigned.
enum Whom<'a> {
    /// To what is there.
    Known(Target),
    /// To the user whom an administrator's word makes.
    New(&'a str),
}

impl Desk {
    /// `POST /v1/assignments`. The vendor may be left empty where one license only has this id. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `bad_request` that names the member, or the denial.
    pub fn assign(&self, caller: &Caller, body: &Assignment) -> Result<Assignment, Refused> {
        self.by_rights_of_now(caller, |caller| self.assign_of(caller, body))
    }

    /// `DELETE /v1/assignments/{id}`; `if_match` is the revision that was seen. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, or there is none.
    pub fn unassign(
        &self,
        caller: &Caller,
        id: &str,
        hard: bool,
        if_match: Option<u64>,
    ) -> Result<EndingReply, Refused> {
        self.by_rights_of_now(caller, |caller| {
            self.unassign_of(caller, id, hard, if_match)
        })
    }

    /// `PATCH /v1/assignments/{id}`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, `bad_request` that names the member, or there is none.
    pub fn change_assignment(
        &self,
        caller: &Caller,
        id: &str,
        body: &AssignmentChange,
        if_match: Option<u64>,
    ) -> Result<Changed<Assignment>, Refused> {
        self.by_rights_of_now(caller, |caller| self.change_of(caller, id, body, if_match))
    }

    fn assign_of(&self, caller: &Caller, body: &Assignment) -> Result<Assignment, Refused> {
        let snapshot = self.keeper.snapshot();
        self.sight(&snapshot, caller, Permission::LicenseManageUsers)?;
        let license = self.license_seen(&snapshot, caller, (&body.vendor, &body.license))?;
        let (caller, target) = self.whom(caller, &snapshot, &license, body)?;
        let caller = &caller;
        let id = if body.id.is_empty() {
            AssignmentId(random::bytes().map_err(|e| internal("no random id", &e))?)
        } else {
            parse::id("id", &body.id, parse::HEX)?
        };
        if body.priority.is_some() || !body.reserve.is_empty() {
            self.goes_before_others(&snapshot, caller, &license)?;
        }
        let terms = terms(body)?;
        let what = format!("the assignment of {}", license.id);
        let assign = |target| Command::Assign {
            id,
            license: license.clone(),
            target,
            terms: terms.clone(),
        };
        let target = match target {
            Whom::Known(target) => target,
            Whom::New(login) => {
                // Judged on a copy first, so that a no leaves nobody behind.
                let before = self.keeper.snapshot();
                let mut draft = Draft::of(self, (caller, &before), &before.state);
                let user = draft.meet(login)?;
                draft.give(assign(Target::User(user)), (login, &what))?;
                Target::User(self.meet_named(caller, login)?)
            }
        };
        let answer = self.asked(caller, assign(target))?;
        match &answer.verdict {
            Verdict::Assigned(id) => {
                let state = &answer.snapshot.state;
                let known = state.assignments.get(id);
                let known = known
                    .ok_or_else(|| internal("an assignment that was made is not there", id))?;
                let sight = Sight::of(&answer.snapshot, caller, Permission::UserRead);
                let (people, may_use) = people(state, &known.license, answer.now.j, &sight);
                Ok(Assignment {
                    people: Some(people),
                    may_use,
                    ..self.assignment_view(state, *id, known)
                })
            }
            _ => {
                let mut refused = self.not_done(caller, &what, &answer);
                if refused.code == Code::BadRequest {
                    refused.hint = shows(&license);
                }
                let state = &answer.snapshot.state;
                let covers = state.covers.get(&license);
                let stands = matches!(&answer.verdict, Verdict::Denied(no) if no.limit.is_none());
                if refused.code == Code::Conflict
                    && stands
                    && covers.is_some_and(|covers| covers.by.contains_key(&target))
                {
                    refused.detail = already(&license, &self.target_name(state, target));
                }
                Err(refused)
            }
        }
    }

    /// To whom: exactly one, with the caller as they act there.
    fn whom<'a>(
        &self,
        caller: &Caller,
        snapshot: &Snapshot,
        license: &LicenseId,
        body: &'a Assignment,
    ) -> Result<(Caller, Whom<'a>), Refused> {
        let state = &snapshot.state;
        let target = match (&body.user, &body.group, &body.unit, body.everyone) {
            (Some(user), None, None, false) => match self.named(state, user) {
                None if user.parse::<UserId>().is_err() => {
                    // Whoever comes to be by it is in the home account.
                    let make = [Permission::UserManage, Permission::LicenseManageUsers];
                    let may = make.map(|one| self.acting(snapshot, caller, one, &[self.unit]));
                    let [Ok(caller), Ok(_)] = may else {
                        return Err(nobody("user", user, "user list"));
                    };
                    return Ok((caller, Whom::New(user)));
                }
                _ => Target::User(self.user_seen(snapshot, caller, user)?),
            },
            (None, Some(group), None, false) => {
                Target::Group(self.group_seen(snapshot, caller, group)?)
            }
            (None, None, Some(unit), false) => {
                Target::Unit(self.unit_seen(snapshot, caller, ("unit", unit))?)
            }
            (None, None, None, true) => {
                Target::Unit(state.account_for(license).unwrap_or(self.unit))
            }
            _ => {
                return Err(bad(
                    "user",
                    "exactly one of user, group, unit and everyone is needed",
                ));
            }
        };
        let caller = self.assigning(snapshot, caller, target)?;
        Ok((caller, Whom::Known(target)))
    }

    /// The caller as they act, who may assign to this target.
    fn assigning(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        target: Target,
    ) -> Result<Caller, Refused> {
        let units = snapshot.state.units_of_target(target);
        self.acting(snapshot, caller, Permission::LicenseManageUsers, &units)
    }

    /// What takes from others is for those who may assign to everyone.
    fn goes_before_others(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        license: &LicenseId,
    ) -> Result<(), Refused> {
        let root = snapshot.state.account_for(license).unwrap_or(self.unit);
        let assign = Permission::LicenseManageUsers;
        self.acting(snapshot, caller, assign, &[root]).map(drop)
    }

    /// An assignment that the caller may change, with the caller as they act.
    fn assignment_managed(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        id: &str,
    ) -> Result<(AssignmentId, Caller), Refused> {
        let sight = self.sight(snapshot, caller, Permission::LicenseManageUsers)?;
        let none = nobody("assignment", &id, "license assignments");
        let id: AssignmentId = parse::id("id", id, parse::HEX)?;
        let state = &snapshot.state;
        let known = state.assignments.get(&id);
        let known = known.filter(|known| sight.on(state, known.target));
        let known = known.ok_or(none)?;
        Ok((id, self.assigning(snapshot, caller, known.target)?))
    }

    fn change_of(
        &self,
        caller: &Caller,
        id: &str,
        body: &AssignmentChange,
        if_match: Option<u64>,
    ) -> Result<Changed<Assignment>, Refused> {
        let what = format!("assignment {id}");
        let snapshot = self.keeper.snapshot();
        let (id, caller) = self.assignment_managed(&snapshot, caller, id)?;
        let caller = &caller;
        let known = snapshot.state.assignments.get(&id);
        let known = known.ok_or_else(|| problem(Code::NotFound, format!("there is no {what}")))?;
        let mut terms = known.terms.clone();
        if let Some(policies) = &body.policies {
            terms.policies = texts("policies", policies)?;
        }
        let now = self.assignment_view(&snapshot.state, id, known);
        let numbers = [
            body.max.as_ref().unwrap_or(&now.max),
            body.max_each.as_ref().unwrap_or(&now.max_each),
            body.reserve.as_ref().unwrap_or(&now.reserve),
        ];
        terms.limits = limits(body.exclude.as_ref().unwrap_or(&now.exclude), numbers)?;
        let other_priority = body.priority.is_some_and(|n| n != terms.priority);
        let other_reserve = body.reserve.as_ref().is_some_and(|of| *of != now.reserve);
        if other_priority || other_reserve {
            self.goes_before_others(&snapshot, caller, &known.license)?;
        }
        terms.priority = body.priority.unwrap_or(terms.priority);
        let answer = self.asked(
            caller,
            Command::ChangeAssignment {
                id,
                terms,
                hard: body.hard,
                // What was not named comes from this revision.
                if_match: if_match.or(Some(known.revision)),
            },
        )?;
        let Verdict::Ending(holders) = &answer.verdict else {
            let mut refused = self.not_done(caller, &what, &answer);
            if refused.code == Code::BadRequest {
                refused.hint = shows(&known.license);
            }
            return Err(refused);
        };
        let state = &answer.snapshot.state;
        let known = state.assignments.get(&id);
        let known =
            known.ok_or_else(|| internal("an assignment that was changed is not there", &id))?;
        Ok(Changed {
            item: self.assignment_view(state, id, known),
            ending: ending(holders, answer.now.lease).ending,
        })
    }

    fn unassign_of(
        &self,
        caller: &Caller,
        id: &str,
        hard: bool,
        if_match: Option<u64>,
    ) -> Result<EndingReply, Refused> {
        let snapshot = self.keeper.snapshot();
        let what = format!("assignment {id}");
        let (id, caller) = self.assignment_managed(&snapshot, caller, id)?;
        let caller = &caller;
        let answer = self.asked(caller, Command::Unassign { id, hard, if_match })?;
        match &answer.verdict {
            Verdict::Ending(holders) => Ok(ending(holders, answer.now.lease)),
            Verdict::Done => Ok(ending(&[], answer.now.lease)),
            _ => Err(self.not_done(caller, &what, &answer)),
        }
    }

    pub(super) fn assignment_view(
        &self,
        state: &State,
        id: AssignmentId,
        known: &seatkeeper_engine::state::Assignment,
    ) -> Assignment {
        let everyone = state.account_for(&known.license).map(Target::Unit);
        let (mut user, mut group, mut unit) = (None, None, None);
        match known.target {
            Target::User(id) => user = Some(self.user_name(id)),
            Target::Group(id) => group = Some(self.group_name(state, id)),
            Target::Unit(id) => unit = Some(self.unit_path(state, id)),
        }
        let everyone = everyone == Some(known.target);
        let excluded = known.terms.limits.iter().filter(|limit| limit.exclude);
        Assignment {
            id: id.to_string(),
            vendor: known.license.vendor.to_string(),
            license: known.license.id.to_string(),
            user,
            group,
            unit: unit.filter(|_| !everyone),
            everyone,
            policies: known
                .terms
                .policies
                .iter()
                .map(ToString::to_string)
                .collect(),
            exclude: excluded
                .map(|limit| limit.feature.as_deref().unwrap_or(ALL).to_owned())
                .collect(),
            max: by_feature(&known.terms.limits, |limit| limit.max),
            max_each: by_feature(&known.terms.limits, |limit| limit.max_each),
            reserve: by_feature(&known.terms.limits, |limit| limit.reserve),
            filled: filled(state, id, known),
            priority: Some(known.terms.priority),
            people: None,
            may_use: BTreeMap::new(),
            revision: known.revision,
        }
    }
}

/// What an assignment gives and withholds.
pub(super) fn terms(body: &Assignment) -> Result<AssignmentTerms, Refused> {
    Ok(AssignmentTerms {
        policies: texts("policies", &body.policies)?,
        priority: body.priority.unwrap_or(AssignmentTerms::default().priority),
        limits: limits(&body.exclude, [&body.max, &body.max_each, &body.reserve])?,
    })
}

/// Where somebody looks whose terms do not fit the license.
fn shows(license: &LicenseId) -> String {
    format!(
        "`seatkeeper license show {}` tells its account, its features and their optional policies",
        license.id
    )
}

/// All features of a license.
const ALL: &str = "*";

fn texts(member: &str, texts: &[String]) -> Result<Vec<Name>, Refused> {
    texts.iter().map(|text| parse::name(member, text)).collect()
}

fn limits(
    exclude: &[String],
    [max, max_each, reserve]: [&BTreeMap<String, u64>; 3],
) -> Result<Vec<Limit>, Refused> {
    let mut limits = BTreeMap::<Option<Name>, Limit>::new();
    for text in exclude {
        let feature = match &**text {
            ALL => None,
            feature => Some(parse::name("exclude", feature)?),
        };
        limits.entry(feature).or_default().exclude = true;
    }
    for (feature, most) in max {
        let feature = Some(parse::name("max", feature)?);
        limits.entry(feature).or_default().max = Some(*most);
    }
    for (feature, most) in max_each {
        let feature = Some(parse::name("max_each", feature)?);
        limits.entry(feature).or_default().max_each = Some(*most);
    }
    for (feature, seats) in reserve {
        let feature = Some(parse::name("reserve", feature)?);
        limits.entry(feature).or_default().reserve = Some(*seats);
    }
    let named = |(feature, limit)| Limit { feature, ..limit };
    Ok(limits.into_iter().map(named).collect())
}

/// A number of each feature that has one.
fn by_feature(limits: &[Limit], of: impl Fn(&Limit) -> Option<u64>) -> BTreeMap<String, u64> {
    let with = |limit: &Limit| Some((limit.feature.as_deref()?.to_owned(), of(limit)?));
    limits.iter().filter_map(with).collect()
}

/// How many of the seats that an assignment reserves are filled, by feature; of a license in force.
fn filled(
    state: &State,
    id: AssignmentId,
    known: &seatkeeper_engine::state::Assignment,
) -> BTreeMap<String, u64> {
    let reserving = known.terms.limits.iter();
    let reserving = reserving.filter(|limit| limit.reserve.is_some());
    let features = reserving.filter_map(|limit| limit.feature.clone());
    features
        .filter_map(|feature| {
            let text = feature.to_string();
            let license = known.license.clone();
            let all = reserves::filled(state, &PoolId { license, feature });
            let own = all.into_iter().find(|(of, _, _)| *of == id);
            own.map(|(_, _, filled)| (text, filled))
        })
        .collect()
}

/// The license with this id that is in force or waits, of those that are seen; the vendor decides where several have it.
pub(super) fn license_named(
    state: &State,
    (vendor, id): (&str, &str),
    seen: impl Fn(&LicenseId) -> bool,
) -> Result<LicenseId, Refused> {
    let waiting = state.waiting.keys().map(|(license, _)| license);
    let found: BTreeSet<_> = state
        .licenses
        .keys()
        .chain(waiting)
        .filter(|license| *license.id == *id && (vendor.is_empty() || *license.vendor == *vendor))
        .filter(|license| seen(license))
        .collect();
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(license), None) => Ok(license.clone()),
        (Some(_), Some(_)) => Err(bad(
            "vendor",
            format_args!("several vendors have a license {id}; name one"),
        )),
        (None, _) => {
            let mut refused = problem(Code::NotFound, format!("no license {id} is installed"));
            refused.hint = "`seatkeeper license list` shows what is".to_owned();
            Err(refused)
        }
    }
}

/// What is said where a license is assigned to whom it was to be already.
pub(super) fn already(license: &LicenseId, whom: &str) -> String {
    format!(
        "license {} is assigned to {whom} already, on other terms",
        license.id
    )
}
