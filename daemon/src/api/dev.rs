//! `/v1/dev`: what only `seatkeeperd dev` serves: calls that go wrong on purpose, and a clock that is moved on.

use super::extract::Json as Body;
use super::leases::Place;
use super::refusal::{Answer, Refusal};
use super::resources::{Asker, Resources, Shared};
use crate::clock::Stopwatch;
use axum::Json;
use axum::extract::State;
use axum::http::Method;
use axum::http::request::Parts;
use seatkeeper::wire::{Clock, Code, DevClock, DevFault, Problem};
use seatkeeper_core::authorize::Permission;
use seatkeeper_core::clock::{Clock as _, ManualClock};
use seatkeeper_core::desk::Desk;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Seconds that a call may be kept waiting, and that none is answered.
const SLOWEST_S: u64 = 60;
const LONGEST_DROP_S: u64 = 24 * 3600;
/// The last moment that the clock is moved to, in seconds since 1970: the end of the year 2199.
const LAST: u64 = 7_258_118_399;

/// What `dev` has beside a site.
pub struct Dev {
    going: Mutex<Going>,
    /// Its clock, where that is a manual one.
    clock: Option<Arc<ManualClock>>,
}

/// What goes wrong, and since when.
struct Going {
    fault: DevFault,
    since: Stopwatch,
}

/// What becomes of a call.
pub(super) enum Meddled {
    /// It is refused.
    Denied(Refusal),
    /// Its answer waits.
    Late(Duration),
}

/// A call that gets no answer: its connection closes.
#[derive(Debug)]
pub(super) struct Dropped;

impl Dev {
    /// With a manual clock, where it has one.
    #[must_use]
    pub fn new(clock: Option<Arc<ManualClock>>) -> Dev {
        Dev {
            going: Mutex::new(Going {
                fault: DevFault::None,
                since: Stopwatch::start(),
            }),
            clock,
        }
    }

    /// What becomes of this call of an application, where something goes wrong; other calls go through.
    pub(super) fn meddles(&self, parts: &Parts) -> Result<Option<Meddled>, Dropped> {
        if Place::of(parts.uri.path()).is_none() {
            return Ok(None);
        }
        Ok(match self.fault() {
            DevFault::None => None,
            DevFault::Deny { code, renewals } => {
                let wanted = if renewals { Method::PUT } else { Method::POST };
                (parts.method == wanted).then(|| Meddled::Denied(on_purpose(code)))
            }
            DevFault::Drop { .. } => return Err(Dropped),
            DevFault::Slow { seconds } => Some(Meddled::Late(Duration::from_secs(seconds))),
        })
    }

    /// What goes wrong now.
    fn fault(&self) -> DevFault {
        let mut going = self.lock();
        if let DevFault::Drop { seconds } = going.fault {
            let left = Duration::from_secs(seconds).saturating_sub(going.since.elapsed());
            if left.is_zero() {
                going.fault = DevFault::None;
            } else {
                let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
                return DevFault::Drop { seconds };
            }
        }
        going.fault.clone()
    }

    fn set(&self, fault: DevFault) {
        *self.lock() = Going {
            fault,
            since: Stopwatch::start(),
        };
    }

    fn lock(&self) -> MutexGuard<'_, Going> {
        self.going.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What goes wrong on purpose.
#[utoipa::path(get, path = "/v1/dev/fault", tag = "dev", responses(
    (status = 200, body = DevFault),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn fault(State(api): State<Resources>, asker: Asker) -> Answer<Json<DevFault>> {
    Ok(Json(dev(&api, &asker)?.fault()))
}

/// Lets something go wrong from now on, instead of what did; `none` ends it.
#[utoipa::path(put, path = "/v1/dev/fault", tag = "dev", request_body = DevFault, responses(
    (status = 200, body = DevFault),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn set_fault(
    State(api): State<Resources>,
    asker: Asker,
    Body(fault): Body<DevFault>,
) -> Answer<Json<DevFault>> {
    let dev = dev(&api, &asker)?;
    check(&fault)?;
    tracing::warn!("from now on {fault}");
    dev.set(fault.clone());
    Ok(Json(fault))
}

/// Lets time pass: lease time, the wall clock and J run on together, and what falls due has been done at the answer.
/// Applications have clocks of their own, which do not move.
#[utoipa::path(post, path = "/v1/dev/clock", tag = "dev", request_body = DevClock, responses(
    (status = 200, description = "The clocks after it", body = Clock),
    (status = "default", description = "A refusal or a failure", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn pass(
    State(api): State<Resources>,
    asker: Asker,
    Body(DevClock { advance_s }): Body<DevClock>,
) -> Answer<Json<Clock>> {
    let Some(clock) = &dev(&api, &asker)?.clock else {
        return Err(bad(
            "this daemon's clock is the machine's: start it as `seatkeeperd dev --clock manual`",
        ));
    };
    if clock.read().wall_s.saturating_add(advance_s) > LAST {
        return Err(bad("time passes until the end of the year 2199 at most"));
    }
    clock.advance(Duration::from_secs(advance_s));
    let (done, wait) = oneshot::channel();
    let reply = move |_| {
        // Whoever asked has hung up: time has passed all the same.
        let _ = done.send(());
    };
    // Whatever fell due is done before an order that comes after it.
    let order = Desk::process_gone(Vec::new());
    api.desk.submit(order, None, Box::new(reply));
    let _ = wait.await;
    let clock = api.reading(asker.caller.uid, move |api| api.desk.clock(&asker.caller));
    Ok(Json(clock.await?))
}

/// These routes are there only where there is a `Dev`; who starts it administers it.
fn dev<'a>(api: &'a Shared, asker: &Asker) -> Answer<&'a Dev> {
    api.desk
        .authorize(&asker.caller, Permission::Operate, api.desk.unit())?;
    let broken = || Refusal::internal("a route of `dev` without it");
    api.dev.as_deref().ok_or_else(broken)
}

fn check(fault: &DevFault) -> Answer<()> {
    match fault {
        DevFault::Deny {
            code: Code::Other(code),
            ..
        } => Err(bad(format!(
            "there is no code `{code}`; `seatkeeper help codes` lists them"
        ))),
        DevFault::Drop { seconds } if *seconds > LONGEST_DROP_S => {
            Err(bad("no answers for 24 h at most"))
        }
        DevFault::Slow { seconds } if *seconds > SLOWEST_S => {
            Err(bad("answers are late by 60 s at most"))
        }
        _ => Ok(()),
    }
}

fn bad(why: impl Into<String>) -> Refusal {
    Refusal::new(Code::BadRequest, why)
}

/// A refusal as any other of this code, but for who is behind it.
fn on_purpose(code: Code) -> Refusal {
    let detail = format!(
        "{}, on purpose: `seatkeeper dev fault off` ends it",
        code.title()
    );
    Refusal::new(code, detail)
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closed without an answer, on purpose")
    }
}

impl std::error::Error for Dropped {}
