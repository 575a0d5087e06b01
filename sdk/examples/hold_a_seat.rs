//! Hold a seat for the life of a program: the least that an application does.
//!
//! ```text
//! cargo run -p seatkeeperd -- dev                                     # in another terminal
//! cargo run -p seatkeeper --features testing --example hold_a_seat
//! ```
//!
//! A real application has its own root in place of `.dev_root()`, compiled in:
//! `.vendor_roots(&[ACME_ROOT, ACME_NEXT_ROOT])`. Here whoever builds may name one:
//!
//! ```text
//! ACME_ROOT="$(cat acme-root.pub.pem)" cargo run -p seatkeeper --features testing --example hold_a_seat
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program speaks, the library does not"
)]

use seatkeeper::{Client, Error};
use std::io::{BufRead, stdin};
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
    let builder = Client::builder("acme-cad");
    // Read when this is compiled; the running program takes no root from anywhere.
    let client = match option_env!("ACME_ROOT") {
        Some(root) => builder.vendor_roots(&[root]),
        None => builder.dev_root(),
    }
    .build()?;
    let seat = client
        .checkout("modeler")
        .version(env!("CARGO_PKG_VERSION"))
        .acquire()?;
    if let Some(lease) = seat.lease() {
        println!(
            "{} holds slot {:?} of {} as seat {}",
            lease.user, lease.slots, lease.feature, lease.id
        );
    }

    println!("Working. Press Enter to end.");
    // The seat renews itself meanwhile. If this program is killed, the daemon sees it and the seat is free at once.
    drop(stdin().lock().read_line(&mut String::new()));

    seat.release()
}
