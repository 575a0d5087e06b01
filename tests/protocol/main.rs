//! Clients in other languages: they judge the vectors as the SDK does, hold seats of a real daemon, and OpenSSL agrees (S7).

mod differential;
mod javascript;
mod python;
#[allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "the vectors use it too"
)]
#[path = "../../sdk/tests/vectors/scalar.rs"]
mod scalar;

use std::path::PathBuf;

/// A file of this folder.
fn here(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("protocol")
        .join(name)
}

/// Says so where a tool is not there; `tests/run protocol jose` looks for it first.
#[allow(clippy::print_stdout, reason = "a test tells why it did nothing")]
fn not_run(needs: &str) {
    println!("not run: needs {needs}");
}
