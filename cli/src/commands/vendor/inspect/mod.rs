//! `vendor inspect`: what stands in a file of tokens, and every check that was made on it.

mod checks;
mod split;
mod tell;

use super::key;
use crate::args::InspectArgs;
use crate::clock;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::printer::Printer;
use checks::{Check, Found};
use seatkeeper::token::file;
use seatkeeper::token::inspect::{self, Unverified};
use seatkeeper::token::keys::PublicKey;
use seatkeeper::token::{TokenError, hash};
use serde::Serialize;

/// A token of the file, read but not trusted.
struct Token {
    line: usize,
    text: String,
    read: Unverified,
}

#[derive(Serialize)]
struct Report {
    file: String,
    tokens: Vec<Told>,
    checks: Vec<Check>,
    good: bool,
}

#[derive(Serialize)]
struct Told {
    line: usize,
    kind: String,
    kid: String,
    hash: String,
    summary: Vec<String>,
    claims: serde_json::Value,
}

/// Reads, checks, tells; a check that fails fails the command.
pub(super) fn run(args: &InspectArgs, printer: &Printer) -> Outcome {
    let text = files::read(&args.file)?;
    let roots = keys(args.root.as_deref())?;
    let given = keys(args.key.as_deref())?;
    if text.contains("PRIVATE KEY-----") {
        return Err(Failure::new(
            Exit::Usage,
            format!("{} is a secret key, not a token", args.file.display()),
            "nothing of it was shown; if it came by mail, it is not secret any more: make a new one",
        ));
    }
    if is_other(&text) {
        return Err(no_token(args));
    }
    let (tokens, mut checks) = tokens(&text);
    checks.extend(checks::all(&tokens, &roots, &given, clock::unix_s()));
    let report = Report {
        file: args.file.display().to_string(),
        tokens: tokens.iter().map(told).collect(),
        good: !checks.iter().any(|check| check.found == Found::Wrong),
        checks,
    };
    printer.record(&report, tell::text)?;
    if let Some(folder) = &args.split {
        split::write(
            folder,
            &tokens,
            &checks::ring(&tokens, &roots, &given),
            printer,
        )?;
    }
    if report.good {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Refused,
        format!(
            "{} is not good: see what is WRONG above",
            args.file.display()
        ),
        "a site would refuse it; ask whoever made it for a new file, or for an unaltered copy",
    ))
}

/// No block of three parts, or a public key: whoever named it meant another one.
fn is_other(text: &str) -> bool {
    text.contains("PUBLIC KEY-----")
        || file::blocks(text)
            .iter()
            .all(|(_, block)| block.split('.').count() != 3)
}

fn no_token(args: &InspectArgs) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("there is no token in {}", args.file.display()),
        "name a license file (.lic), a request (.req), an issuer file, or a file with one token \
         (three parts of base64url joined by dots)",
    )
}

fn keys(path: Option<&std::path::Path>) -> Outcome<Vec<PublicKey>> {
    path.map_or_else(|| Ok(Vec::new()), key::public)
}

/// The tokens that can be read, and a check for each block.
fn tokens(text: &str) -> (Vec<Token>, Vec<Check>) {
    let (mut tokens, mut checks): (Vec<Token>, _) = (Vec::new(), Vec::new());
    for (line, block) in file::blocks(text) {
        let known = tokens.iter().any(|token| token.text == block);
        match inspect::read(&block) {
            Ok(_) if known => {}
            Ok(read) => {
                let what = format!(
                    "form of the {} at line {line}: strict JWS, known claims, values in bounds",
                    read.kind
                );
                checks.push(Check::good(what));
                tokens.push(Token {
                    line,
                    text: block,
                    read,
                });
            }
            Err(error) => checks.push(unreadable(line, &error)),
        }
    }
    (tokens, checks)
}

fn unreadable(line: usize, error: &TokenError) -> Check {
    let what = format!("form of the token at line {line}");
    match &error.fault {
        seatkeeper::token::Fault::Typ { found } => Check::open(
            what,
            format!("its kind {found:?} is not known to this version; sites skip it"),
        ),
        fault => Check::wrong(what, fault.to_string()),
    }
}

fn told(token: &Token) -> Told {
    Told {
        line: token.line,
        kind: token.read.kind.to_string(),
        kid: token.read.kid.clone(),
        hash: hash(&token.text),
        summary: tell::claims(&token.read),
        claims: tell::json(&token.read.claims),
    }
}
