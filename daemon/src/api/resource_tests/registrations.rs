//! The routes of those who ask to come in.

use crate::api::house_tests::{House, Walk};
use serde_json::json;
use std::sync::atomic::Ordering;

impl Walk {
    /// The organisation, and who asks to come into it.
    pub(super) async fn people(&mut self) {
        self.directory().await;
        self.registrations().await;
    }

    async fn registrations(&mut self) {
        let fresh = json!({"company": "Fresh Ltd", "address": "ana@fresh.example"});
        let made = self.post("/v1/registrations", fresh.clone(), 201).await;
        assert_eq!(made["status"], "pending");
        let again = self.post("/v1/registrations", fresh, 409).await;
        assert_eq!(again["code"], "conflict");
        self.get("/v1/registrations", 200).await;
        let one = "/v1/registrations/{user}";
        self.get_at(one, "/v1/registrations/ANA", 200).await;
        let domain = "/v1/units/{unit}/domains/{domain}";
        let real = "/v1/units/Fresh%20Ltd/domains/fresh.example";
        for (method, lets_in) in [("PUT", true), ("DELETE", false)] {
            let answer = self.at(method, domain, real, None).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.json()["lets_in"].is_array(), lets_in);
        }
        let verify = "/v1/registrations/{user}/verify";
        let answer = self
            .at("POST", verify, "/v1/registrations/ana/verify", None)
            .await;
        assert_eq!(
            (answer.status, &answer.json()["verified"]),
            (200, &json!(true))
        );
        let refused = self.at("DELETE", one, "/v1/registrations/ana", None).await;
        assert_eq!(refused.status, 200, "{}", refused.text);
        self.post("/v1/registrations", json!({"company": "Fresh Ltd"}), 201)
            .await;
        let approve = "/v1/registrations/{user}/approve";
        let body = Some(json!({"units": []}));
        let answer = self
            .at("POST", approve, "/v1/registrations/ana/approve", body)
            .await;
        assert_eq!(
            (answer.status, &answer.json()["status"]),
            (200, &json!("active"))
        );
        assert_eq!(answer.json()["kind"], "self-registered");
        let kind = self
            .at("GET", "/v1/users", "/v1/users?kind=self-registered", None)
            .await;
        assert_eq!(kind.json()["items"][0]["login"], "ana");
        let none = self
            .at("GET", "/v1/users", "/v1/users?kind=nobody", None)
            .await;
        assert_eq!((none.status, none.code().as_str()), (400, "bad_request"));
        self.at("DELETE", "/v1/users/{user}", "/v1/users/ana", None)
            .await;
    }
}

#[tokio::test]
async fn b8_anybody_may_ask_to_come_in_and_nobody_else_may_answer() {
    let house = House::open();
    house.administers.store(false, Ordering::SeqCst);
    let asked = json!({"company": "Fresh Ltd"});
    let made = house.ask("POST", "/v1/registrations", Some(asked)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let own = house.ask("GET", "/v1/registrations/ana", None).await;
    assert_eq!((own.status, &own.json()["way"]), (200, &json!("company")));
    for (method, path) in [
        ("GET", "/v1/registrations"),
        ("GET", "/v1/registrations/bob"),
        ("POST", "/v1/registrations/ana/approve"),
        ("POST", "/v1/registrations/ana/verify"),
        ("DELETE", "/v1/registrations/ana"),
        ("PUT", "/v1/units/Fresh%20Ltd/domains/fresh.example"),
    ] {
        let no = house.ask(method, path, Some(json!({}))).await;
        assert_eq!(
            (no.status, no.code().as_str()),
            (403, "forbidden"),
            "{method} {path}"
        );
    }
}
