//! `/v1/terms`: the terms of service of this site (B15).

use super::extract::{Json as Body, Query};
use super::refusal::Answer;
use super::resources::{Asker, PageQuery, Resources};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seatkeeper::wire::{Page, Problem, Terms, TermsAccept, TermsAcceptance, TermsPublish};

/// The terms of service in force, and whether the caller has accepted them.
#[utoipa::path(get, path = "/v1/terms", tag = "terms", responses(
    (status = 200, body = Terms),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn show(State(api): State<Resources>, asker: Asker) -> Answer<Json<Terms>> {
    let terms = api
        .reading(asker.caller.uid, move |api| api.desk.terms(&asker.caller))
        .await?;
    Ok(Json(terms))
}

/// Publishes terms of service: they are in force at once, and everyone is asked anew.
#[utoipa::path(post, path = "/v1/terms", tag = "terms", request_body = TermsPublish, responses(
    (status = 201, description = "In force", body = Terms),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn publish(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<TermsPublish>,
) -> Answer<(StatusCode, Json<Terms>)> {
    let terms = api
        .writing(asker.caller.uid, move |api| {
            api.desk.publish_terms(&asker.caller, &body)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(terms)))
}

/// Accepts the terms of service in force, for oneself.
#[utoipa::path(post, path = "/v1/terms/accept", tag = "terms", request_body = TermsAccept, responses(
    (status = 200, body = Terms),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn accept(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<TermsAccept>,
) -> Answer<Json<Terms>> {
    let terms = api
        .writing(asker.caller.uid, move |api| {
            api.desk.accept_terms(&asker.caller, &body)
        })
        .await?;
    Ok(Json(terms))
}

/// What the users accepted whom the caller sees.
#[utoipa::path(get, path = "/v1/terms/acceptances", tag = "terms", params(PageQuery), responses(
    (status = 200, body = Page<TermsAcceptance>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn acceptances(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<TermsAcceptance>>> {
    let page = api
        .reading(asker.caller.uid, move |api| {
            api.desk.acceptances(&asker.caller, &page.into())
        })
        .await?;
    Ok(Json(page))
}
