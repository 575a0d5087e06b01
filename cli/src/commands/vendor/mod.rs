//! `vendor …`: vendors that this site trusts; and the vendor's own side, which needs no daemon.

mod inspect;
mod issue;
mod issuer;
mod key;
mod keygen;

use crate::args::VendorCommand;
use crate::daemon::{Daemon, escape};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::printer::{Column, Printer};
use seatkeeper::token::keys::PublicKey;
use seatkeeper::wire::{TrustBody, Vendor};
use std::path::Path;

pub(super) use key::{random, random_id};

/// Trusts a vendor, or lists them; makes keys, signs, inspects.
pub(crate) fn run(daemon: &Daemon<'_>, command: &VendorCommand, printer: &Printer) -> Outcome {
    match command {
        VendorCommand::Trust { file, name } => trust(daemon, file, name.as_deref(), printer),
        VendorCommand::Remove { name } => remove(daemon, name, printer),
        VendorCommand::List => list(daemon, printer),
        VendorCommand::Keygen(args) => keygen::run(args, printer),
        VendorCommand::Issuer(args) => issuer::run(args, printer),
        VendorCommand::Issue(args) => issue::run(args, printer),
        VendorCommand::Inspect(args) => inspect::run(args, printer),
    }
}

fn trust(daemon: &Daemon<'_>, file: &Path, name: Option<&str>, printer: &Printer) -> Outcome {
    let pem = files::read(file)?;
    if pem.contains("PRIVATE KEY-----") {
        return Err(Failure::new(
            Exit::Usage,
            format!("{} is a private key", file.display()),
            "a site trusts the public half, NAME.pub.pem; whoever has this file signs licenses: it belongs to the vendor alone",
        ));
    }
    let keys = PublicKey::all_from_pem(&pem).map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("{} holds no vendor root key: {error}", file.display()),
            "take the public key (PEM) from the vendor's package, not a license and not a private key",
        )
    })?;
    let name = match name.or_else(|| after_file(file)) {
        Some(name) => name.to_owned(),
        None => {
            return Err(Failure::new(
                Exit::Usage,
                "the vendor has no name",
                "say it: `--name NAME`",
            ));
        }
    };
    // Whoever may not list them is told by the daemon alone.
    let before: Vec<Vendor> = daemon.list("/v1/vendors").unwrap_or_default();
    for key in &keys {
        if let Some(known) = before.iter().find(|vendor| has(vendor, key)) {
            printer.note(&format!(
                "root {} is trusted already, as a root of {}",
                key.thumbprint(),
                known.name
            ));
        }
    }
    let vendor: Vendor = daemon.post("/v1/vendors", &TrustBody { name, pem })?;
    printer.record(&vendor, |vendor| {
        format!("licenses of {} may be installed now", vendor.name)
    })?;
    for key in &keys {
        printer.note(&format!(
            "root {} of {}: compare it with what the vendor publishes",
            key.thumbprint(),
            vendor.name
        ));
    }
    if vendor.roots.len() > keys.len() {
        printer.note(&format!(
            "{} has {} roots now; a root signs issuing keys and no license: be sure that this is no issuing key",
            vendor.name,
            vendor.roots.len()
        ));
    }
    Ok(())
}

fn remove(daemon: &Daemon<'_>, name: &str, printer: &Printer) -> Outcome {
    let vendors: Vec<Vendor> = daemon.list("/v1/vendors")?;
    let known = vendors.iter().find(|vendor| vendor.name == name);
    let path = format!("/v1/vendors/{}", escape(name));
    let gone: Option<Vendor> = daemon.delete(&path, known.map(|known| known.revision))?;
    if let Some(gone) = gone {
        printer.record(&gone, |gone| format!("{} is trusted no more", gone.name))?;
    }
    Ok(())
}

fn has(vendor: &Vendor, key: &PublicKey) -> bool {
    vendor
        .roots
        .iter()
        .any(|root| root.thumbprint == key.thumbprint())
}

/// `acme` of `acme.pem` and of `acme.pub.pem`.
fn after_file(file: &Path) -> Option<&str> {
    let stem = file.file_stem()?.to_str()?;
    Some(stem.strip_suffix(".pub").unwrap_or(stem))
}

fn list(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let vendors: Vec<Vendor> = daemon.list("/v1/vendors")?;
    if vendors.is_empty() {
        printer.note("no vendor is trusted yet: `seatkeeper vendor trust FILE` with the root key from the vendor's package");
    }
    let roots = |vendor: &Vendor| {
        vendor
            .roots
            .iter()
            .map(|root| root.thumbprint.clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    printer.list(
        &vendors,
        &[
            Column("vendor", |vendor: &Vendor| vendor.name.clone()),
            Column("roots", roots),
        ],
    )
}
