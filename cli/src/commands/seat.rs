//! `seat …`: who sits where; take a seat, give one back, take one back.

use super::holding;
use super::signals::Signals;
use crate::args::{CheckoutArgs, SeatCommand};
use crate::daemon::{Daemon, escape};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::names::{FeatureName, GrantId};
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{Code, EndingHolder, EndingReply, ReclaimBody, Seat};
use seatkeeper::{EventKind, LeaseFacts, LostReason};
use serde::Serialize;
use std::sync::mpsc::{self, Receiver};

/// Does it.
pub(crate) fn run(daemon: &Daemon<'_>, command: &SeatCommand, printer: &Printer) -> Outcome<Exit> {
    match command {
        SeatCommand::List { feature, user } => {
            list(daemon, feature.as_ref(), user.as_deref(), printer)?
        }
        SeatCommand::Checkout(args) => return checkout(daemon, args, printer),
        SeatCommand::Release { id } => {
            let reply: Option<EndingReply> = daemon
                .delete(&format!("/v1/leases/{}", escape(id)), None)
                .map_err(which)?;
            ending(reply, &format!("seat {id} is given back"), printer)?;
        }
        SeatCommand::Reclaim { id, owner, hard } => {
            let path = format!("/v1/seats/{}/reclaim", escape(&id.grant));
            let (hard, owner) = (*hard, *owner);
            let body = ReclaimBody { hard, owner };
            let reply: EndingReply = daemon
                .post(&path, &body)
                .map_err(|f| whose(named(which(f), id)))?;
            let ending_now = reply.ending.clone();
            ending(Some(reply), &format!("seat {} is free", id.grant), printer)?;
            learn(daemon, &ending_now, hard, printer);
        }
    }
    Ok(Exit::Done)
}

/// An id that nothing has is looked up in the list.
fn which(mut failure: Failure) -> Failure {
    if let Failure::Refused(refusal) = &mut failure
        && [Code::NotFound, Code::UnknownLease].contains(&Code::of(&refusal.code))
    {
        refusal.hint = "`seatkeeper seat list` shows the seats in use, with their ids".to_owned();
    }
    failure
}

/// The daemon was asked about the grant, and the one who typed reads what they typed.
fn named(mut failure: Failure, id: &GrantId) -> Failure {
    if let Failure::Refused(refusal) = &mut failure
        && Code::of(&refusal.code) == Code::NotFound
    {
        refusal.what = format!("there is no seat {}", id.typed);
    }
    failure
}

/// A named seat that nobody sits on is not reclaimed but taken from its owner (rule 7), and no other one can be.
fn whose(mut failure: Failure) -> Failure {
    if let Failure::Refused(refusal) = &mut failure
        && refusal.rule == Some(7)
        && Code::of(&refusal.code) == Code::BadRequest
    {
        refusal.hint = match refusal.what.contains("no owner") {
            true => "without `--owner` it is taken from those who sit on it",
            false => "`--owner` takes it from its owner",
        }
        .to_owned();
    }
    failure
}

/// Nobody calls a program: it learns what was decided when it renews, and only its end frees the seat before that.
fn learn(daemon: &Daemon<'_>, ending: &[EndingHolder], hard: bool, printer: &Printer) {
    if ending.is_empty() {
        return;
    }
    let told = if hard {
        "without time to save"
    } else {
        "and has time to save then"
    };
    printer.note(&format!(
        "its program is told at its next renewal, {told}; until then it goes on"
    ));
    // Beside what was done: whoever may not list seats is told without pids.
    let seats: Vec<Seat> = daemon.list("/v1/seats").unwrap_or_default();
    let ours = |seat: &&Seat| ending.iter().any(|holder| holder.id == seat.id);
    let programs: Vec<_> = seats.iter().filter(ours).filter_map(program).collect();
    if hard && !programs.is_empty() {
        printer.note(&format!(
            "to free it now, end its program: {}",
            programs.join(", ")
        ));
    }
}

fn program(seat: &Seat) -> Option<String> {
    seat.pid
        .map(|pid| format!("pid {pid} of {} on {}", seat.user, seat.machine))
}

/// What was done, and whose seats end for it by when.
pub(crate) fn lose(done: &str, ending: &[EndingHolder], hard: bool) -> String {
    let told = match hard {
        true => "refused",
        false => "told",
    };
    let mut text = format!("{done}\n");
    for holder in ending {
        let within = words::span(holder.within_s);
        text += &format!(
            "seat {} has no right any more: {told} at its next renewal, free within {within}\n",
            holder.id
        );
    }
    text
}

/// What ends, and by when; `at_once` is said where nothing has to be waited for.
pub(crate) fn ending(reply: Option<EndingReply>, at_once: &str, printer: &Printer) -> Outcome {
    let reply = reply.unwrap_or(EndingReply { ending: Vec::new() });
    printer.record(&reply, |reply| match reply.ending.as_slice() {
        [] => at_once.to_owned(),
        ending => ending
            .iter()
            .map(|holder| {
                format!(
                    "seat {} is ending; its slots are free within {}\n",
                    holder.id,
                    words::span(holder.within_s)
                )
            })
            .collect(),
    })
}

fn list(
    daemon: &Daemon<'_>,
    feature: Option<&FeatureName>,
    user: Option<&str>,
    printer: &Printer,
) -> Outcome {
    let mut seats: Vec<Seat> = daemon.list("/v1/seats")?;
    seats
        .retain(|seat| feature.is_none_or(|feature| feature.matches(&seat.product, &seat.feature)));
    seats.retain(|seat| user.is_none_or(|user| seat.user == user));
    if seats.is_empty() {
        printer.note("no seat is in use that you may see");
    }
    let state = |seat: &Seat| match (seat.state.as_str(), seat.watched) {
        ("kept", _) if seat.hold_s > 0 => format!(
            "kept for its owner, bound to them for {}",
            words::span(seat.hold_s)
        ),
        ("kept", _) => "kept for its owner".to_owned(),
        ("live", true) if seat.named => "live, named".to_owned(),
        ("live", true) => "live".to_owned(),
        ("live", false) => format!(
            "live, not watched: free at the latest {} after its end",
            words::span(seat.hold_s)
        ),
        (reason, _) => format!(
            "ending ({reason}), free within {}",
            words::span(seat.hold_s)
        ),
    };
    printer.list(
        &seats,
        &[
            Column("feature", |seat: &Seat| {
                format!("{}/{}", seat.product, seat.feature)
            }),
            Column("slots", |seat| {
                seat.slots
                    .iter()
                    .map(u64::to_string)
                    .collect::<Vec<_>>()
                    .join(" ")
            }),
            Column("user", |seat| or_dash(&seat.user)),
            Column("machine", |seat| or_dash(&seat.machine)),
            Column("pid", |seat| {
                seat.pid
                    .map(|pid| pid.to_string())
                    .unwrap_or_else(|| "-".to_owned())
            }),
            Column("held", words::held),
            Column("id", |seat| seat.id.clone()),
            Column("state", state),
        ],
    )
}

fn or_dash(text: &str) -> String {
    match text {
        "" => "-".to_owned(),
        text => text.to_owned(),
    }
}

/// What `checkout` waits for.
enum News {
    Asked,
    Seat(EventKind),
}

fn checkout(daemon: &Daemon<'_>, args: &CheckoutArgs, printer: &Printer) -> Outcome<Exit> {
    let signals = Signals::block()?;
    let (to, news) = mpsc::channel();
    let events = to.clone();
    let seat = holding::sit(daemon, &args.feature, &args.taking, printer, move |event| {
        drop(events.send(News::Seat(event.kind.clone())));
    })?;
    signals.watch(to, |_| News::Asked);
    if let Some(facts) = seat.lease() {
        printer.record(&Lease::of(facts), text)?;
    }
    printer.note(
        "Held until Ctrl-C. The vendor roots came from the daemon: this serves programs without the SDK,\n\
         and protects nothing against the administrator of this machine.",
    );
    if let Some(reason) = held(&news, printer) {
        let what = format!("the seat is lost ({})", reason.code());
        return Err(Failure::new(
            Exit::Refused,
            what,
            "`seatkeeper why USER FEATURE` says whether you would get another",
        ));
    }
    seat.release()?;
    printer.note("the seat is given back");
    Ok(Exit::Done)
}

/// Waits for a signal, or for a loss that is for good.
fn held(news: &Receiver<News>, printer: &Printer) -> Option<LostReason> {
    for news in news {
        match news {
            News::Asked => return None,
            News::Seat(kind) => {
                printer.note(&format!("seatkeeper: {}", holding::told(&kind)));
                match kind {
                    EventKind::Lost(LostReason::Lapsed | LostReason::Superseded) => {}
                    EventKind::Lost(reason) => return Some(reason),
                    _ => {}
                }
            }
        }
    }
    None
}

/// A verified lease, for people and scripts.
#[derive(Serialize)]
struct Lease {
    id: String,
    user: String,
    product: String,
    feature: String,
    version: Option<String>,
    slots: Vec<u64>,
    policies: Vec<String>,
    vendor: String,
    license: String,
    license_ends: Option<u64>,
    ttl_s: u64,
    grace_s: u64,
    warnings: Vec<String>,
}

impl Lease {
    fn of(facts: LeaseFacts) -> Lease {
        let (vendor, license) = facts.license;
        Lease {
            vendor,
            license,
            id: facts.id,
            user: facts.user,
            product: facts.product,
            feature: facts.feature,
            version: facts.version,
            slots: facts.slots,
            policies: facts.policies,
            license_ends: facts.license_ends,
            ttl_s: facts.ttl.as_secs(),
            grace_s: facts.grace.as_secs(),
            warnings: facts.warnings,
        }
    }
}

fn text(lease: &Lease) -> String {
    let slots = lease
        .slots
        .iter()
        .map(u64::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let noun = if lease.slots.len() == 1 {
        "slot"
    } else {
        "slots"
    };
    let mut lines = vec![
        format!(
            "seat      {} of {}/{}: {noun} {slots}",
            lease.id, lease.product, lease.feature
        ),
        format!("user      {}", lease.user),
        format!(
            "license   {}/{}, {}",
            lease.vendor,
            lease.license,
            ends(lease.license_ends)
        ),
        format!(
            "lease     {}, renewed by itself; grace {}",
            words::span(lease.ttl_s),
            words::span(lease.grace_s)
        ),
    ];
    if !lease.policies.is_empty() {
        lines.push(format!("policies  {}", lease.policies.join(", ")));
    }
    if !lease.warnings.is_empty() {
        lines.push(format!("warning   {}", lease.warnings.join(", ")));
    }
    lines.join("\n")
}

fn ends(exp: Option<u64>) -> String {
    exp.map_or_else(
        || "perpetual".to_owned(),
        |exp| format!("through {}", words::until(Some(exp))),
    )
}
