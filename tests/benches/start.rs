//! How long a start takes with many live leases: after a clean stop, and after `kill -9`, with nearly as many events
//! behind the newest checkpoint as there can be.

use crate::clock::Stopwatch;
use crate::load::{Work, fill, run};
use crate::measure::{median, newest, rss_kib};
use crate::{Plan, site};
use seatkeeper_tests::Site;
use std::time::Duration;

const LEASES: u32 = 1_000_000;
/// A new user costs a name on the disk, which is not what is measured.
const USERS: u32 = 100_000;

/// Measures and prints.
pub(crate) fn table(plan: &Plan) {
    let leases = plan.leases.unwrap_or(LEASES);
    let mut site = site::start(&plan.disk);
    let filled = Stopwatch::start();
    let held = fill(&site.socket(), leases.min(USERS), leases);
    println!(
        "{} users took {leases} leases in {:.0} s; the daemon has {} MiB",
        leases.min(USERS),
        filled.elapsed().as_secs_f64(),
        rss_kib(site.pid()) / 1024
    );
    let (tail, most) = to_the_next_checkpoint(&site);
    println!("some {tail:.0} events lie behind the newest checkpoint, of {most} that there can be");
    let mut times: [Vec<f64>; 2] = Default::default();
    for _ in 0..plan.rounds {
        for (killed, times) in [true, false].into_iter().zip(&mut times) {
            if killed {
                site.kill();
            } else {
                assert_eq!(site.stop(), Some(0), "a clean stop");
            }
            let clock = Stopwatch::start();
            site.start();
            times.push(clock.elapsed().as_secs_f64());
        }
    }
    println!(
        "start with {leases} live leases, until ready: {:.2} s after kill -9, {:.2} s after a clean stop (medians of {}); {} MiB then\n",
        median(&mut times[0]),
        median(&mut times[1]),
        plan.rounds,
        rss_kib(site.pid()) / 1024
    );
    drop(held);
}

/// Has pairs done until the next checkpoint is nearly due: how many events lie behind the newest then, and after how many
/// one comes. The first file that begins tells when to count from, the second after how many events it came.
fn to_the_next_checkpoint(site: &Site) -> (f64, u64) {
    let folder = site.path("state/journal");
    let second = Duration::from_secs(1);
    let mut files = vec![newest(&folder)];
    let mut tail = 0.0;
    loop {
        let pairs = run(&site.socket(), 64, Work::Pairs, second).expect("the load runs");
        let events = 2.0 * pairs.per_s;
        tail += events;
        let file = newest(&folder);
        if files.last() != Some(&file) {
            files.push(file);
            // It began somewhere in this second.
            tail = events / 2.0;
        }
        if let [_, first, second, ..] = files[..]
            && tail + events * 1.5 > (second - first) as f64
        {
            return (tail, second - first);
        }
    }
}
