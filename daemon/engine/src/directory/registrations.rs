//! Who asks to come in, as it is judged (rule 1): anybody may ask, so that all of it is bounded, and nobody who asks
//! learns of an account that is not theirs.

use super::{units, users};
use crate::command::{Admission, Register, Want};
use crate::denial::{Code, Denial, never_again};
use crate::engine::{Act, Verdict, not_found, unchanged};
use crate::event::{Recorded, Registered};
use crate::ids::{NameHash, UnitId, UserId};
use crate::state::{
    Account, AccountKind, DOMAINS_MOST, Place, REGISTRATIONS_MOST, Registration, State, Way,
};
use std::sync::Arc;

/// Judges it.
pub(super) fn admit(act: &mut Act<'_>, admission: Admission) -> Result<Verdict, Denial> {
    match admission {
        Admission::Register(asked) => register(act, *asked),
        Admission::Approve {
            user,
            units,
            if_match,
        } => approve(act, user, units, if_match),
        Admission::Refuse { user, if_match } => refuse(act, user, if_match),
        Admission::Verify { user, if_match } => verify(act, user, if_match),
        Admission::LetIn {
            account,
            domain,
            on,
            if_match,
        } => let_in(act, (account, domain), on, if_match),
    }
}

fn register(act: &mut Act<'_>, asked: Register) -> Result<Verdict, Denial> {
    let state = act.state();
    let user = asked.user;
    if let Some(known) = state.users.get(&user) {
        let waits = state.registrations.get(&user);
        let same = waits.is_some_and(|waits| same(state, waits, &asked));
        return match same && known.logins.contains(&asked.login) {
            true => Ok(Verdict::User(user)),
            false => Err(Denial::new(Code::Conflict, 20)),
        };
    }
    never_again(state.gone_users.contains(&user), "a user")?;
    // Whose an address is that they only tell is not asked: they would learn of somebody who has it.
    let address = asked.address.filter(|_| asked.verified);
    let address = address.map(|address| address.hash);
    let mut own = address.iter().chain([&asked.login]);
    if own.any(|login| state.logins.contains_key(login)) {
        return Err(Denial::new(Code::NameTaken, 1));
    }
    if state.registrations.len() >= REGISTRATIONS_MOST {
        return Err(Denial {
            limit: Some(REGISTRATIONS_MOST.to_string()),
            ..Denial::new(Code::TooManyRegistrations, 1)
        });
    }
    let (account, way) = wanted(act, asked.want)?;
    let to = act.state().answers_for(account);
    act.record(Recorded::Registered(Box::new(Registered {
        user,
        login: asked.login,
        account,
        way,
        to,
        address: asked.address,
        verified: asked.verified,
        at: act.now.j,
    })));
    approve_by_domain(act, user);
    Ok(Verdict::User(user))
}

/// Whether this is the registration that waits, asked once more.
fn same(state: &State, known: &Registration, asked: &Register) -> bool {
    let want = match &asked.want {
        Want::Company { unit, name } => {
            let made = state.units.get(unit).and_then(|unit| unit.name);
            known.way == Way::Company && known.account == *unit && made == Some(*name)
        }
        Want::Join(unit) => known.way == Way::Joined && known.account == *unit,
        Want::License(license) => known.way == Way::License(license.clone()),
        Want::Access(unit) => known.way == Way::Access && known.account == *unit,
    };
    want && known.address == asked.address
}

/// The account that is asked for; a company's own is made.
fn wanted(act: &mut Act<'_>, want: Want) -> Result<(UnitId, Way), Denial> {
    let state = act.state();
    let account_of = |unit: UnitId| match state.units.get(&unit)?.place {
        Place::Account(account) => Some((unit, account)),
        Place::Below(_) => None,
    };
    match want {
        // An account that is there is joined by its id, never by making it once more.
        Want::Company { unit, .. } if state.units.contains_key(&unit) => {
            Err(Denial::new(Code::Conflict, 20))
        }
        Want::Company { unit, name } => {
            let account = Account {
                kind: AccountKind::Customer,
                managed_by: None,
                self_registered: true,
            };
            units::make(act, unit, name, Place::Account(account))?;
            Ok((unit, Way::Company))
        }
        // One that did not make itself is told as one that is not there (F15).
        Want::Join(unit) => account_of(unit)
            .filter(|(_, account)| account.self_registered)
            .map(|(unit, _)| (unit, Way::Joined))
            .ok_or_else(|| not_found(1)),
        Want::License(license) => {
            let account = state
                .installed(&license)
                .then(|| state.account_for(&license));
            let account = account.flatten().ok_or_else(|| not_found(1))?;
            Ok((account, Way::License(license)))
        }
        Want::Access(unit) => account_of(unit)
            .map(|(unit, _)| (unit, Way::Access))
            .ok_or_else(|| not_found(1)),
    }
}

/// Who has a verified address in exactly a domain that the account lets in does not wait (B7, D7).
pub(crate) fn approve_by_domain(act: &mut Act<'_>, user: UserId) {
    let state = act.state();
    let comes = state.registrations.get(&user).is_some_and(|known| {
        let address = known.address.filter(|_| known.verified);
        address.is_some_and(|address| state.lets_in(known.account, &address))
    });
    if comes {
        act.record(Recorded::RegistrationApproved {
            user,
            units: Vec::new(),
            by_domain: true,
        });
    }
}

fn approve(
    act: &mut Act<'_>,
    user: UserId,
    units: Vec<UnitId>,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = waiting(state, user, if_match)?;
    let account = |unit: UnitId| state.account_of(unit).map(|(account, _)| account);
    if units
        .iter()
        .any(|unit| account(*unit) != account(known.account))
    {
        return Err(Denial {
            limit: Some("a unit is outside of the account that they asked for".to_owned()),
            ..Denial::new(Code::BadRequest, 1)
        });
    }
    let units = users::ordered(units);
    users::placeable(state, user, &units)?;
    act.record(Recorded::RegistrationApproved {
        user,
        units,
        by_domain: false,
    });
    Ok(Verdict::Done)
}

fn refuse(act: &mut Act<'_>, user: UserId, if_match: Option<u64>) -> Result<Verdict, Denial> {
    let known = waiting(act.state(), user, if_match)?;
    act.record(Recorded::RegistrationRefused { user });
    let unit = known.account;
    let state = act.state();
    let made = state.units.get(&unit).filter(|_| known.way == Way::Company);
    // The account that they made goes with them, unless somebody has taken to it.
    if made.is_some_and(|made| units::occupied(state, unit, made).is_none()) {
        act.record(Recorded::UnitRemoved { unit });
    }
    Ok(Verdict::Done)
}

fn verify(act: &mut Act<'_>, user: UserId, if_match: Option<u64>) -> Result<Verdict, Denial> {
    let known = waiting(act.state(), user, if_match)?;
    let Some(address) = known.address else {
        return Err(Denial {
            limit: Some("they told no address".to_owned()),
            ..Denial::new(Code::BadRequest, 1)
        });
    };
    if act.state().taken(address.hash, user) {
        return Err(Denial::new(Code::NameTaken, 1));
    }
    if !known.verified {
        act.record(Recorded::AddressVerified { user });
    }
    approve_by_domain(act, user);
    Ok(Verdict::Done)
}

fn let_in(
    act: &mut Act<'_>,
    (account, domain): (UnitId, NameHash),
    on: bool,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.units.get(&account).ok_or_else(|| not_found(1))?;
    unchanged(known.revision, if_match, 1)?;
    let refused = |why: &str| {
        Err(Denial {
            limit: Some(why.to_owned()),
            ..Denial::new(Code::BadRequest, 1)
        })
    };
    if !matches!(known.place, Place::Account(_)) {
        return refused("only accounts let a domain in");
    }
    let domains = state.approved_domains.get(&account);
    let is = domains.is_some_and(|domains| domains.contains(&domain));
    if on && !is && domains.is_some_and(|domains| domains.len() >= DOMAINS_MOST) {
        return refused(&format!(
            "an account lets in {DOMAINS_MOST} domains at most"
        ));
    }
    if is != on {
        act.record(match on {
            true => Recorded::DomainLetIn { account, domain },
            false => Recorded::DomainDropped { account, domain },
        });
    }
    Ok(Verdict::Done)
}

fn waiting(
    state: &State,
    user: UserId,
    if_match: Option<u64>,
) -> Result<Arc<Registration>, Denial> {
    let known = state.registrations.get(&user).ok_or_else(|| not_found(1))?;
    unchanged(known.revision, if_match, 1)?;
    Ok(known.clone())
}
