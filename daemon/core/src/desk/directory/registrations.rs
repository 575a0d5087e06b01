//! `/v1/registrations`: who asks to come in, and what they are answered (rule 1).

use super::addresses::{address_key, domain, domain_hash, names_of};
use super::{brought, name_key};
use crate::authorize::{Caller, Permission, Sight};
use crate::desk::Desk;
use crate::desk::parse::bad;
use crate::desk::view::{Cursor, page};
use crate::keeper::{Answer, Snapshot};
use crate::problem::{Refused, internal, problem};
use crate::random;
use crate::side::Kind;
use seatkeeper::wire::{
    self, Code, Page, Registration as View, RegistrationApprove, RegistrationMake, TakenAway,
};
use seatkeeper_engine::command::{Admission, Arrange, Register, Want};
use seatkeeper_engine::ids::{NameHash, UnitId, UserId};
use seatkeeper_engine::state::{Registration, Target, Way};
use seatkeeper_engine::{Command, State, Verdict};
use std::sync::PoisonError;

/// The account that somebody's company is to become: its id, its name and what that hashes to.
type Company = (UnitId, String, NameHash);

impl Desk {
    /// `GET /v1/registrations`: who waits for accounts where the caller sees users.
    ///
    /// # Errors
    /// `forbidden`, or a cursor that is none.
    pub fn registrations(&self, caller: &Caller, cursor: &Cursor) -> Result<Page<View>, Refused> {
        let snapshot = self.keeper.snapshot();
        let sight = self.sight(&snapshot, caller, Permission::UserRead)?;
        let state = &snapshot.state;
        let after = cursor.after_id::<UserId>()?;
        let rows = state.registrations.range(after);
        let rows = rows.filter(|(id, _)| sight.over(state, **id));
        let rows = rows.map(|(id, known)| (id.to_string(), self.waiting_view(state, *id, known)));
        Ok(page(rows, cursor.limit()?))
    }

    /// `GET /v1/registrations/{user}`: who asked sees their own.
    ///
    /// # Errors
    /// `forbidden`, or nobody of this name waits whom the caller sees.
    pub fn registration(&self, caller: &Caller, user: &str) -> Result<View, Refused> {
        let snapshot = self.keeper.snapshot();
        let found = self.user_seen(&snapshot, caller, user);
        let found = found.and_then(|id| self.waiting(&snapshot.state, id));
        found.map_err(|no| nobody_waits(&snapshot, caller, no))
    }

    /// `POST /v1/registrations`: the caller asks to come in. Blocks.
    ///
    /// # Errors
    /// `bad_request` that names the member, `conflict` of somebody who is a user already, or the denial.
    pub fn register(&self, caller: &Caller, body: &RegistrationMake) -> Result<View, Refused> {
        self.authorize(caller, Permission::RegistrationMake, self.unit)?;
        self.traced(caller, self.register_of(caller, body))
    }

    /// `POST /v1/registrations/{user}/approve`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, `bad_request` that names the member, or the denial.
    pub fn approve_registration(
        &self,
        caller: &Caller,
        user: &str,
        body: &RegistrationApprove,
        if_match: Option<u64>,
    ) -> Result<wire::User, Refused> {
        self.by_rights_of_now(caller, |caller| {
            self.approve_of(caller, user, body, if_match)
        })
    }

    /// `POST /v1/registrations/{user}/verify`: an administrator's word that the address is theirs. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, or the denial.
    pub fn verify_registration(
        &self,
        caller: &Caller,
        user: &str,
        if_match: Option<u64>,
    ) -> Result<View, Refused> {
        self.by_rights_of_now(caller, |caller| self.verify_of(caller, user, if_match))
    }

    /// `DELETE /v1/registrations/{user}`: they are no user any more, and all names of theirs are erased. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, or nobody of this name waits.
    pub fn refuse_registration(
        &self,
        caller: &Caller,
        user: &str,
        if_match: Option<u64>,
    ) -> Result<TakenAway, Refused> {
        self.by_rights_of_now(caller, |caller| self.refuse_of(caller, user, if_match))
    }

    /// `PUT` and `DELETE /v1/units/{unit}/domains/{domain}`: whether an account lets in by itself who has a verified
    /// address in exactly this domain (B7). Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, `bad_request` that names the member, or the denial.
    pub fn let_in(
        &self,
        caller: &Caller,
        (account, text): (&str, &str),
        on: bool,
        if_match: Option<u64>,
    ) -> Result<wire::Unit, Refused> {
        self.by_rights_of_now(caller, |caller| {
            self.let_in_of(caller, (account, text), on, if_match)
        })
    }

    /// Somebody who waits, and the caller as they act, who may manage users where they are.
    fn answers(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        user: &str,
    ) -> Result<(UserId, Caller), Refused> {
        let found = self.user_seen(snapshot, caller, user);
        let id = found.map_err(|no| nobody_waits(snapshot, caller, no))?;
        Ok((id, self.user_managed(snapshot, caller, id)?))
    }

    fn approve_of(
        &self,
        caller: &Caller,
        user: &str,
        body: &RegistrationApprove,
        if_match: Option<u64>,
    ) -> Result<wire::User, Refused> {
        let snapshot = self.keeper.snapshot();
        let (id, caller) = self.answers(&snapshot, caller, user)?;
        let units = self.units_seen(&snapshot, &caller, &body.units)?;
        self.acting_at_all(&snapshot, &caller, Permission::UserManage, &units)?;
        let approve = Admission::Approve {
            user: id,
            units,
            if_match,
        };
        let answer = self.admitted(&caller, id, approve)?;
        self.user_changed(&answer, &caller, id)
    }

    fn verify_of(
        &self,
        caller: &Caller,
        user: &str,
        if_match: Option<u64>,
    ) -> Result<View, Refused> {
        let snapshot = self.keeper.snapshot();
        let (id, caller) = self.answers(&snapshot, caller, user)?;
        let before = self.waiting(&snapshot.state, id);
        let before = before.map_err(|no| nobody_waits(&snapshot, &caller, no))?;
        let verify = Admission::Verify { user: id, if_match };
        let _one = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let told = before.address.clone().unwrap_or_default();
        let answer = self.admitted(&caller, id, verify);
        let answer = answer.map_err(|no| given_to_another(no, &told))?;
        let state = &answer.snapshot.state;
        self.erase_claims(&snapshot.state, state);
        let now = match (state.registrations.get(&id), state.users.get(&id)) {
            (Some(known), _) => self.waiting_view(state, id, known),
            // Let in by its domain.
            (None, known) => View {
                status: "active".to_owned(),
                address_is: self.address_is(state, id),
                verified: true,
                revision: known.map_or(before.revision, |known| known.revision),
                ..before
            },
        };
        let ended = self.ended(&answer, &caller);
        Ok(View { ended, ..now })
    }

    fn register_of(&self, caller: &Caller, body: &RegistrationMake) -> Result<View, Refused> {
        let user: UserId = brought(body.id.as_deref())?;
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        if let Some(known) = caller.person(state)
            && (body.id.is_none() || known != user)
        {
            return Err(self.user_already(caller, state, known));
        }
        let salt = self.keys.salt();
        let address = body.address.as_deref();
        let address = address.map(|text| self.own_address(text)).transpose()?;
        let want = || self.want(state, user, body);
        let (want, company) = match &body.license {
            Some(_) => self.guessing(caller, want)?,
            None => want()?,
        };
        let asked = Register {
            user,
            login: caller.login.name_hash,
            address: address.as_ref().map(|address| address.hashed(salt)),
            // By an administrator's word, or by a code that was mailed there.
            verified: false,
            want,
        };
        let _one = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        if self.keeper.recorded().state.users.contains_key(&user) {
            // The same again, or another one under this id: no name is touched.
            let again = Arrange::Admit(Admission::Register(Box::new(asked)));
            let answer = self.arranged(caller, &what(body), again)?;
            return self.waiting(&answer.snapshot.state, user);
        }
        self.has_room(caller, &what(body))?;
        let mut names = vec![(Kind::User, user.0, caller.login.name.to_lowercase())];
        if let (Some(address), Some(hashed)) = (&address, asked.address) {
            let key = address_key(user, hashed.hash);
            names.push((Kind::User, key, address.text.clone()));
        }
        names.extend(company.map(|(unit, text, name)| (Kind::Unit, name_key(unit.0, name), text)));
        for (kind, key, text) in &names {
            let kept = self.side.put_name(*kind, *key, text);
            kept.map_err(|e| self.broken(caller, &e))?;
        }
        let register = Admission::Register(Box::new(asked));
        let answer = self.asked(caller, Command::Arrange(Arrange::Admit(register)))?;
        let state = &answer.snapshot.state;
        if let Verdict::Denied(denial) = &answer.verdict {
            if !state.users.contains_key(&user) {
                names
                    .iter()
                    .for_each(|(kind, key, _)| self.erase_name(*kind, *key));
            }
            let refused = self.stands_against(caller, &what(body), denial, &answer.snapshot);
            return Err(taken(refused));
        }
        self.waiting(state, user)
    }

    /// What is asked for, by name; with the account's name where one is to be made.
    fn want(
        &self,
        state: &State,
        user: UserId,
        body: &RegistrationMake,
    ) -> Result<(Want, Option<Company>), Refused> {
        let of = |member: &str, text: &str| -> Result<UnitId, Refused> {
            let id = text.parse();
            id.map_err(|_| {
                bad(
                    member,
                    "is no id of an account: 32 lower-case hex digits, as `seatkeeper account show` tells it",
                )
            })
        };
        let ways = (&body.company, &body.join, &body.license, &body.access);
        match ways {
            (Some(company), None, None, None) => {
                let (text, name) = self.hashed_name("company", company)?;
                // The same registration again names the same account.
                let made = state.registrations.get(&user).map(|known| known.account);
                let unit = match made {
                    Some(unit) => unit,
                    None => UnitId(random::bytes().map_err(|e| internal("no random id", &e))?),
                };
                self.account_name(unit, &text)?;
                let want = Want::Company { unit, name };
                Ok((want, Some((unit, text, name))))
            }
            (None, Some(account), None, None) => Ok((Want::Join(of("join", account)?), None)),
            (None, None, Some(license), None) => {
                let (vendor, id) = license.split_once('/').unwrap_or(("", license));
                let known = crate::desk::assign::license_named(state, (vendor, id), |_| true)?;
                Ok((Want::License(known), None))
            }
            (None, None, None, Some(account)) => Ok((Want::Access(of("access", account)?), None)),
            _ => Err(bad(
                "company",
                "exactly one of company, join, license and access is needed",
            )),
        }
    }

    fn refuse_of(
        &self,
        caller: &Caller,
        user: &str,
        if_match: Option<u64>,
    ) -> Result<TakenAway, Refused> {
        let _one = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.keeper.recorded();
        let (id, caller) = self.answers(&before, caller, user)?;
        let account = before
            .state
            .registrations
            .get(&id)
            .map(|known| known.account);
        let name = account.and_then(|unit| before.state.units.get(&unit)?.name);
        let names = names_of(&before.state, id);
        let assignments = self.assigned(&before, &caller, Target::User(id));
        let answer = self.admitted(&caller, id, Admission::Refuse { user: id, if_match })?;
        names
            .into_iter()
            .for_each(|key| self.erase_name(Kind::User, key));
        self.forget_password(&before.state, id);
        if let (Some(unit), Some(name)) = (account, name)
            && !answer.snapshot.state.units.contains_key(&unit)
        {
            self.erase_name(Kind::Unit, name_key(unit.0, name));
        }
        // Who waits holds no seat.
        let ending = Vec::new();
        Ok(TakenAway {
            ending,
            assignments,
        })
    }

    fn let_in_of(
        &self,
        caller: &Caller,
        (account, text): (&str, &str),
        on: bool,
        if_match: Option<u64>,
    ) -> Result<wire::Unit, Refused> {
        let snapshot = self.keeper.snapshot();
        let unit = self.unit_seen(&snapshot, caller, ("unit", account))?;
        let caller = &self.acting(&snapshot, caller, Permission::UnitManage, &[unit])?;
        let text = domain("domain", text)?;
        if !text.contains('.') {
            let why = "has one label only: a domain such as example.com is needed";
            return Err(bad("domain", why));
        }
        self.has_room(caller, &text)?;
        let hash = domain_hash(self.keys.salt(), &text);
        let _one = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let key = name_key(unit.0, hash);
        if on {
            let kept = self.side.put_name(Kind::Unit, key, &text);
            kept.map_err(|e| self.broken(caller, &e))?;
        }
        let change = Admission::LetIn {
            account: unit,
            domain: hash,
            on,
            if_match,
        };
        let change = Command::Arrange(Arrange::Admit(change));
        let answer = self.asked(caller, change)?;
        let state = &answer.snapshot.state;
        let domains = state.approved_domains.get(&unit);
        if !domains.is_some_and(|domains| domains.contains(&hash)) {
            self.erase_name(Kind::Unit, key);
        }
        if let Verdict::Denied(denial) = &answer.verdict {
            let what = format!("account {}", self.unit_path(state, unit));
            return Err(self.stands_against(caller, &what, denial, &answer.snapshot));
        }
        self.unit_shown(&answer.snapshot, caller, unit)
    }

    /// The domains that an account lets in by itself, as text.
    pub(super) fn domains_of(&self, state: &State, unit: UnitId) -> Vec<String> {
        let domains = state.approved_domains.get(&unit).into_iter().flatten();
        let mut texts: Vec<_> = domains
            .map(|domain| self.kept_text(Kind::Unit, name_key(unit.0, *domain)))
            .collect();
        texts.sort();
        texts
    }

    fn kept_text(&self, kind: Kind, key: [u8; 16]) -> String {
        match self.side.name(kind, key) {
            Ok(Some(text)) => text,
            _ => "(its name was lost)".to_owned(),
        }
    }

    /// Has it judged of somebody who waits.
    fn admitted(
        &self,
        caller: &Caller,
        user: UserId,
        change: Admission,
    ) -> Result<Answer, Refused> {
        let what = format!("registration of {}", self.user_name(user));
        let answer = self.arranged(caller, &what, Arrange::Admit(change));
        answer.map_err(|no| nobody_waits(&self.keeper.snapshot(), caller, no))
    }

    fn waiting(&self, state: &State, user: UserId) -> Result<View, Refused> {
        match state.registrations.get(&user) {
            Some(known) => Ok(self.waiting_view(state, user, known)),
            None => {
                let login = self.user_name(user);
                let mut refused =
                    problem(Code::NotFound, format!("no registration of {login} waits"));
                refused.hint = "it was answered, or nobody asked: who was let in sits where an assignment covers them".to_owned();
                Err(refused)
            }
        }
    }

    fn waiting_view(&self, state: &State, user: UserId, known: &Registration) -> View {
        let (way, license) = match &known.way {
            Way::Company => ("company", None),
            Way::Joined => ("join", None),
            Way::License(license) => ("license", Some(license.to_string())),
            Way::Access => ("access", None),
        };
        let address = known.address;
        View {
            id: user.to_string(),
            login: self.user_name(user),
            status: "pending".to_owned(),
            address: address.map(|one| self.kept_text(Kind::User, address_key(user, one.hash))),
            address_is: address.and_then(|_| self.address_is(state, user)),
            verified: known.verified,
            account: self.unit_path(state, known.account),
            account_id: known.account.to_string(),
            way: way.to_owned(),
            license,
            to: known.to.map(|to| self.unit_name(state, to)),
            since: known.since.0,
            revision: known.revision,
            ended: None,
        }
    }

    /// Somebody who is a user already asks to come in.
    fn user_already(&self, caller: &Caller, state: &State, user: UserId) -> Refused {
        let login = self.user_name(user);
        let waits = state.registrations.contains_key(&user);
        let mut refused = problem(
            Code::Conflict,
            match waits {
                true => {
                    format!("a registration of {login} waits already, and one may wait at a time")
                }
                false => format!("{login} is a user here already"),
            },
        );
        refused.rule = Some(1);
        refused.hint = match waits {
            true => format!(
                "`seatkeeper registration show {login}` tells what was asked for and who answers it"
            ),
            false => caller.ask("to place you in another account (`seatkeeper user move`)"),
        };
        refused
    }
}

/// An address that somebody told, and another user has.
fn given_to_another(mut refused: Refused, address: &str) -> Refused {
    if refused.code == Code::NameTaken {
        refused.detail = format!("{address} is the address of another user");
        refused.hint =
            "who told it waits without an address: approve or refuse them by what else you know"
                .to_owned();
    }
    refused
}

/// What somebody asked for, in their words.
fn what(body: &RegistrationMake) -> String {
    let ways = [
        ("account", &body.company),
        ("self-registered account", &body.join),
        ("license", &body.license),
        ("account", &body.access),
    ];
    let asked = ways
        .into_iter()
        .find_map(|(kind, text)| Some((kind, text.as_ref()?)));
    asked.map_or_else(
        || "registration".to_owned(),
        |(kind, text)| format!("{kind} {text}"),
    )
}

/// Where nobody of a name waits, whoever may see the list is led there.
fn nobody_waits(snapshot: &Snapshot, caller: &Caller, mut refused: Refused) -> Refused {
    let sight = Sight::of(snapshot, caller, Permission::UserRead);
    if refused.code == Code::NotFound && !sight.is_nowhere() {
        refused.hint = "`seatkeeper registration list` shows who waits".to_owned();
    }
    refused
}

/// Leads somebody on whose company's name is taken. Whose it is is not said.
fn taken(mut refused: Refused) -> Refused {
    if refused.code == Code::NameTaken {
        refused.hint = "if it is your company: a colleague tells you its id, and `seatkeeper register --join ID` asks to come in; else take another name".to_owned();
    }
    refused
}
