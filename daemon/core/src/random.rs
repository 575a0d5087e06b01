//! Random bytes of the kernel, for ids that no counter may give: a restored counter would give them twice.

use rustix::rand::{GetRandomFlags, getrandom};
use std::io;

/// `N` random bytes. Waits for the kernel's pool at a first boot; fails only where there is no such call.
pub fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut out = [0; N];
    let mut filled = 0;
    while filled < N {
        match getrandom(&mut out[filled..], GetRandomFlags::empty()) {
            Ok(n) => filled += n,
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(out)
}
