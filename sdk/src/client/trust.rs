//! Whether an answer proves that this seat may be used: the whole chain, and that it answers this call (S5, S17, S18).

use super::error::Untrusted;
use super::schedule::Term;
use crate::clock::Moment;
use crate::token::chain::{self, Expect};
use crate::token::claims::Lease;
use crate::token::keys::PublicKey;
use crate::wire::{Chain, Code, Item, LeaseReply};
use std::sync::Arc;

/// What is asked, the same in every call for one seat.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) product: Arc<str>,
    pub(crate) item: Item,
}

/// One call: its nonce, which no other has, when it was sent, and from which boot of which machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) nonce: [u8; 16],
    pub(crate) boot_id: [u8; 16],
    pub(crate) at: Moment,
    /// The daemon may know the seat: a renewal, or a checkout that is repeated.
    pub(crate) again: bool,
}

/// A lease that is proven, with the tokens that prove it.
#[derive(Clone, Debug)]
pub(crate) struct Proven {
    pub(crate) lease: Lease,
    pub(crate) term: Term,
    pub(crate) token: String,
    pub(crate) chain: Chain,
    pub(crate) vendor: String,
    pub(crate) license: String,
    pub(crate) license_ends: Option<u64>,
}

/// Judges an answer. A renewal's brings what changed of the chain; what it leaves out is taken from `kept`.
pub(crate) fn judge(
    roots: &[PublicKey],
    ask: &Ask,
    sent: &Sent,
    kept: Option<&Chain>,
    reply: LeaseReply,
) -> Result<Proven, Untrusted> {
    let chain = completed(reply.chain, kept);
    let verified = chain::verify(roots, &chain)?;
    let expect = Expect {
        nonce: &sent.nonce,
        boot_id: sent.boot_id,
        product: &ask.product,
        feature: &ask.item.feature,
        version: ask.item.version.as_deref(),
        n: ask.item.n,
        renewal: sent.again,
    };
    let lease = verified.check_lease(&reply.lease, &expect)?;
    if reply.id != lease.jti {
        return Err(Untrusted::new(
            Code::BadSignature,
            "the answer names another seat than its lease",
        ));
    }
    let feature = verified.license.feature(&lease.feature).ok_or_else(|| {
        Untrusted::new(Code::BadSignature, "the license lacks the lease's feature")
    })?;
    let ends = verified.license.license.exp;
    let term = Term::of(&lease, feature, ends, sent.at);
    let license = verified.license.license;
    Ok(Proven {
        lease,
        term,
        token: reply.lease,
        chain,
        vendor: license.iss,
        license: license.sub,
        license_ends: ends,
    })
}

fn completed(new: Chain, kept: Option<&Chain>) -> Chain {
    let Some(kept) = kept else { return new };
    Chain {
        issuer: new.issuer.or_else(|| kept.issuer.clone()),
        license: new.license.or_else(|| kept.license.clone()),
        delegation: new.delegation.or_else(|| kept.delegation.clone()),
    }
}
