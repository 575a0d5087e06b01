//! `/v1/sessions`: for a while whoever presents one is the person who proved by it who they are.

use super::extract::{IfMatch, Json as Body, Path, Query};
use super::refusal::Answer;
use super::resources::{Asker, PageQuery, Resources};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use seatkeeper::wire::{Page, Problem, Session, SessionMade, SessionMake};

/// One's own sessions that go on, and those of whom one may change.
#[utoipa::path(get, path = "/v1/sessions", tag = "people", params(PageQuery), responses(
    (status = 200, body = Page<Session>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<Session>>> {
    let page = api
        .reading(asker.caller.uid, move |api| {
            api.desk.sessions(&asker.caller, &page.into())
        })
        .await?;
    Ok(Json(page))
}

/// Makes a session by a password, or by a code, which sets one; it is told this once, and is over after 12 hours.
/// `Authorization: Bearer SESSION` presents it: the caller is that person then. The calling account stays who it is.
#[utoipa::path(post, path = "/v1/sessions", tag = "people", request_body = SessionMake, responses(
    (status = 201, body = SessionMade),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn make(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<SessionMake>,
) -> Answer<(
    StatusCode,
    [(HeaderName, &'static str); 1],
    Json<SessionMade>,
)> {
    let made = api
        .stretching(asker.caller.uid, move |api| {
            api.desk.open_session(&asker.caller, &body)
        })
        .await?;
    let never = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, never, Json(made)))
}

/// Ends a session.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "people",
    params(("id" = String, Path, description = "its id"), ("If-Match" = Option<String>, Header, description = "refused unless this is its revision")), responses(
    (status = 204, description = "It is over"),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn end(
    State(api): State<Resources>,
    asker: Asker,
    Path(id): Path<String>,
    IfMatch(revision): IfMatch,
) -> Answer<StatusCode> {
    api.writing(asker.caller.uid, move |api| {
        api.desk.end_session(&asker.caller, &id, revision)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
