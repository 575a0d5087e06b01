//! What is taken away from a site: a license, all of them, a vendor (rule 17).

use super::extract::{IfMatch, Path, Query};
use super::refusal::Answer;
use super::resources::{Asker, Resources};
use axum::Json;
use axum::extract::State;
use seatkeeper::wire::{Problem, Removed, Vendor};
use seatkeeper_core::desk::Removal;
use serde::Deserialize;

/// How a license is taken away.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RemoveQuery {
    /// Only this serial, which waits for its first day.
    waiting: Option<u64>,
    /// Its holders get no time to save.
    #[serde(default)]
    hard: bool,
    /// Only say what it would do.
    #[serde(default)]
    dry_run: bool,
}

/// How all licenses are taken away.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RemoveAllQuery {
    /// The account's name, typed by whoever means it: the `site` of `GET /v1/status`.
    #[serde(default)]
    confirm: String,
    /// Holders get no time to save.
    #[serde(default)]
    hard: bool,
    /// Only say what it would do.
    #[serde(default)]
    dry_run: bool,
}

/// Takes a license away. Its holders are ending as by loss of right; its assignments go with it.
#[utoipa::path(delete, path = "/v1/licenses/{vendor}/{id}", tag = "licenses",
    params(("vendor" = String, Path, description = "the vendor's name"), ("id" = String, Path, description = "the license id"), RemoveQuery,
        ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "Taken away; whose seats end for it, and the file that brings it back", body = Removed),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn license(
    State(api): State<Resources>,
    asker: Asker,
    Path((vendor, id)): Path<(String, String)>,
    Query(query): Query<RemoveQuery>,
    IfMatch(if_match): IfMatch,
) -> Answer<Json<Removed>> {
    let how = Removal {
        waiting: query.waiting,
        hard: query.hard,
        dry_run: query.dry_run,
        if_match,
    };
    let removed = api
        .writing(asker.caller.uid, move |api| {
            api.desk.remove_license(&asker.caller, &vendor, &id, how)
        })
        .await?;
    Ok(Json(removed))
}

/// Takes all licenses away, where the account's name was typed.
#[utoipa::path(delete, path = "/v1/licenses", tag = "licenses", params(RemoveAllQuery), responses(
    (status = 200, description = "Taken away; whose seats end for it, and the file that brings them back", body = Removed),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn all_licenses(
    State(api): State<Resources>,
    asker: Asker,
    Query(query): Query<RemoveAllQuery>,
) -> Answer<Json<Removed>> {
    let how = Removal {
        hard: query.hard,
        dry_run: query.dry_run,
        ..Removal::default()
    };
    let removed = api
        .writing(asker.caller.uid, move |api| {
            api.desk
                .remove_all_licenses(&asker.caller, &query.confirm, how)
        })
        .await?;
    Ok(Json(removed))
}

/// Takes a vendor away, while no license of theirs is installed.
#[utoipa::path(delete, path = "/v1/vendors/{name}", tag = "vendors",
    params(("name" = String, Path, description = "the vendor's name"), ("If-Match" = Option<String>, Header, description = "refused unless this is the revision")), responses(
    (status = 200, description = "Taken away: the vendor as it was", body = Vendor),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn vendor(
    State(api): State<Resources>,
    asker: Asker,
    Path(name): Path<String>,
    IfMatch(if_match): IfMatch,
) -> Answer<Json<Vendor>> {
    let removed = api
        .writing(asker.caller.uid, move |api| {
            api.desk.remove_vendor(&asker.caller, &name, if_match)
        })
        .await?;
    Ok(Json(removed))
}
