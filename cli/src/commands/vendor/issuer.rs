//! `vendor issuer`: a root lets an issuing key sign licenses, and withdraws what must not be used any more.

use super::key;
use crate::args::IssuerArgs;
use crate::clock;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::printer::Printer;
use seatkeeper::token::claims::{Info, Issuer};
use seatkeeper::token::keys::{PublicKey, SigningKey};
use seatkeeper::token::{chain, dates, file, issuer};
use serde::Serialize;
use std::path::{Path, PathBuf};

const DAY: u64 = 86_400;

#[derive(Serialize)]
struct Made {
    file: PathBuf,
    root: String,
    issuer: Issuer,
}

/// Signs the issuer token.
pub(super) fn run(args: &IssuerArgs, printer: &Printer) -> Outcome {
    let root = key::secret(&args.root_key, &args.passphrase)?;
    let issuing = one_public(&args.issuing_key)?;
    if issuing == root.public() {
        return Err(Failure::new(
            Exit::Usage,
            "root key and issuing key are the same key: the root could never be kept offline",
            "make a second one: `seatkeeper vendor keygen issuing NAME`",
        ));
    }
    let before = args
        .after
        .as_deref()
        .map(|path| previous(path, &root))
        .transpose()?;
    let claims = claims(args, &issuing, before.as_ref())?;
    let token = issuer::sign(&claims, &root).map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("no issuer token was made: {error}"),
            "correct the arguments",
        )
    })?;
    let path = args.out.clone().unwrap_or_else(|| default_path(&claims));
    files::create(
        &path,
        summary(&claims, root.thumbprint()) + "\n" + &token + "\n",
        false,
    )?;
    let made = Made {
        file: path,
        root: root.thumbprint().to_owned(),
        issuer: claims,
    };
    printer.record(&made, |made| {
        format!(
            "{}\n{}",
            made.file.display(),
            plain(&made.issuer, &made.root)
        )
    })?;
    if let Some(before) = before.filter(|before| clock::unix_s() < before.iat) {
        printer.note(&format!(
            "The token before was signed at {}, which this machine's clock has not reached: is the clock right? This one \
             is signed a second after it, so that sites take it for the newer one.",
            dates::format(before.iat)
        ));
    }
    printer.note(&next(&made));
    Ok(())
}

fn one_public(path: &Path) -> Outcome<PublicKey> {
    let mut keys = key::public(path)?;
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(key),
        _ => Err(Failure::new(
            Exit::Usage,
            format!("{} holds several keys", path.display()),
            "an issuer token names one issuing key: give a file with that one",
        )),
    }
}

/// The newest issuer token of this root in a file.
fn previous(path: &Path, root: &SigningKey) -> Outcome<Issuer> {
    let text = files::read(path)?;
    let refused = |what: String| {
        Failure::new(
            Exit::Refused,
            format!("{}: {what}", path.display()),
            "name the issuer file that this root signed last",
        )
    };
    let tokens = file::parse(text.as_bytes()).map_err(|error| refused(error.to_string()))?;
    tokens
        .issuers
        .iter()
        .map(|token| chain::verify_issuer(&[root.public()], token))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| refused(error.to_string()))?
        .into_iter()
        .map(|(_, claims)| claims)
        .max_by_key(|claims| claims.iat)
        .ok_or_else(|| refused("there is no issuer token in it".to_owned()))
}

fn claims(args: &IssuerArgs, issuing: &PublicKey, before: Option<&Issuer>) -> Outcome<Issuer> {
    let now = clock::unix_s();
    let nbf = match &args.from {
        Some(text) => date("--from", text)?,
        None => now - now % DAY,
    };
    let exp = date("--until", &args.until)? + DAY;
    if exp <= now.max(nbf) {
        return Err(Failure::new(
            Exit::Usage,
            format!("--until {}: the key could never sign", args.until),
            "give a last day that is still to come, and after --from",
        ));
    }
    let products = match (&args.products[..], before) {
        ([], Some(before)) => before.products.clone(),
        (products, _) => products.to_vec(),
    };
    let vendor = args.vendor.clone().or(before.map(|b| b.iss.clone()));
    let (min_serial, revoked_kids) = withdrawn(args, issuing, before)?;
    Ok(Issuer {
        iss: vendor.unwrap_or_default(),
        sub: issuing.thumbprint(),
        jti: key::random_id()?,
        iat: signed_at(now, before),
        nbf,
        exp,
        cnf: issuing.to_cnf(),
        products,
        min_serial,
        revoked_kids,
        info: Info::new(),
    })
}

/// After the token before: sites heed the newest one, and two of one second are one to them.
fn signed_at(now: u64, before: Option<&Issuer>) -> u64 {
    before.map_or(now, |before| now.max(before.iat.saturating_add(1)))
}

/// What is withdrawn stays so: sites heed the newest token, and one that forgets would give back what leaked.
fn withdrawn(
    args: &IssuerArgs,
    issuing: &PublicKey,
    before: Option<&Issuer>,
) -> Outcome<(u64, Vec<String>)> {
    let mut revoked: Vec<String> = before.map(|b| b.revoked_kids.clone()).unwrap_or_default();
    revoked.extend(args.revoked.iter().cloned());
    revoked.sort();
    revoked.dedup();
    if revoked.contains(&issuing.thumbprint()) {
        return Err(Failure::new(
            Exit::Usage,
            "the issuing key is itself withdrawn: nothing signed with it would be taken",
            "name another one, from `seatkeeper vendor keygen issuing NAME`",
        ));
    }
    let least = before.map_or(0, |b| b.min_serial);
    match args.min_serial {
        Some(n) if n < least => Err(Failure::new(
            Exit::Usage,
            format!("--min-serial {n} is lower than {least} of the token before"),
            format!(
                "licenses below {least} are withdrawn already: say {least} or more, or leave it out"
            ),
        )),
        n => Ok((n.unwrap_or(least), revoked)),
    }
}

fn date(argument: &str, text: &str) -> Outcome<u64> {
    dates::parse(text).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            format!("{argument} {text}: not a day"),
            "write it as 2027-01-31",
        )
    })
}

fn default_path(claims: &Issuer) -> PathBuf {
    let vendor: String = claims
        .iss
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    PathBuf::from(format!("{vendor}-{}.issuer", &claims.sub[..8]))
}

fn summary(claims: &Issuer, root: &str) -> String {
    let head = "A Seatkeeper issuer token: public, it goes into every license file. Lines like this one decide nothing.";
    std::iter::once(head.to_owned())
        .chain(plain(claims, root).lines().map(str::to_owned))
        .fold(String::new(), |text, line| format!("{text}# {line}\n"))
}

/// An issuer token in lines.
pub(super) fn plain(claims: &Issuer, root: &str) -> String {
    let mut text = format!(
        "issuer token of {}\nroot key {root} lets issuing key {}\nsign licenses of {}\nfrom {} through {}",
        claims.iss,
        claims.sub,
        claims.products.join(", "),
        dates::format(claims.nbf),
        dates::last_day(claims.exp)
    );
    if claims.min_serial > 0 {
        text.push_str(&format!(
            "\nlicenses below serial {} are withdrawn",
            claims.min_serial
        ));
    }
    for kid in &claims.revoked_kids {
        text.push_str(&format!("\nissuing key {kid} is withdrawn"));
    }
    text
}

fn next(made: &Made) -> String {
    let file = made.file.display();
    let mut text = format!(
        "\nNext: sign licenses with the issuing key:\n    seatkeeper vendor issue SITE.req LICENSE.toml --key ISSUING.pem --issuer {file}"
    );
    if made.issuer.min_serial > 0 || !made.issuer.revoked_kids.is_empty() {
        text.push_str(&format!(
            "\nA site heeds what is withdrawn from when it has this token: with the next license file, or {file} alone, \
             which `seatkeeper license install` takes too."
        ));
    }
    text
}
