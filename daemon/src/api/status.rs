//! `/v1/status`, `/v1/config`, `/metrics`: how the daemon does, for those who operate it.

use super::refusal::Answer;
use super::resources::{Asker, Resources};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use seatkeeper::wire::{ConfigEntry, Page, Problem, Status};
use seatkeeper_core::authorize::Permission;

/// How the daemon does, and what wants doing.
#[utoipa::path(get, path = "/v1/status", tag = "status", responses(
    (status = 200, body = Status),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn status(State(api): State<Resources>, asker: Asker) -> Answer<Json<Status>> {
    let status = api
        .reading(asker.caller.uid, move |api| {
            let operates = Permission::Operate;
            let operates = api
                .desk
                .authorize(&asker.caller, operates, api.desk.unit())
                .is_ok();
            Ok(Status {
                mail: api.mail.status().filter(|_| operates),
                ..api.desk.status(&asker.caller)?
            })
        })
        .await?;
    Ok(Json(status))
}

/// Every setting with where it came from.
#[utoipa::path(get, path = "/v1/config", tag = "status", responses(
    (status = 200, body = Page<ConfigEntry>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn config(
    State(api): State<Resources>,
    asker: Asker,
) -> Answer<Json<Page<ConfigEntry>>> {
    api.desk
        .authorize(&asker.caller, Permission::Operate, api.desk.unit())?;
    Ok(Json(Page {
        items: api.config.clone(),
        next: None,
    }))
}

/// Counts for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "status", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text"),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn metrics(State(api): State<Resources>, asker: Asker) -> Answer<Response> {
    api.desk
        .authorize(&asker.caller, Permission::Operate, api.desk.unit())?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = api.metrics.text(api.desk.keeper());
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
