//! The routes of signing in.

use crate::api::house_tests::{Answer, House, Walk};
use crate::mail::{Outbox, letters};
use serde_json::{Value, json};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

const PASSWORD: &str = "a sentence that is long enough";

impl Walk {
    pub(super) async fn credentials(&mut self) {
        self.post("/v1/users", json!({"login": "di"}), 201).await;
        let invite = "/v1/users/{user}/invitation";
        let made = self
            .at("POST", invite, "/v1/users/di/invitation", None)
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.header("cache-control").as_deref(), Some("no-store"));
        let code = made.json()["code"].clone();
        let redeem = json!({"code": code, "password": PASSWORD});
        let who = self.post("/v1/login/code", redeem.clone(), 200).await;
        assert_eq!(
            (&who["user"], &who["known_by"]),
            (&json!("di"), &json!("signed_in"))
        );
        let again = self.post("/v1/login/code", redeem, 403).await;
        assert_eq!(again["code"], "code_not_valid");
        let change = json!({"old": PASSWORD, "new": "another one, as long as that"});
        let changed = self
            .at("PUT", "/v1/password", "/v1/password", Some(change))
            .await;
        assert_eq!(changed.status, 204, "{}", changed.text);
        let asked = json!({"address": "di@example.com", "password": PASSWORD});
        let no = self.post("/v1/address", asked, 401).await;
        assert_eq!(no["code"], "sign_in_failed");
        let shown = json!({"address": "di@example.com", "code": code});
        let no = self.post("/v1/address/code", shown, 403).await;
        assert_eq!(no["code"], "code_not_valid");
        let who = self.at("POST", "/v1/logout", "/v1/logout", None).await;
        assert_eq!((who.status, &who.json()["user"]), (200, &Value::Null));
        let wrong = json!({"login": "di", "password": PASSWORD});
        let no = self.post("/v1/login", wrong, 401).await;
        assert_eq!(no["code"], "sign_in_failed");
        let right = json!({"login": "DI", "password": "another one, as long as that"});
        self.post("/v1/login", right, 200).await;
        self.get("/v1/whoami", 200).await;
        self.tokens().await;
        self.sessions().await;
        self.at("POST", "/v1/logout", "/v1/logout", None).await;
        self.forgotten().await;
    }

    async fn tokens(&mut self) {
        let made = self.post("/v1/tokens", json!({"name": "ci"}), 201).await;
        assert_eq!(made["login"], "di");
        self.post("/v1/tokens", json!({"name": ""}), 400).await;
        let all = self.get("/v1/tokens", 200).await;
        assert_eq!(
            (&all["items"][0]["name"], &all["items"][0]["id"]),
            (&json!("ci"), &made["id"])
        );
        assert!(all["items"][0].get("token").is_none(), "told once");
        let one = format!("/v1/tokens/{}", made["id"].as_str().expect("an id"));
        let gone = self.at("DELETE", "/v1/tokens/{id}", &one, None).await;
        assert_eq!(gone.status, 204, "{}", gone.text);
        let none = self.at("DELETE", "/v1/tokens/{id}", &one, None).await;
        assert_eq!(none.status, 404, "{}", none.text);
    }

    async fn sessions(&mut self) {
        let asked = json!({"login": "di", "password": "another one, as long as that"});
        let made = self.post("/v1/sessions", asked, 201).await;
        assert_eq!(made["login"], "di");
        // S23: what is given for an id where a secret is meant is not told back.
        let secret = made["session"].as_str().expect("told once");
        let path = format!("/v1/sessions/{secret}");
        let none = self.at("DELETE", "/v1/sessions/{id}", &path, None).await;
        assert_eq!(none.status, 404, "{}", none.text);
        assert!(none.text.contains("sks_…") && !none.text.contains(secret));
        self.post("/v1/sessions", json!({"password": ""}), 400)
            .await;
        let all = self.get("/v1/sessions", 200).await;
        assert_eq!(
            (&all["items"][0]["id"], &all["items"][0]["current"]),
            (&made["id"], &json!(false))
        );
        assert!(all["items"][0].get("session").is_none(), "told once");
        let one = format!("/v1/sessions/{}", made["id"].as_str().expect("an id"));
        let gone = self.at("DELETE", "/v1/sessions/{id}", &one, None).await;
        assert_eq!(gone.status, 204, "{}", gone.text);
        let none = self.at("DELETE", "/v1/sessions/{id}", &one, None).await;
        assert_eq!(none.status, 404, "{}", none.text);
    }

    async fn forgotten(&mut self) {
        for login in ["di", "nobody"] {
            let asked = Some(json!({"login": login}));
            let answer = self.at("POST", "/v1/forgot", "/v1/forgot", asked).await;
            assert_eq!((answer.status, answer.text.as_str()), (202, ""), "{login}");
        }
        let asked = self.house.who_asked(1).await;
        assert_eq!(asked["items"][0]["login"], "di");
        self.get("/v1/resets", 200).await;
        let one = "/v1/resets/{user}";
        let dropped = self.at("DELETE", one, "/v1/resets/di", None).await;
        assert_eq!(dropped.status, 204, "{}", dropped.text);
        let none = self.at("DELETE", one, "/v1/resets/di", None).await;
        assert_eq!(none.status, 404, "{}", none.text);
        let reset = "/v1/users/{user}/reset";
        let made = self.at("POST", reset, "/v1/users/di/reset", None).await;
        assert_eq!(
            (made.status, &made.json()["purpose"]),
            (201, &json!("reset"))
        );
        self.at("DELETE", "/v1/users/{user}", "/v1/users/di", None)
            .await;
    }
}

impl House {
    /// Those who asked for a code, when they are so many: they are noted after their answer.
    async fn who_asked(&self, many: usize) -> Value {
        for _ in 0..10_000 {
            let asked = self.ask("GET", "/v1/resets", None).await.json();
            if asked["items"]
                .as_array()
                .is_some_and(|all| all.len() == many)
            {
                return asked;
            }
        }
        panic!("never so many");
    }

    fn is_called(&self, name: &str) {
        self.administers.store(false, Ordering::SeqCst);
        *self.name.lock().unwrap_or_else(PoisonError::into_inner) = name.to_owned();
    }
}

/// What the one who asks could tell two answers apart by.
fn told(answer: &Answer) -> (u16, Value) {
    let mut body = answer.json();
    body["trace_id"] = Value::Null;
    (answer.status, body)
}

#[tokio::test]
async fn s11_known_and_unknown_logins_get_one_answer_for_one_work() {
    let house = House::open();
    let known = json!({"login": "known", "status": "active"});
    house.ask("POST", "/v1/users", Some(known)).await;
    let code = house.ask("POST", "/v1/users/known/reset", None).await;
    let redeem = json!({"code": code.json()["code"], "password": PASSWORD});
    let done = house.ask("POST", "/v1/login/code", Some(redeem)).await;
    assert_eq!(done.status, 200, "{}", done.text);
    house
        .ask("POST", "/v1/users", Some(json!({"login": "bare"})))
        .await;
    house.is_called("stranger");
    let mut answers = Vec::new();
    // Somebody with a password, somebody without, and nobody.
    let logins = ["known", "bare", "nobody"];
    let before = house.desk.passwords_stretched();
    let events = house.desk.snapshot().head.number;
    for (login, work) in logins.iter().zip(1..) {
        let body = json!({"login": login, "password": "not the right sentence"});
        let answer = house.ask("POST", "/v1/login", Some(body)).await;
        assert_eq!(house.desk.passwords_stretched(), before + work, "{login}");
        assert_eq!(house.desk.snapshot().head.number, events, "{login}");
        answers.push(told(&answer));
    }
    let before = house.desk.passwords_stretched();
    for login in logins {
        let asked = Some(json!({"login": login}));
        let forgot = house.ask("POST", "/v1/forgot", asked).await;
        assert_eq!((forgot.status, forgot.text.as_str()), (202, ""), "{login}");
        assert_eq!(house.desk.passwords_stretched(), before, "{login}");
    }
    assert_eq!(
        (answers[0].0, &answers[0].1["code"]),
        (401, &json!("sign_in_failed"))
    );
    assert!(answers.iter().all(|one| *one == answers[0]), "{answers:#?}");
}

#[tokio::test]
async fn s11_whoever_guesses_is_stopped_and_told_when_to_go_on() {
    let house = House::open();
    house.is_called("stranger");
    let mut last = None;
    for n in 0..11 {
        let body = json!({"login": format!("u{n}"), "password": "not the right sentence"});
        last = Some(house.ask("POST", "/v1/login", Some(body)).await);
    }
    let last = last.expect("asked");
    assert_eq!(
        (last.status, last.code().as_str()),
        (429, "too_many_attempts")
    );
    assert_eq!(last.header("retry-after").as_deref(), Some("900"));
    let code = json!({"code": "0000", "password": PASSWORD});
    let no = house.ask("POST", "/v1/login/code", Some(code)).await;
    assert_eq!(
        no.code(),
        "too_many_attempts",
        "codes are guessed at no more often"
    );
}

#[tokio::test]
async fn s14_a_token_is_its_person_and_nothing_of_the_one_who_presents_it() {
    let house = House::open().with_license().await;
    house
        .ask("POST", "/v1/users", Some(json!({"login": "di"})))
        .await;
    let asked = json!({"name": "ci", "user": "di"});
    let made = house.ask("POST", "/v1/tokens", Some(asked)).await;
    assert_eq!(
        (made.status, made.header("cache-control").as_deref()),
        (201, Some("no-store"))
    );
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    assert!(token.starts_with("skt_") && token.len() == 47, "{token}");
    // Whoever connects administers the daemon; by the token nobody does.
    let with = format!("authorization: Bearer {token}\r\n");
    let who = house
        .ask_with("GET", "/v1/whoami", None, &with)
        .await
        .json();
    assert_eq!(
        (&who["user"], &who["known_by"], &who["administers"]),
        (&json!("di"), &json!("token"), &json!(false))
    );
    let no = house.ask_with("GET", "/v1/config", None, &with).await;
    assert_eq!((no.status, no.code().as_str()), (403, "forbidden"));
    let another = Some(json!({"name": "another"}));
    let no = house.ask_with("POST", "/v1/tokens", another, &with).await;
    assert_eq!((no.status, no.code().as_str()), (403, "forbidden"));
    // A seat belongs to the account that took it (rule 20), and would outlast the token.
    let no = house
        .ask_with("POST", "/v1/leases", Some(house.checkout(1)), &with)
        .await;
    assert_eq!((no.status, no.code().as_str()), (403, "forbidden"));
    // Of every token that stands for nobody one thing is told, whoever presents it.
    let one = format!("/v1/tokens/{}", made.json()["id"].as_str().expect("an id"));
    assert_eq!(house.ask("DELETE", &one, None).await.status, 204);
    let mut told_of = Vec::new();
    for wrong in [
        format!("Bearer {token}"),
        format!("Bearer skt_{}", "A".repeat(43)),
        "Bearer ".to_owned(),
        "Basic YW5hOmFuYQ==".to_owned(),
        "skt_".to_owned(),
    ] {
        let with = format!("authorization: {wrong}\r\n");
        for (method, path) in [("GET", "/v1/whoami"), ("POST", "/v1/leases")] {
            let no = house.ask_with(method, path, None, &with).await;
            told_of.push(told(&no));
        }
    }
    assert_eq!(
        (told_of[0].0, &told_of[0].1["code"]),
        (401, &json!("unauthenticated"))
    );
    assert!(told_of.iter().all(|one| *one == told_of[0]), "{told_of:#?}");
}

#[tokio::test]
async fn h12_h13_d9_a_code_is_mailed_where_it_can_be_and_told_where_not() {
    for (house, mails) in [(House::open(), true), (House::without_mail(), false)] {
        let ana = json!({"login": "ana", "address": "ana@example.com", "status": "invited"});
        house.ask("POST", "/v1/users", Some(ana)).await;
        house
            .ask("POST", "/v1/users", Some(json!({"login": "bob"})))
            .await;
        let made = house.ask("POST", "/v1/users/ana/invitation", None).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        assert_eq!(made["mailed_to"].is_string(), mails, "{made}");
        assert_eq!(made["code"].is_string(), !mails, "{made}");
        let bare = house.ask("POST", "/v1/users/bob/reset", None).await.json();
        assert!(bare["code"].is_string(), "nowhere to mail it: {bare}");
        let forgot = Some(json!({"login": "ana"}));
        assert_eq!(house.ask("POST", "/v1/forgot", forgot).await.status, 202);
        if !mails {
            house.who_asked(1).await;
            continue;
        }
        let mut kinds = Vec::new();
        while kinds.len() < 2 {
            let mails = house.ask("GET", "/v1/mails", None).await.json();
            let mails = mails["items"].as_array().cloned().unwrap_or_default();
            assert!(mails.iter().all(|mail| mail["to"] == "ana@example.com"));
            kinds = mails.iter().map(|mail| mail["kind"].clone()).collect();
        }
        assert_eq!(kinds, ["welcome", "reset"]);
    }
}

/// The kinds of the mails that were posted, with where they go.
async fn posted(house: &House) -> Vec<(Value, Value)> {
    let mails = house.ask("GET", "/v1/mails", None).await.json();
    let mails = mails["items"].as_array().cloned().unwrap_or_default();
    let mails = mails.iter();
    mails
        .map(|mail| (mail["kind"].clone(), mail["to"].clone()))
        .collect()
}

#[tokio::test]
async fn s11_who_asks_for_an_address_is_answered_alike_whosever_it_is() {
    for (house, mails) in [(House::open(), true), (House::without_mail(), false)] {
        house
            .ask("POST", "/v1/users", Some(json!({"login": "di"})))
            .await;
        let bob = json!({"login": "bob", "address": "bob@example.com"});
        house.ask("POST", "/v1/users", Some(bob)).await;
        let made = house.ask("POST", "/v1/users/di/reset", None).await.json();
        let redeem = json!({"code": made["code"], "password": PASSWORD});
        let who = house.ask("POST", "/v1/login/code", Some(redeem)).await;
        assert_eq!(who.json()["user"], "di", "{}", who.text);
        let mut answers = Vec::new();
        for address in ["bob@example.com", "new@example.com"] {
            let body = json!({"address": address, "password": PASSWORD});
            let said = house.ask("POST", "/v1/address", Some(body)).await;
            let mut told = said.json();
            let address = told["address"].take();
            // A code of theirs is in no answer.
            assert!(told.get("code").is_none() || !mails, "{told}");
            answers.push((
                said.status,
                told.get("until").is_some(),
                address.is_string(),
            ));
            if !mails {
                assert_eq!(told["code"], "mail_off");
                let hint = told["hint"].as_str().unwrap_or_default();
                assert!(hint.contains("seatkeeper user address LOGIN"), "{hint}");
            }
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], (if mails { 202 } else { 409 }, mails, mails));
        let all = ["bob@example.com", "new@example.com"];
        let all = all.map(|to| (json!("address"), json!(to)));
        let all: Vec<_> = all.into_iter().filter(|_| mails).collect();
        assert_eq!(posted(&house).await, all);
    }
}

#[tokio::test]
async fn s11_d9_an_outbox_that_refuses_a_code_keeps_nobody_from_asking_again() {
    let full = Outbox::stuck();
    let mail = letters::test("somebody@example.com", "Test");
    while (0..8).any(|n| full.post(&mail, &format!("u{n}"), None).is_ok()) {}
    for (outbox, first, again) in [
        (full, "server_busy", "server_busy"),
        (Outbox::stuck(), "", "too_many_attempts"),
    ] {
        let house = House::with_mail(false, outbox);
        let bob = json!({"login": "bob", "address": "bob@example.com"});
        house.ask("POST", "/v1/users", Some(bob)).await;
        // Whosever the address is.
        for (name, address) in [("cy", "cy@example.com"), ("eve", "bob@example.com")] {
            name.clone_into(&mut house.name.lock().unwrap_or_else(PoisonError::into_inner));
            let waits = json!({"company": name, "address": address});
            let made = house.ask("POST", "/v1/registrations", Some(waits)).await;
            assert_eq!(made.status, 201, "{}", made.text);
            let body = json!({"address": address});
            for code in [first, again] {
                let said = house.ask("POST", "/v1/address", Some(body.clone())).await;
                assert_eq!(said.code(), code, "{name}: {}", said.text);
            }
        }
    }
}

#[tokio::test]
async fn s11_where_no_mail_is_sent_nobodys_account_is_told_that_it_is_nobodys() {
    let house = House::without_mail();
    "zoe".clone_into(&mut house.name.lock().unwrap_or_else(PoisonError::into_inner));
    let body = json!({"address": "zoe@example.com"});
    let said = house.ask("POST", "/v1/address", Some(body)).await;
    assert_eq!(said.code(), "unknown_user", "{}", said.text);
}
