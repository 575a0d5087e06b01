//! The program: what its command line says, and which part of the daemon answers.

mod args;

use args::{Asked, Command};
use seatkeeperd::config::{self, Loaded, Sources};
use seatkeeperd::mail::password;
use seatkeeperd::os::names::no_such_group;
use seatkeeperd::{dev, run};
use std::io::Write;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let asked = Asked::from_command_line();
    match asked.command {
        Command::CheckConfig { example: true } => said(&config::example()),
        Command::CheckConfig { example: false } => check_config(&asked.sources),
        Command::Run => start(&asked.sources),
        Command::Dev(play) => ended(dev::run(play)),
        Command::DevApp(socket) => ended(dev::app::run(&socket)),
    }
}

fn start(sources: &config::Sources) -> ExitCode {
    // Before the configuration, whose owners root would be told to change.
    if let Err(why) = run::may_run() {
        return ended(Err(why));
    }
    match config::load(sources) {
        Ok(loaded) => ended(run::run(&loaded.settings)),
        Err(faults) => failed(&faults.to_string()),
    }
}

fn ended(end: Result<(), String>) -> ExitCode {
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => failed(&format!("seatkeeperd: {text}\n")),
    }
}

/// Loads as `run` does and tells every value with its place, or every fault; beside it what holds, but not as meant.
fn check_config(sources: &Sources) -> ExitCode {
    match config::load(sources) {
        Ok(loaded) => {
            if let Some((text, remedy)) = no_such_group(&loaded.settings.admin_group) {
                failed(&format!("seatkeeperd: warning: {text}; {remedy}\n"));
            }
            if let Err(why) = password(&loaded.settings.mail) {
                failed(&format!(
                    "seatkeeperd: warning: {}; {}\n",
                    why.text, why.remedy
                ));
            }
            said(&told(&loaded))
        }
        Err(faults) => failed(&faults.to_string()),
    }
}

fn told(loaded: &Loaded) -> String {
    let entries = loaded.settings.origins();
    let wide = entries
        .iter()
        .map(|e| e.key.len() + e.value.len())
        .max()
        .unwrap_or(0)
        + 3;
    let line = |e: &config::ConfigEntry| {
        format!(
            "{:wide$}  # {}\n",
            format!("{} = {}", e.key, e.value),
            e.origin
        )
    };
    entries.iter().map(line).collect()
}

/// Data goes to stdout; a reader that went away is no failure of ours.
fn said(text: &str) -> ExitCode {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// What is wrong goes to stderr; if that is closed there is nobody left to tell.
fn failed(text: &str) -> ExitCode {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
    ExitCode::FAILURE
}
