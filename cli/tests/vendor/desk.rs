//! A vendor at work: a folder with keys, and the binary run in it.

use seatkeeper::token::claims::{Info, Request};
use seatkeeper::token::keys::{PublicKey, SigningKey};
use seatkeeper::token::{chain::VerifiedLicense, file, request};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use zeroize::Zeroizing;

/// A vendor's folder, in which the binary runs.
pub(crate) struct Desk {
    pub(crate) folder: tempfile::TempDir,
}

impl Desk {
    /// With root, issuing key and issuer file.
    pub(crate) fn new() -> Desk {
        let desk = Desk::empty();
        desk.good("keygen root root");
        desk.good("keygen issuing issuing");
        desk.good("issuer --root-key root.pem --issuing-key issuing.pub.pem --vendor acme --product acme-cad --until 2099-12-31 --out acme.issuer");
        desk
    }

    /// With nothing in it.
    pub(crate) fn empty() -> Desk {
        Desk {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seatkeeper"));
        command
            .arg("vendor")
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .env_remove("SEATKEEPER_PASSPHRASE");
        command
    }

    pub(crate) fn good(&self, line: &str) -> String {
        let output = self.command(line).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}: {}", err(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Fails with this exit; its words on stderr.
    pub(crate) fn bad(&self, line: &str, exit: i32) -> String {
        let output = self.command(line).output().unwrap();
        let err = err(&output);
        assert_eq!(output.status.code(), Some(exit), "{line}: {err}");
        assert!(err.contains("next: "), "no way on: {err}");
        err
    }

    pub(crate) fn root(&self) -> PublicKey {
        PublicKey::from_pem(&self.read("root.pub.pem")).unwrap()
    }

    pub(crate) fn request(&self, name: &str, claims: &Request, key: &SigningKey) {
        self.write(name, &(request::sign(claims, key).unwrap() + "\n"));
    }

    /// Issues for a request of this id; the words on stderr where it is refused.
    pub(crate) fn issue(&self, n: u8, toml: &str) -> Result<VerifiedLicense, String> {
        let (request, description, out) =
            (format!("{n}.req"), format!("{n}.toml"), format!("{n}.lic"));
        self.request(&request, &claims(&site(), n), &site());
        self.write(&description, toml);
        let line = format!(
            "issue {request} {description} --key issuing.pem --issuer acme.issuer --out {out}"
        );
        let output = self.command(&line).output().unwrap();
        if !output.status.success() {
            assert!(!self.path(&out).exists());
            return Err(err(&output));
        }
        let verified = file::read(self.read(&out).as_bytes(), &[self.root()]).unwrap();
        Ok(verified.licenses[0].clone())
    }
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::generate(&Zeroizing::new([seed; 32]))
}

pub(crate) fn site() -> SigningKey {
    key(7)
}

pub(crate) fn claims(key: &SigningKey, n: u8) -> Request {
    Request {
        iss: key.thumbprint().to_owned(),
        jti: format!("r{n}"),
        iat: 1_790_000_000,
        cnf: key.public().to_cnf(),
        site: "harbor".into(),
        account: "4711".into(),
        product_version: Some("2026.2".into()),
        order: None,
        installed: Vec::new(),
        clocks_accepted: 0,
        daemon: "0.1.0".into(),
        info: Info::new(),
    }
}
