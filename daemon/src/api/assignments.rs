//! `/v1/assignments`: who may use which license (rule 3).

use super::extract::{IfMatch, Json as Body, Path, Query};
use super::refusal::Answer;
use super::resources::{Asker, LossQuery, PageQuery, Resources, Revised};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seatkeeper::wire::{Assignment, AssignmentChange, Changed, EndingReply, Page, Problem};

/// The assignments.
#[utoipa::path(get, path = "/v1/assignments", tag = "assignments", params(PageQuery), responses(
    (status = 200, body = Page<Assignment>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<Assignment>>> {
    let page = api
        .reading(asker.caller.uid, move |api| {
            api.desk.assignments(&asker.caller, &page.into())
        })
        .await?;
    Ok(Json(page))
}

/// One assignment.
#[utoipa::path(get, path = "/v1/assignments/{id}", tag = "assignments", params(("id" = String, Path, description = "32 lower-case hex digits")), responses(
    (status = 200, description = "ETag is its revision", body = Assignment),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn one(
    State(api): State<Resources>,
    asker: Asker,
    Path(id): Path<String>,
) -> Answer<Revised<Json<Assignment>>> {
    let found = api
        .reading(asker.caller.uid, move |api| {
            api.desk.assignment(&asker.caller, &id)
        })
        .await?;
    Ok(Revised(found.revision, Json(found)))
}

/// Assigns a license to a user, a group, a unit or everyone. The same id and body is the same assignment.
#[utoipa::path(post, path = "/v1/assignments", tag = "assignments", request_body = Assignment, responses(
    (status = 201, description = "ETag is its revision", body = Assignment),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn assign(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<Assignment>,
) -> Answer<Revised<(StatusCode, Json<Assignment>)>> {
    let made = api
        .writing(asker.caller.uid, move |api| {
            api.desk.assign(&asker.caller, &body)
        })
        .await?;
    Ok(Revised(made.revision, (StatusCode::CREATED, Json(made))))
}

/// Changes what an assignment gives and withholds: policies from the next renewals on.
#[utoipa::path(patch, path = "/v1/assignments/{id}", tag = "assignments", request_body = AssignmentChange,
    params(("id" = String, Path, description = "32 lower-case hex digits"), ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "ETag is its revision; whose seats end for it", body = Changed<Assignment>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn change(
    State(api): State<Resources>,
    asker: Asker,
    Path(id): Path<String>,
    IfMatch(revision): IfMatch,
    Body(body): Body<AssignmentChange>,
) -> Answer<Revised<Json<Changed<Assignment>>>> {
    let changed = api
        .writing(asker.caller.uid, move |api| {
            api.desk
                .change_assignment(&asker.caller, &id, &body, revision)
        })
        .await?;
    Ok(Revised(changed.item.revision, Json(changed)))
}

/// Takes an assignment away. Holders who lose their right by it are ending (rule 16).
#[utoipa::path(delete, path = "/v1/assignments/{id}", tag = "assignments",
    params(("id" = String, Path, description = "32 lower-case hex digits"), LossQuery, ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "Taken away; whose seats end for it", body = EndingReply),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn unassign(
    State(api): State<Resources>,
    asker: Asker,
    Path(id): Path<String>,
    Query(query): Query<LossQuery>,
    IfMatch(revision): IfMatch,
) -> Answer<Json<EndingReply>> {
    let ending = api
        .writing(asker.caller.uid, move |api| {
            api.desk.unassign(&asker.caller, &id, query.hard, revision)
        })
        .await?;
    Ok(Json(ending))
}
