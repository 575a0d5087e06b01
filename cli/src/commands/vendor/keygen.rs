//! `vendor keygen`: a root key or an issuing key.

use super::key;
use crate::args::{KeyFor, KeygenArgs};
use crate::clock;
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::{files, passphrase};
use seatkeeper::token::dates;
use seatkeeper::token::keys::SigningKey;
use serde::Serialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

#[derive(Serialize)]
struct Made {
    purpose: &'static str,
    thumbprint: String,
    secret: PathBuf,
    public: PathBuf,
    encrypted: bool,
}

/// Makes the key and writes both halves.
pub(super) fn run(args: &KeygenArgs, printer: &Printer) -> Outcome {
    let (secret, public) = (
        with_ending(&args.name, ".pem"),
        with_ending(&args.name, ".pub.pem"),
    );
    for path in [&secret, &public] {
        free(path)?;
    }
    let passphrase = wanted(args)?;
    let key = SigningKey::generate(&key::random()?);
    let head = format!(
        "# seatkeeper vendor {} key: new {}, thumbprint {}\n",
        args.purpose.word(),
        dates::day(clock::unix_s()),
        key.thumbprint()
    );
    let pem = match &passphrase {
        None => key.to_pem(),
        Some(passphrase) => key
            .to_encrypted_pem(passphrase.as_bytes(), &*key::random()?)
            .expect("the passphrase is not empty"),
    };
    let text = Zeroizing::new(format!("{head}{}", *pem));
    files::create(&secret, text.as_bytes(), true)?;
    files::create(&public, head + &key.public().to_pem(), false).inspect_err(|_| {
        // Nobody has used the new key yet, and half a pair would stand in the way of the next try.
        drop(std::fs::remove_file(&secret));
    })?;
    let made = Made {
        purpose: args.purpose.word(),
        thumbprint: key.thumbprint().to_owned(),
        secret,
        public,
        encrypted: passphrase.is_some(),
    };
    printer.record(&made, text_of)?;
    printer.note(&next(args.purpose, &made));
    Ok(())
}

impl KeyFor {
    fn word(self) -> &'static str {
        match self {
            KeyFor::Root => "root",
            KeyFor::Issuing => "issuing",
        }
    }
}

/// `acme-root` and `acme-root.pem` mean the same key.
fn with_ending(name: &Path, ending: &str) -> PathBuf {
    let mut path: OsString = if name.extension().is_some_and(|found| found == "pem") {
        name.with_extension("").into_os_string()
    } else {
        name.as_os_str().to_owned()
    };
    path.push(ending);
    path.into()
}

fn free(path: &Path) -> Outcome {
    if path.symlink_metadata().is_ok() {
        let exists = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(Failure::file("write", path, &exists));
    }
    Ok(())
}

fn wanted(args: &KeygenArgs) -> Outcome<Option<Zeroizing<String>>> {
    if args.passphrase || args.passphrase_file.is_some() {
        let file = args.passphrase_file.as_deref();
        return passphrase::of_key(file, "passphrase for the new key", true).map(Some);
    }
    Ok(passphrase::from_environment())
}

fn text_of(made: &Made) -> String {
    let secret = if made.encrypted {
        "encrypted, only you can read the file"
    } else {
        "NOT encrypted, only you can read the file"
    };
    format!(
        "{} key    {}\nsecret half  {}   ({secret})\npublic half  {}",
        made.purpose,
        made.thumbprint,
        made.secret.display(),
        made.public.display()
    )
}

fn next(purpose: KeyFor, made: &Made) -> String {
    let (secret, public) = (made.secret.display(), made.public.display());
    let mut text = match purpose {
        KeyFor::Root => format!(
            "\nNext:\n\
             - Compile {public} into the application, with a second root for the day this one must go: \
             `.vendor_roots(&[include_str!(…), include_str!(…)])`.\n\
             - Ship {public} with the product as well: IT puts it into vendors.d as VENDOR.pem, or runs \
             `seatkeeper vendor trust {public} --name VENDOR`. Publish the thumbprint, so that they can compare.\n\
             - Keep {secret} offline, in two places. Whoever has it can license everything, and a lost one cannot be made again.\n\
             - `seatkeeper vendor keygen issuing NAME` makes the key for daily use; `seatkeeper vendor issuer --root-key {secret} …` lets it sign."
        ),
        KeyFor::Issuing => format!(
            "\nNext:\n\
             - Let a root name it:\n    seatkeeper vendor issuer --root-key ROOT.pem --issuing-key {public} --vendor NAME --product PRODUCT --until 2027-12-31\n\
             - Then sign licenses:\n    seatkeeper vendor issue SITE.req LICENSE.toml --key {secret} --issuer FILE.issuer\n\
             - If {secret} leaks: `vendor keygen issuing` a new one, and `vendor issuer … --revoke {}` withdraws this one.",
            made.thumbprint
        ),
    };
    if !made.encrypted {
        text.push_str(
            "\n- A passphrase is wanted for anything but a try: `--passphrase` asks for one.",
        );
    }
    text
}
