//! Reading and writing files: bounded reads, and new files that overwrite nothing.

use crate::failure::{Failure, Outcome};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Bytes of a file that are read; a license file has 256 KiB at most, and the daemon says so itself.
const MOST: u64 = 1 << 20;
/// Names that are tried for a new file beside another.
const TRIES: usize = 8;

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

/// Writes a new file that only its owner reads where `private`; an existing one is left alone, and what could not be
/// finished is removed.
pub(crate) fn create(path: &Path, content: impl AsRef<[u8]>, private: bool) -> Outcome {
    let failed = |error: io::Error| Failure::file("write", path, &error);
    let mode = if private { 0o600 } else { 0o644 };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(failed)?;
    let written = file
        .write_all(content.as_ref())
        .and_then(|()| file.sync_all());
    finished(path, written.map_err(failed))
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
    finished(path, filled)
}

/// Half a file is no file, and would be in the way of the next try.
fn finished(path: &Path, written: Outcome) -> Outcome {
    if written.is_err() {
        // The failure that is told is the first one.
        drop(std::fs::remove_file(path));
    }
    written
}

/// A new file beside another, which only its owner reads and which takes that one's place as a whole; until then it is
/// taken away when it is dropped.
pub(crate) struct Beside<'a> {
    path: &'a Path,
    new: Option<PathBuf>,
    file: File,
}

impl<'a> Beside<'a> {
    /// Beside this one, which need not be there.
    pub(crate) fn new(path: &'a Path) -> Outcome<Beside<'a>> {
        let nameless = || Failure::file("write", path, &io::Error::other("it names no file"));
        let name = path.file_name().ok_or_else(nameless)?;
        let mut options = OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        let mut tries = 0;
        loop {
            // What a killed run left, or somebody put there, has another name.
            let end = random_name(path)?;
            let new = path.with_file_name(format!(".{}.{end}.new", name.to_string_lossy()));
            match options.open(&new) {
                Ok(file) => {
                    let new = Some(new);
                    return Ok(Beside { path, new, file });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < TRIES => {
                    tries += 1;
                }
                Err(error) => return Err(Failure::file("write", &new, &error)),
            }
        }
    }

    /// Fills it and puts it in its place, if that is to be had still.
    pub(crate) fn put(mut self, content: &[u8], still: impl FnOnce() -> Outcome) -> Outcome {
        let new = self.new.as_deref().unwrap_or(self.path);
        let written = self.file.write_all(content);
        written
            .and_then(|()| self.file.sync_all())
            .map_err(|error| Failure::file("write", new, &error))?;
        still()?;
        std::fs::rename(new, self.path)
            .map_err(|error| Failure::file("write", self.path, &error))?;
        self.new = None;
        Ok(())
    }
}

/// Eight random bytes, in hex digits.
fn random_name(path: &Path) -> Outcome<String> {
    let mut bytes = [0; 8];
    let got = rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty());
    match got {
        Ok(_) => Ok(format!("{:016x}", u64::from_be_bytes(bytes))),
        Err(error) => Err(Failure::file("write", path, &error.into())),
    }
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        if let Some(new) = &self.new {
            // Nothing is in it that anybody waits for.
            drop(std::fs::remove_file(new));
        }
    }
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

    #[test]
    fn what_takes_a_file_s_place_does_so_as_a_whole_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session");
        std::fs::write(&path, "before").unwrap();
        drop(Beside::new(&path).unwrap());
        assert_eq!(read(&path).unwrap(), "before");
        let kept = Beside::new(&path).unwrap();
        assert!(kept.put(b"after", || Err(Failure::Hangup)).is_err());
        assert_eq!(
            read(&path).unwrap(),
            "before",
            "it is not to be had any more"
        );
        // Two at once are in each other's way as little as what a killed one left.
        let left = Beside::new(&path).unwrap();
        let kept = Beside::new(&path).unwrap();
        kept.put(b"after", || Ok(())).unwrap();
        drop(left);
        assert_eq!(read(&path).unwrap(), "after");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
