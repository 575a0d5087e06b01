//! Somebody for whom tokens and codes are made and taken back while the daemon is killed, and what was acknowledged of
//! them (S14, D9).

use crate::Random;
use seatkeeper_tests::Site;
use seatkeeper_tests::site::is_root;
use seatkeeper_tests::wire::{Answer, Wire, hex};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Tokens at a time.
const MANY: usize = 6;
/// The account that uses codes.
const STRANGER: u32 = 64_207;
/// Of what was taken back so many are presented after a kill, the newest.
const PRESENTED: usize = 8;

/// Tokens of one user and codes of another, over all rounds.
pub(crate) struct Keys {
    /// By id, what is presented.
    tokens: BTreeMap<String, String>,
    /// Tokens that were taken back, as they are presented.
    gone: Vec<String>,
    /// The id of a token of which it is not known whether it was made.
    making: Option<String>,
    /// A token of which it is not known whether it was taken back, with its id.
    open: Option<(String, String)>,
    /// Codes that were used, or replaced.
    used: Vec<String>,
    code: Option<String>,
    random: Random,
    /// What was acknowledged: tokens made and taken back, and codes used.
    pub(crate) done: u64,
    pub(crate) redeemed: u64,
}

impl Keys {
    /// Of two users who are there for it.
    pub(crate) fn new(site: &Site) -> Keys {
        for login in ["bearer", "forgetful"] {
            let made = site.admin("POST", "/v1/users", Some(&json!({"login": login})));
            assert_eq!(made.status, 201, "{made:?}");
        }
        Keys {
            tokens: BTreeMap::new(),
            gone: Vec::new(),
            making: None,
            open: None,
            used: Vec::new(),
            code: None,
            random: Random(0x7013),
            done: 0,
            redeemed: 0,
        }
    }

    /// Makes them and takes them back until the daemon is gone.
    pub(crate) fn work(&mut self, socket: &Path, stop: &AtomicBool, answers: &AtomicU64) {
        let Ok(mut wire) = Wire::connect(socket) else {
            return;
        };
        while !stop.load(Ordering::Relaxed) {
            let done = match self.random.below(8) {
                0 => self.make_code(&mut wire),
                1..4 => self.revoke(&mut wire),
                _ => self.make_token(&mut wire),
            };
            if !done {
                return;
            }
            self.done += 1;
            answers.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn make_token(&mut self, wire: &mut Wire) -> bool {
        if self.tokens.len() >= MANY {
            return self.revoke(wire);
        }
        let id = hex();
        let name = format!("robot {id}");
        let body = json!({"id": id, "name": name, "user": "bearer"});
        let Some(made) = answered(wire, "POST", "/v1/tokens", Some(&body)) else {
            // It is made, or it is not.
            self.making = Some(id);
            return false;
        };
        assert_eq!(made.status, 201, "{made:?}");
        self.tokens.insert(id, made.text("token").to_owned());
        true
    }

    fn revoke(&mut self, wire: &mut Wire) -> bool {
        let Some((id, token)) = self.tokens.pop_first() else {
            return self.make_token(wire);
        };
        let Some(gone) = answered(wire, "DELETE", &format!("/v1/tokens/{id}"), None) else {
            // It is taken back, or it is not.
            self.open = Some((id, token));
            return false;
        };
        assert_eq!(gone.status, 204, "{gone:?}");
        self.gone.push(token);
        true
    }

    fn make_code(&mut self, wire: &mut Wire) -> bool {
        let Some(made) = answered(wire, "POST", "/v1/users/forgetful/reset", None) else {
            // The one before is replaced, or it is not.
            self.code = None;
            return false;
        };
        assert_eq!(made.status, 201, "{made:?}");
        self.used.extend(self.code.take());
        self.code = Some(made.text("code").to_owned());
        true
    }

    /// The restarted daemon knows which are good, and which are no more. Then the code that is out is used, and the next
    /// kill comes over that.
    pub(crate) fn check(&mut self, site: &Site, round: u64) {
        for token in self.tokens.values() {
            let who = presented(site, token);
            assert_eq!(who.text("user"), "bearer", "round {round}: {who:?}");
        }
        for token in self.gone.iter().rev().take(PRESENTED) {
            let who = presented(site, token);
            assert_eq!(who.status, 401, "round {round}: taken back, and {who:?}");
        }
        // Either way, and so from here on.
        if let Some((id, token)) = self.open.take() {
            match presented(site, &token).status {
                200 => drop(self.tokens.insert(id, token)),
                401 => self.gone.push(token),
                other => panic!("round {round}: {other}"),
            }
        }
        // Nobody was told what is presented: it is no use to anybody.
        if let Some(id) = self.making.take() {
            let gone = site.admin("DELETE", &format!("/v1/tokens/{id}"), None);
            assert!([204, 404].contains(&gone.status), "round {round}: {gone:?}");
        }
        if !is_root() {
            return;
        }
        let mut wire = Wire::connect_as(&site.socket(), STRANGER).expect("the daemon listens");
        // Guesses are bounded, and forgotten by a start.
        for code in self.used.iter().rev().take(PRESENTED / 2) {
            let again = redeem(&mut wire, code, round);
            let no = again.text("code");
            assert_eq!(no, "code_not_valid", "round {round}: used, and {again:?}");
        }
        if let Some(code) = self.code.take() {
            let set = redeem(&mut wire, &code, round);
            assert_eq!(set.text("user"), "forgetful", "round {round}: {set:?}");
            self.used.push(code);
            self.redeemed += 1;
        }
    }
}

/// `None` where the daemon was gone before it answered.
fn answered(wire: &mut Wire, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
    wire.exchange(method, path, body).ok()
}

/// Whom a token stands for.
fn presented(site: &Site, token: &str) -> Answer {
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let head = format!(
        "GET /v1/whoami HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
    );
    wire.send(head.as_bytes()).expect("sent");
    wire.answer().expect("an answer")
}

fn redeem(wire: &mut Wire, code: &str, round: u64) -> Answer {
    let password = format!("one of many sentences, {round}");
    let body = json!({"code": code, "password": password});
    let path = "/v1/login/code";
    wire.exchange("POST", path, Some(&body)).expect("an answer")
}
