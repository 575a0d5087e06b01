//! What was issued: one JSON object per line, appended under a lock and synced before the license leaves.

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use rustix::fs::{FlockOperation, flock};
use seatkeeper::token::claims::Request;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// One license issued. Unknown members are left alone: a vendor may add some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Signed at, seconds since 1970.
    pub at: u64,
    /// Vendor name.
    pub vendor: String,
    /// License id.
    pub license: String,
    /// Serial.
    pub serial: u64,
    /// Account id of the customer.
    pub customer: String,
    /// Id of the request, which is taken once.
    pub request: String,
    /// Thumbprint of the site key.
    pub site: String,
    /// Thumbprint of the issuing key.
    pub key: String,
    /// base64url SHA-256 of the license token.
    pub hash: String,
    /// The file it was written to.
    pub file: PathBuf,
}

/// The ledger, locked: a second `vendor issue` waits.
pub(super) struct Ledger {
    path: PathBuf,
    file: File,
    entries: Vec<Entry>,
}

impl Ledger {
    /// Opens it, made where missing.
    pub(super) fn open(path: &Path) -> Outcome<Ledger> {
        let failed = |error: io::Error| Failure::file("open the ledger", path, &error);
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        flock(&file, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        Ok(Ledger {
            path: path.to_owned(),
            file,
            entries: entries(path, &text)?,
        })
    }

    /// Whether it is new.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The newest entry of a license.
    pub(super) fn last(&self, vendor: &str, license: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.vendor == vendor && entry.license == license)
            .max_by_key(|entry| entry.serial)
    }

    /// Refuses a request that was answered already.
    pub(super) fn take(&self, request: &Request) -> Outcome {
        let taken = |entry: &&Entry| entry.request == request.jti && entry.site == request.iss;
        let Some(entry) = self.entries.iter().find(taken) else {
            return Ok(());
        };
        Err(Failure::new(
            Exit::Refused,
            format!(
                "this request was answered on {} already, with license {} serial {} ({}); a request is taken once",
                crate::words::date(entry.at),
                entry.license,
                entry.serial,
                entry.file.display()
            ),
            format!(
                "send that file again, or ask the customer for a new request (`seatkeeper license request`); the ledger is {}",
                self.path.display()
            ),
        ))
    }

    /// The serial to sign: the one asked for if it rises, else the next.
    pub(super) fn serial(
        &self,
        vendor: &str,
        license: &str,
        asked: Option<u64>,
        at_least: u64,
    ) -> Outcome<u64> {
        let next = self
            .last(vendor, license)
            .map_or(1, |entry| entry.serial.saturating_add(1))
            .max(at_least);
        match asked {
            Some(serial) if serial < next => Err(Failure::new(
                Exit::Refused,
                format!(
                    "serial {serial} of license {license} does not rise: the next one is {next} (rule 17)"
                ),
                format!(
                    "say `serial = {next}`, or leave it out: a site takes a renewal only with a higher serial"
                ),
            )),
            asked => Ok(asked.unwrap_or(next)),
        }
    }

    /// Writes an entry, and then the license by `write`; a license that cannot be written is not entered.
    pub(super) fn enter(&mut self, entry: &Entry, write: impl FnOnce() -> Outcome) -> Outcome {
        let failed = |error: io::Error| Failure::file("write to the ledger", &self.path, &error);
        let before = self.file.seek(SeekFrom::End(0)).map_err(failed)?;
        let line = serde_json::to_string(entry).expect("strings and numbers always serialize");
        let entered = self
            .file
            .write_all((line + "\n").as_bytes())
            .and_then(|()| self.file.sync_all())
            .map_err(failed)
            .and_then(|()| write());
        entered.inspect_err(|_| {
            // What could not be written has not been issued; the first failure is the one to tell.
            drop(
                self.file
                    .set_len(before)
                    .and_then(|()| self.file.sync_all()),
            );
        })
    }
}

fn entries(path: &Path, text: &str) -> Outcome<Vec<Entry>> {
    let broken = |line: usize, why: String| {
        Failure::new(
            Exit::Failed,
            format!(
                "line {line} of the ledger {} cannot be read: {why}",
                path.display()
            ),
            "nothing is issued on a ledger that forgets. If the machine stopped while it was written, \
             delete that line; else restore the file",
        )
    };
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(broken(text.lines().count(), "it is cut off".to_owned()));
    }
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(n, line)| {
            serde_json::from_str(line).map_err(|error| broken(n + 1, error.to_string()))
        })
        .collect()
}
