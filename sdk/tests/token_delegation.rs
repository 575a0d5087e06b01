//! What lets a lease key sign seats: how it is signed, carried as a file, and refused.

mod tokens;

use seatkeeper::token::claims::{Delegation, Slots};
use seatkeeper::token::delegation::{self, SPAN_MAX_S};
use seatkeeper::token::keys::{PublicKey, SigningKey};
use tokens::{DAY, NOW};
use zeroize::Zeroizing;

fn key(seed: u8) -> SigningKey {
    SigningKey::generate(&Zeroizing::new([seed; 32]))
}

fn claims(lease: &PublicKey, site: &SigningKey, span_s: u64) -> Delegation {
    delegation::to_lease_key(lease, site, ("d-1".to_owned(), NOW), span_s)
}

#[test]
fn s17_a_delegation_says_for_which_keys_and_how_long_it_is() {
    let (site, lease) = (key(1), key(2));
    for (days, exp) in [
        (1, NOW + DAY),
        (30, NOW + 30 * DAY),
        (90, NOW + 90 * DAY - 3600),
    ] {
        let said = claims(&lease.public(), &site, days * DAY);
        let token = delegation::sign(&said, &site).unwrap();
        let read = delegation::verify(&token, &site.public()).unwrap();
        assert_eq!(read, said);
        assert_eq!((read.iat, read.nbf, read.exp), (NOW, NOW - 3600, exp));
        assert_eq!(
            (&*read.iss, &*read.sub),
            (site.thumbprint(), lease.thumbprint())
        );
        assert_eq!(read.slots, Slots::ALL);
    }
}

#[test]
fn s17_a_delegation_for_more_than_90_days_is_not_signed_and_not_taken() {
    let (site, lease) = (key(1), key(2));
    let long = claims(&lease.public(), &site, SPAN_MAX_S + 1);
    let refused = delegation::sign(&long, &site).unwrap_err().to_string();
    assert!(refused.contains("exp - nbf"), "{refused}");
    let mut longer = claims(&lease.public(), &site, SPAN_MAX_S);
    longer.exp += 1;
    let token = site.sign_token(
        "seatkeeper-delegation+jwt",
        &serde_json::to_vec(&longer).unwrap(),
    );
    let refused = delegation::verify(&token, &site.public()).unwrap_err();
    assert!(refused.to_string().contains("exp - nbf"), "{refused}");
}

#[test]
fn s17_a_delegation_of_another_site_key_is_refused() {
    let (site, other, lease) = (key(1), key(3), key(2));
    let theirs = claims(&lease.public(), &other, DAY);
    let token = delegation::sign(&theirs, &other).unwrap();
    assert!(delegation::verify(&token, &site.public()).is_err());
    // Signed by one key in the name of another.
    let forged = claims(&lease.public(), &site, DAY);
    assert!(delegation::sign(&forged, &other).is_err());
}

#[test]
fn a_delegation_is_carried_with_a_line_that_decides_nothing() {
    let (site, lease) = (key(1), key(2));
    let said = claims(&lease.public(), &site, 30 * DAY);
    let token = delegation::sign(&said, &site).unwrap();
    let file = delegation::file(&said, &token);
    let first = file.lines().next().unwrap();
    for part in [
        site.thumbprint(),
        lease.thumbprint(),
        "to 2027-02-14 08:00 UTC",
    ] {
        assert!(first.contains(part), "{first}");
    }
    let sent = file.replace('\n', "\r\n");
    for text in [&*file, &*sent, &*token, &format!("\n  {token} \n# x")] {
        assert_eq!(delegation::token_in(text), Some(&*token), "{text:?}");
    }
    for text in ["", "# x\n", &format!("{token}\n{token}")] {
        assert_eq!(delegation::token_in(text), None, "{text:?}");
    }
}
