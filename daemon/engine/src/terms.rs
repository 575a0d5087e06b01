//! Terms of service: published by whoever may, accepted by everyone for themselves (B15). A new version asks anew.

use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict, not_found};
use crate::event::Recorded;
use crate::ids::{Name, TextHash, UserId};
use crate::state::TERMS_MOST;

/// Publishes a version, which is in force from then on. The same version and text again is the same one, while it is in
/// force.
pub(crate) fn publish(act: &mut Act<'_>, version: Name, text: TextHash) -> Result<Verdict, Denial> {
    let state = act.state();
    if let Some((_, present)) = state.present_terms()
        && (&present.version, present.text) == (&version, text)
    {
        return Ok(Verdict::Done);
    }
    if state.terms.values().any(|known| known.version == version) {
        return Err(conflict("another text was published under this version"));
    }
    if state.terms.len() >= TERMS_MOST {
        return Err(conflict(&format!(
            "{TERMS_MOST} versions are all there may be"
        )));
    }
    let at = act.now.j;
    act.record(Recorded::TermsPublished { version, text, at });
    Ok(Verdict::Done)
}

/// Notes that a user accepts the version in force: this one, which they saw.
pub(crate) fn accept(act: &mut Act<'_>, user: UserId, version: Name) -> Result<Verdict, Denial> {
    let state = act.state();
    if !state.users.contains_key(&user) {
        return Err(Denial::new(Code::UnknownUser, 4));
    }
    let Some((_, present)) = state.present_terms() else {
        return Err(not_found(4));
    };
    if present.version != version {
        return Err(conflict(&format!(
            "the version in force is {}",
            present.version
        )));
    }
    if state.terms_to_accept(user).is_some() {
        act.record(Recorded::TermsAccepted { user, version });
    }
    Ok(Verdict::Done)
}

fn conflict(why: &str) -> Denial {
    Denial {
        limit: Some(why.to_owned()),
        ..Denial::new(Code::Conflict, 4)
    }
}
