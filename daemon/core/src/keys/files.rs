//! Files that only the daemon's user may touch, written whole or not at all.

use super::KeysError;
use crate::state_dir::replace;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// A key file has some 200 bytes; more than this is none.
const FILE_MAX: u64 = 64 * 1024;

pub(super) fn make_folder(folder: &Path) -> Result<(), KeysError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|why| io_error(folder, why))?;
    private(folder)
}

/// Refuses what others could read or change.
fn private(path: &Path) -> Result<(), KeysError> {
    let mode = fs::metadata(path)
        .map_err(|why| io_error(path, why))?
        .permissions()
        .mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let wanted = if path.is_dir() { "0700" } else { "0600" };
    Err(bad_file(
        path,
        format!(
            "others may touch it (mode {:o}); `chmod {wanted}` it if nobody did",
            mode & 0o777
        ),
    ))
}

pub(super) fn read_private(path: &Path) -> Result<Option<Zeroizing<String>>, KeysError> {
    let read = read(path)?;
    if read.is_some() {
        private(path)?;
    }
    Ok(read)
}

/// What stands in a file; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<String>>, KeysError> {
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(io_error(path, why)),
        Ok(found) if found.len() > FILE_MAX => {
            return Err(bad_file(path, "it is too large for a key".to_owned()));
        }
        Ok(_) => {}
    }
    let bytes = Zeroizing::new(fs::read(path).map_err(|why| io_error(path, why))?);
    // What is no text is no key either, and is told as such.
    Ok(Some(Zeroizing::new(
        String::from_utf8_lossy(&bytes).into_owned(),
    )))
}

/// Writes a file that its owner alone reads, whole or not at all.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeysError> {
    replace(path, bytes).map_err(|why| io_error(path, why))
}

pub(super) fn io_error(path: &Path, why: io::Error) -> KeysError {
    KeysError::Io {
        path: path.to_owned(),
        why,
    }
}

pub(super) fn bad_file(path: &Path, why: String) -> KeysError {
    KeysError::File {
        path: path.to_owned(),
        why,
    }
}
