//! `seatkeeperd dev-app`: an application as a vendor would write it, holding a seat through the SDK.

use super::vendor::{FEATURE, PRODUCT};
use seatkeeper::{Client, Error, Event, EventKind};
use std::io::{Read, Write, stdin, stdout};
use std::path::Path;
use std::time::Duration;

/// How long `dev` waits for its seat.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// Holds a seat until its stdin closes, which it does when `dev` ends, however it ends.
///
/// # Errors
/// No seat.
pub fn run(socket: &Path) -> Result<(), String> {
    hold(socket).map_err(|error| format!("{PRODUCT}: no seat: {error}; {}", error.hint()))
}

fn hold(socket: &Path) -> Result<(), Error> {
    let client = Client::builder(PRODUCT)
        .dev_root()
        .socket(socket)
        .on_event(say)
        .build()?;
    let seat = client.checkout(FEATURE).acquire()?;
    // Whatever is read, and a closed pipe above all, means that it is time to go.
    let _ = stdin().read(&mut [0; 1]);
    seat.release()
}

/// What a real application would show its user.
fn say(event: &Event) {
    let text = match &event.kind {
        EventKind::Grace(until) => format!(
            "my seat could not be renewed; I may go on for {:.0?}",
            until.remaining()
        ),
        EventKind::Ending(until, why) => format!(
            "please save: my seat ends in {:.0?}; {why}",
            until.remaining()
        ),
        EventKind::Refused { text, .. } => format!("the daemon refuses me: {text}"),
        EventKind::Lost(why) => format!("I have no seat any more: {why}"),
        EventKind::Regained => "I have my seat again".to_owned(),
        EventKind::PoliciesChanged(policies) => format!("I may now: {}", policies.join(", ")),
        other => format!("{other:?}"),
    };
    // Nobody is left to tell where stdout is closed.
    let _ = writeln!(stdout(), "{PRODUCT} says: {text}");
}
