//! The client over a real unix socket: limits, time-outs, what ureq would do by itself and we do not.

mod site;

use seatkeeper::{Client, Error};
use site::Site;
use site::listener::{Manner, listen};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

fn client(site: &Site, socket: &Path) -> Client {
    site.socket_builder()
        .socket(socket)
        .build()
        .expect("a client with a root")
}

#[test]
fn a_seat_is_held_over_one_connection() {
    let site = Site::new(1, 11);
    let listener = listen(&site, Manner::Serve);
    let client = client(&site, &listener.path);
    assert_eq!(client.endpoint(), None);
    let seat = client.checkout("modeler").acquire().unwrap();
    assert_eq!(client.endpoint().as_deref(), Some(listener.path.as_path()));
    seat.release().unwrap();
    assert!(site.holders().is_empty());
    assert_eq!(listener.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn a_connection_that_broke_while_it_was_kept_costs_nothing() {
    let site = Site::new(1, 11);
    let listener = listen(&site, Manner::HangUpOnSecond);
    let client = client(&site, &listener.path);
    let first = client.checkout("modeler").acquire().unwrap();
    let second = client.checkout("modeler").acquire().unwrap();
    assert_eq!(site.holders().len(), 2);
    drop((first, second));
    assert!(site.holders().is_empty());
}

#[test]
fn no_daemon_is_told_at_once_with_the_places_that_were_tried() {
    let error = client(&Site::new(1, 11), Path::new("/nonexistent/s.sock"))
        .checkout("modeler")
        .acquire()
        .unwrap_err();
    assert_eq!(error.code(), "no_daemon");
    assert!(
        error.to_string().contains("/nonexistent/s.sock") && error.hint().contains("systemctl")
    );
}

#[test]
fn a_daemon_that_hangs_does_not_hold_the_application_up() {
    let site = Site::new(1, 11);
    let listener = listen(&site, Manner::Hang);
    let asked = client(&site, &listener.path)
        .checkout("modeler")
        .deadline(Duration::from_millis(200))
        .acquire();
    assert!(matches!(asked, Err(Error::Unreachable(_))));
}

#[test]
fn what_is_no_answer_is_refused_with_a_code() {
    let site = Site::new(1, 11);
    let redirect =
        b"HTTP/1.1 302 Found\r\nlocation: http://example.com/\r\ncontent-length: 0\r\n\r\n";
    for bytes in [
        &b"HTTP/1.1 201 X\r\ncontent-length: 2\r\n\r\n{}"[..],
        b"HTTP/1.1 418 X\r\ncontent-length: 0\r\n\r\n",
        redirect,
    ] {
        let listener = listen(&site, Manner::Say(bytes));
        let error = client(&site, &listener.path)
            .checkout("modeler")
            .acquire()
            .unwrap_err();
        assert_eq!(error.code(), "bad_answer", "{error}");
    }
}

#[test]
fn s8_an_answer_without_end_is_cut_off() {
    let site = Site::new(1, 11);
    let listener = listen(&site, Manner::Flood);
    let asked = client(&site, &listener.path)
        .checkout("modeler")
        .deadline(Duration::from_secs(2))
        .acquire();
    assert_eq!(asked.unwrap_err().code(), "bad_answer");
}
