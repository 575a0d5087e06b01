//! `/v1/units`: accounts and the units below them (rule 1).

use super::extract::{IfMatch, Json as Body, Path, Query};
use super::refusal::Answer;
use super::resources::{Asker, PageQuery, Resources, Revised};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seatkeeper::wire::{Changed, Page, Problem, Unit, UnitChange, UnitMake};

/// The accounts and units.
#[utoipa::path(get, path = "/v1/units", tag = "directory", params(PageQuery), responses(
    (status = 200, body = Page<Unit>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<Unit>>> {
    let page = api
        .reading(asker.caller.uid, move |api| {
            api.desk.units(&asker.caller, &page.into())
        })
        .await?;
    Ok(Json(page))
}

/// One account or unit.
#[utoipa::path(get, path = "/v1/units/{unit}", tag = "directory", params(("unit" = String, Path, description = "its id, or its path with `/` as %2F")), responses(
    (status = 200, description = "ETag is its revision", body = Unit),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn one(
    State(api): State<Resources>,
    asker: Asker,
    Path(unit): Path<String>,
) -> Answer<Revised<Json<Unit>>> {
    let found = api
        .reading(asker.caller.uid, move |api| {
            api.desk.unit_of(&asker.caller, &unit)
        })
        .await?;
    Ok(Revised(found.revision, Json(found)))
}

/// Makes an account, or a unit below another. The same id and body is the same one.
#[utoipa::path(post, path = "/v1/units", tag = "directory", request_body = UnitMake, responses(
    (status = 201, description = "ETag is its revision", body = Unit),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn make(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<UnitMake>,
) -> Answer<Revised<(StatusCode, Json<Unit>)>> {
    let made = api
        .writing(asker.caller.uid, move |api| {
            api.desk.make_unit(&asker.caller, &body)
        })
        .await?;
    Ok(Revised(made.revision, (StatusCode::CREATED, Json(made))))
}

/// Renames or moves it, or changes what kind an account is or who manages it: one of these in a call.
#[utoipa::path(patch, path = "/v1/units/{unit}", tag = "directory", request_body = UnitChange,
    params(("unit" = String, Path, description = "its id, or its path with `/` as %2F"), ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "ETag is its revision; whose seats end for it", body = Changed<Unit>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn change(
    State(api): State<Resources>,
    asker: Asker,
    Path(unit): Path<String>,
    IfMatch(revision): IfMatch,
    Body(body): Body<UnitChange>,
) -> Answer<Revised<Json<Changed<Unit>>>> {
    let changed = api
        .writing(asker.caller.uid, move |api| {
            api.desk.change_unit(&asker.caller, &unit, &body, revision)
        })
        .await?;
    Ok(Revised(changed.item.revision, Json(changed)))
}

/// Takes an account or a unit away that nothing is in, and nothing is bound to.
#[utoipa::path(delete, path = "/v1/units/{unit}", tag = "directory", params(("unit" = String, Path, description = "its id, or its path with `/` as %2F"), ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 204, description = "Taken away"),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn remove(
    State(api): State<Resources>,
    asker: Asker,
    Path(unit): Path<String>,
    IfMatch(revision): IfMatch,
) -> Answer<StatusCode> {
    api.writing(asker.caller.uid, move |api| {
        api.desk.remove_unit(&asker.caller, &unit, revision)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
