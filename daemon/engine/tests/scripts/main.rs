//! Golden scripts: each file in `testscripts/` is a title, commands with their times, and the recorded outcome.
//! `event` lines, as `seatkeeper audit script` prints them, are folded as they are: a bug report is a test.
//! `UPDATE=1 cargo test -p seatkeeper-engine --test scripts` writes the outcomes anew; review them as a diff.

mod access;
mod accounts;
mod credentials;
mod directory;
mod ended;
mod journal;
mod rollback;
mod stage;
mod terms;
mod told;
mod words;

use stage::Stage;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Every script plays out as it is written.
#[test]
fn every_script_plays_out_as_written() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut failed = String::new();
    let scripts = scripts();
    assert!(scripts.len() >= 45, "only {} scripts found", scripts.len());
    for path in scripts {
        let name = path
            .file_name()
            .expect("a script has a name")
            .display()
            .to_string();
        let text = std::fs::read_to_string(&path).expect("a script is readable");
        let (script, expected) = text.split_once("---\n").unwrap_or((&text, ""));
        let outcome = match play(script) {
            Ok(outcome) => outcome,
            Err(error) => {
                let _ = writeln!(failed, "{name}: {error}");
                continue;
            }
        };
        if update {
            std::fs::write(&path, format!("{script}---\n{outcome}")).expect("a script is writable");
        } else if outcome != expected {
            let _ = writeln!(failed, "{name}:\n{}", diff(expected, &outcome));
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testscripts");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .expect("the scripts are there")
        .map(|entry| entry.expect("an entry is readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    found.sort();
    found
}

/// Plays a script and returns its outcome, a line per recorded event or answer. One that begins with an event is a whole
/// journal; every other one begins at a site that is founded and trusts `acme`.
fn play(script: &str) -> Result<String, String> {
    let mut stage = Stage::new();
    for (n, line) in script.lines().enumerate() {
        let line = match line.trim() {
            event if event.starts_with("event ") => event,
            other => other.split('#').next().unwrap_or_default().trim(),
        };
        if !line.is_empty() {
            stage
                .play(line)
                .map_err(|error| format!("line {}: {error}: {line}", n + 1))?;
        }
    }
    stage.finish()
}

/// Expected and found, line by line, where they part.
fn diff(expected: &str, found: &str) -> String {
    let (mut e, mut f) = (expected.lines(), found.lines());
    let mut text = String::new();
    loop {
        match (e.next(), f.next()) {
            (None, None) => return text,
            (a, b) if a == b => {
                let _ = writeln!(text, "    {}", a.unwrap_or_default());
            }
            (a, b) => {
                let _ = writeln!(
                    text,
                    "  - {}\n  + {}",
                    a.unwrap_or("(end)"),
                    b.unwrap_or("(end)")
                );
            }
        }
    }
}
