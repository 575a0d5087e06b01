//! Names that people type: FEATURE, LICENSE and the ids of seats; parsed at the edge, resolved by what the daemon lists.

use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::{self, Failure, Outcome};
use nix::unistd::User;
use seatkeeper::wire::{Code, License, Pool};
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
pub(crate) struct GrantId(pub String);

/// The machine's name service is asked and knows no such login; where it does not answer nothing is said.
pub(crate) fn is_no_login(name: &str) -> bool {
    matches!(User::from_name(name), Ok(None))
}

impl FeatureName {
    /// The product that has this feature.
    pub(crate) fn resolve(&self, daemon: &Daemon<'_>) -> Outcome<(String, String)> {
        if let Some(product) = &self.product {
            return Ok((product.clone(), self.feature.clone()));
        }
        let pools: Vec<Pool> = daemon.list("/v1/pools")?;
        self.among(&pools)
            .map(|product| (product, self.feature.clone()))
    }

    fn among(&self, pools: &[Pool]) -> Outcome<String> {
        let with: BTreeSet<&str> = pools
            .iter()
            .filter(|pool| pool.feature == self.feature)
            .map(|pool| pool.product.as_str())
            .collect();
        let mut with = with.into_iter();
        match (with.next(), with.next()) {
            (Some(product), None) => Ok(product.to_owned()),
            (Some(one), Some(other)) => Err(Failure::new(
                Exit::Usage,
                format!("more than one product has a feature {}", self.feature),
                format!("say which: {one}/{0}, {other}/{0}", self.feature),
            )),
            (None, _) if pools.is_empty() => Err(failure::refused(
                &Code::NotLicensed,
                "no license is installed here",
            )),
            (None, _) => {
                let known: BTreeSet<String> = pools
                    .iter()
                    .map(|pool| format!("{}/{}", pool.product, pool.feature))
                    .collect();
                let known = known.into_iter().collect::<Vec<_>>().join(", ");
                let what = format!(
                    "no installed license has a feature {}; there is: {known}",
                    self.feature
                );
                Err(failure::refused(&Code::UnknownFeature, what))
            }
        }
    }

    /// Whether this names that feature.
    pub(crate) fn matches(&self, product: &str, feature: &str) -> bool {
        self.feature == feature && self.product.as_deref().is_none_or(|own| own == product)
    }
}

impl LicenseName {
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
            [epoch, n] | [epoch, n, _] if numbers => Ok(GrantId(format!("{epoch}.{n}"))),
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
    fn u4_the_product_may_be_left_out_where_only_one_has_the_feature() {
        let pools = [
            pool("cad", "modeler"),
            pool("cad", "export"),
            pool("cae", "export"),
        ];
        assert_eq!(feature("modeler").among(&pools).unwrap(), "cad");
        assert_eq!(
            feature("export").among(&pools).unwrap_err().exit(),
            Exit::Usage
        );
        assert_eq!(
            feature("render").among(&pools).unwrap_err().exit(),
            Exit::Refused
        );
    }

    #[test]
    fn d12_no_license_at_all_is_not_licensed() {
        let Failure::Refused(refusal) = feature("modeler").among(&[]).unwrap_err() else {
            panic!("no refusal")
        };
        assert_eq!(refusal.code, "not_licensed");
    }

    #[test]
    fn u4_a_holder_names_its_grant() {
        assert_eq!("1.4.2".parse(), Ok(GrantId("1.4".into())));
        assert_eq!("1.4".parse(), Ok(GrantId("1.4".into())));
        assert!("1..2".parse::<GrantId>().is_err());
    }
}
