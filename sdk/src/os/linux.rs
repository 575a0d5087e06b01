//! Linux: machine facts from /proc, randomness and sockets through rustix.

use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect as os_connect, socket_with,
    sockopt,
};
use rustix::rand::{GetRandomFlags, getrandom};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The 16 raw bytes of this boot's id.
pub(crate) fn boot_id() -> io::Result<[u8; 16]> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    parse_uuid(text.trim())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the boot id is no UUID"))
}

/// What tells this process from one that it forked: its pid, and the pid namespace that numbers it. In a container an
/// application is pid 1, and so is a child that it starts in a namespace of its own.
pub(crate) fn process() -> (i32, u64) {
    let namespace = rustix::fs::stat("/proc/self/ns/pid").map_or(0, |found| found.st_ino);
    (rustix::process::getpid().as_raw_nonzero().get(), namespace)
}

/// The effective uid.
pub(crate) fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Fills with randomness of the kernel.
pub(crate) fn random(bytes: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        filled += getrandom(&mut bytes[filled..], GetRandomFlags::empty())?;
    }
    Ok(())
}

/// Connects to a unix socket; a full backlog is waited for no longer than `timeout`.
pub(crate) fn connect(path: &Path, timeout: Duration) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    // The kernel bounds the wait for a place in the backlog by the send timeout.
    sockopt::set_socket_timeout(
        &socket,
        sockopt::Timeout::Send,
        Some(timeout.max(Duration::from_millis(1))),
    )?;
    match os_connect(&socket, &address) {
        Ok(()) => Ok(UnixStream::from(socket)),
        Err(rustix::io::Errno::AGAIN) => Err(io::ErrorKind::TimedOut.into()),
        Err(e) => Err(e.into()),
    }
}

/// A folder (no link) that belongs to this uid and that nobody else may enter.
pub(crate) fn is_private_folder(path: &Path) -> bool {
    std::fs::symlink_metadata(path)
        .is_ok_and(|m| m.is_dir() && m.uid() == uid() && m.mode() & 0o077 == 0)
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 || !digits.is_ascii() {
        return None;
    }
    let mut bytes = [0; 16];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_id_is_stable_within_a_boot() {
        assert_eq!(boot_id().unwrap(), boot_id().unwrap());
        assert_eq!(
            parse_uuid("00112233-4455-6677-8899-aabbccddeeff").unwrap()[15],
            0xff
        );
        assert_eq!(parse_uuid("no uuid"), None);
    }

    #[test]
    fn s18_randomness_differs_in_every_call() {
        let (mut a, mut b) = ([0; 16], [0; 16]);
        random(&mut a).unwrap();
        random(&mut b).unwrap();
        assert_ne!(a, b);
    }
}
