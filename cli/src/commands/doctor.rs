//! `doctor`: what wants doing, with one remedy for each finding; of use without a daemon, too.

use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome, forgotten};
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::admin;
use seatkeeper::wire::{ConfigEntry, Finding, Status};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// Looks at the socket first, then asks the daemon.
pub(crate) fn run(daemon: &Daemon<'_>, socket: Option<&Path>, printer: &Printer) -> Outcome<Exit> {
    match daemon.get::<Status>("/v1/status") {
        Ok(status) => healthy(daemon, &status, printer),
        Err(failure)
            if failure.exit() == Exit::Unreachable || failure.exit() == Exit::NotPermitted =>
        {
            let Failure::Told(told) = &failure else {
                return Err(failure);
            };
            let mut findings: Vec<_> = admin::candidates(socket)
                .iter()
                .map(|path| absent(path))
                .collect();
            if findings.is_empty() {
                findings.push(finding(
                    "error",
                    "socket",
                    told.what.clone(),
                    told.next.clone(),
                ));
            }
            print(&findings, printer)?;
            Ok(failure.exit())
        }
        Err(failure) => Err(failure),
    }
}

fn healthy(daemon: &Daemon<'_>, status: &Status, printer: &Printer) -> Outcome<Exit> {
    let operates = may_ask(daemon);
    let mut seen = local(status);
    if !operates {
        let ask = format!(
            "ask an administrator of this daemon: {}",
            status.administrators
        );
        seen.iter_mut()
            .for_each(|finding| finding.remedy.clone_from(&ask));
    }
    // What the daemon tells is for whom it tells it to.
    let findings = [status.findings.clone(), seen].concat();
    print(&findings, printer)?;
    let socket = daemon
        .endpoint()
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    printer.note(&format!(
        "looked at: socket {socket}, clock, disk, site key, delegation, license dates, inboxes, mail, who waits for an answer"
    ));
    if let Some(exp) = status.delegation_exp {
        printer.note(&format!(
            "the site key is kept elsewhere; seats can be signed until {}: `seatkeeper help site key delegate` says how that is renewed",
            words::date(exp)
        ));
    }
    if status.clocks_accepted > 0 {
        printer.note(&format!(
            "a wrong clock was accepted here {}, which license requests tell the vendor: `seatkeeper clock show`",
            words::count(status.clocks_accepted, "time")
        ));
    }
    if !operates {
        printer.note("what the daemon itself finds is told to its administrators only");
    } else if findings.is_empty() {
        printer.note("all is well");
    }
    Ok(if findings.iter().any(|finding| finding.level == "error") {
        Exit::Failed
    } else {
        Exit::Done
    })
}

/// Findings are for those who may operate the daemon; to others its list is empty, which proves nothing.
fn may_ask(daemon: &Daemon<'_>) -> bool {
    daemon.list::<ConfigEntry>("/v1/config").is_ok()
}

/// What can be seen from this side, unless the daemon has said it.
fn local(status: &Status) -> Vec<Finding> {
    let said = |about: &str| status.findings.iter().any(|finding| finding.about == about);
    let mut findings = Vec::new();
    if status.version != env!("CARGO_PKG_VERSION") {
        findings.push(finding(
            "warning",
            "version",
            format!(
                "the daemon is {}, this command is {}",
                status.version,
                env!("CARGO_PKG_VERSION")
            ),
            "install both from one package, and restart the daemon after an upgrade".to_owned(),
        ));
    }
    if status.licenses == 0 && !said("license") {
        findings.push(finding(
            "warning",
            "license",
            match status.partial {
                true => "no license that you see is in force".to_owned(),
                false => "no license is in force: every application is told `not_licensed`".to_owned(),
            },
            "`seatkeeper license request --account ID` makes the file for the vendor, `seatkeeper license install FILE` takes the answer".to_owned(),
        ));
    }
    if let Some(behind) = status.clock_behind_s.filter(|_| !said("clock")) {
        findings.push(finding(
            "warning",
            "clock",
            format!(
                "the machine's clock stands {} behind the newest date known here",
                words::span(behind)
            ),
            "set the clock (`timedatectl`) if it is wrong; `seatkeeper clock show` says more"
                .to_owned(),
        ));
    }
    if let Some(left) = status.quarantine_s
        && !said("quarantine")
    {
        findings.push(finding(
            "error",
            "quarantine",
            format!("nothing new is granted for {}", words::span(left)),
            "`seatkeeper help quarantine` says why, and what to do".to_owned(),
        ));
    }
    if status.site_key_elsewhere && status.delegation_exp.is_none() && !said("delegation") {
        findings.push(finding(
            "error",
            "delegation",
            "the site key is kept elsewhere, and no delegation is in force: no seat is given or renewed".to_owned(),
            "`seatkeeper help not_delegated` says what to do".to_owned(),
        ));
    }
    if status.storage_low && !said("disk") {
        findings.push(finding(
            "error",
            "disk",
            format!(
                "{} are free, {} are kept in reserve: nothing new is granted",
                words::bytes(status.disk_free),
                words::bytes(status.disk_reserve)
            ),
            "free space where the state directory is".to_owned(),
        ));
    }
    findings
}

/// Why nothing answers at this path, and what to start.
fn absent(path: &Path) -> Finding {
    let shown = path.display();
    let start = if admin::is_dev(path) {
        "start it: `seatkeeperd dev`".to_owned()
    } else {
        "start it: `systemctl start seatkeeperd` (then `systemctl status seatkeeperd` says why it stopped), \
         `seatkeeperd run --config FILE` by hand, or `seatkeeperd dev` to try without installing"
            .to_owned()
    };
    let start = format!("{start}; {}", forgotten());
    let (text, remedy) = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            (format!("no daemon: there is no {shown}"), start)
        }
        Err(error) => (
            format!("{shown} cannot be looked at: {error}"),
            "ask an administrator for access".to_owned(),
        ),
        Ok(about) if !about.file_type().is_socket() => (
            format!("{shown} is no socket"),
            "name the daemon's socket: `--socket`, SEATKEEPER_SOCKET".to_owned(),
        ),
        Ok(_) => match std::os::unix::net::UnixStream::connect(path) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => (
                format!("{shown} does not let you in"),
                format!("see `ls -l {shown}`, or ask an administrator"),
            ),
            Err(error) => (
                format!("{shown} is left over, nobody listens there: {error}"),
                start,
            ),
            Ok(_) => (
                format!("{shown} is listened at, but no answer came"),
                "see the daemon's log: `journalctl -u seatkeeperd`".to_owned(),
            ),
        },
    };
    finding("error", "socket", text, remedy)
}

fn finding(level: &str, about: &str, text: String, remedy: String) -> Finding {
    Finding {
        level: level.to_owned(),
        about: about.to_owned(),
        text,
        remedy,
        code: None,
        file: None,
    }
}

fn print(findings: &[Finding], printer: &Printer) -> Outcome {
    const COLUMNS: &[Column<'_, Finding>] = &[
        Column("level", |f| f.level.clone()),
        Column("about", |f| f.about.clone()),
        Column("code", |f| {
            f.code
                .as_ref()
                .map(|code| code.as_str().to_owned())
                .unwrap_or_default()
        }),
        Column("file", |f| f.file.clone().unwrap_or_default()),
        Column("text", |f| f.text.clone()),
        Column("remedy", |f| f.remedy.clone()),
    ];
    printer.list_as(findings, COLUMNS, paragraph)
}

fn paragraph(finding: &Finding) -> String {
    // The daemon's text begins with the file's name mostly.
    let file = finding
        .file
        .as_ref()
        .filter(|file| !finding.text.starts_with(file.as_str()))
        .map(|file| format!("{file}: "))
        .unwrap_or_default();
    let code = finding
        .code
        .as_ref()
        .map(|code| format!(" ({code})"))
        .unwrap_or_default();
    format!(
        "{}: {}: {file}{}{code}\n  do: {}\n",
        finding.level, finding.about, finding.text, finding.remedy
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u4_what_is_left_of_a_socket_is_told_from_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        assert!(absent(&path).text.contains("there is no"));
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(absent(&path).text.contains("left over"));
        assert!(absent(&path).remedy.contains("systemctl start seatkeeperd"));
        std::fs::write(folder.path().join("f"), "").unwrap();
        assert!(
            absent(&folder.path().join("f"))
                .text
                .contains("is no socket")
        );
    }
}
