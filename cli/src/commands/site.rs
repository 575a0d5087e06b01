//! `site key …`: the key that licenses are bound to.

use crate::args::{KeyCommand, SiteCommand};
use crate::daemon::Daemon;
use crate::failure::Outcome;
use crate::printer::Printer;
use crate::{files, passphrase, words};
use seatkeeper::wire::{ExportBody, ExportReply, SiteKey};
use std::path::Path;

/// Shows the key, or exports it.
pub(crate) fn run(daemon: &Daemon<'_>, command: &SiteCommand, printer: &Printer) -> Outcome {
    let SiteCommand::Key(command) = command;
    match command {
        KeyCommand::Show => printer.record(&daemon.get::<SiteKey>("/v1/site-key")?, text),
        KeyCommand::Export {
            out,
            passphrase_file,
        } => export(daemon, out, passphrase_file.as_deref(), printer),
    }
}

fn text(key: &SiteKey) -> String {
    let kept = if key.exported {
        "yes"
    } else {
        "no: `seatkeeper site key export --out FILE`"
    };
    format!(
        "thumbprint  {}\nkept safe   {kept}\ndelegation  until {}, renewed by itself\n\n{}",
        key.thumbprint,
        words::date(key.delegation_exp),
        key.pem
    )
}

fn export(daemon: &Daemon<'_>, out: &Path, file: Option<&Path>, printer: &Printer) -> Outcome {
    let passphrase = passphrase::get(
        file,
        "passphrase for the exported key, 8 characters or more",
        true,
    )?;
    let reply: ExportReply = daemon.post("/v1/site-key/export", &ExportBody { passphrase })?;
    files::create(out, &reply.pem, true)?;
    printer.note(&format!(
        "the site key is in {}, encrypted; keep it on another machine, and its passphrase elsewhere",
        out.display()
    ));
    printer.note("no command starts a site from it yet: that comes with a later version, which will take this very file");
    Ok(())
}
