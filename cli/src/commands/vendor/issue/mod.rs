//! `vendor issue`: a license for one site, from its request and a description in TOML.

mod description;
mod ledger;
mod lines;

use super::key;
use crate::args::IssueArgs;
use crate::clock;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::printer::Printer;
use description::{Described, Description};
use ledger::{Entry, Ledger};
use seatkeeper::token::chain::{ChainError, VerifiedLicense};
use seatkeeper::token::claims::{Issuer, License, Model, Request, Term};
use seatkeeper::token::inspect::{self, Claims};
use seatkeeper::token::keys::SigningKey;
use seatkeeper::token::{file, license, request, summary};
use serde::Serialize;
use std::path::{Path, PathBuf};

const DAY: u64 = 86_400;

#[derive(Serialize)]
struct Issued {
    file: PathBuf,
    ledger: PathBuf,
    license: License,
}

/// Signs the license and enters it.
pub(super) fn run(args: &IssueArgs, printer: &Printer) -> Outcome {
    let request = request_of(&args.request)?;
    let text = files::read(&args.description)?;
    let description = describe(&args.description, &text)?;
    let (issuer_token, issuer) = issuer_of(&args.issuer)?;
    let key = key::secret(&args.key, &args.passphrase)?;
    belongs(args, &key, &issuer)?;
    let ledger_path = ledger_path(args);
    let mut ledger = Ledger::open(&ledger_path)?;
    ledger.take(&request)?;
    let license = complete(args, description, &request, &issuer, &ledger, &text)?;
    same_site(args, &license, &request, &ledger)?;
    let signed = sign(args, &license, &key, &issuer_token, &text)?;
    let path = out_path(args, &license);
    warnings(&request, &signed, &ledger, &ledger_path)
        .iter()
        .for_each(|warning| printer.note(&format!("warning: {warning}")));
    let entry = entry(&signed, &request, &key, &path);
    ledger.enter(&entry, || {
        files::create(&path, file::write(std::slice::from_ref(&signed)), false)
    })?;
    let issued = Issued {
        file: path,
        ledger: ledger_path,
        license,
    };
    printer.record(&issued, |issued| {
        format!(
            "{}\n{}",
            issued.file.display(),
            summary::license(&signed).join("\n")
        )
    })?;
    printer.note(&format!(
        "\nEntered in {}. Next: send {} to {}; there `seatkeeper license install` takes it.",
        issued.ledger.display(),
        issued.file.display(),
        issued.license.customer.contact
    ));
    Ok(())
}

/// The one request in a file, verified under its own key.
fn request_of(path: &Path) -> Outcome<Request> {
    let text = files::read(path)?;
    let refused = |why: String| {
        Failure::new(
            Exit::Refused,
            format!("{} is no license request: {why}", path.display()),
            "ask the customer for the file that `seatkeeper license request --account ID --out FILE` writes",
        )
    };
    match &file::blocks(&text)[..] {
        [(_, token)] => request::verify(token).map_err(|error| refused(error.fault.to_string())),
        [] => Err(refused("it is empty".to_owned())),
        several => Err(refused(format!("it has {} tokens, not one", several.len()))),
    }
}

fn describe(path: &Path, text: &str) -> Outcome<Description> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| lines::at(text, span.start));
        bad_line(path, line, error.message())
    })
}

fn bad_line(path: &Path, line: usize, why: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("{}, line {line}: {}", path.display(), why.trim_end()),
        "correct that line; nothing was issued, and the request can still be used",
    )
}

fn issuer_of(path: &Path) -> Outcome<(String, Issuer)> {
    let text = files::read(path)?;
    let refused = |why: String| {
        Failure::new(
            Exit::Failed,
            format!("{} is no issuer file: {why}", path.display()),
            "name the file that `seatkeeper vendor issuer` wrote",
        )
    };
    let tokens = file::parse(text.as_bytes()).map_err(|error| refused(error.to_string()))?;
    let [token] = &tokens.issuers[..] else {
        return Err(refused(format!(
            "it has {} issuer tokens, not one",
            tokens.issuers.len()
        )));
    };
    match inspect::read(token)
        .map_err(|error| refused(error.to_string()))?
        .claims
    {
        Claims::Issuer(claims) => Ok((token.clone(), *claims)),
        _ => Err(refused("it is another token".to_owned())),
    }
}

/// The issuing key must be the one that the root named.
fn belongs(args: &IssueArgs, key: &SigningKey, issuer: &Issuer) -> Outcome {
    if issuer.sub == key.thumbprint() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Failed,
        format!(
            "{} is the key {}, but {} lets the key {} sign",
            args.key.display(),
            key.thumbprint(),
            args.issuer.display(),
            issuer.sub
        ),
        "name the issuing key and the issuer file that belong together (the root key signs no licenses)",
    ))
}

/// All claims: from the description, then from request, issuer and ledger.
fn complete(
    args: &IssueArgs,
    description: Description,
    request: &Request,
    issuer: &Issuer,
    ledger: &Ledger,
    text: &str,
) -> Outcome<License> {
    let bad =
        |claim: &str, why: &str| bad_line(&args.description, lines::of_claim(text, claim), why);
    let now = clock::unix_s();
    let (term, exp) = span(&description).map_err(|(claim, why)| bad(claim, why))?;
    if exp.is_some_and(|exp| exp <= now) {
        return Err(bad("exp", "the license would have ended already"));
    }
    let customer = description.customer.customer(&request.account);
    if customer.id != request.account {
        let why = format!(
            "customer.id is {:?}, but the request is of account {:?} (site {:?})",
            customer.id, request.account, request.site
        );
        return Err(bad("customer.id", &why));
    }
    let serial = ledger.serial(
        &issuer.iss,
        &description.id,
        description.serial,
        least_serial(request, issuer, &description.id),
    )?;
    Ok(License {
        iss: issuer.iss.clone(),
        sub: description.id,
        iat: now,
        serial,
        replaces: description.replaces,
        product: description.product,
        customer,
        nbf: description.from.map_or(now - now % DAY, |day| day.0),
        term,
        exp,
        cnf: request.cnf.clone(),
        features: description
            .features
            .into_iter()
            .map(Described::feature)
            .collect(),
        info: description.info,
    })
}

/// Dated with a last day, or perpetual without one; never a guess.
fn span(description: &Description) -> Result<(Term, Option<u64>), (&'static str, &'static str)> {
    match (description.term, description.until) {
        (None | Some(Term::Dated), Some(day)) => Ok((Term::Dated, Some(day.0 + DAY))),
        (Some(Term::Perpetual), None) => Ok((Term::Perpetual, None)),
        (Some(Term::Perpetual), Some(_)) => Err((
            "until",
            "a perpetual license has no last day: drop `until` or `term`",
        )),
        (_, None) => Err((
            "term",
            "until when? Say `until = 2027-12-31` (its last day), or `term = \"perpetual\"`",
        )),
    }
}

/// A license has one site; a second one would have its seats a second time.
fn same_site(args: &IssueArgs, license: &License, request: &Request, ledger: &Ledger) -> Outcome {
    match ledger.last(&license.iss, &license.sub) {
        Some(last) if last.site != request.iss && !args.new_site => Err(Failure::new(
            Exit::Refused,
            format!(
                "serial {} of {} went to the site key {}, and this request is of another, {} (site {:?})",
                last.serial, license.sub, last.site, request.iss, request.site
            ),
            "give a second site a license id of its own; where the first is gone and the license moves, say `--new-site` \
             (the first site keeps what it has until that ends)",
        )),
        _ => Ok(()),
    }
}

/// Above what the site has installed and what the root has withdrawn.
fn least_serial(request: &Request, issuer: &Issuer, id: &str) -> u64 {
    request
        .installed
        .iter()
        .filter(|installed| installed.vendor == issuer.iss && installed.license == id)
        .map(|installed| installed.serial.saturating_add(1))
        .max()
        .unwrap_or(1)
        .max(issuer.min_serial)
}

/// Signs, and verifies what came out as a site would, short of the root.
fn sign(
    args: &IssueArgs,
    claims: &License,
    key: &SigningKey,
    issuer_token: &str,
    text: &str,
) -> Outcome<VerifiedLicense> {
    let token = license::sign(claims, key).map_err(|error| {
        let why = error.fault.to_string();
        bad_line(&args.description, lines::of_claim(text, &why), &why)
    })?;
    inspect::license_on_trust(issuer_token, &token).map_err(|error| {
        if let ChainError::Product { product } = &error {
            let why = format!(
                "the issuer file {} does not cover the product {product:?}",
                args.issuer.display()
            );
            return bad_line(&args.description, lines::of_claim(text, "product"), &why);
        }
        Failure::new(
            Exit::Refused,
            format!("{} does not cover this license: {error}", args.issuer.display()),
            "correct the license, or have the root sign a new issuer token: `seatkeeper vendor issuer --after FILE …`",
        )
    })
}

fn warnings(
    request: &Request,
    signed: &VerifiedLicense,
    ledger: &Ledger,
    path: &Path,
) -> Vec<String> {
    let license = &signed.license;
    let mut found = Vec::new();
    if ledger.is_empty() {
        found.push(format!(
            "the ledger {} is new: what was issued before is not known to it",
            path.display()
        ));
    }
    if request.clocks_accepted > 0 {
        found.push(format!(
            "the site has accepted a wrong clock {}",
            times(request.clocks_accepted)
        ));
    }
    if license
        .features
        .iter()
        .any(|f| f.model == Model::Floating && f.named_min_s > 0)
    {
        found.push("named_min_s means nothing for a floating feature".to_owned());
    }
    if let Some(support) = license.info.get("support")
        && !support.as_str().is_some_and(is_address)
    {
        found.push(format!(
            "info.support is {support}, no mail address: sites cannot mail their license requests there"
        ));
    }
    found
}

/// It looks like a mail address; a site judges it when it mails.
fn is_address(text: &str) -> bool {
    let (local, domain) = text.split_once('@').unwrap_or_default();
    let odd = |c: char| c.is_whitespace() || c.is_control() || "@/:<>,;".contains(c);
    !local.is_empty()
        && !domain.is_empty()
        && !text.contains("//")
        && !domain.contains(odd)
        && !local.contains(odd)
}

fn times(n: u64) -> String {
    crate::words::count(n, "time")
}

fn entry(signed: &VerifiedLicense, request: &Request, key: &SigningKey, path: &Path) -> Entry {
    let license = &signed.license;
    Entry {
        at: license.iat,
        vendor: license.iss.clone(),
        license: license.sub.clone(),
        serial: license.serial,
        customer: license.customer.id.clone(),
        request: request.jti.clone(),
        site: request.iss.clone(),
        key: key.thumbprint().to_owned(),
        hash: signed.hash.clone(),
        file: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}

fn ledger_path(args: &IssueArgs) -> PathBuf {
    args.ledger
        .clone()
        .unwrap_or_else(|| args.key.with_file_name("issued.jsonl"))
}

fn out_path(args: &IssueArgs, license: &License) -> PathBuf {
    args.out.clone().unwrap_or_else(|| {
        let id: String = license
            .sub
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        PathBuf::from(format!("{id}-{}.lic", license.serial))
    })
}
