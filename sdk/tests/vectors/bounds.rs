//! What the values of claims must keep: each value just beyond its bound is refused, each at its bound accepted.

use super::claims::short;
use super::{Book, compact, encode, header, sign_segments, told, word};
use crate::tokens::{Sample, key, samples};
use seatkeeper::token::Kind;
use serde_json::{Value, json};

/// 2⁵³−1.
const MOST: u64 = (1 << 53) - 1;
const DAY: u64 = 86_400;

/// A place, what stands there, and why: `None` where it is good.
type Case = (&'static str, Value, Option<&'static str>);

pub fn make() -> Book {
    let mut book = Book::new(
        "bounds",
        "One token and the key it is verified with: the values of its claims.",
        json!({}),
    );
    let [
        issuer,
        license,
        perpetual,
        delegation,
        ranges,
        request,
        lease,
        last,
    ] = <[Sample; 8]>::try_from(told(samples()))
        .ok()
        .unwrap()
        .map(short);
    for (sample, cases) in [
        (&issuer, issuer_cases()),
        (&issuer, names("/iss")),
        (&license, license_cases()),
        (&license, feature_cases()),
        (&license, term_cases()),
        (&license, key_cases()),
        (&license, texts("/customer/name")),
        (
            &perpetual,
            vec![
                ("/exp", json!(MOST), Some("a perpetual license has no exp")),
                ("/exp", json!(null), Some("exp is never null")),
                ("/nbf", json!(MOST), None),
                ("/nbf", json!(MOST + 1), Some("nbf is beyond 2^53-1")),
            ],
        ),
        (&delegation, delegation_cases()),
        (&ranges, range_cases()),
        (&request, request_cases()),
        (&lease, lease_cases()),
        (&lease, names("/feature")),
        (&last, last_cases()),
    ] {
        for (n, case) in cases.into_iter().enumerate() {
            add(&mut book, sample, n, case);
        }
    }
    pairs(&mut book, &issuer, &license, &lease);
    lonely(&mut book, &license);
    for sample in [&delegation, &lease] {
        foreign(&mut book, sample);
    }
    book
}

/// What is wrong because something is missing, or there once more.
fn lonely(book: &mut Book, license: &Sample) {
    let mut endless = license.claims.clone();
    endless.as_object_mut().unwrap().remove("exp");
    put(
        book,
        license,
        &endless,
        "exp-missing",
        "a dated license without exp",
        true,
    );
    let mut twins = license.claims.clone();
    let twin = twins["features"][0].clone();
    twins["features"].as_array_mut().unwrap().push(twin);
    put(
        book,
        license,
        &twins,
        "features-twins",
        "two features of one name",
        true,
    );
}

/// Signed by the right key under its kid, but naming another signer.
fn foreign(book: &mut Book, sample: &Sample) {
    let mut claims = sample.claims.clone();
    claims["iss"] = json!(key(98).thumbprint());
    let head = compact(&header(sample.kind, &sample.key));
    let token = sign_segments(&sample.key, &encode(head), &encode(compact(&claims)));
    let asked = json!({"token": token, "key": sample.key.public().to_x()});
    book.refused(
        word(sample.kind),
        "T11",
        "iss-other",
        "iss is not the kid that signed",
        asked,
    );
}

fn add(book: &mut Book, sample: &Sample, n: usize, (place, value, why): Case) {
    let mut claims = sample.claims.clone();
    set(&mut claims, place, value);
    let id = format!("{}-{n}", place.trim_matches('/').replace('/', "."));
    put(
        book,
        sample,
        &claims,
        &id,
        why.unwrap_or("the value is in its bounds"),
        why.is_some(),
    );
}

fn put(book: &mut Book, sample: &Sample, claims: &Value, id: &str, reason: &str, refused: bool) {
    let head = compact(&header(sample.kind, &sample.key));
    let token = sign_segments(&sample.key, &encode(head), &encode(compact(claims)));
    let asked = match sample.kind {
        Kind::Request => json!({"token": token}),
        _ => json!({"token": token, "key": sample.key.public().to_x()}),
    };
    let id = if book
        .vectors
        .iter()
        .any(|v| v["id"] == format!("{}/{id}", word(sample.kind)))
    {
        format!("{id}-again")
    } else {
        id.to_owned()
    };
    if refused {
        book.refused(word(sample.kind), "T10", &id, reason, asked);
    } else {
        book.accepted(word(sample.kind), &id, reason, asked);
    }
}

fn set(claims: &mut Value, place: &str, value: Value) {
    match claims.pointer_mut(place) {
        Some(there) => *there = value,
        None => claims[place.trim_start_matches('/')] = value,
    }
}

/// Several values that only together are wrong, or right.
fn pairs(book: &mut Book, issuer: &Sample, license: &Sample, lease: &Sample) {
    type Pair<'a> = (&'a Sample, &'static str, Value, Option<&'static str>);
    let pairs: [Pair<'_>; 11] = [
        (
            issuer,
            "iss-unicode",
            json!({"/iss": "Größe 木", "/products": ["木"]}),
            None,
        ),
        (
            license,
            "ttl-and-grace-a-day",
            json!({"/features/0/ttl_s": DAY - 1, "/features/0/grace_s": 1}),
            None,
        ),
        (
            license,
            "unlimited",
            json!({"/features/0/seats": "unlimited", "/features/0/overdraft": 0}),
            None,
        ),
        (
            license,
            "unlimited-overdraft",
            json!({"/features/0/seats": "unlimited", "/features/0/overdraft": 1}),
            Some("overdraft beside unlimited seats"),
        ),
        (
            license,
            "named",
            json!({"/features/0/model": "named", "/features/0/counting": "user", "/features/0/share_max": "unlimited"}),
            None,
        ),
        (
            license,
            "named-by-process",
            json!({"/features/0/model": "named", "/features/0/counting": "process", "/features/0/share_max": "unlimited"}),
            Some("a named seat is not counted by process (rule 7)"),
        ),
        (
            license,
            "named-shared",
            json!({"/features/0/model": "named", "/features/0/counting": "user", "/features/0/share_max": 2}),
            Some("a named seat has no share_max (rule 7)"),
        ),
        (
            license,
            "policies-too-long",
            json!({"/features/0/policies": (0..40).map(|n| format!("{n:0>100}")).collect::<Vec<_>>()}),
            Some("policies of a feature take more than 4,096 bytes as JSON"),
        ),
        (
            lease,
            "ids-of-zero",
            json!({"/gid": "0.0", "/jti": "0.0.0"}),
            None,
        ),
        (
            lease,
            "ids-beyond",
            json!({"/gid": "9007199254740992.8", "/jti": "9007199254740992.8.1"}),
            Some("a number beyond 2^53-1"),
        ),
        (
            lease,
            "gid-and-jti-differ",
            json!({"/gid": "3.9", "/jti": "3.8.1"}),
            Some("jti is not a holder of gid"),
        ),
    ];
    for (sample, id, values, why) in pairs {
        let mut claims = sample.claims.clone();
        for (place, value) in values.as_object().unwrap() {
            set(&mut claims, place, value.clone());
        }
        put(
            book,
            sample,
            &claims,
            id,
            why.unwrap_or("the values are in their bounds together"),
            why.is_some(),
        );
    }
}

fn names(place: &'static str) -> Vec<Case> {
    let mut cases = texts(place);
    cases.retain(|(_, value, _)| value.as_str().unwrap().len() < 129 && value != "a/b");
    cases.push((place, json!("n".repeat(128)), None));
    cases.push((place, json!("n".repeat(129)), Some("a name of 129 bytes")));
    cases.push((
        place,
        json!("ä".repeat(65)),
        Some("a name of 65 characters and 130 bytes: bytes count"),
    ));
    cases.push((place, json!("a/b"), Some("a name with a slash")));
    cases
}

fn texts(place: &'static str) -> Vec<Case> {
    vec![
        (place, json!("two words"), None),
        (place, json!("a/b"), None),
        (place, json!("x".repeat(256)), None),
        (place, json!("x".repeat(257)), Some("a text of 257 bytes")),
        (place, json!(""), Some("an empty text")),
        (place, json!(" x"), Some("white space at the beginning")),
        (
            place,
            json!("x\u{a0}"),
            Some("white space (U+00A0) at the end"),
        ),
        (place, json!("a\nb"), Some("a line end")),
        (place, json!("a\u{0}b"), Some("the character U+0000")),
        (
            place,
            json!("a\u{7f}b"),
            Some("the control character U+007F"),
        ),
        (
            place,
            json!("a\u{85}b"),
            Some("the control character U+0085"),
        ),
        (
            place,
            json!("a\u{200e}b"),
            Some("U+200E changes the direction of text"),
        ),
        (
            place,
            json!("a\u{200f}b"),
            Some("U+200F changes the direction of text"),
        ),
        (
            place,
            json!("a\u{202e}b"),
            Some("U+202E changes the direction of text"),
        ),
        (place, json!("a\u{2028}b"), Some("U+2028 is a line end")),
        (
            place,
            json!("a\u{2066}b"),
            Some("U+2066 changes the direction of text"),
        ),
    ]
}

fn issuer_cases() -> Vec<Case> {
    let other = key(98).thumbprint().to_owned();
    vec![
        (
            "/sub",
            json!(other),
            Some("sub is not the thumbprint of the key in cnf"),
        ),
        ("/jti", json!(""), Some("an empty jti")),
        ("/iat", json!(MOST), None),
        ("/iat", json!(MOST + 1), Some("iat is beyond 2^53-1")),
        ("/nbf", json!(0), None),
        ("/exp", json!(MOST), None),
        ("/exp", json!(MOST + 1), Some("exp is beyond 2^53-1")),
        ("/exp", json!(0), Some("exp is not after nbf")),
        ("/nbf", json!(MOST + 1), Some("nbf is beyond 2^53-1")),
        ("/products", json!([]), Some("no products")),
        ("/products", json!(["cad", "cad"]), Some("a product twice")),
        ("/products", json!(["cad", ""]), Some("an empty product")),
        ("/products", json!(["c/d"]), Some("a product with a slash")),
        ("/min_serial", json!(MOST), None),
        (
            "/min_serial",
            json!(MOST + 1),
            Some("min_serial is beyond 2^53-1"),
        ),
        ("/revoked_kids", json!([]), None),
        ("/revoked_kids", json!([other, other]), Some("a kid twice")),
        (
            "/revoked_kids",
            json!(["kid"]),
            Some("a kid that is no thumbprint"),
        ),
        (
            "/revoked_kids",
            json!([format!("{}=", &other[..42])]),
            Some("a kid with base64 padding"),
        ),
    ]
}

fn license_cases() -> Vec<Case> {
    vec![
        ("/iss", json!(""), Some("no vendor")),
        ("/sub", json!("a/b"), Some("a license id with a slash")),
        ("/iat", json!(MOST + 1), Some("iat is beyond 2^53-1")),
        ("/serial", json!(1), None),
        ("/serial", json!(0), Some("serials begin with 1")),
        ("/serial", json!(MOST), None),
        ("/serial", json!(MOST + 1), Some("serial is beyond 2^53-1")),
        ("/replaces", json!("L-1"), Some("it replaces itself")),
        ("/replaces", json!(""), Some("an empty id")),
        ("/product", json!("c/d"), Some("a product with a slash")),
        ("/customer/id", json!(""), Some("an empty customer id")),
        (
            "/customer/contact",
            json!("a\nb"),
            Some("a contact on two lines"),
        ),
        ("/customer/managed_by", json!(""), Some("an empty partner")),
        (
            "/term",
            json!("perpetual"),
            Some("a perpetual license with exp"),
        ),
        ("/term", json!("Dated"), Some("a term that nobody knows")),
        ("/exp", json!(0), Some("exp is not after nbf")),
        ("/nbf", json!(MOST + 1), Some("nbf is beyond 2^53-1")),
        ("/features", json!([]), Some("no features")),
    ]
}

fn feature_cases() -> Vec<Case> {
    vec![
        (
            "/features/0/name",
            json!(""),
            Some("a feature without a name"),
        ),
        (
            "/features/0/name",
            json!("a/b"),
            Some("a feature with a slash"),
        ),
        ("/features/0/seats", json!(0), Some("no seats")),
        ("/features/0/seats", json!(MOST - 1), None),
        (
            "/features/0/seats",
            json!(MOST),
            Some("seats + overdraft is beyond 2^53-1"),
        ),
        (
            "/features/0/seats",
            json!("many"),
            Some("a word other than unlimited"),
        ),
        ("/features/0/overdraft", json!(MOST - 3), None),
        (
            "/features/0/overdraft",
            json!(MOST - 2),
            Some("seats + overdraft is beyond 2^53-1"),
        ),
        (
            "/features/0/model",
            json!("fixed"),
            Some("a model that nobody knows"),
        ),
        (
            "/features/0/counting",
            json!("seat"),
            Some("a counting unit that nobody knows"),
        ),
        ("/features/0/version", json!("7"), None),
        ("/features/0/version", json!("007.0"), None),
        (
            "/features/0/version",
            json!("7.x"),
            Some("a version that is not numbers joined by dots"),
        ),
        (
            "/features/0/version",
            json!("7."),
            Some("a version with an empty part"),
        ),
        (
            "/features/0/version",
            json!("7.٣"),
            Some("digits other than 0 to 9"),
        ),
        (
            "/features/0/version",
            json!("1.".repeat(64) + "1"),
            Some("a version of 129 bytes"),
        ),
    ]
}

/// The times of a feature, its borrow terms and its policies.
fn term_cases() -> Vec<Case> {
    let long = 10 * 366 * DAY;
    vec![
        ("/features/0/ttl_s", json!(60), None),
        (
            "/features/0/ttl_s",
            json!(59),
            Some("ttl_s is below save_s"),
        ),
        ("/features/0/ttl_s", json!(DAY - 300), None),
        (
            "/features/0/ttl_s",
            json!(DAY - 299),
            Some("ttl_s + grace_s is more than a day"),
        ),
        ("/features/0/grace_s", json!(0), None),
        (
            "/features/0/grace_s",
            json!(DAY),
            Some("ttl_s + grace_s is more than a day"),
        ),
        (
            "/features/0/grace_s",
            json!(u64::MAX),
            Some("ttl_s + grace_s overflows 64 bits"),
        ),
        ("/features/0/save_s", json!(0), Some("save_s is 0")),
        ("/features/0/save_s", json!(600), None),
        (
            "/features/0/save_s",
            json!(601),
            Some("save_s is above ttl_s"),
        ),
        ("/features/0/cool_down_s", json!(long), None),
        (
            "/features/0/cool_down_s",
            json!(long + 1),
            Some("cool_down_s is more than ten years"),
        ),
        ("/features/0/linger_s", json!(long), None),
        (
            "/features/0/linger_s",
            json!(long + 1),
            Some("linger_s is more than ten years"),
        ),
        (
            "/features/0/named_min_s",
            json!(long + 1),
            Some("named_min_s is more than ten years"),
        ),
        ("/features/0/share_max", json!("unlimited"), None),
        ("/features/0/share_max", json!(0), Some("share_max is 0")),
        (
            "/features/0/share_max",
            json!(MOST + 1),
            Some("share_max is beyond 2^53-1"),
        ),
        ("/features/0/borrow/max_days", json!(30), None),
        (
            "/features/0/borrow/max_days",
            json!(31),
            Some("a borrow of more than 30 days"),
        ),
        (
            "/features/0/borrow/max_days",
            json!(0),
            Some("a borrow of no days"),
        ),
        ("/features/0/borrow/max_share_percent", json!(100), None),
        (
            "/features/0/borrow/max_share_percent",
            json!(101),
            Some("more than 100 percent"),
        ),
        (
            "/features/0/borrow/max_share_percent",
            json!(0),
            Some("0 percent"),
        ),
        (
            "/features/0/borrow/write_offs",
            json!(MOST + 1),
            Some("write_offs is beyond 2^53-1"),
        ),
        (
            "/features/0/policies",
            json!(["a", "a"]),
            Some("a policy twice"),
        ),
        (
            "/features/0/policies",
            json!(["export"]),
            Some("a policy that is default and optional"),
        ),
        (
            "/features/0/policies",
            json!([""]),
            Some("a policy without a name"),
        ),
        (
            "/features/0/optional_policies",
            json!(["x/y"]),
            Some("a policy with a slash"),
        ),
    ]
}

/// The key in `cnf`: as in `keys`, inside a token.
fn key_cases() -> Vec<Case> {
    let x = key(5).public().to_x();
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut again = [0xff; 32];
    (again[0], again[31]) = (0xf0, 0x7f);
    vec![
        ("/cnf/jwk/kty", json!("EC"), Some("kty is not OKP")),
        ("/cnf/jwk/crv", json!("X25519"), Some("crv is not Ed25519")),
        ("/cnf/jwk/x", json!(x[..42]), Some("x is too short")),
        (
            "/cnf/jwk/x",
            json!(format!("{x}=")),
            Some("x with base64 padding"),
        ),
        (
            "/cnf/jwk/x",
            json!(encode([2; 32])),
            Some("x is no point of the curve"),
        ),
        (
            "/cnf/jwk/x",
            json!(encode(identity)),
            Some("x is a point of small order (S3)"),
        ),
        (
            "/cnf/jwk/x",
            json!(encode(again)),
            Some("x is not in canonical form: y is p + 3 (S3)"),
        ),
    ]
}

fn delegation_cases() -> Vec<Case> {
    let now = crate::tokens::NOW;
    let other = key(98).thumbprint().to_owned();
    vec![
        (
            "/sub",
            json!(other),
            Some("sub is not the thumbprint of the key in cnf"),
        ),
        ("/jti", json!(""), Some("an empty jti")),
        ("/iat", json!(MOST + 1), Some("iat is beyond 2^53-1")),
        ("/exp", json!(now + 89 * DAY), None),
        (
            "/exp",
            json!(now + 89 * DAY + 1),
            Some("it runs for more than 90 days"),
        ),
        (
            "/iat",
            json!(now - 10 * DAY - 1),
            Some("from its signing it runs for more than 90 days"),
        ),
        (
            "/nbf",
            json!(now - 10 * DAY - 1),
            Some("from its beginning it runs for more than 90 days"),
        ),
        ("/exp", json!(now - DAY), Some("exp is not after nbf")),
        ("/slots", json!("some"), Some("a word other than all")),
    ]
}

fn range_cases() -> Vec<Case> {
    vec![
        ("/slots/ranges", json!([]), Some("no ranges")),
        ("/slots/ranges/0/first", json!(3), None),
        (
            "/slots/ranges/0/first",
            json!(4),
            Some("first is after last"),
        ),
        ("/slots/ranges/0/last", json!(MOST), None),
        (
            "/slots/ranges/0/last",
            json!(MOST + 1),
            Some("last is beyond 2^53-1"),
        ),
        (
            "/slots/ranges/0/vendor",
            json!(""),
            Some("a range without a vendor"),
        ),
        (
            "/slots/ranges/0/license",
            json!("a/b"),
            Some("a license id with a slash"),
        ),
        (
            "/slots/ranges/0/feature",
            json!(""),
            Some("a range without a feature"),
        ),
    ]
}

fn request_cases() -> Vec<Case> {
    vec![
        (
            "/iss",
            json!(key(98).thumbprint()),
            Some("iss is not the thumbprint of the key in cnf"),
        ),
        ("/jti", json!(""), Some("an empty jti")),
        ("/iat", json!(MOST + 1), Some("iat is beyond 2^53-1")),
        ("/site", json!(""), Some("a site without a name")),
        ("/account", json!(""), Some("no account")),
        ("/product_version", json!(""), Some("an empty version")),
        ("/order", json!("a\tb"), Some("an order with a tab")),
        ("/installed", json!([]), None),
        (
            "/installed/0/vendor",
            json!(""),
            Some("an installed license without a vendor"),
        ),
        (
            "/installed/0/license",
            json!("a/b"),
            Some("a license id with a slash"),
        ),
        (
            "/installed/0/serial",
            json!(MOST + 1),
            Some("serial is beyond 2^53-1"),
        ),
        (
            "/clocks_accepted",
            json!(MOST + 1),
            Some("clocks_accepted is beyond 2^53-1"),
        ),
        ("/daemon", json!(""), Some("no version of the daemon")),
    ]
}

fn lease_cases() -> Vec<Case> {
    let other = key(98).thumbprint().to_owned();
    vec![
        ("/sub", json!(""), Some("nobody sits there")),
        ("/jti", json!("3.8"), Some("jti is not EPOCH.N.H")),
        ("/jti", json!("3.9.1"), Some("jti is not a holder of gid")),
        (
            "/jti",
            json!("3.8.01"),
            Some("a number with a leading zero"),
        ),
        ("/jti", json!("3.8.-1"), Some("a negative number")),
        ("/jti", json!("3.8.1.1"), Some("four numbers")),
        (
            "/host",
            json!(encode([7; 31])),
            Some("31 bytes are no SHA-256"),
        ),
        ("/gid", json!("3"), Some("gid is not EPOCH.N")),
        (
            "/license",
            json!("x"),
            Some("license is no SHA-256 in base64url"),
        ),
        (
            "/license",
            json!(format!("{}!", &other[..42])),
            Some("license is no base64url"),
        ),
        (
            "/version",
            json!("seven"),
            Some("a version that is not numbers joined by dots"),
        ),
        ("/policies", json!([]), None),
        ("/policies", json!(["core", "core"]), Some("a policy twice")),
        ("/policies", json!([""]), Some("a policy without a name")),
        ("/slots", json!([]), Some("no slots")),
        ("/slots", json!([2, 0]), Some("slots are not ascending")),
        ("/slots", json!([2, 2]), Some("a slot twice")),
        ("/slots", json!([0, MOST]), None),
        ("/slots", json!([0, MOST + 1]), Some("a slot beyond 2^53-1")),
        ("/seq", json!(MOST + 1), Some("seq is beyond 2^53-1")),
        ("/epoch", json!(MOST + 1), Some("epoch is beyond 2^53-1")),
        ("/iat", json!(MOST + 1), Some("iat is beyond 2^53-1")),
        ("/run_id", json!(""), Some("no run")),
        (
            "/nonce",
            json!(encode([7; 15])),
            Some("a nonce of 15 bytes"),
        ),
        ("/nonce", json!(encode([7; 64])), None),
        (
            "/nonce",
            json!(encode([7; 65])),
            Some("a nonce of 65 bytes"),
        ),
        (
            "/nonce",
            json!(format!("{}==", encode([7; 16]))),
            Some("a nonce with base64 padding"),
        ),
        ("/ttl_s", json!(1), None),
        ("/ttl_s", json!(0), Some("ttl_s is 0")),
        ("/ttl_s", json!(DAY - 300), None),
        (
            "/ttl_s",
            json!(DAY - 299),
            Some("ttl_s + grace_s is more than a day"),
        ),
        (
            "/ttl_s",
            json!(u64::MAX),
            Some("ttl_s + grace_s overflows 64 bits"),
        ),
        ("/warning", json!(["a_warning_that_nobody_knows_yet"]), None),
        (
            "/warning",
            json!(["expires_soon", "expires_soon"]),
            Some("a warning twice"),
        ),
        ("/warning", json!([""]), Some("an empty warning")),
        ("/host", json!("x"), Some("host is no SHA-256 in base64url")),
    ]
}

fn last_cases() -> Vec<Case> {
    vec![
        ("/last", json!("released"), None),
        ("/last", json!("right_lost"), None),
        ("/last", json!("superseded"), None),
        ("/last", json!("ended"), Some("a reason that nobody knows")),
        (
            "/grace_s",
            json!(1),
            Some("a last lease has no grace (rule 16)"),
        ),
    ]
}
