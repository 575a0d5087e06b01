//! Chains from a root to a delegation: whose they are, what the issuer may license, and for which site.

use super::Book;
use crate::tokens::{DAY, NOW, World, key};
use seatkeeper::token::Kind;
use seatkeeper::token::claims::Term;
use serde_json::{Value, json};

pub fn make() -> Book {
    let world = World::new(10);
    let mut book = Book::new(
        "chain",
        "Issuer, license and delegation under the roots (each the x of a JWK) that an application carries.",
        asked(&world),
    );
    good(&mut book);
    missing(&mut book);
    roots(&mut book);
    issued(&mut book);
    dates(&mut book);
    site(&mut book);
    book
}

/// The members of a chain's vector.
pub fn asked(world: &World) -> Value {
    json!({
        "roots": [world.root.public().to_x()],
        "issuer": world.issuer_token(),
        "license": world.license_token(),
        "delegation": world.delegation_token(),
    })
}

/// The usual world with one feature, changed.
pub fn changed(change: impl FnOnce(&mut World)) -> World {
    let mut world = World::new(10);
    change(&mut world);
    world
}

fn with(name: &str, value: Value) -> Value {
    let mut asked = asked(&World::new(10));
    asked[name] = value;
    asked
}

fn good(book: &mut Book) {
    book.accepted("chain", "as-it-is", "a chain as we write it", json!({}));
    let two = json!([key(99).public().to_x(), key(10).public().to_x()]);
    book.accepted(
        "chain",
        "second-root",
        "the second of two roots signed the issuer token",
        with("roots", two),
    );
    let perpetual = changed(|w| (w.license.term, w.license.exp) = (Term::Perpetual, None));
    book.accepted(
        "chain",
        "perpetual",
        "a license without end",
        asked(&perpetual),
    );
    let late = changed(|w| w.issuer.exp = w.license.iat + 1);
    book.accepted(
        "chain",
        "issuer-ended-since",
        "the issuer is judged at the license's iat, however long ago that is",
        asked(&late),
    );
    let serial = changed(|w| w.issuer.min_serial = w.license.serial);
    book.accepted(
        "chain",
        "lowest-serial",
        "the lowest serial that the issuer allows",
        asked(&serial),
    );
    let others = changed(|w| w.issuer.revoked_kids = vec![key(97).thumbprint().to_owned()]);
    book.accepted(
        "chain",
        "other-kid-revoked",
        "another issuing key was withdrawn",
        asked(&others),
    );
}

fn missing(book: &mut Book) {
    for name in ["issuer", "license", "delegation"] {
        let reason = format!("there is no {name}");
        book.refused(
            "chain",
            "C1",
            &format!("without-{name}"),
            &reason,
            with(name, Value::Null),
        );
    }
    let swapped = {
        let usual = asked(&World::new(10));
        let mut swapped = usual.clone();
        (swapped["issuer"], swapped["license"]) =
            (usual["license"].clone(), usual["issuer"].clone());
        swapped
    };
    book.refused(
        "chain",
        "T6",
        "swapped",
        "issuer and license changed places",
        swapped,
    );
}

fn roots(book: &mut Book) {
    let stranger = World::new(60);
    book.refused(
        "chain",
        "C2",
        "no-roots",
        "the application carries no root",
        with("roots", json!([])),
    );
    let theirs = json!([stranger.root.public().to_x()]);
    book.refused(
        "chain",
        "C2",
        "other-root",
        "the application carries another vendor's root (S5)",
        with("roots", theirs),
    );
    let issuing = json!([
        key(11).public().to_x(),
        key(12).public().to_x(),
        key(13).public().to_x()
    ]);
    book.refused(
        "chain",
        "C2",
        "lower-keys-as-roots",
        "keys of the chain are no roots",
        with("roots", issuing),
    );
    let whole = {
        let mut whole = asked(&stranger);
        whole["roots"] = json!([key(10).public().to_x()]);
        whole
    };
    book.refused(
        "chain",
        "C2",
        "stranger",
        "a whole chain of another vendor with the same names",
        whole,
    );
    let ours = World::new(10);
    let pretender = super::sign_segments(
        &stranger.root,
        &super::encode(super::compact(&super::header(Kind::Issuer, &ours.root))),
        &super::encode(super::compact(&json!(stranger.issuer))),
    );
    book.refused(
        "chain",
        "T8",
        "pretender",
        "another root signed under our root's kid",
        with("issuer", json!(pretender)),
    );
    for (name, token) in [
        ("license", stranger.license_token()),
        ("delegation", stranger.delegation_token()),
    ] {
        let (check, reason) = match name {
            "license" => ("T7", "a license of another issuing key"),
            _ => ("C7", "a delegation by another site's key"),
        };
        book.refused(
            "chain",
            check,
            &format!("foreign-{name}"),
            reason,
            with(name, json!(token)),
        );
    }
    let theirs = with("issuer", json!(stranger.issuer_token()));
    book.refused(
        "chain",
        "C2",
        "foreign-issuer",
        "an issuer token of another vendor",
        theirs,
    );
}

fn issued(book: &mut Book) {
    type Case = (&'static str, &'static str, &'static str, fn(&mut World));
    let cases: [Case; 8] = [
        (
            "C3",
            "other-vendor-name",
            "license and issuer name different vendors",
            |w| w.license.iss = "bolt".to_owned(),
        ),
        (
            "C3",
            "vendor-name-case",
            "the vendor's name in other letters",
            |w| w.license.iss = "Acme".to_owned(),
        ),
        (
            "C4",
            "other-product",
            "the issuer may not license this product",
            |w| w.license.product = "cae".to_owned(),
        ),
        (
            "C4",
            "product-prefix",
            "the product's name is only the beginning of one allowed",
            |w| w.license.product = "ca".to_owned(),
        ),
        (
            "C6",
            "serial-too-low",
            "the serial is below the issuer's minimum",
            |w| w.issuer.min_serial = w.license.serial + 1,
        ),
        (
            "C6",
            "kid-revoked",
            "the issuer token withdraws its own key",
            |w| w.issuer.revoked_kids.push(w.issuer.sub.clone()),
        ),
        (
            "T7",
            "issuer-names-another-key",
            "the issuer token names another key than the license's",
            |w| {
                let other = key(77);
                (w.issuer.sub, w.issuer.cnf) =
                    (other.thumbprint().to_owned(), other.public().to_cnf());
            },
        ),
        (
            "T7",
            "license-by-root",
            "the root itself signed the license",
            |w| w.issuing = key(10),
        ),
    ];
    for (check, id, reason, change) in cases {
        book.refused("chain", check, id, reason, asked(&changed(change)));
    }
}

fn dates(book: &mut Book) {
    type Case = (&'static str, &'static str, bool, fn(&mut World));
    let cases: [Case; 4] = [
        (
            "issuer-from-the-second",
            "the issuer begins in the second in which the license was signed",
            true,
            |w| w.issuer.nbf = w.license.iat,
        ),
        (
            "issuer-not-yet",
            "the issuer begins a second after the license was signed",
            false,
            |w| w.issuer.nbf = w.license.iat + 1,
        ),
        (
            "issuer-ended",
            "the issuer ended in the second in which the license was signed: exp is not part of it",
            false,
            |w| w.issuer.exp = w.license.iat,
        ),
        (
            "license-signed-long-before",
            "the license was signed before the issuer began",
            false,
            |w| w.license.iat = NOW - 101 * DAY,
        ),
    ];
    for (id, reason, good, change) in cases {
        let asked = asked(&changed(change));
        if good {
            book.accepted("chain", id, reason, asked);
        } else {
            book.refused("chain", "C5", id, reason, asked);
        }
    }
}

fn site(book: &mut Book) {
    let thief = changed(|w| {
        w.site = key(78);
        w.delegation.iss = w.site.thumbprint().to_owned();
    });
    let copied = with("delegation", json!(thief.delegation_token()));
    book.refused(
        "chain",
        "C7",
        "copied-license",
        "a site delegates under a license that is bound to another site",
        copied,
    );
    let ours = World::new(10);
    let pretender = super::sign_segments(
        &key(78),
        &super::encode(super::compact(&super::header(Kind::Delegation, &ours.site))),
        &super::encode(super::compact(&json!(ours.delegation))),
    );
    book.refused(
        "chain",
        "T8",
        "pretended-site",
        "another key signed the delegation under the site key's kid",
        with("delegation", json!(pretender)),
    );
    let by_issuing = changed(|w| {
        w.site = key(11);
        w.delegation.iss = w.site.thumbprint().to_owned();
    });
    let token = json!(by_issuing.delegation_token());
    book.refused(
        "chain",
        "C7",
        "delegation-by-issuing-key",
        "the vendor's issuing key signed the delegation",
        with("delegation", token),
    );
}
