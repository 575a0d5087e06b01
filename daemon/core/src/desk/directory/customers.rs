//! The account that a license is installed for: by name, by the alias of an earlier one, or made for it (rule 1).

use super::addresses::Address;
use super::name_key;
use crate::authorize::{Caller, Permission};
use crate::desk::Desk;
use crate::desk::install::Bringer;
use crate::desk::parse::bad;
use crate::keeper::{Answer, Snapshot};
use crate::licenses::claims_of;
use crate::problem::{Refused, internal, problem};
use crate::random;
use crate::side::Kind;
use seatkeeper::token::claims::Customer;
use seatkeeper::wire::{Code, CustomerAlias};
use seatkeeper_engine::command::NewAccount;
use seatkeeper_engine::denial::{self, Denial};
use seatkeeper_engine::ids::{AssignmentId, LoginHash, UnitId, UserId};
use seatkeeper_engine::state::{AccountKind, License, LicenseTerms, Place};
use seatkeeper_engine::{Command, State};
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// The word for an account that is made.
const NEW: &str = "new";

/// What an install says of the account.
#[derive(Clone, Copy)]
pub(in crate::desk) enum Wanted {
    /// Nothing: the customer's, where an earlier license told it, else the home account.
    Alias,
    /// This one.
    There(UnitId),
    /// One that is made, where the customer has none yet.
    New,
}

/// A new account with the texts that its hashes stand for.
struct Made {
    account: NewAccount,
    name: String,
    contact: Option<Contact>,
    warnings: Vec<String>,
}

/// A fulfillment contact who becomes a user.
struct Contact {
    user: UserId,
    login: LoginHash,
    text: String,
}

impl Desk {
    /// The account that `--account` names.
    pub(in crate::desk) fn account_wanted(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        text: Option<&str>,
    ) -> Result<Wanted, Refused> {
        match text {
            None => Ok(Wanted::Alias),
            Some(NEW) => Ok(Wanted::New),
            Some(text) => {
                let unit = self.unit_seen(snapshot, caller, ("account", text))?;
                match snapshot.state.units.get(&unit).map(|known| known.place) {
                    Some(Place::Account(_)) => Ok(Wanted::There(unit)),
                    _ => Err(bad(
                        "account",
                        format_args!("{text} is a unit, and licenses are installed for accounts"),
                    )),
                }
            }
        }
    }

    /// The caller as they act, who may install for this account. Whoever has one made for a license makes accounts, and
    /// whoever has it assigned to everyone assigns.
    pub(in crate::desk) fn installs_for(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        (account, everyone): (Wanted, bool),
    ) -> Result<Caller, Refused> {
        let unit = match account {
            Wanted::There(unit) => unit,
            Wanted::Alias => self.unit,
            Wanted::New => {
                self.authorize(caller, Permission::AccountManage, self.unit)?;
                self.unit
            }
        };
        let installs = self.acting(snapshot, caller, Permission::LicenseInstall, &[unit])?;
        if everyone {
            self.acting(snapshot, caller, Permission::LicenseManageUsers, &[unit])?;
        }
        Ok(installs)
    }

    /// Has one thing of a file done by the rights of the moment: what comes after it is not done by who lost them.
    pub(in crate::desk) fn installing<T>(
        &self,
        by: Bringer<'_>,
        how: (Wanted, bool),
        does: impl Fn(Bringer<'_>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let Bringer::Caller(caller) = by else {
            return does(by);
        };
        self.by_rights_of_now(caller, |caller| {
            let caller = self.installs_for(&self.keeper.snapshot(), caller, how)?;
            does(Bringer::Caller(&caller))
        })
    }

    /// Refuses a caller who may not assign this license to everyone in the account that it is for: where one is installed, or
    /// where its customer's id leads.
    pub(in crate::desk) fn assigns_to_all(
        &self,
        by: Bringer<'_>,
        state: &State,
        terms: &LicenseTerms,
    ) -> Result<(), Refused> {
        let Bringer::Caller(caller) = by else {
            return Ok(());
        };
        let alias = (terms.id.vendor.clone(), terms.customer.clone());
        let there =
            state.licenses.contains_key(&terms.id) || state.waits(&terms.id).next().is_some();
        let has = state.account_for(&terms.id).filter(|_| there);
        let mut all = state.customers.get(&alias).copied().into_iter().chain(has);
        all.try_for_each(|unit| {
            let may = self.authorize(caller, Permission::LicenseManageUsers, unit);
            may.map(drop)
        })
    }

    /// Gives the order to install; with what is worth saying of an account that was made for it.
    pub(in crate::desk) fn bring_license(
        &self,
        by: Bringer<'_>,
        terms: &LicenseTerms,
        wanted: Wanted,
        (assign_everyone, note_known): (Option<AssignmentId>, bool),
    ) -> Result<(Answer, Vec<String>), Refused> {
        let boxed = Box::new(terms.clone());
        if let Bringer::Caller(caller) = by {
            let state = &self.keeper.snapshot().state;
            let alias = (terms.id.vendor.clone(), terms.customer.clone());
            // Where the customer's id leads elsewhere it is asked for there.
            if let Some(unit) = state.customers.get(&alias) {
                self.authorize(caller, Permission::LicenseInstall, *unit)?;
            }
        }
        let account = match wanted {
            Wanted::New => return self.bring_for_new(by, terms, (assign_everyone, note_known)),
            Wanted::There(unit) => Some(unit),
            Wanted::Alias => None,
        };
        let command = Command::InstallLicense {
            terms: boxed,
            account,
            assign_everyone,
            note_known,
        };
        Ok((self.bring(by, command)?, Vec::new()))
    }

    fn bring_for_new(
        &self,
        by: Bringer<'_>,
        terms: &LicenseTerms,
        (assign_everyone, note_known): (Option<AssignmentId>, bool),
    ) -> Result<(Answer, Vec<String>), Refused> {
        self.has_room_by(by, &terms.id.to_string())?;
        let _one = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let made = self.new_account(&self.keeper.recorded().state, terms)?;
        let (unit, name) = (made.account.unit, made.account.name);
        let key = name_key(unit.0, name);
        let broken = |e| self.brought_broken(by, &e);
        let kept = self.side.put_name(Kind::Unit, key, &made.name);
        kept.map_err(broken)?;
        if let Some(Contact { user, text, .. }) = &made.contact {
            let kept = self.side.put_name(Kind::User, user.0, text);
            kept.map_err(broken)?;
        }
        let command = Command::InstallForNew {
            terms: Box::new(terms.clone()),
            account: made.account,
            assign_everyone,
            note_known,
        };
        // After a failure nobody knows what was recorded: the next start sweeps what nothing has.
        let answer = self.bring(by, command)?;
        let state = &answer.snapshot.state;
        if !state.units.contains_key(&unit) {
            self.erase_name(Kind::Unit, key);
        }
        let contact = made.contact.map(|contact| contact.user);
        if let Some(user) = contact.filter(|user| !state.users.contains_key(user)) {
            self.erase_name(Kind::User, user.0);
        }
        let mut said = Vec::new();
        if state.units.contains_key(&unit) {
            said = made.warnings;
        }
        Ok((answer, said))
    }

    /// The account of a license's customer, as its claims tell it.
    fn new_account(&self, state: &State, terms: &LicenseTerms) -> Result<Made, Refused> {
        let claims = claims_of(state, terms);
        let claims =
            claims.ok_or_else(|| internal("a license that was verified is none", &terms.id))?;
        let customer = &claims.customer;
        let unit = UnitId(random::bytes().map_err(|e| internal("no random id", &e))?);
        let named = self.hashed_name("customer.name", &customer.name);
        let (name, hash) = named.map_err(|refused| make_it_first(refused, &customer.name))?;
        self.account_name(unit, &name)
            .map_err(|refused| make_it_first(refused, &customer.name))?;
        let mut warnings = Vec::new();
        let managed_by = manager(state, terms, customer);
        match (&customer.managed_by, managed_by) {
            (Some(by), None) => warnings.push(format!(
                "its license says that {by} of {} manages account {name}, which is no partner or producer account here: `seatkeeper account manage \"{name}\" --by ACCOUNT` links it",
                terms.id.vendor
            )),
            (_, Some(by)) => warnings.push(format!("account {name} is made, managed by {}", self.unit_name(state, by))),
            (None, None) => warnings.push(format!("account {name} is made")),
        }
        let contact = self.contact(state, customer, &name, &mut warnings)?;
        let account = NewAccount {
            unit,
            name: hash,
            managed_by,
            contact: contact.as_ref().map(|one| (one.user, one.login)),
        };
        Ok(Made {
            account,
            name,
            contact,
            warnings,
        })
    }

    /// The fulfillment contact as a user, where they can be one (B1).
    fn contact(
        &self,
        state: &State,
        customer: &Customer,
        account: &str,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Contact>, Refused> {
        let Ok(address) = Address::of("customer.contact", &customer.contact) else {
            let contact = &customer.contact;
            warnings.push(format!("its fulfillment contact, {contact}, is no mail address: nobody was made a user for it"));
            return Ok(None);
        };
        let text = address.text.clone();
        let login = address.hashed(self.keys.salt()).hash;
        if let Some(known) = state.logins.get(&login) {
            let user = self.user_name(*known);
            warnings.push(format!("its fulfillment contact, {text}, is a user already: `seatkeeper user add-unit {user} \"{account}\"` puts them in it, too"));
            return Ok(None);
        }
        let user = UserId(random::bytes().map_err(|e| internal("no random id", &e))?);
        warnings.push(format!(
            "its fulfillment contact, {text}, is a user of it now, invited and not registered yet"
        ));
        Ok(Some(Contact { user, login, text }))
    }

    /// The refusal of an install for what rule 1 says of its account; others are told as ever.
    pub(in crate::desk) fn account_denied(
        &self,
        state: &State,
        terms: &LicenseTerms,
        denial: &Denial,
    ) -> Option<Refused> {
        let mut refused = match denial.code {
            denial::Code::Conflict if denial.rule == 1 => {
                let key = (terms.id.vendor.clone(), terms.customer.clone());
                let known = state.customers.get(&key).copied().unwrap_or(self.unit);
                let name = self.unit_name(state, known);
                let mut refused = problem(
                    Code::Conflict,
                    format!(
                        "license {} is for customer {} of {}, who is account {name} here: a customer is one account",
                        terms.id.id, terms.customer, terms.id.vendor
                    ),
                );
                refused.hint = format!("install it without `--account`, or for {name}");
                refused
            }
            denial::Code::NameTaken => {
                let detail = "another account has the name of this license's customer";
                let mut refused = problem(Code::NameTaken, detail);
                refused.hint = "if it is the same one, install with `--account NAME`; else make one under another name (`seatkeeper account add NAME`) and name that".to_owned();
                refused
            }
            _ => return None,
        };
        refused.rule = Some(denial.rule);
        Some(refused)
    }

    /// By which customers' ids vendors know an account. A license that is at home without its name counts, too.
    pub(super) fn aliases(&self, state: &State, unit: UnitId) -> Vec<CustomerAlias> {
        let alias = |vendor: &str, id: &str| CustomerAlias {
            vendor: vendor.to_owned(),
            id: id.to_owned(),
        };
        let known = state.customers.iter().filter(|(_, of)| **of == unit);
        let known = known.map(|((vendor, id), _)| alias(vendor, id));
        let at_home =
            |license: &&std::sync::Arc<License>| unit == self.unit && license.account.is_none();
        let all = state.licenses.values().chain(state.waiting.values());
        let at_home = all
            .filter(at_home)
            .map(|known| alias(&known.terms.id.vendor, &known.terms.customer));
        let all: BTreeSet<_> = known
            .chain(at_home)
            .filter(|alias| !alias.id.is_empty())
            .collect();
        all.into_iter().collect()
    }

    /// What the account of a license is called.
    pub(in crate::desk) fn license_account(&self, state: &State, license: &License) -> String {
        self.unit_name(state, license.account.unwrap_or(self.unit))
    }
}

/// The partner or producer account that the license's customer is managed by, where its alias is known.
fn manager(state: &State, terms: &LicenseTerms, customer: &Customer) -> Option<UnitId> {
    let by = customer.managed_by.as_deref()?;
    let known = *state.customers.get(&(terms.id.vendor.clone(), by.into()))?;
    match state.units.get(&known)?.place {
        Place::Account(account) if account.kind != AccountKind::Customer => Some(known),
        _ => None,
    }
}

fn make_it_first(mut refused: Refused, name: &str) -> Refused {
    refused.detail = format!(
        "the customer's name in the license, {name:?}, cannot be an account's: {}",
        refused.detail
    );
    refused.hint = "make the account under a name of your choice (`seatkeeper account add NAME`), and install with `--account NAME`".to_owned();
    refused
}
