//! `/v1/registrations`: who asks to come in, and whom an account lets in by itself (rule 1).

use super::extract::{IfMatch, Json as Body, Path, Query};
use super::refusal::Answer;
use super::resources::{Asker, PageQuery, Resources, Revised};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seatkeeper::wire::{
    Page, Problem, Registration, RegistrationApprove, RegistrationMake, TakenAway, Unit, User,
};

/// Who waits to be let in.
#[utoipa::path(get, path = "/v1/registrations", tag = "directory", params(PageQuery), responses(
    (status = 200, body = Page<Registration>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<Registration>>> {
    let page = api
        .reading(asker.caller.uid, move |api| {
            api.desk.registrations(&asker.caller, &page.into())
        })
        .await?;
    Ok(Json(page))
}

/// One who waits. Who asked sees their own.
#[utoipa::path(get, path = "/v1/registrations/{user}", tag = "directory", params(("user" = String, Path, description = "their id or login")), responses(
    (status = 200, description = "ETag is its revision", body = Registration),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn one(
    State(api): State<Resources>,
    asker: Asker,
    Path(user): Path<String>,
) -> Answer<Revised<Json<Registration>>> {
    let found = api
        .reading(asker.caller.uid, move |api| {
            api.desk.registration(&asker.caller, &user)
        })
        .await?;
    Ok(Revised(found.revision, Json(found)))
}

/// The caller, who is nobody's user yet, asks to come in. The same id and body is the same registration.
#[utoipa::path(post, path = "/v1/registrations", tag = "directory", request_body = RegistrationMake, responses(
    (status = 201, description = "ETag is its revision", body = Registration),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn make(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<RegistrationMake>,
) -> Answer<Revised<(StatusCode, Json<Registration>)>> {
    let made = api
        .writing(asker.caller.uid, move |api| {
            api.desk.register(&asker.caller, &body)
        })
        .await?;
    Ok(Revised(made.revision, (StatusCode::CREATED, Json(made))))
}

/// Lets somebody in, where they asked for or in units of that account.
#[utoipa::path(post, path = "/v1/registrations/{user}/approve", tag = "directory", request_body = RegistrationApprove,
    params(("user" = String, Path, description = "their id or login"), ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "ETag is the user's revision", body = User),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn approve(
    State(api): State<Resources>,
    asker: Asker,
    Path(user): Path<String>,
    IfMatch(revision): IfMatch,
    Body(body): Body<RegistrationApprove>,
) -> Answer<Revised<Json<User>>> {
    let user = api
        .writing(asker.caller.uid, move |api| {
            api.desk
                .approve_registration(&asker.caller, &user, &body, revision)
        })
        .await?;
    Ok(Revised(user.revision, Json(user)))
}

/// An administrator's word that the address is theirs. An account that lets in its domain has them come in by that.
#[utoipa::path(post, path = "/v1/registrations/{user}/verify", tag = "directory",
    params(("user" = String, Path, description = "their id or login"), ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "As it is now; ETag is its revision", body = Registration),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn verify(
    State(api): State<Resources>,
    asker: Asker,
    Path(user): Path<String>,
    IfMatch(revision): IfMatch,
) -> Answer<Revised<Json<Registration>>> {
    let verified = api
        .writing(asker.caller.uid, move |api| {
            api.desk.verify_registration(&asker.caller, &user, revision)
        })
        .await?;
    Ok(Revised(verified.revision, Json(verified)))
}

/// Refuses somebody: they are no user any more, and their names are erased. The account that they made goes with them,
/// unless somebody else is in it.
#[utoipa::path(delete, path = "/v1/registrations/{user}", tag = "directory",
    params(("user" = String, Path, description = "their id or login"), ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "Refused; what was assigned to them", body = TakenAway),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn refuse(
    State(api): State<Resources>,
    asker: Asker,
    Path(user): Path<String>,
    IfMatch(revision): IfMatch,
) -> Answer<Json<TakenAway>> {
    let gone = api
        .writing(asker.caller.uid, move |api| {
            api.desk.refuse_registration(&asker.caller, &user, revision)
        })
        .await?;
    Ok(Json(gone))
}

/// The account lets in by itself, from now on, who has a verified address in exactly this domain.
#[utoipa::path(put, path = "/v1/units/{unit}/domains/{domain}", tag = "directory",
    params(("unit" = String, Path, description = "the account's id or name"), ("domain" = String, Path, description = "in its ASCII form, such as example.com"), ("If-Match" = Option<String>, Header, description = "refused unless this is the account's revision")), responses(
    (status = 200, description = "ETag is the account's revision", body = Unit),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn let_in(
    State(api): State<Resources>,
    asker: Asker,
    Path((unit, domain)): Path<(String, String)>,
    IfMatch(revision): IfMatch,
) -> Answer<Revised<Json<Unit>>> {
    let unit = api
        .writing(asker.caller.uid, move |api| {
            let of = (unit.as_str(), domain.as_str());
            api.desk.let_in(&asker.caller, of, true, revision)
        })
        .await?;
    Ok(Revised(unit.revision, Json(unit)))
}

/// The account lets this domain in no more.
#[utoipa::path(delete, path = "/v1/units/{unit}/domains/{domain}", tag = "directory",
    params(("unit" = String, Path, description = "the account's id or name"), ("domain" = String, Path, description = "in its ASCII form, such as example.com"), ("If-Match" = Option<String>, Header, description = "refused unless this is the account's revision")), responses(
    (status = 200, description = "ETag is the account's revision", body = Unit),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn drop_domain(
    State(api): State<Resources>,
    asker: Asker,
    Path((unit, domain)): Path<(String, String)>,
    IfMatch(revision): IfMatch,
) -> Answer<Revised<Json<Unit>>> {
    let unit = api
        .writing(asker.caller.uid, move |api| {
            let of = (unit.as_str(), domain.as_str());
            api.desk.let_in(&asker.caller, of, false, revision)
        })
        .await?;
    Ok(Revised(unit.revision, Json(unit)))
}
