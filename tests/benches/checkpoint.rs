//! What checkpoints in the background cost: pairs on disk at a site that makes them, and at one that makes none.

use crate::load::{Work, fill, run};
use crate::measure::{cpu_s, median};
use crate::{Plan, site};

const LEASES: u32 = 100_000;
/// Enough that checkpoints come in every run, as often as they come at full load.
const RUN_S: f64 = 10.0;

/// Measures and prints.
pub(crate) fn table(plan: &Plan) {
    let leases = plan.leases.unwrap_or(LEASES);
    let never = "checkpoint_events = 1000000000";
    let sites = [site::start(&plan.disk), site::start_with(&plan.disk, never)];
    let held = sites
        .each_ref()
        .map(|site| fill(&site.socket(), leases, leases));
    let time = std::time::Duration::from_secs_f64(RUN_S);
    let mut pairs: [Vec<f64>; 2] = Default::default();
    let mut worst: [Vec<u64>; 2] = Default::default();
    let mut cpu: [Vec<f64>; 2] = Default::default();
    for _ in 0..plan.rounds {
        for (n, site) in sites.iter().enumerate() {
            let before = cpu_s(site.pid());
            let outcome = run(&site.socket(), 64, Work::Pairs, time).expect("the load runs");
            cpu[n].push((cpu_s(site.pid()) - before) * 1e6 / (outcome.per_s * RUN_S));
            pairs[n].push(outcome.per_s);
            worst[n].push(outcome.p99_us);
        }
    }
    let made = std::fs::read_dir(sites[0].path("state/checkpoints")).map_or(0, Iterator::count);
    let mut ratios: Vec<f64> = pairs[0].iter().zip(&pairs[1]).map(|(w, n)| w / n).collect();
    let [with, without] = &mut pairs;
    println!(
        "checkpoints with {leases} live leases, 64 connections, disk: {:.0} pairs/s with, {:.0} without, ratio {:.2}; \
         p99 {} and {} µs; CPU {:.0} and {:.0} µs a pair; {made} checkpoints lie there\n",
        median(with),
        median(without),
        median(&mut ratios),
        median(&mut worst[0]),
        median(&mut worst[1]),
        median(&mut cpu[0]),
        median(&mut cpu[1])
    );
    drop(held);
}
