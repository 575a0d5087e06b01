//! The command line as clap reads it; each setting's flag comes from the one table of settings.

use clap::{Arg, ArgAction, ArgMatches, Command as Clap, value_parser};
use seatkeeperd::config::{KEYS, Sources};
use seatkeeperd::dev::Play;
use seatkeeperd::dev::vendor::Times;
use seatkeeperd::os;
use std::path::PathBuf;

/// What is asked.
pub(crate) enum Command {
    /// Load the configuration as `run` would and tell it, or print the example file.
    CheckConfig { example: bool },
    /// Serve.
    Run,
    /// Serve a site of its own from a scratch folder.
    Dev(Play),
    /// Hold a seat at this socket.
    DevApp(PathBuf),
}

/// The parsed command line with the environment that the configuration may use.
pub(crate) struct Asked {
    pub(crate) command: Command,
    pub(crate) sources: Sources,
}

impl Asked {
    /// Ends the process with usage or help where clap says so.
    pub(crate) fn from_command_line() -> Asked {
        let matches = clap().get_matches();
        let (command, of) = match matches.subcommand() {
            Some(("check-config", of)) => (
                Command::CheckConfig {
                    example: of.get_flag("example"),
                },
                of,
            ),
            Some(("dev", of)) => (Command::Dev(play(of)), of),
            Some(("dev-app", of)) => (Command::DevApp(path(of, "socket")), of),
            Some((_, of)) => (Command::Run, of),
            None => (Command::Run, &matches),
        };
        Asked {
            command,
            sources: sources(of),
        }
    }
}

fn play(of: &ArgMatches) -> Play {
    let seconds = |name| of.get_one::<u64>(name).copied().expect("it has a default");
    Play {
        times: Times {
            ttl_s: seconds("ttl"),
            grace_s: seconds("grace"),
        },
        manual_clock: of
            .get_one::<String>("clock")
            .is_some_and(|clock| clock == "manual"),
    }
}

fn path(of: &ArgMatches, name: &str) -> PathBuf {
    of.get_one::<PathBuf>(name)
        .cloned()
        .expect("clap refuses a command line without it")
}

/// `6s`, `15m`, `2h`, or seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let (number, times) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        _ => (text, 1),
    };
    let seconds = number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(times));
    seconds.ok_or_else(|| "a time like 6s, 15m or 2h".to_owned())
}

fn dev() -> Clap {
    let time = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("TIME")
            .value_parser(seconds)
            .default_value(default)
            .help(help)
    };
    Clap::new("dev")
        .about("Try it out: a vendor, a license with three seats and an application that holds one, in a scratch folder")
        .arg(time("ttl", "15m", "How long a lease lives without renewal"))
        .arg(time("grace", "0s", "How long the application may go on after that"))
        .arg(
            Arg::new("clock")
                .long("clock")
                .value_name("CLOCK")
                .value_parser(["system", "manual"])
                .default_value("system")
                .help("The machine's clock, or one that stands until `seatkeeper dev clock +8d` moves it: to see how a license ends"),
        )
}

fn dev_app() -> Clap {
    Clap::new("dev-app")
        .about("The example application that `dev` starts")
        .hide(true)
        .arg(
            Arg::new("socket")
                .required(true)
                .value_parser(value_parser!(PathBuf)),
        )
}

fn clap() -> Clap {
    with_settings(Clap::new("seatkeeperd"))
        .about("The Seatkeeper daemon: gives out the seats of signed licenses on this machine")
        .version(env!("CARGO_PKG_VERSION"))
        .args_conflicts_with_subcommands(true)
        .subcommand(with_settings(Clap::new("run").about("Serve this machine (the default)")))
        .subcommand(dev())
        .subcommand(dev_app())
        .subcommand(
            with_settings(Clap::new("check-config").about("Check the configuration as `run` would read it, and tell where each value comes from"))
                .arg(Arg::new("example").long("example").action(ArgAction::SetTrue).help("Print a commented example file instead")),
        )
}

/// `--config` and one flag for each setting.
fn with_settings(command: Clap) -> Clap {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("Read this file, and conf.d/*.toml beside it, instead of /etc/seatkeeper/seatkeeper.toml");
    KEYS.iter().fold(command.arg(config), |command, key| {
        let values = key.values().map(|values| format!(" [{values}]"));
        let help = format!(
            "{}{} [default: {}]",
            key.about,
            values.unwrap_or_default(),
            key.default
        );
        command.arg(
            Arg::new(key.name)
                .long(key.flag())
                .value_name("VALUE")
                .help(help)
                .help_heading("Settings"),
        )
    })
}

fn sources(matches: &ArgMatches) -> Sources {
    let flags = KEYS.iter().filter_map(|key| {
        let value = matches.try_get_one::<String>(key.name).ok().flatten()?;
        Some((key.name.to_owned(), value.clone()))
    });
    Sources {
        file: matches
            .try_get_one::<PathBuf>("config")
            .ok()
            .flatten()
            .cloned(),
        environment: environment(),
        flags: flags.collect(),
        open_files: os::process::open_files_limit(),
    }
}

/// Names and values that are text; a setting is never anything else.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            Some((
                name.into_string().ok()?,
                value.to_string_lossy().into_owned(),
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::clap;

    #[test]
    fn u4_the_manual_says_what_the_command_line_takes() {
        clap().debug_assert();
        seatkeeper_tests::man::agree(clap().bin_name("seatkeeperd"), "8");
    }
}
