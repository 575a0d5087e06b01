//! `/v1/users`.

use super::addresses::{address_key, names_of};
use super::units::{KINDS, SELF_REGISTERED};
use super::{brought, spelled, word};
use crate::authorize::{Caller, Permission, Sight, forbidden};
use crate::desk::Desk;
use crate::desk::parse::bad;
use crate::desk::view::{Cursor, page};
use crate::keeper::{Answer, Snapshot};
use crate::login::{check, hash};
use crate::problem::{Refused, internal, problem};
use crate::side::Kind;
use seatkeeper::wire::{self, Changed, Code, Page, TakenAway, UserChange, UserMake};
use seatkeeper_engine::command::Arrange;
use seatkeeper_engine::ids::{UnitId, UserId};
use seatkeeper_engine::state::{Account, Target, User, UserStatus, Within};
use seatkeeper_engine::time::Date;
use seatkeeper_engine::{Command, Concerned, State, Verdict};
use std::sync::PoisonError;

pub(in crate::desk) const STATUS: &[(&str, UserStatus)] = &[
    ("invited", UserStatus::Invited),
    ("pending", UserStatus::Pending),
    ("active", UserStatus::Active),
    ("suspended", UserStatus::Suspended),
];

impl Desk {
    /// `GET /v1/users`: all, or those of a unit and below, or of a group at any depth.
    ///
    /// # Errors
    /// `forbidden`, a cursor that is none, or there is no such unit or group.
    pub fn users(
        &self,
        caller: &Caller,
        (unit, group): (Option<&str>, Option<&str>),
        cursor: &Cursor,
    ) -> Result<Page<wire::User>, Refused> {
        self.users_of_kind(caller, None, (unit, group), cursor)
    }

    /// The same, of those alone who are of this kind: `producer`, `partner`, `customer` or `self-registered` (F17).
    ///
    /// # Errors
    /// The same, or there is no such kind.
    pub fn users_of_kind(
        &self,
        caller: &Caller,
        kind: Option<&str>,
        (unit, group): (Option<&str>, Option<&str>),
        cursor: &Cursor,
    ) -> Result<Page<wire::User>, Refused> {
        let snapshot = self.keeper.snapshot();
        let sight = self.sight(&snapshot, caller, Permission::UserRead)?;
        let state = &snapshot.state;
        let mut kinds = KINDS.iter().map(|(word, _)| *word).chain([SELF_REGISTERED]);
        if let Some(kind) = kind.filter(|kind| !kinds.any(|word| word == *kind)) {
            let why =
                format_args!("{kind} is none of producer, partner, customer, self-registered");
            return Err(bad("kind", why));
        }
        let unit = unit.map(|unit| self.unit_seen(&snapshot, caller, ("unit", unit)));
        let group = group.map(|group| self.group_seen(&snapshot, caller, group));
        let (unit, group) = (unit.transpose()?, group.transpose()?);
        let after = cursor.after_id::<UserId>()?;
        let seen = Seen::of(&snapshot, caller);
        let unit = unit.map(|unit| Within::of(state, Target::Unit(unit)));
        let group = group.map(|group| Within::of(state, Target::Group(group)));
        let rows = state
            .users
            .range(after)
            .filter(|(_, known)| kind.is_none_or(|kind| kind_of(state, known) == kind))
            .filter(|(id, _)| {
                let mut asked = unit.iter().chain(&group);
                asked.all(|within| within.has(state, **id)) && sight.over(state, **id)
            })
            .filter_map(|(id, _)| Some((id.to_string(), self.user_view(state, *id, &seen)?)));
        Ok(page(rows, cursor.limit()?))
    }

    /// `GET /v1/users/{user}`.
    ///
    /// # Errors
    /// `forbidden`, or there is none that the caller sees; everyone sees themselves.
    pub fn user_shown(&self, caller: &Caller, user: &str) -> Result<wire::User, Refused> {
        let snapshot = self.keeper.snapshot();
        let user = self.user_seen(&snapshot, caller, user)?;
        self.user_found(&snapshot, caller, user)
    }

    /// `POST /v1/users`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `bad_request` that names the member, or the denial.
    pub fn make_user(&self, caller: &Caller, body: &UserMake) -> Result<wire::User, Refused> {
        self.by_rights_of_now(caller, |caller| self.make_user_of(caller, body))
    }

    /// `PATCH /v1/users/{user}`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, `bad_request` that names the member, or the denial.
    pub fn change_user(
        &self,
        caller: &Caller,
        user: &str,
        body: &UserChange,
        if_match: Option<u64>,
    ) -> Result<Changed<wire::User>, Refused> {
        self.by_rights_of_now(caller, |caller| {
            self.change_user_of(caller, user, body, if_match)
        })
    }

    /// `DELETE /v1/users/{user}`: the name is erased, too. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, or there is none.
    pub fn remove_user(
        &self,
        caller: &Caller,
        user: &str,
        hard: bool,
        if_match: Option<u64>,
    ) -> Result<TakenAway, Refused> {
        self.by_rights_of_now(caller, |caller| {
            self.remove_user_of(caller, user, hard, if_match)
        })
    }

    fn make_user_of(&self, caller: &Caller, body: &UserMake) -> Result<wire::User, Refused> {
        let user: UserId = brought(body.id.as_deref())?;
        check(&body.login).map_err(|why| bad("login", why))?;
        let snapshot = self.keeper.snapshot();
        let units = self.units_seen(&snapshot, caller, &body.units)?;
        let caller = &self.places(&snapshot, caller, &units)?;
        self.takes_nobodys_place(&snapshot, caller, &body.login)?;
        let status = body.status.as_deref().unwrap_or("active");
        let address = body.address.as_deref();
        let address = address.map(|text| self.own_address(text)).transpose()?;
        let hashed = address.as_ref();
        let hashed = hashed.map(|address| address.hashed(self.keys.salt()).hash);
        let change = Arrange::MakeUser {
            user,
            login: hash(self.keys.salt(), &body.login),
            address: hashed,
            units,
            status: word("status", status, STATUS)?,
            until: body.until.map(date).transpose()?,
        };
        let _one = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.keeper.recorded();
        if before.state.users.contains_key(&user) {
            // The same again, or another one under this id: its name is not touched.
            let answer = self.arranged(caller, &format!("user {}", body.login), change)?;
            return self.user_found(&answer.snapshot, caller, user);
        }
        self.has_room(caller, &format!("user {}", body.login))?;
        let login = body.login.to_lowercase();
        let address = address.zip(hashed);
        let address = address.map(|(address, of)| (address_key(user, of), address.text));
        let names = std::iter::once((user.0, login.clone())).chain(address);
        let names: Vec<_> = names.collect();
        for (key, text) in &names {
            let kept = self.side.put_name(Kind::User, *key, text);
            kept.map_err(|e| self.broken(caller, &e))?;
        }
        let answer = self.asked(caller, Command::Arrange(change))?;
        if let Verdict::Denied(denial) = &answer.verdict {
            if !answer.snapshot.state.users.contains_key(&user) {
                let keys = names.iter().map(|(key, _)| *key);
                keys.for_each(|key| self.erase_name(Kind::User, key));
            }
            let what = match &body.address {
                Some(address) => format!("user {login} with address {address}"),
                None => format!("user {login}"),
            };
            let mut refused = self.stands_against(caller, &what, denial, &answer.snapshot);
            if refused.code == Code::NameTaken {
                let hint = self.who_has(&answer.snapshot, caller, &body.login);
                refused.hint = hint.unwrap_or_else(|| "take another login or address".to_owned());
            }
            return Err(refused);
        }
        self.erase_claims(&before.state, &answer.snapshot.state);
        self.user_found(&answer.snapshot, caller, user)
    }

    /// Where a login is taken: the way to who has it, for those who see them.
    fn who_has(&self, snapshot: &Snapshot, caller: &Caller, login: &str) -> Option<String> {
        let state = &snapshot.state;
        let user = self.named(state, login)?;
        let sight = Sight::of(snapshot, caller, Permission::UserRead);
        if !sight.shows(state, user) {
            return None;
        }
        let name = self.user_name(user);
        Some(match state.registrations.contains_key(&user) {
            true => format!(
                "{name} asked to come in and waits: `seatkeeper registration show {name}`, `registration approve {name}` lets them in"
            ),
            false => format!(
                "`seatkeeper user show {name}` shows who has it; take another login for somebody else"
            ),
        })
    }

    fn change_user_of(
        &self,
        caller: &Caller,
        user: &str,
        body: &UserChange,
        if_match: Option<u64>,
    ) -> Result<Changed<wire::User>, Refused> {
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        let id = self.user_seen(&snapshot, caller, user)?;
        let known = state.users.get(&id);
        let known = known.ok_or_else(|| internal("a user that was found is not there", &id))?;
        let what = format!("user {}", self.user_name(id));
        if body.address.is_some() {
            return self.address_given(&snapshot, caller, (id, if_match), body);
        }
        let hard = body.hard;
        let stands = (&body.status, body.until);
        let (caller, change) = match (&body.units, stands) {
            (Some(units), (None, None)) => {
                self.may_stand_in(&snapshot, caller, id)?;
                let mut units = self.units_seen(&snapshot, caller, units)?;
                // Where the caller does not see them they stay.
                let seen = Sight::of(&snapshot, caller, Permission::UnitRead);
                let unseen = known.units.iter().filter(|unit| !seen.at(state, **unit));
                units.extend(unseen.copied());
                let (is, was) = (units.iter(), state.units_of(known).iter());
                let comes = is.filter(|unit| !state.units_of(known).contains(unit));
                let goes = was.filter(|unit| !units.contains(unit));
                let between: Vec<_> = comes.chain(goes).copied().collect();
                let manage = Permission::UserManage;
                self.acting(&snapshot, caller, manage, state.units_of(known))?;
                let caller = self.acting_at_all(&snapshot, caller, manage, &between)?;
                let place = Arrange::PlaceUser {
                    user: id,
                    units,
                    hard,
                    // Those out of sight come from this revision.
                    if_match: if_match.or(Some(known.revision)),
                };
                (caller, place)
            }
            (Some(_), _) => {
                let why = "a user is placed in one call, and status or until changed in another";
                return Err(bad("units", why));
            }
            (None, (None, None)) => return Err(bad("status", "nothing is to be changed")),
            (None, (status, until)) => {
                let change = Arrange::ChangeUser {
                    user: id,
                    status: match status {
                        Some(status) => word("status", status, STATUS)?,
                        None => known.status,
                    },
                    until: match until {
                        Some(0) => None,
                        Some(until) => Some(date(until)?),
                        None => known.until,
                    },
                    hard,
                    // What was not named comes from this revision.
                    if_match: if_match.or(Some(known.revision)),
                };
                (self.user_managed(&snapshot, caller, id)?, change)
            }
        };
        let answer = self.arranged(&caller, &what, change)?;
        let item = self.user_changed(&answer, &caller, id)?;
        let concerned = Concerned::Users(vec![id]);
        let ending = self.losing(state, &answer, &concerned).ending;
        Ok(Changed { item, ending })
    }

    /// Another mail address, by whoever may change the user; an empty one takes it away.
    fn address_given(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        (id, if_match): (UserId, Option<u64>),
        body: &UserChange,
    ) -> Result<Changed<wire::User>, Refused> {
        if body.units.is_some() || body.status.is_some() || body.until.is_some() {
            let why = "is changed in one call, and all else in another";
            return Err(bad("address", why));
        }
        let caller = self.user_managed(snapshot, caller, id)?;
        let text = body.address.as_deref().filter(|text| !text.is_empty());
        let answer = self.readdress(&caller, (id, if_match), text)?;
        let item = self.user_changed(&answer, &caller, id)?;
        let ending = Vec::new();
        Ok(Changed { item, ending })
    }

    fn remove_user_of(
        &self,
        caller: &Caller,
        user: &str,
        hard: bool,
        if_match: Option<u64>,
    ) -> Result<TakenAway, Refused> {
        let snapshot = self.keeper.snapshot();
        let id = self.user_seen(&snapshot, caller, user)?;
        let caller = &self.user_managed(&snapshot, caller, id)?;
        let what = format!("user {}", self.user_name(id));
        let _one = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let change = Arrange::RemoveUser {
            user: id,
            hard,
            if_match,
        };
        let names = names_of(&snapshot.state, id);
        let assignments = self.assigned(&snapshot, caller, Target::User(id));
        let answer = self.arranged(caller, &what, change)?;
        names
            .into_iter()
            .for_each(|key| self.erase_name(Kind::User, key));
        self.forget_password(&snapshot.state, id);
        let concerned = Concerned::Users(vec![id]);
        Ok(TakenAway {
            ending: self.losing(&snapshot.state, &answer, &concerned).ending,
            assignments,
        })
    }

    pub(super) fn units_seen(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        units: &[String],
    ) -> Result<Vec<UnitId>, Refused> {
        let units = units.iter();
        units
            .map(|unit| self.unit_seen(snapshot, caller, ("units", unit)))
            .collect()
    }

    /// The caller as they act, who may place somebody in all these units: at home, where none is named.
    fn places(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        units: &[UnitId],
    ) -> Result<Caller, Refused> {
        let home = [self.unit];
        let units = if units.is_empty() { &home } else { units };
        self.acting_at_all(snapshot, caller, Permission::UserManage, units)
    }

    /// An account of this machine is its `name@machine` before it is its name: whoever has the one would be somebody else in
    /// the place of who has the other, who could do nothing any more.
    fn takes_nobodys_place(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        login: &str,
    ) -> Result<(), Refused> {
        let Some((name, machine)) = login.rsplit_once('@') else {
            return Ok(());
        };
        let name = hash(self.keys.salt(), name);
        let known = snapshot.state.logins.contains_key(&name);
        if caller.administers || !known || !machine.eq_ignore_ascii_case(&self.settings.machine) {
            return Ok(());
        }
        let detail = format!("{login} is the account of a user who is here by its name");
        let mut refused = problem(Code::NameTaken, detail);
        refused.hint = "an administrator of the daemon tells them apart; another login, or a mail address, is nobody's account".to_owned();
        Err(refused)
    }

    /// The caller as they act, who may change what somebody is in each of their units, and has all that they have.
    pub(in crate::desk) fn user_managed(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        user: UserId,
    ) -> Result<Caller, Refused> {
        if !caller.administers && caller.person(&snapshot.state) == Some(user) {
            let mut refused = forbidden(caller, Permission::UserManage);
            refused.detail =
                "nobody changes their own status, last day or address so, or takes themselves away"
                    .to_owned();
            refused.hint = "another address of one's own: `seatkeeper address ADDRESS`; the rest is done by another administrator".to_owned();
            return Err(refused);
        }
        self.may_stand_in(snapshot, caller, user)?;
        let units = snapshot.state.units_of_user(user);
        self.acting_at_all(snapshot, caller, Permission::UserManage, units)
    }

    pub(super) fn user_found(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        id: UserId,
    ) -> Result<wire::User, Refused> {
        let seen = Seen::of(snapshot, caller);
        self.user_view(&snapshot.state, id, &seen).ok_or_else(|| {
            problem(
                Code::NotFound,
                format!("user {id} was taken away meanwhile"),
            )
        })
    }

    /// The same after a change, with what ended by it.
    pub(super) fn user_changed(
        &self,
        answer: &Answer,
        caller: &Caller,
        id: UserId,
    ) -> Result<wire::User, Refused> {
        let user = self.user_found(&answer.snapshot, caller, id)?;
        let ended = self.ended(answer, caller);
        Ok(wire::User { ended, ..user })
    }

    /// A user with those of their units, groups and roles that are seen.
    fn user_view(&self, state: &State, id: UserId, seen: &Seen) -> Option<wire::User> {
        let known = state.users.get(&id)?;
        let groups = known.groups.iter();
        let groups = groups.filter(|group| {
            let known = state.groups.get(*group);
            known.is_some_and(|known| seen.groups.at(state, known.unit))
        });
        let units = state.units_of(known).iter();
        let units = units.filter(|unit| seen.units.at(state, **unit));
        let unit_ids = known.units.iter();
        let unit_ids = unit_ids.filter(|unit| seen.units.at(state, **unit));
        Some(wire::User {
            id: id.to_string(),
            login: self.user_name(id),
            address: self.address_of(state, id),
            address_is: self.address_is(state, id),
            kind: kind_of(state, known).to_owned(),
            status: spelled(known.status, STATUS).to_owned(),
            until: known.until.map(|until| until.0),
            over: known.is_over(self.keeper.now().j),
            units: units.map(|unit| self.unit_path(state, *unit)).collect(),
            unit_ids: unit_ids.map(ToString::to_string).collect(),
            groups: groups.map(|group| self.group_name(state, *group)).collect(),
            roles: self.roles_of(state, known, &seen.units),
            revision: known.revision,
            ended: None,
        })
    }
}

/// What is told of users: the units and groups that the caller sees.
struct Seen {
    units: Sight,
    groups: Sight,
}

impl Seen {
    fn of(snapshot: &Snapshot, caller: &Caller) -> Seen {
        Seen {
            units: Sight::of(snapshot, caller, Permission::UnitRead),
            groups: Sight::of(snapshot, caller, Permission::GroupRead),
        }
    }
}

/// What a user is to the vendor's business: exactly one of four, by the accounts that they are in (F16). Whoever is in an
/// account of a customer that did not make itself is a customer, whatever else they are in.
fn kind_of(state: &State, user: &User) -> &'static str {
    let accounts = state.units_of(user).iter();
    let mut accounts = accounts.filter_map(|unit| Some(state.account_of(*unit)?.1));
    let first = accounts.next();
    let own = |account: &Account| account.self_registered;
    match first {
        Some(first) if own(&first) && accounts.all(|account| own(&account)) => SELF_REGISTERED,
        Some(first) => spelled(first.kind, KINDS),
        None => "customer",
    }
}

/// Seconds since 1970, as integers go in this protocol.
fn date(unix_s: u64) -> Result<Date, Refused> {
    match unix_s < 1 << 53 {
        true => Ok(Date(unix_s)),
        false => Err(bad("until", "is above 2^53 - 1")),
    }
}
