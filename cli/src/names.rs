//! Names that people type: FEATURE, LICENSE and the ids of seats; parsed at the edge, resolved by what the daemon lists.

use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use nix::unistd::User;
use seatkeeper::token::dates;
use seatkeeper::wire::{ExplainBody, ExplainReply, Item, License, Pool};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// `PRODUCT/FEATURE`, or `FEATURE` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FeatureName {
    pub product: Option<String>,
    pub feature: String,
}

/// `VENDOR/ID`, or `ID` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LicenseName {
    vendor: Option<String>,
    id: String,
}

/// A grant, `EPOCH.N`; the id of a holder, `EPOCH.N.H`, names its grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantId {
    pub grant: String,
    /// As it was typed: what is said of it names it so.
    pub typed: String,
}

/// The machine's name service is asked and knows no such login; where it does not answer nothing is said.
pub(crate) fn is_no_login(name: &str) -> bool {
    matches!(User::from_name(name), Ok(None))
}

/// A moment, as people say it: `2027-01-31`, `2027-01-31 15:04[:05]` (UTC), or a span ago: `90m`, `12h`, `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// A whole day, from this second on.
    Day(u64),
    /// A second.
    At(u64),
    /// So many seconds ago.
    Ago(u64),
}

impl When {
    /// Its first second.
    pub(crate) fn begins(self, now: u64) -> u64 {
        match self {
            When::Day(at) | When::At(at) => at,
            When::Ago(span) => now.saturating_sub(span),
        }
    }

    /// The first second after it.
    pub(crate) fn ends(self, now: u64) -> u64 {
        match self {
            When::Day(at) => at + 86_400,
            When::At(_) | When::Ago(_) => self.begins(now) + 1,
        }
    }
}

/// The last day of somebody, which no span ago names.
pub(crate) fn last_day(text: &str) -> Result<When, String> {
    match text.parse() {
        Ok(When::Ago(_)) | Err(_) => {
            Err("expected a day such as 2027-01-31, or \"2027-01-31 15:04\" (UTC)".to_owned())
        }
        Ok(when) => Ok(when),
    }
}

impl FromStr for When {
    type Err = String;
    fn from_str(text: &str) -> Result<When, String> {
        let form = || {
            "expected 2027-01-31, \"2027-01-31 15:04\" (UTC), or a span ago such as 90m, 12h, 30d"
                .to_owned()
        };
        if let Some(day) = dates::parse(text) {
            return Ok(When::Day(day));
        }
        if let Some((day, time)) = text.trim_end_matches('Z').split_once(['T', ' ']) {
            let day = dates::parse(day).ok_or_else(form)?;
            let parts: Option<Vec<u64>> = time.split(':').map(two_digits).collect();
            return match parts.as_deref() {
                Some([h @ 0..24, m @ 0..60]) => Ok(When::At(day + h * 3_600 + m * 60)),
                Some([h @ 0..24, m @ 0..60, s @ 0..60]) => {
                    Ok(When::At(day + h * 3_600 + m * 60 + s))
                }
                _ => Err(form()),
            };
        }
        let (number, unit) = text
            .split_at_checked(text.len().saturating_sub(1))
            .ok_or_else(form)?;
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(form()),
        };
        let number: u64 = number.parse().map_err(|_| form())?;
        number.checked_mul(unit).map(When::Ago).ok_or_else(form)
    }
}

fn two_digits(text: &str) -> Option<u64> {
    let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

impl FeatureName {
    /// The product that has this feature.
    pub(crate) fn resolve(&self, daemon: &Daemon<'_>) -> Outcome<(String, String)> {
        let product = match &self.product {
            Some(product) => product.clone(),
            None => {
                let pools: Vec<Pool> = daemon.list("/v1/pools")?;
                match self.among(&pools)? {
                    Some(product) => product,
                    None => self.judged(daemon, &pools)?,
                }
            }
        };
        Ok((product, self.feature.clone()))
    }

    /// The one product of these pools that has it.
    fn among(&self, pools: &[Pool]) -> Outcome<Option<String>> {
        let with: BTreeSet<&str> = pools
            .iter()
            .filter(|pool| pool.feature == self.feature)
            .map(|pool| pool.product.as_str())
            .collect();
        let mut with = with.into_iter();
        match (with.next(), with.next()) {
            (Some(one), Some(other)) => Err(Failure::new(
                Exit::Usage,
                format!("more than one product has a feature {}", self.feature),
                format!("say which: {one}/{0}, {other}/{0}", self.feature),
            )),
            (one, _) => Ok(one.map(str::to_owned)),
        }
    }

    /// The product as the daemon has it: whoever sees no pool of the feature is told why by its judgement, not by a list
    /// of what they see.
    fn judged(&self, daemon: &Daemon<'_>, seen: &[Pool]) -> Outcome<String> {
        let body = ExplainBody {
            user: None,
            product: None,
            item: Item {
                feature: self.feature.clone(),
                version: None,
                n: 1,
            },
            interactive: false,
            roots: None,
            suppose: Vec::new(),
        };
        let asked: Outcome<ExplainReply> = daemon.post("/v1/explain", &body);
        let mut failure = match asked {
            Ok(reply) => return Ok(reply.product),
            Err(failure) => failure,
        };
        if let Failure::Refused(refusal) = &mut failure
            && refusal.code == "unknown_feature"
            && !seen.is_empty()
        {
            let known: BTreeSet<String> = seen
                .iter()
                .map(|pool| format!("{}/{}", pool.product, pool.feature))
                .collect();
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            refusal.what = format!("{}; there is: {known}", refusal.what);
        }
        Err(failure)
    }

    /// Whether this names that feature.
    pub(crate) fn matches(&self, product: &str, feature: &str) -> bool {
        self.feature == feature && self.product.as_deref().is_none_or(|own| own == product)
    }
}

impl LicenseName {
    /// Vendor, empty where none is named, and id.
    pub(crate) fn parts(&self) -> (String, String) {
        let vendor = self.vendor.clone().unwrap_or_default();
        (vendor, self.id.clone())
    }

    /// The installed license that it names.
    pub(crate) fn resolve(&self, daemon: &Daemon<'_>) -> Outcome<License> {
        self.among(daemon.list("/v1/licenses")?)
    }

    fn among(&self, licenses: Vec<License>) -> Outcome<License> {
        let known = |license: &License| {
            self.vendor
                .as_ref()
                .is_none_or(|vendor| *vendor == license.vendor)
        };
        let mut found: Vec<_> = licenses
            .into_iter()
            .filter(|license| license.id == self.id && known(license))
            .collect();
        match (found.pop(), found.pop()) {
            (Some(license), None) => Ok(license),
            (Some(one), Some(other)) => Err(Failure::new(
                Exit::Usage,
                format!("more than one vendor has a license {}", self.id),
                format!(
                    "say which: {}/{2}, {}/{2}",
                    other.vendor, one.vendor, self.id
                ),
            )),
            (None, _) => Err(Failure::new(
                Exit::NotFound,
                format!("no license {self} is installed here"),
                "`seatkeeper license list` shows those that are",
            )),
        }
    }
}

impl FromStr for FeatureName {
    type Err = String;

    fn from_str(text: &str) -> Result<FeatureName, String> {
        let (product, feature) = halves(text, "PRODUCT/FEATURE, or FEATURE alone")?;
        Ok(FeatureName { product, feature })
    }
}

impl FromStr for LicenseName {
    type Err = String;

    fn from_str(text: &str) -> Result<LicenseName, String> {
        let (vendor, id) = halves(text, "VENDOR/ID, or ID alone")?;
        Ok(LicenseName { vendor, id })
    }
}

impl FromStr for GrantId {
    type Err = String;

    fn from_str(text: &str) -> Result<GrantId, String> {
        let parts: Vec<_> = text.split('.').collect();
        let numbers = parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        match parts.as_slice() {
            [epoch, n] | [epoch, n, _] if numbers => Ok(GrantId {
                grant: format!("{epoch}.{n}"),
                typed: text.to_owned(),
            }),
            _ => Err(
                "a seat's id is three numbers such as 1.4.1: see `seatkeeper seat list`".to_owned(),
            ),
        }
    }
}

impl fmt::Display for LicenseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.vendor
            .iter()
            .try_for_each(|vendor| write!(f, "{vendor}/"))?;
        f.write_str(&self.id)
    }
}

fn halves(text: &str, form: &str) -> Result<(Option<String>, String), String> {
    let parts: Vec<_> = text.split('/').collect();
    match parts.as_slice() {
        [one] if !one.is_empty() => Ok((None, (*one).to_owned())),
        [first, second] if !first.is_empty() && !second.is_empty() => {
            Ok((Some((*first).to_owned()), (*second).to_owned()))
        }
        _ => Err(format!("expected {form}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(product: &str, feature: &str) -> Pool {
        serde_json::from_value(serde_json::json!({
            "id": format!("acme/L/{feature}"), "product": product, "feature": feature, "seats": 3, "in_use": 0,
            "free": 3, "model": "floating", "counting": "process", "served": true, "status": "in_force",
        }))
        .unwrap()
    }

    fn feature(text: &str) -> FeatureName {
        text.parse().unwrap()
    }

    #[test]
    fn d14_a_guests_last_day_is_no_span_ago() {
        let day = last_day("2027-01-31").map(|when| matches!(when, When::Day(_)));
        assert_eq!(day, Ok(true));
        for text in ["30d", "12h", "soon", "2027-13-40"] {
            let why = last_day(text).unwrap_err();
            assert!(
                why.contains("a day such as") && !why.contains("ago"),
                "{why}"
            );
        }
    }

    #[test]
    fn u4_the_product_may_be_left_out_where_only_one_has_the_feature() {
        let pools = [
            pool("cad", "modeler"),
            pool("cad", "export"),
            pool("cae", "export"),
        ];
        let of = |text| feature(text).among(&pools);
        assert_eq!(of("modeler").unwrap().as_deref(), Some("cad"));
        assert_eq!(of("export").unwrap_err().exit(), Exit::Usage);
        // What is not in a list of what one sees is for the daemon to judge.
        assert_eq!(of("render").unwrap(), None);
    }

    #[test]
    fn u4_a_moment_is_read_as_people_say_it() {
        let when = |text: &str| text.parse::<When>();
        assert_eq!(when("1970-01-02"), Ok(When::Day(86_400)));
        assert_eq!(when("1970-01-02 01:02"), Ok(When::At(90_120)));
        assert_eq!(when("1970-01-02T01:02:03Z"), Ok(When::At(90_123)));
        assert_eq!(when("90m"), Ok(When::Ago(5_400)));
        for wrong in [
            "",
            "d",
            "5",
            "5w",
            "1970-13-01",
            "1970-01-02 24:00",
            "-1d",
            "\u{e9}",
        ] {
            assert!(when(wrong).is_err(), "{wrong}");
        }
        let day = When::Day(86_400);
        assert_eq!((day.begins(0), day.ends(0)), (86_400, 172_800));
        assert_eq!(When::Ago(60).begins(100), 40);
    }

    #[test]
    fn u4_a_holder_names_its_grant() {
        let id = |typed: &str| GrantId {
            grant: "1.4".into(),
            typed: typed.into(),
        };
        assert_eq!("1.4.2".parse(), Ok(id("1.4.2")));
        assert_eq!("1.4".parse(), Ok(id("1.4")));
        assert!("1..2".parse::<GrantId>().is_err());
    }
}
