//! A vendor: root and issuing key in memory, and licenses as a test wants them.

use crate::Site;
use crate::wire::Wire;
use seatkeeper::token::claims::{
    Count, Counting, Customer, Feature, Info, Issuer, License, Model, Term,
};
use seatkeeper::token::keys::{PublicKey, SigningKey};
use seatkeeper::token::{issuer, license};
use serde_json::json;
use std::os::unix::fs::MetadataExt;
use zeroize::Zeroizing;

const DAY: u64 = 86_400;

/// A vendor that signs what a test asks for.
pub struct Vendor {
    /// Its name.
    pub name: String,
    /// Its root key.
    pub root: SigningKey,
    /// The key that signs licenses.
    pub issuing: SigningKey,
    /// The issuer token's claims; a test may change them.
    pub issuer: Issuer,
}

impl Vendor {
    /// A vendor whose keys follow from the seed. It may license the product `cad`.
    #[must_use]
    pub fn new(name: &str, seed: u8) -> Self {
        let root = SigningKey::generate(&Zeroizing::new([seed; 32]));
        let issuing = SigningKey::generate(&Zeroizing::new([seed ^ 0x80; 32]));
        let now = now();
        let issuer = Issuer {
            iss: name.to_owned(),
            sub: issuing.public().thumbprint(),
            jti: format!("issuer-{seed}"),
            iat: now - DAY,
            nbf: now - DAY,
            exp: now + 365 * DAY,
            cnf: issuing.public().to_cnf(),
            products: vec!["cad".to_owned()],
            min_serial: 0,
            revoked_kids: Vec::new(),
            info: Info::new(),
        };
        Vendor {
            name: name.to_owned(),
            root,
            issuing,
            issuer,
        }
    }

    /// The root's thumbprint, as an application would carry it.
    #[must_use]
    pub fn roots(&self) -> Vec<String> {
        vec![self.root.public().thumbprint()]
    }

    /// Claims of a license of `cad` with one floating feature `modeler`, counted by process, for this site.
    #[must_use]
    pub fn license(&self, id: &str, serial: u64, seats: u64, site: &PublicKey) -> License {
        let now = now();
        License {
            iss: self.name.clone(),
            sub: id.to_owned(),
            iat: now - 60,
            serial,
            replaces: None,
            product: "cad".to_owned(),
            customer: Customer {
                id: "C-1".to_owned(),
                name: "Acme".to_owned(),
                contact: "it@acme.example".to_owned(),
                managed_by: None,
            },
            nbf: now - 60,
            term: Term::Dated,
            exp: Some(now + 300 * DAY),
            cnf: site.to_cnf(),
            features: vec![feature("modeler", seats)],
            info: Info::new(),
        }
    }

    /// The text of a license file.
    ///
    /// # Panics
    /// Where the claims are beyond what may be signed.
    #[must_use]
    pub fn file(&self, claims: &License) -> String {
        let issuer =
            issuer::sign(&self.issuer, &self.root).expect("the issuer's claims are in bounds");
        let license =
            license::sign(claims, &self.issuing).expect("the license's claims are in bounds");
        format!("# a license for tests\n\n{issuer}\n\n{license}\n")
    }
}

/// A floating feature, counted by process, with the usual times.
#[must_use]
pub fn feature(name: &str, seats: u64) -> Feature {
    Feature {
        name: name.to_owned(),
        seats: Count::Number(seats),
        model: Model::Floating,
        counting: Counting::Process,
        version: None,
        ttl_s: 900,
        grace_s: 0,
        save_s: 300,
        cool_down_s: 600,
        linger_s: 0,
        overdraft: 0,
        share_max: Count::UNLIMITED,
        named_min_s: 0,
        borrow: None,
        policies: Vec::new(),
        optional_policies: Vec::new(),
    }
}

impl Site {
    /// The site's public key, as its daemon tells it.
    ///
    /// # Panics
    /// Where the daemon does not answer.
    #[must_use]
    pub fn site_key(&self) -> PublicKey {
        let answer = self.admin("GET", "/v1/site-key", None);
        PublicKey::from_pem(answer.text("pem")).expect("the site key is a key")
    }

    /// One exchange as whoever runs the tests, which administers the daemon.
    ///
    /// # Panics
    /// Where the daemon does not answer.
    #[must_use]
    pub fn admin(
        &self,
        method: &str,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> crate::wire::Answer {
        let mut wire = Wire::connect(&self.socket()).expect("the daemon listens");
        wire.exchange(method, path, body)
            .expect("the daemon answers")
    }

    /// Trusts a vendor and installs a license file, assigned to everyone.
    ///
    /// # Panics
    /// Where the daemon refuses.
    pub fn install(&self, vendor: &Vendor, text: &str) {
        let trusted = self.admin(
            "POST",
            "/v1/vendors",
            Some(&json!({"name": vendor.name, "pem": vendor.root.public().to_pem()})),
        );
        assert!(trusted.status / 100 == 2, "trust: {trusted:?}");
        let installed = self.admin(
            "POST",
            "/v1/licenses",
            Some(&json!({"text": text, "assign_everyone": true})),
        );
        assert!(installed.status / 100 == 2, "install: {installed:?}");
    }

    /// A started site with one license `L-1` of so many seats of `cad/modeler`, for everyone.
    #[must_use]
    pub fn with_seats(seats: u64) -> (Site, Vendor) {
        let mut site = Site::new();
        site.start();
        let vendor = site.give_seats(seats);
        (site, vendor)
    }

    /// The same for a site that is started.
    #[must_use]
    pub fn give_seats(&self, seats: u64) -> Vendor {
        let vendor = Vendor::new("acme", 1);
        let license = vendor.license("L-1", 1, seats, &self.site_key());
        self.install(&vendor, &vendor.file(&license));
        vendor
    }
}

/// Now, as a file that is written now would be dated: tests read no clock.
///
/// # Panics
/// Where no temporary file can be made.
#[must_use]
pub fn now() -> u64 {
    let file = tempfile::tempfile().expect("a temporary file");
    u64::try_from(file.metadata().expect("it has facts").mtime()).expect("it is after 1970")
}
