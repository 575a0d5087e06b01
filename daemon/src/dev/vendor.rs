//! The vendor of `dev`: a root whose private key is published on purpose, and a license with three seats for this site.

use seatkeeper::testing::DEV_ROOT;
use seatkeeper::token::claims::{
    Count, Counting, Customer, Feature, Info, Issuer, License, Model, Term,
};
use seatkeeper::token::keys::{KeyError, PublicKey, SigningKey};
use seatkeeper::token::{TokenError, issuer, license};
use seatkeeper::wire::TrustBody;
use seatkeeper_core::random;
use std::fmt;
use zeroize::Zeroizing;

/// The vendor's name.
pub const VENDOR: &str = "dev-vendor";
/// The product of the license, and of the example application.
pub const PRODUCT: &str = "acme-cad";
/// Its feature.
pub const FEATURE: &str = "modeler";
/// The license.
pub const LICENSE: &str = "dev-license";
/// Its seats.
pub const SEATS: u64 = 3;

/// Published: whoever reads the sources can sign with it, so `run` refuses what it signed.
const ROOT_KEY: &str = include_str!("dev_root_key.pem");
const DAY_S: u64 = 86_400;

/// How long leases of `dev` live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Times {
    /// Seconds that a lease lives.
    pub ttl_s: u64,
    /// Seconds of grace after it.
    pub grace_s: u64,
}

/// The license could not be made.
#[derive(Debug)]
pub enum VendorError {
    /// The published key.
    Key(KeyError),
    /// A token could not be signed: times beyond what a license may say.
    Token(TokenError),
    /// No randomness.
    Random(std::io::Error),
}

/// What makes the site trust this vendor.
#[must_use]
pub fn trust() -> TrustBody {
    TrustBody {
        name: VENDOR.to_owned(),
        pem: DEV_ROOT.to_owned(),
    }
}

/// A license file for a site.
///
/// # Errors
/// Times that no license may say, or no randomness.
pub fn license_file(site: &PublicKey, now_s: u64, times: Times) -> Result<String, VendorError> {
    let root = SigningKey::from_pem(ROOT_KEY, None).map_err(VendorError::Key)?;
    let seed = Zeroizing::new(random::bytes().map_err(VendorError::Random)?);
    let issuing = SigningKey::generate(&seed);
    let above = issuer::sign(&issuer_claims(&issuing, now_s), &root).map_err(VendorError::Token)?;
    let token = license::sign(&claims(site, now_s, times), &issuing).map_err(VendorError::Token)?;
    Ok(format!(
        "# Seatkeeper license of `seatkeeperd dev`: {SEATS} seats of {PRODUCT}/{FEATURE}\n\n{above}\n\n{token}\n"
    ))
}

fn issuer_claims(issuing: &SigningKey, now_s: u64) -> Issuer {
    Issuer {
        iss: VENDOR.to_owned(),
        sub: issuing.thumbprint().to_owned(),
        jti: format!("dev-{now_s}"),
        iat: now_s,
        nbf: now_s,
        exp: now_s + 365 * DAY_S,
        cnf: issuing.public().to_cnf(),
        products: vec![PRODUCT.to_owned()],
        min_serial: 0,
        revoked_kids: Vec::new(),
        info: Info::new(),
    }
}

fn claims(site: &PublicKey, now_s: u64, times: Times) -> License {
    License {
        iss: VENDOR.to_owned(),
        sub: LICENSE.to_owned(),
        iat: now_s,
        serial: 1,
        replaces: None,
        product: PRODUCT.to_owned(),
        customer: Customer {
            id: "dev".to_owned(),
            name: "Your own machine".to_owned(),
            contact: "you@localhost".to_owned(),
            managed_by: None,
        },
        nbf: now_s,
        term: Term::Dated,
        exp: Some(now_s + 90 * DAY_S),
        cnf: site.to_cnf(),
        features: vec![feature(times)],
        info: Info::new(),
    }
}

fn feature(times: Times) -> Feature {
    Feature {
        name: FEATURE.to_owned(),
        seats: Count::Number(SEATS),
        model: Model::Floating,
        counting: Counting::Process,
        version: None,
        ttl_s: times.ttl_s,
        grace_s: times.grace_s,
        save_s: times.ttl_s.min(300),
        cool_down_s: 600,
        linger_s: 0,
        overdraft: 0,
        share_max: Count::UNLIMITED,
        named_min_s: 0,
        borrow: None,
        policies: vec!["save".to_owned()],
        optional_policies: vec!["export-pdf".to_owned()],
    }
}

impl Default for Times {
    fn default() -> Self {
        Times {
            ttl_s: 900,
            grace_s: 0,
        }
    }
}

impl fmt::Display for VendorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VendorError::Key(why) => write!(f, "the development root key: {why}"),
            VendorError::Token(why) => write!(
                f,
                "the development license cannot be signed: {why}; give other --ttl and --grace"
            ),
            VendorError::Random(why) => write!(f, "the kernel gives no random bytes: {why}"),
        }
    }
}

impl std::error::Error for VendorError {}
