//! What a test's license says, and the vendor that signs it.

use seatkeeper::token::claims::{
    Count, Counting, Customer, Feature as FeatureClaims, Info, Issuer, License, Model, Term,
};
use seatkeeper::token::keys::{PublicKey, SigningKey};
use seatkeeper::token::{issuer, license};
use std::time::Duration;
use zeroize::Zeroizing;

/// What the daemon of a test has to give; [`Daemon::renew_license`](crate::Daemon::renew_license) changes it later.
///
/// ```
/// use seatkeeper_testing::{Feature, Plan};
///
/// let plan = Plan::new("acme-cad").feature(Feature::new("modeler").seats(1)).feature(Feature::new("render"));
/// let client = plan.start().client();
/// let _held = client.checkout("modeler").acquire()?;
/// assert_eq!(client.checkout("modeler").acquire().unwrap_err().code(), "no_seat_free");
/// # Ok::<(), seatkeeper::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "`start` makes a daemon of it"]
pub struct Plan {
    pub(crate) product: String,
    features: Vec<FeatureClaims>,
    lasts: Duration,
}

/// One feature of a license.
#[derive(Clone, Debug)]
#[must_use = "a plan takes it in"]
pub struct Feature(FeatureClaims);

/// A vendor of a test: its keys are made for it.
pub(crate) struct Vendor {
    root: SigningKey,
    issuing: SigningKey,
}

pub(crate) const VENDOR: &str = "acme";
const DAY: u64 = 86_400;

impl Plan {
    /// A license of a product, without features so far, that lasts a year.
    pub fn new(product: &str) -> Plan {
        Plan {
            product: product.to_owned(),
            features: Vec::new(),
            lasts: Duration::from_secs(365 * DAY),
        }
    }

    /// A feature more.
    pub fn feature(mut self, feature: Feature) -> Plan {
        self.features.push(feature.0);
        self
    }

    /// How long the license lasts from the start of the daemon, or from its renewal.
    pub fn lasts(mut self, lasts: Duration) -> Plan {
        self.lasts = lasts;
        self
    }
}

impl Default for Plan {
    /// Product `cad` with feature `modeler`: 3 seats, ttl 900 s, grace 300 s, policy `export-pdf`.
    fn default() -> Plan {
        Plan::new("cad").feature(
            Feature::new("modeler")
                .seats(3)
                .grace(Duration::from_secs(300))
                .policy("export-pdf"),
        )
    }
}

impl Feature {
    /// A floating feature with 10 seats, counted by process, with the product's defaults: ttl 900 s, no grace, 300 s to
    /// save, cool-down 600 s.
    pub fn new(name: &str) -> Feature {
        Feature(FeatureClaims {
            name: name.to_owned(),
            seats: Count::Number(10),
            model: Model::Floating,
            counting: Counting::Process,
            version: None,
            ttl_s: 900,
            grace_s: 0,
            save_s: 300,
            cool_down_s: 600,
            linger_s: 0,
            overdraft: 0,
            share_max: Count::Number(1),
            named_min_s: 0,
            borrow: None,
            policies: Vec::new(),
            optional_policies: Vec::new(),
        })
    }

    /// So many seats.
    pub fn seats(mut self, seats: u64) -> Feature {
        self.0.seats = Count::Number(seats);
        self
    }

    /// The highest version served.
    pub fn version(mut self, limit: &str) -> Feature {
        self.0.version = Some(limit.to_owned());
        self
    }

    /// How long a lease lives without renewal, in whole seconds; the time to save is cut to it.
    pub fn ttl(mut self, ttl: Duration) -> Feature {
        self.0.ttl_s = ttl.as_secs();
        self.0.save_s = self.0.save_s.min(self.0.ttl_s);
        self
    }

    /// Grace after it, in whole seconds.
    pub fn grace(mut self, grace: Duration) -> Feature {
        self.0.grace_s = grace.as_secs();
        self
    }

    /// A policy that everybody is granted.
    pub fn policy(mut self, policy: &str) -> Feature {
        self.0.policies.push(policy.to_owned());
        self
    }
}

impl Vendor {
    /// New keys from two times 32 random bytes.
    pub(crate) fn new(root: [u8; 32], issuing: [u8; 32]) -> Vendor {
        let [root, issuing] =
            [root, issuing].map(|bytes| SigningKey::generate(&Zeroizing::new(bytes)));
        Vendor { root, issuing }
    }

    pub(crate) fn root(&self) -> PublicKey {
        self.root.public()
    }

    /// The license file of a serial for a site.
    ///
    /// # Panics
    /// Where the plan says what no license may say, with what is wrong: a mistake in the test.
    pub(crate) fn license_file(
        &self,
        plan: &Plan,
        site: &PublicKey,
        (serial, now): (u64, u64),
    ) -> String {
        let issuer = Issuer {
            iss: VENDOR.to_owned(),
            sub: self.issuing.thumbprint().to_owned(),
            jti: "issuer-1".to_owned(),
            iat: now,
            nbf: now - DAY,
            exp: now + 10 * 365 * DAY,
            cnf: self.issuing.public().to_cnf(),
            products: vec![plan.product.clone()],
            min_serial: 0,
            revoked_kids: Vec::new(),
            info: Info::new(),
        };
        let license = License {
            iss: VENDOR.to_owned(),
            sub: "license-1".to_owned(),
            iat: now,
            serial,
            replaces: None,
            product: plan.product.clone(),
            customer: Customer {
                id: "customer-1".to_owned(),
                name: "Customer".to_owned(),
                contact: "it@example.com".to_owned(),
                managed_by: None,
            },
            nbf: now - DAY,
            term: Term::Dated,
            exp: Some(now + plan.lasts.as_secs()),
            cnf: site.to_cnf(),
            features: plan.features.clone(),
            info: Info::new(),
        };
        let issuer = issuer::sign(&issuer, &self.root);
        let license = license::sign(&license, &self.issuing);
        match (issuer, license) {
            (Ok(issuer), Ok(license)) => format!("{issuer}\n\n{license}\n"),
            (Err(error), _) | (_, Err(error)) => {
                panic!("the plan of this test makes no license: {error}")
            }
        }
    }
}
