//! `GET /v1/whoami`: who a caller is, how they are known, and what is theirs.

use crate::authorize::{Caller, KnownBy};
use crate::desk::Desk;
use crate::desk::directory::{STATUS, spelled};
use crate::problem::Refused;
use seatkeeper::wire::{GivenRole, Whoami};
use seatkeeper_engine::State;
use seatkeeper_engine::ids::UserId;
use seatkeeper_engine::state::{User, UserStatus};
use std::collections::BTreeSet;

impl Desk {
    /// `GET /v1/whoami`. Makes nobody a user.
    ///
    /// # Errors
    /// None of its own.
    pub fn whoami(&self, caller: &Caller) -> Result<Whoami, Refused> {
        Ok(self.as_known(&self.keeper.snapshot(), caller))
    }
}

/// Who a caller is, in one state. What is one's own is told whole, whatever one sees of others.
pub(super) fn told(desk: &Desk, state: &State, caller: &Caller) -> Whoami {
    let asker = Whoami {
        account: caller.login.name.clone(),
        machine: desk.machine_name(caller.attested_by),
        uid: caller.uid,
        administers: caller.administers,
        ..Whoami::default()
    };
    let known = caller.known_by(state);
    let known = known.and_then(|(id, by)| Some((id, by, state.users.get(&id)?)));
    match known {
        None => Whoami {
            hint: Some(desk.comes_in(caller)),
            ..asker
        },
        Some((id, by, user)) => {
            let bearers = &state.credentials.bearers;
            let presented = caller.presented.and_then(|of| bearers.get(&of.id));
            let until = presented.and_then(|known| Some(known.until?.0));
            person(desk, state, (id, user), (by, until, asker))
        }
    }
}

fn person(
    desk: &Desk,
    state: &State,
    (id, user): (UserId, &User),
    (by, until, asker): (KnownBy, Option<u64>, Whoami),
) -> Whoami {
    let units = state.units_of(user).iter();
    let accounts = units.clone();
    let accounts = accounts.filter_map(|unit| Some(state.account_of(*unit)?.0));
    let accounts: BTreeSet<_> = accounts.collect();
    let accounts = accounts.into_iter();
    let roles = user.roles.iter();
    let over = user.is_over(desk.keeper.now().j);
    Whoami {
        user: Some(desk.user_name(id)),
        id: Some(id.to_string()),
        known_by: match by {
            KnownBy::Token => "token",
            KnownBy::Session => "session",
            KnownBy::SignedIn => "signed_in",
            KnownBy::FullLogin => "full_login",
            KnownBy::Login => "login",
        }
        .to_owned(),
        known_until: until,
        address: desk.address_of(state, id),
        address_is: desk.address_is(state, id),
        status: spelled(user.status, STATUS).to_owned(),
        until: user.until.map(|until| until.0),
        over,
        password: state.password_of(id).is_some(),
        accounts: accounts.map(|unit| desk.unit_name(state, unit)).collect(),
        units: units.map(|unit| desk.unit_path(state, *unit)).collect(),
        roles: roles
            .map(|given| GivenRole {
                role: given.role.to_string(),
                unit: desk.unit_path(state, given.unit),
            })
            .collect(),
        hint: missing(&desk.user_name(id), (user.status, over)),
        ..asker
    }
}

/// What keeps somebody from a seat.
fn missing(login: &str, (status, over): (UserStatus, bool)) -> Option<String> {
    match status {
        UserStatus::Suspended => {
            Some("an administrator has suspended you, and alone takes it back".to_owned())
        }
        _ if over => Some(
            "your last day as a guest is over, and an administrator alone lets you stay longer"
                .to_owned(),
        ),
        UserStatus::Active => None,
        UserStatus::Invited => Some(format!(
            "the code of the invitation lets you in: `seatkeeper login --code`; `seatkeeper forgot {login}` asks for one"
        )),
        UserStatus::Pending => Some(format!(
            "wait until somebody lets you in: `seatkeeper registration show {login}` tells who does"
        )),
    }
}
