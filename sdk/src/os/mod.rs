//! Everything of one operating system, behind small functions: machine facts, randomness, sockets.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub(crate) use linux::{boot_id, connect, is_private_folder, process, random, uid};

#[cfg(not(target_os = "linux"))]
compile_error!(
    "the client of seatkeeper supports Linux only so far; \
     build with `default-features = false` for tokens and wire types alone"
);
