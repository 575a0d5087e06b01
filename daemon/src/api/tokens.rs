//! `/v1/tokens`: what stands for a person, for programs.

use super::extract::{IfMatch, Json as Body, Path, Query};
use super::refusal::Answer;
use super::resources::{Asker, PageQuery, Resources};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use seatkeeper::wire::{Page, Problem, Token, TokenMade, TokenMake};

/// One's own tokens, and those of whom one may change.
#[utoipa::path(get, path = "/v1/tokens", tag = "people", params(PageQuery), responses(
    (status = 200, body = Page<Token>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<Token>>> {
    let page = api
        .reading(asker.caller.uid, move |api| {
            api.desk.tokens(&asker.caller, &page.into())
        })
        .await?;
    Ok(Json(page))
}

/// Makes a token; it is told this once. `Authorization: Bearer TOKEN` presents it: the caller is that person then, whoever
/// they are for the kernel.
#[utoipa::path(post, path = "/v1/tokens", tag = "people", request_body = TokenMake, responses(
    (status = 201, body = TokenMade),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn make(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<TokenMake>,
) -> Answer<(StatusCode, [(HeaderName, &'static str); 1], Json<TokenMade>)> {
    let made = api
        .writing(asker.caller.uid, move |api| {
            api.desk.make_token(&asker.caller, &body)
        })
        .await?;
    let never = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, never, Json(made)))
}

/// Takes a token back: it stands for nobody any more.
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "people",
    params(("id" = String, Path, description = "its id"), ("If-Match" = Option<String>, Header, description = "refused unless this is its revision")), responses(
    (status = 204, description = "It is taken back"),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn revoke(
    State(api): State<Resources>,
    asker: Asker,
    Path(id): Path<String>,
    IfMatch(revision): IfMatch,
) -> Answer<StatusCode> {
    api.writing(asker.caller.uid, move |api| {
        api.desk.revoke_token(&asker.caller, &id, revision)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
