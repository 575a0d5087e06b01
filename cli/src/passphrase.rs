//! A passphrase: from a file, the environment, or the terminal without echo; a password: from standard input. Never from an
//! argument.

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use seatkeeper::wire::Secret;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// The first line of the file, else asked at the terminal, twice where it is a new one.
pub(crate) fn get(file: Option<&Path>, prompt: &str, new: bool) -> Outcome<String> {
    let passphrase = match file {
        Some(path) => files::read(path)?
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
        None => ask(prompt, new)?,
    };
    if passphrase.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "the passphrase is empty",
            "give one of some length",
        ));
    }
    Ok(passphrase)
}

/// As `get`, but the environment is looked at before the terminal: for the vendor's keys.
pub(crate) fn of_key(file: Option<&Path>, prompt: &str, new: bool) -> Outcome<Zeroizing<String>> {
    match from_environment() {
        Some(passphrase) if file.is_none() => Ok(passphrase),
        _ => get(file, prompt, new).map(Zeroizing::new),
    }
}

/// A password or a code: the next line of standard input; where that is a terminal it is asked for, without echo, and twice
/// where it is a new one.
pub(crate) fn secret(prompt: &str, new: bool) -> Outcome<Secret> {
    if io::stdin().is_terminal() {
        return ask(prompt, new).map(Secret::new);
    }
    let mut line = Zeroizing::new(String::new());
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::file("read", Path::new("standard input"), &error))?;
    let text = line.trim_end_matches(['\r', '\n']);
    match text.is_empty() {
        false => Ok(Secret::new(text)),
        true => Err(Failure::new(
            Exit::Usage,
            format!("standard input has no line for {prompt}"),
            "write each of what is asked for on a line of its own, or type the command at a terminal",
        )),
    }
}

/// Whatever `SEATKEEPER_PASSPHRASE` says, unless that is nothing.
pub(crate) fn from_environment() -> Option<Zeroizing<String>> {
    std::env::var("SEATKEEPER_PASSPHRASE")
        .ok()
        .filter(|passphrase| !passphrase.is_empty())
        .map(Zeroizing::new)
}

fn ask(prompt: &str, new: bool) -> Outcome<String> {
    let tty = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(|_| {
            Failure::new(
                Exit::Usage,
                "a passphrase or password is needed, and there is no terminal to ask at",
                "name a file that holds it: `--passphrase-file FILE`",
            )
        })?;
    let first = ask_once(&tty, prompt)?;
    if new && ask_once(&tty, "the same again")? != first {
        return Err(Failure::new(
            Exit::Usage,
            "the two that were typed differ",
            "type it again",
        ));
    }
    Ok(first)
}

fn ask_once(tty: &File, prompt: &str) -> Outcome<String> {
    let failed = |error: std::io::Error| Failure::file("ask at", Path::new("/dev/tty"), &error);
    let _silence = Silence::new(tty).map_err(|error| failed(error.into()))?;
    let mut line = String::new();
    write!(&*tty, "{prompt}: ").map_err(failed)?;
    BufReader::new(tty).read_line(&mut line).map_err(failed)?;
    writeln!(&*tty).map_err(failed)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// No echo while it lives.
struct Silence<'a> {
    tty: &'a File,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn new(tty: &'a File) -> rustix::io::Result<Silence<'a>> {
        let before = tcgetattr(tty)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(tty, OptionalActions::Flush, &silent)?;
        Ok(Silence { tty, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // A terminal that has gone needs no echo.
        let _ = tcsetattr(self.tty, OptionalActions::Flush, &self.before);
    }
}
