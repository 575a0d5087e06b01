//! Taking a seat for a program that knows no seats: the vendor roots come from the daemon.

use crate::args::Taking;
use crate::daemon::Daemon;
use crate::failure::{self, Outcome};
use crate::names::FeatureName;
use crate::printer::Printer;
use crate::words;
use seatkeeper::token::keys::PublicKey;
use seatkeeper::wire::{Code, Vendor};
use seatkeeper::{Client, EndingReason, Event, EventKind, LostReason, Seat};

/// Takes a seat; what happens to it is told to `listener`.
pub(crate) fn sit(
    daemon: &Daemon<'_>,
    feature: &FeatureName,
    taking: &Taking,
    printer: &Printer,
    listener: impl Fn(&Event) + Send + Sync + 'static,
) -> Outcome<Seat> {
    let (product, feature) = feature.resolve(daemon)?;
    let client = client(daemon, &product, printer, listener)?;
    let mut checkout = client.checkout(&feature).n(taking.n);
    if let Some(version) = &taking.version {
        checkout = checkout.version(version);
    }
    if taking.interactive {
        checkout = checkout.asked_by_user();
    }
    Ok(checkout.acquire()?)
}

/// What an event of the seat means, in a sentence.
pub(crate) fn told(kind: &EventKind) -> String {
    match kind {
        EventKind::Grace(until) => {
            format!(
                "the seat could not be renewed; it is good for another {}",
                words::span(until.remaining().as_secs())
            )
        }
        EventKind::Refused { text, .. } => format!("the daemon refuses the seat: {text}"),
        EventKind::Ending(until, reason) => {
            format!(
                "{}; the seat ends in {}: save your work",
                ending(*reason),
                words::span(until.remaining().as_secs())
            )
        }
        EventKind::Lost(reason) => format!("the seat is lost: {}", lost(*reason)),
        EventKind::Regained => "the seat is held again".to_owned(),
        EventKind::PoliciesChanged(policies) if policies.is_empty() => {
            "no policy is granted any more".to_owned()
        }
        EventKind::PoliciesChanged(policies) => {
            format!("policies granted now: {}", policies.join(", "))
        }
        EventKind::Untrusted(text) => format!("an answer of the daemon was not believed: {text}"),
        other => format!("the seat: {other:?}"),
    }
}

fn ending(reason: EndingReason) -> &'static str {
    match reason {
        EndingReason::Reclaimed => "an administrator takes the seat back",
        EndingReason::Released => "its user gives the seat back from elsewhere",
        EndingReason::RightLost => "the license is no longer assigned to you, or was withdrawn",
        EndingReason::Superseded => "a newer license has taken the place of this one",
        EndingReason::LicenseEnds => "the license ends",
        _ => "the seat is ending",
    }
}

fn lost(reason: LostReason) -> &'static str {
    match reason {
        LostReason::Lapsed => "it was not renewed in time; it is asked for again",
        LostReason::LicenseEnded => "the license has ended",
        LostReason::Superseded => "a newer license has no place for it; it is asked for again",
        LostReason::Reclaimed => "an administrator took it back",
        LostReason::Released => "it was given back from elsewhere",
        LostReason::RightLost => "the license is no longer assigned to you, or was withdrawn",
        LostReason::Ended => "it was taken back without time to save",
        LostReason::Forked => "it belongs to another process",
        _ => reason.code(),
    }
}

fn client(
    daemon: &Daemon<'_>,
    product: &str,
    printer: &Printer,
    listener: impl Fn(&Event) + Send + Sync + 'static,
) -> Outcome<Client> {
    let vendors: Vec<Vendor> = daemon.list("/v1/vendors")?;
    let published = published_root();
    let roots = vendors.iter().flat_map(|vendor| &vendor.roots);
    let roots: Vec<&str> = roots
        .filter(|root| published.as_deref() != Some(&*root.thumbprint))
        .map(|root| root.pem.as_str())
        .collect();
    let mut builder = Client::builder(product)
        .vendor_roots(&roots)
        .on_event(listener);
    if let Some(socket) = daemon.endpoint() {
        builder = builder.socket(socket);
    }
    if daemon.is_dev() {
        printer.note("(the published development root is trusted here: seats of `seatkeeperd dev` are worth nothing)");
        builder = builder.dev_root();
    } else if roots.is_empty() {
        return Err(failure::refused(
            &Code::NotLicensed,
            "this site trusts no vendor, so no seat can be verified",
        ));
    }
    Ok(builder.build()?)
}

/// The root whose private half everybody has: believed on the development socket alone.
fn published_root() -> Option<String> {
    PublicKey::from_pem(seatkeeper::testing::DEV_ROOT)
        .ok()
        .map(|key| key.thumbprint())
}
