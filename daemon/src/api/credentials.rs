//! Signing in and out, codes that set a password, and who a caller is.

use super::extract::{IfMatch, Json as Body, Path, Query};
use super::refusal::Answer;
use super::resources::{Asker, PageQuery, Resources};
use super::routes::{Routes, handlers};
use super::{own_address, sessions, tokens};
use crate::mail::letters::{self, Coded};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use seatkeeper::wire::{
    CodeMade, Forgot, Page, PasswordChange, Problem, Redeem, ResetAsked, SignIn, Whoami,
};
use seatkeeper_core::desk::IsOut;

/// An answer with a secret: nothing on its way keeps it.
type Told = (StatusCode, [(HeaderName, &'static str); 1], Json<CodeMade>);

const NEVER_STORED: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// The routes of people: signing in, codes, tokens and sessions.
pub(super) fn routes() -> Routes {
    Routes::default()
        .with(handlers!(self::login))
        .with(handlers!(self::redeem))
        .with(handlers!(self::logout))
        .with(handlers!(self::whoami))
        .with(handlers!(self::password))
        .merge(own_address::routes())
        .with(handlers!(self::forgot))
        .with(handlers!(self::invite))
        .with(handlers!(self::reset))
        .with(handlers!(self::resets))
        .with(handlers!(self::drop_reset))
        .with(handlers!(tokens::list, tokens::make))
        .with(handlers!(tokens::revoke))
        .with(handlers!(sessions::list, sessions::make))
        .with(handlers!(sessions::end))
}

/// Signs the calling account in as somebody, until it signs out or they change their password. Of a login that nobody has
/// the answer is that of a wrong password.
#[utoipa::path(post, path = "/v1/login", tag = "people", request_body = SignIn, responses(
    (status = 200, description = "Who the caller is now", body = Whoami),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn login(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<SignIn>,
) -> Answer<Json<Whoami>> {
    let who = api
        .stretching(asker.caller.uid, move |api| {
            api.desk.sign_in(&asker.caller, &body)
        })
        .await?;
    Ok(Json(who))
}

/// Uses a code, once: it sets a password, lets in who was invited, and signs the calling account in.
#[utoipa::path(post, path = "/v1/login/code", tag = "people", request_body = Redeem, responses(
    (status = 200, description = "Who the caller is now", body = Whoami),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn redeem(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<Redeem>,
) -> Answer<Json<Whoami>> {
    let who = api
        .stretching(asker.caller.uid, move |api| {
            api.desk.redeem(&asker.caller, &body)
        })
        .await?;
    Ok(Json(who))
}

/// Signs the calling account out: it is itself again. Seats that it holds stay. Of whoever presents a session that one is
/// over, and nothing else.
#[utoipa::path(post, path = "/v1/logout", tag = "people", responses(
    (status = 200, description = "Who the caller is now", body = Whoami),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn logout(State(api): State<Resources>, asker: Asker) -> Answer<Json<Whoami>> {
    let who = api
        .writing(asker.caller.uid, move |api| {
            api.desk.sign_out(&asker.caller)
        })
        .await?;
    Ok(Json(who))
}

/// Who the caller is, how they are known, and what is theirs. Makes nobody a user.
#[utoipa::path(get, path = "/v1/whoami", tag = "people", responses(
    (status = 200, body = Whoami),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn whoami(State(api): State<Resources>, asker: Asker) -> Answer<Json<Whoami>> {
    let who = api
        .reading(asker.caller.uid, move |api| api.desk.whoami(&asker.caller))
        .await?;
    Ok(Json(who))
}

/// Changes the caller's password. Whoever else was signed in by the old one is so no more.
#[utoipa::path(put, path = "/v1/password", tag = "people", request_body = PasswordChange, responses(
    (status = 204, description = "It is another one now"),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn password(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<PasswordChange>,
) -> Answer<StatusCode> {
    api.stretching(asker.caller.uid, move |api| {
        api.desk.change_password(&asker.caller, &body)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody cannot get in. The answer is the same, and as fast, whether anybody has this login.
#[utoipa::path(post, path = "/v1/forgot", tag = "people", request_body = Forgot, responses(
    (status = 202, description = "If anybody has this login, it is known now that they asked"),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn forgot(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<Forgot>,
) -> Answer<StatusCode> {
    api.desk.forgot(&asker.caller, &body)?;
    // After the answer: how long it takes tells whether anybody is known.
    tokio::spawn(async move {
        let uid = asker.caller.uid;
        let filed = api.writing(uid, move |api| {
            let is_out = |code| api.mail.is_out(code);
            let mails: Option<IsOut<'_>> = api.mail.is_on().then_some(&is_out);
            let made = api.desk.file_forgotten(&asker.caller, &body, mails)?;
            let mailed = made.is_none_or(|made| api.codes().mailed(&made, letters::reset));
            // What cannot be mailed an administrator answers.
            match mailed {
                true => Ok(()),
                false => api
                    .desk
                    .file_forgotten(&asker.caller, &body, None)
                    .map(drop),
            }
        });
        if let Err(refused) = filed.await {
            let why = refused.problem.detail;
            tracing::warn!(uid, %why, "somebody asked for a code, and it could not be noted");
        }
    });
    Ok(StatusCode::ACCEPTED)
}

/// A code for the first password of somebody who is to come; it is mailed, or told this once.
#[utoipa::path(post, path = "/v1/users/{user}/invitation", tag = "people",
    params(("user" = String, Path, description = "their id or login"), ("If-Match" = Option<String>, Header, description = "refused unless this is the user's revision")), responses(
    (status = 201, body = CodeMade),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn invite(
    State(api): State<Resources>,
    asker: Asker,
    Path(user): Path<String>,
    IfMatch(revision): IfMatch,
) -> Answer<Told> {
    let made = api
        .writing(asker.caller.uid, move |api| {
            let (desk, mails) = (&api.desk, api.mail.is_on());
            let made = desk.invite(&asker.caller, &user, (revision, mails))?;
            let units = desk.user_shown(&asker.caller, &user)?.units;
            let letter = |to: &str, coded: &Coded<'_>| letters::welcome(to, coded, &units);
            api.codes().told(made, letter, || {
                desk.invite(&asker.caller, &user, (None, false))
            })
        })
        .await?;
    Ok((StatusCode::CREATED, NEVER_STORED, Json(made)))
}

/// A code for another password of somebody who cannot get in; it is mailed, or told this once.
#[utoipa::path(post, path = "/v1/users/{user}/reset", tag = "people",
    params(("user" = String, Path, description = "their id or login"), ("If-Match" = Option<String>, Header, description = "refused unless this is the user's revision")), responses(
    (status = 201, body = CodeMade),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn reset(
    State(api): State<Resources>,
    asker: Asker,
    Path(user): Path<String>,
    IfMatch(revision): IfMatch,
) -> Answer<Told> {
    let made = api
        .writing(asker.caller.uid, move |api| {
            let (desk, mails) = (&api.desk, api.mail.is_on());
            let made = desk.reset(&asker.caller, &user, (revision, mails))?;
            api.codes().told(made, letters::reset, || {
                desk.reset(&asker.caller, &user, (None, false))
            })
        })
        .await?;
    Ok((StatusCode::CREATED, NEVER_STORED, Json(made)))
}

/// Who cannot get in, and asked for a code.
#[utoipa::path(get, path = "/v1/resets", tag = "people", params(PageQuery), responses(
    (status = 200, body = Page<ResetAsked>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn resets(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<ResetAsked>>> {
    let page = api
        .reading(asker.caller.uid, move |api| {
            api.desk.resets(&asker.caller, &page.into())
        })
        .await?;
    Ok(Json(page))
}

/// They get no code for it.
#[utoipa::path(delete, path = "/v1/resets/{user}", tag = "people",
    params(("user" = String, Path, description = "their id or login"), ("If-Match" = Option<String>, Header, description = "refused unless this is the revision of what was asked")), responses(
    (status = 204, description = "They are on the list no more"),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn drop_reset(
    State(api): State<Resources>,
    asker: Asker,
    Path(user): Path<String>,
    IfMatch(revision): IfMatch,
) -> Answer<StatusCode> {
    api.writing(asker.caller.uid, move |api| {
        api.desk.drop_reset(&asker.caller, &user, revision)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
