//! `run` and `seat checkout` under real leases: the SDK verifies, the core behind the socket decides.

use super::fake::{Fake, page, problem, seatkeeper};
use super::{code, err};
use rustix::process::{Pid, Signal, kill_process};
use seatkeeper::wire::Code;
use seatkeeper_testing::Daemon;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

struct House {
    daemon: Daemon,
    fake: Fake,
}

impl House {
    fn new() -> House {
        let pools = json!([{ "id": "acme/L/modeler", "product": "cad", "feature": "modeler", "seats": 3,
            "in_use": 0, "free": 3, "model": "floating", "counting": "process", "served": true, "status": "in_force" }]);
        House::of(pools, Vec::new())
    }

    /// Of a caller who sees these pools, with other prepared answers.
    fn of(pools: Value, others: Vec<(&'static str, u16, Value)>) -> House {
        let daemon = Daemon::start();
        let root = json!([{ "thumbprint": "t", "pem": daemon.root() }]);
        let vendors = page(json!([{ "name": "acme", "roots": root, "revision": 1 }]));
        let mut answers = vec![
            ("GET /v1/vendors", 200, vendors),
            ("GET /v1/pools", 200, page(pools)),
        ];
        answers.extend(others);
        let fake = Fake::before(answers, Some(daemon.transport_of("ana")));
        House { daemon, fake }
    }

    /// Starts the command, and waits for the first line that it or its program prints.
    fn start(&self, line: &str, program: &[&str]) -> (Child, BufReader<ChildStdout>, String) {
        let mut command = seatkeeper(line);
        command
            .arg("--socket")
            .arg(self.fake.socket())
            .args(program);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        stdout.read_line(&mut said).unwrap();
        (child, stdout, said)
    }
}

fn terminate(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
}

#[test]
fn u4_run_holds_a_seat_for_the_life_of_the_program_and_takes_its_status() {
    let house = House::new();
    let (mut child, _, said) = house.start(
        "run modeler",
        &["--", "sh", "-c", "echo up; read line; exit 3"],
    );
    assert_eq!(said, "up\n");
    assert_eq!(house.daemon.seats().len(), 1);
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(house.daemon.seats().len(), 0);
}

#[test]
fn u4_run_passes_signals_on_to_its_program() {
    let house = House::new();
    let program = "trap 'exit 42' TERM; echo up; while :; do sleep 0.05; done";
    let (mut child, _, _) = house.start("run cad/modeler", &["--", "sh", "-c", program]);
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(42));
    assert_eq!(house.daemon.seats().len(), 0);
}

#[test]
fn u4_checkout_prints_the_lease_and_gives_the_seat_back_when_asked_to_end() {
    let house = House::new();
    let (mut child, mut stdout, said) = house.start("seat checkout modeler -o jsonl", &[]);
    let lease: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&lease["user"], &lease["slots"]),
        (&json!("ana@test"), &json!([0]))
    );
    assert_eq!(house.daemon.seats().len(), 1);
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(house.daemon.seats().len(), 0);
    assert_eq!(stdout.read_to_end(&mut Vec::new()).unwrap(), 0);
}

#[test]
fn s5_a_seat_under_another_root_is_not_believed() {
    let (house, other) = (House::new(), Daemon::start());
    let root = json!([{ "thumbprint": "t", "pem": other.root() }]);
    let vendors = page(json!([{ "name": "acme", "roots": root, "revision": 1 }]));
    let fake = Fake::before(
        vec![("GET /v1/vendors", 200, vendors)],
        Some(house.daemon.transport_of("ana")),
    );
    let output = fake.run("seat checkout cad/modeler");
    assert_eq!(
        output.status.code(),
        Some(5),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(house.daemon.seats().len(), 0);
}

#[test]
fn r22_who_sees_no_pool_of_a_feature_is_told_by_the_daemon_why_it_is_not_theirs() {
    let other = json!([{ "id": "acme/L/export", "product": "cad", "feature": "export", "seats": 3, "in_use": 0,
        "free": 3, "model": "floating", "counting": "process", "served": true, "status": "in_force" }]);
    // Licenses are installed; this caller sees none of them, or others.
    for seen in [json!([]), other] {
        let judged = json!({ "user": "ana", "product": "cad", "granted": false, "summary": "s", "steps": [] });
        let house = House::of(seen, vec![("POST /v1/explain", 200, judged)]);
        house.daemon.deny_checkouts(Some(Code::NotAssigned));
        for line in ["run modeler -- true", "seat checkout modeler"] {
            let (short, long) = (house.fake.run(line), line.replace("modeler", "cad/modeler"));
            assert!(err(&short).contains("not_assigned"), "{}", err(&short));
            let long = house.fake.run(&long);
            assert_eq!((code(&short), err(&short)), (code(&long), err(&long)));
        }
    }
}

#[test]
fn d12_no_license_and_no_such_feature_are_what_the_daemon_says() {
    let seen = json!([{ "id": "acme/L/export", "product": "cad", "feature": "export", "seats": 3, "in_use": 0,
        "free": 3, "model": "floating", "counting": "process", "served": true, "status": "in_force" }]);
    for no in ["not_licensed", "unknown_feature", "unknown_user"] {
        let house = House::of(
            seen.clone(),
            vec![("POST /v1/explain", 404, problem(no, 404))],
        );
        let output = house.fake.run("run modeler -- true");
        assert_eq!(code(&output), 125);
        assert!(err(&output).contains(no), "{}", err(&output));
        let known = err(&output).contains("what happened; there is: cad/export");
        assert_eq!(known, no == "unknown_feature", "{}", err(&output));
    }
}
