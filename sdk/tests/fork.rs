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
