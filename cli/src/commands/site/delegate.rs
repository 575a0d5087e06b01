//! `site key delegate`: the site key lets a daemon's lease key sign seats, on a machine that has no daemon.

use super::opened;
use crate::args::DelegateArgs;
use crate::commands::vendor::random_id;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::{clock, files};
use seatkeeper::token::keys::{PublicKey, SigningKey};
use seatkeeper::token::{dates, delegation};
use serde::Serialize;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const DAY: u64 = 86_400;

/// What was signed.
#[derive(Serialize)]
struct Signed {
    site_key: String,
    lease_key: String,
    until: u64,
    delegation: PathBuf,
}

/// Signs it into a new file.
pub(super) fn run(args: &DelegateArgs, printer: &Printer) -> Outcome {
    let lease_key = lease_key(&args.lease_key)?;
    let site_key = match (&args.key, &args.from) {
        (Some(key), _) => plain(key)?,
        (_, Some(export)) => opened(export, args.passphrase_file.as_deref())?,
        // clap asks for one of them.
        (None, None) => return Err(Failure::new(Exit::Usage, "no site key is named", "")),
    };
    if lease_key.thumbprint() == site_key.thumbprint() {
        return Err(Failure::new(
            Exit::Usage,
            format!("{} is the site key itself", args.lease_key.display()),
            "name the file of the daemon's lease key: `seatkeeper site key show --lease-key FILE` writes it",
        ));
    }
    let now = (random_id()?, clock::unix_s());
    let claims = delegation::to_lease_key(&lease_key, &site_key, now, args.days * DAY);
    let token = delegation::sign(&claims, &site_key).map_err(|why| {
        Failure::new(
            Exit::Failed,
            format!("no delegation can be made of this: {why}"),
            "is this machine's clock right?",
        )
    })?;
    files::create(&args.out, delegation::file(&claims, &token), false)?;
    let signed = Signed {
        site_key: claims.iss,
        lease_key: claims.sub,
        until: claims.exp,
        delegation: args.out.clone(),
    };
    printer.record(&signed, |signed| {
        format!(
            "site key    {}\nlease key   {}\nuntil       {}\ndelegation  {}",
            signed.site_key,
            signed.lease_key,
            dates::format(signed.until),
            signed.delegation.display()
        )
    })?;
    printer.note(&format!(
        "on the server: `seatkeeper site key accept {}`; see there that its lease key is the one above (`seatkeeper site key show`)",
        args.out.display()
    ));
    Ok(())
}

/// The site key in the file of `site key new`.
fn plain(path: &Path) -> Outcome<SigningKey> {
    let pem = Zeroizing::new(files::read(path)?);
    let failed = |what: String, next: &str| {
        Failure::new(Exit::Failed, format!("{}: {what}", path.display()), next)
    };
    if SigningKey::is_encrypted(&pem) {
        return Err(failed(
            "it is encrypted, as an export is".to_owned(),
            "name it with --from, which asks for its passphrase",
        ));
    }
    SigningKey::from_pem(&pem, None).map_err(|why| {
        failed(
            format!("it is no site key: {why}"),
            "name the file that `site key new` wrote, or the export with --from",
        )
    })
}

fn lease_key(path: &Path) -> Outcome<PublicKey> {
    let pem = files::read(path)?;
    let next = "name the file that `seatkeeper site key show --lease-key FILE` wrote on the server; the lease key's secret half stays there";
    let failed =
        |what: String| Failure::new(Exit::Failed, format!("{}: {what}", path.display()), next);
    if pem.contains("PRIVATE KEY-----") {
        return Err(failed("it is a private key".to_owned()));
    }
    PublicKey::from_pem(&pem).map_err(|why| failed(format!("it is no public key: {why}")))
}
