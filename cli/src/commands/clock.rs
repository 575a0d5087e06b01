//! `clock …`: what the wall clock says, what dates are judged by, and putting the dates back after a wrong clock.

use crate::args::ClockCommand;
use crate::daemon::Daemon;
use crate::failure::Outcome;
use crate::printer::Printer;
use crate::words;
use seatkeeper::wire::{Clock, ClockAccept, ClockAccepted};

/// Shows the clocks, or accepts the machine's.
pub(crate) fn run(daemon: &Daemon<'_>, command: &ClockCommand, printer: &Printer) -> Outcome {
    let clock: Clock = daemon.get("/v1/clock")?;
    match command {
        ClockCommand::Show => printer.record(&clock, show),
        ClockCommand::Accept { dry_run: true } => {
            printer.record(&clock, show)?;
            printer.note("nothing was changed");
            Ok(())
        }
        ClockCommand::Accept { dry_run: false } => {
            let done: ClockAccepted = daemon.post_to("/v1/clock/accept", clock.revision)?;
            printer.record(&done, accepted)?;
            if done.accepted {
                printer.note(
                    "every later license request tells the vendor that a wrong clock was accepted",
                );
            }
            Ok(())
        }
    }
}

/// How often a wrong clock was accepted, and the last time; nothing where none was.
pub(crate) fn history(clock: &Clock) -> Option<String> {
    let last = clock.last.as_ref()?;
    Some(format!(
        "{}; at last from {} back to {}, {} of lease time ago",
        words::count(clock.accepted, "time"),
        words::date(last.from),
        words::date(last.to),
        words::span(last.ago_s)
    ))
}

pub(super) fn show(clock: &Clock) -> String {
    let mut lines = vec![
        format!("wall clock  {}", words::date(clock.wall)),
        format!("dates (J)   {}{}", words::date(clock.j), apart(clock)),
        format!(
            "lease time  {}; seats run by it, and nobody can set it",
            words::span(clock.lease_s)
        ),
        format!("by itself   {}", by_itself(clock)),
        format!("accept      {}", would(clock)),
    ];
    if let Some(history) = history(clock) {
        lines.push(format!("accepted    {history}"));
    }
    lines.join("\n")
}

fn apart(clock: &Clock) -> String {
    match (clock.behind_s, clock.ahead_s) {
        (0, 0) => String::new(),
        (0, ahead) => format!(": the wall clock is {} ahead", words::span(ahead)),
        (behind, _) => format!(": the wall clock is {} behind", words::span(behind)),
    }
}

fn by_itself(clock: &Clock) -> String {
    match (clock.behind_s, clock.ahead_s, clock.followed_in_s) {
        (0, 0, _) => "both run on together".to_owned(),
        (0, _, None) => "J follows within a minute".to_owned(),
        (0, _, Some(0)) => "J follows at once, if the wall clock stays there".to_owned(),
        (0, _, Some(wait)) => format!(
            "J follows in {}, if the wall clock stays there",
            words::span(wait)
        ),
        _ => "J runs on and never goes back; licenses end by it, seats are not touched".to_owned(),
    }
}

fn would(clock: &Clock) -> String {
    let Some(accept) = &clock.accept else {
        return if clock.behind_s > 0 {
            "would change nothing: J is never below the newest date that a vendor signed".to_owned()
        } else {
            "would change nothing: J is not ahead of the wall clock".to_owned()
        };
    };
    let mut text = format!(
        "would put J back by {}, to {}{}",
        words::span(clock.j.saturating_sub(accept.to)),
        words::date(accept.to),
        held(accept)
    );
    for license in &accept.licenses {
        text.push_str(&format!(
            "\n            license {}: {} instead of {}",
            license.id, license.then, license.now
        ));
    }
    text
}

fn held(accept: &ClockAccept) -> &'static str {
    if accept.held_by_vendor {
        ", the newest date that a vendor signed"
    } else {
        ""
    }
}

fn accepted(done: &ClockAccepted) -> String {
    let (before, after) = (&done.before, &done.after);
    if !done.accepted {
        return format!(
            "J is {}\naccept      {}",
            words::date(after.j),
            would(after)
        );
    }
    let mut lines = vec![
        format!("before      {}", words::date(before.j)),
        format!("after       {}{}", words::date(after.j), apart(after)),
    ];
    let changed = before.accept.iter().flat_map(|accept| &accept.licenses);
    lines.extend(changed.map(|license| {
        format!(
            "license {}: {} instead of {}",
            license.id, license.then, license.now
        )
    }));
    lines.extend(history(after).map(|history| format!("accepted    {history}")));
    lines.join("\n")
}
