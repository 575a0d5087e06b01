//! The routes of mail.

use crate::api::house_tests::{House, Walk};
use serde_json::json;
use std::sync::atomic::Ordering;

impl Walk {
    /// A server that never answers keeps nobody waiting.
    pub(super) async fn mails(&mut self) {
        let test = json!({"id": format!("{:032x}", 7), "to": "ana@example.com"});
        let posted = self.post("/v1/mails/test", test, 202).await;
        assert_eq!(
            (&posted["state"], &posted["kind"]),
            (&json!("waiting"), &json!("test"))
        );
        let one = format!("/v1/mails/{:032x}", 7);
        let shown = self.get_at("/v1/mails/{id}", &one, 200).await;
        assert_eq!(shown["to"], "ana@example.com");
        self.get_at("/v1/mails/{id}", "/v1/mails/7", 404).await;
        let asked = json!({"account": "C-1", "to": "help@acme.example"});
        let mailed = self.post("/v1/license-request/mail", asked, 202).await;
        assert!(
            mailed["request"]
                .as_str()
                .is_some_and(|text| text.matches('.').count() == 2)
        );
        let all = self.get("/v1/mails", 200).await;
        assert_eq!(all["items"].as_array().map(Vec::len), Some(2));
        let status = self.get("/v1/status", 200).await;
        assert_eq!(status["mail"]["waiting"], 2);
        let metrics = self.house.ask("GET", "/metrics", None).await.text;
        assert!(
            metrics.contains("seatkeeper_mails_sent_total 0"),
            "{metrics}"
        );
    }
}

#[tokio::test]
async fn d17_whose_support_gets_the_request_is_the_licenses_to_say() {
    let house = House::open().with_license().await;
    for (body, member, words) in [
        (
            json!({"account": "C-1"}),
            "to: ",
            "no installed license names",
        ),
        (
            json!({"account": "C-1", "vendor": "dev-vendor"}),
            "to: ",
            "of dev-vendor names",
        ),
        (
            json!({"account": "C-1", "to": "help@acme.example\r\nBcc: a@b.example"}),
            "to: ",
            "no mail address",
        ),
        (
            json!({"account": "a\nb", "to": "help@acme.example"}),
            "account: ",
            "control character",
        ),
        (
            json!({"account": "C-1", "order": "a\r\nb", "to": "help@acme.example"}),
            "order: ",
            "control character",
        ),
    ] {
        let no = house
            .ask("POST", "/v1/license-request/mail", Some(body))
            .await;
        assert_eq!(no.code(), "bad_request", "{}", no.text);
        let detail = no.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(
            detail.starts_with(member) && detail.contains(words),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn d9_who_caused_a_mail_sees_it_and_nobody_else_but_operators() {
    let house = House::open().with_license().await;
    let give = json!({"login": "bob"});
    assert_eq!(house.ask("POST", "/v1/users", Some(give)).await.status, 201);
    let asked = json!({"id": format!("{:032x}", 7), "to": "ana@example.com"});
    let posted = house
        .ask("POST", "/v1/mails/test", Some(asked.clone()))
        .await;
    assert_eq!(posted.status, 202, "{}", posted.text);
    let one = format!("/v1/mails/{:032x}", 7);
    house.administers.store(false, Ordering::SeqCst);
    assert_eq!(
        house.ask("GET", &one, None).await.status,
        200,
        "ana caused it"
    );
    let status = house.ask("GET", "/v1/status", None).await.json();
    assert!(status["mail"].is_null(), "{status}");
    *house.name.lock().unwrap() = "bob".to_owned();
    assert_eq!(house.ask("GET", &one, None).await.code(), "not_found");
    assert_eq!(
        house.ask("GET", "/v1/mails", None).await.code(),
        "forbidden"
    );
    let no = house.ask("POST", "/v1/mails/test", Some(asked)).await;
    assert_eq!(no.code(), "forbidden");
    let asked = json!({"account": "C-1", "to": "help@acme.example"});
    let no = house
        .ask("POST", "/v1/license-request/mail", Some(asked))
        .await;
    assert_eq!(no.code(), "forbidden");
}

#[tokio::test]
async fn d9_without_a_server_mail_is_off_and_says_so() {
    let house = House::without_mail();
    let asked = json!({"account": "C-1", "to": "help@acme.example"});
    for (path, body) in [
        ("/v1/license-request/mail", asked),
        ("/v1/mails/test", json!({"to": "ana@example.com"})),
    ] {
        let no = house.ask("POST", path, Some(body)).await;
        assert_eq!(
            (no.status, no.code().as_str()),
            (409, "mail_off"),
            "{}",
            no.text
        );
    }
    let status = house.ask("GET", "/v1/status", None).await.json();
    assert!(status["mail"].is_null(), "{status}");
}
