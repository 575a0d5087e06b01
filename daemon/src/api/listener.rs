//! The accept loop of the unix socket: permits, the peer's identity, one task per connection, and a stop in order.

use super::exchange::{self, Bounds, Desks};
use super::identity::{Names, Register};
use super::limits::{HEAD_HEARD_OUT, Limits, REFUSED_AT_A_TIME};
use super::permits::{Full, Permit, Permits};
use super::seldom::Seldom;
use super::stream::PatientStream;
use super::timer::OneTimer;
use crate::os::peer;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::coop::unconstrained;

/// Tells everyone that the daemon is stopping. It only ever goes from false to true.
pub(crate) type Stop = watch::Receiver<bool>;

/// What serves connections. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Server {
    desks: Desks,
    register: Register,
    permits: Permits,
    refusals: Arc<Semaphore>,
    turned_away: Seldom,
    bounds: Arc<Bounds>,
}

/// Dropped by a connection's task when it ends.
type Alive = mpsc::Sender<Infallible>;

impl Server {
    pub(super) fn new(desks: Desks, names: Arc<dyn Names>, limits: Limits) -> Self {
        Server {
            desks,
            register: Register::new(names, limits.names),
            permits: Permits::new(limits.connections, limits.per_uid),
            refusals: Arc::new(Semaphore::new(REFUSED_AT_A_TIME)),
            turned_away: Seldom::new(),
            bounds: Arc::new(Bounds::new(limits)),
        }
    }

    /// Connections that are open now.
    pub(crate) fn connections(&self) -> impl Fn() -> usize + Send + Sync + use<> {
        let permits = self.permits.clone();
        move || permits.open()
    }

    /// Accepts until told to stop, then waits for the requests in flight, within their limit.
    pub(crate) async fn serve(self, listener: UnixListener, stop: Stop) {
        let (alive, mut ended) = mpsc::channel(1);
        let mut stopping = pin!(stopped(stop.clone()));
        loop {
            tokio::select! {
                biased;
                () = &mut stopping => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.welcome(stream, &stop, &alive),
                    Err(e) => self.back_off(&e).await,
                },
            }
        }
        drop((listener, alive));
        if tokio::time::timeout(self.bounds.limits.stop, ended.recv())
            .await
            .is_err()
        {
            tracing::warn!(
                "requests were still in flight at the stop; their clients will ask again"
            );
        }
    }

    /// An `accept` that fails is not asked again at once: without descriptors it would spin.
    async fn back_off(&self, why: &io::Error) {
        if why.kind() == io::ErrorKind::ConnectionAborted {
            return;
        }
        tracing::error!(%why, "no connection could be accepted; trying again shortly");
        tokio::time::sleep(self.bounds.limits.back_off).await;
    }

    fn welcome(&self, stream: UnixStream, stop: &Stop, alive: &Alive) {
        let uid = match peer::uid(&stream) {
            Ok(uid) => uid,
            Err(why) => {
                tracing::warn!(%why, "the kernel does not say who connected; closed");
                return;
            }
        };
        let (server, stop, alive) = (self.clone(), stop.clone(), alive.clone());
        match self.permits.take(uid) {
            Ok(permit) => {
                tokio::spawn(server.connection(stream, uid, permit, stop, alive));
            }
            Err(full) => self.turn_away(stream, uid, full, alive),
        }
    }

    async fn connection(
        self,
        stream: UnixStream,
        uid: u32,
        permit: Permit,
        stop: Stop,
        alive: Alive,
    ) {
        let _held = (permit, alive);
        let stream = PatientStream::new(stream, self.bounds.limits.stalled);
        let peer = self.register.meet(uid, stream.shared()).await;
        let patience = OneTimer::default();
        let service = service_fn(|request| {
            exchange::answer(&self.desks, &self.bounds, (&peer, &patience), request)
        });
        let mut connection = pin!(self.http().serve_connection(TokioIo::new(stream), service));
        let served = match unless(stop, connection.as_mut()).await {
            Some(served) => served,
            None => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(why) = served {
            tracing::debug!(uid, %why, "a connection ended early");
        }
    }

    /// Says why there is no room, to as many at a time as that is cheap for.
    fn turn_away(&self, stream: UnixStream, uid: u32, full: Full, alive: Alive) {
        let detail = match full {
            Full::Listener => format!(
                "{} connections are open, which is all there may be",
                self.bounds.limits.connections
            ),
            Full::Uid => format!(
                "uid {uid} has {} connections open, which is all it may have",
                self.bounds.limits.per_uid
            ),
        };
        if let Some(unsaid) = self.turned_away.says(uid) {
            tracing::warn!(uid, %detail, unsaid, "a connection was turned away");
        }
        let Ok(room) = self.refusals.clone().try_acquire_owned() else {
            return;
        };
        let server = self.clone();
        tokio::spawn(async move {
            let _held = (room, alive);
            let answer = |request: hyper::Request<Incoming>| {
                let response = exchange::overloaded(request, uid, &detail, &server.bounds.refused);
                async move { Ok::<_, Infallible>(response) }
            };
            let wire = TokioIo::new(PatientStream::new(stream, server.bounds.limits.stalled));
            // The client hung up before it heard: that is its answer, too.
            let _ = server
                .http()
                .serve_connection(wire, service_fn(answer))
                .await;
        });
    }

    /// hyper's one timer covers slow heads and idle connections; without the timer it would cover nothing (S24).
    fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        http.timer(OneTimer::default())
            .header_read_timeout(self.bounds.limits.head)
            .max_buf_size(HEAD_HEARD_OUT)
            .keep_alive(true);
        http
    }
}

/// What the future came to; `None` where the daemon is stopping first. The stop is listened for once, and looked at from
/// then on: a connection is polled for each of its requests.
async fn unless<T>(stop: Stop, future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    let (seen, mut future) = (stop.clone(), future);
    let (mut stopping, mut listens) = (pin!(stopped(stop)), false);
    poll_fn(|cx| {
        if let Poll::Ready(done) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        if listens && matches!(seen.has_changed(), Ok(false)) {
            return Poll::Pending;
        }
        listens = true;
        // At the end of its turn a task is told "not yet" by tokio, and would never be woken by the stop.
        let listening = pin!(unconstrained(stopping.as_mut()));
        listening.poll(cx).map(|()| None)
    })
    .await
}

/// Ends when the daemon is stopping, or whoever would say so is gone.
pub(crate) async fn stopped(mut stop: Stop) {
    let _ = stop.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::turn_tests::Turn;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_idles_at_the_end_of_its_turn_hears_of_the_stop() {
        let (stop, stopping) = watch::channel(false);
        let idles = tokio::spawn(async {
            let mut turn = Turn::default();
            let idle = pin!(poll_fn(|cx| {
                turn.used_up_once(cx);
                Poll::<()>::Pending
            }));
            unless(stopping, idle).await
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.send(true).expect("somebody listens");
        let heard = tokio::time::timeout(Duration::from_secs(60), idles).await;
        let heard = heard.expect("it hears of the stop").expect("no panic");
        assert_eq!(heard, None);
    }
}
