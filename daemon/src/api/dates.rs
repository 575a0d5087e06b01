//! `/v1/clock`: what the clocks say, and accepting one.

use super::extract::IfMatch;
use super::refusal::Answer;
use super::resources::{Asker, Resources, Revised};
use axum::Json;
use axum::extract::State;
use seatkeeper::wire::{Clock, ClockAccepted, Problem};

/// The wall clock, the time of dates (J), and what was accepted.
#[utoipa::path(get, path = "/v1/clock", tag = "status", responses(
    (status = 200, description = "ETag is its revision", body = Clock),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn clock(
    State(api): State<Resources>,
    asker: Asker,
) -> Answer<Revised<Json<Clock>>> {
    let clock = api
        .reading(asker.caller.uid, move |api| api.desk.clock(&asker.caller))
        .await?;
    Ok(Revised(clock.revision, Json(clock)))
}

/// Puts J back to the wall clock, never below the newest date that a vendor signed. It is counted, and every later
/// license request says so. Where J is not ahead nothing changes.
#[utoipa::path(post, path = "/v1/clock/accept", tag = "status",
    params(("If-Match" = Option<String>, Header, description = "refused unless this is the revision of the clock")), responses(
    (status = 200, description = "The clocks before and after; ETag is the revision after", body = ClockAccepted),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn accept(
    State(api): State<Resources>,
    asker: Asker,
    IfMatch(revision): IfMatch,
) -> Answer<Revised<Json<ClockAccepted>>> {
    let done = api
        .writing(asker.caller.uid, move |api| {
            api.desk.accept_clock(&asker.caller, revision)
        })
        .await?;
    Ok(Revised(done.after.revision, Json(done)))
}
