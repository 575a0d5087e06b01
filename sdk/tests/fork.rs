//! A forked child holds no seat of its parent's, gives none back, and can take one of its own (rule 6).

mod site;

use fork::{Fork, fork, waitpid};
use seatkeeper::{Client, LostReason, Seat, State};
use site::Site;
use site::listener::{Manner, listen};

/// What the child saw, as its exit status; 0 where all is well.
fn child(client: &Client, inherited: Seat) -> i32 {
    if inherited.state()
        != (State::Lost {
            reason: LostReason::Forked,
        })
        || inherited.allows("view")
    {
        return 11;
    }
    if inherited.lease().is_some() {
        return 12;
    }
    drop(inherited);
    let Ok(own) = client.checkout("modeler").acquire() else {
        return 13;
    };
    if own.state() != State::Held {
        return 14;
    }
    own.release().map_or(15, |()| 0)
}

#[test]
fn an_inherited_seat_is_lost_in_the_child_and_stays_with_the_parent() {
    let site = Site::new(1, 11);
    let listener = listen(&site, Manner::Serve);
    let client = site
        .socket_builder()
        .socket(&listener.path)
        .build()
        .unwrap();
    let seat = client.checkout("modeler").acquire().unwrap();
    let pid = match fork().unwrap() {
        Fork::Child => std::process::exit(child(&client, seat)),
        Fork::Parent(pid) => pid,
    };
    let status = waitpid(pid).unwrap();
    assert_eq!(
        status, 0,
        "the child says what it saw by its exit status (times 256)"
    );
    assert_eq!(seat.state(), State::Held);
    assert_eq!(site.holders(), [seat.lease().unwrap().id]);
    let calls: Vec<_> = site.calls().into_iter().map(|(method, _)| method).collect();
    assert_eq!(
        calls,
        ["POST", "POST", "DELETE"],
        "the child gave back its own seat only"
    );
    let bodies = site.lock().bodies.clone();
    assert_ne!(bodies[0]["instance"], bodies[1]["instance"]);
    drop(seat);
    assert!(site.holders().is_empty());
}

/// Set for the test below where it runs itself again as pid 1.
const AS_PID_1: &str = "SEATKEEPER_TEST_AS_PID_1";

/// In a container an application is pid 1, and so is a child that it starts in a pid namespace of its own.
#[test]
fn a_child_with_the_same_pid_in_a_namespace_of_its_own_holds_no_seat_of_its_parents() {
    if std::env::var_os(AS_PID_1).is_some() {
        as_pid_1();
        return;
    }
    let name = "a_child_with_the_same_pid_in_a_namespace_of_its_own_holds_no_seat_of_its_parents";
    let again = std::process::Command::new("unshare")
        .args(["--pid", "--fork", "--kill-child"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(AS_PID_1, "1")
        .output();
    match again {
        Ok(ran) if String::from_utf8_lossy(&ran.stdout).contains("running 1 test") => {
            assert!(
                ran.status.success(),
                "{}",
                String::from_utf8_lossy(&ran.stdout)
            );
        }
        other => eprintln!("not run: no pid namespace can be made here: {other:?}"),
    }
}

fn as_pid_1() {
    assert_eq!(std::process::id(), 1);
    let site = Site::new(1, 12);
    let listener = listen(&site, Manner::Serve);
    let client = site
        .socket_builder()
        .socket(&listener.path)
        .build()
        .expect("a client");
    let seat = client.checkout("modeler").acquire().expect("a seat");
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWPID).expect("a namespace");
    let pid = match fork().expect("a child") {
        Fork::Child if std::process::id() == 1 => std::process::exit(child(&client, seat)),
        Fork::Child => std::process::exit(16),
        Fork::Parent(pid) => pid,
    };
    assert_eq!(
        waitpid(pid).expect("a status"),
        0,
        "times 256, what the child saw"
    );
    assert_eq!(site.holders(), [seat.lease().expect("a lease").id]);
}
