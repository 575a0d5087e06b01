//! `/v1/audit`: the journal as the audit log, with the bytes that its hash chain is made of.

use super::extract::Query;
use super::refusal::Answer;
use super::resources::{Asker, Resources};
use axum::Json;
use axum::extract::State;
use seatkeeper::wire::{AuditAnchor, AuditEvent, Page, Problem};
use seatkeeper_core::desk::view::{AuditFilter, Cursor};
use serde::Deserialize;

/// Which events: `?after=CURSOR&limit=N` and filters, all of which must hold. An unknown member is refused: a filter that
/// was misspelled would answer too much.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// The `next` of the page before; or the number of any event that was not pruned. Without it: from the first event that
    /// is kept.
    after: Option<String>,
    /// Events wanted, 200 unless said, 1,000 at most.
    limit: Option<usize>,
    /// Caused by: `daemon`, a login, a user's id, or `uid 1000`.
    actor: Option<String>,
    /// About this user (login or id): seats, assignments and pauses, from first to last.
    user: Option<String>,
    /// About this feature: `FEATURE`, or `PRODUCT/FEATURE`.
    feature: Option<String>,
    /// Of these kinds: names of events, joined by commas, such as `SeatTaken,SeatEnded`.
    kind: Option<String>,
    /// Recorded at this second (wall clock, since 1970) or later.
    since: Option<u64>,
    /// Recorded before this second (wall clock, since 1970).
    until: Option<u64>,
}

/// The journal, oldest first: every event exactly as stored, with the hash after it, and names and words beside it. A page
/// may have fewer events than asked for, or none, and still have a `next`: filters look at many events for few.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", params(AuditQuery), responses(
    (status = 200, body = Page<AuditEvent>),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn audit(
    State(api): State<Resources>,
    asker: Asker,
    Query(query): Query<AuditQuery>,
) -> Answer<Json<Page<AuditEvent>>> {
    let (cursor, filter) = query.parts();
    let page = api
        .reading(asker.caller.uid, move |api| {
            api.desk.audit(&asker.caller, &cursor, &filter)
        })
        .await?;
    Ok(Json(page))
}

/// Where the journal stands now: number and hash of its last event, signed by the site key. Kept elsewhere it shows later
/// whether the events up to it are still the same.
#[utoipa::path(get, path = "/v1/audit/anchor", tag = "audit", responses(
    (status = 200, body = AuditAnchor),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn anchor(
    State(api): State<Resources>,
    asker: Asker,
) -> Answer<Json<AuditAnchor>> {
    Ok(Json(api.desk.audit_anchor(&asker.caller)?))
}

/// What stands for the events that were pruned: number and hash of the last of them, signed by the site key. What is kept
/// follows from it. `not_found` where nothing was pruned.
#[utoipa::path(get, path = "/v1/audit/pruned", tag = "audit", responses(
    (status = 200, body = AuditAnchor),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn pruned(
    State(api): State<Resources>,
    asker: Asker,
) -> Answer<Json<AuditAnchor>> {
    Ok(Json(api.desk.audit_pruned(&asker.caller)?))
}

impl AuditQuery {
    fn parts(self) -> (Cursor, AuditFilter) {
        let cursor = Cursor {
            after: self.after,
            limit: self.limit,
        };
        let filter = AuditFilter {
            actor: self.actor,
            user: self.user,
            feature: self.feature,
            kind: self.kind,
            since: self.since,
            until: self.until,
        };
        (cursor, filter)
    }
}
