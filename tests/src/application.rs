//! The application of `src/bin/application.rs` as a child process of a test.

use crate::binaries::binary;
use crate::{Site, Vendor};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A program that asks for a seat through the SDK, and holds it until it is ended or killed.
pub struct Application {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// The first line that it said: its lease, or `code` where it has no seat.
    pub said: Value,
}

impl Application {
    /// Starts it for `cad/modeler` under the vendor's root, and waits for its first line.
    ///
    /// # Panics
    /// Where it cannot be started.
    #[must_use]
    pub fn start(site: &Site, vendor: &Vendor) -> Self {
        Self::behind(site, vendor, &[])
    }

    /// The same by way of a launcher: words that stand before the program.
    ///
    /// # Panics
    /// Where it cannot be started.
    #[must_use]
    pub fn behind(site: &Site, vendor: &Vendor, launcher: &[&str]) -> Self {
        let root = site.path(&format!("{}-root.pem", vendor.name));
        std::fs::write(&root, vendor.root.public().to_pem()).expect("the root is written");
        Self::with(&site.socket(), &root, "cad/modeler", launcher)
    }

    /// The same for any socket, root file and feature.
    ///
    /// # Panics
    /// Where it cannot be started.
    #[must_use]
    pub fn with(socket: &Path, root: &Path, feature: &str, launcher: &[&str]) -> Self {
        let program = binary("application");
        let (product, feature) = feature.split_once('/').expect("PRODUCT/FEATURE");
        let mut words: Vec<&OsStr> = launcher.iter().map(OsStr::new).collect();
        words.extend([program.as_os_str(), product.as_ref(), feature.as_ref()]);
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .arg(root)
            .env("SEATKEEPER_SOCKET", socket)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the application starts");
        let stdout = child.stdout.take().expect("it has a stdout");
        let mut lines = BufReader::new(stdout).lines();
        let said = lines
            .next()
            .and_then(Result::ok)
            .and_then(|line| serde_json::from_str(&line).ok())
            .unwrap_or(Value::Null);
        Application { child, lines, said }
    }

    /// The pid of the child: the launcher's where there is one that stays.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of what it says.
    pub fn line(&mut self) -> Option<String> {
        self.lines.next().and_then(Result::ok)
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Panics
    /// Where it is not a child any more.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is the test's own");
        self.child.wait().expect("it is the test's own");
    }

    /// Lets it give its seat back and end; returns its exit code.
    ///
    /// # Panics
    /// Where it is not a child any more.
    pub fn end(&mut self) -> Option<i32> {
        drop(self.child.stdin.take());
        self.child.wait().expect("it is the test's own").code()
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
