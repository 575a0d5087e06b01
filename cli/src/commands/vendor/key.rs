//! A vendor's keys as files, and random bytes for new ones.

use crate::args::PassphraseArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{files, passphrase};
use rustix::rand::{GetRandomFlags, getrandom};
use seatkeeper::token::keys::{KeyError, PublicKey, SigningKey};
use std::path::Path;
use zeroize::Zeroizing;

/// The secret key in a file; its passphrase is asked for only where it has one.
pub(super) fn secret(path: &Path, args: &PassphraseArgs) -> Outcome<SigningKey> {
    let pem = Zeroizing::new(files::read(path)?);
    let passphrase = if SigningKey::is_encrypted(&pem) {
        let prompt = format!("passphrase of {}", path.display());
        Some(passphrase::of_key(
            args.passphrase_file.as_deref(),
            &prompt,
            false,
        )?)
    } else {
        None
    };
    SigningKey::from_pem(&pem, passphrase.as_ref().map(|p| p.as_bytes())).map_err(|error| {
        let next = match error {
            KeyError::WrongPassphrase | KeyError::NeedsPassphrase => {
                "try again; without its passphrase the key is lost"
            }
            _ if pem.contains("PUBLIC KEY") => {
                "this is the public half; the secret one is NAME.pem beside it"
            }
            _ => "name the NAME.pem that `seatkeeper vendor keygen` wrote",
        };
        Failure::new(
            Exit::Failed,
            format!("cannot sign with {}: {error}", path.display()),
            next,
        )
    })
}

/// The public keys in a file, at least one.
pub(super) fn public(path: &Path) -> Outcome<Vec<PublicKey>> {
    let pem = files::read(path)?;
    PublicKey::all_from_pem(&pem).map_err(|error| {
        let next = if pem.contains("PRIVATE KEY") {
            "this is the secret half; the public one is NAME.pub.pem beside it"
        } else {
            "name the NAME.pub.pem that `seatkeeper vendor keygen` wrote"
        };
        let what = format!("{} holds no public key: {error}", path.display());
        Failure::new(Exit::Failed, what, next)
    })
}

/// 32 bytes from the operating system.
pub(in crate::commands) fn random() -> Outcome<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    match getrandom(&mut bytes[..], GetRandomFlags::empty()) {
        Ok(32) => Ok(bytes),
        Ok(_) => Err(no_random("too few bytes")),
        Err(error) => Err(no_random(error)),
    }
}

/// 32 random hex digits: an id that nobody else has.
pub(in crate::commands) fn random_id() -> Outcome<String> {
    let random = random()?;
    Ok(random[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn no_random(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("the operating system gives no random bytes: {error}"),
        "",
    )
}
