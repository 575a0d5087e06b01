//! React to grace, ending and loss: save while there is time, pause without a seat, go on when it is back.
//!
//! ```text
//! cargo run -p seatkeeperd -- dev --ttl 6s --grace 6s                 # in another terminal; then stop and start it
//! cargo run -p seatkeeper --features testing --example grace_and_ending
//! seatkeeper seat list; seatkeeper seat reclaim ID                    # asks this program to save
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program speaks, the library does not"
)]

use seatkeeper::{Client, Error, Event, EventKind, LostReason, State};
use std::process::ExitCode;
use std::sync::mpsc;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("no seat: {error}\n{}", error.hint());
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    // The callback runs on the client's thread: hand over to the application's own loop and return.
    let (sender, events) = mpsc::channel();
    let listener = move |event: &Event| drop(sender.send(event.clone()));
    let client = Client::builder("acme-cad")
        .dev_root()
        .on_event(listener)
        .build()?;
    let seat = client
        .checkout("modeler")
        .version(env!("CARGO_PKG_VERSION"))
        .acquire()?;
    match seat.lease() {
        Some(lease) => println!(
            "Working in seat {} of {}; Ctrl-C ends.",
            lease.id, lease.feature
        ),
        None => println!("Working; the seat is being found again. Ctrl-C ends."),
    }

    for event in events {
        react(event.kind);
        // What matters is the state now; events tell when to look.
        match seat.state() {
            State::Held | State::Grace { .. } | State::Ending { .. } => {}
            State::Lost {
                reason: LostReason::Lapsed | LostReason::LicenseEnded | LostReason::Superseded,
            } => {
                println!("Paused: the document is read-only until the seat is back.");
            }
            State::Lost { .. } => {
                println!("Closing.");
                return Ok(());
            }
        }
    }
    Ok(())
}

fn react(kind: EventKind) {
    match kind {
        EventKind::Grace(until) => {
            println!(
                "The seat could not be renewed; there are {} s of grace.",
                until.remaining().as_secs()
            );
        }
        EventKind::Ending(until, reason) => {
            println!(
                "Please save: {reason}. {} s are left.",
                until.remaining().as_secs()
            );
        }
        EventKind::Lost(reason) => println!("The seat is lost: {reason} ({}).", reason.code()),
        EventKind::Regained => println!("The seat is held again."),
        EventKind::PoliciesChanged(policies) => println!("Now allowed: {}.", policies.join(", ")),
        EventKind::Refused { text, .. } => println!("The license service refuses: {text}."),
        EventKind::Untrusted(text) => println!("For the log: {text}"),
        // New kinds may appear.
        _ => {}
    }
}
