//! A code that shows that a mail address is somebody's, and does nothing else, as it is judged (S11, D8).

use super::not_valid;
use crate::denial::{Code, Denial};
use crate::directory::registrations::approve_by_domain;
use crate::engine::{Act, Verdict};
use crate::event::Recorded;
use crate::ids::{CodeHash, LoginHash, UserId};
use crate::state::{MailAddress, Purpose};

/// Whoever is `user` without it uses a code that was mailed to this address: it is theirs from now on, and `was` no more.
/// Until then the address is nobody's by it, so that it is asked now whose it is.
pub(super) fn prove(
    act: &mut Act<'_>,
    user: UserId,
    code: CodeHash,
    (was, address): (Option<LoginHash>, MailAddress),
) -> Result<Verdict, Denial> {
    let state = act.state();
    let of = state.code(&code, act.now).ok_or_else(not_valid)?;
    let theirs = (of.purpose, of.user, of.mailed) == (Purpose::Address, user, Some(address.hash));
    let known = state.users.get(&user);
    let known = known.filter(|known| theirs && known.may_come(act.now.j));
    let known = known.ok_or_else(not_valid)?;
    if was.is_some_and(|was| !known.logins.contains(&was)) {
        // Changed in this moment.
        return Err(Denial::new(Code::Conflict, 20));
    }
    if state.taken(address.hash, user) {
        return Err(Denial::new(Code::NameTaken, 1));
    }
    act.record(Recorded::AddressProved {
        user,
        code,
        was,
        address,
    });
    approve_by_domain(act, user);
    Ok(Verdict::User(user))
}
