//! The claims of every kind as JSON: each member left out, doubled, null, renamed, of another type; and what is no JSON.

use super::{Book, compact, encode, header, sign_segments, told, word};
use crate::tokens::json::{Path, Step, at, at_mut, paths, remove, render, unnamed};
use crate::tokens::{Sample, samples};
use seatkeeper::token::Kind;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Claims that may be null.
const NULLABLE: [&str; 7] = [
    "replaces",
    "customer.managed_by",
    "features.0.version",
    "features.0.borrow",
    "product_version",
    "order",
    "version",
];
/// Claims that may be missing, if other claims agree.
const OPTIONAL: [&str; 2] = ["exp", "last"];

pub fn make() -> Book {
    let mut book = Book::new(
        "claims",
        "One token and the key it is verified with: its claims are closed, complete, each once and of its type.",
        json!({}),
    );
    let mut seen = BTreeSet::new();
    for sample in told(samples()) {
        let mut claims = Claims::new(sample, &mut book);
        let kind = word(claims.sample.kind);
        if seen.insert((kind, String::new())) {
            claims.fine();
            claims.text();
            claims.numbers();
        }
        for path in paths(&claims.sample.claims) {
            let name = name(&path);
            let is_member = matches!(path.last(), Some(Step::Member(_)));
            if is_member && seen.insert((kind, name.clone())) {
                claims.member(&path);
            }
            let is_object = at(&claims.sample.claims, &path).is_object();
            if is_object && name != "info" && seen.insert((kind, name.clone() + "{}")) {
                claims.object(&path, &name);
            }
        }
    }
    book
}

/// A sample with one feature, which is enough.
pub fn short(mut sample: Sample) -> Sample {
    if let Some(features) = sample.claims.get_mut("features") {
        features.as_array_mut().unwrap().truncate(1);
    }
    sample
}

struct Claims<'a> {
    sample: Sample,
    book: &'a mut Book,
}

impl<'a> Claims<'a> {
    fn new(sample: Sample, book: &'a mut Book) -> Claims<'a> {
        Claims {
            sample: short(sample),
            book,
        }
    }

    fn asked(&self, payload: impl AsRef<[u8]>) -> Value {
        let header = compact(&header(self.sample.kind, &self.sample.key));
        let token = sign_segments(&self.sample.key, &encode(header), &encode(payload));
        if self.sample.kind == Kind::Request {
            json!({"token": token})
        } else {
            json!({"token": token, "key": self.sample.key.public().to_x()})
        }
    }

    fn refused(&mut self, id: &str, reason: &str, payload: impl AsRef<[u8]>) {
        let asked = self.asked(payload);
        self.book
            .refused(word(self.sample.kind), "T9", id, reason, asked);
    }

    fn accepted(&mut self, id: &str, reason: &str, payload: &str) {
        let asked = self.asked(payload);
        self.book
            .accepted(word(self.sample.kind), id, reason, asked);
    }

    /// The payload with this text in the place of the value at `path`.
    fn with(&self, path: &[Step], text: &str) -> String {
        let mut claims = self.sample.claims.clone();
        *at_mut(&mut claims, path) = json!("@here@");
        compact(&claims).replace("\"@here@\"", text)
    }

    fn fine(&mut self) {
        let whole = compact(&self.sample.claims);
        let spaced = whole.replacen('{', "\r\n {\t", 1) + " \n";
        self.accepted(
            "payload-spaced",
            "JSON's white space around and in the claims",
            &spaced,
        );
        let open = json!({"a": [null, -1.5, {"exp": "x", "jwk": {}}], "seats": 1_000_000, "ä": "\u{202e}"});
        let info = self.with(&[Step::Member("info".to_owned())], &compact(&open));
        self.accepted("info-open", "info holds anything and is ignored", &info);
        let escaped = whole.replacen("\"iss\"", "\"\\u0069ss\"", 1);
        self.accepted(
            "escaped-name",
            "a claim's name spelt with an escape is that name",
            &escaped,
        );
    }

    fn text(&mut self) {
        let whole = compact(&self.sample.claims);
        let info = |text: &str| self.with(&[Step::Member("info".to_owned())], text);
        let (surrogate, nan, list) = (info(r#"{"a":"\ud800"}"#), info(r#"{"a":NaN}"#), info("[]"));
        let mut bytes = info(r#"{"a":"@"}"#).into_bytes();
        let at = bytes
            .windows(3)
            .position(|three| three == b"\"@\"")
            .unwrap();
        bytes[at + 1] = 0xff;
        let utf16: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let values: Vec<Value> = self
            .sample
            .claims
            .as_object()
            .unwrap()
            .values()
            .cloned()
            .collect();
        for (id, reason, payload) in [
            ("payload-empty", "no claims at all", Vec::new()),
            ("payload-null", "the claims are null", b"null".to_vec()),
            (
                "payload-list",
                "the claims are the list of their values",
                compact(&json!(values)).into_bytes(),
            ),
            (
                "payload-in-a-list",
                "the claims stand in a list",
                format!("[{whole}]").into_bytes(),
            ),
            (
                "payload-twice",
                "two objects",
                format!("{whole}{whole}").into_bytes(),
            ),
            (
                "payload-cut",
                "the last brace is missing",
                whole.as_bytes()[..whole.len() - 1].to_vec(),
            ),
            (
                "payload-bom",
                "a byte order mark before the claims",
                format!("\u{feff}{whole}").into_bytes(),
            ),
            ("payload-utf-16", "claims in UTF-16", utf16),
            (
                "payload-not-utf-8",
                "a byte in info that is no UTF-8",
                bytes,
            ),
            (
                "payload-surrogate",
                "half of a surrogate pair in info",
                surrogate.into_bytes(),
            ),
            ("payload-nan", "NaN in info is no JSON", nan.into_bytes()),
            (
                "payload-comment",
                "a comment is no JSON",
                whole.replacen('{', "{/**/", 1).into_bytes(),
            ),
            (
                "payload-trailing-comma",
                "a comma after the last claim is no JSON",
                whole[..whole.len() - 1]
                    .to_owned()
                    .into_bytes()
                    .into_iter()
                    .chain(*b",}")
                    .collect(),
            ),
            (
                "payload-info-no-object",
                "info is an object",
                list.into_bytes(),
            ),
        ] {
            self.refused(id, reason, payload);
        }
    }

    fn numbers(&mut self) {
        let iat = [Step::Member("iat".to_owned())];
        let number = at(&self.sample.claims, &iat).to_string();
        for (id, reason, text) in [
            (
                "iat-fraction",
                "a fraction, though its value is an integer",
                format!("{number}.0"),
            ),
            ("iat-exponent", "an exponent", format!("{number}e0")),
            ("iat-minus-zero", "minus zero", "-0".to_owned()),
            (
                "iat-leading-zero",
                "a leading zero is no JSON",
                format!("0{number}"),
            ),
            ("iat-plus", "a plus sign is no JSON", format!("+{number}")),
            (
                "iat-2-to-64",
                "a number of 65 bits",
                "18446744073709551616".to_owned(),
            ),
            ("iat-true", "true is no number", "true".to_owned()),
        ] {
            let payload = self.with(&iat, &text);
            self.refused(id, reason, payload);
        }
    }

    fn member(&mut self, path: &Path) {
        let name = name(path);
        let value = at(&self.sample.claims, path).clone();
        if !OPTIONAL.contains(&name.as_str()) {
            let mut claims = self.sample.claims.clone();
            let last = remove(&mut claims, path);
            self.refused(
                &format!("{name}-missing"),
                &format!("without {name}"),
                compact(&claims),
            );
            if path.len() == 1 {
                claims[format!("{last}s")] = value.clone();
                self.refused(
                    &format!("{name}-renamed"),
                    &format!("{name} under another name (S6)"),
                    compact(&claims),
                );
            }
        }
        if NULLABLE.contains(&name.as_str()) {
            let payload = self.with(path, "null");
            self.accepted(
                &format!("{name}-null"),
                &format!("{name} may be null"),
                &payload,
            );
        } else {
            let payload = self.with(path, "null");
            self.refused(
                &format!("{name}-null"),
                &format!("{name} is never null"),
                payload,
            );
        }
        if path.len() < 3 {
            self.twice(path, &name);
        }
        self.other_types(&name, path, &value);
    }

    fn twice(&mut self, path: &Path, name: &str) {
        let mut twice = String::new();
        render(&self.sample.claims, &mut Vec::new(), path, &mut twice);
        self.refused(
            &format!("{name}-twice"),
            &format!("{name} twice, both the same"),
            twice,
        );
    }

    fn object(&mut self, path: &Path, name: &str) {
        let mut claims = self.sample.claims.clone();
        at_mut(&mut claims, path)["more"] = json!(1);
        self.refused(
            &format!("{name}-more"),
            &format!("a member of {name} that nobody knows"),
            compact(&claims),
        );
        let values = unnamed(&compact(at(&self.sample.claims, path)));
        let payload = self.with(path, &values);
        self.refused(
            &format!("{name}-list"),
            &format!("{name} is the list of its values"),
            payload,
        );
    }

    fn other_types(&mut self, name: &str, path: &Path, value: &Value) {
        for (id, reason, text) in others(value, path.len()) {
            let payload = self.with(path, &text);
            self.refused(
                &format!("{name}-{id}"),
                &format!("{name} is {reason}"),
                payload,
            );
        }
        if path.len() == 1 && name == "iat" {
            let mut claims = self.sample.claims.clone();
            claims["aud"] = json!("x");
            self.refused(
                "unknown-claim",
                "a claim that nobody knows",
                compact(&claims),
            );
        }
    }
}

/// The value as another type: what it is then, and its JSON. Deep inside one other type is enough.
fn others(value: &Value, depth: usize) -> Vec<(&'static str, &'static str, String)> {
    let mut others = match value {
        Value::String(text) => vec![
            ("number", "a number", "1".to_owned()),
            (
                "object",
                "an object of that name",
                format!("{{{}:null}}", json!(text)),
            ),
        ],
        Value::Number(number) => vec![
            (
                "text",
                "its digits as text",
                json!(number.to_string()).to_string(),
            ),
            ("negative", "negative", "-1".to_owned()),
        ],
        Value::Bool(truth) => vec![("number", "a number", i32::from(*truth).to_string())],
        Value::Array(_) => vec![("text", "a text", "\"x\"".to_owned())],
        Value::Object(_) => vec![("text", "a text", "\"x\"".to_owned())],
        Value::Null => vec![],
    };
    others.truncate(if depth == 1 { 2 } else { 1 });
    others
}

fn name(path: &[Step]) -> String {
    let part = |step: &Step| match step {
        Step::Member(name) => name.clone(),
        Step::Element(n) => n.to_string(),
    };
    path.iter().map(part).collect::<Vec<_>>().join(".")
}
