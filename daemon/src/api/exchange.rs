//! One request and its answer: trace id, limits, panics, the log. Handlers see only what passed here.

use super::extract;
use super::identity::Peer;
use super::leases;
use super::limits::{HEAD_BYTES, HEADERS, Limits};
use super::refusal::{self, Refusal};
use super::resources::Resources;
use super::seldom::Seldom;
use super::trace::{self, Trace};
use super::within::within;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use seatkeeper::wire::Code;
use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
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
}

/// Who answers what got through to them.
#[derive(Clone)]
pub(super) struct Desks {
    /// Everything that is not a lease.
    pub(super) router: Router,
    /// `/v1/leases`; `None` where the router has that, too.
    pub(super) leases: Option<Resources>,
}

/// Answers one request of a connection.
pub(super) async fn answer(
    desks: &Desks,
    (limits, said): (&Limits, &Seldom),
    peer: &Peer,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let trace = Trace::of(request.headers());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let mut response = match refused(peer, &request) {
        Some(refusal) => {
            extract::hear_out(request.into_body(), limits.body).await;
            refusal.into_response()
        }
        None => {
            let exchange = Exchange {
                peer: peer.clone(),
                trace: trace.clone(),
                body: limits.body,
            };
            guarded(desks, limits, exchange, request).await
        }
    };
    finish(&mut response, &trace, peer.uid, (&method, uri.path()), said);
    Ok(response)
}

/// A connection past the limits: every request on it gets this answer, and it closes.
pub(super) fn overloaded(
    request: &Request<Incoming>,
    uid: u32,
    detail: &str,
    said: &Seldom,
) -> Response {
    let trace = Trace::of(request.headers());
    let mut response = Refusal::new(Code::ServerBusy, detail)
        .after(1)
        .into_response();
    let close = axum::http::HeaderValue::from_static("close");
    response
        .headers_mut()
        .insert(axum::http::header::CONNECTION, close);
    finish(
        &mut response,
        &trace,
        uid,
        (request.method(), request.uri().path()),
        said,
    );
    response
}

/// What is refused whatever the address.
fn refused(peer: &Peer, request: &Request<Incoming>) -> Option<Refusal> {
    if request.headers().len() > HEADERS {
        let many = format!("the request has more than {HEADERS} header lines");
        return Some(Refusal::new(Code::BadRequest, many));
    }
    if head_bytes(request) > HEAD_BYTES {
        let long = format!("the request's head has more than {HEAD_BYTES} bytes");
        return Some(Refusal::new(Code::BadRequest, long));
    }
    if let Err(nobody) = peer.account()
        && nobody.problem.code == Code::Unauthenticated
    {
        return Some(nobody);
    }
    browser(request)
}

/// The bytes of a request's head: each line with its end, names and values with the two bytes between them.
fn head_bytes(request: &Request<Incoming>) -> usize {
    let target = request
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    let first = request.method().as_str().len() + target + " HTTP/1.1\r\n".len() + 1;
    let lines = request.headers().iter();
    let lines: usize = lines
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
        .sum();
    first + lines + "\r\n".len()
}

/// The application API is not for browsers (S12).
fn browser(request: &Request<Incoming>) -> Option<Refusal> {
    let below = request.uri().path().strip_prefix(leases::PATH)?;
    if !below.is_empty() && !below.starts_with('/') {
        return None;
    }
    let sign = |name: &str| name == "origin" || name.starts_with("sec-fetch-");
    let header = request.headers().keys().find(|name| sign(name.as_str()))?;
    let detail = format!("the request carries `{header}`, as browsers send it");
    Some(Refusal::new(Code::BrowserRefused, detail))
}

/// Runs the handler within its time; its panic is an answer, not the end.
async fn guarded(
    desks: &Desks,
    limits: &Limits,
    exchange: Exchange,
    request: Request<Incoming>,
) -> Response {
    let patience = if request.uri().path() == EXPORT {
        limits.export
    } else {
        limits.request
    };
    match within(patience, caught(handled(desks, exchange, request))).await {
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

async fn handled(desks: &Desks, exchange: Exchange, request: Request<Incoming>) -> Response {
    if let Some(api) = &desks.leases
        && leases::Place::of(request.uri().path()).is_some()
    {
        let answer = leases::call(api, exchange, request).await;
        return answer.unwrap_or_else(Refusal::into_response);
    }
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(exchange);
    let router = TowerToHyperService::new(desks.router.clone());
    match router.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// `None`: it panicked.
async fn caught<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
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
fn finish(
    response: &mut Response,
    trace: &Trace,
    uid: u32,
    (method, path): (&Method, &str),
    said: &Seldom,
) {
    let status = response.status().as_u16();
    match response.extensions_mut().remove::<Refusal>() {
        Some(refusal) => {
            let (code, detail) = (&refusal.problem.code, &refusal.problem.detail);
            if status >= 500 && refusal.problem.code != Code::ServerBusy {
                let log = refusal.log.as_deref().unwrap_or_default();
                tracing::error!(%trace, uid, %method, path, %code, %detail, log, "not answered");
            } else if let Some(unsaid) = said.says(uid) {
                // A caller makes thousands of these a second: one line stands for them.
                tracing::info!(%trace, uid, %method, path, %code, %detail, unsaid, "refused");
            } else {
                tracing::debug!(%trace, uid, %method, path, %code, %detail, "refused");
            }
            refusal::write(response, refusal, trace);
        }
        None => tracing::debug!(%trace, uid, %method, path, status, "answered"),
    }
    response.headers_mut().insert(trace::HEADER, trace.value());
}
