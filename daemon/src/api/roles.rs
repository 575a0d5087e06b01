//! `/v1/roles`: what roles are made of, and `/v1/users/{user}/roles`: who has which.

use super::extract::{IfMatch, Json as Body, Path, Query};
use super::refusal::Answer;
use super::resources::{Asker, PageQuery, Resources, Revised};
use axum::Json;
use axum::extract::State;
use seatkeeper::wire::{Page, Problem, Role, RoleDefine, RolesChange, User};

/// The roles: the usual ones and the site's own.
#[utoipa::path(get, path = "/v1/roles", tag = "directory", params(PageQuery), responses(
    (status = 200, body = Page<Role>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<Role>>> {
    Ok(Json(api.desk.roles(&asker.caller, &page.into())?))
}

/// One role.
#[utoipa::path(get, path = "/v1/roles/{role}", tag = "directory", params(("role" = String, Path, description = "its name")), responses(
    (status = 200, description = "ETag is its revision", body = Role),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn one(
    State(api): State<Resources>,
    asker: Asker,
    Path(role): Path<String>,
) -> Answer<Revised<Json<Role>>> {
    let found = api.desk.role_shown(&asker.caller, &role)?;
    Ok(Revised(found.revision, Json(found)))
}

/// Says what a role is made of: a new one, or another making of one that is there, for all who have it.
#[utoipa::path(put, path = "/v1/roles/{role}", tag = "directory", request_body = RoleDefine,
    params(("role" = String, Path, description = "its name"), ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "ETag is its revision", body = Role),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn define(
    State(api): State<Resources>,
    asker: Asker,
    Path(role): Path<String>,
    IfMatch(revision): IfMatch,
    Body(body): Body<RoleDefine>,
) -> Answer<Revised<Json<Role>>> {
    let defined = api
        .writing(asker.caller.uid, move |api| {
            api.desk.define_role(&asker.caller, &role, &body, revision)
        })
        .await?;
    Ok(Revised(defined.revision, Json(defined)))
}

/// Takes away a role that nobody has; a usual one is as it came again.
#[utoipa::path(delete, path = "/v1/roles/{role}", tag = "directory", params(("role" = String, Path, description = "its name"), ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "Taken away; the role as it was, or a usual one as it is again", body = Role),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn remove(
    State(api): State<Resources>,
    asker: Asker,
    Path(role): Path<String>,
    IfMatch(revision): IfMatch,
) -> Answer<Json<Role>> {
    let gone = api
        .writing(asker.caller.uid, move |api| {
            api.desk.remove_role(&asker.caller, &role, revision)
        })
        .await?;
    Ok(Json(gone))
}

/// Gives roles to a user and takes others: none that gives more, or reaches further, than what the caller has.
#[utoipa::path(patch, path = "/v1/users/{user}/roles", tag = "directory", request_body = RolesChange,
    params(("user" = String, Path, description = "their id or login"), ("If-Match" = Option<String>, Header, description = "refused unless this is the user's revision")), responses(
    (status = 200, description = "ETag is their revision", body = User),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn give(
    State(api): State<Resources>,
    asker: Asker,
    Path(user): Path<String>,
    IfMatch(revision): IfMatch,
    Body(body): Body<RolesChange>,
) -> Answer<Revised<Json<User>>> {
    let changed = api
        .writing(asker.caller.uid, move |api| {
            api.desk.change_roles(&asker.caller, &user, &body, revision)
        })
        .await?;
    Ok(Revised(changed.revision, Json(changed)))
}
