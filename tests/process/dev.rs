//! `seatkeeperd dev`: the first command of the README, and the three lines that it asks to paste.

use seatkeeper_tests::binaries::{binary, run};
use seatkeeper_tests::site::signal;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running `dev`; interrupted and removed when dropped.
struct Dev {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    folder: tempfile::TempDir,
}

impl Dev {
    fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(binary("seatkeeperd"))
            .arg("dev")
            .args(flags)
            .env("XDG_RUNTIME_DIR", folder.path())
            .env("PATH", beside())
            // Of another daemon, as in the shell of one who tries several things.
            .env("SEATKEEPER_SOCKET", folder.path().join("another"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("dev starts");
        let stdout = child.stdout.take().expect("it has a stdout");
        let lines = BufReader::new(stdout).lines();
        Dev {
            child,
            lines,
            folder,
        }
    }

    /// Reads on until a line is as wanted; its words stand in the panic of a dev that ends first.
    fn until(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let mut told = String::new();
        loop {
            match self.lines.next() {
                Some(Ok(line)) if wanted(&line) => return line,
                Some(Ok(line)) => told.extend([line.as_str(), "\n"]),
                _ => panic!("dev ended, having said: {told}"),
            }
        }
    }

    /// `seatkeeper …`, asked of this daemon.
    fn asked(&self, words: &str) -> seatkeeper_tests::binaries::Said {
        run(Command::new(binary("seatkeeper"))
            .args(words.split(' '))
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env_remove("SEATKEEPER_SOCKET"))
    }

    /// One of the lines to paste, in a shell as a user has it.
    fn paste(&self, line: &str) -> seatkeeper_tests::binaries::Said {
        run(Command::new("sh")
            .args(["-c", line])
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("SEATKEEPER_SOCKET", self.folder.path().join("another")))
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal(self.child.id(), rustix::process::Signal::INT);
            let _ = self.child.wait();
        }
    }
}

/// The path that a shell has, with the built programs first, so that dev names `seatkeeper` by its name.
fn beside() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let built = binary("seatkeeper");
    let mut folders = vec![built.parent().unwrap_or(Path::new("/")).to_owned()];
    folders.extend(std::env::split_paths(&path));
    std::env::join_paths(folders).expect("no folder has a colon in its name")
}

#[test]
fn u7_dev_shows_a_seat_and_its_three_lines_work_when_pasted() {
    let mut dev = Dev::start(&[]);
    let held = dev.until(|line| line.starts_with("slot "));
    assert!(held.starts_with("slot 0 taken"), "{held}");
    let list = dev
        .until(|line| line.ends_with(" seat list"))
        .trim()
        .to_owned();
    let why = dev
        .until(|line| line.contains(" why bob modeler"))
        .trim()
        .to_owned();
    let kill = dev
        .until(|line| line.trim().starts_with("kill -9 "))
        .trim()
        .to_owned();
    let pid = kill.rsplit(' ').next().unwrap_or_default();

    let said = dev.paste(&format!("PATH={}:$PATH; {list}", programs()));
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out.contains("modeler") && said.out.contains(pid),
        "{said:?}"
    );
    let said = dev.paste(&format!("PATH={}:$PATH; {why}", programs()));
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out.contains("bob") && said.out.contains("would get"),
        "{said:?}"
    );
    assert_eq!(dev.paste(&kill).code, 0);
    let freed = dev.until(|line| line.contains("free: process died"));
    let took: f64 = freed
        .rsplit(", ")
        .next()
        .and_then(|rest| rest.split(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(f64::MAX);
    assert!(
        freed.ends_with(" ms") && took < 1000.0,
        "within a second: {freed}"
    );

    signal(dev.child.id(), rustix::process::Signal::INT);
    assert_eq!(dev.child.wait().expect("it is ours").code(), Some(0));
    let left: Vec<_> = std::fs::read_dir(dev.folder.path())
        .expect("the folder is there")
        .collect();
    assert!(left.is_empty(), "Ctrl-C removes everything: {left:?}");
}

fn programs() -> String {
    let built = binary("seatkeeper");
    built
        .parent()
        .unwrap_or(Path::new("/"))
        .display()
        .to_string()
}

/// Item 7 of a vendor's tests: grace, loss and the way back, of a real program, in seconds.
#[test]
fn u7_a_program_meets_silence_and_a_no_on_purpose() {
    let mut dev = Dev::start(&["--ttl", "2s", "--grace", "2s"]);
    dev.until(|line| line.starts_with("slot 0 taken"));
    let said = dev.asked("dev fault drop 1h");
    assert_eq!(said.code, 0, "{said:?}");
    dev.until(|line| line.contains("my seat could not be renewed"));
    dev.until(|line| line.contains("I have no seat any more"));
    assert!(
        dev.asked("dev fault")
            .out
            .contains("no program is answered")
    );
    let said = dev.asked("dev fault off");
    assert_eq!(
        (said.code, said.out.trim()),
        (0, "nothing goes wrong on purpose")
    );
    dev.until(|line| line.contains("I have my seat again"));

    assert_eq!(dev.asked("dev fault deny license_expired").code, 0);
    let no = dev.asked("seat checkout modeler");
    assert_eq!(no.code, 5, "{no:?}");
    assert!(
        no.err.contains("license_expired") && no.err.contains("on purpose"),
        "{no:?}"
    );
    assert_eq!(dev.asked("dev fault deny license_expird").code, 2);
    assert_eq!(
        dev.asked("dev fault slow 1s").code,
        0,
        "in the place of the other"
    );
    let took = dev.asked("run modeler -- true");
    assert_eq!(took.code, 0, "{took:?}");
    let no = dev.asked("dev clock +8d");
    assert!(no.code == 2 && no.err.contains("--clock manual"), "{no:?}");
}

#[test]
fn u7_dates_of_a_license_come_in_an_instant_where_the_clock_is_manual() {
    let mut dev = Dev::start(&["--ttl", "2s", "--clock", "manual"]);
    dev.until(|line| line.starts_with("slot 0 taken"));
    let status = |dev: &Dev| dev.asked("license list").out;
    assert!(status(&dev).contains("in force"), "{}", status(&dev));
    let said = dev.asked("dev clock +89d");
    assert!(said.code == 0 && said.out.contains("89 days"), "{said:?}");
    dev.until(|line| line == "slot 0 free: not renewed in time");
    dev.until(|line| line.starts_with("slot 0 taken"));
    assert_eq!(dev.asked("dev clock +2d").code, 0);
    assert!(status(&dev).contains("expired"), "{}", status(&dev));
    dev.until(|line| line.contains("I have no seat any more"));
    let no = dev.asked("seat checkout modeler");
    assert!(no.code == 5 && no.err.contains("license_expired"), "{no:?}");
    assert_eq!(dev.asked("dev clock 8d").code, 2);
}

#[test]
fn u7_an_installed_daemon_lets_nothing_go_wrong_on_purpose() {
    let mut site = seatkeeper_tests::site::Site::new();
    site.start();
    for words in [
        &["dev", "fault", "off"][..],
        &["dev", "fault", "slow", "2s"],
        &["dev", "clock", "+8d"],
    ] {
        let no = site.cli(words);
        assert!(no.code == 3 && no.err.contains("seatkeeperd dev"), "{no:?}");
    }
}
