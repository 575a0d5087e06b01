//! Deaths of real processes, told to a channel; nothing waits longer than it must.

use super::super::peer;
use super::*;
use seatkeeper_engine::ids::Gid;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

fn holder(n: u64) -> HolderId {
    HolderId {
        gid: Gid { epoch: 1, n },
        h: 1,
    }
}

fn watching() -> (Watch, mpsc::Receiver<Vec<HolderId>>) {
    let (send, receive) = mpsc::channel();
    let watch = Watch::start(Box::new(move |holders| drop(send.send(holders)))).unwrap();
    (watch, receive)
}

/// A child that connects and then waits for its end; returns its connection as the daemon sees it.
fn connected(folder: &std::path::Path, n: u32) -> (Child, UnixStream) {
    let path = folder.join(n.to_string());
    let listener = UnixListener::bind(&path).unwrap();
    let script = format!(
        "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect({:?})\nsys.stdin.read()",
        path.display().to_string()
    );
    let child = Command::new("python3")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    (child, listener.accept().unwrap().0)
}

fn admit(
    watch: &Watch,
    stream: &UnixStream,
    uid: u32,
    instance: InstanceId,
) -> Result<Admitted, InstanceTaken> {
    watch.admit(Some(&peer::process(stream).unwrap()), uid, instance)
}

#[test]
fn r14_the_death_of_a_process_tells_all_its_holders_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let (watch, deaths) = watching();
    let (mut child, stream) = connected(folder.path(), 1);
    let (mut other, other_stream) = connected(folder.path(), 2);
    let admitted = admit(&watch, &stream, 7, InstanceId([1; 16])).unwrap();
    admitted.watch(holder(1));
    admitted.watch(holder(2));
    admitted.watch(holder(3));
    drop(admitted);
    admit(&watch, &other_stream, 7, InstanceId([2; 16]))
        .unwrap()
        .watch(holder(4));
    watch.forget(holder(3));
    assert!(watch.watched(holder(1)) && !watch.watched(holder(3)));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        deaths.recv_timeout(PATIENCE).unwrap(),
        vec![holder(1), holder(2)]
    );
    assert!(!watch.watched(holder(1)) && watch.watched(holder(4)));
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(deaths.recv_timeout(PATIENCE).unwrap(), vec![holder(4)]);
}

#[test]
fn r06_another_live_process_with_the_same_instance_is_refused_and_a_dead_one_is_no_hindrance() {
    let folder = tempfile::tempdir().unwrap();
    let (watch, deaths) = watching();
    let (mut first, first_stream) = connected(folder.path(), 1);
    let (mut second, second_stream) = connected(folder.path(), 2);
    let instance = InstanceId([1; 16]);
    admit(&watch, &first_stream, 7, instance)
        .unwrap()
        .watch(holder(1));
    assert!(admit(&watch, &second_stream, 7, instance).is_err());
    assert!(
        admit(&watch, &second_stream, 8, instance).is_ok(),
        "another uid has its own instances"
    );
    assert!(
        admit(&watch, &first_stream, 7, instance).is_ok(),
        "the same process asks again"
    );
    first.kill().unwrap();
    first.wait().unwrap();
    deaths.recv_timeout(PATIENCE).unwrap();
    assert!(admit(&watch, &second_stream, 7, instance).is_ok());
    second.kill().unwrap();
    second.wait().unwrap();
}

#[test]
fn a_process_without_holders_is_forgotten() {
    let (watch, _deaths) = watching();
    let (here, _there) = UnixStream::pair().unwrap();
    drop(admit(&watch, &here, 7, InstanceId([1; 16])).unwrap());
    assert!(watch.shared.lock().processes.is_empty() && watch.shared.lock().instances.is_empty());
    admit(&watch, &here, 7, InstanceId([1; 16]))
        .unwrap()
        .watch(holder(1));
    assert_eq!(watch.shared.lock().processes.len(), 1);
    watch.forget(holder(1));
    assert!(watch.shared.lock().processes.is_empty() && watch.shared.lock().holders.is_empty());
}

#[test]
fn r14_a_process_that_dies_between_its_checkout_and_its_watch_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (watch, deaths) = watching();
    let (mut child, stream) = connected(folder.path(), 1);
    let admitted = admit(&watch, &stream, 7, InstanceId([1; 16])).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    while !watch.shared.lock().processes.is_empty() {
        std::thread::yield_now();
    }
    admitted.watch(holder(1));
    assert_eq!(deaths.recv_timeout(PATIENCE).unwrap(), vec![holder(1)]);
}
