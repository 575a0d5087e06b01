//! The line between a client and the daemon of a test: requests as over a socket, and faults on request.

use crate::daemon::caller;
use seatkeeper::testing::{Broken, Request, Response, Transport};
use seatkeeper::wire::{Code, Problem};
use seatkeeper_core::desk::{Desk, Leased, Refused, Released};
use seatkeeper_core::keeper::Keeper;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A line of one user.
pub(crate) struct Line {
    pub(crate) desk: Arc<Desk>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) user: String,
    pub(crate) uid: u32,
    /// The daemon lives as long as somebody can ask it.
    pub(crate) _keeper: Arc<Keeper>,
}

/// What goes wrong on the lines of a daemon.
#[derive(Default)]
pub(crate) struct Faults {
    now: Mutex<Wrong>,
}

#[derive(Default)]
struct Wrong {
    away: bool,
    lost: usize,
    deny_next: Option<Code>,
    deny_checkouts: Option<Code>,
    deny_renewals: Option<Code>,
}

impl Faults {
    pub(crate) fn away(&self, away: bool) {
        self.lock().away = away;
    }

    pub(crate) fn lose(&self, replies: usize) {
        self.lock().lost = replies;
    }

    pub(crate) fn deny_next(&self, code: Code) {
        self.lock().deny_next = Some(code);
    }

    pub(crate) fn deny_checkouts(&self, code: Option<Code>) {
        self.lock().deny_checkouts = code;
    }

    pub(crate) fn deny_renewals(&self, code: Option<Code>) {
        self.lock().deny_renewals = code;
    }

    /// The code with which a call is refused, where one was ordered.
    fn denied(&self, method: &str) -> Option<Code> {
        let mut wrong = self.lock();
        wrong.deny_next.take().or_else(|| match method {
            "POST" => wrong.deny_checkouts.clone(),
            "PUT" => wrong.deny_renewals.clone(),
            _ => None,
        })
    }

    fn lose_one(&self) -> bool {
        let mut wrong = self.lock();
        let lose = wrong.lost > 0;
        wrong.lost -= usize::from(lose);
        lose
    }

    fn lock(&self) -> MutexGuard<'_, Wrong> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Line {
    fn exchange(&self, request: &Request, _: Duration) -> Result<Response, Broken> {
        if self.faults.lock().away {
            return Err(Broken::TimedOut);
        }
        if let Some(code) = self.faults.denied(&request.method) {
            return Ok(refusal(&made_up(code)));
        }
        let reply = self
            .serve(request)
            .unwrap_or_else(|refused| refusal(&refused));
        if self.faults.lose_one() {
            Err(Broken::TimedOut)
        } else {
            Ok(reply)
        }
    }

    fn endpoint(&self) -> Option<PathBuf> {
        None
    }
}

impl Line {
    fn serve(&self, request: &Request) -> Result<Response, Refused> {
        let caller = caller(&self.desk, (self.uid, &self.user), false)?;
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let id = path.strip_prefix("/v1/leases/").unwrap_or_default();
        match (request.method.as_str(), path) {
            ("POST", "/v1/leases") => self.desk.checkout(&caller, &body(request)?).map(leased),
            ("PUT", _) if !id.is_empty() => {
                self.desk.renew(&caller, id, &body(request)?).map(leased)
            }
            ("DELETE", _) if !id.is_empty() => {
                let instance = query.strip_prefix("instance=");
                self.desk.release(&caller, id, instance).map(released)
            }
            _ => Err(Box::new(made_up(Code::NotFound))),
        }
    }
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Refused> {
    serde_json::from_slice(request.body.as_deref().unwrap_or_default())
        .map_err(|_| Box::new(made_up(Code::BadRequest)))
}

fn leased(leased: Leased) -> Response {
    json(if leased.new { 201 } else { 200 }, &leased.reply)
}

fn released(released: Released) -> Response {
    match released {
        Released::Now(_) => Response {
            status: 204,
            headers: Vec::new(),
            body: Vec::new(),
        },
        Released::Ending(reply) => json(200, &reply),
    }
}

fn refusal(problem: &Problem) -> Response {
    json(problem.status, problem)
}

fn json(status: u16, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body)
        .expect("bodies have text keys and finite numbers, which always encode");
    Response {
        status,
        headers: Vec::new(),
        body,
    }
}

/// A problem as the daemon would word it, for a refusal that nothing real stands behind.
fn made_up(code: Code) -> Problem {
    let about = code.about().to_owned();
    Problem::new(code, about)
}
