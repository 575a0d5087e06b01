//! Cost of a pair and memory of a lease, with 100 and with 100,000 users and live leases, or as many as are asked for.
//! The pairs are measured and told first: what a lease costs without its user is told by filling once more, which takes
//! minutes for a million.

use crate::load::{Work, fill, run};
use crate::measure::{cpu_s, median, newest, rss_kib};
use crate::{Plan, site};
use seatkeeper_tests::Site;
use std::time::Duration;

const FEW: u32 = 100;
const MANY: u32 = 100_000;

/// Measures and prints.
pub(crate) fn table(plan: &Plan) {
    let leases = plan.leases.unwrap_or(MANY);
    let (few, many) = (site::start(&plan.tmpfs), site::start(&plan.tmpfs));
    let idle = rss_kib(many.pid());
    let held = [
        fill(&few.socket(), FEW, FEW),
        fill(&many.socket(), leases, leases),
    ];
    let full = rss_kib(many.pid());
    let mut costs: [Vec<f64>; 2] = Default::default();
    let mut whole = true;
    for _ in 0..plan.rounds {
        for (site, costs) in [&few, &many].into_iter().zip(&mut costs) {
            let (cost, cycles) = pair(site, plan.time);
            whole &= cycles > 0;
            costs.push(cost);
        }
    }
    let mut ratios: Vec<f64> = costs[1].iter().zip(&costs[0]).map(|(m, f)| m / f).collect();
    println!(
        "CPU of checkout+release: {:.0} µs with {FEW}, {:.0} µs with {leases} users and leases, ratio {:.2}{}",
        median(&mut costs[0]),
        median(&mut costs[1]),
        median(&mut ratios),
        if whole {
            ""
        } else {
            " (NOT over whole cycles of checkpoints: give it more `--seconds`)"
        }
    );
    // The same users once more.
    let more = fill(&many.socket(), leases, leases);
    let twice = rss_kib(many.pid());
    drop(more);
    println!("idle daemon: {idle} KiB VmRSS");
    println!(
        "{leases} users with a lease each: {full} KiB, {} bytes per user and lease; {leases} more leases of the same users: {twice} KiB, {} bytes per lease\n",
        (full - idle) * 1024 / u64::from(leases),
        (twice - full) * 1024 / u64::from(leases),
    );
    drop(held);
}

/// CPU µs of a pair, over as many whole cycles of checkpoints as there are in this time, and how many those are; over all
/// of the time where there is none. From the end of one checkpoint to that of a later one lie as many events as between
/// their numbers, two of them a pair.
fn pair(site: &Site, time: Duration) -> (f64, usize) {
    let folder = site.path("state/checkpoints");
    let seen = || (newest(&folder), cpu_s(site.pid()));
    let (began, mut ends) = (seen(), Vec::new());
    let outcome = std::thread::scope(|scope| {
        let load =
            scope.spawn(|| run(&site.socket(), 64, Work::Pairs, time).expect("the load runs"));
        let mut last = began.0;
        while !load.is_finished() {
            let now = seen();
            if now.0 != last {
                last = now.0;
                ends.push(now);
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        load.join().expect("no panic")
    });
    let (all_pairs, all_cpu) = (outcome.per_s * time.as_secs_f64(), seen().1 - began.1);
    let (pairs, cpu) = match (ends.first(), ends.last()) {
        (Some((from, before)), Some((to, after))) if to > from => {
            ((to - from) as f64 / 2.0, after - before)
        }
        _ => (all_pairs, all_cpu),
    };
    (cpu * 1e6 / pairs, ends.len().saturating_sub(1))
}
