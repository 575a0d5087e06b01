//! Passwords, codes and who is signed in, as they are judged. What is told to be a password was checked before: here it is
//! judged whether it still is the one that counts.

mod bearers;
mod own_address;

use crate::command::{Credential, SignsIn};
use crate::denial::{Code, Denial};
use crate::directory::registrations::approve_by_domain;
use crate::engine::{Act, Verdict, not_found, unchanged};
use crate::event::Recorded;
use crate::ids::{CodeHash, LoginHash, PasswordId, UserId};
use crate::state::{self, BOUND_MOST, Purpose, State, UserStatus};
use crate::time::Date;

/// Judges a change.
pub(crate) fn change(act: &mut Act<'_>, change: Credential) -> Result<Verdict, Denial> {
    match change {
        Credential::Bind { user, what, by } => bind(act, user, what, by),
        Credential::Unbind { login } => {
            if let Some(user) = act.state().credentials.bound.get(&login).copied() {
                act.record(Recorded::LoginUnbound { user, login });
            }
            Ok(Verdict::Done)
        }
        Credential::ChangePassword {
            user,
            was,
            password,
            keeps,
            session,
        } => {
            told(act.state(), user, was)?;
            act.record(Recorded::PasswordSet {
                user,
                password,
                keeps,
                session,
            });
            Ok(Verdict::Done)
        }
        Credential::MakeCode {
            user,
            purpose,
            code,
            mailed,
            if_match,
        } => make_code(act, (user, if_match), purpose, (code, mailed)),
        Credential::Redeem {
            code,
            password,
            signs_in,
            own,
        } => redeem(act, code, password, (signs_in, own)),
        Credential::ProveAddress {
            user,
            code,
            was,
            address,
        } => own_address::prove(act, user, code, (was, address)),
        Credential::AskReset { user } => {
            let state = act.state();
            let known = state.users.get(&user).ok_or_else(|| not_found(1))?;
            let asked = state.credentials.resets.contains_key(&user);
            if !asked && known.may_come(act.now.j) {
                let at = act.now.j;
                act.record(Recorded::ResetAsked { user, at });
            }
            Ok(Verdict::Done)
        }
        Credential::MakeBearer {
            user,
            bearer,
            hash,
            until,
            own,
            ..
        } => bearers::make(act, (user, own), (bearer, hash), until),
        Credential::RevokeBearer { bearer, if_match } => bearers::revoke(act, bearer, if_match),
        Credential::DropReset { user, if_match } => drop_reset(act, user, if_match),
    }
}

fn drop_reset(act: &mut Act<'_>, user: UserId, if_match: Option<u64>) -> Result<Verdict, Denial> {
    let asked = act.state().credentials.resets.get(&user);
    let asked = asked.ok_or_else(|| not_found(1))?;
    unchanged(asked.revision, if_match, 1)?;
    act.record(Recorded::ResetDropped { user });
    Ok(Verdict::Done)
}

/// The password that was told is theirs still.
fn told(state: &State, user: UserId, password: PasswordId) -> Result<(), Denial> {
    match state.password_of(user) == Some(password) {
        true => Ok(()),
        false => Err(Denial::new(Code::Conflict, 20)),
    }
}

fn bind(act: &mut Act<'_>, user: UserId, what: SignsIn, by: PasswordId) -> Result<Verdict, Denial> {
    let state = act.state();
    told(state, user, by)?;
    let known = state.users.get(&user).ok_or_else(|| not_found(1))?;
    if !known.may_come(act.now.j) {
        return Err(not_active(user));
    }
    sign_in(act, user, what)?;
    Ok(Verdict::User(user))
}

/// Somebody is not active: they, not whoever asks.
fn not_active(user: UserId) -> Denial {
    Denial {
        users: vec![user],
        ..Denial::new(Code::UserNotActive, 4)
    }
}

fn sign_in(act: &mut Act<'_>, user: UserId, what: SignsIn) -> Result<(), Denial> {
    let login = match what {
        SignsIn::Account(login) => login,
        SignsIn::Session { id, hash } => return bearers::open(act, user, (id, hash)),
    };
    let credentials = &act.state().credentials;
    if credentials.bound.get(&login) == Some(&user) {
        return Ok(());
    }
    let signed_in = credentials.of.get(&user).map_or(0, |of| of.bound.len());
    if signed_in >= BOUND_MOST {
        let limit = format!("{BOUND_MOST} accounts of machines are signed in as them already");
        return Err(Denial {
            limit: Some(limit),
            ..Denial::new(Code::BadRequest, 1)
        });
    }
    act.record(Recorded::LoginBound { user, login });
    Ok(())
}

fn make_code(
    act: &mut Act<'_>,
    (user, if_match): (UserId, Option<u64>),
    purpose: Purpose,
    (code, mailed): (CodeHash, Option<LoginHash>),
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.users.get(&user).ok_or_else(|| not_found(1))?;
    unchanged(known.revision, if_match, 1)?;
    if !known.may_come(act.now.j) {
        return Err(not_active(user));
    }
    if purpose == Purpose::Invitation && state.password_of(user).is_some() {
        return Err(Denial {
            users: vec![user],
            ..Denial::new(Code::Conflict, 1)
        });
    }
    // It was looked up before: whoever has it by now would get what was meant for them.
    let theirs = |address| known.logins.contains(&address) || known.claimed == Some(address);
    if purpose != Purpose::Address && mailed.is_some_and(|address| !theirs(address)) {
        return Err(Denial {
            limit: Some("another mail address".to_owned()),
            ..Denial::new(Code::WrongRevision, 1)
        });
    }
    let of = state::Code {
        user,
        purpose,
        until: act.now.lease + purpose.lasts_ms(),
        until_j: Date(act.now.j.0 + purpose.lasts_ms() / 1000),
        mailed,
    };
    act.record(Recorded::CodeMade { code, of });
    Ok(Verdict::Done)
}

/// One that was used, is over, or never was, is the same no; so is one for something else.
fn not_valid() -> Denial {
    Denial::new(Code::CodeNotValid, 1)
}

fn redeem(
    act: &mut Act<'_>,
    code: CodeHash,
    password: PasswordId,
    (signs_in, own): (Option<SignsIn>, bool),
) -> Result<Verdict, Denial> {
    let state = act.state();
    let of = state.code(&code, act.now);
    let of = of.filter(|of| of.purpose != Purpose::Address);
    let of = *of.ok_or_else(not_valid)?;
    let user = of.user;
    let known = state.users.get(&user).ok_or_else(not_valid)?;
    if !known.may_come(act.now.j) {
        return Err(not_valid());
    }
    let (invited, until) = (known.status == UserStatus::Invited, known.until);
    let waits = state.registrations.get(&user);
    let proves = waits.is_some_and(|waits| {
        let address = waits.address.map(|address| address.hash);
        let sent = address.filter(|address| of.mailed == Some(*address));
        !waits.verified && sent.is_some_and(|address| !state.taken(address, user))
    });
    if let Some(SignsIn::Session { id, hash }) = signs_in {
        bearers::unused(state, id, hash)?;
    }
    act.record(Recorded::CodeUsed { user, code });
    if proves {
        act.record(Recorded::AddressVerified { user });
        // Another account has the code: whoever reads what is sent there, they did not ask to come in.
        if own {
            approve_by_domain(act, user);
        }
    }
    if invited {
        act.record(Recorded::UserChanged {
            user,
            status: UserStatus::Active,
            until,
        });
    }
    act.record(Recorded::PasswordSet {
        user,
        password,
        keeps: None,
        session: None,
    });
    if let Some(what) = signs_in {
        sign_in(act, user, what)?;
    }
    Ok(Verdict::User(user))
}
