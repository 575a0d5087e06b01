//! Where the local daemon listens: a path, never a trust root; whoever answers there must show a signed lease.

use crate::os;
use std::path::{Path, PathBuf};

/// Names a socket for a program that was built without one.
const VARIABLE: &str = "SEATKEEPER_SOCKET";
/// The socket of the installed daemon.
const INSTALLED: &str = "/run/seatkeeper/seatkeeper.sock";
/// The socket's name in the folder of `seatkeeperd dev`.
const SOCKET: &str = "seatkeeper.sock";

/// The sockets to try, in order: the explicit one alone, else the environment's alone, else the installed daemon's,
/// and last those of `seatkeeperd dev`, where their folder belongs to this uid alone.
#[must_use]
pub fn candidates(explicit: Option<&Path>) -> Vec<PathBuf> {
    if let Some(path) = explicit {
        return vec![path.to_owned()];
    }
    if let Some(path) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return vec![PathBuf::from(path)];
    }
    let dev = dev_folders()
        .into_iter()
        .filter(|folder| os::is_private_folder(folder));
    std::iter::once(PathBuf::from(INSTALLED))
        .chain(dev.map(|folder| folder.join(SOCKET)))
        .collect()
}

/// Folders in which `seatkeeperd dev` puts its socket `seatkeeper.sock`: below `$XDG_RUNTIME_DIR`, else one of this uid
/// in the system's temporary folder. Mode 0700 and the owner are checked before a socket in it is used.
#[must_use]
pub fn dev_folders() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|value| !value.is_empty());
    let temporary = std::env::temp_dir().join(format!("seatkeeper-dev-{}", os::uid()));
    runtime
        .map(|folder| PathBuf::from(folder).join("seatkeeper-dev"))
        .into_iter()
        .chain([temporary])
        .collect()
}

/// The socket belongs to `seatkeeperd dev`.
#[must_use]
pub fn is_dev(socket: &Path) -> bool {
    dev_folders()
        .iter()
        .any(|folder| socket.parent() == Some(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explicit_socket_is_the_only_one() {
        assert_eq!(
            candidates(Some(Path::new("a/b.sock"))),
            [PathBuf::from("a/b.sock")]
        );
    }

    #[test]
    fn s5_a_dev_folder_that_others_may_enter_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        for (mode, private) in [(0o700, true), (0o777, false), (0o750, false)] {
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(os::is_private_folder(folder.path()), private, "{mode:o}");
        }
        let link = folder.path().with_extension("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        assert!(!os::is_private_folder(&link), "a link may lead anywhere");
        std::fs::remove_file(&link).unwrap();
    }
}
