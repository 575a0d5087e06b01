//! `status`: the daemon at a glance.

use crate::daemon::Daemon;
use crate::failure::Outcome;
use crate::printer::Printer;
use crate::words;
use seatkeeper::wire::{MailStatus, Status};

/// Asks and prints.
pub(crate) fn run(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let status: Status = daemon.get("/v1/status")?;
    let socket = daemon
        .endpoint()
        .map(|socket| socket.display().to_string())
        .unwrap_or_default();
    printer.record(&status, |status| text(status, &socket))?;
    match status.findings.len() {
        0 => {}
        n => printer.note(&format!(
            "{}: `seatkeeper doctor` says what to do",
            words::count(n as u64, "finding")
        )),
    }
    Ok(())
}

fn text(status: &Status, socket: &str) -> String {
    let waiting = match status.waiting {
        0 => String::new(),
        n => format!(" ({n} more to begin)"),
    };
    let pruned = match status.pruned {
        0 => String::new(),
        n => format!(" (1 to {n} pruned)"),
    };
    let seen = match status.partial {
        true => ", of those that you see",
        false => "",
    };
    let mut lines = vec![
        format!("site      {} (key {})", status.site, status.site_key),
        format!("daemon    {} at {socket}", status.version),
        format!(
            "in use    {}, {}{waiting}, {}{seen}",
            words::count(status.holders, "seat"),
            words::count(status.licenses, "license"),
            words::count(status.users, "user")
        ),
        format!(
            "journal   {}{pruned}, epoch {}, run {}",
            words::count(status.events, "event"),
            status.epoch,
            status.run_id
        ),
        format!("date      {}", words::date(status.j)),
        format!(
            "disk      {} free, {} kept in reserve",
            words::bytes(status.disk_free),
            words::bytes(status.disk_reserve)
        ),
    ];
    lines.extend(status.mail.as_ref().map(mail));
    if let Some(behind) = status.clock_behind_s {
        lines.push(format!(
            "clock     stands {} behind the date above",
            words::span(behind)
        ));
    }
    if status.site_key_elsewhere {
        lines.push(match status.delegation_exp {
            Some(exp) => format!(
                "delegated until {} (the site key is kept elsewhere)",
                words::date(exp)
            ),
            None => "delegated NOT: no seat is given or renewed, `seatkeeper help not_delegated`"
                .to_owned(),
        });
    }
    if let Some(left) = status.quarantine_s {
        lines.push(format!(
            "new seats not for {}: quarantine, `seatkeeper help quarantine`",
            words::span(left)
        ));
    }
    if status.clocks_accepted > 0 {
        lines.push(format!(
            "accepted  a wrong clock, {}: `seatkeeper clock show`",
            words::count(status.clocks_accepted, "time")
        ));
    }
    if status.storage_low {
        lines.push("storage   low: nothing new is granted; renewals and releases go on".to_owned());
    }
    lines.join("\n")
}

fn mail(mail: &MailStatus) -> String {
    let mut line = format!(
        "mail      {} sent, {} waiting, {} failed, by {}",
        mail.sent, mail.waiting, mail.failed, mail.server
    );
    if let Some(why) = &mail.failing {
        line.push_str(&format!("; does not go through: {why}"));
    }
    line
}
