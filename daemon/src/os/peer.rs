//! The process at the other end of a connection, as the kernel fixed it when the connection was made (S16).

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::{PeerCredentials, PeerPidfd};
use rustix::fs::{fstat, fstatfs};
use rustix::process::{Pid as RawPid, PidfdFlags, pidfd_open};
use seatkeeper_engine::command::Pid;
use std::io;
use std::num::{NonZeroU32, NonZeroU64};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;

/// `f_type` of pidfs (Linux 6.9): there a pidfd's inode is the process's own for as long as the machine runs.
const PIDFS: i64 = 0x5049_4446;

/// A process that was alive when it was looked at.
pub struct PeerProcess {
    /// Readable once the process is gone.
    pub pidfd: OwnedFd,
    /// What tells it from every other live process.
    pub identity: Identity,
    /// How this kernel numbers it; absent where it lives in a namespace that this one cannot see.
    pub pid: Option<Pid>,
}

/// What tells live processes apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Identity {
    /// The pidfd's inode.
    Inode(u64),
    /// The pid, on kernels without pidfs: good while the process lives.
    Pid(u32),
}

/// The uid of the other end.
///
/// # Errors
/// The system's.
pub fn uid(stream: impl AsFd) -> io::Result<u32> {
    Ok(getsockopt(&stream, PeerCredentials)?.uid())
}

/// The process of the other end.
///
/// # Errors
/// It is gone, or the kernel has neither `SO_PEERPIDFD` nor a pid for it: then only the hold counts (rule 14).
pub fn process(stream: impl AsFd) -> io::Result<PeerProcess> {
    // The kernel says 0 where this pid namespace does not see the peer: that number is nobody's.
    let number = u32::try_from(getsockopt(&stream, PeerCredentials)?.pid());
    let number = number.ok().and_then(NonZeroU32::new);
    let pidfd = match getsockopt(&stream, PeerPidfd) {
        Ok(pidfd) => pidfd,
        // The connection is open, so the number is still the peer's own or of nobody.
        Err(_) => opened(number)?,
    };
    let identity = match (inode(&pidfd), number) {
        (Some(inode), _) => Identity::Inode(inode),
        (None, Some(pid)) => Identity::Pid(pid.get()),
        (None, None) => return Err(io::Error::from(io::ErrorKind::Unsupported)),
    };
    let pid = number.map(|pid| Pid {
        pid,
        born: born(pid.get()),
        namespace: namespace(),
    });
    Ok(PeerProcess {
        pidfd,
        identity,
        pid,
    })
}

/// A process that this kernel told of before: the same one, proven by its namespace and its birth, or none.
#[must_use]
pub fn again(pid: Pid) -> Option<PeerProcess> {
    if pid.namespace.is_none() || pid.namespace != namespace() {
        return None;
    }
    // First the descriptor, then the birth: what is born then is what the descriptor means.
    let pidfd = opened(Some(pid.pid)).ok()?;
    if pid.born.is_none() || born(pid.pid.get()) != pid.born {
        return None;
    }
    let identity = inode(&pidfd).map_or(Identity::Pid(pid.pid.get()), Identity::Inode);
    Some(PeerProcess {
        pidfd,
        identity,
        pid: Some(pid),
    })
}

fn opened(number: Option<NonZeroU32>) -> io::Result<OwnedFd> {
    let raw = number.and_then(|pid| RawPid::from_raw(i32::try_from(pid.get()).ok()?));
    let raw = raw.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    Ok(pidfd_open(raw, PidfdFlags::empty())?)
}

fn inode(pidfd: &OwnedFd) -> Option<u64> {
    let own = fstatfs(pidfd).ok().is_some_and(|fs| fs.f_type == PIDFS);
    if own {
        fstat(pidfd).ok().map(|stat| stat.st_ino)
    } else {
        None
    }
}

/// When a process started, in clock ticks since boot, where the kernel tells.
fn born(pid: u32) -> Option<NonZeroU64> {
    fields(pid)?.get(19)?.parse().ok()
}

/// A process that exited and was not waited for: it has its number still, and holds nothing. Where only its first thread
/// has ended, the kernel shows the same letter, but more than that one thread.
fn is_zombie(pid: u32) -> bool {
    fields(pid).is_some_and(|fields| {
        let alone = fields
            .get(17)
            .is_some_and(|threads| threads == "1" || threads == "0");
        alone && matches!(fields.first().map(String::as_str), Some("Z" | "X"))
    })
}

/// The fields of `/proc/PID/stat` from the state on.
fn fields(pid: u32) -> Option<Vec<String>> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The command's name stands in parentheses and may hold anything, parentheses and broken UTF-8 too.
    let stat = String::from_utf8_lossy(&stat);
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_ascii_whitespace().map(str::to_owned).collect())
}

/// The machine's own time namespace (`PROC_TIME_INIT_INO` of Linux).
const MACHINE_TIME: u64 = 0xEFFF_FFFA;

/// The namespaces that number a process and its start: the pid namespace of this process, and in the upper half its time
/// namespace, where that is not the machine's own; there a start counts from another boot.
fn namespace() -> Option<NonZeroU64> {
    static OWN: OnceLock<Option<NonZeroU64>> = OnceLock::new();
    *OWN.get_or_init(read_namespace)
}

fn read_namespace() -> Option<NonZeroU64> {
    let inode = |of: &str| Some(rustix::fs::stat(of).ok()?.st_ino);
    // A kernel without time namespaces has one time.
    let time = inode("/proc/self/ns/time").filter(|time| *time != MACHINE_TIME);
    NonZeroU64::new(inode("/proc/self/ns/pid")? ^ time.unwrap_or(0) << 32)
}

/// Whether a process of this boot and this pid namespace is provably gone: no such pid, one that started later, or one
/// that only waits to be waited for (rule 14).
#[must_use]
pub fn provably_gone(pid: Pid) -> bool {
    if pid.namespace.is_none() || pid.namespace != namespace() {
        return false;
    }
    match opened(Some(pid.pid)) {
        Err(e) => e.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()),
        Ok(_) => {
            let births = pid.born.zip(born(pid.pid.get()));
            is_zombie(pid.pid.get()) || births.is_some_and(|(then, now)| then != now)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;
    use std::process::Command;

    fn number(pid: u32) -> NonZeroU32 {
        NonZeroU32::new(pid).unwrap()
    }

    #[test]
    fn s16_the_other_end_is_who_the_kernel_says() {
        let (here, _there) = UnixStream::pair().unwrap();
        assert_eq!(uid(&here).unwrap(), rustix::process::geteuid().as_raw());
        let me = process(&here).unwrap();
        let again = process(&here).unwrap();
        assert_eq!(me.identity, again.identity);
        assert_eq!(me.pid.unwrap().pid.get(), std::process::id());
        assert!(!provably_gone(me.pid.unwrap()));
    }

    #[test]
    fn r14_a_process_is_gone_only_where_that_is_proven() {
        let mut child = Command::new("true").spawn().unwrap();
        let known = Pid {
            pid: number(child.id()),
            born: None,
            namespace: namespace(),
        };
        child.wait().unwrap();
        assert!(provably_gone(known), "waited for, so nobody has the number");
        assert!(
            !provably_gone(Pid {
                namespace: None,
                ..known
            }),
            "of a namespace that is not known"
        );
        assert!(
            !provably_gone(Pid {
                namespace: NonZeroU64::new(1),
                ..known
            }),
            "of another namespace"
        );
        let me = number(std::process::id());
        assert!(
            provably_gone(Pid {
                pid: me,
                born: NonZeroU64::new(1),
                namespace: namespace()
            }),
            "the number was used again"
        );
        assert!(
            !provably_gone(Pid {
                pid: me,
                born: None,
                namespace: namespace()
            }),
            "nothing is proven"
        );
    }
    #[test]
    fn r14_a_process_that_nobody_waited_for_is_gone() {
        let mut child = Command::new("true").spawn().unwrap();
        let known = Pid {
            pid: number(child.id()),
            born: born(child.id()),
            namespace: namespace(),
        };
        let exited =
            rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::waitid(rustix::process::WaitId::Pid(id), exited).unwrap();
        assert!(provably_gone(known));
        child.wait().unwrap();
    }
}
