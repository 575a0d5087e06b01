//! An application of a test's vendor, linked with the SDK: holds a seat until its stdin closes.
//!
//! `application PRODUCT FEATURE ROOT.pem…`: the roots are arguments, because each test has a vendor of its own; a real
//! application has them compiled in. It prints its lease in one line of JSON, or the code of what went wrong.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program speaks, the library does not"
)]

use seatkeeper::{Client, Error, Seat};
use std::io::Read;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (Some(product), Some(feature)) = (words.next(), words.next()) else {
        eprintln!("usage: application PRODUCT FEATURE ROOT.pem…");
        return ExitCode::from(2);
    };
    let roots: Vec<String> = words
        .map(|file| std::fs::read_to_string(file).expect("the vendor's root is there"))
        .collect();
    match run(&product, &feature, &roots) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{}", serde_json::json!({"code": error.code()}));
            eprintln!("no seat: {error}\n{}", error.hint());
            ExitCode::FAILURE
        }
    }
}

fn run(product: &str, feature: &str, roots: &[String]) -> Result<(), Error> {
    let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
    let client = Client::builder(product).vendor_roots(&roots).build()?;
    let seat = client.checkout(feature).version("1.0").acquire()?;
    tell(&seat);
    let _ = std::io::stdin().read(&mut [0; 1]);
    seat.release()
}

fn tell(seat: &Seat) {
    let lease = seat
        .lease()
        .expect("a seat that was just taken has a lease");
    let told = serde_json::json!({
        "id": lease.id, "user": lease.user, "slots": lease.slots, "license": lease.license.1,
        "policies": lease.policies, "pid": std::process::id(),
    });
    println!("{told}");
}
