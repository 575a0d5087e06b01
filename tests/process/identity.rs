//! Who asks is what the kernel says (S16), and a seat belongs to a live process (rule 14).

use seatkeeper_tests::binaries::binary;
use seatkeeper_tests::site::is_root;
use seatkeeper_tests::wire::{Ask, Wire};
use seatkeeper_tests::{Application, Site, not_run};
use serde_json::Value;
use std::process::Command;

fn seats(site: &Site) -> Vec<Value> {
    site.admin("GET", "/v1/seats", None).body["items"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// Waits until so many seats are held; a test that never gets there fails by its own look at the clockless count.
fn until(site: &Site, count: usize) -> Vec<Value> {
    for _ in 0..20_000 {
        let now = seats(site);
        if now.len() == count {
            return now;
        }
        std::thread::yield_now();
    }
    panic!("never {count} seats: {:?}", seats(site));
}

/// `kill -9` of an application frees its seat; the event names the death.
#[test]
fn r14_the_seat_of_a_killed_process_is_free_again() {
    let (site, vendor) = Site::with_seats(1);
    let mut app = Application::start(&site, &vendor);
    assert_eq!(seats(&site).len(), 1, "{}", app.said);
    app.kill();
    until(&site, 0);
}

/// A process that is provably the same is watched from the daemon's start on, not only from its next call.
#[test]
fn r14_a_process_that_dies_after_a_restart_of_the_daemon_is_noticed_at_once() {
    let (mut site, vendor) = Site::with_seats(1);
    let mut app = Application::start(&site, &vendor);
    site.kill();
    site.start();
    assert_eq!(seats(&site)[0]["watched"], true, "{}", app.said);
    app.kill();
    until(&site, 0);
}

/// A caller without a uid that this machine knows is refused or counted as its real uid, never as somebody else.
#[test]
fn s16_a_caller_in_a_user_namespace_is_its_real_uid_or_nobody() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let (site, _vendor) = Site::with_seats(1);
    let inside = Command::new("setpriv")
        .args([
            "--reuid=20007",
            "--regid=20007",
            "--clear-groups",
            "unshare",
            "--user",
            "--map-root-user",
        ])
        .arg(binary("seatkeeper"))
        .args(["seat", "list", "-o", "json"])
        .env("SEATKEEPER_SOCKET", site.socket())
        .output()
        .expect("setpriv and unshare are there");
    let text = String::from_utf8_lossy(&inside.stdout).into_owned()
        + &String::from_utf8_lossy(&inside.stderr);
    let status = site.admin("GET", "/v1/config", None);
    assert_eq!(status.status, 200, "root outside administers");
    let config = Command::new("setpriv")
        .args([
            "--reuid=20007",
            "--regid=20007",
            "--clear-groups",
            "unshare",
            "--user",
            "--map-root-user",
        ])
        .arg(binary("seatkeeper"))
        .args(["config", "show"])
        .env("SEATKEEPER_SOCKET", site.socket())
        .output()
        .expect("setpriv and unshare are there");
    assert_eq!(
        config.status.code(),
        Some(4),
        "root inside administers nothing: {text}"
    );
}

/// The overflow uid is nobody.
#[test]
fn s16_the_overflow_uid_is_refused() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let (site, vendor) = Site::with_seats(1);
    let mut wire = Wire::connect_as(&site.socket(), 65534).expect("the daemon listens");
    let answer = Ask::new("cad", "modeler", &vendor.roots())
        .checkout(&mut wire)
        .expect("an answer");
    assert_eq!(
        (answer.status, answer.text("code")),
        (401, "unauthenticated"),
        "{answer:?}"
    );
}

/// A seat is kept and given back only by who took it.
#[test]
fn r20_another_uid_or_instance_neither_renews_nor_releases() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let (site, vendor) = Site::with_seats(1);
    let mut ana = Wire::connect_as(&site.socket(), 20008).expect("the daemon listens");
    let mut bob = Wire::connect_as(&site.socket(), 20009).expect("the daemon listens");
    let ask = Ask::new("cad", "modeler", &vendor.roots());
    let answer = ask.checkout(&mut ana).expect("an answer");
    let id = answer.text("id").to_owned();
    assert_eq!(answer.status, 201, "{answer:?}");
    for stranger in [ask.renew(&mut bob, &id), ask.release(&mut bob, &id)] {
        let stranger = stranger.expect("an answer");
        assert!(stranger.status >= 400, "{stranger:?}");
    }
    let mut other = ask.clone();
    other.instance = seatkeeper_tests::wire::hex();
    assert!(other.renew(&mut ana, &id).expect("an answer").status >= 400);
    assert_eq!(
        ask.renew(&mut ana, &id).expect("an answer").status / 100,
        2,
        "the seat is still ana's"
    );
}

/// An application in another pid namespace is counted, and its death seen, as itself.
#[test]
fn r14_an_application_in_another_pid_namespace_is_counted_as_itself() {
    if !is_root() {
        not_run("needs root for a pid namespace");
        return;
    }
    let (site, vendor) = Site::with_seats(2);
    let launcher = ["unshare", "--pid", "--fork", "--kill-child"];
    let mut first = Application::behind(&site, &vendor, &launcher);
    let mut second = Application::behind(&site, &vendor, &launcher);
    assert_eq!(
        first.said["pid"], second.said["pid"],
        "both are pid 1 of their own"
    );
    let held = seats(&site);
    assert_eq!(held.len(), 2, "{held:?}");
    assert_ne!(held[0]["pid"], held[1]["pid"], "{held:?}");
    second.kill();
    until(&site, 1);
    first.kill();
    until(&site, 0);
}

/// One process, one instance: another live process that shows the same instance id is told so.
#[test]
fn r6_an_instance_id_belongs_to_one_live_process() {
    let (site, vendor) = Site::with_seats(2);
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let ask = Ask::new("cad", "modeler", &vendor.roots());
    assert_eq!(ask.checkout(&mut wire).expect("an answer").status, 201);
    let body = Ask::new("cad", "modeler", &vendor.roots())
        .with("instance", ask.instance.clone().into())
        .body();
    let script = format!(
        "import socket\ns=socket.socket(socket.AF_UNIX)\ns.connect({:?})\nb={:?}.encode()\n\
         s.sendall(b'POST /v1/leases HTTP/1.1\\r\\nhost: l\\r\\ncontent-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n'%len(b)+b)\n\
         print(s.recv(65536).decode())",
        site.socket().display().to_string(),
        body.to_string(),
    );
    let said = seatkeeper_tests::binaries::run(Command::new("python3").args(["-c", &script]));
    assert!(said.out.contains("identity_mismatch"), "{said:?}");
}
