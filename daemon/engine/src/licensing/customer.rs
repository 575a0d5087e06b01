//! The account that a license is for: a vendor's id of a customer stands for one account (rule 1).

use super::install::no;
use crate::access::{self, Given, Role};
use crate::command::{Access, Arrange, NewAccount};
use crate::denial::{Code, Denial};
use crate::directory;
use crate::engine::{Act, not_found};
use crate::ids::{Name, UnitId};
use crate::state::{Account, AccountKind, LicenseTerms, Place, State, UserStatus};

/// What an install says of the account.
pub(crate) enum For {
    /// This one; where none is named, that of an earlier license for the same customer, else the home account.
    Known(Option<UnitId>),
    /// This new one, where the customer has none yet.
    New(NewAccount),
}

/// The account that an install comes to: one that is there (none is the home account), or one that is to be made.
pub(super) enum Placed {
    There(Option<UnitId>),
    ToMake(NewAccount),
}

/// A customer is one account.
pub(super) fn place(state: &State, terms: &LicenseTerms, wanted: For) -> Result<Placed, Denial> {
    let alias = alias(state, terms);
    match wanted {
        For::Known(None) => Ok(Placed::There(alias)),
        For::Known(Some(named)) if !is_account(state, named) => Err(not_found(1)),
        For::Known(Some(named)) => match alias.or_else(|| at_home(state, terms)) {
            Some(known) if known != named => Err(another()),
            _ => Ok(Placed::There(Some(named))),
        },
        // The second license of a new customer, or the first one once more, finds what the first one made.
        For::New(_) if alias.is_some() => Ok(Placed::There(alias)),
        For::New(_) if at_home(state, terms).is_some() => Err(another()),
        For::New(account) => Ok(Placed::ToMake(account)),
    }
}

/// Makes a customer's account with its first user: the fulfillment contact, who was not asked yet (B1), and administers it
/// once they have come. One whose address is a user's already stays where they are.
pub(super) fn make(act: &mut Act<'_>, new: NewAccount) -> Result<UnitId, Denial> {
    let unit = new.unit;
    let account = Account {
        kind: AccountKind::Customer,
        managed_by: new.managed_by,
        self_registered: false,
    };
    let made = Arrange::MakeUnit {
        unit,
        name: new.name,
        place: Place::Account(account),
    };
    directory::arrange(act, made)?;
    let contact = new.contact;
    let contact = contact.filter(|(_, login)| !act.state().logins.contains_key(login));
    if let Some((user, login)) = contact {
        let contact = Arrange::MakeUser {
            user,
            login,
            address: None,
            units: vec![unit],
            status: UserStatus::Invited,
            until: None,
        };
        directory::arrange(act, contact)?;
        let roles = vec![Given {
            role: Name::from(Role::ADMINISTRATOR),
            unit,
        }];
        let give = Access::GiveRoles {
            user,
            roles,
            if_match: None,
        };
        access::change(act, give)?;
    }
    Ok(unit)
}

/// The account that the customer's id of this vendor stands for. An account that is gone took it along.
fn alias(state: &State, terms: &LicenseTerms) -> Option<UnitId> {
    let known = state.customers.get(&customer(terms)).copied();
    known.filter(|unit| is_account(state, *unit))
}

/// The home account, where a license for this customer is installed for it without its name.
fn at_home(state: &State, terms: &LicenseTerms) -> Option<UnitId> {
    let mut all = state.licenses.values().chain(state.waiting.values());
    let here =
        all.any(|known| known.account.is_none() && customer(&known.terms) == customer(terms));
    state.site.filter(|_| here).map(|site| site.unit)
}

fn customer(terms: &LicenseTerms) -> (Name, Name) {
    (terms.id.vendor.clone(), terms.customer.clone())
}

fn is_account(state: &State, unit: UnitId) -> bool {
    let place = state.units.get(&unit).map(|unit| unit.place);
    matches!(place, Some(Place::Account(_)))
}

fn another() -> Denial {
    Denial {
        rule: 1,
        ..no(Code::Conflict, Some("another account".to_owned()))
    }
}
