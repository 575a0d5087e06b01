//! The hidden half of `run`: it becomes the program, and does not outlive its parent.

use super::fake::seatkeeper;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

fn child(program: &[&str]) -> i32 {
    let own = std::process::id().to_string();
    seatkeeper("child")
        .arg(own)
        .arg("--")
        .args(program)
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .code()
        .unwrap()
}

#[test]
fn u4_it_becomes_the_program() {
    assert_eq!(child(&["sh", "-c", "exit 7"]), 7);
    assert_eq!(child(&["/nonexistent/program"]), 127);
    assert_eq!(child(&["/"]), 126);
}

#[test]
fn u4_it_starts_nothing_where_its_parent_is_gone() {
    let status = seatkeeper("child 1 -- true")
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(125));
}

#[test]
fn u4_the_program_dies_with_run_however_that_dies() {
    // A shell stands for `run`: the program below it says its pid, then keeps the pipe open for as long as it lives.
    let script = r#""$0" child $$ -- sh -c 'echo up; exec sleep 1000' & wait"#;
    let mut run = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_seatkeeper")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(run.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "up\n");
    run.kill().unwrap();
    run.wait().unwrap();
    // The end of the pipe: nobody holds it any more.
    assert_eq!(stdout.read_to_end(&mut Vec::new()).unwrap(), 0);
}
