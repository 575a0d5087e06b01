//! `/v1/leases`: checkout, renewal, release. The hot path: no thread waits in it, but for a person's first sight, and
//! its calls come straight from the exchange, past the router: what a router does for a request costs a tenth of a renewal.

use super::exchange::Exchange;
use super::extract::{self, bad};
use super::identity::Peer;
use super::refusal::{Answer, Refusal};
use super::resources::{Asked, Asker, Resources, answer};
use crate::os::watch::Admitted;
use axum::Json;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use seatkeeper::wire::{CheckoutBody, Code, EndingReply, LeaseReply, Problem, RenewBody};
use seatkeeper_core::desk::{Leased, Released, stranger};
use seatkeeper_core::keeper::{self, Failure};
use seatkeeper_engine::ids::InstanceId;
use seatkeeper_engine::{Command, Order, Verdict};
use serde::Deserialize;
use std::borrow::Cow;

/// Where they are.
pub(super) const PATH: &str = "/v1/leases";

/// What a path below [`PATH`] names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place<'a> {
    /// All leases.
    All,
    /// One, by its id as the path spells it.
    One(&'a str),
}

/// Who gives back.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReleaseQuery {
    /// The instance that took the seat, 32 lower-case hex digits; absent where one's own seat is given back from elsewhere (rule 16).
    instance: Option<String>,
}

/// A checkout between its order and its answer. A client that hangs up there has its seat after the commit, and the seat
/// its watch: a task is only made for those, because one for each checkout costs a tenth of it.
struct Underway {
    answer: Option<Asked>,
    admitted: Option<Admitted>,
}

impl Place<'_> {
    /// The place of a path, where it is one of these.
    pub(super) fn of(path: &str) -> Option<Place<'_>> {
        match path.strip_prefix(PATH)? {
            "" => Some(Place::All),
            below => {
                let id = below.strip_prefix('/')?;
                (!id.is_empty() && !id.contains('/')).then_some(Place::One(id))
            }
        }
    }
}

/// Answers a call of these resources.
pub(super) async fn call(
    api: &Resources,
    exchange: &Exchange,
    (place, parts, body): (Place<'_>, &Parts, Incoming),
) -> Answer<Response> {
    match (place, &parts.method) {
        (Place::All, &Method::POST) => {
            let asker = Asker::of(api, exchange)?;
            let body = extract::json(&parts.headers, body, exchange.body).await?;
            checkout(api, asker, body).await
        }
        (Place::One(id), &Method::PUT) => {
            let (asker, id) = (Asker::of(api, exchange)?, decoded(id)?);
            let body = extract::json(&parts.headers, body, exchange.body).await?;
            renew(api, asker, &id, body).await
        }
        (Place::One(id), &Method::DELETE) => {
            let (asker, id) = (Asker::of(api, exchange)?, decoded(id)?);
            release(api, asker, &id, &parts.uri).await
        }
        (Place::All, _) => Ok(wrong_method(parts, "POST")),
        (Place::One(_), _) => Ok(wrong_method(parts, "PUT,DELETE")),
    }
}

fn wrong_method(parts: &Parts, allowed: &'static str) -> Response {
    let mut refused = super::wrong_method(&parts.method, &parts.uri).into_response();
    let allowed = HeaderValue::from_static(allowed);
    refused.headers_mut().insert(header::ALLOW, allowed);
    refused
}

fn decoded(id: &str) -> Answer<Cow<'_, str>> {
    let decoded = percent_decode_str(id).decode_utf8();
    decoded.map_err(|why| bad(format!("the path: {why}")))
}

/// Takes a seat. A retry repeats the checkout id under a new nonce and gets the same seat (rule 20).
#[utoipa::path(post, path = "/v1/leases", tag = "leases", request_body = CheckoutBody, responses(
    (status = 201, description = "A seat was taken", body = LeaseReply),
    (status = 200, description = "A retry: the seat that this checkout took", body = LeaseReply),
    (status = "default", description = "A denial or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn checkout(
    api: &Resources,
    asker: Asker,
    body: CheckoutBody,
) -> Answer<Response> {
    let Asker { mut caller, peer } = asker;
    caller.pid = peer.process().and_then(|process| process.pid);
    let admitted = admit(api, &peer, &body.instance)?;
    let user = match api.desk.user_of(&caller) {
        Some(user) => user,
        None => {
            let caller = caller.clone();
            api.writing(caller.uid, move |api| api.desk.meet(&caller))
                .await?
        }
    };
    let (order, asked) = api.desk.prepare_checkout(&caller, user, &body)?;
    let underway = Underway {
        answer: Some(api.submit(order, caller.trace.clone())),
        admitted,
    };
    let (answer, admitted) = underway.answered().await;
    let leased = match api.desk.finish_lease(asked, answer) {
        Ok(leased) => leased,
        Err(refused) => {
            api.metrics.denied(&refused.code);
            return Err(refused.into());
        }
    };
    if let Some(admitted) = admitted {
        admitted.watch(leased.holder);
    }
    Ok(signed(&leased))
}

/// Keeps a seat.
#[utoipa::path(put, path = "/v1/leases/{id}", tag = "leases", params(("id" = String, Path, description = "the holder, E.N.H")), request_body = RenewBody, responses(
    (status = 200, body = LeaseReply),
    (status = "default", description = "A denial or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn renew(
    api: &Resources,
    asker: Asker,
    id: &str,
    body: RenewBody,
) -> Answer<Response> {
    let Asker { caller, peer } = asker;
    let (mut order, asked) = api.desk.prepare_renew(&caller, id, &body)?;
    if let Some(shown) = stranger(&mut order) {
        let caller = caller.clone();
        let met = api.writing(caller.uid, move |api| api.desk.meet(&caller));
        shown.user = Some(met.await?);
    }
    let admitted = match watched(api, &peer, &order) {
        true => None,
        false => admit(api, &peer, &body.instance)?,
    };
    let answer = api.ask(order, caller.trace.clone()).await;
    let leased = api.desk.finish_lease(asked, answer)?;
    // After a restart a holder is watched again from its next call (rule 14).
    if let Some(admitted) = admitted {
        admitted.watch(leased.holder);
    }
    Ok(json(StatusCode::OK, leased.reply.to_json()))
}

/// Gives a seat back, or a checkout up: `{id}` is the holder, or the checkout id.
#[utoipa::path(delete, path = "/v1/leases/{id}", tag = "leases", params(("id" = String, Path, description = "the holder (E.N.H), or the checkout id"), ReleaseQuery), responses(
    (status = 204, description = "Given back"),
    (status = 200, description = "From elsewhere: the holder is told at its next renewal", body = EndingReply),
    (status = "default", description = "A denial or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn release(
    api: &Resources,
    asker: Asker,
    id: &str,
    uri: &Uri,
) -> Answer<Response> {
    let caller = asker.caller;
    let query: ReleaseQuery = extract::query(uri)?;
    let instance = query.instance.as_deref();
    let (order, asked) = api.desk.prepare_release(&caller, id, instance)?;
    let answer = api.ask(order, caller.trace.clone()).await;
    match api.desk.finish_release(asked, answer)? {
        Released::Now(holder) => {
            if let Some(holder) = holder {
                api.watch.forget(holder);
            }
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        Released::Ending(ending) => Ok(Json(ending).into_response()),
    }
}

impl Underway {
    async fn answered(mut self) -> (Result<keeper::Answer, Failure>, Option<Admitted>) {
        let answer = match &mut self.answer {
            Some(asked) => answer(asked).await,
            None => Err(Failure::Stopped),
        };
        self.answer = None;
        (answer, self.admitted.take())
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let (Some(mut asked), Some(admitted)) = (self.answer.take(), self.admitted.take()) else {
            return;
        };
        // Without a runtime the daemon ends, and watches nobody.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Ok(done) = answer(&mut asked).await
                    && let Verdict::Leased(terms) = done.verdict
                {
                    admitted.watch(terms.holder);
                }
            });
        }
    }
}

/// Whether the process that renews is watched already: then there is nothing to admit.
fn watched(api: &Resources, peer: &Peer, order: &Order) -> bool {
    let Command::Renew(renew) = &order.command else {
        return false;
    };
    let instance = (peer.uid, renew.process.instance);
    api.watch.has(peer.process(), instance, renew.holder)
}

/// Admits the process at the other end under its instance id; a malformed one is the desk's to refuse.
fn admit(api: &Resources, peer: &Peer, instance: &str) -> Answer<Option<Admitted>> {
    let Ok(instance) = instance.parse::<InstanceId>() else {
        return Ok(None);
    };
    let admitted = api.watch.admit(peer.process(), peer.uid, instance);
    admitted.map(Some).map_err(|_taken| {
        Refusal::new(
            Code::IdentityMismatch,
            "another live process of yours shows this instance id",
        )
    })
}

fn signed(leased: &Leased) -> Response {
    let status = if leased.new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    json(status, leased.reply.to_json())
}

fn json(status: StatusCode, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
