//! License files and key files: what people and programs do to text on its way, and what is refused all the same.

mod tokens;

use seatkeeper::token::chain::ChainError;
use seatkeeper::token::file::{self, FileError, Verified};
use seatkeeper::token::keys::{KeyError, PublicKey, SigningKey};
use seatkeeper::token::{Fault, Kind};
use seatkeeper::wire::Code;
use std::process::{Command, Stdio};
use tokens::{DAY, Dice, Sample, World, cases, key, samples};

const BOM: &str = "\u{feff}";
const PASSPHRASE: &[u8] = b"correct horse";

fn world() -> World {
    World::new(10)
}

fn read(text: impl AsRef<[u8]>) -> Result<Verified, FileError> {
    file::read(text.as_ref(), &[world().root.public()])
}

/// The serials of the licenses in the file.
fn serials(text: impl AsRef<[u8]>) -> Vec<u64> {
    let verified = read(text).expect("what the test stands on");
    let licenses = verified.licenses.iter();
    licenses.map(|verified| verified.license.serial).collect()
}

/// Issuer and license token.
fn pair() -> (String, String) {
    let world = world();
    (world.issuer_token(), world.license_token())
}

fn plain() -> String {
    let (issuer, license) = pair();
    format!("# for people\n\n{issuer}\n\n{license}\n")
}

/// A token of another kind that could not be in a license file.
fn sample(kind: Kind) -> Sample {
    let mut all = samples().into_iter();
    all.find(|sample| sample.kind == kind)
        .expect("what the test stands on")
}

#[test]
fn s8_a_written_file_reads_as_what_was_written() {
    let first = read(plain()).unwrap();
    let text = file::write(&first.licenses);
    assert!(text.starts_with('#') && text.contains("Example Ltd"));
    let again = read(&text).unwrap();
    assert_eq!(again.licenses[0].license, first.licenses[0].license);
    assert_eq!(again.licenses[0].hash, first.licenses[0].hash);
    assert_eq!((again.licenses.len(), again.issuers.len()), (1, 1));
    assert!(again.warnings.is_empty());
}

#[test]
fn s8_what_mail_and_editors_do_to_a_file_does_no_harm() {
    let (issuer, license) = pair();
    let plain = plain();
    let wrapped = |text: &str, with: &str| {
        let lines: Vec<_> = text
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        lines.join(with)
    };
    for text in [
        plain.replace('\n', "\r\n"),
        format!("{BOM}{plain}"),
        format!("{BOM}{}", plain.replace('\n', "\r\n")),
        format!("{BOM}{issuer}\n\n{BOM}{license}"),
        format!("{issuer}\n\n{license}"),
        format!("\n\n \t\n{issuer}\n \t \n\r\n{license}\n\n\n"),
        format!("  {issuer}  \n\n\t{license}\t"),
        format!(
            "{}\n\n{}",
            wrapped(&issuer, "\n"),
            wrapped(&license, "\r\n")
        ),
        format!(
            "{}\n\n{}",
            wrapped(&issuer, "\n    "),
            wrapped(&license, " \t")
        ),
        format!(
            "{}\n\n{}",
            wrapped(&issuer, "\n# between\n"),
            wrapped(&license, "\u{a0}\n")
        ),
        format!("{license}\n\n{issuer}\n"),
        format!("{issuer}\n\n{license}\n\n{license}\n\n{issuer}\n"),
        format!("   # indented\n#{license}x\n# {issuer}\n\n{plain}#"),
    ] {
        assert_eq!(serials(&text), [4], "{text}");
        let verified = read(&text).unwrap();
        assert_eq!(verified.licenses[0].license_token, license);
        assert!(verified.warnings.is_empty());
    }
}

#[test]
fn s6_comments_decide_nothing() {
    let text = format!("# seats: 1000000\n# exp: never\n{}", plain());
    assert_eq!(
        read(text).unwrap().licenses[0].license,
        read(plain()).unwrap().licenses[0].license
    );
}

#[test]
fn s6_two_tokens_without_a_blank_line_are_no_token() {
    let (issuer, license) = pair();
    let refused = read(format!("{issuer}\n{license}\n")).unwrap_err();
    assert_eq!(refused.code(), Code::BadSyntax);
    let cut = &license[..license.len() / 2];
    assert!(read(format!("{issuer}\n\n{cut}\n")).is_err());
    assert!(read(format!("{issuer}\n\n{cut}\n\n{}", &license[cut.len()..])).is_err());
}

#[test]
fn s6_two_generations_of_a_license_and_of_its_issuer_may_stand_in_one_file() {
    let old = world();
    let mut new = world();
    new.license.serial = 5;
    new.issuer.jti = "issuer-2".to_owned();
    new.issuer.iat += DAY;
    let tokens = [
        old.license_token(),
        new.issuer_token(),
        new.license_token(),
        old.issuer_token(),
    ];
    let verified = read(tokens.join("\n\n")).unwrap();
    assert_eq!(serials(tokens.join("\n\n")), [4, 5]);
    assert_eq!(verified.issuers.len(), 2);
    for license in &verified.licenses {
        assert_eq!(license.issuer.jti, "issuer-2");
    }
    let mut reversed = tokens.clone();
    reversed.reverse();
    assert_eq!(serials(reversed.join("\n\n")), [5, 4]);
}

/// Where the newer issuer token began too late for an old license, the older one still serves it.
#[test]
fn s6_each_license_finds_the_issuer_that_could_issue_it() {
    let old = world();
    let mut new = world();
    (new.issuer.iat, new.issuer.nbf) = (old.license.iat + 1, old.license.iat + 1);
    new.issuer.jti = "issuer-2".to_owned();
    let text = [old.license_token(), new.issuer_token(), old.issuer_token()].join("\n\n");
    assert_eq!(read(text).unwrap().licenses[0].issuer.jti, "issuer-1");
    let text = [old.license_token(), new.issuer_token()].join("\n\n");
    assert!(matches!(
        read(text),
        Err(FileError::Chain(ChainError::NotStarted { .. }))
    ));
}

#[test]
fn s6_an_older_issuer_does_not_outvote_a_newer_that_withdraws() {
    let old = world();
    let mut new = world();
    new.issuer.iat += DAY;
    new.issuer.min_serial = 5;
    let tokens = [old.issuer_token(), old.license_token(), new.issuer_token()];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let text = order.map(|n| tokens[n].clone()).join("\n\n");
        let refused = read(text).unwrap_err();
        assert_eq!(refused, FileError::Chain(ChainError::Revoked));
        assert_eq!(refused.code(), Code::RevokedLicense);
    }
}

#[test]
fn s6_several_licenses_of_several_issuing_keys_may_stand_in_one_file() {
    let one = world();
    let mut two = World::new(30);
    two.root = key(10);
    two.license.sub = "L-2".to_owned();
    two.license.serial = 7;
    let text = [
        one.license_token(),
        two.license_token(),
        two.issuer_token(),
        one.issuer_token(),
    ]
    .join("\n\n");
    assert_eq!(serials(text), [4, 7]);
    let text = [one.license_token(), two.license_token(), two.issuer_token()].join("\n\n");
    let kid = one.issuing.thumbprint().to_owned();
    assert_eq!(read(text).unwrap_err(), FileError::NoIssuer { kid });
}

#[test]
fn s6_an_issuer_token_alone_is_a_file() {
    let verified = read(world().issuer_token()).unwrap();
    assert_eq!((verified.issuers.len(), verified.licenses.len()), (1, 0));
}

#[test]
fn s4_a_token_of_unknown_typ_is_skipped_with_a_warning() {
    for typ in [
        "seatkeeper-license2+jwt",
        "seatkeeper-revocation+jwt",
        "JWT",
    ] {
        let later = key(40).sign_token(typ, b"{}");
        let text = format!("{}\n{later}\n", plain());
        let verified = read(&text).unwrap();
        assert_eq!(verified.licenses.len(), 1);
        assert_eq!(verified.warnings.len(), 1);
        assert!(
            verified.warnings[0].contains(typ) && verified.warnings[0].contains("line 7"),
            "{:?}",
            verified.warnings
        );
        assert_eq!(read(later).unwrap_err(), FileError::Empty);
    }
}

#[test]
fn s4_a_known_token_that_fails_refuses_the_file() {
    let (issuer, license) = pair();
    let mut other = world();
    other.license.serial = 5;
    let good = other.license_token();
    let tampered = flip_last(&license);
    let refused = read([&issuer, &good, &tampered].map(String::as_str).join("\n\n"));
    assert!(
        matches!(&refused, Err(FileError::Chain(ChainError::Token(e))) if e.fault == Fault::Signature),
        "{refused:?}"
    );
    let refused = read(
        [&license, &issuer, &flip_last(&issuer)]
            .map(String::as_str)
            .join("\n\n"),
    );
    assert!(matches!(
        refused,
        Err(FileError::Chain(ChainError::Token(_)))
    ));
    // A stranger's issuer beside ours.
    let stranger = World::new(60).issuer_token();
    let refused = read(
        [&license, &issuer, &stranger]
            .map(String::as_str)
            .join("\n\n"),
    );
    let Err(FileError::Chain(e @ ChainError::WrongVendor { .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(e.code(), Code::WrongVendor);
}

/// The token with a signature of the right form that is another.
fn flip_last(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("what the test stands on");
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{first}{}", &signature[1..])
}

#[test]
fn s4_what_is_neither_issuer_nor_license_is_no_license_file() {
    for kind in [Kind::Request, Kind::Lease, Kind::Delegation, Kind::Anchor] {
        let token = sample(kind).token();
        assert_eq!(read(&token).unwrap_err(), FileError::NotALicense(kind));
        let beside = read(format!("{}\n{token}", plain())).unwrap_err();
        assert_eq!(beside, FileError::NotALicense(kind));
        assert!(beside.to_string().contains(&kind.to_string()));
    }
}

#[test]
fn s8_the_size_is_checked_first() {
    let mut text = plain();
    text.push('#');
    let padding = file::MAX - text.len();
    text.push_str(&"x".repeat(padding));
    assert_eq!(text.len(), 256 * 1024);
    assert_eq!(serials(&text), [4]);
    text.push('x');
    let refused = read(&text).unwrap_err();
    assert_eq!(refused, FileError::TooLarge { len: file::MAX + 1 });
    assert_eq!(refused.code(), Code::BodyTooLarge);
    // Not even looked at as text.
    let binary = vec![0xff; file::MAX + 1];
    assert!(matches!(read(binary), Err(FileError::TooLarge { .. })));
}

#[test]
fn s8_nothing_in_a_file_is_an_empty_file() {
    for text in ["", "\n\n", BOM, "\r\n \t", "# only a comment", "#"] {
        assert_eq!(read(text).unwrap_err(), FileError::Empty, "{text:?}");
    }
    for text in [
        "hello",
        "a.b.c",
        "...",
        "{}",
        "<html>",
        "\0",
        "-----BEGIN PUBLIC KEY-----",
    ] {
        assert!(
            matches!(read(text), Err(FileError::Block { line: 1, .. })),
            "{text:?}"
        );
    }
    let refused = read(format!("{}\n\nhello\n", plain())).unwrap_err();
    assert!(
        matches!(refused, FileError::Block { line: 8, .. }),
        "{refused:?}"
    );
    for binary in [&b"\xff\xfe"[..], b"\xc3\x28", b"PK\x03\x04\xff"] {
        assert_eq!(read(binary).unwrap_err(), FileError::NotText);
    }
}

/// White space may go or come, so a mutant may be taken: then with every token as it was.
#[test]
fn s8_mutated_files_are_refused_or_say_the_same() {
    let plain = plain();
    let (issuer, license) = pair();
    let mut dice = Dice(8);
    let (mut taken, many) = (0, cases(6_000));
    for _ in 0..many {
        let mut bytes = plain.clone().into_bytes();
        for _ in 0..=dice.below(3) {
            // The last byte may be gone already.
            let Some(last) = bytes.len().checked_sub(1) else {
                break;
            };
            let at = dice.below(last + 1);
            match dice.below(4) {
                0 => bytes[at] = dice.byte(),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b" \n\r\t#.=A"[dice.below(8)]),
                _ => bytes.truncate(at + 1),
            }
        }
        let Ok(verified) = read(&bytes) else { continue };
        taken += 1;
        assert!(verified.issuers.iter().all(|i| i.token == issuer));
        assert!(verified.licenses.iter().all(|l| l.license_token == license));
    }
    assert!(taken > 0 && taken < many, "{taken} of {many}");
}

#[test]
fn s8_many_small_blocks_are_read_in_time() {
    // The most blocks that fit: each is looked at once.
    let text = "a\n\n".repeat(file::MAX / 3);
    assert!(matches!(read(text), Err(FileError::Block { .. })));
    let unknown = key(40).sign_token("x", b"");
    let many = file::MAX / (unknown.len() + 2);
    let text = format!("{unknown}\n\n").repeat(many);
    assert_eq!(read(text).unwrap_err(), FileError::Empty);
}

#[test]
fn s3_a_plain_key_survives_its_file() {
    let key = key(77);
    let pem = key.to_pem();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(!SigningKey::is_encrypted(&pem));
    for text in [
        pem.to_string(),
        format!("# seatkeeper site key: new 2027-01-31\n{}", *pem),
        pem.replace('\n', "\r\n"),
        pem.trim_end().to_owned(),
        format!("{}\n\n", *pem),
    ] {
        let again = SigningKey::from_pem(&text, None).unwrap_or_else(|e| panic!("{e}: {text:?}"));
        assert_eq!(again.thumbprint(), key.thumbprint());
        assert_eq!(again.sign(b"x"), key.sign(b"x"));
    }
    // A passphrase that is not needed does no harm.
    SigningKey::from_pem(&pem, Some(PASSPHRASE)).unwrap();
}

/// Version 2, which OpenSSL 3.0 and Python refuse, would carry the public key and the number 1.
#[test]
fn s3_key_files_are_pkcs8_version_1() {
    use base64::Engine;
    let pem = key(77).to_pem();
    let body: String = pem.lines().filter(|l| !l.starts_with("---")).collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap();
    // SEQUENCE of 46 bytes, INTEGER 0, then RFC 8410's algorithm and the 32 bytes of the key.
    assert_eq!(&der[..5], &[0x30, 0x2e, 0x02, 0x01, 0x00]);
    assert_eq!(der.len(), 48);
    assert_eq!(&der[16..], &[77; 32]);
}

#[test]
fn s3_an_encrypted_key_opens_with_its_passphrase_only() {
    let key = key(78);
    let pem = key.to_encrypted_pem(PASSPHRASE, &[5; 32]).unwrap();
    assert!(SigningKey::is_encrypted(&pem));
    let again = SigningKey::from_pem(&pem, Some(PASSPHRASE)).unwrap();
    assert_eq!(again.thumbprint(), key.thumbprint());
    let refused = |passphrase| SigningKey::from_pem(&pem, passphrase).err();
    assert_eq!(refused(None), Some(KeyError::NeedsPassphrase));
    assert_eq!(refused(Some(b"wrong")), Some(KeyError::WrongPassphrase));
    assert_eq!(
        key.to_encrypted_pem(b"", &[5; 32]).err(),
        Some(KeyError::NeedsPassphrase)
    );
    let other = key.to_encrypted_pem(PASSPHRASE, &[6; 32]).unwrap();
    assert_ne!(*pem, *other, "salt and iv are new each time");
}

/// CBC has no tag: some of 1,000 wrong passphrases leave a padding that could be meant. The file here is sealed as ours
/// are, at the least cost of scrypt.
#[test]
fn s3_a_wrong_passphrase_is_told_as_one_every_time() {
    use pkcs8::der::pem::{LineEnding, PemLabel};
    use pkcs8::pkcs5::{pbes2, scrypt};
    use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
    let clear = key(79).to_pem();
    let (_, der) = pkcs8::SecretDocument::from_pem(&clear).unwrap();
    let cost = scrypt::Params::new(1, 1, 1).unwrap();
    let parameters = pbes2::Parameters::generate_scrypt_aes256cbc(cost, &[7; 16], [8; 16]).unwrap();
    let sealed = PrivateKeyInfoRef::try_from(der.as_bytes())
        .unwrap()
        .encrypt_with_params(parameters, PASSPHRASE)
        .unwrap();
    let pem = sealed
        .to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF)
        .unwrap();
    assert!(SigningKey::from_pem(&pem, Some(PASSPHRASE)).is_ok());
    for n in 0..1_000 {
        let wrong = format!("wrong passphrase {n}");
        assert_eq!(
            SigningKey::from_pem(&pem, Some(wrong.as_bytes())).err(),
            Some(KeyError::WrongPassphrase),
            "{wrong}"
        );
    }
}

#[test]
fn s3_what_is_no_key_file_is_refused() {
    let pem = key(77).to_pem();
    for text in [
        String::new(),
        "-----BEGIN ".to_owned(),
        key(77).public().to_pem(),
        pem[..pem.len() / 2].to_owned(),
        pem.replace("PRIVATE KEY", "RSA PRIVATE KEY"),
        pem.replacen('M', "N", 1),
        format!("{}{}", "#".repeat(16 * 1024), *pem),
    ] {
        assert!(SigningKey::from_pem(&text, None).is_err(), "{text:.99}");
    }
}

#[test]
fn s7_openssl_reads_our_key_files_and_we_read_its() {
    if Command::new("openssl").arg("version").output().is_err() {
        println!("skipped: there is no openssl on this machine");
        return;
    }
    let key = key(77);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key.pem");
    let public = |pem: &str, more: &[&str]| {
        std::fs::write(&path, pem).unwrap();
        let text = openssl(&[&["pkey", "-pubout", "-in", path.to_str().unwrap()], more].concat());
        PublicKey::from_pem(&text).unwrap()
    };
    let sealed = key.to_encrypted_pem(PASSPHRASE, &[5; 32]).unwrap();
    assert_eq!(public(&key.to_pem(), &[]), key.public());
    assert_eq!(
        public(&sealed, &["-passin", "pass:correct horse"]),
        key.public()
    );
    // What it writes, plain and sealed.
    let theirs = openssl(&["genpkey", "-algorithm", "ed25519"]);
    let read = SigningKey::from_pem(&theirs, None).unwrap();
    assert_eq!(public(&theirs, &[]), read.public());
    std::fs::write(&path, &theirs).unwrap();
    let sealed = openssl(&[
        "pkcs8",
        "-topk8",
        "-in",
        path.to_str().unwrap(),
        "-passout",
        "pass:correct horse",
        "-v2",
        "aes-256-cbc",
    ]);
    let again = SigningKey::from_pem(&sealed, Some(PASSPHRASE)).unwrap();
    assert_eq!(again.thumbprint(), read.thumbprint());
}

fn openssl(arguments: &[&str]) -> String {
    let done = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("what the test stands on");
    assert!(
        done.status.success(),
        "openssl {arguments:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).expect("what the test stands on")
}
