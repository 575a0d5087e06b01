//! `events`: what happens, as it happens.

use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::words;
use seatkeeper::wire::Event;

/// Prints events until either side hangs up.
pub(crate) fn run(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    for line in daemon.stream("/v1/events")? {
        let line = line.map_err(|error| {
            Failure::new(
                Exit::Unreachable,
                format!("the daemon hung up: {error}"),
                "is it stopping? try again in a moment",
            )
        })?;
        let Some(data) = line.strip_prefix("data:") else {
            continue;
        };
        if let Ok(event) = serde_json::from_str::<Event>(data.trim_start()) {
            printer.record_line(&event, text)?;
        }
    }
    printer.note("the daemon ended the stream");
    Ok(())
}

fn text(event: &Event) -> String {
    format!(
        "{} #{} {} by {} ({}) {}",
        words::date(event.wall_s),
        event.n,
        event.event,
        event.actor,
        event.origin,
        event.body
    )
}
