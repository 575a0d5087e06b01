//! One request and its answer: trace id, limits, panics, the log. Handlers see only what passed here.

use super::blank::{blank, blanked};
use super::dev::{Dev, Dropped, Meddled};
use super::extract;
use super::failing::Failing;
use super::identity::Peer;
use super::leases;
use super::lent::lend;
use super::limits::{HEAD_BYTES, HEADERS, Limits};
use super::pieces::Pieces;
use super::refusal::{self, Refusal};
use super::resources::Resources;
use super::seldom::Seldom;
use super::timer::OneTimer;
use super::trace::{self, Trace};
use super::within::before;
use axum::Router;
use axum::http::{HeaderValue, Request, header, request::Parts};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use seatkeeper::wire::{Class, Code};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// The one address whose answer is slow on purpose: it stretches a passphrase.
const EXPORT: &str = "/v1/site-key/export";

/// What a handler gets beside its request.
#[derive(Clone)]
pub(super) struct Exchange {
    /// The connection.
    pub(super) peer: Peer,
    /// This request's id.
    pub(super) trace: Trace,
    /// How long its body may take.
    pub(super) body: Duration,
    /// What it presents to be somebody else than the kernel says.
    pub(super) authorization: Option<HeaderValue>,
}

/// Who answers what got through to them.
#[derive(Clone)]
pub(super) struct Desks {
    /// Everything that is not a lease.
    pub(super) router: Router,
    /// `/v1/leases`; `None` where the router has that, too.
    pub(super) leases: Option<Resources>,
    /// Calls go wrong on purpose; `dev` alone has it.
    pub(super) dev: Option<Arc<Dev>>,
}

/// What holds for the requests of all connections together.
pub(super) struct Bounds {
    pub(super) limits: Limits,
    /// Refusals in the log.
    pub(super) refused: Seldom,
    failing: Failing,
}

impl Bounds {
    pub(super) fn new(limits: Limits) -> Self {
        Bounds {
            failing: Failing::new(limits.failures_per_s),
            refused: Seldom::new(),
            limits,
        }
    }
}

/// Answers one request of a connection, or closes it without an answer, as only `dev` does.
pub(super) async fn answer(
    desks: &Desks,
    bounds: &Bounds,
    (peer, timer): (&Peer, &OneTimer),
    request: Request<Incoming>,
) -> Result<Response, Dropped> {
    let limits = &bounds.limits;
    let (mut parts, body) = request.into_parts();
    let exchange = Exchange {
        peer: peer.clone(),
        trace: Trace::of(&parts.headers),
        body: limits.body,
        authorization: parts.headers.get(header::AUTHORIZATION).cloned(),
    };
    let mut response = match refused(peer, &parts) {
        Some(refusal) => {
            extract::hear_out(body, limits.body).await;
            refusal.into_response()
        }
        None => meddled(desks, (limits, timer), &exchange, (&mut parts, body)).await?,
    };
    if has_failed(&response) {
        let wait = bounds.failing.wait(peer.uid);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
    finish(
        &mut response,
        &exchange.trace,
        peer.uid,
        &parts,
        &bounds.refused,
    );
    Ok(response)
}

/// Whether a request was one that should not have been made. A denial is none, nor is what a holder is told of their seat.
fn has_failed(response: &Response) -> bool {
    let refusal = response.extensions().get::<Refusal>();
    refusal.is_some_and(|refusal| {
        let code = &refusal.problem.code;
        let of_a_seat = [Code::LeaseEnded, Code::LeaseLapsed, Code::UnknownLease];
        code.class() == Class::Request && !of_a_seat.contains(code)
    })
}

/// A connection past the limits: every request on it gets this answer, and it closes.
pub(super) fn overloaded(
    request: Request<Incoming>,
    uid: u32,
    detail: &str,
    said: &Seldom,
) -> Response {
    let (parts, _) = request.into_parts();
    let trace = Trace::of(&parts.headers);
    let mut response = Refusal::new(Code::ServerBusy, detail)
        .after(1)
        .into_response();
    let close = axum::http::HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    finish(&mut response, &trace, uid, &parts, said);
    response
}

/// What is refused whatever the address.
fn refused(peer: &Peer, parts: &Parts) -> Option<Refusal> {
    if parts.headers.len() > HEADERS {
        let many = format!("the request has more than {HEADERS} header lines");
        return Some(Refusal::new(Code::BadRequest, many));
    }
    if head_bytes(parts) > HEAD_BYTES {
        let long = format!("the request's head has more than {HEAD_BYTES} bytes");
        return Some(Refusal::new(Code::BadRequest, long));
    }
    if let Err(nobody) = peer.account()
        && nobody.problem.code == Code::Unauthenticated
    {
        return Some(nobody);
    }
    browser(parts)
}

/// The bytes of a request's head: each line with its end, names and values with the two bytes between them.
fn head_bytes(parts: &Parts) -> usize {
    let target = parts
        .uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    let first = parts.method.as_str().len() + target + " HTTP/1.1\r\n".len() + 1;
    let lines = parts.headers.iter();
    let lines: usize = lines
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
        .sum();
    first + lines + "\r\n".len()
}

/// The application API is not for browsers (S12).
fn browser(parts: &Parts) -> Option<Refusal> {
    let below = parts.uri.path().strip_prefix(leases::PATH)?;
    if !below.is_empty() && !below.starts_with('/') {
        return None;
    }
    let sign = |name: &str| name == "origin" || name.starts_with("sec-fetch-");
    let header = parts.headers.keys().find(|name| sign(name.as_str()))?;
    let detail = format!("the request carries `{header}`, as browsers send it");
    Some(Refusal::new(Code::BrowserRefused, detail))
}

/// What goes wrong on purpose goes wrong here.
async fn meddled(
    desks: &Desks,
    bounds: (&Limits, &OneTimer),
    exchange: &Exchange,
    request: (&mut Parts, Incoming),
) -> Result<Response, Dropped> {
    let Some(dev) = &desks.dev else {
        return Ok(guarded(desks, bounds, exchange, request).await);
    };
    Ok(match dev.meddles(request.0)? {
        None => guarded(desks, bounds, exchange, request).await,
        Some(Meddled::Denied(refusal)) => {
            extract::hear_out(request.1, bounds.0.body).await;
            refusal.into_response()
        }
        Some(Meddled::Late(by)) => {
            let response = guarded(desks, bounds, exchange, request).await;
            tokio::time::sleep(by).await;
            response
        }
    })
}

/// Runs the handler within its time; its panic is an answer, not the end.
async fn guarded(
    desks: &Desks,
    (limits, timer): (&Limits, &OneTimer),
    exchange: &Exchange,
    request: (&mut Parts, Incoming),
) -> Response {
    let patience = if request.0.uri.path() == EXPORT {
        limits.export
    } else {
        limits.request
    };
    let handled = pin!(handled(desks, exchange, request));
    match before(|| timer.wait(patience), pin!(caught(handled))).await {
        Some(Some(response)) => response,
        Some(None) => Refusal::internal("a handler panicked; its message and place stand above")
            .into_response(),
        None => {
            let seconds = patience.as_secs_f32();
            Refusal::new(
                Code::ServerBusy,
                format!("there was no answer after {seconds} s; what was asked may still be done"),
            )
            .after(1)
            .into_response()
        }
    }
}

async fn handled(
    desks: &Desks,
    exchange: &Exchange,
    (parts, body): (&mut Parts, Incoming),
) -> Response {
    if let Some(api) = &desks.leases
        && let Some(place) = leases::Place::of(parts.uri.path())
    {
        let answer = leases::call(api, exchange, (place, parts, body)).await;
        return answer.unwrap_or_else(Refusal::into_response);
    }
    routed(desks.router.clone(), exchange.clone(), (parts, body)).await
}

/// The way through the router. In a box: its state is large, and would travel with that of every renewal.
fn routed(
    router: Router,
    exchange: Exchange,
    (parts, body): (&mut Parts, Incoming),
) -> Pin<Box<impl Future<Output = Response> + use<>>> {
    let patience = exchange.body;
    // Whoever waits for `100 Continue` has sent nothing, and reads the answer.
    let waits = parts.headers.contains_key(header::EXPECT);
    let (body, rest) = lend(body);
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    *request.version_mut() = parts.version;
    *request.headers_mut() = std::mem::take(&mut parts.headers);
    *request.extensions_mut() = std::mem::take(&mut parts.extensions);
    request.extensions_mut().insert(exchange);
    Box::pin(async move {
        let response = match TowerToHyperService::new(router).call(request).await {
            Ok(response) => response.map(Pieces::of),
            Err(never) => match never {},
        };
        if let Some(unread) = rest.unread().filter(|_| !waits) {
            extract::hear_out(unread, patience).await;
        }
        response
    })
}

/// `None`: it panicked.
async fn caught<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    std::future::poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Ready(done)) => Poll::Ready(Some(done)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(None),
        },
    )
    .await
}

/// Gives the answer its trace id, a refusal its body, and the log its line.
fn finish(response: &mut Response, trace: &Trace, uid: u32, parts: &Parts, said: &Seldom) {
    let method = &parts.method;
    let path = || blanked(parts.uri.path());
    let status = response.status().as_u16();
    match response.extensions_mut().remove::<Refusal>() {
        Some(mut refusal) => {
            blank(&mut refusal.problem);
            let (code, detail) = (&refusal.problem.code, &refusal.problem.detail);
            if refusal.problem.code == Code::Internal {
                let log = refusal.log.as_deref().unwrap_or_default();
                tracing::error!(%trace, uid, %method, path = &*path(), %code, %detail, log, "not answered");
            } else if let Some(unsaid) = said.says(uid) {
                // A caller makes thousands of these a second: one line stands for them.
                tracing::info!(%trace, uid, %method, path = &*path(), %code, %detail, unsaid, "refused");
            } else {
                tracing::debug!(%trace, uid, %method, path = &*path(), %code, %detail, "refused");
            }
            refusal::write(response, refusal, trace);
        }
        None => tracing::debug!(%trace, uid, %method, path = &*path(), status, "answered"),
    }
    response.headers_mut().insert(trace::HEADER, trace.value());
}
