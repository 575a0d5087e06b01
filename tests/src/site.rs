//! A site: one daemon process under an ordinary configuration, with folders, socket and state of its own.

use crate::binaries::{Said, binary, run};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The uid that the daemon runs as where the tests run as root: an account of no name.
pub const DAEMON_UID: u32 = 20000;

/// How long a start may take before a test calls it failed; not a measure of anything.
const START: Duration = Duration::from_secs(60);

/// A daemon and its folders; killed and removed when dropped.
pub struct Site {
    folder: tempfile::TempDir,
    daemon: Option<Child>,
    extra: Vec<String>,
    launcher: Vec<String>,
    variables: Vec<(String, String)>,
    program: Option<PathBuf>,
}

impl Site {
    /// Makes the folders and the configuration; starts nothing.
    ///
    /// # Panics
    /// Where a folder cannot be made.
    #[must_use]
    pub fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// As `new`, with its folders below this one (a tmpfs, another disk).
    ///
    /// # Panics
    /// Where a folder cannot be made.
    #[must_use]
    pub fn below(parent: &Path) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("seatkeeper-")
            .tempdir_in(parent)
            .expect("a folder");
        let site = Site {
            folder,
            daemon: None,
            extra: Vec::new(),
            launcher: Vec::new(),
            variables: Vec::new(),
            program: None,
        };
        std::fs::set_permissions(site.folder.path(), std::fs::Permissions::from_mode(0o755))
            .expect("mode");
        for name in ["state", "run", "licenses.d", "vendors.d"] {
            let path = site.path(name);
            std::fs::create_dir(&path).expect("a folder");
            if is_root() && (name == "state" || name == "run") {
                chown(&path, Some(DAEMON_UID), Some(DAEMON_UID))
                    .expect("root may give folders away");
            }
        }
        std::fs::set_permissions(site.path("state"), std::fs::Permissions::from_mode(0o700))
            .expect("mode");
        site.configure("");
        site
    }

    /// Writes the configuration, with these lines added.
    ///
    /// # Panics
    /// Where the file cannot be written.
    pub fn configure(&self, more: &str) {
        let text = format!(
            "site_name = \"test site\"\nstate_dir = \"{}\"\nsocket = \"{}\"\nlicenses_dir = \"{}\"\nvendors_dir = \"{}\"\ndisk_reserve = \"0\"\n{more}\n",
            self.path("state").display(),
            self.socket().display(),
            self.path("licenses.d").display(),
            self.path("vendors.d").display(),
        );
        std::fs::write(self.path("seatkeeper.toml"), text).expect("the configuration is written");
    }

    /// Flags that each start gets.
    pub fn with_flag(&mut self, flag: &str) {
        self.extra.push(flag.to_owned());
    }

    /// A variable of the environment that each start gets.
    pub fn with_env(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Another build of the daemon, for each start.
    pub fn with_program(&mut self, program: &Path) {
        self.program = Some(program.to_owned());
    }

    /// A path in the site's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The daemon's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path("run/seatkeeper.sock")
    }

    /// The daemon's log so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Starts the daemon and waits until it says that it is ready.
    ///
    /// # Panics
    /// Where it does not become ready; the log is in the message.
    pub fn start(&mut self) {
        if let Err(said) = self.try_start() {
            panic!("the daemon did not become ready: {said}");
        }
    }

    /// Starts the daemon; its log where it ended before it was ready.
    ///
    /// # Errors
    /// The log of a daemon that ended, or did not become ready in a minute.
    ///
    /// # Panics
    /// Where the process cannot be started at all.
    pub fn try_start(&mut self) -> Result<(), String> {
        assert!(self.daemon.is_none(), "one daemon at a time");
        let notify_path = self.path("run/notify");
        let _ = std::fs::remove_file(&notify_path);
        let notify = UnixDatagram::bind(&notify_path).expect("a socket for readiness");
        std::fs::set_permissions(&notify_path, std::fs::Permissions::from_mode(0o666))
            .expect("mode");
        notify
            .set_read_timeout(Some(Duration::from_millis(50)))
            .expect("a timeout");
        let mut child = self
            .command(&notify_path)
            .spawn()
            .expect("the daemon starts");
        let tries = START.as_millis() / 50;
        for _ in 0..tries {
            let mut buffer = [0; 256];
            if let Ok(n) = notify.recv(&mut buffer)
                && String::from_utf8_lossy(&buffer[..n]).contains("READY=1")
            {
                self.daemon = Some(child);
                return Ok(());
            }
            if child.try_wait().expect("a child can be asked").is_some() {
                return Err(self.log());
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        Err(format!("not ready after {START:?}; {}", self.log()))
    }

    fn command(&self, notify: &Path) -> Command {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .expect("the log opens");
        let uid = DAEMON_UID.to_string();
        let built = || binary("seatkeeperd");
        let program = self.program.clone().unwrap_or_else(built);
        let mut command = match self.launcher.split_first() {
            Some((launcher, more)) => {
                let mut command = Command::new(launcher);
                command.args(more);
                command.args([
                    "setpriv",
                    "--reuid",
                    &uid,
                    "--regid",
                    &uid,
                    "--clear-groups",
                ]);
                command.arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .arg("run")
            .arg("--config")
            .arg(self.path("seatkeeper.toml"))
            .args(&self.extra)
            .env("NOTIFY_SOCKET", notify)
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        if is_root() && self.launcher.is_empty() {
            command.uid(DAEMON_UID).gid(DAEMON_UID);
        }
        command
    }

    /// From here on starts the daemon through a command that becomes it, as root: `nsenter …`.
    pub fn launch_by(&mut self, launcher: &[&str]) {
        self.launcher = launcher.iter().map(ToString::to_string).collect();
    }

    /// The daemon's pid.
    ///
    /// # Panics
    /// Where none runs.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().expect("a daemon runs").id()
    }

    /// Stops the daemon with SIGTERM and returns its exit code.
    ///
    /// # Panics
    /// Where none runs.
    pub fn stop(&mut self) -> Option<i32> {
        let mut child = self.daemon.take().expect("a daemon runs");
        signal(child.id(), rustix::process::Signal::TERM);
        child.wait().expect("a child can be waited for").code()
    }

    /// Kills the daemon with SIGKILL.
    ///
    /// # Panics
    /// Where none runs.
    pub fn kill(&mut self) {
        let mut child = self.daemon.take().expect("a daemon runs");
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be waited for");
    }

    /// Waits for a daemon that ends by itself.
    ///
    /// # Panics
    /// Where none runs.
    pub fn wait(&mut self) -> Option<i32> {
        self.daemon
            .take()
            .expect("a daemon runs")
            .wait()
            .expect("a child can be waited for")
            .code()
    }

    /// The CLI against this daemon.
    #[must_use]
    pub fn cli_command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary("seatkeeper"));
        command
            .args(args)
            .env("SEATKEEPER_SOCKET", self.socket())
            .stdin(Stdio::null());
        command
    }

    /// Runs the CLI as whoever runs the tests.
    #[must_use]
    pub fn cli(&self, args: &[&str]) -> Said {
        run(&mut self.cli_command(args))
    }

    /// Runs the CLI as another uid (root only).
    #[must_use]
    pub fn cli_as(&self, uid: u32, args: &[&str]) -> Said {
        run(self.cli_command(args).uid(uid).gid(uid))
    }

    /// Runs the CLI, which must succeed; returns its standard output.
    ///
    /// # Panics
    /// Where it does not.
    pub fn ok(&self, args: &[&str]) -> String {
        let said = self.cli(args);
        assert_eq!(
            said.code, 0,
            "seatkeeper {args:?}: {}{}",
            said.out, said.err
        );
        said.out
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(mut child) = self.daemon.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// As an administrator copies a file or a folder in the place of another: with owners and modes.
///
/// # Panics
/// Where it cannot be copied.
pub fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(
        done.is_ok_and(|status| status.success()),
        "{from:?} is copied"
    );
}

/// Whether the tests run as root: only then can they be other people.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Sends a signal to a process of the test's own.
///
/// # Panics
/// Where there is no such process.
pub fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .expect("a pid");
    rustix::process::kill_process(pid, signal).expect("the process is the test's own");
}
