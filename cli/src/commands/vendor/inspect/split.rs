//! `--split`: the three files with which OpenSSL checks a signature, so that nobody needs to take our word.

use super::Token;
use super::checks::{self, Known};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::printer::Printer;
use seatkeeper::token::Kind;
use std::path::{Path, PathBuf};

/// Writes the license (else the first token) into the folder, every further token into a numbered one below it.
pub(super) fn write(folder: &Path, tokens: &[Token], ring: &[Known], printer: &Printer) -> Outcome {
    let mut ready: Vec<_> = tokens
        .iter()
        .filter_map(|token| checks::signer(token, ring).map(|known| (token, known)))
        .collect();
    ready.sort_by_key(|(token, _)| token.read.kind != Kind::License);
    if ready.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "nothing to split: the key of no token is at hand",
            "give it: --root PEM for an issuer token, --key PEM for any other",
        ));
    }
    for (n, (token, known)) in ready.iter().enumerate() {
        let folder = if n == 0 {
            folder.to_owned()
        } else {
            folder.join((n + 1).to_string())
        };
        one(&folder, token, known)?;
        printer.note(&command(&folder, token));
    }
    Ok(())
}

fn one(folder: &PathBuf, token: &Token, known: &Known) -> Outcome {
    std::fs::create_dir_all(folder).map_err(|error| Failure::file("make", folder, &error))?;
    files::create(&folder.join("key.pem"), known.key.to_pem(), false)?;
    files::create(&folder.join("signed"), &token.read.signed, false)?;
    files::create(&folder.join("sig"), token.read.signature, false)
}

fn command(folder: &Path, token: &Token) -> String {
    let folder = folder.display();
    format!(
        "the {} at line {}:\n    openssl pkeyutl -verify -pubin -inkey {folder}/key.pem -rawin -in {folder}/signed -sigfile {folder}/sig",
        token.read.kind, token.line
    )
}
