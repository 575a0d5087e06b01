//! Reading and writing files: bounded reads, and new files that overwrite nothing.

use crate::failure::{Failure, Outcome};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Bytes of a file that are read; a license file has 256 KiB at most, and the daemon says so itself.
const MOST: u64 = 1 << 20;

/// The text of a file, or of stdin for `-`.
pub(crate) fn read(path: &Path) -> Outcome<String> {
    let failed = |error: io::Error| Failure::file("read", path, &error);
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin()
            .lock()
            .take(MOST + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
    } else {
        File::open(path)
            .map_err(failed)?
            .take(MOST + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
    }
    if bytes.len() as u64 > MOST {
        return Err(failed(io::Error::other("it has more than 1 MiB")));
    }
    String::from_utf8(bytes).map_err(|_| {
        failed(io::Error::other(
            "it is not text; was it unpacked or converted?",
        ))
    })
}

/// Writes a new file that only its owner reads where `private`; an existing one is left alone.
pub(crate) fn create(path: &Path, content: impl AsRef<[u8]>, private: bool) -> Outcome {
    let failed = |error: io::Error| Failure::file("write", path, &error);
    let mode = if private { 0o600 } else { 0o644 };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(failed)?;
    file.write_all(content.as_ref())
        .and_then(|()| file.sync_all())
        .map_err(failed)
}

/// Writes a new file piece by piece that only its owner reads; what could not be finished is removed.
pub(crate) fn fill(path: &Path, with: impl FnOnce(&mut dyn Write) -> Outcome) -> Outcome {
    let failed = |error: io::Error| Failure::file("write", path, &error);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    let mut out = io::BufWriter::new(&file);
    let filled = with(&mut out)
        .and_then(|()| out.flush().map_err(failed))
        .and_then(|()| file.sync_all().map_err(failed));
    if filled.is_err() {
        // The failure that is told is the first one.
        drop(std::fs::remove_file(path));
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_private_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        create(&path, "a", true).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(create(&path, "b", true).is_err());
        assert_eq!(read(&path).unwrap(), "a");
    }
}
