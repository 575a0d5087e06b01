//! Folds what happens to those who ask to come in.

use super::directory::{change_unit, change_user, forget_user, make_user, place};
use super::rooms::but;
use super::{addresses, enlist};
use crate::event::{Recorded, Registered};
use crate::ids::{UnitId, UserId};
use crate::state::{MailAddress, Registration, State, User, UserStatus};
use std::sync::Arc;

/// Folds one event of a registration.
pub(super) fn evolve(state: &mut State, event: &Recorded, revision: u64) {
    match event {
        Recorded::Registered(asked) => register(state, asked, revision),
        Recorded::RegistrationApproved { user, units, .. } => {
            state.registrations.remove(user);
            change_user(state, *user, revision, |known| {
                known.status = UserStatus::Active;
            });
            if !units.is_empty() {
                place(state, *user, units, revision);
            }
        }
        Recorded::RegistrationRefused { user } => forget_user(state, *user, revision),
        Recorded::AddressVerified { user } => verified(state, *user, revision),
        Recorded::DomainLetIn { account, domain } => {
            let domains = state.approved_domains.entry(*account).or_default();
            domains.insert(*domain);
            change_unit(state, *account, |_| {}, revision);
        }
        Recorded::DomainDropped { account, domain } => {
            if let Some(domains) = state.approved_domains.get_mut(account) {
                domains.remove(domain);
                if domains.is_empty() {
                    state.approved_domains.remove(account);
                }
            }
            change_unit(state, *account, |_| {}, revision);
        }
        but!(registrations) => {}
    }
}

/// They are a user who waits, in the account that they asked for.
fn register(state: &mut State, asked: &Registered, revision: u64) {
    let mut made = User {
        status: UserStatus::Pending,
        ..User::met(asked.login, revision)
    };
    // An address that they only tell is no login: its owner could not have it, and they would be taken for its owner.
    let address = asked.address.map(|address| address.hash);
    match address {
        Some(shown) if asked.verified => enlist(&mut made.logins, shown),
        told => made.claimed = told,
    }
    make_user(state, asked.user, made, revision);
    let verified = address.filter(|_| asked.verified);
    state.credentials.verified.extend(verified);
    place(state, asked.user, &[asked.account], revision);
    let waits = Registration {
        account: asked.account,
        way: asked.way.clone(),
        to: asked.to,
        address: asked.address,
        verified: asked.verified,
        since: asked.at,
        revision,
    };
    state.registrations.insert(asked.user, Arc::new(waits));
}

/// The address of who waits is known to be theirs.
fn verified(state: &mut State, user: UserId, revision: u64) {
    proved(state, user, revision);
    let known = state.registrations.get(&user);
    if let Some(address) = known.and_then(|known| known.address) {
        addresses::shown(state, user, address.hash, revision);
    }
}

/// The same, where that was judged of the address itself.
pub(super) fn proved(state: &mut State, user: UserId, revision: u64) {
    if let Some(known) = state.registrations.get_mut(&user) {
        let known = Arc::make_mut(known);
        (known.verified, known.revision) = (known.address.is_some(), revision);
    }
}

/// Who waits has another address, which is not known to be theirs.
pub(super) fn readdressed(
    state: &mut State,
    user: UserId,
    address: Option<MailAddress>,
    revision: u64,
) {
    if let Some(known) = state.registrations.get_mut(&user) {
        let known = Arc::make_mut(known);
        (known.address, known.verified, known.revision) = (address, false, revision);
    }
}

/// A user whose status an administrator changed does not wait for an answer any more.
pub(super) fn answered(state: &mut State, user: UserId, status: UserStatus) {
    if status != UserStatus::Pending {
        state.registrations.remove(&user);
    }
}

/// An account that is gone lets nobody in.
pub(super) fn closed(state: &mut State, account: UnitId) {
    state.approved_domains.remove(&account);
}
