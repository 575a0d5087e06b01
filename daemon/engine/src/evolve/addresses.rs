//! Folds what happens to mail addresses: one that is a login, and one that was only told and gives way to who has it (S11).

use super::directory::change_user;
use super::{enlist, registrations, strike};
use crate::ids::{LoginHash, UserId};
use crate::state::{MailAddress, State};

/// They are found by the new address, and by the old one no more.
pub(super) fn change(
    state: &mut State,
    user: UserId,
    (was, address): (Option<LoginHash>, Option<MailAddress>),
    revision: u64,
) {
    unclaim(state, user, revision);
    change_user(state, user, revision, |known| {
        if let Some(was) = &was {
            strike(&mut known.logins, *was);
        }
    });
    // What was mailed there ended with the event.
    if let Some(was) = was {
        state.logins.remove(&was);
        state.credentials.verified.remove(&was);
    }
    if let Some(new) = address {
        own(state, user, new.hash, revision);
    }
    registrations::readdressed(state, user, address, revision);
}

/// Whoever used what was mailed there reads it: an address that they have or told is theirs, unless somebody else has it.
pub(super) fn shown(state: &mut State, user: UserId, address: LoginHash, revision: u64) {
    if state.taken(address, user) {
        return;
    }
    let known = state.users.get(&user);
    if known.is_some_and(|known| known.claimed == Some(address)) {
        unclaim(state, user, revision);
        own(state, user, address, revision);
    }
    state.credentials.verified.insert(address);
}

/// They showed that an address is theirs, and have it in the place of the old one.
pub(super) fn prove(
    state: &mut State,
    user: UserId,
    (was, address): (Option<LoginHash>, MailAddress),
    revision: u64,
) {
    let known = state.users.get(&user);
    if !known.is_some_and(|known| known.logins.contains(&address.hash)) {
        change(state, user, (was, Some(address)), revision);
    }
    state.credentials.verified.insert(address.hash);
    registrations::proved(state, user, revision);
}

/// An address is one of their logins; that it is theirs is somebody's word.
fn own(state: &mut State, user: UserId, address: LoginHash, revision: u64) {
    change_user(state, user, revision, |known| {
        enlist(&mut known.logins, address);
    });
    state.logins.insert(address, user);
    gives_way(state, address, revision);
}

/// Somebody has an address: those who only told it have it no more. What was mailed there for them ended with the event.
pub(super) fn gives_way(state: &mut State, address: LoginHash, revision: u64) {
    state.credentials.verified.remove(&address);
    let claimers: Vec<_> = state.claimers(address).collect();
    for user in claimers {
        unclaim(state, user, revision);
        registrations::readdressed(state, user, None, revision);
    }
}

/// What they told is theirs no more, or is by now.
fn unclaim(state: &mut State, user: UserId, revision: u64) {
    let known = state.users.get(&user);
    if let Some(address) = known.and_then(|known| known.claimed) {
        state.credentials.claimed.remove(&(address, user));
        change_user(state, user, revision, |known| known.claimed = None);
    }
}
