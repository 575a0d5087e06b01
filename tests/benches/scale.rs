//! Cost of a pair and memory of a lease, with 100 and with 100,000 users and live leases, or as many as are asked for.
//! The pairs are measured first: what a lease costs without its user is told by filling once more.

use crate::load::{Work, fill, run};
use crate::measure::{cpu_s, median, rss_kib};
use crate::{Plan, site};

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
    for _ in 0..plan.rounds {
        for (site, costs) in [&few, &many].into_iter().zip(&mut costs) {
            let before = cpu_s(site.pid());
            let outcome = run(&site.socket(), 64, Work::Pairs, plan.time).expect("the load runs");
            costs.push(
                (cpu_s(site.pid()) - before) * 1e6 / (outcome.per_s * plan.time.as_secs_f64()),
            );
        }
    }
    let mut ratios: Vec<f64> = costs[1].iter().zip(&costs[0]).map(|(m, f)| m / f).collect();
    println!(
        "CPU of checkout+release: {:.0} µs with {FEW}, {:.0} µs with {leases} users and leases, ratio {:.2}",
        median(&mut costs[0]),
        median(&mut costs[1]),
        median(&mut ratios)
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
