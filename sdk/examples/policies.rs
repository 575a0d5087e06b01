//! Policies: parts of a program that depend on what the license, and its assignment, allow.
//!
//! Policies that change come with a renewal, so they are asked for when needed and not remembered.
//!
//! ```text
//! cargo run -p seatkeeperd -- dev                                     # in another terminal
//! cargo run -p seatkeeper --features testing --example policies
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program speaks, the library does not"
)]

use seatkeeper::{Client, Error, Seat};
use std::process::ExitCode;

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
    let client = Client::builder("acme-cad").dev_root().build()?;
    let seat = client
        .checkout("modeler")
        .version(env!("CARGO_PKG_VERSION"))
        .acquire()?;
    for (name, policy) in [("Export to PDF", "export-pdf"), ("Save", "save")] {
        println!("{name}: {}", menu_entry(&seat, policy));
    }
    if let Some(lease) = seat.lease() {
        println!("The license grants: {}", lease.policies.join(", "));
    }
    seat.release()
}

/// A menu entry that is not allowed stays visible, and says what it lacks.
fn menu_entry(seat: &Seat, policy: &str) -> String {
    if seat.allows(policy) {
        "enabled".to_owned()
    } else {
        format!("disabled, needs the policy {policy}")
    }
}
