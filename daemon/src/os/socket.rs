//! The unix socket that applications and the CLI call.

use super::files::trusted_folder;
use std::fmt;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Why the socket is not there.
#[derive(Debug)]
pub struct SocketError {
    path: PathBuf,
    text: String,
    remedy: &'static str,
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the socket {} {}; {}",
            self.path.display(),
            self.text,
            self.remedy
        )
    }
}

impl std::error::Error for SocketError {}

/// Listens at a path, for everyone on this machine. A socket that nobody listens on any more is removed; the caller holds the lock of the state.
///
/// # Errors
/// Somebody else listens there, something else lies there, or others can write to its folder.
pub fn listen(path: &Path) -> Result<UnixListener, SocketError> {
    let error = |text: String, remedy| SocketError {
        path: path.to_owned(),
        text,
        remedy,
    };
    let folder = path.parent().unwrap_or(Path::new("/"));
    trusted_folder(folder).map_err(|e| {
        error(
            e.text,
            "give it a folder of its own that only root or the daemon's user can write to",
        )
    })?;
    remove_stale(path)
        .map_err(|e| error(e, "stop the other daemon, or set `socket` to another path"))?;
    let failed = |e: io::Error| {
        error(
            format!("cannot be made: {e}"),
            "let the daemon's user write to its folder",
        )
    };
    let listener = UnixListener::bind(path).map_err(failed)?;
    // Everyone may connect: who asks is what the kernel says, and what they may is decided per request.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// Removes what an earlier daemon left; refuses what is in use or is no socket.
fn remove_stale(path: &Path) -> Result<(), String> {
    match std::fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(found) if !found.file_type().is_socket() => {
            return Err("is taken by something that is no socket".to_owned());
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err("is in use by another daemon".to_owned()),
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path)
            .map_err(|e| format!("was left behind and cannot be removed: {e}")),
        Err(e) => Err(format!("is taken: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_in_use_is_refused_and_a_stale_one_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let first = listen(&path).unwrap();
        assert!(listen(&path).unwrap_err().to_string().contains("in use"));
        drop(first);
        drop(listen(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "x").unwrap();
        assert!(listen(&path).unwrap_err().to_string().contains("no socket"));
    }

    #[test]
    fn s15_a_folder_that_others_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(listen(&folder.path().join("s")).is_err());
    }
}
