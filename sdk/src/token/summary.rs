//! A license in words for people: what stands above the tokens of a license file, and what tools print.

use super::chain::VerifiedLicense;
use super::claims::{Count, Feature, License, Model};
use super::dates;

/// A license in lines: vendor, customer, dates, site, then one per feature.
#[must_use]
pub fn license(verified: &VerifiedLicense) -> Vec<String> {
    let license = &verified.license;
    let mut lines = vec![
        format!(
            "license {} serial {} of {}",
            license.sub, license.serial, license.iss
        ),
        format!("for {} ({})", license.customer.name, license.customer.id),
        format!("product {}, {}", license.product, validity(license)),
        format!("bound to site key {}", verified.site_key.thumbprint()),
    ];
    if let Some(replaces) = &license.replaces {
        lines.push(format!("replaces {replaces}"));
    }
    lines.extend(license.features.iter().map(feature));
    lines
}

/// From when to when.
#[must_use]
pub fn validity(license: &License) -> String {
    let from = dates::format(license.nbf);
    match license.exp {
        Some(exp) if exp % 86_400 == 0 => {
            format!("valid from {from} through {}", dates::last_day(exp))
        }
        Some(exp) => format!("valid from {from} until {}", dates::format(exp)),
        None => format!("valid from {from}, perpetual"),
    }
}

/// One feature in a line.
#[must_use]
pub fn feature(f: &Feature) -> String {
    let model = match f.model {
        Model::Floating => "floating",
        Model::Named => "named",
    };
    let mut line = format!(
        "feature {}: {} {model}, counted by {}",
        f.name,
        seats(f.seats),
        f.counting.as_str()
    );
    if let Some(version) = &f.version {
        line.push_str(&format!(", up to version {version}"));
    }
    if f.overdraft > 0 {
        line.push_str(&format!(", overdraft {}", f.overdraft));
    }
    if let Some(terms) = &f.borrow {
        line.push_str(&format!(
            ", borrow up to {} days and {} % of the seats",
            terms.max_days, terms.max_share_percent
        ));
    }
    for (word, policies) in [
        ("policies", &f.policies),
        ("optional", &f.optional_policies),
    ] {
        if !policies.is_empty() {
            line.push_str(&format!(", {word} {}", policies.join(" ")));
        }
    }
    line
}

fn seats(count: Count) -> String {
    match count {
        Count::Number(1) => "1 seat".to_owned(),
        Count::Number(n) => format!("{n} seats"),
        Count::Unlimited(_) => "unlimited seats".to_owned(),
    }
}
