//! Every route over a real socket, answered by a real desk over a memory journal, and checked against the document.

mod credentials;
mod mails;
mod registrations;
mod terms;

use super::house_tests::{House, NOW, PATIENCE, Walk};
use crate::dev::vendor;
use seatkeeper::token::delegation;
use seatkeeper::token::keys::{PublicKey, SigningKey};
use seatkeeper_engine::ids::{Gid, HolderId};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

impl Walk {
    async fn vendors_and_licenses(&mut self) {
        self.post("/v1/vendors", json!(vendor::trust()), 201).await;
        self.get("/v1/vendors", 200).await;
        self.get("/v1/site-key", 200).await;
        let mut body = self.house.install_body().await;
        body["verify_only"] = json!(true);
        self.post("/v1/licenses", body.clone(), 200).await;
        body["verify_only"] = json!(false);
        self.post("/v1/licenses", body, 201).await;
        self.get("/v1/licenses", 200).await;
        let path = "/v1/licenses/{vendor}/{id}";
        let one = "/v1/licenses/dev-vendor/dev-license";
        self.get_at(path, one, 200).await;
        self.get_at(path, "/v1/licenses/x/y", 404).await;
        let account = json!({"account": "C-1"});
        self.post("/v1/license-request", account, 200).await;
        self.delegation().await;
    }

    /// The key is exported, and signs elsewhere.
    async fn delegation(&mut self) {
        let word = "long enough to be one";
        let passphrase = json!({"passphrase": word});
        let export = self.post("/v1/site-key/export", passphrase, 200).await;
        let export = export["pem"].as_str().expect("a key");
        let site = SigningKey::from_pem(export, Some(word.as_bytes())).expect("it opens");
        let shown = self.get("/v1/site-key", 200).await;
        let lease = PublicKey::from_pem(shown["lease_key"].as_str().expect("text")).expect("a key");
        let claims = delegation::to_lease_key(&lease, &site, ("d".to_owned(), NOW), 86_400);
        let body = json!({"delegation": delegation::sign(&claims, &site).expect("signed")});
        let taken = self.post("/v1/site-key/delegation", body, 200).await;
        assert_eq!(taken["delegation_exp"], NOW + 86_400);
    }

    async fn assignments(&mut self) {
        let all = self.get("/v1/assignments", 200).await;
        let id = all["items"][0]["id"].as_str().expect("an assignment");
        let path = "/v1/assignments/{id}";
        self.get_at(path, &format!("/v1/assignments/{id}"), 200)
            .await;
        let id = format!("{:032x}", 5);
        let assignment =
            json!({"id": id, "vendor": "dev-vendor", "license": "dev-license", "user": "bob"});
        self.post("/v1/assignments", assignment, 201).await;
        let real = format!("/v1/assignments/{id}");
        let change = json!({"exclude": ["modeler"]});
        let changed = self.at("PATCH", path, &real, Some(change)).await;
        assert_eq!(changed.json()["item"]["exclude"][0], "modeler");
        let gone = self.at("DELETE", path, &real, None).await;
        assert_eq!(gone.status, 200, "{}", gone.text);
    }

    async fn directory(&mut self) {
        let east = json!({"name": "East", "above": "Test"});
        self.post("/v1/units", east, 201).await;
        self.get("/v1/units", 200).await;
        let cy = json!({"login": "cy", "units": ["East"]});
        self.post("/v1/users", cy, 201).await;
        self.get("/v1/users", 200).await;
        self.get("/v1/roles", 200).await;
        self.post("/v1/groups", json!({"name": "CAD"}), 201).await;
        self.get("/v1/groups", 200).await;
        for line in [
            "200 GET /v1/units/{unit} Test%2FEast",
            r#"200 PATCH /v1/units/{unit} east {"name":"West"}"#,
            "409 DELETE /v1/units/{unit} West",
            "200 GET /v1/groups/{group} cad",
            r#"200 PATCH /v1/groups/{group} cad {"name":"CAM"}"#,
            r#"200 PATCH /v1/groups/{group}/members CAM {"add_users":["cy"]}"#,
            "200 GET /v1/groups/{group}/members CAM",
            "200 DELETE /v1/groups/{group} CAM",
            "200 GET /v1/users/{user} CY",
            r#"200 PUT /v1/roles/{role} clerk {"permissions":["user.read"],"reach":"unit"}"#,
            "200 GET /v1/roles/{role} clerk",
            r#"200 PATCH /v1/users/{user}/roles cy {"give":[{"role":"clerk","unit":"West"}]}"#,
            r#"409 DELETE /v1/roles/{role} clerk"#,
            r#"200 PATCH /v1/users/{user}/roles cy {"take":[{"role":"clerk","unit":"West"}]}"#,
            "200 DELETE /v1/roles/{role} clerk",
            r#"200 PATCH /v1/users/{user} cy {"status":"suspended"}"#,
            "200 DELETE /v1/users/{user} cy",
            "204 DELETE /v1/units/{unit} West",
        ] {
            let words: Vec<_> = line.splitn(5, ' ').collect();
            let open = words[2].find('{').expect("a place");
            let close = words[2].find('}').expect("a place");
            let real = words[2].replace(&words[2][open..=close], words[3]);
            let body = words
                .get(4)
                .map(|body| serde_json::from_str(body).expect(line));
            let answer = self.at(words[1], words[2], &real, body).await;
            assert_eq!(
                answer.status.to_string(),
                words[0],
                "{line}: {}",
                answer.text
            );
        }
    }

    async fn leases_and_seats(&mut self) {
        let asked = self.house.checkout(1);
        let lease = self.post("/v1/leases", asked.clone(), 201).await;
        self.post("/v1/leases", asked, 200).await;
        self.post("/v1/leases", json!({}), 400).await;
        let id = lease["id"].as_str().expect("an id");
        let instance = format!("{:032x}", 1001);
        let renew = json!({"instance": instance, "nonce": "AAAAAAAAAAAAAAAAAAAAAA"});
        let path = "/v1/leases/{id}";
        let real = format!("/v1/leases/{id}");
        let renewed = self.at("PUT", path, &real, Some(renew)).await;
        assert_eq!(renewed.status, 200, "{}", renewed.text);
        self.get("/v1/pools", 200).await;
        self.get("/v1/seats", 200).await;
        let why = json!({"user": "bob", "item": {"feature": "modeler"}});
        self.post("/v1/explain", why, 200).await;
        let real = format!("/v1/seats/{id}/reclaim");
        let taken = self.at("POST", "/v1/seats/{id}/reclaim", &real, None).await;
        assert_eq!(taken.status, 200, "{}", taken.text);
        let real = format!("/v1/leases/{id}?instance={instance}");
        let given = self.at("DELETE", path, &real, None).await;
        assert_eq!(given.status, 204, "{}", given.text);
    }

    async fn removals(&mut self) {
        let path = "/v1/licenses/{vendor}/{id}";
        let one = "/v1/licenses/dev-vendor/dev-license";
        let no = self.at("DELETE", "/v1/licenses", "/v1/licenses", None);
        assert_eq!(no.await.status, 400, "the account's name is missing");
        let vendor = "/v1/vendors/{name}";
        let real = "/v1/vendors/dev-vendor";
        let no = self.at("DELETE", vendor, real, None).await;
        assert_eq!(no.status, 409, "{}", no.text);
        for (query, status) in [("?dry_run=true", 200), ("?waiting=9", 404), ("", 200)] {
            let real = format!("{one}{query}");
            let done = self.at("DELETE", path, &real, None).await;
            assert_eq!(done.status, status, "{}", done.text);
        }
        let gone = self.at("DELETE", vendor, real, None).await;
        assert_eq!(gone.status, 200, "{}", gone.text);
    }

    async fn development(&mut self) {
        let fault = "/v1/dev/fault";
        assert_eq!(self.get(fault, 200).await, json!({"fault": "none"}));
        let deny = json!({"fault": "deny", "code": "cool_down"});
        let set = self.at("PUT", fault, fault, Some(deny)).await;
        assert_eq!(set.status, 200, "{}", set.text);
        let asked = self.house.checkout(7);
        let denied = self.post("/v1/leases", asked.clone(), 409).await;
        assert_eq!(denied["code"], "cool_down");
        for wrong in [
            json!({"fault": "deny", "code": "no_such_code"}),
            json!({"fault": "slow", "seconds": 3600}),
            json!({"fault": "drop", "seconds": 1e9}),
        ] {
            let no = self.at("PUT", fault, fault, Some(wrong)).await;
            assert_eq!(no.status, 400, "{}", no.text);
        }
        let none = json!({"fault": "none"});
        let set = self.at("PUT", fault, fault, Some(none)).await;
        assert_eq!(set.status, 200, "{}", set.text);
        self.post("/v1/leases", asked, 201).await;
        let lapsed = |page: &Value| page["items"].as_array().is_some_and(Vec::is_empty);
        assert!(!lapsed(&self.get("/v1/seats", 200).await));
        let week = json!({"advance_s": 7 * 86_400});
        let clock = self.post("/v1/dev/clock", week, 200).await;
        assert_eq!(clock["j"], NOW + 7 * 86_400);
        assert!(
            lapsed(&self.get("/v1/seats", 200).await),
            "what falls due has been done at the answer"
        );
        let far = json!({"advance_s": u64::MAX});
        self.post("/v1/dev/clock", far, 400).await;
    }

    async fn the_daemon_itself(&mut self) {
        self.get("/v1/events", 200).await;
        self.get_at("/v1/events", "/v1/events?after=x", 400).await;
        self.get("/v1/audit", 200).await;
        self.get_at("/v1/audit", "/v1/audit?kind=SeatTaken&user=ana", 200)
            .await;
        self.get_at("/v1/audit", "/v1/audit?usr=ana", 400).await;
        self.get("/v1/audit/anchor", 200).await;
        self.get("/v1/audit/pruned", 404).await;
        for path in [
            "/v1/status",
            "/v1/clock",
            "/v1/config",
            "/metrics",
            "/healthz",
        ] {
            self.get(path, 200).await;
        }
        let accepted = self.post("/v1/clock/accept", json!({}), 200).await;
        assert_eq!(accepted["accepted"], false, "{accepted}");
        self.get("/readyz", 200).await;
        let path = "/problems/{code}";
        self.get_at(path, "/problems/no_seat_free", 200).await;
        self.get_at(path, "/problems/none", 404).await;
        self.get("/openapi.json", 200).await;
    }
}

#[tokio::test]
async fn every_route_answers_as_the_document_says() {
    let mut walk = Walk::begin().await;
    walk.vendors_and_licenses().await;
    walk.assignments().await;
    walk.people().await;
    walk.credentials().await;
    walk.development().await;
    walk.leases_and_seats().await;
    walk.the_daemon_itself().await;
    walk.mails().await;
    walk.terms().await;
    walk.removals().await;
    walk.document.all_were_used();
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let house = House::open();
    let lost = house.ask("GET", "/v1/nothing", None).await;
    assert_eq!((lost.status, lost.code().as_str()), (404, "not_found"));
    for (method, path) in [
        ("GET", "/v1/dev/fault"),
        ("PUT", "/v1/dev/fault"),
        ("POST", "/v1/dev/clock"),
    ] {
        let lost = house.ask(method, path, Some(json!({}))).await;
        assert_eq!(lost.status, 404, "{path} is for `dev` alone");
    }
    let paths = house.ask("GET", "/openapi.json", None).await.json()["paths"].to_string();
    assert!(paths.contains("/v1/seats") && !paths.contains("/v1/dev"));
    let wrong = house.ask("PATCH", "/v1/seats", None).await;
    assert_eq!(
        (wrong.status, wrong.code().as_str()),
        (405, "method_not_allowed")
    );
    assert!(
        wrong
            .header("allow")
            .is_some_and(|allow| allow.contains("GET")),
        "{wrong:?}"
    );
    for (method, path, allowed) in [
        ("GET", "/v1/leases", "POST"),
        ("POST", "/v1/leases/1.1.1", "PUT,DELETE"),
    ] {
        let wrong = house.ask(method, path, None).await;
        assert_eq!(
            (wrong.status, wrong.code().as_str()),
            (405, "method_not_allowed")
        );
        assert_eq!(wrong.header("allow").as_deref(), Some(allowed));
    }
    for path in ["/v1/leases/", "/v1/leases/1/2", "/v1/leasesx"] {
        let lost = house.ask("PUT", path, Some(json!({}))).await;
        assert_eq!(
            (lost.status, lost.code().as_str()),
            (404, "not_found"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_ordinary_caller_sees_what_is_theirs_and_no_more() {
    let house = House::open().with_license().await;
    house.administers.store(false, Ordering::SeqCst);
    let closed = [
        "/v1/events",
        "/v1/audit",
        "/v1/audit/anchor",
        "/v1/audit/pruned",
        "/v1/config",
        "/metrics",
        "/v1/assignments",
    ];
    for path in closed {
        let answer = house.ask("GET", path, None).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "forbidden"),
            "{path}"
        );
    }
    for path in ["/v1/vendors", "/v1/licenses", "/v1/pools", "/v1/seats"] {
        assert_eq!(house.ask("GET", path, None).await.status, 200, "{path}");
    }
    let others = json!({"user": "bob", "item": {"feature": "modeler"}});
    assert_eq!(
        house.ask("POST", "/v1/explain", Some(others)).await.status,
        403
    );
    let own = json!({"item": {"feature": "modeler"}});
    assert_eq!(
        house.ask("POST", "/v1/explain", Some(own)).await.json()["granted"],
        true
    );
}

/// Bodies with license files are the large ones: they are kept for those alone who may install.
#[tokio::test]
async fn s24_who_may_not_install_is_told_before_a_license_is_read() {
    let house = House::open();
    house.administers.store(false, Ordering::SeqCst);
    let waits = "POST /v1/licenses HTTP/1.1\r\nhost: s\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 300000\r\n\r\n";
    let mut stream = house.connect().await;
    stream.write_all(waits.as_bytes()).await.expect("written");
    let mut told = [0; 12];
    stream.read_exact(&mut told).await.expect("an answer");
    assert_eq!(&told, b"HTTP/1.1 403", "without a byte of the body");
    let no_license = Some(json!({"text": 7, "filler": "x".repeat(300_000)}));
    let answer = house.ask("POST", "/v1/licenses", no_license.clone()).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"));
    house.administers.store(true, Ordering::SeqCst);
    let answer = house.ask("POST", "/v1/licenses", no_license).await;
    assert_eq!(answer.code(), "bad_request");
}

#[tokio::test]
async fn the_second_of_two_editors_is_told() {
    let house = House::open().with_license().await;
    let all = house.ask("GET", "/v1/assignments", None).await.json();
    let path = format!(
        "/v1/assignments/{}",
        all["items"][0]["id"].as_str().expect("an id")
    );
    let tag = house
        .ask("GET", &path, None)
        .await
        .header("etag")
        .expect("a revision");
    let stale = house
        .ask_with("DELETE", &path, None, "if-match: \"1\"\r\n")
        .await;
    assert_eq!(
        (stale.status, stale.code().as_str()),
        (412, "wrong_revision")
    );
    let fresh = house
        .ask_with("DELETE", &path, None, &format!("if-match: {tag}\r\n"))
        .await;
    assert_eq!(fresh.status, 200, "{fresh:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i8_a_client_that_hangs_up_after_the_commit_has_its_seat_and_its_watch() {
    let house = House::open().with_license().await;
    let body = house.checkout(1).to_string();
    let request = format!(
        "POST /v1/leases HTTP/1.1\r\nhost: s\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (arrived, arrives) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel();
    *house.gate.lock().expect("the gate") = Some((arrived, goes_on));
    let mut stream = house.connect().await;
    stream.write_all(request.as_bytes()).await.expect("written");
    let waited = tokio::task::spawn_blocking(move || arrives.recv_timeout(PATIENCE));
    waited
        .await
        .expect("no panic")
        .expect("the seat is durable, its reply not sent");
    drop(stream);
    go_on.send(()).expect("the keeper waits");
    let seated = async {
        let holder = HolderId {
            gid: Gid { epoch: 1, n: 1 },
            h: 1,
        };
        while !house.watch.watched(holder) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, seated)
        .await
        .expect("the seat is taken and watched");
    let again = house
        .ask("POST", "/v1/leases", Some(house.checkout(1)))
        .await;
    assert_eq!(
        again.status, 200,
        "the retry finds the same seat: {again:?}"
    );
    let seats = house.ask("GET", "/v1/seats", None).await.json();
    assert_eq!(seats["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(seats["items"][0]["watched"], true);
}

/// A disk that hangs hangs a round, and with it the thread that does it: one of the API's, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_that_hangs_keeps_nobody_waiting_who_asks_for_no_seat() {
    const CLIENTS: u8 = 20;
    let house = House::open().with_license().await;
    let (arrived, arrives) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel();
    *house.gate.lock().expect("the gate") = Some((arrived, goes_on));
    let mut streams = Vec::new();
    for n in 1..=CLIENTS {
        let body = house.checkout(n).to_string();
        let length = body.len();
        let request = format!(
            "POST /v1/leases HTTP/1.1\r\nhost: s\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let mut stream = house.connect().await;
        stream.write_all(request.as_bytes()).await.expect("written");
        streams.push(stream);
    }
    let waited = tokio::task::spawn_blocking(move || {
        arrives
            .recv_timeout(PATIENCE)
            .expect("a round is under way");
        arrives
    });
    let _arrives = waited.await.expect("no panic");
    for _ in 0..10 {
        for path in ["/v1/status", "/v1/pools", "/v1/seats", "/v1/licenses"] {
            assert_eq!(house.ask("GET", path, None).await.status, 200, "{path}");
        }
    }
    for _ in &streams {
        go_on.send(()).expect("the keeper waits");
    }
    let mut seats = 0;
    for mut stream in streams {
        let mut text = String::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut text)).await;
        read.expect("an answer in time").expect("text");
        seats += usize::from(text.starts_with("HTTP/1.1 201"));
        assert!(
            text.starts_with("HTTP/1.1 201") || text.contains("no_seat_free"),
            "{text}"
        );
    }
    assert!(seats > 0);
}

#[tokio::test]
async fn denials_are_counted_and_explained() {
    let house = House::open().with_license().await;
    for n in 1..=3 {
        assert_eq!(
            house
                .ask("POST", "/v1/leases", Some(house.checkout(n)))
                .await
                .status,
            201
        );
    }
    let denied = house
        .ask("POST", "/v1/leases", Some(house.checkout(4)))
        .await;
    assert_eq!(
        (denied.status, denied.code().as_str()),
        (409, "no_seat_free")
    );
    let problem = denied.json();
    assert_eq!(
        (&problem["in_use"], &problem["total"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(
        problem["trace_id"].as_str(),
        denied.header("x-trace-id").as_deref()
    );
    let metrics = house.ask("GET", "/metrics", None).await.text;
    assert!(
        metrics.contains("seatkeeper_denials_total{code=\"no_seat_free\"} 1"),
        "{metrics}"
    );
    let pool = "vendor=\"dev-vendor\",license=\"dev-license\",feature=\"modeler\"";
    assert!(
        metrics.contains(&format!("seatkeeper_seats_in_use{{{pool}}} 3")),
        "{metrics}"
    );
}

#[tokio::test]
async fn events_are_followed_without_a_gap() {
    let house = House::open().with_license().await;
    let head = house.desk.snapshot().head.number;
    let mut stream = house.connect().await;
    let request = format!(
        "GET /v1/events HTTP/1.1\r\nhost: s\r\naccept: text/event-stream\r\nlast-event-id: {}\r\n\r\n",
        head - 1
    );
    stream.write_all(request.as_bytes()).await.expect("written");
    house
        .ask("POST", "/v1/leases", Some(house.checkout(1)))
        .await;
    let mut text = String::new();
    let read = async {
        while !text.contains("event: SeatTaken") {
            let mut bytes = [0; 4096];
            let n = stream.read(&mut bytes).await.expect("read");
            assert_ne!(n, 0, "{text}");
            text.push_str(&String::from_utf8_lossy(&bytes[..n]));
        }
    };
    tokio::time::timeout(PATIENCE, read)
        .await
        .expect("the event comes");
    let ids: Vec<u64> = text
        .lines()
        .filter_map(|line| line.strip_prefix("id: ")?.parse().ok())
        .collect();
    assert_eq!(ids.first(), Some(&head));
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ids:?}");
}
