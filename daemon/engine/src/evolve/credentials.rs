//! Folds what happens to passwords, codes, and to who is signed in.

use super::rooms::but;
use super::{addresses, enlist};
use crate::event::Recorded;
use crate::ids::{BearerId, CodeHash, LoginHash, PasswordId, UserId};
use crate::state::{Bearer, BearerKind, Code, Personal, Purpose, Reset, State};
use std::sync::Arc;

/// Folds one event of a credential.
pub(super) fn evolve(state: &mut State, event: &Recorded, revision: u64) {
    match event {
        Recorded::CodeMade { code, of } => make_code(state, *code, *of),
        Recorded::CodeUsed { user, code } => {
            let used = state.credentials.codes.get(code);
            let mailed = used.and_then(|of| of.mailed);
            drop_code(state, *code);
            if let Some(address) = mailed {
                addresses::shown(state, *user, address, revision);
            }
        }
        Recorded::AddressProved {
            user,
            code,
            was,
            address,
        } => {
            drop_code(state, *code);
            addresses::prove(state, *user, (*was, *address), revision);
        }
        Recorded::PasswordSet {
            user,
            password,
            keeps,
            ..
        } => set_password(state, *user, *password, *keeps),
        Recorded::CodesDropped { codes, .. } => {
            codes.iter().for_each(|code| drop_code(state, *code));
        }
        Recorded::LoginBound { user, login } => {
            unbind(state, *login);
            state.credentials.bound.insert(*login, *user);
            change(state, *user, |of| enlist(&mut of.bound, *login));
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
        but!(credentials) => {}
    }
}

/// Folds one event of a token or a session.
pub(super) fn evolve_bearer(state: &mut State, event: &Recorded, revision: u64) {
    match event {
        Recorded::TokenMade {
            user,
            token,
            hash,
            until,
            own,
            at,
        } => {
            let made = Bearer {
                own: *own,
                user: *user,
                hash: *hash,
                until: *until,
                since: *at,
                revision,
                kind: BearerKind::Token,
            };
            add_bearer(state, *token, made);
        }
        Recorded::SessionMade {
            user,
            session,
            hash,
            until,
            until_j,
            at,
        } => {
            let made = Bearer {
                own: true,
                user: *user,
                hash: *hash,
                until: Some(*until_j),
                since: *at,
                revision,
                kind: BearerKind::Session { until: *until },
            };
            add_bearer(state, *session, made);
        }
        Recorded::TokensRevoked { user, tokens } => take_bearers(state, *user, tokens),
        Recorded::SessionsEnded { user, sessions } => take_bearers(state, *user, sessions),
        but!(bearers) => {}
    }
}

/// With a new password goes who was signed in by the old one.
fn set_password(state: &mut State, user: UserId, password: PasswordId, keeps: Option<LoginHash>) {
    sign_out(state, user, keeps);
    change(state, user, |of| of.password = Some(password));
    state.credentials.resets.remove(&user);
}

fn add_bearer(state: &mut State, id: BearerId, made: Bearer) {
    state.credentials.bearer_hashes.insert(made.hash, id);
    state.credentials.bearers.insert(id, made);
    change(state, made.user, |of| of.bearers.push(id));
}

pub(super) fn take_bearers(state: &mut State, user: UserId, gone: &[BearerId]) {
    gone.iter().for_each(|one| drop_bearer(state, *one));
    change(state, user, |of| {
        of.bearers.retain(|one| !gone.contains(one));
    });
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

/// A new code for a password answers who asked for one.
fn make_code(state: &mut State, code: CodeHash, of: Code) {
    state.credentials.codes.insert(code, of);
    change(state, of.user, |own| own.codes.push(code));
    if of.purpose != Purpose::Address {
        state.credentials.resets.remove(&of.user);
    }
}

pub(super) fn drop_code(state: &mut State, code: CodeHash) {
    if let Some(gone) = state.credentials.codes.remove(&code) {
        change(state, gone.user, |of| of.codes.retain(|one| *one != code));
    }
}

fn drop_bearer(state: &mut State, bearer: BearerId) {
    #[cfg(planted)]
    if crate::planted::is("token-stands") {
        return;
    }
    if let Some(gone) = state.credentials.bearers.remove(&bearer) {
        state.credentials.bearer_hashes.remove(&gone.hash);
        if !gone.is_session() {
            state.credentials.gone_tokens.insert(bearer);
        }
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
