//! `audit …`: the journal, for people, for keeping, for proof, and as a test.

mod chain;
mod list;
mod signed;
mod source;
mod verify;

use crate::args::AuditCommand;
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::words;
use chain::{Chain, Fault};
use seatkeeper::wire::AuditAnchor;
use serde::Deserialize;
use serde_json::value::RawValue;
use signed::SiteKey;
use source::Line;
use std::path::Path;

/// Does it.
pub(crate) fn run(daemon: &Daemon<'_>, command: &AuditCommand, printer: &Printer) -> Outcome<Exit> {
    match command {
        AuditCommand::List(args) => list::run(daemon, args, printer)?,
        AuditCommand::Export { file, after } => export(daemon, file, after.as_deref(), printer)?,
        AuditCommand::Verify(args) => return verify::run(daemon, args, printer),
        AuditCommand::Script { file } => script(daemon, file.as_deref(), printer)?,
    }
    Ok(Exit::Done)
}

/// Events as stored, line by line, between the anchor that they follow, where they follow one, and the one that they lead to.
fn export(daemon: &Daemon<'_>, file: &Path, after: Option<&Path>, printer: &Printer) -> Outcome {
    let end: AuditAnchor = daemon.get("/v1/audit/anchor")?;
    let mut key = SiteKey::of(&end.site_key)?;
    let last = key.open(&end)?.number;
    let begin = first_line(daemon, after, &mut key)?;
    let mut chain = match &begin {
        Some(begin) => Chain::after(&key.open(begin)?),
        None => Chain::default(),
    };
    if !chain.anchor(&key.open(&end)?).map_err(broken)? {
        let signed = chain.number();
        return Err(broken(Fault::Short { last, signed }));
    }
    let first = chain.began() + 1;
    // What does not follow is written all the same: it is evidence.
    let mut fault = None;
    signed::write(file, |out| {
        let mut line = |bytes: &[u8]| {
            out.write_all(bytes)
                .and_then(|()| out.write_all(b"\n"))
                .map_err(|error| Failure::file("write", file, &error))
        };
        if let Some(begin) = &begin {
            line(&json(begin))?;
        }
        source::daemon(daemon, chain.began(), last, |stored| {
            if fault.is_none() {
                fault = chain.event(stored).err();
            }
            line(stored)
        })?;
        line(&json(&end))
    })?;
    fault.map_or_else(|| chain.end(), Err).map_err(|fault| {
        printer.note(&format!(
            "{} is written, but its chain is broken",
            file.display()
        ));
        broken(fault)
    })?;
    if after.is_none() && begin.is_some() {
        printer.note(&format!(
            "events 1 to {} were pruned; the first line is the anchor that stands for them",
            first - 1
        ));
    }
    let signed = key.thumbprint().unwrap_or_default();
    printer.note(&match last + 1 - first {
        0 => format!("nothing happened since event {last}; signed anew by site key {signed}"),
        many => format!(
            "{} from {first} to {last}, signed by site key {signed}",
            words::count(many, "event")
        ),
    });
    Ok(())
}

/// The anchor that an export begins with: that of the earlier one, or the one that stands for what was pruned.
fn first_line(
    daemon: &Daemon<'_>,
    after: Option<&Path>,
    key: &mut SiteKey,
) -> Outcome<Option<AuditAnchor>> {
    let pruned = source::pruned(daemon)?;
    let Some(path) = after else {
        return Ok(pruned);
    };
    let earlier = signed::last_of(path)?;
    let (before, upto) = match &pruned {
        Some(pruned) => (key.open(&earlier)?.number, key.open(pruned)?.number),
        None => (0, 0),
    };
    if before < upto {
        return Err(Failure::new(
            Exit::Failed,
            format!(
                "{} ends with event {before}, and events up to {upto} were pruned since: what lies between is gone",
                path.display()
            ),
            "`seatkeeper audit export FILE` without --after writes what is kept, from the anchor that stands for the rest; \
             export more often than `retention_days`",
        ));
    }
    Ok(Some(earlier))
}

fn json(anchor: &AuditAnchor) -> Vec<u8> {
    serde_json::to_vec(anchor).expect("two texts make JSON")
}

/// The journal as `event …` lines that the engine's golden scripts fold.
fn script(daemon: &Daemon<'_>, file: Option<&Path>, printer: &Printer) -> Outcome {
    /// What of a stored event happened.
    #[derive(Deserialize)]
    struct Stored<'a> {
        n: u64,
        #[serde(borrow)]
        what: &'a RawValue,
    }
    let mut begun = false;
    let mut line = |stored: &[u8]| {
        let read: Stored<'_> = serde_json::from_slice(stored).map_err(|why| {
            Failure::new(
                Exit::Failed,
                format!("a line is no event: {why}"),
                "`seatkeeper audit verify` says which one, and what that means",
            )
        })?;
        if !begun {
            from_the_first(read.n)?;
            printer.raw(&format!(
                "# A journal as a golden script, by `seatkeeper audit script` {}.",
                env!("CARGO_PKG_VERSION")
            ))?;
            begun = true;
        }
        printer.raw(&format!("event {}", read.what))
    };
    match file {
        Some(file) => source::file(file, |read| match read {
            Line::Event(stored) => line(stored),
            Line::Anchor(_) => Ok(()),
        })?,
        None => {
            let begin = source::pruned(daemon)?;
            let upto = begin.map(|told| SiteKey::default().open(&told).map(|anchor| anchor.number));
            source::daemon(daemon, upto.transpose()?.unwrap_or(0), u64::MAX, line)?;
        }
    }
    printer.raw("state")?;
    printer.note(
        "ids stand in it, no names; the license tokens as installed, which name your company. Look before you send it",
    );
    Ok(())
}

/// A script makes a state out of nothing: it begins with event 1.
fn from_the_first(n: u64) -> Outcome {
    if n == 1 {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Failed,
        format!("what is there begins with event {n}, and a script replays from event 1 on"),
        "where events were pruned, exports that were made before have them: `cat` those that follow one another into one \
         file, and name it; without them, report what was asked and answered, with `audit export`",
    ))
}

/// A chain that does not hold, as a failure.
fn broken(fault: Fault) -> Failure {
    Failure::new(Exit::Failed, fault.to_string(), fault.next())
}
