//! `audit verify`: the hash chain of an export or of the running daemon, held against what the site key signed.

use super::broken;
use super::chain::{Chain, Fault};
use super::signed::{self, SiteKey};
use super::source::{self, Line};
use crate::args::AuditVerifyArgs;
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::words;
use seatkeeper::token::claims::Anchor;
use seatkeeper::wire;
use serde::Serialize;
use std::path::Path;

/// What was found to hold.
#[derive(Serialize)]
struct Report {
    /// The first event looked at.
    first: u64,
    /// The last.
    last: u64,
    /// The hash after it, in hex.
    hash: String,
    /// Thumbprint of the site key.
    site_key: String,
    /// When the last anchor was signed (J).
    signed: u64,
    /// Epoch of the run that signed it.
    epoch: u64,
    /// Anchors that hold, the last one included.
    anchors: u64,
    /// Anchors that lie before the first event.
    not_reached: u64,
    /// When the events before the first one were pruned (wall clock).
    #[serde(skip_serializing_if = "Option::is_none")]
    pruned_on: Option<u64>,
}

/// Follows it to its end; the first thing that does not follow is the failure.
pub(super) fn run(daemon: &Daemon<'_>, args: &AuditVerifyArgs, printer: &Printer) -> Outcome<Exit> {
    let report = match &args.file {
        Some(file) => kept(file, args)?,
        None => running(daemon, args)?,
    };
    if let Some(wanted) = &args.site_key
        && *wanted != report.site_key
    {
        return Err(Failure::new(
            Exit::Failed,
            format!(
                "it is signed by site key {}, not by {wanted}",
                report.site_key
            ),
            "is it an export of this site? `seatkeeper site key show` on its machine shows the thumbprint",
        ));
    }
    printer.record(&report, text)?;
    if args.file.is_some() && args.site_key.is_none() {
        printer.note("the key came with the file: compare its thumbprint with `seatkeeper site key show`, or say --site-key");
    }
    if report.not_reached > 0 {
        printer.note(&format!(
            "{} before event {} and could not be held against it",
            match report.not_reached {
                1 => "1 anchor lies".to_owned(),
                many => format!("{many} anchors lie"),
            },
            report.first
        ));
        return Ok(Exit::Part);
    }
    Ok(Exit::Done)
}

fn text(report: &Report) -> String {
    let span = span(report);
    format!(
        "{span}\nhash      {}\nsite key  {}\nsigned    {}, epoch {}; {} of it {}",
        report.hash,
        report.site_key,
        words::date(report.signed),
        report.epoch,
        words::count(report.anchors, "anchor"),
        if report.anchors == 1 { "holds" } else { "hold" }
    )
}

fn span(report: &Report) -> String {
    let (first, last) = (report.first, report.last);
    if last < first {
        return format!(
            "no events were read: the anchor signs what ends with event {last}, and nothing follows it"
        );
    }
    let follows = format!("events {first} to {last}: each follows from the one before it");
    match report.pruned_on {
        _ if first == 1 => follows,
        None => format!("{follows}, the first from a signed anchor"),
        Some(when) => format!(
            "events 1 to {} were pruned on {}; an anchor of the site key stands for them\n{follows}, the first from that \
             anchor",
            first - 1,
            words::date(when)
        ),
    }
}

/// The running daemon's journal, up to where its site key signs it now.
fn running(daemon: &Daemon<'_>, args: &AuditVerifyArgs) -> Outcome<Report> {
    let now: wire::AuditAnchor = daemon.get("/v1/audit/anchor")?;
    let shown: wire::SiteKey = daemon.get("/v1/site-key")?;
    let mut key = SiteKey::of(&shown.pem)?;
    let end = key.open(&now)?;
    let pruned = source::pruned(daemon)?;
    let pruned = pruned.map(|told| key.open(&told)).transpose()?;
    let (from, mut not_reached) = (begin(&mut key, args)?, 0);
    let mut chain = match (&from, &pruned) {
        (Some(from), Some(pruned)) if from.number < pruned.number => {
            not_reached += 1;
            Chain::after(pruned)
        }
        (Some(from), _) => Chain::from(from),
        (None, Some(pruned)) => Chain::after(pruned),
        (None, None) => Chain::default(),
    };
    if !chain.anchor(&end).map_err(broken)? {
        let signed = chain.began();
        return Err(broken(Fault::Short {
            last: end.number,
            signed,
        }));
    }
    not_reached += against(&mut chain, &mut key, args)?;
    source::daemon(daemon, chain.began(), u64::MAX, |stored| {
        chain.event(stored).map_err(broken)
    })?;
    let upto = chain.began();
    if pruned.is_some_and(|pruned| pruned.number == upto) && chain.pruned_s.is_none() {
        return Err(broken(Fault::Unsaid { upto }));
    }
    report(&chain, &key, &end, not_reached)
}

/// An export: it begins with event 1, or with the anchor that it follows, and ends with an anchor.
fn kept(file: &Path, args: &AuditVerifyArgs) -> Outcome<Report> {
    let mut key = own_key(file)?;
    let mut state: Option<(Chain, u64)> = None;
    let mut end: Option<Anchor> = None;
    source::file(file, |line| {
        let signed = match &line {
            Line::Anchor(told) => Some(key.open(told)?),
            Line::Event(_) => None,
        };
        if state.is_none() {
            let begins = || signed.as_ref().map(Chain::after).unwrap_or_default();
            let from = begin(&mut key, args)?;
            let mut chain = from.as_ref().map_or_else(begins, Chain::from);
            let not_reached = against(&mut chain, &mut key, args)?;
            state = Some((chain, not_reached));
        }
        let (chain, _) = state.as_mut().expect("it was just put there");
        match (line, &signed) {
            (Line::Event(stored), _) => chain.event(stored).map_err(broken)?,
            (Line::Anchor(_), Some(signed)) => in_place(chain, signed)?,
            (Line::Anchor(_), None) => {}
        }
        end = signed;
        Ok(())
    })?;
    let nothing = || {
        Failure::new(
            Exit::Failed,
            format!("{} is empty", file.display()),
            "name an export (`seatkeeper audit export FILE`)",
        )
    };
    let (chain, not_reached) = state.ok_or_else(nothing)?;
    let Some(end) = end else {
        return Err(Failure::new(
            Exit::Failed,
            format!(
                "it does not end with an anchor: what followed event {} was cut off",
                chain.number()
            ),
            "every export ends with one; fetch the file again from where it was first kept",
        ));
    };
    report(&chain, &key, &end, not_reached)
}

/// The anchor of `--from`.
fn begin(key: &mut SiteKey, args: &AuditVerifyArgs) -> Outcome<Option<Anchor>> {
    let from = args.from.as_deref().map(signed::last_of).transpose()?;
    from.map(|told| key.open(&told)).transpose()
}

/// The key beside the last anchor of a file: an earlier anchor under another key is told as such, not as a broken chain.
/// What comes from stdin is read once, and the first anchor at hand brings the key.
fn own_key(file: &Path) -> Outcome<SiteKey> {
    if file == Path::new("-") {
        return Ok(SiteKey::default());
    }
    signed::last_in(file)?.map_or_else(
        || Ok(SiteKey::default()),
        |told| SiteKey::of(&told.site_key),
    )
}

/// An anchor in an export signs the event before it.
fn in_place(chain: &mut Chain, signed: &Anchor) -> Outcome {
    let held = chain.held;
    if signed.number < chain.began() && chain.passes(signed.number) {
        return Ok(());
    }
    chain.anchor(signed).map_err(broken)?;
    if chain.held > held {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Failed,
        format!(
            "an anchor of event {} stands after event {}: events between them were taken out or put in",
            signed.number,
            chain.number()
        ),
        "fetch the file again from where it was first kept",
    ))
}

/// Holds the chain against earlier anchors; how many of them lie before its beginning.
fn against(chain: &mut Chain, key: &mut SiteKey, args: &AuditVerifyArgs) -> Outcome<u64> {
    let mut not_reached = 0;
    for path in &args.anchors {
        let claims = key.open(&signed::last_of(path)?)?;
        if !chain.anchor(&claims).map_err(broken)? {
            not_reached += 1;
        }
    }
    Ok(not_reached)
}

fn report(chain: &Chain, key: &SiteKey, end: &Anchor, not_reached: u64) -> Outcome<Report> {
    chain.end().map_err(broken)?;
    Ok(Report {
        first: chain.began() + 1,
        last: chain.number(),
        hash: chain.hash(),
        site_key: key.thumbprint().unwrap_or_default(),
        signed: end.iat,
        epoch: end.epoch,
        anchors: chain.held,
        not_reached,
        pruned_on: chain.pruned_s,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u4_a_lone_anchor_is_told_as_one() {
        let report = |first, last| Report {
            first,
            last,
            hash: String::new(),
            site_key: String::new(),
            signed: 0,
            epoch: 1,
            anchors: 1,
            not_reached: 0,
            pruned_on: None,
        };
        let alone = span(&report(16, 15));
        assert!(alone.starts_with("no events were read"), "{alone}");
        assert!(span(&report(16, 16)).contains("each follows"));
    }
}
