//! Anchors out of files, and whether the site key signed them.

use super::source::{self, Line};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;
use seatkeeper::token::anchor;
use seatkeeper::token::claims::Anchor;
use seatkeeper::token::keys::PublicKey;
use seatkeeper::wire::AuditAnchor;
use std::path::Path;

/// The site key that everything must be signed with, once it is known.
#[derive(Default)]
pub(super) struct SiteKey {
    key: Option<PublicKey>,
}

impl SiteKey {
    /// This key and no other.
    pub(super) fn of(pem: &str) -> Outcome<SiteKey> {
        Ok(SiteKey {
            key: Some(public(pem)?),
        })
    }

    /// Its thumbprint, once it is known.
    pub(super) fn thumbprint(&self) -> Option<String> {
        self.key.as_ref().map(PublicKey::thumbprint)
    }

    /// The claims of an anchor that this key signed; the first one brings the key, where none is known.
    pub(super) fn open(&mut self, told: &AuditAnchor) -> Outcome<Anchor> {
        if self.key.is_none() {
            self.key = Some(public(&told.site_key)?);
        }
        let key = self.key.as_ref().expect("it was just put there");
        anchor::verify(&told.anchor, key).map_err(|why| {
            Failure::new(
                Exit::Failed,
                format!("an anchor is not signed by site key {}: {why}", key.thumbprint()),
                "is it of this site, and of this site key? `seatkeeper vendor inspect` shows what an anchor says; one \
                 that was altered proves nothing",
            )
        })
    }
}

fn public(pem: &str) -> Outcome<PublicKey> {
    PublicKey::from_pem(pem).map_err(|why| {
        Failure::new(
            Exit::Failed,
            format!("the site key beside an anchor is none: {why}"),
            "fetch the file again from where it was first kept",
        )
    })
}

/// The last anchor of a file, where it has one.
pub(super) fn last_in(path: &Path) -> Outcome<Option<AuditAnchor>> {
    let mut last = None;
    source::file(path, |line| {
        if let Line::Anchor(anchor) = line {
            last = Some(anchor);
        }
        Ok(())
    })?;
    Ok(last)
}

/// The last anchor of an earlier export, or the one that a file has alone.
pub(super) fn last_of(path: &Path) -> Outcome<AuditAnchor> {
    last_in(path)?.ok_or_else(|| {
        Failure::new(
            Exit::Failed,
            format!("{} has no anchor", path.display()),
            "name an export (`seatkeeper audit export FILE`): its last line is one",
        )
    })
}

/// Writes what is given to a new file that only its owner reads, or to stdout for `-`.
pub(super) fn write(path: &Path, fill: impl FnOnce(&mut dyn std::io::Write) -> Outcome) -> Outcome {
    if path == Path::new("-") {
        return fill(&mut std::io::stdout().lock());
    }
    files::fill(path, fill)
}
