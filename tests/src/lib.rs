//! Whole-house tests: the built binaries as processes, with sockets and files of their own.

pub mod application;
pub mod binaries;
pub mod man;
pub mod site;
pub mod smtp;
pub mod vendor;
pub mod wire;

pub use application::Application;
pub use site::Site;
pub use vendor::Vendor;

/// Says that a test cannot run here: aloud, and in the summary of `tests/run`, which names the file to write to.
#[expect(clippy::print_stderr, reason = "a test that does not run says so")]
pub fn not_run(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    eprintln!("not run: {test}: {why}");
    let Some(file) = std::env::var_os("SEATKEEPER_NOT_RUN") else {
        return;
    };
    let file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(file);
    let mut file = file.expect("tests/run names a file of its own");
    std::io::Write::write_all(&mut file, format!("{test}: {why}\n").as_bytes())
        .expect("a line is written");
}
