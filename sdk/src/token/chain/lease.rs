//! What a lease must say to be the answer to one call (S5, S17, S18).

use super::{ChainError, Dated, VerifiedChain};
use crate::token::claims::{Count, Feature, Lease};
use crate::token::{hash, lease};

/// What the caller asked for.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    /// The raw nonce of this call, and of no other.
    pub nonce: &'a [u8],
    /// The 16 raw bytes of this machine's boot id.
    pub boot_id: [u8; 16],
    /// The product.
    pub product: &'a str,
    /// The feature.
    pub feature: &'a str,
    /// The version asked for.
    pub version: Option<&'a str>,
    /// Seats asked for.
    pub n: u32,
    /// The call was a renewal, or a checkout that was sent before under the same id: only there a lease may be the last.
    pub renewal: bool,
}

impl VerifiedChain {
    /// Verifies a lease under this chain and against what was asked for. Reads no clock: the lease runs from the send of its call.
    ///
    /// # Errors
    /// A lease that is not genuine, answers another call, or says more than license and delegation allow.
    pub fn check_lease(&self, token: &str, expect: &Expect<'_>) -> Result<Lease, ChainError> {
        let claims = lease::verify(token, &self.lease_key)?;
        this_call(&claims, expect)?;
        self.this_license(&claims, expect)?;
        self.dates(&claims)?;
        Ok(claims)
    }

    fn this_license(&self, lease: &Lease, expect: &Expect<'_>) -> Result<(), ChainError> {
        if lease.license != self.license.hash {
            return Err(ChainError::NotThisCall("license"));
        }
        if self.license.license.product != expect.product {
            return Err(ChainError::NotThisCall("product"));
        }
        let feature = self
            .license
            .feature(&lease.feature)
            .ok_or(ChainError::BeyondLicense("feature"))?;
        within(lease, feature)?;
        if !lease
            .slots
            .iter()
            .all(|slot| self.delegates(&lease.feature, *slot))
        {
            return Err(ChainError::BeyondLicense("slots outside the delegation"));
        }
        Ok(())
    }

    /// License and delegation are judged at the lease's `iat`, and it may not outlive either.
    fn dates(&self, lease: &Lease) -> Result<(), ChainError> {
        let (license, delegation) = (&self.license.license, &self.delegation);
        let end = lease.iat + lease.ttl_s + lease.grace_s;
        for (what, nbf, exp) in [
            (Dated::License, license.nbf, license.exp),
            (Dated::Delegation, delegation.nbf, Some(delegation.exp)),
        ] {
            what.judge(nbf, exp, lease.iat)?;
            if let Some(exp) = exp
                && end > exp
            {
                return Err(ChainError::Expired { what, exp });
            }
        }
        Ok(())
    }
}

fn this_call(lease: &Lease, expect: &Expect<'_>) -> Result<(), ChainError> {
    let differs = |same: bool, claim| {
        if same {
            Ok(())
        } else {
            Err(ChainError::NotThisCall(claim))
        }
    };
    differs(
        lease::nonce(&lease.nonce).as_deref() == Some(expect.nonce),
        "nonce",
    )?;
    differs(
        lease.host == hash::host_hash(expect.boot_id, expect.nonce),
        "host",
    )?;
    differs(lease.feature == expect.feature, "feature")?;
    differs(lease.version.as_deref() == expect.version, "version")?;
    differs(
        u32::try_from(lease.slots.len()) == Ok(expect.n),
        "the number of slots",
    )?;
    differs(expect.renewal || lease.last.is_none(), "last")
}

fn within(lease: &Lease, feature: &Feature) -> Result<(), ChainError> {
    let beyond = |fits: bool, claim| {
        if fits {
            Ok(())
        } else {
            Err(ChainError::BeyondLicense(claim))
        }
    };
    if let Count::Number(seats) = feature.seats {
        let slots = seats + feature.overdraft;
        beyond(lease.slots.iter().all(|slot| *slot < slots), "slots")?;
    }
    beyond(lease.ttl_s <= feature.ttl_s, "ttl_s")?;
    beyond(lease.grace_s <= feature.grace_s, "grace_s")?;
    beyond(
        lease.last.is_none() || lease.ttl_s <= feature.save_s,
        "ttl_s of a last lease",
    )?;
    let granted =
        |policy| feature.policies.contains(policy) || feature.optional_policies.contains(policy);
    beyond(lease.policies.iter().all(granted), "policies")?;
    beyond(
        covers(feature.version.as_deref(), lease.version.as_deref()),
        "version",
    )
}

/// Rule 12: as numbers, over as many parts as the limit has; missing parts are 0; no version is too new where there is a limit.
fn covers(limit: Option<&str>, version: Option<&str>) -> bool {
    let Some(limit) = limit else { return true };
    let Some(version) = version else { return false };
    let mut parts = version.split('.').map(digits);
    for most in limit.split('.').map(digits) {
        match parts.next().unwrap_or((0, "")).cmp(&most) {
            std::cmp::Ordering::Less => return true,
            std::cmp::Ordering::Greater => return false,
            std::cmp::Ordering::Equal => {}
        }
    }
    true
}

/// A number of any length as something that compares like it.
fn digits(part: &str) -> (usize, &str) {
    let part = part.trim_start_matches('0');
    (part.len(), part)
}
