//! What the resources share, and how each of them gets its caller, its answer and its ETag.

use super::dev::Dev;
use super::document;
use super::exchange::Exchange;
use super::follow::Follow;
use super::identity::Peer;
use super::jobs::Jobs;
use super::listener::Stop;
use super::metrics::Metrics;
use super::refusal::{Answer, Refusal};
use crate::mail::{Codes, Outbox};
use crate::os::watch::Watch;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use seatkeeper::wire::{Code, ConfigEntry};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::view::Cursor;
use seatkeeper_core::desk::{self, Desk, Refused};
use seatkeeper_core::keeper::{self, Failure};
use seatkeeper_engine::Order;
use seatkeeper_engine::ids::Name;
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What handlers hold. Cheap to clone.
pub(crate) type Resources = Arc<Shared>;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) desk: Arc<Desk>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) follow: Follow,
    pub(crate) mail: Outbox,
    pub(crate) config: Vec<ConfigEntry>,
    pub(crate) stop: Stop,
    pub(crate) jobs: Jobs,
    pub(crate) document: document::Document,
    pub(crate) dev: Option<Arc<Dev>>,
}

/// Who asks, as every handler gets it: parsed from the connection, never from the request.
pub(crate) struct Asker {
    /// The caller.
    pub(crate) caller: Caller,
    /// The connection.
    pub(crate) peer: Peer,
}

/// Which page of a list: `?after=CURSOR&limit=N`.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// The `next` of the page before.
    after: Option<String>,
    /// Rows wanted, 200 unless said, 1,000 at most.
    limit: Option<usize>,
}

/// How holders lose their seats: `?hard=true`.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LossQuery {
    /// Who loses a right by it gets no time to save.
    #[serde(default)]
    pub(super) hard: bool,
}

/// An order that was given.
pub(super) type Asked = oneshot::Receiver<Result<keeper::Answer, Failure>>;

/// An answer with the revision of what it shows.
pub(crate) struct Revised<T>(pub(crate) u64, pub(crate) T);

impl Shared {
    /// The daemon is stopping.
    pub(crate) fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Codes on their way out.
    pub(crate) fn codes(&self) -> Codes<'_> {
        Codes {
            mail: &self.mail,
            site: self.desk.site_name(),
        }
    }

    /// Gives an order and waits for its answer without holding a thread.
    pub(crate) async fn ask(
        &self,
        order: Order,
        trace: Option<Name>,
    ) -> Result<keeper::Answer, Failure> {
        if let Some(answer) = self.desk.at_once(&order) {
            return Ok(answer);
        }
        answer(&mut self.submit(order, trace)).await
    }

    /// Gives an order.
    pub(super) fn submit(&self, order: Order, trace: Option<Name>) -> Asked {
        let (send, receive) = oneshot::channel();
        let reply = move |answer| {
            // Nobody waits any more: what was done is done, and a retry finds it (rule 20).
            let _ = send.send(answer);
        };
        if self.desk.put(order, trace, Box::new(reply)) {
            let desk = self.desk.clone();
            tokio::spawn(async move {
                // Behind the requests that have come by now: their orders are in the same batch.
                loop {
                    tokio::task::yield_now().await;
                    if !desk.round() {
                        return;
                    }
                }
            });
        }
        receive
    }

    /// Reads what may wait for the disk, for this uid, on a thread for it; `server_busy` where there is none.
    pub(crate) async fn reading<T: Send + 'static>(
        self: &Arc<Self>,
        uid: u32,
        work: impl FnOnce(&Shared) -> Result<T, Refused> + Send + 'static,
    ) -> Answer<T> {
        let shared = self.clone();
        self.jobs.read(uid, move || work(&shared)).await
    }

    /// The same of what stretches a password: few at a time, so that guessing keeps no processor from the seats of others.
    pub(crate) async fn stretching<T: Send + 'static>(
        self: &Arc<Self>,
        uid: u32,
        work: impl FnOnce(&Shared) -> Result<T, Refused> + Send + 'static,
    ) -> Answer<T> {
        let shared = self.clone();
        self.jobs.stretch(uid, move || work(&shared)).await
    }

    /// Writes, or whatever else may wait for its turn, for this uid, on a thread for it.
    pub(crate) async fn writing<T: Send + 'static>(
        self: &Arc<Self>,
        uid: u32,
        work: impl FnOnce(&Shared) -> Result<T, Refused> + Send + 'static,
    ) -> Answer<T> {
        let shared = self.clone();
        self.jobs.write(uid, move || work(&shared)).await
    }
}

impl Asker {
    /// Who asks in an exchange.
    pub(super) fn of(api: &Shared, exchange: &Exchange) -> Answer<Self> {
        let (peer, trace) = (exchange.peer.clone(), &exchange.trace);
        if api.stopping() {
            let text = "the daemon is stopping and takes nothing new";
            return Err(Refusal::new(Code::ServerStopping, text).after(5));
        }
        let known = desk::Peer {
            uid: peer.uid,
            pid: None,
            administers: peer.account()?.administers,
        };
        let login = peer.login(|name| api.desk.login(peer.uid, name))?;
        let mut caller = api.desk.caller(known, login, Some(trace.name()));
        if let Some(authorization) = &exchange.authorization {
            caller = api.desk.presenting(caller, authorization.to_str().ok())?;
        }
        Ok(Asker { caller, peer })
    }
}

/// Waits for the answer to an order.
pub(super) async fn answer(asked: &mut Asked) -> Result<keeper::Answer, Failure> {
    asked.await.unwrap_or(Err(Failure::Stopped))
}

impl FromRequestParts<Resources> for Asker {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, api: &Resources) -> Answer<Self> {
        let broken = || Refusal::internal("a request without its connection");
        let exchange = parts.extensions.get::<Exchange>().ok_or_else(broken)?;
        Asker::of(api, exchange)
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Refusal {
            problem: refused,
            log: None,
        }
    }
}

impl From<PageQuery> for Cursor {
    fn from(query: PageQuery) -> Self {
        Cursor {
            after: query.after,
            limit: query.limit,
        }
    }
}

impl<T: IntoResponse> IntoResponse for Revised<T> {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        let tag = HeaderValue::from_str(&format!("\"{}\"", self.0)).expect("digits in quotes");
        response.headers_mut().insert(header::ETAG, tag);
        response
    }
}
