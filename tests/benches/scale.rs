//! Cost of a pair and memory of a lease, with 100 and with 100,000 users and live leases.

use crate::load::{Client, Work, run};
use crate::measure::{cpu_s, median, rss_kib};
use crate::{Plan, site};
use std::path::Path;

const FEW: u32 = 100;
const MANY: u32 = 100_000;
/// So many users ask at the same time while the site fills.
const AT_ONCE: u32 = 250;

/// Measures and prints.
pub(crate) fn table(plan: &Plan) {
    let (few, many) = (site::start(&plan.tmpfs), site::start(&plan.tmpfs));
    let idle = rss_kib(many.pid());
    let held = [fill(&few.socket(), FEW), fill(&many.socket(), MANY)];
    let full = rss_kib(many.pid());
    // The same users once more: what a lease costs without the user that it made.
    let more = fill(&many.socket(), MANY);
    let twice = rss_kib(many.pid());
    drop(more);
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
    println!("idle daemon: {idle} KiB VmRSS");
    println!(
        "{MANY} users with a lease each: {full} KiB, {} bytes per user and lease; {MANY} more leases of the same users: {twice} KiB, {} bytes per lease",
        (full - idle) * 1024 / u64::from(MANY),
        (twice - full) * 1024 / u64::from(MANY),
    );
    println!(
        "CPU of checkout+release: {:.0} µs with {FEW}, {:.0} µs with {MANY} users and leases, ratio {:.2}\n",
        median(&mut costs[0]),
        median(&mut costs[1]),
        median(&mut ratios)
    );
    drop(held);
}

/// So many users take a seat each and keep it; each connects, asks and hangs up.
fn fill(socket: &Path, users: u32) -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        for from in (0..users).step_by(AT_ONCE as usize) {
            let mut tasks = Vec::new();
            for n in from..users.min(from + AT_ONCE) {
                let mut client = Client::connect(socket, 100_000 + n, u64::from(n) + 1_000_000)
                    .expect("the daemon listens");
                tasks.push(tokio::spawn(
                    async move { client.checkout().await.map(|_| ()) },
                ));
            }
            for task in tasks {
                task.await.expect("a task ends").expect("a seat");
            }
        }
    });
    runtime
}
