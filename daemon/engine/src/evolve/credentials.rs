//! Folds what happens to passwords, codes, and to who is signed in.

use crate::event::Recorded;
use crate::ids::{BearerId, CodeHash, LoginHash, UserId};
use crate::state::{Bearer, Code, Personal, Reset, State};
use std::sync::Arc;

/// Folds one event of a credential.
pub(super) fn evolve(state: &mut State, event: &Recorded, revision: u64) {
    match event {
        Recorded::CodeMade { code, of } => make_code(state, *code, *of),
        Recorded::CodeUsed { code, .. } => drop_code(state, *code),
        Recorded::PasswordSet {
            user,
            password,
            keeps,
        } => {
            sign_out(state, *user, *keeps);
            // Codes that lie about set no other one.
            codes_of(state, *user)
                .into_iter()
                .for_each(|code| drop_code(state, code));
            change(state, *user, |of| of.password = Some(*password));
            state.credentials.resets.remove(user);
        }
        Recorded::LoginBound { user, login } => {
            unbind(state, *login);
            state.credentials.bound.insert(*login, *user);
            change(state, *user, |of| {
                if let Err(place) = of.bound.binary_search(login) {
                    of.bound.insert(place, *login);
                }
            });
        }
        Recorded::LoginUnbound { login, .. } => unbind(state, *login),
        Recorded::ResetAsked { user, at } => {
            let asked = Reset {
                since: *at,
                revision,
            };
            state.credentials.resets.insert(*user, asked);
        }
        Recorded::ResetDropped { user } => {
            state.credentials.resets.remove(user);
        }
        Recorded::TokenMade {
            user,
            token,
            hash,
            until,
            at,
        } => {
            let made = Bearer {
                user: *user,
                hash: *hash,
                until: *until,
                since: *at,
                revision,
            };
            state.credentials.bearers.insert(*token, made);
            state.credentials.bearer_hashes.insert(*hash, *token);
            change(state, *user, |of| of.bearers.push(*token));
        }
        Recorded::TokensRevoked { user, tokens } => {
            tokens.iter().for_each(|one| drop_bearer(state, *one));
            change(state, *user, |of| {
                of.bearers.retain(|one| !tokens.contains(one));
            });
        }
        _ => {}
    }
}

/// Nothing is left of somebody who is gone.
pub(super) fn forget(state: &mut State, user: UserId) {
    let credentials = &mut state.credentials;
    credentials.resets.remove(&user);
    if let Some(gone) = credentials.of.remove(&user) {
        gone.bearers.iter().for_each(|one| drop_bearer(state, *one));
        let credentials = &mut state.credentials;
        for login in &gone.bound {
            credentials.bound.remove(login);
        }
        for code in &gone.codes {
            credentials.codes.remove(code);
        }
    }
}

fn change(state: &mut State, user: UserId, change: impl FnOnce(&mut Personal)) {
    let known = state.credentials.of.entry(user).or_default();
    change(Arc::make_mut(known));
}

/// A new code takes the place of the one for the same purpose, and answers who asked for one.
fn make_code(state: &mut State, code: CodeHash, of: Code) {
    let codes = &state.credentials.codes;
    let earlier = codes_of(state, of.user).into_iter().find(|one| {
        let known = codes.get(one);
        known.is_some_and(|known| known.purpose == of.purpose)
    });
    if let Some(earlier) = earlier {
        drop_code(state, earlier);
    }
    state.credentials.codes.insert(code, of);
    change(state, of.user, |own| own.codes.push(code));
    state.credentials.resets.remove(&of.user);
}

fn codes_of(state: &State, user: UserId) -> Vec<CodeHash> {
    let of = state.credentials.of.get(&user);
    of.map(|of| of.codes.clone()).unwrap_or_default()
}

fn drop_code(state: &mut State, code: CodeHash) {
    if let Some(gone) = state.credentials.codes.remove(&code) {
        change(state, gone.user, |of| of.codes.retain(|one| *one != code));
    }
}

fn drop_bearer(state: &mut State, bearer: BearerId) {
    if let Some(gone) = state.credentials.bearers.remove(&bearer) {
        state.credentials.bearer_hashes.remove(&gone.hash);
    }
}

fn unbind(state: &mut State, login: LoginHash) {
    if let Some(user) = state.credentials.bound.remove(&login) {
        change(state, user, |of| of.bound.retain(|one| *one != login));
    }
}

/// Whoever was signed in as somebody is so no more, but for one login.
fn sign_out(state: &mut State, user: UserId, keeps: Option<LoginHash>) {
    let bound = state.credentials.of.get(&user);
    let bound: Vec<_> = bound.map(|of| of.bound.clone()).unwrap_or_default();
    for login in bound.into_iter().filter(|login| Some(*login) != keeps) {
        unbind(state, login);
    }
}
