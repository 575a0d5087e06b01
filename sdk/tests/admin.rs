//! The bare exchange for the command line (feature `admin`).
#![cfg(feature = "admin")]

mod site;

use seatkeeper::admin::{Broken, Connection};
use site::Site;
use site::listener::{Manner, listen};
use std::path::Path;

#[test]
fn a_refusal_is_a_reply_with_its_headers() {
    let bytes = b"HTTP/1.1 403 X\r\nX-Trace-Id: t7\r\ncontent-length: 2\r\n\r\n{}";
    let listener = listen(&Site::new(1, 11), Manner::Say(bytes));
    let daemon = Connection::open(Some(&listener.path));
    let reply = daemon
        .request(
            "POST",
            "/v1/licenses?x=1",
            &[("if-match", "\"3\"")],
            Some(b"{}"),
        )
        .unwrap();
    assert_eq!(
        (reply.status, reply.header("x-trace-id")),
        (403, Some("t7"))
    );
    assert_eq!(reply.body, b"{}");
    assert_eq!(daemon.endpoint().as_deref(), Some(listener.path.as_path()));
}

#[test]
fn events_come_line_by_line() {
    let bytes = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\ndata: 2\n\n";
    let listener = listen(&Site::new(1, 11), Manner::Say(bytes));
    let stream = Connection::open(Some(&listener.path))
        .stream("/v1/events", &[])
        .unwrap();
    let Ok(stream) = stream else {
        panic!("refused")
    };
    let lines: Vec<_> = stream.map(Result::unwrap).collect();
    assert_eq!(lines, ["data: 1", "", "data: 2", ""]);
}

#[test]
fn no_daemon_is_told_with_the_places_that_were_tried() {
    let daemon = Connection::open(Some(Path::new("/nonexistent/s.sock")));
    let Err(Broken::NoDaemon(tried, _)) = daemon.request("GET", "/v1/status", &[], None) else {
        panic!("a reply")
    };
    assert_eq!(tried, [Path::new("/nonexistent/s.sock")]);
}
