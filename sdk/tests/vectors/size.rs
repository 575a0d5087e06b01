//! The size of a token: each kind at its limit, and one step beyond.

use super::{Book, compact, encode, header, sign_segments, told, word};
use crate::tokens::{Sample, one_of_each};
use seatkeeper::token::Kind;
use serde_json::{Value, json};

/// Three spaces in base64.
pub const FILL: &str = "ICAg";

pub fn make() -> Book {
    let mut book = Book::new(
        "size",
        "One token and the key it is verified with: its length in bytes. In each token the character * stands for as many times ICAg as fill says.",
        json!({}),
    );
    for sample in told(one_of_each()) {
        let most = most(sample.kind);
        for (id, most, good) in [
            ("size-at-most", most, true),
            ("size-beyond", most + 4, false),
        ] {
            let token = filled(&sample, most);
            let reason = format!(
                "it has {} bytes; {} are allowed",
                token.len(),
                self::most(sample.kind)
            );
            let asked = asked(&sample, &token);
            if good {
                book.accepted(word(sample.kind), id, &reason, asked);
            } else {
                book.refused(word(sample.kind), "T1", id, &reason, asked);
            }
        }
    }
    book
}

fn most(kind: Kind) -> usize {
    1024 * match kind {
        Kind::Issuer | Kind::Lease => 32,
        Kind::License => 256,
        _ => 16,
    }
}

/// The token with its filling told, not written.
fn asked(sample: &Sample, token: &str) -> Value {
    let from = token.find(FILL).expect("it is filled");
    let times = token[from..].len() - token[from..].replacen(FILL, "", usize::MAX).len();
    let run = FILL.repeat(times / FILL.len());
    assert!(token[from..].starts_with(&run), "it is filled in one place");
    let mut asked = json!({"token": token.replacen(&run, "*", 1), "fill": run.len() / FILL.len()});
    if sample.kind != Kind::Request {
        asked["key"] = json!(sample.key.public().to_x());
    }
    asked
}

/// The longest token of at most so many bytes, filled with spaces in `info`.
fn filled(sample: &Sample, most: usize) -> String {
    let head = encode(compact(&header(sample.kind, &sample.key)));
    let mut claims = sample.claims.clone();
    let bare = compact(&claims).len() + r#""":"""#.len();
    let room = (most - head.len() - 2 - 86) / 4 * 3;
    claims["info"] = json!({"": " ".repeat(room - bare)});
    let payload = encode(compact(&claims));
    sign_segments(&sample.key, &head, &payload)
}
