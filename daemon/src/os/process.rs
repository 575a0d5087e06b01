//! This process: its limits, its hardening, the machine and boot it runs on.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many files this process may have open once [`raise_open_files`] was called; absent where unlimited.
#[must_use]
pub fn open_files_limit() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Raises the soft limit of open files to the hard one.
///
/// # Errors
/// The system's.
pub fn raise_open_files() -> std::io::Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    Ok(setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    )?)
}
