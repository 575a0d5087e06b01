//! `license show`: all terms of a license, and what of it is not served yet.

use super::assign::assignee;
use super::{assignments, status};
use crate::daemon::Daemon;
use crate::failure::Outcome;
use crate::names::LicenseName;
use crate::printer::Printer;
use crate::words;
use seatkeeper::wire::{License, LicenseFeature};

/// Asks and prints.
pub(crate) fn run(daemon: &Daemon<'_>, name: &LicenseName, printer: &Printer) -> Outcome {
    let license = name.resolve(daemon)?;
    // Who may see the license may not see its assignments.
    let assigned = assignments(daemon, &license.vendor, &license.id).ok();
    let assigned = assigned.map(|all| all.iter().map(assignee).collect::<Vec<_>>().join(", "));
    printer.record(&license, |license| text(license, assigned.as_deref()))
}

fn text(license: &License, assigned: Option<&str>) -> String {
    let replaces = license
        .replaces
        .as_ref()
        .map(|id| format!(", replaces {id}"))
        .unwrap_or_default();
    let mut lines = vec![
        format!(
            "license   {}/{}, serial {}{replaces}",
            license.vendor, license.id, license.serial
        ),
        format!("product   {}", license.product),
    ];
    // Whose it is, is for those who may read the license.
    if !license.customer.is_empty() {
        lines.push(format!("customer  {}", license.customer));
    }
    lines.extend([
        format!("account   {}", license.account),
        format!("status    {}", status(license)),
        format!(
            "valid     from {}, {}",
            words::date(license.nbf),
            ends(license.exp)
        ),
    ]);
    match assigned {
        Some("") => lines.push(format!(
            "assigned  to nobody yet: `seatkeeper license assign {}/{} --everyone`, or `--user NAME`",
            license.vendor, license.id
        )),
        Some(assigned) => lines.push(format!("assigned  to {assigned}")),
        None => {}
    }
    license
        .features
        .iter()
        .for_each(|feature| lines.extend(terms(feature)));
    for later in &license.waiting {
        lines.extend([
            String::new(),
            format!(
                "waits     serial {} of {}: valid from {}, {}",
                later.serial,
                later.product,
                words::date(later.nbf),
                ends(later.exp)
            ),
        ]);
        let seats = later.features.iter().map(|feature| match feature.seats {
            Some(seats) => format!("  {}: {}", feature.name, words::count(seats, "seat")),
            None => format!("  {}: seats without limit", feature.name),
        });
        lines.extend(seats);
    }
    if !license.notes.is_empty() {
        lines.extend([String::new(), "Not served by this version yet:".to_owned()]);
        lines.extend(license.notes.iter().map(|note| format!("  {note}")));
    }
    lines.join("\n")
}

fn ends(exp: Option<u64>) -> String {
    exp.map_or_else(
        || "perpetual".to_owned(),
        |exp| format!("through {}", words::until(Some(exp))),
    )
}

fn terms(feature: &LicenseFeature) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        format!("feature   {}: {}", feature.name, counts(feature)),
        format!(
            "  {}, counted by {}{}",
            feature.model,
            feature.counting,
            shared(feature)
        ),
        format!(
            "  a lease lives {}, grace {}, time to save {}, pause after a reclaim {}",
            words::span(feature.ttl_s),
            words::span(feature.grace_s),
            words::span(feature.save_s),
            words::span(feature.cool_down_s)
        ),
    ];
    lines.extend(
        feature
            .version
            .as_ref()
            .map(|version| format!("  up to version {version}")),
    );
    lines.extend((feature.reserved > 0).then(|| {
        format!(
            "  {} reserved, {} of them filled",
            words::count(feature.reserved, "seat"),
            feature.reserved_filled
        )
    }));
    lines.extend(
        (feature.overdraft > 0)
            .then(|| format!("  overdraft {}", words::count(feature.overdraft, "seat"))),
    );
    lines.extend(
        (feature.linger_s > 0).then(|| format!("  linger {}", words::span(feature.linger_s))),
    );
    for (word, policies) in [
        ("policies", &feature.policies),
        ("optional policies", &feature.optional),
    ] {
        lines.extend((!policies.is_empty()).then(|| format!("  {word}: {}", policies.join(", "))));
    }
    lines
}

/// Active and available (L17): of named seats those with owners, and how many of them sit.
fn counts(feature: &LicenseFeature) -> String {
    let of = words::of(feature.in_use, feature.seats);
    let left = feature
        .seats
        .map(|seats| seats.saturating_sub(feature.in_use));
    let left = left.map_or_else(String::new, |left| format!(", {left} available"));
    match feature.model.as_str() {
        "named" => {
            let sit = feature.in_use.saturating_sub(feature.kept);
            format!("{of} seats have owners, {sit} of them in use{left}")
        }
        _ => format!("{of} seats in use{left}"),
    }
}

fn shared(feature: &LicenseFeature) -> String {
    match feature.share_max {
        // All who sit on a named seat are its owner's.
        None if feature.model == "named" => String::new(),
        None => ", shared without limit".to_owned(),
        Some(1) => String::new(),
        Some(n) => format!(", shared by up to {n}"),
    }
}
