//! One call to the daemon: made anew for each attempt, its answer sorted into lease, no, and nothing.

use super::error::{Denied, Error, Unreachable};
use super::life::Life;
use super::transport::{Broken, Request, Response};
use super::trust::{Ask, Proven, Sent, judge};
use crate::os;
use crate::wire::{Chain, CheckoutBody, Code, LeaseReply, Problem, RenewBody};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::cell::Cell;
use std::time::Duration;

/// The newest lease that the client holds, shown so that a daemon that was set back learns of it (rule 21).
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) token: Option<String>,
    pub(crate) delegation: Option<String>,
    /// `(epoch, seq)`: which is newer.
    pub(crate) order: (u64, u64),
}

/// A checkout that is tried, perhaps several times under one id (rule 20).
pub(crate) struct Attempted<'a> {
    pub(crate) ask: &'a Ask,
    pub(crate) checkout_id: String,
    pub(crate) interactive: bool,
    /// It was sent: its seat may be there, and be ending by now (rule 20).
    pub(crate) sent: Cell<bool>,
}

/// Ends of a call that brought no lease.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Trying again under the same id can help, after a pause unless the connection was only kept too long.
    Again { error: Unreachable, at_once: bool },
    /// It cannot.
    For(Error),
}

/// The whole of a call is over after this time; the daemon gives up after 10 s.
pub(crate) const CALL: Duration = Duration::from_secs(10);

/// 32 hex digits of randomness: a checkout id, an instance.
pub(crate) fn random_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    os::random(&mut bytes).map_err(|e| Unreachable::machine(&e))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// `POST /v1/leases`, once.
pub(crate) fn checkout(
    life: &Life,
    attempted: &Attempted<'_>,
    timeout: Duration,
) -> Result<Proven, Failed> {
    let seen = life.newest();
    with_delegation(|show| {
        let sent = life.sent(attempted.sent.replace(true))?;
        let body = CheckoutBody {
            checkout_id: attempted.checkout_id.clone(),
            instance: life.instance.clone(),
            nonce: URL_SAFE_NO_PAD.encode(sent.nonce),
            product: attempted.ask.product.to_string(),
            items: vec![attempted.ask.item.clone()],
            roots: life.setup.thumbprints.clone(),
            seen: seen.token.clone(),
            delegation: seen.delegation.clone().filter(|_| show),
            wait_s: 0,
            interactive: attempted.interactive,
            tokens: Vec::new(),
        };
        let request = Request::new("POST", "/v1/leases".to_owned(), Some(json(&body)));
        let reply = lease(exchange(life, &request, timeout)?)?;
        judge(&life.setup.roots, attempted.ask, &sent, None, reply)
            .map_err(|e| Failed::For(e.into()))
    })
}

/// `PUT /v1/leases/{id}`, once; a lease that is kept is shown.
pub(crate) fn renew(
    life: &Life,
    ask: &Ask,
    id: &str,
    (token, kept): (&str, &Chain),
    timeout: Duration,
) -> Result<Proven, Failed> {
    with_delegation(|show| {
        let sent = life.sent(true)?;
        let body = RenewBody {
            instance: life.instance.clone(),
            nonce: URL_SAFE_NO_PAD.encode(sent.nonce),
            seen: Some(token.to_owned()),
            delegation: kept.delegation.clone().filter(|_| show),
        };
        let request = Request::new("PUT", format!("/v1/leases/{id}"), Some(json(&body)));
        let reply = lease(exchange(life, &request, timeout)?)?;
        judge(&life.setup.roots, ask, &sent, Some(kept), reply).map_err(|e| Failed::For(e.into()))
    })
}

/// `DELETE /v1/leases/{id}`: a holder's id or a checkout's. One that is gone already counts as given back.
pub(crate) fn release(life: &Life, id: &str, timeout: Duration) -> Result<(), Error> {
    let request = Request::new(
        "DELETE",
        format!("/v1/leases/{id}?instance={}", life.instance),
        None,
    );
    let reply = match life.transport.exchange(&request, timeout) {
        Err(Broken::Stale) => life.transport.exchange(&request, timeout),
        reply => reply,
    };
    let reply = reply.map_err(Unreachable::from)?;
    match reply.status {
        200..300 => Ok(()),
        _ => match refused(&reply) {
            Failed::For(Error::Denied(denied)) if is_gone(denied.code()) => Ok(()),
            Failed::For(error) => Err(error),
            Failed::Again { error, .. } => Err(error.into()),
        },
    }
}

/// The seat of this id is no more.
fn is_gone(code: &Code) -> bool {
    matches!(
        code,
        Code::LeaseEnded
            | Code::LeaseLapsed
            | Code::Superseded
            | Code::UnknownLease
            | Code::NotFound
    )
}

/// Repeats a call once with the delegation beside the lease that was shown, where the daemon asks for it (rule 21).
fn with_delegation(mut call: impl FnMut(bool) -> Result<Proven, Failed>) -> Result<Proven, Failed> {
    match call(false) {
        Err(Failed::For(Error::Denied(denied))) if *denied.code() == Code::ShowDelegation => {
            call(true)
        }
        result => result,
    }
}

fn exchange(life: &Life, request: &Request, timeout: Duration) -> Result<Response, Failed> {
    life.transport
        .exchange(request, timeout)
        .map_err(|broken| match broken {
            Broken::TooLarge => Failed::For(Unreachable::from(broken).into()),
            Broken::Stale => Failed::Again {
                error: broken.into(),
                at_once: true,
            },
            _ => Failed::Again {
                error: broken.into(),
                at_once: false,
            },
        })
}

fn lease(reply: Response) -> Result<LeaseReply, Failed> {
    match reply.status {
        200 | 201 => serde_json::from_slice(&reply.body).map_err(|e| {
            Failed::For(Unreachable::bad_answer(format!("the answer is no lease: {e}")).into())
        }),
        202 => Err(Failed::For(
            Unreachable::bad_answer("the answer is a ticket, and none was asked for").into(),
        )),
        _ => Err(refused(&reply)),
    }
}

/// A judgement is final; something broken is worth another attempt.
fn refused(reply: &Response) -> Failed {
    let Ok(problem) = serde_json::from_slice::<Problem>(&reply.body) else {
        let text = format!(
            "the answer has status {} and no problem document",
            reply.status
        );
        return Failed::For(Unreachable::bad_answer(text).into());
    };
    let broke = match &problem.code {
        Code::NameServiceDown
        | Code::ServerBusy
        | Code::ServerStopping
        | Code::RequestTimeout
        | Code::Internal => true,
        Code::Other(_) => reply.status >= 500,
        _ => false,
    };
    match (broke, problem.retryable) {
        (true, true) => Failed::Again {
            error: Unreachable::failed(&problem),
            at_once: false,
        },
        (true, false) => Failed::For(Unreachable::failed(&problem).into()),
        (false, _) => Failed::For(Denied::new(problem).into()),
    }
}

fn json(body: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("bodies have text keys and finite numbers, which always encode")
}

impl Life {
    /// A call that is sent now.
    fn sent(&self, again: bool) -> Result<Sent, Failed> {
        let mut nonce = [0; 16];
        os::random(&mut nonce).map_err(|e| Failed::For(Unreachable::machine(&e).into()))?;
        Ok(Sent {
            nonce,
            boot_id: self.boot_id,
            at: self.setup.clock.now(),
            again,
        })
    }
}
