//! `site key …`: the key that licenses are bound to.

mod delegate;

use super::vendor::{random, random_id};
use crate::args::{KeyCommand, NewKeyArgs, SiteCommand};
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::{clock, files, passphrase, words};
use seatkeeper::token::claims::{Info, Request};
use seatkeeper::token::keys::{KeyError, PublicKey, SigningKey, SiteKeyOrigin};
use seatkeeper::token::request;
use seatkeeper::wire::{DelegationBody, ExportBody, ExportReply, SiteKey};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What `site key new` made.
#[derive(Serialize)]
struct Made {
    thumbprint: String,
    key: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public: Option<PathBuf>,
}

/// Shows the key, makes, exports or delegates it.
pub(crate) fn run(daemon: &Daemon<'_>, command: &SiteCommand, printer: &Printer) -> Outcome {
    let SiteCommand::Key(command) = command;
    match command {
        KeyCommand::New(args) => new(args, printer),
        KeyCommand::Show { lease_key } => show(daemon, lease_key.as_deref(), printer),
        KeyCommand::Export {
            out,
            passphrase_file,
        } => export(daemon, out, passphrase_file.as_deref(), printer),
        KeyCommand::Delegate(args) => delegate::run(args, printer),
        KeyCommand::Accept { file } => accept(daemon, file, printer),
    }
}

fn show(daemon: &Daemon<'_>, lease_key: Option<&Path>, printer: &Printer) -> Outcome {
    let key: SiteKey = daemon.get("/v1/site-key")?;
    if let Some(file) = lease_key {
        files::create(file, &key.lease_key, false)?;
    }
    printer.record(&key, text)?;
    if let Some(file) = lease_key {
        printer.note(&format!(
            "the lease key's public half is in {}: `seatkeeper site key delegate` takes it where the site key is kept",
            file.display()
        ));
    }
    Ok(())
}

fn text(key: &SiteKey) -> String {
    let kept = match (key.elsewhere, key.exported) {
        (true, _) => "elsewhere: this daemon has its public half",
        (false, true) => "yes",
        (false, false) => "no: `seatkeeper site key export --out FILE`",
    };
    let lease_key = PublicKey::from_pem(&key.lease_key).map(|key| key.thumbprint());
    let until = match (key.delegation_exp, key.elsewhere) {
        (Some(exp), false) => format!("until {}, renewed by itself", words::date(exp)),
        (Some(exp), true) => format!(
            "until {}; `seatkeeper help site key delegate` says how it is renewed",
            words::date(exp)
        ),
        (None, _) => "none: no seat is given (`seatkeeper help site key delegate`)".to_owned(),
    };
    format!(
        "thumbprint  {}\nkept safe   {kept}\nlease key   {}\ndelegation  {until}\n\n{}",
        key.thumbprint,
        lease_key.unwrap_or_default(),
        key.pem
    )
}

fn accept(daemon: &Daemon<'_>, file: &Path, printer: &Printer) -> Outcome {
    let delegation = files::read(file)?;
    let key: SiteKey = daemon.post("/v1/site-key/delegation", &DelegationBody { delegation })?;
    printer.record(&key, |key| {
        let until = key.delegation_exp.map(words::date).unwrap_or_default();
        format!("seats can be signed until {until}")
    })?;
    printer.note(if key.elsewhere {
        "`seatkeeper doctor` warns from 30 days before that day on"
    } else {
        "the site key is still here. Once you have seen elsewhere that its export opens, stop the daemon, take \
         keys/site.key away from its state directory and start it: keys/site.pub.pem, which is there now, stands for it"
    });
    Ok(())
}

fn export(daemon: &Daemon<'_>, out: &Path, file: Option<&Path>, printer: &Printer) -> Outcome {
    let passphrase = passphrase::get(
        file,
        "passphrase for the exported key, 8 characters or more",
        true,
    )?;
    // The file is there first: a key that was told counts as kept elsewhere.
    files::fill(out, |file| {
        let reply: ExportReply = daemon.post("/v1/site-key/export", &ExportBody { passphrase })?;
        let written = file.write_all(reply.pem.as_bytes());
        written.map_err(|error| Failure::file("write", out, &error))
    })?;
    printer.note(&format!(
        "the site key is in {}, encrypted; keep it on another machine, and its passphrase elsewhere",
        out.display()
    ));
    printer.note("`seatkeeper site key new --from` opens it, where the machine is lost");
    Ok(())
}

/// Makes a key, or opens an exported one, and writes it as a daemon takes it.
fn new(args: &NewKeyArgs, printer: &Printer) -> Outcome {
    let (key, origin) = match &args.from {
        None => (SigningKey::generate(&random()?), SiteKeyOrigin::New),
        Some(export) => (
            opened(export, args.passphrase_file.as_deref())?,
            SiteKeyOrigin::Export,
        ),
    };
    let signed = match (&args.request, &args.account) {
        (Some(file), Some(account)) => Some((file, signed_request(args, account, &key)?)),
        _ => None,
    };
    let text = origin.file(&key.to_pem(), clock::unix_s());
    files::create(&args.out, text.as_bytes(), true)?;
    let mut written = vec![&args.out];
    let request = signed
        .as_ref()
        .map(|(file, token)| (*file, format!("{token}\n")));
    let public = args
        .public
        .as_ref()
        .map(|file| (file, key.public().to_pem()));
    for (file, text) in request.into_iter().chain(public) {
        files::create(file, text, false).inspect_err(|_| {
            // Nobody has used the new key yet, and it would stand in the way of the next try.
            written
                .iter()
                .for_each(|file| drop(std::fs::remove_file(file)));
        })?;
        written.push(file);
    }
    let made = Made {
        thumbprint: key.thumbprint().to_owned(),
        key: args.out.clone(),
        request: signed.map(|(file, _)| file.clone()),
        public: args.public.clone(),
    };
    printer.record(&made, |made| {
        let mut text = format!(
            "site key  {}\nsecret    {}   (NOT encrypted, only you can read the file)",
            made.thumbprint,
            made.key.display()
        );
        if let Some(request) = &made.request {
            let _ = write!(text, "\nrequest   {}", request.display());
        }
        if let Some(public) = &made.public {
            let _ = write!(text, "\npublic    {}", public.display());
        }
        text
    })?;
    if args.from.is_none() {
        let send = made.request.as_ref().map_or(String::new(), |file| {
            format!("; send {} to the vendor", file.display())
        });
        printer.note(&format!(
            "before the daemon's first start put {} into its state directory as keys/site.key, and keep a copy of it in a safe place{send}",
            args.out.display()
        ));
    } else {
        printer.note("a daemon that starts with it and without its state begins in quarantine (`seatkeeper help 21`)");
    }
    Ok(())
}

/// An exported key.
fn opened(export: &Path, file: Option<&Path>) -> Outcome<SigningKey> {
    let pem = Zeroizing::new(files::read(export)?);
    let failed = |what: &str, next: &str| {
        Failure::new(Exit::Failed, format!("{}: {what}", export.display()), next)
    };
    let no_export = || {
        failed(
            "it is no exported site key",
            "name the file that `site key export` wrote",
        )
    };
    let exported = SiteKeyOrigin::said_by(&pem) == Some(SiteKeyOrigin::Export);
    if !exported || !SigningKey::is_encrypted(&pem) {
        return Err(no_export());
    }
    let passphrase = passphrase::get(file, "passphrase of the exported key", false)?;
    let key = SigningKey::from_pem(&pem, Some(passphrase.as_bytes()));
    key.map_err(|why| match why {
        KeyError::WrongPassphrase => failed(
            "the passphrase does not open it",
            "try again with the one that was given at `site key export`",
        ),
        _ => no_export(),
    })
}

fn signed_request(args: &NewKeyArgs, account: &str, key: &SigningKey) -> Outcome<String> {
    let claims = Request {
        iss: key.thumbprint().to_owned(),
        jti: random_id()?,
        iat: clock::unix_s(),
        cnf: key.public().to_cnf(),
        site: args.site_name.clone().unwrap_or_default(),
        account: account.to_owned(),
        product_version: args.product_version.clone(),
        order: args.order.clone(),
        installed: Vec::new(),
        clocks_accepted: 0,
        daemon: env!("CARGO_PKG_VERSION").to_owned(),
        info: Info::new(),
    };
    request::sign(&claims, key).map_err(|why| {
        Failure::new(
            Exit::Usage,
            format!("no request can be made of this: {why}"),
            "look at --account, --site-name, --product-version and --order",
        )
    })
}
