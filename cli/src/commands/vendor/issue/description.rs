//! The license in TOML: what a vendor writes, and the defaults of what they leave out.

use seatkeeper::token::claims::{Borrow, Count, Counting, Customer, Feature, Info, Model, Term};
use seatkeeper::token::dates;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use std::fmt;

/// A license as it is described. What is missing has a default, or is taken from request, issuer and ledger.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    pub id: String,
    pub serial: Option<u64>,
    pub replaces: Option<String>,
    pub product: String,
    pub customer: Who,
    pub from: Option<Day>,
    pub until: Option<Day>,
    pub term: Option<Term>,
    pub features: Vec<Described>,
    #[serde(default)]
    pub info: Info,
}

/// The customer; without an id it is the account of the request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Who {
    pub id: Option<String>,
    pub name: String,
    pub contact: String,
    pub managed_by: Option<String>,
}

/// One feature.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Described {
    name: String,
    seats: Seats,
    #[serde(default = "floating")]
    model: Model,
    counting: Option<Counting>,
    version: Option<String>,
    #[serde(default = "ttl_s")]
    ttl_s: u64,
    #[serde(default)]
    grace_s: u64,
    save_s: Option<u64>,
    #[serde(default = "cool_down_s")]
    cool_down_s: u64,
    #[serde(default)]
    linger_s: u64,
    #[serde(default)]
    overdraft: u64,
    share_max: Option<Seats>,
    #[serde(default)]
    named_min_s: u64,
    borrow: Option<Lending>,
    #[serde(default)]
    policies: Vec<String>,
    #[serde(default)]
    optional_policies: Vec<String>,
}

/// Borrow terms; `borrow = {}` takes all defaults.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lending {
    #[serde(default = "max_days")]
    max_days: u64,
    #[serde(default = "max_share_percent")]
    max_share_percent: u64,
    #[serde(default)]
    trust_early_return: bool,
    #[serde(default)]
    write_offs: u64,
}

fn floating() -> Model {
    Model::Floating
}

fn ttl_s() -> u64 {
    900
}

const SAVE_S: u64 = 300;

fn cool_down_s() -> u64 {
    600
}

fn max_days() -> u64 {
    30
}

fn max_share_percent() -> u64 {
    20
}

impl Who {
    /// The customer, or the account of the request.
    pub(super) fn customer(self, account: &str) -> Customer {
        Customer {
            id: self.id.unwrap_or_else(|| account.to_owned()),
            name: self.name,
            contact: self.contact,
            managed_by: self.managed_by,
        }
    }
}

impl Described {
    /// The claims, complete.
    pub(super) fn feature(self) -> Feature {
        let counting = self.counting.unwrap_or(match self.model {
            Model::Floating => Counting::Process,
            Model::Named => Counting::User,
        });
        Feature {
            name: self.name,
            seats: self.seats.0,
            model: self.model,
            counting,
            version: self.version,
            ttl_s: self.ttl_s,
            grace_s: self.grace_s,
            save_s: self.save_s.unwrap_or(SAVE_S.min(self.ttl_s)),
            cool_down_s: self.cool_down_s,
            linger_s: self.linger_s,
            overdraft: self.overdraft,
            share_max: self.share_max.map_or(Count::UNLIMITED, |count| count.0),
            named_min_s: self.named_min_s,
            borrow: self.borrow.map(Lending::terms),
            policies: self.policies,
            optional_policies: self.optional_policies,
        }
    }
}

impl Lending {
    fn terms(self) -> Borrow {
        Borrow {
            max_days: self.max_days,
            max_share_percent: self.max_share_percent,
            trust_early_return: self.trust_early_return,
            write_offs: self.write_offs,
        }
    }
}

/// A number, or `"unlimited"`; the untagged enum of the claims cannot say what it wants.
pub(super) struct Seats(Count);

impl<'de> Deserialize<'de> for Seats {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Seats, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Seats;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number from 1, or \"unlimited\"")
            }

            fn visit_i64<E: Error>(self, n: i64) -> Result<Seats, E> {
                match u64::try_from(n) {
                    Ok(n) if n > 0 => Ok(Seats(Count::Number(n))),
                    _ => Err(E::invalid_value(Unexpected::Signed(n), &self)),
                }
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Seats, E> {
                match word {
                    "unlimited" => Ok(Seats(Count::UNLIMITED)),
                    _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
                }
            }
        }
        d.deserialize_any(Reader)
    }
}

/// Midnight (UTC) of a day, written as a TOML date or as text.
#[derive(Clone, Copy)]
pub(super) struct Day(pub u64);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Day, D::Error> {
        let text = match toml::Value::deserialize(d)? {
            toml::Value::String(text) => text,
            toml::Value::Datetime(date) => date.to_string(),
            other => {
                return Err(D::Error::custom(format!(
                    "{other} is no day; write it as 2027-12-31"
                )));
            }
        };
        dates::parse(&text)
            .map(Day)
            .ok_or_else(|| D::Error::custom(format!("{text} is no day; write it as 2027-12-31")))
    }
}
