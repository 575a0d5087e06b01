//! `/v1/pools`, `/v1/seats`, `/v1/explain`: what there is, who sits, and why not.

use super::extract::{Json as Body, Path, Query};
use super::refusal::Answer;
use super::resources::{Asker, PageQuery, Resources};
use axum::Json;
use axum::extract::State;
use seatkeeper::wire::{
    EndingReply, ExplainBody, ExplainReply, Page, Pool, Problem, ReclaimBody, Seat,
};
use seatkeeper_core::desk::Released;

/// The pools with their counts.
#[utoipa::path(get, path = "/v1/pools", tag = "seats", params(PageQuery), responses(
    (status = 200, body = Page<Pool>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn pools(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<Pool>>> {
    Ok(Json(api.desk.pools(&asker.caller, &page.into())?))
}

/// Who holds which slots: all of them for administrators, one's own for everyone else.
#[utoipa::path(get, path = "/v1/seats", tag = "seats", params(PageQuery), responses(
    (status = 200, body = Page<Seat>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn seats(
    State(api): State<Resources>,
    asker: Asker,
    Query(page): Query<PageQuery>,
) -> Answer<Json<Page<Seat>>> {
    let page = api
        .reading(asker.caller.uid, move |api| {
            let watched = |holder| api.watch.watched(holder);
            api.desk.seats(&asker.caller, &page.into(), watched)
        })
        .await?;
    Ok(Json(page))
}

/// Takes a grant back from its holders (rule 16), and with `owner` a named seat from its owner (rule 7).
#[utoipa::path(post, path = "/v1/seats/{id}/reclaim", tag = "seats", params(("id" = String, Path, description = "the grant (E.N), or one of its holders (E.N.H)")), request_body = ReclaimBody, responses(
    (status = 200, description = "Who is ending, and how long their slots are taken at the most", body = EndingReply),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn reclaim(
    State(api): State<Resources>,
    asker: Asker,
    Path(id): Path<String>,
    Body(body): Body<ReclaimBody>,
) -> Answer<Json<EndingReply>> {
    let released = api
        .writing(asker.caller.uid, move |api| match body.owner {
            true => api.desk.recall(&asker.caller, &id, body.hard),
            false => api.desk.reclaim(&asker.caller, &id, body.hard),
        })
        .await?;
    match released {
        Released::Ending(ending) => Ok(Json(ending)),
        Released::Now(_) => Ok(Json(EndingReply { ending: Vec::new() })),
    }
}

/// What a checkout would get, and why (rule 22). For others than oneself it is for administrators.
#[utoipa::path(post, path = "/v1/explain", tag = "seats", request_body = ExplainBody, responses(
    (status = 200, body = ExplainReply),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn explain(
    State(api): State<Resources>,
    asker: Asker,
    Body(body): Body<ExplainBody>,
) -> Answer<Json<ExplainReply>> {
    let reply = api
        .reading(asker.caller.uid, move |api| {
            let watched = |holder| api.watch.watched(holder);
            api.desk.explain(&asker.caller, &body, watched)
        })
        .await?;
    Ok(Json(reply))
}
