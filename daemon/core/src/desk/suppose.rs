//! What is supposed in a `why`: changes that are judged and folded as they would be, on a copy of the state, and never
//! recorded (rule 22).

use super::Desk;
use super::assign::{already, terms};
use super::draft::Draft;
use super::explain::About;
use super::parse::{self, bad};
use crate::authorize::{Caller, Permission, authorize};
use crate::keeper::Snapshot;
use crate::problem::{Refused, internal, problem};
use crate::random;
use seatkeeper::wire::{Assignment, Code, Suppose, SupposedMember, SupposedPlace, SupposedSeats};
use seatkeeper_engine::command::Arrange;
use seatkeeper_engine::ids::{AssignmentId, GroupId, LicenseId, Name, UnitId, UserId};
use seatkeeper_engine::state::Target;
use seatkeeper_engine::{Command, State};

/// Suppositions in one question.
const SUPPOSITIONS: usize = 16;

impl Desk {
    /// The state in which all of these are so, and each of them in words. It is for those who may ask why for the user, and
    /// see the licenses where they are and where they are supposed to be.
    ///
    /// # Errors
    /// `forbidden`, `bad_request` that names the member, `not_found` for what the caller does not see, or the denial that
    /// the change would get.
    pub(super) fn supposed(
        &self,
        caller: &Caller,
        (snapshot, state): (&Snapshot, &State),
        (about, feature): (&About, &Name),
        all: &[Suppose],
    ) -> Result<(State, Vec<String>), Refused> {
        if all.len() > SUPPOSITIONS {
            return Err(bad("suppose", format_args!("more than {SUPPOSITIONS}")));
        }
        // Whom nobody has met yet would be in the home account.
        let known = state.users.get(&about.user);
        let units = known.map_or_else(|| vec![self.unit], |known| state.units_of(known).to_vec());
        for permission in [Permission::ExplainOthers, Permission::LicenseRead] {
            authorize(snapshot, caller, permission, &units)?;
        }
        let mut supposing = Supposing {
            desk: self,
            caller,
            snapshot,
            about,
            draft: Draft::of(self, (caller, snapshot), state),
        };
        let words = all.iter().map(|one| supposing.suppose(feature, one));
        let words = words.collect::<Result<_, _>>()?;
        Ok((supposing.draft.state().clone(), words))
    }
}

/// One question, with the copy of the state in which things are so that are not.
struct Supposing<'a> {
    desk: &'a Desk,
    caller: &'a Caller,
    /// What the caller sees.
    snapshot: &'a Snapshot,
    about: &'a About,
    draft: Draft<'a>,
}

impl Supposing<'_> {
    /// Makes one of them so, and says it in words.
    fn suppose(&mut self, feature: &Name, one: &Suppose) -> Result<String, Refused> {
        let (command, words) = match one {
            Suppose::Assign(body) => self.assigned(body)?,
            Suppose::Seats(body) => self.seats(feature, body)?,
            Suppose::Place(body) => self.placed(body)?,
            Suppose::Join(body) => self.joined(body)?,
        };
        let given = self.draft.give(command, (&self.about.login, &words));
        given.map_err(|mut refused| {
            let why = refused.detail.strip_prefix(&words);
            let why = why.and_then(|why| why.strip_prefix(": "));
            let why = why.unwrap_or(&refused.detail);
            refused.detail = format!("this cannot be supposed, {words}: {why}");
            if refused.code == Code::OneLine {
                "name one of the two units: who is in a unit counts for those above it, too"
                    .clone_into(&mut refused.hint);
            }
            refused
        })?;
        Ok(words)
    }

    /// Licenses are seen by the caller at a unit.
    fn seen_at(&self, unit: UnitId) -> Result<(), Refused> {
        authorize(self.snapshot, self.caller, Permission::LicenseRead, &[unit]).map(drop)
    }

    fn license(&self, vendor: &str, id: &str) -> Result<LicenseId, Refused> {
        self.desk
            .license_seen(self.snapshot, self.caller, (vendor, id))
    }

    fn group(&self, text: &str) -> Result<GroupId, Refused> {
        self.desk.group_seen(self.snapshot, self.caller, text)
    }

    fn unit(&self, member: &str, text: &str) -> Result<UnitId, Refused> {
        let unit = self
            .desk
            .unit_seen(self.snapshot, self.caller, (member, text))?;
        self.seen_at(unit)?;
        Ok(unit)
    }

    fn assigned(&mut self, body: &Assignment) -> Result<(Command, String), Refused> {
        let license = self.license(&body.vendor, &body.license)?;
        let target = match (&body.user, &body.group, &body.unit, body.everyone) {
            (None, None, None, false) => Target::User(self.about.user),
            (Some(user), None, None, false) => Target::User(self.met(user)?),
            (None, Some(group), None, false) => Target::Group(self.group(group)?),
            (None, None, Some(unit), false) => Target::Unit(self.unit("unit", unit)?),
            (None, None, None, true) => {
                let root = self.draft.state().account_for(&license);
                Target::Unit(root.unwrap_or(self.desk.unit))
            }
            _ => {
                return Err(bad(
                    "assign",
                    "at most one of user, group, unit and everyone",
                ));
            }
        };
        let covers = self.draft.state().covers.get(&license);
        if covers.is_some_and(|covers| covers.by.contains_key(&target)) {
            let is = already(&license, &self.whom(target));
            let mut refused = problem(Code::Conflict, format!("this cannot be supposed: {is}"));
            "`seatkeeper license assignments` shows on which; another one for the same is none beside it"
                .clone_into(&mut refused.hint);
            return Err(refused);
        }
        let words = format!("{} assigned to {}", license.id, self.whom(target));
        let id = AssignmentId(random::bytes().map_err(|e| internal("no random id", &e))?);
        let command = Command::Assign {
            id,
            license,
            target,
            terms: terms(body)?,
        };
        Ok((command, words))
    }

    /// The license as its vendor would sign it anew: the next serial, and all else as it is.
    fn seats(&self, asked: &Name, body: &SupposedSeats) -> Result<(Command, String), Refused> {
        let state = self.draft.state();
        let id = self.license(&body.vendor, &body.license)?;
        let feature = match &body.feature {
            Some(feature) => parse::name("feature", feature)?,
            None => asked.clone(),
        };
        if body.seats == 0 {
            return Err(bad("seats", "a license has 1 at least, and this says 0"));
        }
        let in_force = state.licenses.get(&id);
        let in_force = in_force
            .ok_or_else(|| bad("license", format_args!("{} waits for its first day", id.id)))?;
        let mut terms = in_force.terms.clone();
        let serials = state.waits(&id).map(|waiting| waiting.terms.serial);
        terms.serial = serials.max().unwrap_or(0).max(terms.serial) + 1;
        let named = terms.features.iter_mut().find(|of| of.name == feature);
        let named = named.ok_or_else(|| {
            bad(
                "feature",
                format_args!("{} has no feature {feature}", id.id),
            )
        })?;
        named.seats = Some(body.seats);
        let words = format!("{} with {} seats of {feature}", id.id, body.seats);
        let command = Command::InstallLicense {
            terms: Box::new(terms),
            account: in_force.account,
            assign_everyone: None,
            note_known: false,
        };
        Ok((command, words))
    }

    fn placed(&mut self, body: &SupposedPlace) -> Result<(Command, String), Refused> {
        let user = self.who(body.user.as_deref())?;
        let state = self.draft.state();
        let units = body.units.iter().map(|unit| self.unit("units", unit));
        let units = units.collect::<Result<Vec<_>, _>>()?;
        let paths = units.iter().map(|unit| self.desk.unit_path(state, *unit));
        let paths: Vec<_> = paths.collect();
        let words = format!("{} in {}", self.name(user), paths.join(" and "));
        let place = Arrange::PlaceUser {
            user,
            units,
            hard: false,
            if_match: None,
        };
        Ok((Command::Arrange(place), words))
    }

    fn joined(&mut self, body: &SupposedMember) -> Result<(Command, String), Refused> {
        let user = self.who(body.user.as_deref())?;
        let state = self.draft.state();
        let group = self.group(&body.group)?;
        if let Some(known) = state.groups.get(&group) {
            self.seen_at(known.unit)?;
        }
        let called = self.desk.group_name(state, group);
        let words = format!("{} in group {called}", self.name(user));
        let join = Arrange::AddMembers {
            group,
            users: vec![user],
            groups: Vec::new(),
            if_match: None,
        };
        Ok((Command::Arrange(join), words))
    }

    /// Whom it names; whom the `why` is about where it names nobody.
    fn who(&self, named: Option<&str>) -> Result<UserId, Refused> {
        match named {
            Some(login) if !login.eq_ignore_ascii_case(&self.about.login) => {
                self.desk.user_seen(self.snapshot, self.caller, login)
            }
            _ => Ok(self.about.user),
        }
    }

    /// The same; a login that nobody has is met in the copy, as an assignment would.
    fn met(&mut self, login: &str) -> Result<UserId, Refused> {
        let own = login.eq_ignore_ascii_case(&self.about.login);
        let known = self.desk.named(self.draft.state(), login);
        if own || known.is_some() || login.parse::<UserId>().is_ok() {
            return self.who(Some(login));
        }
        // Whoever comes to be by it is in the home account. Who may not look there is told the same of everyone.
        let home = [self.desk.unit];
        let may = authorize(self.snapshot, self.caller, Permission::ExplainOthers, &home);
        match may {
            Ok(_) => self.draft.meet(login),
            Err(_) => self.who(Some(login)),
        }
    }

    fn name(&self, user: UserId) -> String {
        match user == self.about.user {
            true => self.about.login.clone(),
            false => self.desk.user_name(user),
        }
    }

    fn whom(&self, target: Target) -> String {
        match target {
            Target::User(user) => format!("user {}", self.name(user)),
            other => self.desk.target_name(self.draft.state(), other),
        }
    }
}
