//! Tokens and sessions that stand for a person, as they are judged.

use crate::denial::{Code, Denial, never_again};
use crate::engine::{Act, Verdict, not_found, unchanged};
use crate::event::Recorded;
use crate::ids::{BearerHash, BearerId, UserId};
use crate::state::{BEARERS_MOST, Bearer, SESSION_MS, SESSIONS_MOST, State};
use crate::time::Date;

/// Makes one. Those of the same person that are over make room.
pub(super) fn make(
    act: &mut Act<'_>,
    (user, own): (UserId, bool),
    (bearer, hash): (BearerId, BearerHash),
    until: Option<Date>,
) -> Result<Verdict, Denial> {
    let (state, j) = (act.state(), act.now.j);
    let all = &state.credentials;
    if let Some(known) = all.bearers.get(&bearer) {
        let same = (known.user, known.hash, known.until) == (user, hash, until);
        return match same {
            true => Ok(Verdict::Done),
            false => Err(Denial::new(Code::Conflict, 20)),
        };
    }
    never_again(all.gone_tokens.contains(&bearer), "a token")?;
    if all.bearer_hashes.contains_key(&hash) {
        return Err(Denial::new(Code::Conflict, 20));
    }
    let known = state.users.get(&user).ok_or_else(|| not_found(1))?;
    if !known.active(j) {
        return Err(super::not_active(user));
    }
    if until.is_some_and(|until| until <= j) {
        return Err(refused("its last day is over already".to_owned()));
    }
    let tokens = theirs(state, user, |one| !one.is_session());
    let (live, over): (Vec<_>, Vec<_>) = tokens.into_iter().partition(|one| good(act, *one));
    if live.len() >= BEARERS_MOST {
        let limit = format!("a person has at most {BEARERS_MOST} tokens");
        return Err(refused(limit));
    }
    if !over.is_empty() {
        let tokens = over;
        act.record(Recorded::TokensRevoked { user, tokens });
    }
    act.record(Recorded::TokenMade {
        user,
        token: bearer,
        hash,
        until,
        own,
        at: j,
    });
    Ok(Verdict::Done)
}

/// Opens a session of somebody who has proved who they are. Those of theirs that are over make room; where none is, the
/// oldest gives way, or whoever forgets to sign out could sign in no more.
pub(super) fn open(
    act: &mut Act<'_>,
    user: UserId,
    (session, hash): (BearerId, BearerHash),
) -> Result<(), Denial> {
    unused(act.state(), session, hash)?;
    let sessions = theirs(act.state(), user, Bearer::is_session);
    let (live, mut sessions): (Vec<_>, Vec<_>) =
        sessions.into_iter().partition(|one| good(act, *one));
    // They stand in the order in which they were made.
    let too_many = (live.len() + 1).saturating_sub(SESSIONS_MOST);
    sessions.extend(live.into_iter().take(too_many));
    if !sessions.is_empty() {
        act.record(Recorded::SessionsEnded { user, sessions });
    }
    let at = act.now.j;
    act.record(Recorded::SessionMade {
        user,
        session,
        hash,
        until: act.now.lease + SESSION_MS,
        until_j: Date(at.0 + SESSION_MS / 1000),
        at,
    });
    Ok(())
}

/// Nothing has this id, or is presented by this.
pub(super) fn unused(state: &State, id: BearerId, hash: BearerHash) -> Result<(), Denial> {
    let all = &state.credentials;
    match all.bearers.contains_key(&id) || all.bearer_hashes.contains_key(&hash) {
        true => Err(Denial::new(Code::Conflict, 20)),
        false => Ok(()),
    }
}

/// What somebody has of one kind.
fn theirs(state: &State, user: UserId, kind: impl Fn(&Bearer) -> bool) -> Vec<BearerId> {
    let all = &state.credentials;
    let of = all.of.get(&user).into_iter().flat_map(|of| &of.bearers);
    of.filter(|one| all.bearers.get(*one).is_some_and(&kind))
        .copied()
        .collect()
}

fn good(act: &Act<'_>, bearer: BearerId) -> bool {
    let known = act.state().credentials.bearers.get(&bearer);
    known.is_some_and(|known| known.good(act.now))
}

/// Takes a token back, or ends a session.
pub(super) fn revoke(
    act: &mut Act<'_>,
    bearer: BearerId,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let known = act.state().credentials.bearers.get(&bearer);
    let known = known.ok_or_else(|| not_found(1))?;
    unchanged(known.revision, if_match, 1)?;
    let user = known.user;
    act.record(match known.is_session() {
        true => Recorded::SessionsEnded {
            user,
            sessions: vec![bearer],
        },
        false => Recorded::TokensRevoked {
            user,
            tokens: vec![bearer],
        },
    });
    Ok(Verdict::Done)
}

fn refused(limit: String) -> Denial {
    Denial {
        limit: Some(limit),
        ..Denial::new(Code::BadRequest, 1)
    }
}
