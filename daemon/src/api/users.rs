//! `/v1/users`: who may sit, and where they are (rules 1, 4).

use super::extract::{IfMatch, Json as Body, Path, Query};
use super::refusal::Answer;
use super::resources::{Asker, LossQuery, PageQuery, Resources, Revised};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seatkeeper::wire::{Changed, Page, Problem, TakenAway, User, UserChange, UserMake};
use serde::Deserialize;

/// Whose users.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WhoseQuery {
    /// In this unit or below: its id or path.
    unit: Option<String>,
    /// In this group, at any depth: its id or name.
    group: Option<String>,
    /// Of this kind: `producer`, `partner`, `customer` or `self-registered`.
    kind: Option<String>,
}

/// The users: all, or those of a unit or of a group.
#[utoipa::path(get, path = "/v1/users", tag = "directory", params(PageQuery, WhoseQuery), responses(
    (status = 200, body = Page<User>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
    Query(whose): Query<WhoseQuery>,
) -> Answer<Json<Page<User>>> {
    let page = api
        .reading(asker.caller.uid, move |api| {
            let of = (whose.unit.as_deref(), whose.group.as_deref());
            let kind = whose.kind.as_deref();
            api.desk
                .users_of_kind(&asker.caller, kind, of, &page.into())
        })
        .await?;
    Ok(Json(page))
}

/// One user.
#[utoipa::path(get, path = "/v1/users/{user}", tag = "directory", params(("user" = String, Path, description = "their id or login")), responses(
    (status = 200, description = "ETag is their revision", body = User),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn one(
    State(api): State<Resources>,
    asker: Asker,
    Path(user): Path<String>,
) -> Answer<Revised<Json<User>>> {
    let found = api
        .reading(asker.caller.uid, move |api| {
            api.desk.user_shown(&asker.caller, &user)
        })
        .await?;
    Ok(Revised(found.revision, Json(found)))
}

/// Makes a user. The same id and login is the same one.
#[utoipa::path(post, path = "/v1/users", tag = "directory", request_body = UserMake, responses(
    (status = 201, description = "ETag is their revision", body = User),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn make(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<UserMake>,
) -> Answer<Revised<(StatusCode, Json<User>)>> {
    let made = api
        .writing(asker.caller.uid, move |api| {
            api.desk.make_user(&asker.caller, &body)
        })
        .await?;
    Ok(Revised(made.revision, (StatusCode::CREATED, Json(made))))
}

/// Says whether a user may sit, or places them in units.
#[utoipa::path(patch, path = "/v1/users/{user}", tag = "directory", request_body = UserChange,
    params(("user" = String, Path, description = "their id or login"), ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "ETag is their revision; whose seats end for it", body = Changed<User>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn change(
    State(api): State<Resources>,
    asker: Asker,
    Path(user): Path<String>,
    IfMatch(revision): IfMatch,
    Body(body): Body<UserChange>,
) -> Answer<Revised<Json<Changed<User>>>> {
    let changed = api
        .writing(asker.caller.uid, move |api| {
            api.desk.change_user(&asker.caller, &user, &body, revision)
        })
        .await?;
    Ok(Revised(changed.item.revision, Json(changed)))
}

/// Takes a user away, with what is assigned to them. Their name is erased: the audit log shows their id from then on.
#[utoipa::path(delete, path = "/v1/users/{user}", tag = "directory", params(("user" = String, Path, description = "their id or login"), LossQuery, ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "Taken away; whose seats end for it, and what was assigned to it", body = TakenAway),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn remove(
    State(api): State<Resources>,
    asker: Asker,
    Path(user): Path<String>,
    Query(query): Query<LossQuery>,
    IfMatch(revision): IfMatch,
) -> Answer<Json<TakenAway>> {
    let gone = api
        .writing(asker.caller.uid, move |api| {
            api.desk
                .remove_user(&asker.caller, &user, query.hard, revision)
        })
        .await?;
    Ok(Json(gone))
}
