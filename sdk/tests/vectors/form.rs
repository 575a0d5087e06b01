//! The form of a token: segments, base64, header, key id, signature. Every kind in every form.

use super::scalar;
use super::{Book, KINDS, compact, encode, header, sign_segments, told, word};
use crate::tokens::{Sample, key, one_of_each};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use seatkeeper::token::Kind;
use serde_json::{Value, json};

pub fn make() -> Book {
    let mut book = Book::new(
        "form",
        "One token and the key it is verified with: its segments, base64url, header, key id and signature.",
        json!({}),
    );
    for sample in told(one_of_each()) {
        let mut form = Form::new(&sample, &mut book);
        form.fine();
        form.segments();
        form.base64();
        form.header_members();
        form.header_values();
        form.kid();
        form.signature();
    }
    book
}

struct Form<'a> {
    sample: &'a Sample,
    book: &'a mut Book,
    header: Value,
    payload: String,
}

impl<'a> Form<'a> {
    fn new(sample: &'a Sample, book: &'a mut Book) -> Form<'a> {
        Form {
            header: header(sample.kind, &sample.key),
            payload: compact(&sample.claims),
            sample,
            book,
        }
    }

    fn asked(&self, token: &str) -> Value {
        let x = self.sample.key.public().to_x();
        if self.sample.kind == Kind::Request {
            json!({"token": token})
        } else {
            json!({"token": token, "key": x})
        }
    }

    fn refused(&mut self, check: &str, id: &str, reason: &str, token: &str) {
        let asked = self.asked(token);
        self.book
            .refused(word(self.sample.kind), check, id, reason, asked);
    }

    /// Under this header, properly signed.
    fn headed(&self, header: &str) -> String {
        self.signed(&encode(header), &encode(&self.payload))
    }

    fn signed(&self, header: &str, payload: &str) -> String {
        sign_segments(&self.sample.key, header, payload)
    }

    fn token(&self) -> String {
        self.headed(&compact(&self.header))
    }

    fn segments_of(&self) -> [String; 3] {
        let token = self.token();
        let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        parts.try_into().expect("a token has three segments")
    }

    fn fine(&mut self) {
        let asked = self.asked(&self.token());
        let kind = word(self.sample.kind);
        self.book
            .accepted(kind, "as-it-is", "a token as we write it", asked);
        let spaced = format!(
            " {{ \"kid\" :\t{}, \"typ\" : {},\n\"alg\" : \"Ed25519\" }} ",
            self.header["kid"], self.header["typ"]
        );
        let asked = self.asked(&self.headed(&spaced));
        self.book.accepted(
            kind,
            "header-spaced",
            "a header in another order, with JSON's white space",
            asked,
        );
    }

    fn segments(&mut self) {
        let [h, p, s] = self.segments_of();
        for (id, reason, token) in [
            ("empty", "an empty text", String::new()),
            ("one-segment", "no dot at all", h.clone()),
            (
                "two-segments",
                "the signature is missing",
                format!("{h}.{p}"),
            ),
            (
                "four-segments",
                "a fourth segment",
                format!("{h}.{p}.{s}.{s}"),
            ),
            (
                "five-segments",
                "the five segments of a JWE",
                format!("{h}..{p}.{s}.{s}"),
            ),
            ("trailing-dot", "a dot at the end", format!("{h}.{p}.{s}.")),
        ] {
            self.refused("T2", id, reason, &token);
        }
    }

    fn base64(&mut self) {
        let [h, p, s] = self.segments_of();
        let payload = self.payload.clone() + &" ".repeat(3 - self.payload.len() % 3);
        let (padded, bare) = (URL_SAFE.encode(payload.clone() + " "), encode(payload));
        let head = compact(&self.header);
        let head = head.clone() + &" ".repeat(3 - head.len() % 3);
        for (id, reason, token) in [
            (
                "padded-signature",
                "the signature with base64 padding",
                format!("{h}.{p}.{s}=="),
            ),
            (
                "padded-payload",
                "a payload with base64 padding, signed so",
                self.signed(&h, &padded),
            ),
            (
                "padded-header",
                "a header with base64 padding, signed so",
                self.signed(&URL_SAFE.encode(head.clone() + " "), &p),
            ),
            (
                "spare-bits-signature",
                "unused bits of the signature's last character are set",
                format!("{h}.{p}.{}", spare(&s)),
            ),
            (
                "spare-bits-payload",
                "unused bits of the payload's last character are set, signed so",
                self.signed(&h, &spare(&encode(self.spared(&self.payload)))),
            ),
            (
                "spare-bits-header",
                "unused bits of the header's last character are set, signed so",
                self.signed(&spare(&encode(self.spared(&compact(&self.header)))), &p),
            ),
            (
                "newline-at-the-end",
                "a line end after the token",
                format!("{h}.{p}.{s}\n"),
            ),
            (
                "space-before",
                "a space before the token",
                format!(" {h}.{p}.{s}"),
            ),
            (
                "wrapped-payload",
                "a line end inside the payload, signed so",
                self.signed(&h, &format!("{}\n{}", &bare[..40], &bare[40..])),
            ),
            (
                "plain-base64-signature",
                "the signature in the alphabet with + and /",
                format!("{h}.{p}.{}", plain(&s)),
            ),
            (
                "not-ascii",
                "a character outside of base64url in the signature",
                format!("{h}.{p}.{}é", &s[..84]),
            ),
            (
                "short-signature",
                "a signature of 63 bytes",
                format!("{h}.{p}.{}", &s[..84]),
            ),
            (
                "long-signature",
                "a signature of 66 bytes",
                format!("{h}.{p}.{}AAA", &s[..85]),
            ),
            ("empty-signature", "an empty signature", format!("{h}.{p}.")),
        ] {
            self.refused("T3", id, reason, &token);
        }
    }

    /// The text with so many spaces that its last base64 character has unused bits.
    fn spared(&self, text: &str) -> String {
        let mut text = text.to_owned();
        while text.len().is_multiple_of(3) {
            text.push(' ');
        }
        text
    }

    fn header_members(&mut self) {
        let jwk = json!(self.sample.key.public().to_jwk());
        for (name, value) in [
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("b64", json!(false)),
            ("jwk", jwk),
            ("jku", json!("https://example.com/keys")),
            ("x5c", json!(["MII="])),
            ("cty", json!("JWT")),
            ("nonce", json!("x")),
        ] {
            let mut header = self.header.clone();
            header[name] = value.clone();
            let id = format!(
                "header-{name}{}",
                if value == json!([]) { "-empty" } else { "" }
            );
            let reason = format!("a header with the member {name:?}");
            let token = self.headed(&compact(&header));
            self.refused("T4", &id, &reason, &token);
        }
        for name in ["alg", "typ", "kid"] {
            let mut header = self.header.clone();
            header.as_object_mut().unwrap().remove(name);
            let token = self.headed(&compact(&header));
            self.refused(
                "T4",
                &format!("header-without-{name}"),
                &format!("a header without {name:?}"),
                &token,
            );
            let twice = compact(&self.header).replacen(
                '{',
                &format!("{{\"{name}\":{},", self.header[name]),
                1,
            );
            let token = self.headed(&twice);
            self.refused(
                "T4",
                &format!("header-{name}-twice"),
                &format!("a header with {name:?} twice, both the same"),
                &token,
            );
            let mut header = self.header.clone();
            header[name] = json!([self.header[name]]);
            let token = self.headed(&compact(&header));
            self.refused(
                "T4",
                &format!("header-{name}-list"),
                &format!("a list as {name:?}"),
                &token,
            );
        }
        let values = json!([self.header["alg"], self.header["typ"], self.header["kid"]]);
        for (id, reason, header) in [
            (
                "header-list",
                "the header is the list of its values",
                compact(&values),
            ),
            (
                "header-trailing",
                "text after the header's JSON",
                compact(&self.header) + "{}",
            ),
            (
                "header-not-json",
                "the header is not JSON",
                "alg=Ed25519".to_owned(),
            ),
            (
                "header-long",
                "a header of more than 256 characters, filled with spaces",
                compact(&self.header) + &" ".repeat(120),
            ),
        ] {
            let token = self.headed(&header);
            self.refused("T4", id, reason, &token);
        }
    }

    fn header_values(&mut self) {
        for alg in [
            "EdDSA", "none", "HS256", "ES256", "RS256", "Ed448", "ed25519", "",
        ] {
            let mut header = self.header.clone();
            header["alg"] = json!(alg);
            let token = self.headed(&compact(&header));
            let named = if alg.is_empty() { "empty" } else { alg };
            self.refused(
                "T5",
                &format!("alg-{named}"),
                &format!("alg is {alg:?}; only \"Ed25519\" (RFC 9864) is taken"),
                &token,
            );
        }
        let typ = self.sample.kind.typ();
        let mut others: Vec<(String, String)> = KINDS
            .iter()
            .filter(|kind| **kind != self.sample.kind)
            .map(|kind| (word(*kind).to_owned(), kind.typ().to_owned()))
            .collect();
        others.push(("jwt".to_owned(), "JWT".to_owned()));
        others.push(("upper-case".to_owned(), typ.to_uppercase()));
        others.push(("media-type".to_owned(), format!("application/{typ}")));
        others.push(("bare".to_owned(), typ.replace("+jwt", "")));
        for (id, other) in others {
            let mut header = self.header.clone();
            header["typ"] = json!(other);
            let token = self.headed(&compact(&header));
            self.refused(
                "T6",
                &format!("typ-{id}"),
                &format!("typ is {other:?}, not {typ:?} (S4)"),
                &token,
            );
        }
    }

    /// A request brings its key along, and so names its signer by `iss` alone.
    fn kid(&mut self) {
        let check = match self.sample.kind {
            Kind::Request => "T11",
            _ => "T7",
        };
        let stranger = key(99);
        let x = self.sample.key.public().to_x();
        for (id, reason, kid) in [
            (
                "kid-other",
                "kid is another key's thumbprint",
                stranger.thumbprint(),
            ),
            (
                "kid-x",
                "kid is the key itself, not its thumbprint",
                x.as_str(),
            ),
            ("kid-empty", "kid is empty", ""),
        ] {
            let mut header = self.header.clone();
            header["kid"] = json!(kid);
            let token = self.headed(&compact(&header));
            self.refused(check, id, reason, &token);
        }
        let theirs = header(self.sample.kind, &stranger);
        let token = sign_segments(&stranger, &encode(compact(&theirs)), &encode(&self.payload));
        self.refused(
            check,
            "signed-by-another",
            "signed by another key under that key's own kid",
            &token,
        );
    }

    fn signature(&mut self) {
        let [h, p, s] = self.segments_of();
        let bytes: [u8; 64] = self.sample.key.sign(format!("{h}.{p}").as_bytes());
        let flipped = |at: usize| {
            let mut bytes = bytes;
            bytes[at] ^= 1;
            encode(bytes)
        };
        let stranger = sign_segments(&key(99), &h, &p);
        let spaced = self.signed(&h, &encode(format!("{} ", self.payload)));
        let altered: Vec<&str> = spaced.split('.').collect();
        let mut high = bytes;
        high[32..].copy_from_slice(&scalar::plus_l(&bytes[32..].try_into().unwrap()));
        let identity = scalar::under_the_identity(&self.sample.key, format!("{h}.{p}").as_bytes());
        for (id, reason, token) in [
            (
                "flipped-r",
                "one bit of R is flipped",
                format!("{h}.{p}.{}", flipped(0)),
            ),
            (
                "flipped-s",
                "one bit of S is flipped",
                format!("{h}.{p}.{}", flipped(32)),
            ),
            (
                "detached",
                "a detached payload: an empty second segment",
                format!("{h}..{s}"),
            ),
            (
                "zero-signature",
                "64 bytes of zero",
                format!("{h}.{p}.{}", encode([0; 64])),
            ),
            (
                "altered-payload",
                "a payload with one space more under the old signature",
                format!("{h}.{}.{s}", altered[1]),
            ),
            (
                "signature-of-another-text",
                "the signature of another token of this key",
                format!("{h}.{p}.{}", altered[2]),
            ),
            (
                "signed-by-another-as-ours",
                "signed by another key under this key's kid",
                stranger,
            ),
            (
                "s-plus-l",
                "S of the genuine signature plus the order of the group (RFC 8032, 5.1.7)",
                format!("{h}.{p}.{}", encode(high)),
            ),
            (
                "small-order-r",
                "R is the identity: a signature that verifies unless R of small order is refused (S3)",
                format!("{h}.{p}.{}", encode(identity)),
            ),
        ] {
            let check = match (id, self.sample.kind) {
                ("detached", Kind::Request) => "T9",
                _ => "T8",
            };
            self.refused(check, id, reason, &token);
        }
    }
}

/// Another last character that a lenient decoder reads as the same bytes.
pub fn spare(segment: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert!(segment.len() % 4 > 1, "the last character has unused bits");
    let (body, last) = segment.split_at(segment.len() - 1);
    let at = ALPHABET
        .iter()
        .position(|c| last.as_bytes()[0] == *c)
        .unwrap();
    format!("{body}{}", char::from(ALPHABET[at | 1]))
}

/// In the other alphabet of base64, also where it happens to have none of the two characters that differ.
fn plain(segment: &str) -> String {
    let other = segment.replace('-', "+").replace('_', "/");
    if other == segment {
        format!("+{}", &segment[1..])
    } else {
        other
    }
}
