//! Checkout and renewal: the body becomes a command, the verdict a lease that is signed for this very call.

use super::parse::{self, bad};
use super::refusal::Subject;
use super::seen::{self, Seen};
use super::{Desk, Login, trace_of};
use crate::authorize::{Caller, Permission, holds_no_seat};
use crate::keeper::{Answer, Failure, Snapshot};
use crate::problem::{Refused, internal};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seatkeeper::token::claims::{Info, Last, Lease};
use seatkeeper::token::{host_hash, lease};
use seatkeeper::wire::{Chain, CheckoutBody, Code, LeaseReply, RenewBody};
use seatkeeper_engine::command::{Checkout, Process, Renew, Shown};
use seatkeeper_engine::event::EndingWhy;
use seatkeeper_engine::ids::{HolderId, InstanceId, Name, UserId};
use seatkeeper_engine::{Command, LeaseTerms, Order, Origin, Verdict, Warning};
use std::sync::Arc;

/// What the second half of a checkout or renewal needs of the first.
#[derive(Debug)]
pub struct LeaseAsked {
    caller: Caller,
    nonce: String,
    host: String,
    seen: Option<Seen>,
    what: What,
}

/// What was asked for, as far as a refusal names it.
#[derive(Debug)]
enum What {
    Feature {
        /// `product/feature`.
        name: String,
        version: Option<Name>,
    },
    Holder(HolderId),
}

/// A signed lease on its way out.
#[derive(Clone, Debug)]
pub struct Leased {
    /// The holder; its process is to be watched.
    pub holder: HolderId,
    /// A seat was taken just now (201), not kept or found again (200).
    pub new: bool,
    /// The body.
    pub reply: LeaseReply,
}

impl Desk {
    /// The first half of `POST /v1/leases`, for a person who is known ([`Desk::user_of`], else [`Desk::meet`]).
    ///
    /// # Errors
    /// `bad_request` that names the member, or `forbidden`.
    pub fn prepare_checkout(
        &self,
        caller: &Caller,
        user: UserId,
        body: &CheckoutBody,
    ) -> Result<(Order, LeaseAsked), Refused> {
        self.traced(caller, self.checkout_of(caller, user, body))
    }

    /// The first half of `PUT /v1/leases/{id}`.
    ///
    /// # Errors
    /// As for a checkout.
    pub fn prepare_renew(
        &self,
        caller: &Caller,
        id: &str,
        body: &RenewBody,
    ) -> Result<(Order, LeaseAsked), Refused> {
        self.traced(caller, self.renew_of(caller, id, body))
    }

    /// The second half of both: signs the lease.
    ///
    /// # Errors
    /// The denial, or what broke.
    pub fn finish_lease(
        &self,
        asked: LeaseAsked,
        answer: Result<Answer, Failure>,
    ) -> Result<Leased, Refused> {
        let answer = answer.map_err(|e| self.fail(&asked.caller, e))?;
        match answer.verdict {
            Verdict::Leased(terms) => {
                let signed = self.sign(&asked, *terms, &answer.snapshot);
                self.traced(&asked.caller, signed)
            }
            Verdict::Denied(denial) => {
                let (what, version) = match &asked.what {
                    What::Feature { name, version } => {
                        self.note(&denial, &asked.caller, name);
                        (name, version.as_deref())
                    }
                    What::Holder(holder) => (&format!("the seat {holder}"), None),
                };
                let subject = Subject {
                    caller: &asked.caller,
                    user: &asked.caller.login.name,
                    what,
                    version,
                };
                Err(self.refuse(&denial, subject, &answer.snapshot))
            }
            other => self.traced(
                &asked.caller,
                Err(internal(
                    "an answer without a lease",
                    &format_args!("{other:?}"),
                )),
            ),
        }
    }

    /// A checkout as a whole; blocks.
    ///
    /// # Errors
    /// The denial, or what broke.
    pub fn checkout(&self, caller: &Caller, body: &CheckoutBody) -> Result<Leased, Refused> {
        let user = self.meet(caller)?;
        let (order, asked) = self.prepare_checkout(caller, user, body)?;
        let answer = self.ask(order, caller.trace.clone());
        self.finish_lease(asked, answer)
    }

    /// A renewal as a whole; blocks.
    ///
    /// # Errors
    /// The denial, or what broke.
    pub fn renew(&self, caller: &Caller, id: &str, body: &RenewBody) -> Result<Leased, Refused> {
        let (mut order, asked) = self.prepare_renew(caller, id, body)?;
        if let Some(shown) = stranger(&mut order) {
            shown.user = Some(self.meet(caller)?);
        }
        let answer = self.ask(order, caller.trace.clone());
        self.finish_lease(asked, answer)
    }

    fn checkout_of(
        &self,
        caller: &Caller,
        user: UserId,
        body: &CheckoutBody,
    ) -> Result<(Order, LeaseAsked), Refused> {
        self.authorize(caller, Permission::SeatUse, self.unit)?;
        holds_no_seat(caller)?;
        let asked = parse::items(&body.items)?;
        let wait_s = parse::wait(body.wait_s)?;
        if body.tokens.len() > parse::TOKEN_TYPES {
            return Err(bad(
                "tokens",
                format_args!("more than {}", parse::TOKEN_TYPES),
            ));
        }
        let product = parse::name("product", &body.product)?;
        let what = What::Feature {
            name: format!("{product}/{}", asked.feature),
            version: asked.version.clone(),
        };
        let shown = (&body.seen, &body.delegation);
        let lease = self.lease_asked(caller, &body.nonce, shown, what)?;
        let shown = (body.seen.as_deref(), body.delegation.as_deref());
        let shown = self.shown(shown, lease.seen.as_ref(), || Some(user), false)?;
        let command = Command::Checkout(Box::new(Checkout {
            checkout_id: parse::id("checkout_id", &body.checkout_id, parse::HEX)?,
            process: self.process(caller, &body.instance)?,
            pid: caller.pid,
            user,
            product,
            feature: asked.feature,
            version: asked.version,
            n: asked.n,
            roots: parse::roots(&body.roots)?,
            wait_s,
            interactive: body.interactive,
            needs_terms: self.settings.terms_block_checkout,
            shown,
        }));
        Ok((self.of_user(caller, Some(user), command), lease))
    }

    fn renew_of(
        &self,
        caller: &Caller,
        id: &str,
        body: &RenewBody,
    ) -> Result<(Order, LeaseAsked), Refused> {
        self.authorize(caller, Permission::SeatUse, self.unit)?;
        holds_no_seat(caller)?;
        let holder = parse::id("id", id, "not a holder (EPOCH.N.H)")?;
        let shown = (&body.seen, &body.delegation);
        let lease = self.lease_asked(caller, &body.nonce, shown, What::Holder(holder))?;
        let process = self.process(caller, &body.instance)?;
        let shown = (body.seen.as_deref(), body.delegation.as_deref());
        // Renewals are not journaled, and nobody reads who the person is: but for a seat that is adopted.
        let person = || self.user_of(caller);
        let shown = self.shown(shown, lease.seen.as_ref(), person, true)?;
        let user = shown.as_ref().and_then(|shown| shown.user);
        let command = Command::Renew(Renew {
            holder,
            process,
            shown,
        });
        Ok((self.of_user(caller, user, command), lease))
    }

    fn lease_asked(
        &self,
        caller: &Caller,
        nonce: &str,
        (seen, delegation): (&Option<String>, &Option<String>),
        what: What,
    ) -> Result<LeaseAsked, Refused> {
        parse::shown("seen", seen.as_deref())?;
        parse::shown("delegation", delegation.as_deref())?;
        let raw = parse::nonce(nonce)?;
        self.may_sign(caller)?;
        Ok(LeaseAsked {
            caller: caller.clone(),
            nonce: nonce.to_owned(),
            host: host_hash(self.settings.boot.0, &raw),
            seen: seen
                .as_deref()
                .and_then(|token| seen::read(token, self.keys.lease().thumbprint())),
            what,
        })
    }

    /// The process at the other end: all but the instance is the kernel's word.
    pub(super) fn process(&self, caller: &Caller, instance: &str) -> Result<Process, Refused> {
        let instance: InstanceId = parse::id("instance", instance, parse::HEX)?;
        Ok(Process {
            machine: self.machine,
            attested_by: caller.attested_by,
            uid: caller.uid,
            boot: self.settings.boot,
            instance,
        })
    }

    fn of_user(&self, caller: &Caller, user: Option<UserId>, command: Command) -> Order {
        Order {
            actor: caller.actor(user),
            origin: Origin::Socket,
            command,
        }
    }

    fn sign(
        &self,
        asked: &LeaseAsked,
        mut terms: LeaseTerms,
        snapshot: &Snapshot,
    ) -> Result<Leased, Refused> {
        let delegated = self.delegation(&asked.caller, terms.now.j)?;
        // One that renews itself never comes near its end.
        terms.cut_to(delegated.left_s(terms.now.j));
        let key = self.keys.lease();
        let (holder, new) = (terms.holder, terms.new);
        let (hash, iat) = (terms.signed.hash, terms.now.j.0);
        let claims = claims(asked, terms, key.thumbprint());
        let token =
            lease::sign(&claims, key).map_err(|e| internal("the lease cannot be signed", &e))?;
        self.signed.note(claims.seq);
        // A checkout gets the whole chain.
        let renewal = matches!(asked.what, What::Holder(_));
        let seen = asked.seen.as_ref().filter(|_| renewal);
        let has_license = seen.is_some_and(|seen| seen.license == hash);
        // A lease of the same second may have been signed before the delegation: then it is sent once more.
        let has_delegation =
            seen.is_some_and(|seen| seen.ours && seen.iat > delegated.since && seen.iat <= iat);
        let tokens = if has_license {
            None
        } else {
            snapshot.state.tokens.get(&hash)
        };
        Ok(Leased {
            holder,
            new,
            reply: LeaseReply {
                id: claims.jti,
                lease: token,
                chain: Chain {
                    issuer: tokens.map(|tokens| tokens.issuer.to_string()),
                    license: tokens.map(|tokens| tokens.token.to_string()),
                    delegation: (!has_delegation).then(|| delegated.token.clone()),
                },
            },
        })
    }

    pub(super) fn traced<T>(
        &self,
        caller: &Caller,
        result: Result<T, Refused>,
    ) -> Result<T, Refused> {
        result.map_err(|mut refused| {
            if refused.code == Code::Internal {
                tracing::error!(trace = %trace_of(caller), "the failure above belongs to this exchange");
            }
            refused.trace_id = trace_of(caller);
            refused
        })
    }
}

/// The lease that somebody shows whom this site does not know: to adopt their seat, meet them first.
#[must_use]
pub fn stranger(order: &mut Order) -> Option<&mut Shown> {
    match &mut order.command {
        Command::Renew(renew) => renew.shown.as_deref_mut().filter(|s| s.user.is_none()),
        _ => None,
    }
}

fn claims(asked: &LeaseAsked, terms: LeaseTerms, lease_key: &str) -> Lease {
    let login: &Arc<Login> = &asked.caller.login;
    Lease {
        iss: lease_key.to_owned(),
        sub: login.full.clone(),
        jti: terms.holder.to_string(),
        license: URL_SAFE_NO_PAD.encode(terms.signed.hash.0),
        feature: terms.feature.to_string(),
        version: terms.version.map(|version| version.to_string()),
        policies: terms.policies.iter().map(ToString::to_string).collect(),
        gid: terms.holder.gid.to_string(),
        slots: terms.slots,
        seq: terms.seq,
        epoch: terms.epoch,
        run_id: terms.run.to_string(),
        nonce: asked.nonce.clone(),
        iat: terms.now.j.0,
        ttl_s: terms.ttl_s,
        grace_s: terms.grace_s,
        last: terms.last.map(last),
        warning: terms
            .warnings
            .into_iter()
            .map(|warning| word(warning).to_owned())
            .collect(),
        host: asked.host.clone(),
        info: Info::new(),
    }
}

fn last(why: EndingWhy) -> Last {
    match why {
        EndingWhy::Reclaimed => Last::Reclaimed,
        EndingWhy::Released => Last::Released,
        EndingWhy::RightLost => Last::RightLost,
        EndingWhy::Superseded => Last::Superseded,
    }
}

fn word(warning: Warning) -> &'static str {
    match warning {
        Warning::ExpiresSoon => "expires_soon",
        Warning::OverSoftLimit => "over_soft_limit",
    }
}
