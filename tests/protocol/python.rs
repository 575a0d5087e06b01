//! The client in Python: the vectors, and a seat from checkout to release.

use crate::{here, not_run};
use seatkeeper_tests::binaries::run;
use seatkeeper_tests::{Site, Vendor};
use serde_json::Value;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The interpreter: `SEATKEEPER_PYTHON`, which must have what is needed, else `python3` if it happens to have it.
pub(crate) fn interpreter() -> Option<String> {
    let told = std::env::var("SEATKEEPER_PYTHON").ok();
    let python = told.clone().unwrap_or_else(|| "python3".to_owned());
    let imports =
        "import cryptography; from joserfc import jws; jws.JWSRegistry.algorithms['Ed25519']";
    let found = Command::new(&python)
        .args(["-c", imports])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    assert!(
        found || told.is_none(),
        "{python} lacks joserfc (1.6.5 or later) or cryptography"
    );
    if !found {
        not_run("Python with joserfc and cryptography");
    }
    found.then_some(python)
}

pub(crate) fn script(python: &str, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg("-B").arg(here(name));
    command
}

/// The client as a child: one line of JSON for every line that it is told.
struct Client {
    child: Child,
    ask: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Client {
    fn start(python: &str, site: &Site, root: &Path, feature: &str) -> (Client, Value) {
        let mut child = script(python, "client.py")
            .arg(site.socket())
            .arg(root)
            .args(["cad", feature, "1.0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let stdout = child.stdout.take().expect("it has a stdout");
        let mut client = Client {
            ask: child.stdin.take(),
            lines: BufReader::new(stdout).lines(),
            child,
        };
        let said = client.line();
        (client, said)
    }

    fn tell(&mut self, line: &str) -> Value {
        let ask = self.ask.as_mut().expect("it has a stdin");
        writeln!(ask, "{line}").expect("it reads");
        self.line()
    }

    fn line(&mut self) -> Value {
        let line = self.lines.next().and_then(Result::ok).unwrap_or_default();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn seats(site: &Site) -> usize {
    let seats = site.admin("GET", "/v1/seats", None);
    seats.body["items"].as_array().map_or(0, Vec::len)
}

fn root(site: &Site, vendor: &Vendor) -> std::path::PathBuf {
    let path = site.path("root.pem");
    std::fs::write(&path, vendor.root.public().to_pem()).expect("it is written");
    path
}

/// joserfc and the tables of claims.py say what the SDK says, vector by vector.
#[test]
fn s1_to_s6_a_client_in_python_judges_every_vector_alike() {
    let Some(python) = interpreter() else { return };
    let said = run(script(&python, "vectors.py").arg(here("vectors")));
    println!("Python: {}", said.out.trim());
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

#[test]
fn u3_a_client_in_python_takes_renews_and_gives_back() {
    let Some(python) = interpreter() else { return };
    let (site, vendor) = Site::with_seats(1);
    let root = root(&site, &vendor);
    let (mut client, taken) = Client::start(&python, &site, &root, "modeler");
    assert_eq!(taken["state"], "live", "{taken}");
    assert_eq!(taken["slots"], serde_json::json!([0]));
    assert_eq!(seats(&site), 1);

    let (_second, denied) = Client::start(&python, &site, &root, "modeler");
    assert_eq!(denied["code"], "no_seat_free", "{denied}");

    let renewed = client.tell("renew");
    assert_eq!(
        (&renewed["jti"], &renewed["state"]),
        (&taken["jti"], &"live".into())
    );
    assert!(renewed["seq"].as_u64() > taken["seq"].as_u64(), "{renewed}");
    assert_ne!(renewed["nonce"], taken["nonce"]);

    let released = client.tell("release");
    assert_eq!(released["state"], "released", "{released}");
    assert_eq!(seats(&site), 0);
}

/// A reclaimed seat is told so in its next renewal, which the client verifies as a last lease.
#[test]
fn r16_a_client_in_python_is_told_of_its_end() {
    let Some(python) = interpreter() else { return };
    let (site, vendor) = Site::with_seats(1);
    let root = root(&site, &vendor);
    let (mut client, taken) = Client::start(&python, &site, &root, "modeler");
    site.ok(&["seat", "reclaim", taken["gid"].as_str().expect("a lease")]);
    let last = client.tell("renew");
    assert_eq!(last["last"], "reclaimed", "{last}");
    assert_eq!((&last["ttl_s"], &last["grace_s"]), (&300.into(), &0.into()));
}

/// The daemon's word is nothing without the root: an application of another vendor gets no seat it believes.
#[test]
fn s5_a_client_in_python_believes_its_own_root_alone() {
    let Some(python) = interpreter() else { return };
    let (site, _vendor) = Site::with_seats(1);
    let stranger = root(&site, &Vendor::new("acme", 9));
    let (_client, said) = Client::start(&python, &site, &stranger, "modeler");
    assert_eq!(said["code"], "wrong_vendor", "{said}");
    assert_eq!(seats(&site), 0);
}
