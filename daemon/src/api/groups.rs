//! `/v1/groups`: named sets of users and groups (rule 2).

use super::extract::{IfMatch, Json as Body, Path, Query};
use super::refusal::Answer;
use super::resources::{Asker, LossQuery, PageQuery, Resources, Revised};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seatkeeper::wire::{
    Group, GroupChange, GroupMake, Member, MembersChange, MembersChanged, Page, Problem, TakenAway,
};

/// The groups.
#[utoipa::path(get, path = "/v1/groups", tag = "directory", params(PageQuery), responses(
    (status = 200, body = Page<Group>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<Group>>> {
    let page = api
        .reading(asker.caller.uid, move |api| {
            api.desk.groups(&asker.caller, &page.into())
        })
        .await?;
    Ok(Json(page))
}

/// One group.
#[utoipa::path(get, path = "/v1/groups/{group}", tag = "directory", params(("group" = String, Path, description = "its id or name")), responses(
    (status = 200, description = "ETag is its revision", body = Group),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn one(
    State(api): State<Resources>,
    asker: Asker,
    Path(group): Path<String>,
) -> Answer<Revised<Json<Group>>> {
    let found = api
        .reading(asker.caller.uid, move |api| {
            api.desk.group_of(&asker.caller, &group)
        })
        .await?;
    Ok(Revised(found.revision, Json(found)))
}

/// Who is right in it, groups first.
#[utoipa::path(get, path = "/v1/groups/{group}/members", tag = "directory", params(("group" = String, Path, description = "its id or name"), PageQuery), responses(
    (status = 200, body = Page<Member>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn members(
    State(api): State<Resources>,
    asker: Asker,
    Path(group): Path<String>,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<Member>>> {
    let page = api
        .reading(asker.caller.uid, move |api| {
            api.desk.members(&asker.caller, &group, &page.into())
        })
        .await?;
    Ok(Json(page))
}

/// Makes a group. The same id and body is the same one.
#[utoipa::path(post, path = "/v1/groups", tag = "directory", request_body = GroupMake, responses(
    (status = 201, description = "ETag is its revision", body = Group),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn make(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<GroupMake>,
) -> Answer<Revised<(StatusCode, Json<Group>)>> {
    let made = api
        .writing(asker.caller.uid, move |api| {
            api.desk.make_group(&asker.caller, &body)
        })
        .await?;
    Ok(Revised(made.revision, (StatusCode::CREATED, Json(made))))
}

/// Gives a group another name.
#[utoipa::path(patch, path = "/v1/groups/{group}", tag = "directory", request_body = GroupChange,
    params(("group" = String, Path, description = "its id or name"), ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "ETag is its revision", body = Group),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn change(
    State(api): State<Resources>,
    asker: Asker,
    Path(group): Path<String>,
    IfMatch(revision): IfMatch,
    Body(body): Body<GroupChange>,
) -> Answer<Revised<Json<Group>>> {
    let changed = api
        .writing(asker.caller.uid, move |api| {
            api.desk
                .change_group(&asker.caller, &group, &body, revision)
        })
        .await?;
    Ok(Revised(changed.revision, Json(changed)))
}

/// Says who comes into it and who leaves it. Who joins has its licenses at once, who leaves loses them (rule 3).
#[utoipa::path(patch, path = "/v1/groups/{group}/members", tag = "directory", request_body = MembersChange,
    params(("group" = String, Path, description = "its id or name"), ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "Done: how many came and left, and whose seats end for it", body = MembersChanged),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn change_members(
    State(api): State<Resources>,
    asker: Asker,
    Path(group): Path<String>,
    IfMatch(revision): IfMatch,
    Body(body): Body<MembersChange>,
) -> Answer<Json<MembersChanged>> {
    let changed = api
        .writing(asker.caller.uid, move |api| {
            api.desk
                .change_members(&asker.caller, &group, &body, revision)
        })
        .await?;
    Ok(Json(changed))
}

/// Takes a group away, with what is assigned to it.
#[utoipa::path(delete, path = "/v1/groups/{group}", tag = "directory", params(("group" = String, Path, description = "its id or name"), LossQuery, ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "Taken away; whose seats end for it, and what was assigned to it", body = TakenAway),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn remove(
    State(api): State<Resources>,
    asker: Asker,
    Path(group): Path<String>,
    Query(query): Query<LossQuery>,
    IfMatch(revision): IfMatch,
) -> Answer<Json<TakenAway>> {
    let gone = api
        .writing(asker.caller.uid, move |api| {
            api.desk
                .remove_group(&asker.caller, &group, query.hard, revision)
        })
        .await?;
    Ok(Json(gone))
}
