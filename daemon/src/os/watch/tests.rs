//! Deaths of real processes, told to a channel; nothing waits longer than it must.

use super::super::peer;
use super::*;
use seatkeeper_engine::ids::Gid;
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
/// How long a test waits for what must not happen.
const QUIET: Duration = Duration::from_millis(100);

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

/// Where a started caller connects, and what it does then.
const SOCKET: &str = "SEATKEEPER_TEST_SOCKET";
const THEN: &str = "SEATKEEPER_TEST_THEN";

/// Not a test of its own: what this program does where a test starts it again as a caller.
#[test]
fn a_caller() {
    let Some(path) = std::env::var_os(SOCKET) else {
        return;
    };
    let mut connection = UnixStream::connect(path).unwrap();
    if std::env::var_os(THEN).is_some_and(|then| then == "exec") {
        panic!("{}", Command::new("sleep").arg("600").exec());
    }
    // Until the test kills this process, or ends itself.
    let _ = connection.read(&mut [0]);
}

/// Starts a caller, behind the words before it; returns its connection as the daemon sees it.
fn started(folder: &Path, n: u32, before: &[&str], then: &str) -> (Child, UnixStream) {
    let path = folder.join(n.to_string());
    let listener = UnixListener::bind(&path).unwrap();
    let program = std::env::current_exe().unwrap();
    let mut words: Vec<_> = before.iter().map(OsString::from).collect();
    words.push(program.into_os_string());
    let child = Command::new(&words[0])
        .args(&words[1..])
        .args(["--exact", "os::watch::tests::a_caller", "--quiet"])
        .env(SOCKET, &path)
        .env(THEN, then)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    (child, listener.accept().unwrap().0)
}

fn connected(folder: &Path, n: u32) -> (Child, UnixStream) {
    started(folder, n, &[], "stay")
}

/// The words that put a caller into namespaces of its own; `None`, said aloud, where that is not permitted.
fn unshare<'a>(kinds: &[&'a str]) -> Option<Vec<&'a str>> {
    let words = [&["unshare"], kinds].concat();
    let able = Command::new(words[0])
        .args(&words[1..])
        .arg("true")
        .stderr(Stdio::null())
        .status();
    if able.is_ok_and(|status| status.success()) {
        Some(words)
    } else {
        println!("not run: `{}` is not permitted here", words.join(" "));
        None
    }
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
    assert!(watch.shared.lock().is_empty());
    admit(&watch, &here, 7, InstanceId([1; 16]))
        .unwrap()
        .watch(holder(1));
    assert_eq!(watch.shared.lock().processes(), 1);
    watch.forget(holder(1));
    assert!(watch.shared.lock().is_empty());
}

#[test]
fn r14_a_process_that_dies_between_its_checkout_and_its_watch_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (watch, deaths) = watching();
    let (mut child, stream) = connected(folder.path(), 1);
    let admitted = admit(&watch, &stream, 7, InstanceId([1; 16])).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    while watch.shared.lock().processes() > 0 {
        std::thread::yield_now();
    }
    admitted.watch(holder(1));
    assert_eq!(deaths.recv_timeout(PATIENCE).unwrap(), vec![holder(1)]);
}

#[test]
fn r14_an_exec_is_not_a_death() {
    let folder = tempfile::tempdir().unwrap();
    let (watch, deaths) = watching();
    let (mut child, mut stream) = started(folder.path(), 1, &[], "exec");
    admit(&watch, &stream, 7, InstanceId([1; 16]))
        .unwrap()
        .watch(holder(1));
    assert_eq!(
        stream.read(&mut [0]).unwrap(),
        0,
        "the exec closed its connection"
    );
    assert!(deaths.recv_timeout(QUIET).is_err());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(deaths.recv_timeout(PATIENCE).unwrap(), vec![holder(1)]);
}

#[test]
fn r14_processes_in_pid_namespaces_are_told_apart_and_die_for_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let Some(alone) = unshare(&["--pid", "--fork", "--kill-child"]) else {
        return;
    };
    let (watch, deaths) = watching();
    let (mut one, one_stream) = started(folder.path(), 1, &alone, "stay");
    let (mut two, two_stream) = started(folder.path(), 2, &alone, "stay");
    let instance = InstanceId([1; 16]);
    admit(&watch, &one_stream, 7, instance)
        .unwrap()
        .watch(holder(1));
    assert!(
        admit(&watch, &two_stream, 7, instance).is_err(),
        "each is pid 1 to itself, and another one to us"
    );
    admit(&watch, &two_stream, 7, InstanceId([2; 16]))
        .unwrap()
        .watch(holder(2));
    one.kill().unwrap();
    one.wait().unwrap();
    assert_eq!(deaths.recv_timeout(PATIENCE).unwrap(), vec![holder(1)]);
    two.kill().unwrap();
    two.wait().unwrap();
    assert_eq!(deaths.recv_timeout(PATIENCE).unwrap(), vec![holder(2)]);
}

#[test]
fn s16_a_caller_in_a_user_namespace_has_its_real_uid() {
    let folder = tempfile::tempdir().unwrap();
    let Some(as_root) = unshare(&["--user", "--map-root-user"]) else {
        return;
    };
    let (mut child, stream) = started(folder.path(), 1, &as_root, "stay");
    assert_eq!(
        peer::uid(&stream).unwrap(),
        rustix::process::geteuid().as_raw()
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn r06_an_instance_that_nobody_needs_any_more_is_free_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (watch, _deaths) = watching();
    let (mut child, stream) = connected(folder.path(), 1);
    let (here, _there) = UnixStream::pair().unwrap();
    let id = |n| InstanceId([n; 16]);
    for n in 0..200 {
        drop(admit(&watch, &stream, 7, id(n)).unwrap());
    }
    assert!(watch.shared.lock().is_empty(), "all were denied");
    let admitted = admit(&watch, &stream, 7, id(1)).unwrap();
    admitted.watch(holder(1));
    admitted.watch(holder(2));
    drop(admitted);
    admit(&watch, &stream, 7, id(3)).unwrap().watch(holder(3));
    watch.forget(holder(1));
    assert!(admit(&watch, &here, 7, id(1)).is_err(), "one is left");
    watch.forget(holder(2));
    assert!(admit(&watch, &here, 7, id(1)).is_ok());
    assert!(admit(&watch, &here, 7, id(3)).is_err());
    assert_eq!(watch.shared.lock().instances(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn r14_a_watch_that_has_ended_says_of_nobody_that_it_is_watched_nor_that_it_died() {
    let folder = tempfile::tempdir().unwrap();
    let (watch, deaths) = watching();
    let (mut child, stream) = connected(folder.path(), 1);
    let admitted = admit(&watch, &stream, 7, InstanceId([1; 16])).unwrap();
    admitted.watch(holder(1));
    watch.shared.end();
    assert!(!watch.watched(holder(1)) && watch.holders().is_empty());
    admitted.watch(holder(2));
    admit(&watch, &stream, 7, InstanceId([2; 16]))
        .unwrap()
        .watch(holder(3));
    assert!(watch.holders().is_empty());
    assert!(deaths.try_recv().is_err(), "nobody died");
    child.kill().unwrap();
    child.wait().unwrap();
}
