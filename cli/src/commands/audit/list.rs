//! `audit list`: when, who, what.

use super::source;
use crate::args::AuditListArgs;
use crate::clock;
use crate::daemon::{Daemon, escape};
use crate::failure::Outcome;
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{AuditEvent, Status};
use std::collections::VecDeque;

/// The newest events that the filters let through.
pub(super) fn run(daemon: &Daemon<'_>, args: &AuditListArgs, printer: &Printer) -> Outcome {
    let most = if args.all {
        usize::MAX
    } else {
        usize::try_from(args.last).unwrap_or(usize::MAX)
    };
    let query = query(args, clock::unix_s());
    let journal: Status = daemon.get("/v1/status")?;
    let begin = if query.is_empty() && !args.all {
        let newest = journal.events.saturating_sub(u64::from(args.last));
        newest.max(journal.pruned)
    } else {
        journal.pruned
    };
    let (mut newest, mut older) = (VecDeque::new(), begin > journal.pruned);
    let mut next = Some(begin.to_string());
    while let Some(after) = next {
        let path = format!("/v1/audit?limit=1000{query}&after={}", escape(&after));
        let page = source::page(daemon, &path)?;
        newest.extend(page.items);
        while newest.len() > most {
            newest.pop_front();
            older = true;
        }
        next = page.next;
    }
    let events = Vec::from(newest);
    printer.list(
        &events,
        &[
            Column("n", |event: &AuditEvent| event.n.to_string()),
            Column("when", |event| words::moment(event.wall_s)),
            Column("who", |event| event.actor.clone()),
            Column("what", |event| event.text.clone()),
        ],
    )?;
    if events.is_empty() {
        printer.note("no event is as asked for");
    }
    if older {
        printer.note(&format!(
            "these are the newest {}; --last NUMBER or --all shows more",
            words::count(events.len() as u64, "event")
        ));
    } else if journal.pruned > 0 {
        printer.note(&format!(
            "events 1 to {} were pruned: they are older than `retention_days`",
            journal.pruned
        ));
    }
    Ok(())
}

/// The filters, as members of a query.
fn query(args: &AuditListArgs, now: u64) -> String {
    let feature = args.feature.as_ref().map(|feature| match &feature.product {
        Some(product) => format!("{product}/{}", feature.feature),
        None => feature.feature.clone(),
    });
    let kinds = (!args.kinds.is_empty()).then(|| args.kinds.join(","));
    let since = args.since.map(|when| when.begins(now).to_string());
    let until = args.until.map(|when| when.ends(now).to_string());
    [
        ("actor", args.actor.clone()),
        ("user", args.user.clone()),
        ("feature", feature),
        ("kind", kinds),
        ("since", since),
        ("until", until),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(format!("&{name}={}", escape(&value?))))
    .collect()
}
