//! The figures of the daemon beside those of a bare server, in one run: `cargo bench -p seatkeeper-tests`.
//!
//! Needs root (to be six uids) and /dev/shm. `--rounds N` (default 5), `--seconds S` per run (default 2), `--only PART`; of
//! throughput only some with `--work pairs|renewals` and `--connections N` (for a profile: `perf record -g -p PID`); with
//! `--leases N` so many in scale (100,000), checkpoint (100,000) and start (1,000,000). `--against PROGRAM` measures
//! another build of the daemon beside this one, in the same rounds of throughput: many short ones (`--rounds 40
//! --seconds 0.25`) tell a small difference on a noisy machine.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark reports to the one who started it"
)]

mod bare;
mod checkpoint;
mod clock;
mod cold;
mod directory;
mod earlier;
mod load;
mod measure;
mod organisation;
mod scale;
mod site;
mod start;
mod throughput;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What the command line asks for.
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) time: Duration,
    pub(crate) disk: PathBuf,
    pub(crate) tmpfs: PathBuf,
    pub(crate) work: Option<String>,
    pub(crate) connections: Option<usize>,
    pub(crate) leases: Option<u32>,
    pub(crate) against: Option<PathBuf>,
}

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|w| w != "--bench")
        .collect();
    match words.first().map(String::as_str) {
        Some("serve") => serve(&words[1..]),
        Some("cold") => cold::application(Path::new(&words[1])),
        _ => measure_all(&words),
    }
}

/// The bare server, as a process of its own: SOCKET CHECKOUT RENEW LEASE [STORE].
fn serve(words: &[String]) {
    let number = |n: usize| words[n].parse().expect("a length");
    let lengths = bare::Lengths {
        checkout: number(1),
        renew: number(2),
        lease: number(3),
    };
    bare::serve(
        Path::new(&words[0]),
        words.get(4).map(PathBuf::from),
        lengths,
    )
    .expect("the bare server serves");
}

fn measure_all(words: &[String]) {
    let after = |name: &str| {
        words
            .iter()
            .position(|w| w == name)
            .and_then(|at| words.get(at + 1))
    };
    let plan = Plan {
        rounds: after("--rounds").and_then(|n| n.parse().ok()).unwrap_or(5),
        time: Duration::from_secs_f64(
            after("--seconds")
                .and_then(|n| n.parse().ok())
                .unwrap_or(2.0),
        ),
        disk: std::env::temp_dir(),
        tmpfs: PathBuf::from("/dev/shm"),
        work: after("--work").map(|work| work.to_lowercase()),
        connections: after("--connections").and_then(|n| n.parse().ok()),
        leases: after("--leases").and_then(|n| n.parse().ok()),
        against: after("--against").map(PathBuf::from),
    };
    assert!(
        rustix::process::geteuid().is_root(),
        "needs root: the load comes from six uids"
    );
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = Command::new(cargo)
        .args(["build", "--release", "--locked", "-p", "seatkeeperd"])
        .status();
    assert!(build.is_ok_and(|s| s.success()), "the daemon builds");
    let only = after("--only").map(String::as_str);
    let wanted = |part: &str| only.is_none_or(|o| o == part);
    println!(
        "fdatasync of 4 KiB on the disk: {} µs (median of 300)\n",
        measure::fdatasync_us(&plan.disk)
    );
    if wanted("throughput") {
        throughput::table(&plan);
    }
    if wanted("scale") {
        scale::table(&plan);
    }
    if wanted("organisation") {
        organisation::table(&plan);
        directory::table(&plan);
    }
    if wanted("checkpoint") {
        checkpoint::table(&plan);
    }
    if wanted("start") {
        start::table(&plan);
    }
    if wanted("cold") {
        cold::table(&plan);
    }
}
