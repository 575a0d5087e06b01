//! Where events come from: the running daemon, page after page, or a file, line after line.

use crate::daemon::{Daemon, escape};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use seatkeeper::wire::{AuditAnchor, AuditEvent, Code, Page};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Bytes of one line; the longest event is a clean stop, which lists every seat in use.
const LINE: u64 = 256 << 20;
/// How the line of an anchor begins.
const ANCHOR: &[u8] = b"{\"anchor\":";

/// A line of an export.
pub(super) enum Line<'a> {
    /// An event, exactly as stored.
    Event(&'a [u8]),
    /// An anchor.
    Anchor(AuditAnchor),
}

/// Gives every line of an export, in order.
pub(super) fn file(path: &Path, mut each: impl FnMut(Line<'_>) -> Outcome) -> Outcome {
    let failed = |error: io::Error| Failure::file("read", path, &error);
    let mut reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path).map_err(failed)?))
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.by_ref().take(LINE).read_until(b'\n', &mut line);
        if read.map_err(failed)? == 0 {
            return Ok(());
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        match text
            .starts_with(ANCHOR)
            .then(|| serde_json::from_slice(text))
        {
            Some(Ok(anchor)) => each(Line::Anchor(anchor))?,
            _ => each(Line::Event(text))?,
        }
    }
}

/// The anchor that stands for the events that the running daemon pruned, where it pruned any.
pub(super) fn pruned(daemon: &Daemon<'_>) -> Outcome<Option<AuditAnchor>> {
    match daemon.get("/v1/audit/pruned") {
        Ok(anchor) => Ok(Some(anchor)),
        Err(Failure::Refused(no)) if no.code == Code::NotFound.as_str() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A page of the running daemon's events.
pub(super) fn page(daemon: &Daemon<'_>, path: &str) -> Outcome<Page<AuditEvent>> {
    daemon.get(path).map_err(|failure| match failure {
        // Where to begin was asked a moment ago.
        Failure::Refused(no) if no.code == Code::Pruned.as_str() => Failure::new(
            Exit::Failed,
            format!(
                "the daemon pruned its journal while it was read: {}",
                no.what
            ),
            "repeat the command: it begins at the new anchor then",
        ),
        other => other,
    })
}

/// Gives every event of the running daemon after one number and up to another.
pub(super) fn daemon(
    daemon: &Daemon<'_>,
    after: u64,
    upto: u64,
    mut each: impl FnMut(&[u8]) -> Outcome,
) -> Outcome {
    let mut next = Some(after.to_string());
    while let Some(after) = next {
        let path = format!("/v1/audit?limit=1000&after={}", escape(&after));
        let page = page(daemon, &path)?;
        for event in page.items.iter().take_while(|event| event.n <= upto) {
            each(event.stored.as_bytes())?;
        }
        let done = page.items.last().is_some_and(|event| event.n >= upto);
        next = page.next.filter(|_| !done);
    }
    Ok(())
}
