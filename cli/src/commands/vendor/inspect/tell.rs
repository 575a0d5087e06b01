//! The report for people: what the tokens say, then what was checked.

use super::Report;
use super::checks::{Check, Found};
use crate::words;
use seatkeeper::token::claims::{Anchor, Delegation, Feature, Lease, License, Request, Slots};
use seatkeeper::token::inspect::{Claims, Unverified};
use seatkeeper::token::{dates, keys::PublicKey, summary};
use serde_json::Value;

/// The whole of it.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    for token in &report.tokens {
        text.push_str(&format!("{} (line {})\n", token.kind, token.line));
        for line in &token.summary {
            text.push_str(&format!("  {line}\n"));
        }
        text.push_str(&format!("  signed by key {}\n\n", token.kid));
    }
    text.push_str("checks\n");
    report
        .checks
        .iter()
        .for_each(|check| text.push_str(&line(check)));
    text.push_str(&verdict(report));
    text
}

fn verdict(report: &Report) -> String {
    let count = |found| {
        report
            .checks
            .iter()
            .filter(|check| check.found == found)
            .count()
    };
    let verdict = match (count(Found::Wrong), count(Found::Open)) {
        (0, 0) => "everything holds".to_owned(),
        (0, 1) => "nothing is wrong; the line marked - was not decided here".to_owned(),
        (0, open) => format!("nothing is wrong; the {open} lines marked - were not decided here"),
        (wrong, _) => format!("{wrong} WRONG"),
    };
    format!("\n{verdict}\n")
}

fn line(check: &Check) -> String {
    let found = match check.found {
        Found::Good => "ok   ",
        Found::Wrong => "WRONG",
        Found::Open => "-    ",
    };
    let why = if check.why.is_empty() {
        String::new()
    } else {
        format!(": {}", check.why)
    };
    format!("  {found}  {}{why}\n", check.what)
}

/// What a token says, in lines.
pub(super) fn claims(read: &Unverified) -> Vec<String> {
    match &read.claims {
        Claims::Issuer(claims) => super::super::issuer::plain(claims, &read.kid)
            .lines()
            .map(str::to_owned)
            .collect(),
        Claims::License(claims) => license(claims),
        Claims::Delegation(claims) => delegation(claims),
        Claims::Request(claims) => request(claims),
        Claims::Lease(claims) => lease(claims),
        Claims::Anchor(claims) => anchor(claims),
    }
}

/// What a token says, as it says it.
pub(super) fn json(claims: &Claims) -> Value {
    let value = match claims {
        Claims::Issuer(claims) => serde_json::to_value(claims),
        Claims::License(claims) => serde_json::to_value(claims),
        Claims::Delegation(claims) => serde_json::to_value(claims),
        Claims::Request(claims) => serde_json::to_value(claims),
        Claims::Lease(claims) => serde_json::to_value(claims),
        Claims::Anchor(claims) => serde_json::to_value(claims),
    };
    value.expect("claims that were read can be written")
}

fn license(license: &License) -> Vec<String> {
    let customer = &license.customer;
    let mut lines = vec![
        format!(
            "{} serial {} of {}",
            license.sub, license.serial, license.iss
        ),
        format!(
            "for {} ({}), contact {}",
            customer.name, customer.id, customer.contact
        ),
        format!(
            "product {}, {}",
            license.product,
            summary::validity(license)
        ),
        format!("signed on {}", dates::format(license.iat)),
    ];
    lines.extend(
        customer
            .managed_by
            .as_ref()
            .map(|id| format!("managed by {id}")),
    );
    lines.extend(license.replaces.as_ref().map(|id| format!("replaces {id}")));
    lines.extend(
        PublicKey::from_jwk(&license.cnf.jwk)
            .map(|key| format!("bound to site key {}", key.thumbprint())),
    );
    for feature in &license.features {
        lines.push(summary::feature(feature));
        lines.push(format!("  {}", times(feature)));
    }
    lines.extend(info(&license.info));
    lines
}

fn times(feature: &Feature) -> String {
    let share = feature
        .share_max
        .number()
        .map_or_else(|| "any number".to_owned(), |n| n.to_string());
    format!(
        "ttl {}, grace {}, {} to save, pause after a reclaim {}, linger {}, holders per seat: {share}",
        words::span(feature.ttl_s),
        words::span(feature.grace_s),
        words::span(feature.save_s),
        words::span(feature.cool_down_s),
        words::span(feature.linger_s),
    )
}

fn request(request: &Request) -> Vec<String> {
    let mut lines = vec![
        format!(
            "site {} of account {}, signed on {}",
            request.site,
            request.account,
            dates::format(request.iat)
        ),
        format!("request id {}, site key {}", request.jti, request.iss),
    ];
    lines.extend(
        request
            .product_version
            .as_ref()
            .map(|version| format!("for product version {version}")),
    );
    lines.extend(request.order.as_ref().map(|order| format!("order {order}")));
    for installed in &request.installed {
        lines.push(format!(
            "has {}/{} serial {}",
            installed.vendor, installed.license, installed.serial
        ));
    }
    lines.push(format!(
        "daemon {}, wrong clock accepted {}",
        request.daemon,
        words::count(request.clocks_accepted, "time")
    ));
    lines.extend(info(&request.info));
    lines
}

fn delegation(delegation: &Delegation) -> Vec<String> {
    let slots = match &delegation.slots {
        Slots::Word(_) => "all slots".to_owned(),
        Slots::Some(some) => words::count(some.ranges.len() as u64, "range of slots"),
    };
    vec![
        format!(
            "site key {} lets lease key {}",
            delegation.iss, delegation.sub
        ),
        format!(
            "lease {slots} from {} until {}",
            dates::format(delegation.nbf),
            dates::format(delegation.exp)
        ),
    ]
}

fn lease(lease: &Lease) -> Vec<String> {
    let slots: Vec<_> = lease.slots.iter().map(u64::to_string).collect();
    let mut lines = vec![
        format!(
            "{} holds slots {} of {}, holder {}",
            lease.sub,
            slots.join(" "),
            lease.feature,
            lease.jti
        ),
        format!(
            "signed on {}, ttl {}, grace {}",
            dates::format(lease.iat),
            words::span(lease.ttl_s),
            words::span(lease.grace_s)
        ),
        format!("license {}", lease.license),
    ];
    lines.extend(
        lease
            .last
            .map(|last| format!("the last one: {}", last.as_str())),
    );
    lines.extend(
        (!lease.warning.is_empty()).then(|| format!("warnings: {}", lease.warning.join(", "))),
    );
    lines
}

fn anchor(anchor: &Anchor) -> Vec<String> {
    vec![
        format!(
            "the journal ends with event {}, hash {}",
            anchor.number, anchor.hash
        ),
        format!(
            "signed on {}, epoch {}, run {}",
            dates::format(anchor.iat),
            anchor.epoch,
            anchor.run_id
        ),
    ]
}

fn info(info: &serde_json::Map<String, Value>) -> Option<String> {
    (!info.is_empty()).then(|| format!("info {}", Value::Object(info.clone())))
}
