//! The license request: what a site tells a vendor about itself, signed by its own key.

use crate::random;
use seatkeeper::token::claims::{Info, InstalledRef, Request};
use seatkeeper::token::keys::SigningKey;
use seatkeeper::token::{TokenError, request};
use seatkeeper_engine::State;
use seatkeeper_engine::ids::RunId;
use seatkeeper_engine::time::Date;
use std::fmt;

/// What the administrator says.
pub(crate) struct Asked<'a> {
    pub(crate) account: &'a str,
    pub(crate) product_version: Option<&'a str>,
    pub(crate) order: Option<&'a str>,
    pub(crate) site: &'a str,
    pub(crate) daemon: &'a str,
}

/// No request.
pub(crate) enum RequestError {
    Random(std::io::Error),
    Token(TokenError),
}

/// Signs the request.
pub(crate) fn sign(
    asked: &Asked<'_>,
    key: &SigningKey,
    state: &State,
    now: Date,
) -> Result<String, RequestError> {
    let random: [u8; 16] = random::bytes().map_err(RequestError::Random)?;
    let claims = Request {
        iss: key.thumbprint().to_owned(),
        jti: RunId(random).to_string(),
        iat: now.0,
        cnf: key.public().to_cnf(),
        site: asked.site.to_owned(),
        account: asked.account.to_owned(),
        product_version: asked.product_version.map(str::to_owned),
        order: asked.order.map(str::to_owned),
        installed: state
            .licenses
            .values()
            .map(|license| installed(&license.terms))
            .collect(),
        clocks_accepted: state.clock.count,
        daemon: asked.daemon.to_owned(),
        info: Info::new(),
    };
    request::sign(&claims, key).map_err(RequestError::Token)
}

fn installed(terms: &seatkeeper_engine::state::LicenseTerms) -> InstalledRef {
    InstalledRef {
        vendor: terms.id.vendor.to_string(),
        license: terms.id.id.to_string(),
        serial: terms.serial,
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::Random(e) => e.fmt(f),
            RequestError::Token(e) => e.fmt(f),
        }
    }
}
