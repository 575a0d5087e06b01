//! The machine: its name and its present boot.

use seatkeeper_engine::ids::BootId;
use std::io;

/// What names the boot where the kernel's file is hidden (`ProcSubset=pid`): the unit sets it to `%b`.
const BOOT_VARIABLE: &str = "SEATKEEPER_BOOT_ID";
const BOOT_FILE: &str = "/proc/sys/kernel/random/boot_id";

/// The machine's name.
#[must_use]
pub fn name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// The signal that a process gets for a write over its limit of a file's size: unheard, it ends it.
pub(crate) const FILE_SIZE: i32 = rustix::process::Signal::XFSZ.as_raw();

/// The present boot: the kernel's own id, else the service manager's word.
///
/// # Errors
/// Neither can be read, or what was read is no id.
pub fn boot_id() -> io::Result<BootId> {
    let text = std::fs::read_to_string(BOOT_FILE)
        .or_else(|e| std::env::var(BOOT_VARIABLE).map_err(|_| e))?;
    let hex: String = text.trim().chars().filter(|c| *c != '-').collect();
    hex.parse().map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{BOOT_FILE} holds no boot id"),
        )
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_boot_is_the_same_in_every_call() {
        assert_eq!(super::boot_id().unwrap(), super::boot_id().unwrap());
        assert!(!super::name().is_empty());
    }
}
