//! The socket's place in the file system: nobody else can own it, and a stale one is removed only if nobody listens.

use super::files::others_write;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fmt;
use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Everyone may connect: the kernel says who it is.
const SOCKET_MODE: u32 = 0o666;
/// Where its folder has to be made.
const FOLDER_MODE: u32 = 0o755;

/// Why there is no socket, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketError {
    path: PathBuf,
    text: String,
    remedy: String,
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

/// Listens at `path`, for everyone on this machine. A socket that nobody listens on any more is replaced; the new one
/// appears listening, or not at all.
///
/// # Errors
/// Somebody else listens there, something else lies there, or others can write to its folder.
pub fn listen(path: &Path) -> Result<UnixListener, SocketError> {
    let no = |(text, remedy): Judgement| SocketError {
        path: path.to_owned(),
        text,
        remedy: remedy.to_owned(),
    };
    let system = |e: io::Error| {
        no((
            format!("cannot be made: {e}"),
            "let the daemon's user write to its folder, or choose another `socket`",
        ))
    };
    judge_folder(path.parent().unwrap_or(Path::new("/"))).map_err(no)?;
    let busy = || {
        no((
            "is another daemon's".to_owned(),
            "stop it (`systemctl stop seatkeeperd`), or choose another `socket`",
        ))
    };
    // Of two daemons that start at once, one looks when the other listens already.
    let _turn = turn(path).map_err(system)?.ok_or_else(busy)?;
    match judge_path(path).map_err(no)? {
        Found::Socket if UnixStream::connect(path).is_ok() => return Err(busy()),
        Found::Socket | Found::Nothing => {}
    }
    let listener = appear(path).map_err(system)?;
    listener.set_nonblocking(true).map_err(system)?;
    Ok(listener)
}

type Judgement = (String, &'static str);

/// The folder exists (or is made), is no link, and only root and this user can write to it.
fn judge_folder(folder: &Path) -> Result<(), Judgement> {
    let made = std::fs::DirBuilder::new().mode(FOLDER_MODE).create(folder);
    if let Err(e) = made
        && e.kind() != io::ErrorKind::AlreadyExists
    {
        return Err((
            format!("cannot be made: its folder cannot: {e}"),
            "make the folder (the package's tmpfiles.d does), or choose another `socket`",
        ));
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = rustix::fs::open(folder, flags, Mode::empty());
    let stat = open.and_then(rustix::fs::fstat).map_err(|e| match e {
        Errno::LOOP | Errno::NOTDIR => (
            "lies in what is no folder, or a link to one".to_owned(),
            "give the folder's own path",
        ),
        e => (
            format!("cannot be made: {}", io::Error::from(e)),
            "let the daemon's user into the folder",
        ),
    })?;
    if others_write(&stat) {
        return Err((
            "lies in a folder that others can write to".to_owned(),
            "let root or the daemon's user own the folder, and nobody else write to it",
        ));
    }
    Ok(())
}

enum Found {
    Nothing,
    Socket,
}

fn judge_path(path: &Path) -> Result<Found, Judgement> {
    let stat = match rustix::fs::lstat(path) {
        Err(Errno::NOENT) => return Ok(Found::Nothing),
        Err(e) => {
            return Err((
                format!("cannot be looked at: {}", io::Error::from(e)),
                "look at its folder",
            ));
        }
        Ok(stat) => stat,
    };
    if FileType::from_raw_mode(stat.st_mode) != FileType::Socket {
        return Err((
            "exists and is no socket".to_owned(),
            "remove it, or choose another `socket`",
        ));
    }
    if stat.st_uid != 0 && stat.st_uid != super::process::uid() {
        return Err((
            format!("is a socket of uid {}", stat.st_uid),
            "find out who made it, and remove it",
        ));
    }
    Ok(Found::Socket)
}

/// One daemon at a time looks at the path and takes it, whatever its state directory is.
fn turn(path: &Path) -> io::Result<Option<File>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(
        Path::new(&name),
        flags,
        Mode::RUSR | Mode::WUSR,
    )?);
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Bound and listening under another name first, so that no caller finds a socket that refuses.
fn appear(path: &Path) -> io::Result<UnixListener> {
    let new = path.with_extension("new");
    match std::fs::remove_file(&new) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(&new)?;
    std::fs::set_permissions(&new, Permissions::from_mode(SOCKET_MODE))?;
    std::fs::rename(&new, path)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn refusal(path: &Path) -> String {
        listen(path).expect_err("refused").to_string()
    }

    #[test]
    fn s16_everyone_may_connect() {
        let dir = folder();
        let path = dir.path().join("run/s.sock");
        let _listener = listen(&path).expect("listens");
        let mode = std::fs::metadata(&path)
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o666);
        UnixStream::connect(&path).expect("connects");
    }

    #[test]
    fn a_second_daemon_is_refused_and_a_stale_socket_is_replaced() {
        let dir = folder();
        let path = dir.path().join("s.sock");
        let first = listen(&path).expect("listens");
        assert!(refusal(&path).contains("another daemon's"));
        UnixStream::connect(&path).expect("the first one still listens");
        drop(first);
        assert!(path.exists(), "as after a kill: nobody listens");
        let _again = listen(&path).expect("replaces the stale one");
        UnixStream::connect(&path).expect("connects");
    }

    #[test]
    fn of_daemons_that_start_at_once_over_a_stale_socket_one_listens() {
        let dir = folder();
        let path = dir.path().join("s.sock");
        for _ in 0..50 {
            drop(UnixListener::bind(&path));
            // A program that another test starts just now may have the listener until its exec.
            while UnixStream::connect(&path).is_ok() {
                std::thread::yield_now();
            }
            let starts: Vec<_> = (0..4)
                .map(|_| {
                    let path = path.clone();
                    std::thread::spawn(move || listen(&path))
                })
                .collect();
            let listening: Vec<_> = starts
                .into_iter()
                .filter_map(|start| start.join().expect("no panic").ok())
                .collect();
            assert_eq!(listening.len(), 1);
        }
    }

    #[test]
    fn s16_links_files_and_open_folders_are_refused() {
        let dir = folder();
        let path = dir.path().join("s.sock");
        std::fs::write(&path, "").expect("write");
        assert!(refusal(&path).contains("is no socket"));
        std::fs::remove_file(&path).expect("remove");
        symlink("/nowhere", &path).expect("link");
        assert!(refusal(&path).contains("is no socket"));
        symlink(dir.path(), dir.path().join("link")).expect("link");
        assert!(refusal(&dir.path().join("link/s.sock")).contains("link"));
        std::fs::remove_file(&path).expect("remove");
        std::fs::set_permissions(dir.path(), Permissions::from_mode(0o1777)).expect("ours");
        assert!(refusal(&path).contains("others can write"));
    }
}
