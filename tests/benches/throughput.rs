//! Pairs and renewals per second at 1 to 1,024 connections: (a) bare, (a′) bare with a commit, (b) the daemon.

use crate::bare::Lengths;
use crate::earlier::Earlier;
use crate::load::{Client, Outcome, UIDS, Work, lease_of, run};
use crate::measure::{cpu_s, median};
use crate::{Plan, site};
use seatkeeper_tests::Site;
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

const CONNECTIONS: [usize; 4] = [1, 64, 256, 1024];

/// Where this build's daemons stand among the servers; those of another build come behind them.
const DAEMONS: Range<usize> = 3..5;

/// One server under test.
struct Server {
    name: &'static str,
    socket: PathBuf,
    pid: u32,
}

/// A bare server, killed when dropped.
struct BareProcess(Child);

impl Drop for BareProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures and prints the table.
pub(crate) fn table(plan: &Plan) {
    let folder = tempfile::tempdir_in(&plan.tmpfs).expect("a folder");
    std::fs::set_permissions(
        folder.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .expect("mode");
    let disk_store = tempfile::tempdir_in(&plan.disk).expect("a folder");
    let on_disk = site::start(&plan.disk);
    let on_tmpfs = site::start(&plan.tmpfs);
    let Lengths {
        checkout,
        renew,
        lease,
    } = lengths(&on_tmpfs.socket());
    println!(
        "replies: checkout {checkout} bytes, renewal {renew} bytes, lease in both {lease} bytes; {} rounds of {:?}, interleaved\n",
        plan.rounds, plan.time
    );
    let bare = |name: &'static str, store: Option<&Path>| {
        let socket = folder.path().join(name);
        let mut command = Command::new(std::env::current_exe().expect("a path"));
        command
            .arg("serve")
            .arg(&socket)
            .args([checkout, renew, lease].map(|length| length.to_string()));
        if let Some(store) = store {
            command.arg(store.join("bare.redb"));
        }
        let child = command.spawn().expect("the bare server starts");
        while UnixStream::connect(&socket).is_err() {
            std::thread::yield_now();
        }
        (
            Server {
                name,
                socket,
                pid: child.id(),
            },
            BareProcess(child),
        )
    };
    let (a, _a) = bare("a", None);
    let (a_disk, _a_disk) = bare("a-commit-disk", Some(disk_store.path()));
    let (a_tmpfs, _a_tmpfs) = bare("a-commit-tmpfs", Some(folder.path()));
    let of_site = |name: &'static str, site: &Site| Server {
        name,
        socket: site.socket(),
        pid: site.pid(),
    };
    let mut servers = vec![
        a,
        a_disk,
        a_tmpfs,
        of_site("daemon-disk", &on_disk),
        of_site("daemon-tmpfs", &on_tmpfs),
    ];
    let against = plan.against.as_deref().map(|program| {
        let start = |below: &Path| site::start_of(program, below);
        [start(&plan.disk), start(&plan.tmpfs)]
    });
    for [on_disk, on_tmpfs] in against.iter() {
        servers.push(of_site("against-disk", on_disk));
        servers.push(of_site("against-tmpfs", on_tmpfs));
    }
    for work in [Work::Pairs, Work::Renewals] {
        let name = format!("{work:?}").to_lowercase();
        if plan.work.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        println!(
            "| {work:?} | connections | per second | p50 µs | p99 µs | CPU µs each | of (a) | of (a′) same store | earlier |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        for connections in CONNECTIONS {
            if plan.connections.is_some_and(|only| only != connections) {
                continue;
            }
            rows(plan, &servers, work, connections);
        }
        println!();
    }
}

/// Runs all servers in turn, so many rounds, and prints a row for each.
fn rows(plan: &Plan, servers: &[Server], work: Work, connections: usize) {
    let mut all: Vec<Vec<(Outcome, f64)>> = servers.iter().map(|_| Vec::new()).collect();
    for _ in 0..plan.rounds {
        for (server, outcomes) in servers.iter().zip(&mut all) {
            let before = cpu_s(server.pid);
            let outcome = run(&server.socket, connections, work, plan.time).expect("the load runs");
            let each_us =
                (cpu_s(server.pid) - before) * 1e6 / (outcome.per_s * plan.time.as_secs_f64());
            outcomes.push((outcome, each_us));
        }
    }
    let earlier = Earlier::read();
    let ratio = |server: usize, base: usize| {
        let mut each: Vec<f64> = all[server]
            .iter()
            .zip(&all[base])
            .map(|(s, b)| s.0.per_s / b.0.per_s)
            .collect();
        format!("{:.2}", median(&mut each))
    };
    for (n, server) in servers.iter().enumerate() {
        let of = |what: &dyn Fn(&(Outcome, f64)) -> f64| {
            let mut each: Vec<f64> = all[n].iter().map(what).collect();
            median(&mut each)
        };
        let errors: u64 = all[n].iter().map(|o| o.0.errors).sum();
        let same_store = match server.name {
            "daemon-disk" | "against-disk" => ratio(n, 1),
            "daemon-tmpfs" | "against-tmpfs" => ratio(n, 2),
            _ => "".to_owned(),
        };
        println!(
            "| {} | {connections} | {:.0} | {:.0} | {:.0} | {:.0} | {} | {same_store} | {} |{}",
            server.name,
            of(&|o| o.0.per_s),
            of(&|o| o.0.p50_us as f64),
            of(&|o| o.0.p99_us as f64),
            of(&|o| o.1),
            ratio(n, 0),
            earlier.of(&format!("{work:?}"), server.name, connections),
            if errors > 0 {
                format!(" {errors} errors")
            } else {
                String::new()
            },
        );
    }
    if servers.len() > DAEMONS.end {
        let [disk, tmpfs] = [0, 1].map(|n| ratio(DAEMONS.start + n, DAEMONS.end + n));
        println!("\n{work:?} of this build, of the other one: {disk} on disk, {tmpfs} on tmpfs.\n");
    }
}

/// How long the daemon's replies are.
fn lengths(socket: &Path) -> Lengths {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut client = Client::connect(socket, UIDS[0], 99).expect("the daemon listens");
        // A lease of the delegation's own second does not show that its holder has the delegation: as in a renewal of
        // real life, a later one is shown, and answered without.
        loop {
            let (id, reply) = client.checkout_reply().await.expect("a seat");
            let (checkout, lease) = (reply.len(), lease_of(reply).len());
            let renew = client.renew(&id).await.expect("a renewal");
            client.release(&id).await.expect("a release");
            if renew < lease + 128 {
                return Lengths {
                    checkout,
                    renew,
                    lease,
                };
            }
        }
    })
}
