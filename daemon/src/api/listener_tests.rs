//! The listener over a real socket in a folder of its own: limits, identity, panics, the stop.

use super::exchange::{Desks, Exchange};
use super::extract::{Json, bad};
use super::identity::{Account, NameServiceDown, Names};
use super::limits::Limits;
use super::listener::Server;
use super::refusal::Answer;
use axum::routing::{get, post};
use axum::{Extension, Router};
use seatkeeper::wire::{Code, Problem};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Everything here ends by itself; this is when a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

struct House {
    folder: tempfile::TempDir,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
    down: Arc<AtomicBool>,
}

struct Book(Arc<AtomicBool>);

impl Names for Book {
    fn account(&self, uid: u32) -> Result<Account, NameServiceDown> {
        if self.0.load(Ordering::SeqCst) {
            return Err(NameServiceDown("unplugged".to_owned()));
        }
        Ok(Account {
            name: format!("name-of-{uid}"),
            administers: true,
        })
    }
}

async fn whoami(Extension(Exchange { peer, .. }): Extension<Exchange>) -> Answer<String> {
    Ok(peer.account()?.name.clone())
}

async fn echo(Json(text): Json<String>) -> Answer<String> {
    Ok(text)
}

async fn panics() -> Answer<String> {
    panic!("a handler that panics, on purpose")
}

async fn hangs() -> Answer<String> {
    std::future::pending().await
}

async fn large() -> Vec<u8> {
    vec![b'x'; 8 * 1024 * 1024]
}

async fn nowhere() -> Answer<()> {
    Err(bad("nowhere"))
}

impl House {
    fn open(limits: Limits) -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join("s")).expect("a socket");
        let down = Arc::new(AtomicBool::new(false));
        let router = Router::new()
            .route("/whoami", get(whoami))
            .route("/echo", post(echo))
            .route("/panics", get(panics))
            .route("/hangs", get(hangs))
            .route("/large", get(large))
            .route("/v1/leases", post(echo))
            .fallback(nowhere);
        let desks = Desks {
            router,
            leases: None,
            dev: None,
        };
        let (stop, stopped) = watch::channel(false);
        let server = Server::new(desks, Arc::new(Book(down.clone())), limits);
        House {
            folder,
            stop,
            served: tokio::spawn(server.serve(listener, stopped)),
            down,
        }
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.folder.path().join("s"))
            .await
            .expect("the socket takes connections")
    }

    /// Sends bytes and reads until the daemon closes.
    async fn say(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.expect("written");
        all_of(stream).await
    }
}

async fn all_of(mut stream: UnixStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the daemon ends the connection");
    String::from_utf8(answer).expect("text")
}

fn get_text(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: seatkeeper\r\nconnection: close\r\n{more}\r\n")
}

fn post_text(path: &str, body: &str, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: seatkeeper\r\nconnection: close\r\ncontent-length: {}\r\n{more}\r\n{body}",
        body.len()
    )
}

fn problem(answer: &str) -> Problem {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.contains("application/problem+json"), "{answer}");
    let problem: Problem = serde_json::from_str(body).expect("a problem document");
    let status = format!("HTTP/1.1 {} ", problem.status);
    assert!(head.starts_with(&status), "{answer}");
    let trace = format!("x-trace-id: {}", problem.trace_id);
    assert!(head.contains(&trace), "{answer}");
    problem
}

fn short() -> Limits {
    Limits {
        head: Duration::from_millis(50),
        body: Duration::from_millis(50),
        request: Duration::from_millis(200),
        stalled: Duration::from_millis(50),
        names: Duration::from_millis(50),
        ..Limits::default()
    }
}

#[tokio::test]
async fn s16_the_kernel_says_who_asks() {
    let house = House::open(Limits::default());
    let me = rustix::process::geteuid().as_raw();
    let answer = house
        .say(&get_text(
            "/whoami",
            "x-user: root\r\nx-trace-id: my-own-trace\r\n",
        ))
        .await;
    assert!(answer.ends_with(&format!("name-of-{me}")), "{answer}");
    assert!(answer.contains("x-trace-id: my-own-trace\r\n"), "{answer}");
}

#[tokio::test]
async fn a_name_service_that_fails_takes_the_last_name_or_says_so() {
    let house = House::open(Limits::default());
    house.down.store(true, Ordering::SeqCst);
    let refused = problem(&house.say(&get_text("/whoami", "")).await);
    assert_eq!(refused.code, Code::NameServiceDown);
    house.down.store(false, Ordering::SeqCst);
    assert!(
        house
            .say(&get_text("/whoami", ""))
            .await
            .contains("name-of-")
    );
    house.down.store(true, Ordering::SeqCst);
    assert!(
        house
            .say(&get_text("/whoami", ""))
            .await
            .contains("name-of-")
    );
}

#[tokio::test]
async fn s24_a_slow_head_and_an_idle_connection_are_closed() {
    let house = House::open(short());
    let answer = house.say("GET /whoami HTTP/1.1\r\nhost: dribb").await;
    assert_eq!(answer, "");
    let answer = house
        .say("GET /whoami HTTP/1.1\r\nhost: kept-alive\r\n\r\n")
        .await;
    assert!(
        answer.contains("name-of-"),
        "answered, then closed: {answer}"
    );
}

#[tokio::test]
async fn s24_a_slow_body_is_told_so() {
    let house = House::open(short());
    let head = "POST /echo HTTP/1.1\r\nhost: s\r\ncontent-length: 100\r\n\r\n\"only this";
    assert_eq!(problem(&house.say(head).await).code, Code::RequestTimeout);
}

#[tokio::test]
async fn s24_a_client_that_reads_nothing_loses_the_connection() {
    let house = House::open(short());
    let mut stream = house.connect().await;
    let request = get_text("/large", "");
    stream.write_all(request.as_bytes()).await.expect("written");
    let _ = house.stop.send(true);
    let served = tokio::time::timeout(PATIENCE, house.served).await;
    served
        .expect("the stalled connection ends")
        .expect("no panic");
}

#[tokio::test]
async fn a_body_too_large_is_refused_before_and_while_it_is_read() {
    let house = House::open(Limits::default());
    let body = format!("\"{}\"", "x".repeat(64 * 1024));
    assert_eq!(
        problem(&house.say(&post_text("/echo", &body, "")).await).code,
        Code::BodyTooLarge
    );
    let body = format!("\"{}\"", "x".repeat(700 * 1024));
    let said = house.say(&post_text("/echo", &body, "")).await;
    assert_eq!(
        problem(&said).code,
        Code::BodyTooLarge,
        "heard out, beyond what the socket holds"
    );
    let chunk = "x".repeat(0x8000);
    let chunked = format!(
        "POST /echo HTTP/1.1\r\nhost: s\r\ntransfer-encoding: chunked\r\n\r\n8000\r\n{chunk}\r\n8000\r\n{chunk}\r\n8000\r\n{chunk}\r\n0\r\n\r\n"
    );
    assert_eq!(problem(&house.say(&chunked).await).code, Code::BodyTooLarge);
    let fits = format!("\"{}\"", "x".repeat(60 * 1024));
    assert!(
        house
            .say(&post_text("/echo", &fits, ""))
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}

#[tokio::test]
async fn heads_are_bounded_in_lines_and_bytes() {
    let house = House::open(Limits::default());
    let many: String = (0..40).map(|n| format!("x-{n}: y\r\n")).collect();
    assert_eq!(
        problem(&house.say(&get_text("/whoami", &many)).await).code,
        Code::BadRequest
    );
    let head = |bytes| format!("x-long: {}\r\n", "y".repeat(bytes));
    assert!(
        house
            .say(&get_text("/whoami", &head(8000)))
            .await
            .contains(" 200 ")
    );
    let refused = problem(&house.say(&get_text("/whoami", &head(9000))).await);
    assert_eq!(refused.code, Code::BadRequest);
    assert!(refused.detail.contains("8192 bytes"), "{}", refused.detail);
    let mut stream = house.connect().await;
    // It is cut off while it is still sending.
    let _ = stream
        .write_all(get_text("/whoami", &head(1 << 20)).as_bytes())
        .await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("the daemon ends the connection");
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431 "));
}

#[tokio::test]
async fn s12_the_application_api_refuses_browsers() {
    let house = House::open(Limits::default());
    for header in [
        "origin: https://evil.example\r\n",
        "sec-fetch-site: cross-site\r\n",
    ] {
        let answer = house.say(&post_text("/v1/leases", "\"x\"", header)).await;
        assert_eq!(problem(&answer).code, Code::BrowserRefused);
    }
    assert!(
        house
            .say(&post_text("/v1/leases", "\"x\"", ""))
            .await
            .contains(" 200 ")
    );
}

#[tokio::test]
async fn a_handler_that_panics_or_hangs_is_an_answer_not_the_end() {
    let house = House::open(short());
    assert_eq!(
        problem(&house.say(&get_text("/panics", "")).await).code,
        Code::Internal
    );
    assert_eq!(
        problem(&house.say(&get_text("/hangs", "")).await).code,
        Code::ServerBusy
    );
    assert!(
        house
            .say(&get_text("/whoami", ""))
            .await
            .contains("name-of-")
    );
}

/// The first is answered at once, and of the others one a second: five of them wait while the next in order is served.
#[tokio::test]
async fn s24_who_fails_too_often_waits_and_what_they_ask_in_order_does_not() {
    let house = House::open(Limits {
        failures_per_s: 1,
        ..Limits::default()
    });
    let wrong = post_text("/echo", "no JSON", "");
    assert_eq!(problem(&house.say(&wrong).await).code, Code::BadRequest);
    let late = async {
        for _ in 0..5 {
            let refused = problem(&house.say(&wrong).await);
            assert_eq!(refused.code, Code::BadRequest);
        }
    };
    let in_order = async {
        for _ in 0..20 {
            let answer = house.say(&get_text("/whoami", "")).await;
            assert!(answer.contains("name-of-"), "{answer}");
        }
    };
    tokio::select! {
        () = late => panic!("five failures in a row were answered before twenty others"),
        () = in_order => {}
    }
}

#[tokio::test]
async fn s24_too_many_connections_of_one_uid_are_told_so() {
    let limits = Limits {
        per_uid: 2,
        ..Limits::default()
    };
    let house = House::open(limits);
    let mut held = [house.connect().await, house.connect().await];
    for stream in &mut held {
        // An answer proves that the connection is counted.
        let request = "GET /whoami HTTP/1.1\r\nhost: s\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.expect("an answer");
    }
    let refused = problem(&house.say(&get_text("/whoami", "")).await);
    assert_eq!(refused.code, Code::ServerBusy);
    assert_eq!(refused.retry_after_s, Some(1));
    drop(held);
    let again = async {
        while !house
            .say(&get_text("/whoami", ""))
            .await
            .contains("name-of-")
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, again)
        .await
        .expect("room again");
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_takes_nothing_new() {
    let house = House::open(Limits::default());
    let mut begun = house.connect().await;
    let head =
        "POST /echo HTTP/1.1\r\nhost: s\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n";
    begun.write_all(head.as_bytes()).await.expect("written");
    let mut told = [0; 12];
    begun
        .read_exact(&mut told)
        .await
        .expect("100 Continue: the handler waits for the body");
    house.stop.send(true).expect("the server listens");
    begun.write_all(b"\"ok\"").await.expect("written");
    let answer = all_of(begun).await;
    assert!(
        answer.contains("200 OK") && answer.ends_with("ok"),
        "{answer}"
    );
    tokio::time::timeout(PATIENCE, house.served)
        .await
        .expect("stopped")
        .expect("no panic");
    assert!(
        UnixStream::connect(house.folder.path().join("s"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_body_that_comes_after_its_refusal_cuts_nobody_off() {
    let house = House::open(Limits::default());
    let mut stream = house.connect().await;
    let head = "PUT /nowhere HTTP/1.1\r\nhost: s\r\ncontent-length: 2\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("written");
    // It is refused by now, were it not for the body.
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    stream.write_all(b"{}").await.expect("taken");
    let mut told = [0; 12];
    stream.read_exact(&mut told).await.expect("an answer");
    assert_eq!(&told, b"HTTP/1.1 400");
    // And the connection goes on.
    stream.write_all(head.as_bytes()).await.expect("written");
    stream.write_all(b"{}").await.expect("taken");
}
