//! Ask politely: where no seat is to be had, say why and what would help, and let the user choose.
//!
//! The prompt stands for the application's own dialogue. `asked_by_user` is said only where a person has just asked.
//!
//! ```text
//! cargo run -p seatkeeperd -- dev                                     # in another terminal
//! cargo run -p seatkeeper --features testing --example ask_politely
//! ```

#![allow(
    clippy::print_stdout,
    reason = "a program speaks, the library does not"
)]

use seatkeeper::wire::Code;
use seatkeeper::{Client, Error, Seat};
use std::io::{BufRead, Write, stdin, stdout};

/// What the user chose.
enum Choice {
    Retry,
    Demo,
    Quit,
}

fn main() -> Result<(), Error> {
    let client = Client::builder("acme-cad").dev_root().build()?;
    match seat_or_choice(&client) {
        Some(seat) => welcome(&seat),
        None => println!("Good bye."),
    }
    Ok(())
}

fn seat_or_choice(client: &Client) -> Option<Seat> {
    let mut asked_by_user = false;
    loop {
        let checkout = client
            .checkout("modeler")
            .version(env!("CARGO_PKG_VERSION"));
        let checkout = if asked_by_user {
            checkout.asked_by_user()
        } else {
            checkout
        };
        let error = match checkout.acquire() {
            Ok(seat) => return Some(seat),
            Err(error) => error,
        };
        explain(&error);
        match ask(&error) {
            Choice::Retry => asked_by_user = true,
            Choice::Demo => {
                println!("Running as a demo: nothing can be saved.");
                return None;
            }
            Choice::Quit => return None,
        }
    }
}

fn welcome(seat: &Seat) {
    match seat.lease() {
        Some(lease) => println!(
            "Welcome, {}. You have seat {} of {}.",
            lease.user, lease.id, lease.feature
        ),
        None => println!("Welcome. The seat is being found again."),
    }
}

/// Reason, hint, and who sits there, in words that an administrator can search for.
fn explain(error: &Error) {
    println!("\nThere is no seat for you: {error}");
    println!("What helps: {}", error.hint());
    if let Error::Denied(denied) = error {
        if let Some((in_use, Some(total))) = denied.seats() {
            println!("{in_use} of {total} seats are in use.");
        }
        for holder in denied.holders() {
            println!("  {holder}");
        }
        if let Some(after) = denied.retry_after() {
            println!("Trying again can help in {} s.", after.as_secs());
        }
    }
}

fn ask(error: &Error) -> Choice {
    let demo = matches!(error, Error::Denied(denied) if *denied.code() == Code::NotLicensed);
    print!("[r]etry{}, [q]uit? ", if demo { ", [d]emo" } else { "" });
    drop(stdout().flush());
    let mut answer = String::new();
    match stdin().lock().read_line(&mut answer) {
        Ok(read) if read > 0 && answer.trim() == "r" => Choice::Retry,
        Ok(read) if read > 0 && answer.trim() == "d" && demo => Choice::Demo,
        _ => Choice::Quit,
    }
}
