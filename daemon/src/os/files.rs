//! Files and folders of others: read only where nobody but root and the daemon's user can have written (S10, S15).

use rustix::fs::{Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Why something is not read, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untrusted {
    /// What is wrong; follows the path's name.
    pub text: String,
    /// What to do.
    pub remedy: String,
}

/// Why a file of a folder is not read.
#[derive(Debug)]
pub enum Unreadable {
    /// It is not there (any more).
    Gone,
    /// A link, a folder, a pipe, a device.
    NotAFile,
    /// It has more bytes than allowed.
    TooLarge,
    /// Reading it failed.
    Failed(io::Error),
}

/// Reads a file of at most `most` bytes which only root or the daemon's user can change, in a folder of which the same is true.
///
/// # Errors
/// It is missing, too large, cannot be read, or others can write to it or put another in its place.
pub fn read_trusted(path: &Path, most: u64) -> Result<Vec<u8>, Untrusted> {
    read_judged(path, most, &|_| Ok(()))
}

/// The same of a file that holds a secret: not everyone may read it.
///
/// # Errors
/// As above, or everyone can read it.
pub fn read_secret(path: &Path, most: u64) -> Result<Vec<u8>, Untrusted> {
    read_judged(path, most, &|stat| match stat.st_mode & 0o004 {
        0 => Ok(()),
        _ => Err(untrusted(
            "can be read by everyone",
            "let the daemon's user own it and nobody else read it (chmod 600)",
        )),
    })
}

fn read_judged(
    path: &Path,
    most: u64,
    judge: &dyn Fn(&Stat) -> Result<(), Untrusted>,
) -> Result<Vec<u8>, Untrusted> {
    trusted_folder(
        path.parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new(".")),
    )?;
    let failed = |e: &io::Error| {
        untrusted(
            &format!("cannot be read: {e}"),
            "give the file's path, and let the daemon's user read it",
        )
    };
    let file = rustix::fs::open(
        path,
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK,
        Mode::empty(),
    )
    .map(File::from)
    .map_err(|e| failed(&e.into()))?;
    let stat = rustix::fs::fstat(&file).map_err(|e| failed(&e.into()))?;
    if !is_file(&stat) {
        return Err(untrusted("is not a file", "give the path of a file"));
    }
    if others_write(&stat) {
        return Err(untrusted(
            "can be changed by others",
            "let root own it and only root write to it (chmod 644)",
        ));
    }
    judge(&stat)?;
    match read_at_most(file, most) {
        Ok(bytes) => Ok(bytes),
        Err(Unreadable::Failed(e)) => Err(failed(&e)),
        Err(_) => Err(untrusted(
            &format!("has more than {most} bytes"),
            "make it smaller",
        )),
    }
}

/// Judges a folder that the daemon reads from.
///
/// # Errors
/// It is missing, is no folder, or others than root and the daemon's user can write to it.
pub fn trusted_folder(path: &Path) -> Result<(), Untrusted> {
    let folder = open_folder(path).map_err(|e| {
        untrusted(
            &format!("cannot be read: {}", io::Error::from(e)),
            "make the folder, and let the daemon's user read it",
        )
    })?;
    let stat = rustix::fs::fstat(&folder).map_err(|e| {
        untrusted(
            &format!("cannot be read: {}", io::Error::from(e)),
            "let the daemon's user read the folder",
        )
    })?;
    if others_write(&stat) {
        let text = format!(
            "is in a folder that others can write to ({})",
            path.display()
        );
        return Err(untrusted(
            &text,
            "let root own the folder and only root write to it (chmod 755)",
        ));
    }
    Ok(())
}

/// Opens a folder for [`read_below`].
///
/// # Errors
/// The system's.
pub fn open_folder(path: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::open(
        path,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

/// Reads a file directly in a folder, following no link, of at most `most` bytes.
///
/// # Errors
/// See [`Unreadable`].
pub fn read_below(folder: impl AsFd, name: &str, most: u64) -> Result<Vec<u8>, Unreadable> {
    let file = open_below(folder, name).map_err(|e| match e {
        Errno::NOENT => Unreadable::Gone,
        Errno::LOOP | Errno::XDEV | Errno::NXIO => Unreadable::NotAFile,
        e => Unreadable::Failed(e.into()),
    })?;
    let stat = rustix::fs::fstat(&file).map_err(|e| Unreadable::Failed(e.into()))?;
    if is_file(&stat) {
        read_at_most(file.into(), most)
    } else {
        Err(Unreadable::NotAFile)
    }
}

/// Others than root and the daemon's user can write.
pub(super) fn others_write(stat: &Stat) -> bool {
    let foreign = stat.st_uid != 0 && stat.st_uid != rustix::process::geteuid().as_raw();
    let group = stat.st_mode & 0o020 != 0
        && stat.st_gid != 0
        && stat.st_gid != rustix::process::getegid().as_raw();
    foreign || group || stat.st_mode & 0o002 != 0
}

/// A name is one component, so where an old kernel or a filter has no openat2, refusing links at it is the same.
fn open_below(folder: impl AsFd, name: &str) -> Result<OwnedFd, Errno> {
    if name.contains('/') || name == ".." {
        return Err(Errno::XDEV);
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(&folder, name, flags, Mode::empty(), resolve) {
        Err(Errno::NOSYS | Errno::PERM) => rustix::fs::openat(&folder, name, flags, Mode::empty()),
        opened => opened,
    }
}

fn is_file(stat: &Stat) -> bool {
    rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file()
}

fn read_at_most(file: File, most: u64) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    let read = file
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(Unreadable::Failed)?;
    if read as u64 > most {
        Err(Unreadable::TooLarge)
    } else {
        Ok(bytes)
    }
}

fn untrusted(text: &str, remedy: &str) -> Untrusted {
    Untrusted {
        text: text.to_owned(),
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .expect("our own file");
    }

    #[test]
    fn s10_a_file_that_others_can_write_is_not_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.toml");
        std::fs::write(&path, "x").expect("write");
        chmod(&path, 0o644);
        assert_eq!(read_trusted(&path, 10), Ok(b"x".to_vec()));
        assert!(read_trusted(&path, 0).is_err());
        chmod(&path, 0o646);
        assert!(
            read_trusted(&path, 10)
                .expect_err("others write")
                .text
                .contains("changed by others")
        );
        chmod(&path, 0o644);
        chmod(dir.path(), 0o777);
        assert!(
            read_trusted(&path, 10)
                .expect_err("others write")
                .text
                .contains("folder")
        );
    }

    #[test]
    fn s15_no_link_is_followed_out_of_a_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        let inbox = dir.path().join("inbox");
        std::fs::create_dir(&inbox).expect("mkdir");
        std::fs::write(dir.path().join("secret"), "s").expect("write");
        symlink("../secret", inbox.join("link.lic")).expect("link");
        symlink("/etc/passwd", inbox.join("abs.lic")).expect("link");
        std::fs::write(inbox.join("a.lic"), "a").expect("write");
        std::fs::create_dir(inbox.join("dir.lic")).expect("mkdir");
        let folder = open_folder(&inbox).expect("open");
        assert_eq!(read_below(&folder, "a.lic", 1).expect("a file"), b"a");
        assert!(matches!(
            read_below(&folder, "a.lic", 0),
            Err(Unreadable::TooLarge)
        ));
        for name in ["link.lic", "abs.lic", "dir.lic", "../secret", ".."] {
            assert!(
                matches!(read_below(&folder, name, 9), Err(Unreadable::NotAFile)),
                "{name}"
            );
        }
        assert!(matches!(
            read_below(&folder, "none", 9),
            Err(Unreadable::Gone)
        ));
    }

    #[test]
    fn s15_swapping_a_file_for_a_link_never_lets_the_link_be_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let inbox = dir.path().join("inbox");
        std::fs::create_dir(&inbox).expect("mkdir");
        std::fs::write(dir.path().join("secret"), "secret").expect("write");
        let folder = open_folder(&inbox).expect("open");
        let swapped = inbox.clone();
        let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stop = done.clone();
        let swapper = std::thread::spawn(move || {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                symlink("../secret", swapped.join("l")).expect("link");
                std::fs::rename(swapped.join("l"), swapped.join("a.lic")).expect("swap");
                std::fs::write(swapped.join("f"), "fine").expect("write");
                std::fs::rename(swapped.join("f"), swapped.join("a.lic")).expect("swap");
            }
        });
        for _ in 0..20_000 {
            if let Ok(bytes) = read_below(&folder, "a.lic", 64) {
                assert_eq!(bytes, b"fine", "a link was followed");
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        swapper.join().expect("the swapper ends");
    }
}
