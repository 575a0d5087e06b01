//! License requests: a site asks a vendor for a license, under the site key that the request carries.

use super::bounds::{self, Check};
use super::claims::Request;
use super::error::{Kind, TokenError};
use super::jws::{self, Claims};

/// Verifies a request under the key in its own `cnf`: whoever sent it has that key.
///
/// # Errors
/// Whatever keeps it from being exactly such a token; a weak or non-canonical key too.
pub fn verify(token: &str) -> Result<Request, TokenError> {
    jws::open_own(token, |claims: &Request| bounds::key(&claims.cnf))
}

/// Signs one with the site key.
///
/// # Errors
/// Claims that `verify` would refuse.
#[cfg(feature = "issue")]
pub fn sign(claims: &Request, site_key: &super::keys::SigningKey) -> Result<String, TokenError> {
    jws::seal(claims, site_key)
}

impl Claims for Request {
    const KIND: Kind = Kind::Request;
    const MAX: usize = 16 * 1024;

    fn check(&self) -> Check {
        bounds::key_named("iss", &self.iss, &self.cnf)?;
        bounds::name("jti", &self.jti)?;
        bounds::number("iat", self.iat)?;
        bounds::text("site", &self.site)?;
        bounds::text("account", &self.account)?;
        bounds::optional(
            "product_version",
            self.product_version.as_deref(),
            bounds::text,
        )?;
        bounds::optional("order", self.order.as_deref(), bounds::text)?;
        for installed in &self.installed {
            bounds::name("installed.vendor", &installed.vendor)?;
            bounds::name("installed.license", &installed.license)?;
            bounds::number("installed.serial", installed.serial)?;
        }
        bounds::number("clocks_accepted", self.clocks_accepted)?;
        bounds::text("daemon", &self.daemon)
    }

    fn signer(&self) -> Option<&str> {
        Some(&self.iss)
    }
}
