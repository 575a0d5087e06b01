//! Vectors as data: what stands in a file, how a vector is judged by the SDK, and where the files lie.
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a scaffold of tests fails as loudly as a test, and its modules are private"
)]

pub mod answer;
pub mod bounds;
pub mod chain;
pub mod claims;
pub mod form;
pub mod keys;
pub mod scalar;
pub mod size;

use crate::tokens::Sample;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seatkeeper::token::chain::{ChainError, Dated, Expect, verify};
use seatkeeper::token::keys::{KeyError, PublicKey, SigningKey};
use seatkeeper::token::{Fault, Kind, TokenError};
use seatkeeper::wire::Chain;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::path::PathBuf;

/// The kinds of PROTOCOL.md; an application meets no other.
pub const KINDS: [Kind; 5] = [
    Kind::Issuer,
    Kind::License,
    Kind::Delegation,
    Kind::Request,
    Kind::Lease,
];

/// The members of a vector.
pub type Members = Map<String, Value>;

/// One file of vectors.
#[derive(Debug, PartialEq)]
pub struct Book {
    pub name: String,
    /// What stands in it, for people.
    pub about: String,
    /// What a vector does not say itself.
    pub usual: Members,
    pub vectors: Vec<Members>,
}

impl Book {
    pub fn new(name: &str, about: &str, usual: Value) -> Book {
        Book {
            name: name.to_owned(),
            about: about.to_owned(),
            usual: members(usual),
            vectors: Vec::new(),
        }
    }

    /// A vector that must be refused: by which check of PROTOCOL.md, and why.
    pub fn refused(&mut self, kind: &str, check: &str, id: &str, reason: &str, asked: Value) {
        self.add(kind, Some(check), id, reason, asked);
    }

    /// A vector that must be accepted.
    pub fn accepted(&mut self, kind: &str, id: &str, reason: &str, asked: Value) {
        self.add(kind, None, id, reason, asked);
    }

    fn add(&mut self, kind: &str, check: Option<&str>, id: &str, reason: &str, asked: Value) {
        let mut vector = members(asked);
        vector.retain(|name, value| self.usual.get(name) != Some(value));
        let expected = if check.is_some() {
            "refused"
        } else {
            "accepted"
        };
        for (name, value) in [
            ("id", format!("{kind}/{id}")),
            ("kind", kind.to_owned()),
            ("expected", expected.to_owned()),
            ("reason", reason.to_owned()),
        ] {
            vector.insert(name.to_owned(), value.into());
        }
        if let Some(check) = check {
            vector.insert("check".to_owned(), check.into());
        }
        self.vectors.push(vector);
    }

    pub fn path(name: &str) -> PathBuf {
        folder().join(format!("{name}.json"))
    }

    pub fn read(name: &str) -> Book {
        let path = Book::path(name);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file: Value = serde_json::from_str(&text).unwrap();
        Book {
            name: name.to_owned(),
            about: text_of(&members(file.clone()), "about").to_owned(),
            usual: members(file["usual"].clone()),
            vectors: file["vectors"]
                .as_array()
                .unwrap()
                .iter()
                .cloned()
                .map(members)
                .collect(),
        }
    }

    pub fn write(&self) {
        let file = json!({"about": self.about, "usual": self.usual, "vectors": self.vectors});
        let text = serde_json::to_string_pretty(&file).unwrap() + "\n";
        std::fs::write(Book::path(&self.name), text).unwrap();
    }

    /// Every vector, with what it leaves to `usual`.
    pub fn whole(&self) -> Vec<Members> {
        let whole = |vector: &Members| {
            let mut whole = self.usual.clone();
            whole.extend(vector.clone());
            whole
        };
        self.vectors.iter().map(whole).collect()
    }
}

/// The samples of these kinds.
pub fn told(samples: Vec<Sample>) -> Vec<Sample> {
    let mut samples = samples;
    samples.retain(|sample| KINDS.contains(&sample.kind));
    samples
}

/// All files, made anew.
pub fn make() -> Vec<Book> {
    vec![
        form::make(),
        claims::make(),
        bounds::make(),
        size::make(),
        keys::make(),
        chain::make(),
        answer::make(),
    ]
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/protocol/vectors")
}

/// A no of the SDK: its own words, and the checks of PROTOCOL.md that say so.
pub struct No {
    pub text: String,
    pub checks: &'static [&'static str],
}

/// Judges a vector as an application would.
pub fn judge(vector: &Members) -> Result<(), No> {
    match text_of(vector, "kind") {
        "key" => Ok(PublicKey::from_x(text_of(vector, "key")).map(drop)?),
        "chain" => Ok(verify(&roots(vector), &tokens(vector)).map(drop)?),
        "answer" => Ok(answered(vector)?),
        kind => Ok(single(kind, vector)?),
    }
}

impl From<KeyError> for No {
    fn from(e: KeyError) -> No {
        let checks: &[&str] = match e {
            KeyError::Form => &["K1"],
            KeyError::NotCanonical => &["K2"],
            KeyError::Weak => &["K3"],
            _ => &[],
        };
        let text = e.to_string();
        No { text, checks }
    }
}

impl From<TokenError> for No {
    fn from(e: TokenError) -> No {
        let checks: &[&str] = match e.fault {
            Fault::Size { .. } => &["T1"],
            Fault::Shape => &["T2", "T3"],
            Fault::Header => &["T2", "T3", "T4", "T5"],
            Fault::Typ { .. } => &["T6"],
            Fault::Kid { .. } => &["T7"],
            Fault::Signature => &["T8"],
            Fault::Claims(_) => &["T9", "T10", "T11"],
        };
        let text = e.to_string();
        No { text, checks }
    }
}

impl From<ChainError> for No {
    fn from(e: ChainError) -> No {
        let text = e.to_string();
        let checks: &[&str] = match e {
            ChainError::Token(e) => return e.into(),
            ChainError::Missing(_) => &["C1"],
            ChainError::WrongVendor { .. } => &["C2"],
            ChainError::Vendor { .. } => &["C3"],
            ChainError::Product { .. } => &["C4"],
            ChainError::Revoked => &["C6"],
            ChainError::WrongSite => &["C7"],
            ChainError::NotStarted { what, .. } | ChainError::Expired { what, .. } => match what {
                Dated::Issuer => &["C5"],
                Dated::License => &["A17"],
                Dated::Delegation => &["A18"],
            },
            ChainError::NotThisCall(claim) => match claim {
                "nonce" => &["A1"],
                "host" => &["A2"],
                "feature" => &["A3"],
                "version" => &["A4"],
                "the number of slots" => &["A5"],
                "last" => &["A6"],
                "license" => &["A7"],
                "product" => &["A8"],
                _ => &[],
            },
            ChainError::BeyondLicense(claim) => match claim {
                "feature" => &["A9"],
                "slots" => &["A10"],
                "ttl_s" => &["A11"],
                "grace_s" => &["A12"],
                "ttl_s of a last lease" => &["A13"],
                "policies" => &["A14"],
                "version" => &["A15"],
                "slots outside the delegation" => &["A16"],
                _ => &[],
            },
        };
        No { text, checks }
    }
}

fn single(kind: &str, vector: &Members) -> Result<(), TokenError> {
    let kind = kind_of(kind);
    let any = crate::tokens::key(1).public();
    let key = vector
        .get("key")
        .map(|x| PublicKey::from_x(x.as_str().unwrap()).unwrap());
    let mut token = text_of(vector, "token").to_owned();
    if let Some(times) = vector.get("fill").and_then(Value::as_u64) {
        token = token.replace('*', &size::FILL.repeat(times.try_into().unwrap()));
    }
    crate::tokens::verify(kind, &token, &key.unwrap_or(any))
}

fn answered(vector: &Members) -> Result<(), ChainError> {
    let number = |name: &str| vector[name].as_u64().unwrap();
    let nonce = URL_SAFE_NO_PAD.decode(text_of(vector, "nonce")).unwrap();
    let boot = u128::from_str_radix(text_of(vector, "boot_id"), 16).unwrap();
    let expect = Expect {
        nonce: &nonce,
        boot_id: boot.to_be_bytes(),
        product: text_of(vector, "product"),
        feature: text_of(vector, "feature"),
        version: vector["version"].as_str(),
        n: u32::try_from(number("n")).unwrap(),
        renewal: vector["renewal"].as_bool().unwrap(),
    };
    verify(&roots(vector), &tokens(vector))?
        .check_lease(text_of(vector, "lease"), &expect)
        .map(drop)
}

fn roots(vector: &Members) -> Vec<PublicKey> {
    let roots = vector["roots"].as_array().unwrap();
    let key = |x: &Value| PublicKey::from_x(x.as_str().unwrap()).unwrap();
    roots.iter().map(key).collect()
}

fn tokens(vector: &Members) -> Chain {
    let token = |name: &str| vector[name].as_str().map(str::to_owned);
    Chain {
        issuer: token("issuer"),
        license: token("license"),
        delegation: token("delegation"),
    }
}

pub fn text_of<'a>(vector: &'a Members, name: &str) -> &'a str {
    vector
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{:?} has no text {name}", vector.get("id")))
}

/// The word by which vectors name a kind.
pub fn word(kind: Kind) -> &'static str {
    let word = kind.typ().trim_start_matches("seatkeeper-");
    word.trim_end_matches("+jwt")
}

fn kind_of(word: &str) -> Kind {
    Kind::of(&format!("seatkeeper-{word}+jwt")).unwrap_or_else(|| panic!("no kind {word}"))
}

fn members(value: Value) -> Members {
    match value {
        Value::Object(members) => members,
        other => panic!("not an object: {other}"),
    }
}

/// JSON in one spelling, whatever features `serde_json` is built with: members in the order of their names.
pub fn compact(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(",");
    match value {
        Value::Object(object) => {
            let mut names: Vec<&String> = object.keys().collect();
            names.sort();
            let member = |name: &&String| format!("{}:{}", json!(name), compact(&object[*name]));
            format!("{{{}}}", joined(names.iter().map(member).collect()))
        }
        Value::Array(list) => format!("[{}]", joined(list.iter().map(compact).collect())),
        other => other.to_string(),
    }
}

/// The header that a token of this kind has.
pub fn header(kind: Kind, key: &SigningKey) -> Value {
    json!({"alg": "Ed25519", "typ": kind.typ(), "kid": key.thumbprint()})
}

/// A token over these two segments as they stand.
pub fn sign_segments(key: &SigningKey, header: &str, payload: &str) -> String {
    let signed = format!("{header}.{payload}");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
