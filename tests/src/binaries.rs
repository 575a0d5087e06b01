//! Where the built binaries lie, and how one is run.

use std::path::PathBuf;
use std::process::{Command, Output};

/// A binary of the workspace, beside the test that asks.
///
/// # Panics
/// Where it was not built: `cargo build --workspace --bins --examples`.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let me = std::env::current_exe().expect("a running test has a path");
    let built = me
        .ancestors()
        .skip(1)
        .take(3)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    built.unwrap_or_else(|| {
        panic!("{name} is not built: run `cargo build --workspace --bins --examples` first")
    })
}

/// What a finished command said.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its exit code; 128 + signal where one ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs a command to its end.
///
/// # Panics
/// Where it cannot be started.
pub fn run(command: &mut Command) -> Said {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .unwrap_or_else(|e| panic!("{}: {e}", command.get_program().display()));
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    Said {
        code: status
            .code()
            .unwrap_or_else(|| 128 + signal.unwrap_or_default()),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    }
}
