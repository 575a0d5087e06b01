//! A cold process with the SDK: from its first line to the seat in hand.

use crate::clock::Stopwatch;
use crate::measure::median;
use crate::{Plan, site};
use std::path::Path;
use std::process::Command;

const RUNS: usize = 40;

/// The application: prints microseconds from its first line to the seat.
pub(crate) fn application(socket: &Path) {
    let start = Stopwatch::start();
    let root = site::root_pem();
    let client = seatkeeper::Client::builder("bench")
        .vendor_roots(&[&root])
        .socket(socket)
        .build()
        .expect("a client");
    let seat = client
        .checkout("seat")
        .version("1")
        .acquire()
        .expect("a seat");
    println!("{}", start.elapsed().as_micros());
    seat.release().expect("it is given back");
}

/// Measures and prints: first sight, then a known user.
pub(crate) fn table(plan: &Plan) {
    for (name, folder) in [("disk", &plan.disk), ("tmpfs", &plan.tmpfs)] {
        let site = site::start(folder);
        let run = || -> u64 {
            let me = std::env::current_exe().expect("a path");
            let out = Command::new(me)
                .arg("cold")
                .arg(site.socket())
                .output()
                .expect("it runs");
            String::from_utf8_lossy(&out.stdout)
                .trim()
                .parse()
                .unwrap_or_else(|_| panic!("{out:?}"))
        };
        let first = run();
        let mut known: Vec<u64> = (0..RUNS).map(|_| run()).collect();
        println!(
            "cold SDK process, state on {name}: first sight {first} µs, known user {} µs (median of {RUNS})",
            median(&mut known)
        );
    }
}
