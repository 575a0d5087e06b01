//! `events`: what happens, as it happens.

mod teller;

use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use seatkeeper::wire::{Assignment, Event, Seat};
use teller::Teller;

/// Prints events until either side hangs up.
pub(crate) fn run(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let stream = daemon.stream("/v1/events")?;
    let people = printer.is_for_people();
    let mut teller = Teller::default();
    if people {
        // Names for what began before; without them it is told by ids.
        let seats: Vec<Seat> = daemon.list("/v1/seats").unwrap_or_default();
        seats.iter().for_each(|seat| teller.knows_seat(seat));
        learn_assignments(daemon, &mut teller);
    }
    printer.note("waiting for what happens (times are UTC); Ctrl-C ends it");
    for line in stream {
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
            if people && event.event == "LicenseAssigned" {
                learn_assignments(daemon, &mut teller);
            }
            printer.record_line(&event, |event| teller.line(event))?;
        }
    }
    printer.note("the daemon ended the stream");
    Ok(())
}

fn learn_assignments(daemon: &Daemon<'_>, teller: &mut Teller) {
    let all: Vec<Assignment> = daemon.list("/v1/assignments").unwrap_or_default();
    all.iter()
        .for_each(|assignment| teller.knows_assignment(assignment));
}
