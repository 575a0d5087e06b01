//! `/v1/roles`, and who has which.

use super::{spelled, word};
use crate::authorize::{Caller, Permission, Sight, authorize, forbidden, not_by_token};
use crate::desk::Desk;
use crate::desk::parse::bad;
use crate::desk::view::{Cursor, page};
use crate::keeper::{Answer, Snapshot};
use crate::problem::{Refused, problem};
use seatkeeper::wire::{self, Code, GivenRole, Page, RoleDefine, RolesChange};
use seatkeeper_engine::access::{Given, Reach, Role};
use seatkeeper_engine::command::Access;
use seatkeeper_engine::ids::{Name, UnitId, UserId};
use seatkeeper_engine::state::User;
use seatkeeper_engine::{Command, State, Verdict};
use std::collections::BTreeSet;

/// Bytes of the name of a role.
const NAME_BYTES: usize = 64;

const REACH: &[(&str, Reach)] = &[
    ("unit", Reach::Unit),
    ("below", Reach::Below),
    ("customers", Reach::Customers),
];

impl Desk {
    /// `GET /v1/roles`: the usual ones and the site's own, for every caller.
    ///
    /// # Errors
    /// A cursor that is none.
    pub fn roles(&self, caller: &Caller, cursor: &Cursor) -> Result<Page<wire::Role>, Refused> {
        self.authorize(caller, Permission::RoleRead, self.unit)?;
        let state = &self.keeper.snapshot().state;
        let usual = Role::USUAL.iter().map(|name| Name::from(*name));
        let names: BTreeSet<_> = usual.chain(state.roles.keys().cloned()).collect();
        let after = cursor.after.as_deref();
        let rows = names
            .into_iter()
            .filter(|name| after.is_none_or(|after| **name > *after))
            .filter_map(|name| Some((name.to_string(), role_view(state, &name)?)));
        Ok(page(rows, cursor.limit()?))
    }

    /// `GET /v1/roles/{role}`.
    ///
    /// # Errors
    /// There is none.
    pub fn role_shown(&self, caller: &Caller, role: &str) -> Result<wire::Role, Refused> {
        self.authorize(caller, Permission::RoleRead, self.unit)?;
        role_view(&self.keeper.snapshot().state, role).ok_or_else(|| no_role(role))
    }

    /// `PUT /v1/roles/{role}`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, or `bad_request` that names the member.
    pub fn define_role(
        &self,
        caller: &Caller,
        role: &str,
        body: &RoleDefine,
        if_match: Option<u64>,
    ) -> Result<wire::Role, Refused> {
        self.by_rights_of_now(caller, |caller| {
            self.define_role_of(caller, role, body, if_match)
        })
    }

    /// `DELETE /v1/roles/{role}`: a usual one is as it came again, and told so; another one as it was. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, `not_empty` while somebody has it, or there is none.
    pub fn remove_role(
        &self,
        caller: &Caller,
        role: &str,
        if_match: Option<u64>,
    ) -> Result<wire::Role, Refused> {
        self.by_rights_of_now(caller, |caller| self.remove_role_of(caller, role, if_match))
    }

    /// `PATCH /v1/users/{user}/roles`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, `last_administrator`, or `bad_request` that names the member.
    pub fn change_roles(
        &self,
        caller: &Caller,
        user: &str,
        body: &RolesChange,
        if_match: Option<u64>,
    ) -> Result<wire::User, Refused> {
        self.by_rights_of_now(caller, |caller| {
            self.change_roles_of(caller, user, body, if_match)
        })
    }

    /// Refuses who may change no role.
    fn defines(&self, caller: &Caller) -> Result<(), Refused> {
        self.authorize(caller, Permission::RoleDefine, self.unit)?;
        not_by_token(caller, "changes no role")
    }

    fn remove_role_of(
        &self,
        caller: &Caller,
        role: &str,
        if_match: Option<u64>,
    ) -> Result<wire::Role, Refused> {
        self.defines(caller)?;
        self.has_both(caller, role, Role::usual(role).as_ref())?;
        let was = role_view(&self.keeper.snapshot().state, role);
        let change = Access::RemoveRole {
            role: Name::from(role),
            if_match,
        };
        let done = self.access(caller, &format!("role {role}"), change);
        let answer = done.map_err(|refused| match refused.code {
            Code::NotEmpty => self.had_by(caller, role, refused),
            _ => refused,
        })?;
        let is = role_view(&answer.snapshot.state, role);
        let told = is.or(was).ok_or_else(|| no_role(role))?;
        let ended = self.ended(&answer, caller);
        Ok(wire::Role { ended, ..told })
    }

    fn define_role_of(
        &self,
        caller: &Caller,
        role: &str,
        body: &RoleDefine,
        if_match: Option<u64>,
    ) -> Result<wire::Role, Refused> {
        self.defines(caller)?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if role.is_empty() || role.len() > NAME_BYTES || !role.chars().all(plain) {
            let why = format_args!("1 to {NAME_BYTES} of a to z, 0 to 9 and -, as in `help-desk`");
            return Err(bad("role", why));
        }
        let permissions = body.permissions.iter().map(|text| {
            text.parse::<Permission>().map_err(|why| {
                let mut refused = bad("permissions", format_args!("{text} is {why}"));
                refused.hint = near(text);
                refused
            })
        });
        let made = Role {
            permissions: permissions.collect::<Result<_, _>>()?,
            reach: word("reach", &body.reach, REACH)?,
            revision: 0,
        };
        self.has_both(caller, role, Some(&made))?;
        let change = Access::DefineRole {
            role: Name::from(role),
            permissions: made.permissions,
            reach: made.reach,
            if_match,
        };
        let answer = self.access(caller, &format!("role {role}"), change)?;
        let made = role_view(&answer.snapshot.state, role).ok_or_else(|| no_role(role))?;
        let ended = self.ended(&answer, caller);
        Ok(wire::Role { ended, ..made })
    }

    fn change_roles_of(
        &self,
        caller: &Caller,
        user: &str,
        body: &RolesChange,
        if_match: Option<u64>,
    ) -> Result<wire::User, Refused> {
        not_by_token(caller, "gives no role")?;
        let snapshot = &self.keeper.snapshot();
        let sight = self.sight(snapshot, caller, Permission::RoleGive)?;
        let id = self.user_seen(snapshot, caller, user)?;
        let known = snapshot.state.users.get(&id);
        let known = known.ok_or_else(|| problem(Code::NotFound, format!("there is no {user}")))?;
        let (give, by_giving) =
            self.given(snapshot, (caller, &sight, known), ("give", &body.give))?;
        let (take, by_taking) =
            self.given(snapshot, (caller, &sight, known), ("take", &body.take))?;
        let mut roles = known.roles.clone();
        roles.retain(|one| !take.contains(one));
        roles.extend(give);
        let change = Access::GiveRoles {
            user: id,
            roles,
            // What was not named comes from this revision.
            if_match: if_match.or(Some(known.revision)),
        };
        let acting = caller.acting(by_giving.or(by_taking));
        let what = format!("user {}", self.user_name(id));
        let answer = self.access(&acting, &what, change)?;
        self.user_changed(&answer, caller, id)
    }

    /// The roles that are named, each of which the caller may give, and for which account they act by it.
    fn given(
        &self,
        snapshot: &Snapshot,
        (caller, sight, user): (&Caller, &Sight, &User),
        (member, list): (&str, &[GivenRole]),
    ) -> Result<(Vec<Given>, Option<UnitId>), Refused> {
        let state = &snapshot.state;
        let (mut all, mut acting_for) = (Vec::new(), None);
        for one in list {
            let role = state.role(&one.role).ok_or_else(|| no_role(&one.role))?;
            let unit = match &*one.unit {
                "" => self.unit,
                unit => self.unit_seen(snapshot, caller, (member, unit))?,
            };
            if one.role == Role::USER {
                return Err(of_everybody(member));
            }
            let give = Permission::RoleGive;
            acting_for = acting_for.or(authorize(snapshot, caller, give, &[unit])?);
            if !sight.may_give(state, &role, unit) {
                return Err(more_than_own(caller, &one.role));
            }
            // What one has by managing an account is for the people of that account.
            let stranger = acting_for.is_some_and(|account| !state.in_account_of(user, account));
            if stranger && member == "give" {
                return Err(bad(
                    member,
                    "whoever acts for an account gives its roles to people of that account",
                ));
            }
            all.push(Given {
                role: Name::from(&*one.role),
                unit,
            });
        }
        Ok((all, acting_for))
    }

    fn access(&self, caller: &Caller, what: &str, change: Access) -> Result<Answer, Refused> {
        let answer = self.asked(caller, Command::Access(change))?;
        match &answer.verdict {
            Verdict::Done => Ok(answer),
            _ => Err(self.not_done(caller, what, &answer)),
        }
    }

    /// Refuses to make a role of more than the caller has at home, or to change one that gives more.
    fn has_both(&self, caller: &Caller, role: &str, made: Option<&Role>) -> Result<(), Refused> {
        let snapshot = self.keeper.snapshot();
        let sight = Sight::of(&snapshot, caller, Permission::RoleDefine);
        let was = snapshot.state.role(role);
        let mut both = was.as_deref().into_iter().chain(made);
        let has = |role: &Role| sight.has_all(&snapshot.state, role, self.unit);
        match both.all(has) {
            true => Ok(()),
            false => Err(more_than_own(caller, role)),
        }
    }

    /// Refuses to change somebody who has more than the caller: who could act as they do, or keep them from it, has to have
    /// all that they have.
    pub(in crate::desk) fn may_stand_in(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        user: UserId,
    ) -> Result<(), Refused> {
        let sight = Sight::of(snapshot, caller, Permission::RoleGive);
        let state = &snapshot.state;
        let Some(known) = state.users.get(&user) else {
            return Ok(());
        };
        let beyond = known.roles.iter().find(|given| {
            let role = state.role(&given.role);
            role.is_some_and(|role| !sight.has_all(state, &role, given.unit))
        });
        if let Some(given) = beyond {
            return Err(more_than_own(caller, &given.role));
        }
        // What everybody has besides, where this site gives them more than usual.
        let usual = Role::usual(Role::USER).unwrap_or_else(|| unreachable!("it is usual"));
        let Some(role) = state.role(Role::USER) else {
            return Ok(());
        };
        let more = |one: &Permission| !usual.permissions.contains(one);
        let permissions = role.permissions.iter().copied().filter(more).collect();
        let added = Role {
            permissions,
            ..Role::clone(&role)
        };
        let mut units = state.units_of(known).iter();
        match units.all(|unit| sight.has_all(state, &added, *unit)) {
            true => Ok(()),
            false => Err(more_than_own(caller, Role::USER)),
        }
    }

    /// The refusal to take a role away that somebody has: with who has it, of those who are seen, and how it is taken from them.
    fn had_by(&self, caller: &Caller, role: &str, mut refused: Refused) -> Refused {
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        let sight = Sight::of(&snapshot, caller, Permission::UserRead);
        let seen = state.users.keys().filter(|user| sight.shows(state, **user));
        let has = seen.filter_map(|user| {
            let given = state.users.get(user)?.roles.iter();
            let mut given = given.filter(|given| *given.role == *role);
            let given = given.next()?;
            Some((self.user_name(*user), self.unit_path(state, given.unit)))
        });
        let mut has: Vec<_> = has.take(super::NAMED).collect();
        has.sort();
        if let Some((login, unit)) = has.first() {
            let names: Vec<_> = has.iter().map(|(login, _)| login.as_str()).collect();
            refused.detail = format!("{}: {}", refused.detail, names.join(", "));
            refused.hint =
                format!("`seatkeeper role take {role} {login} --unit '{unit}'`, of each of them");
        }
        refused
    }

    /// The roles of a user at units that are seen.
    pub(super) fn roles_of(&self, state: &State, known: &User, units: &Sight) -> Vec<GivenRole> {
        let seen = known.roles.iter().filter(|one| units.at(state, one.unit));
        seen.map(|one| GivenRole {
            role: one.role.to_string(),
            unit: self.unit_path(state, one.unit),
        })
        .collect()
    }
}

/// Where permissions are listed, and those of the same noun.
fn near(text: &str) -> String {
    let noun = text.split('.').next().unwrap_or_default();
    let same = Permission::ALL.iter().map(|one| one.as_str());
    let same = same.filter(|one| one.split('.').next() == Some(noun));
    let same: Vec<_> = same.collect();
    let list = "`seatkeeper role list` shows what each role gives";
    match same.is_empty() {
        true => list.to_owned(),
        false => format!("there is {}; {list}", same.join(", ")),
    }
}

fn role_view(state: &State, name: &str) -> Option<wire::Role> {
    let role = state.role(name)?;
    let usual = Role::usual(name).is_some();
    let permissions = role.permissions.iter().map(ToString::to_string);
    Some(wire::Role {
        name: name.to_owned(),
        permissions: permissions.collect(),
        reach: spelled(role.reach, REACH).to_owned(),
        usual,
        changed: usual && role.revision > 0,
        revision: role.revision,
        ended: None,
    })
}

fn no_role(role: &str) -> Refused {
    super::nobody("role", &role, "role list")
}

/// Nobody is given what everybody has, nor is it taken from one.
fn of_everybody(member: &str) -> Refused {
    let mut refused = bad(
        member,
        "the role user is everybody's at their own units, neither given nor taken",
    );
    refused.hint = "`seatkeeper role show user` tells what it gives, `seatkeeper role define user` changes that for everybody; `seatkeeper user move` changes whose units are which".to_owned();
    refused
}

/// Nobody gives more than they have.
fn more_than_own(caller: &Caller, role: &str) -> Refused {
    let mut refused = forbidden(caller, Permission::RoleGive);
    refused.detail = format!(
        "the role {role} gives more there, or reaches further, than what {} has",
        caller.in_words()
    );
    refused
}
