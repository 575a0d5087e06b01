//! Tokens that stand for a person, as they are judged.

use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict, not_found, unchanged};
use crate::event::Recorded;
use crate::ids::{BearerHash, BearerId, UserId};
use crate::state::BEARERS_MOST;
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
    if all.bearer_hashes.contains_key(&hash) {
        return Err(Denial::new(Code::Conflict, 20));
    }
    let known = state.users.get(&user).ok_or_else(|| not_found(1))?;
    if !known.active(j) {
        return Err(Denial::new(Code::UserNotActive, 4));
    }
    if until.is_some_and(|until| until <= j) {
        return Err(refused("its last day is over already".to_owned()));
    }
    let theirs = all.of.get(&user);
    let theirs = theirs.map(|of| of.bearers.clone()).unwrap_or_default();
    let over = |one: &BearerId| {
        let until = all.bearers.get(one).and_then(|known| known.until);
        until.is_some_and(|until| until <= j)
    };
    let (over, live): (Vec<_>, Vec<_>) = theirs.into_iter().partition(over);
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

/// Takes one back.
pub(super) fn revoke(
    act: &mut Act<'_>,
    bearer: BearerId,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let known = act.state().credentials.bearers.get(&bearer);
    let known = known.ok_or_else(|| not_found(1))?;
    unchanged(known.revision, if_match, 1)?;
    let user = known.user;
    let tokens = vec![bearer];
    act.record(Recorded::TokensRevoked { user, tokens });
    Ok(Verdict::Done)
}

fn refused(limit: String) -> Denial {
    Denial {
        limit: Some(limit),
        ..Denial::new(Code::BadRequest, 1)
    }
}
