//! One vendor, its license and a site, made from seeds, for the tests of tokens.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses a part of it"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a scaffold of tests fails as loudly as a test"
)]

pub mod json;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seatkeeper::token::chain::{self, ChainError, Expect, VerifiedChain};
use seatkeeper::token::claims::*;
use seatkeeper::token::keys::{PublicKey, SigningKey};
use seatkeeper::token::{
    Kind, TokenError, anchor, delegation, hash, host_hash, issuer, lease, license, request,
};
use seatkeeper::wire::Chain;
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub const DAY: u64 = 86_400;
/// When the license is issued and the lease is given.
pub const NOW: u64 = 1_800_000_000;
pub const NONCE: [u8; 16] = [7; 16];
pub const BOOT: [u8; 16] = [9; 16];
pub const KINDS: [Kind; 6] = [
    Kind::Issuer,
    Kind::License,
    Kind::Delegation,
    Kind::Request,
    Kind::Lease,
    Kind::Anchor,
];

/// The keys and claims of one chain, free to be changed before they are sealed.
pub struct World {
    pub root: SigningKey,
    pub issuing: SigningKey,
    pub site: SigningKey,
    pub leasing: SigningKey,
    pub issuer: Issuer,
    pub license: License,
    pub delegation: Delegation,
}

/// Claims that are good for their kind, as JSON, and the key that signs them.
pub struct Sample {
    pub kind: Kind,
    pub key: SigningKey,
    pub claims: Value,
}

/// Numbers that look random and repeat.
pub struct Dice(pub u64);

pub fn key(seed: u8) -> SigningKey {
    SigningKey::generate(&Zeroizing::new([seed; 32]))
}

/// Verifies as the kind's own verifier does.
pub fn verify(kind: Kind, token: &str, key: &PublicKey) -> Result<(), TokenError> {
    match kind {
        Kind::Issuer => issuer::verify(token, key).map(drop),
        Kind::License => license::verify(token, key).map(drop),
        Kind::Delegation => delegation::verify(token, key).map(drop),
        Kind::Request => request::verify(token).map(drop),
        Kind::Lease => lease::verify(token, key).map(drop),
        Kind::Anchor => anchor::verify(token, key).map(drop),
    }
}

/// A token with this header and payload, whatever they are, signed properly.
pub fn sign_raw(key: &SigningKey, header: &str, payload: &str) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// How many random cases: `SEATKEEPER_MUTATIONS` for the long run.
pub fn cases(usual: usize) -> usize {
    std::env::var("SEATKEEPER_MUTATIONS").map_or(usual, |text| {
        text.parse().expect("SEATKEEPER_MUTATIONS is a number")
    })
}

pub fn feature(name: &str, seats: Count, overdraft: u64) -> Feature {
    Feature {
        name: name.to_owned(),
        seats,
        model: Model::Floating,
        counting: Counting::UserHost,
        version: Some("7.2".to_owned()),
        ttl_s: 600,
        grace_s: 300,
        save_s: 60,
        cool_down_s: 30,
        linger_s: 20,
        overdraft,
        share_max: Count::Number(2),
        named_min_s: 40,
        borrow: Some(Borrow {
            max_days: 7,
            max_share_percent: 50,
            trust_early_return: false,
            write_offs: 1,
        }),
        policies: vec!["core".to_owned()],
        optional_policies: vec!["export".to_owned()],
    }
}

impl World {
    /// A vendor, its license and a site whose keys come from `seed`; the names are the same for every seed.
    pub fn new(seed: u8) -> World {
        let [root, issuing, site, leasing] = [0, 1, 2, 3].map(|n| key(seed + n));
        World {
            issuer: Issuer {
                iss: "acme".to_owned(),
                sub: issuing.thumbprint().to_owned(),
                jti: "issuer-1".to_owned(),
                iat: NOW - 100 * DAY,
                nbf: NOW - 100 * DAY,
                exp: NOW + 100 * DAY,
                cnf: issuing.public().to_cnf(),
                products: vec!["cad".to_owned(), "cam".to_owned()],
                min_serial: 1,
                revoked_kids: vec![key(250).thumbprint().to_owned()],
                info: Info::new(),
            },
            license: license(&site),
            delegation: Delegation {
                iss: site.thumbprint().to_owned(),
                sub: leasing.thumbprint().to_owned(),
                jti: "delegation-1".to_owned(),
                iat: NOW - DAY,
                nbf: NOW - DAY,
                exp: NOW + 80 * DAY,
                cnf: leasing.public().to_cnf(),
                slots: Slots::ALL,
                info: Info::new(),
            },
            root,
            issuing,
            site,
            leasing,
        }
    }

    pub fn issuer_token(&self) -> String {
        issuer::sign(&self.issuer, &self.root).unwrap()
    }

    pub fn license_token(&self) -> String {
        license::sign(&self.license, &self.issuing).unwrap()
    }

    pub fn delegation_token(&self) -> String {
        delegation::sign(&self.delegation, &self.site).unwrap()
    }

    pub fn tokens(&self) -> Chain {
        Chain {
            issuer: Some(self.issuer_token()),
            license: Some(self.license_token()),
            delegation: Some(self.delegation_token()),
        }
    }

    /// The chain as an application with this root sees it.
    pub fn chain(&self) -> Result<VerifiedChain, ChainError> {
        chain::verify(&[self.root.public()], &self.tokens())
    }

    /// A lease that answers `expect()`.
    pub fn lease(&self) -> Lease {
        Lease {
            iss: self.leasing.thumbprint().to_owned(),
            sub: "you@here".to_owned(),
            jti: "3.8.1".to_owned(),
            license: hash(&self.license_token()),
            feature: "modeler".to_owned(),
            version: Some("7.1".to_owned()),
            policies: vec!["core".to_owned()],
            slots: vec![0, 2],
            gid: "3.8".to_owned(),
            seq: 5,
            epoch: 3,
            run_id: "run".to_owned(),
            nonce: URL_SAFE_NO_PAD.encode(NONCE),
            iat: NOW,
            ttl_s: 600,
            grace_s: 300,
            last: None,
            warning: vec!["expires_soon".to_owned()],
            host: host_hash(BOOT, &NONCE),
            info: Info::new(),
        }
    }

    pub fn lease_token(&self, lease: &Lease) -> String {
        lease::sign(lease, &self.leasing).unwrap()
    }

    /// Judges a lease as the application that asked for it would.
    pub fn judge(&self, lease: &Lease) -> Result<Lease, ChainError> {
        self.chain()?
            .check_lease(&self.lease_token(lease), &expect())
    }
}

fn license(site: &SigningKey) -> License {
    License {
        iss: "acme".to_owned(),
        sub: "L-1".to_owned(),
        iat: NOW - DAY,
        serial: 4,
        replaces: Some("L-0".to_owned()),
        product: "cad".to_owned(),
        customer: Customer {
            id: "c-1".to_owned(),
            name: "Example Ltd".to_owned(),
            contact: "it@example.com".to_owned(),
            managed_by: Some("p-1".to_owned()),
        },
        nbf: NOW - DAY,
        term: Term::Dated,
        exp: Some(NOW + 50 * DAY),
        cnf: site.public().to_cnf(),
        features: vec![
            feature("modeler", Count::Number(3), 1),
            feature("render", Count::UNLIMITED, 0),
        ],
        info: Info::new(),
    }
}

/// What the application asked for.
pub fn expect() -> Expect<'static> {
    Expect {
        nonce: &NONCE,
        boot_id: BOOT,
        product: "cad",
        feature: "modeler",
        version: Some("7.1"),
        n: 2,
        renewal: false,
    }
}

/// Samples of every kind, together with every claim that there is.
pub fn samples() -> Vec<Sample> {
    let world = World::new(10);
    let mut ranges = world.delegation.clone();
    ranges.slots = Slots::Some(SlotRanges {
        ranges: vec![SlotRange {
            vendor: "acme".to_owned(),
            license: "L-1".to_owned(),
            feature: "modeler".to_owned(),
            first: 0,
            last: 3,
        }],
    });
    let mut perpetual = world.license.clone();
    (perpetual.term, perpetual.exp) = (Term::Perpetual, None);
    let mut last = world.lease();
    (last.last, last.grace_s) = (Some(Last::Reclaimed), 0);
    [
        (Kind::Issuer, 10, json!(world.issuer)),
        (Kind::License, 11, json!(world.license)),
        (Kind::License, 11, json!(perpetual)),
        (Kind::Delegation, 12, json!(world.delegation)),
        (Kind::Delegation, 12, json!(ranges)),
        (Kind::Request, 12, json!(request(&world.site))),
        (Kind::Lease, 13, json!(world.lease())),
        (Kind::Lease, 13, json!(last)),
        (Kind::Anchor, 12, json!(anchor(&world.site))),
    ]
    .map(|(kind, seed, claims)| Sample {
        kind,
        key: key(seed),
        claims,
    })
    .into()
}

pub fn anchor(site: &SigningKey) -> Anchor {
    Anchor {
        iss: site.thumbprint().to_owned(),
        iat: NOW,
        number: 1_204,
        hash: anchor::hash_text(&[5; 32]),
        epoch: 3,
        run_id: "run".to_owned(),
        info: Info::new(),
    }
}

pub fn request(site: &SigningKey) -> Request {
    Request {
        iss: site.thumbprint().to_owned(),
        jti: "r-1".to_owned(),
        iat: NOW,
        cnf: site.public().to_cnf(),
        site: "Lyon".to_owned(),
        account: "c-1".to_owned(),
        product_version: Some("7".to_owned()),
        order: Some("PO 7".to_owned()),
        installed: vec![InstalledRef {
            vendor: "acme".to_owned(),
            license: "L-1".to_owned(),
            serial: 3,
        }],
        clocks_accepted: 0,
        daemon: "0.1.0".to_owned(),
        info: Info::new(),
    }
}

/// The first sample of each kind.
pub fn one_of_each() -> Vec<Sample> {
    let all = samples();
    let mut seen = Vec::new();
    all.into_iter()
        .filter(|sample| {
            let first = !seen.contains(&sample.kind);
            seen.push(sample.kind);
            first
        })
        .collect()
}

impl Sample {
    pub fn sign(&self, payload: &str) -> String {
        self.key.sign_token(self.kind.typ(), payload.as_bytes())
    }

    pub fn token(&self) -> String {
        self.sign(&self.claims.to_string())
    }

    /// Signs this payload as it is and asks the kind's verifier.
    pub fn try_payload(&self, payload: &str) -> Result<(), TokenError> {
        verify(self.kind, &self.sign(payload), &self.key.public())
    }
}

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, many: usize) -> usize {
        usize::try_from(self.next() % many as u64).expect("below a usize")
    }

    pub fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}
