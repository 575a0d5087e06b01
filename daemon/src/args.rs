//! The command line as clap reads it; each setting's flag comes from the one table of settings.

use clap::{Arg, ArgAction, ArgMatches, Command as Clap, value_parser};
use seatkeeperd::config::{KEYS, Sources};
use seatkeeperd::os;
use std::path::PathBuf;

/// What is asked.
pub(crate) enum Command {
    /// Load the configuration as `run` would and tell it, or print the example file.
    CheckConfig { example: bool },
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
            _ => (Command::CheckConfig { example: false }, &matches),
        };
        Asked {
            command,
            sources: sources(of),
        }
    }
}

fn clap() -> Clap {
    Clap::new("seatkeeperd")
        .about("The Seatkeeper daemon: gives out the seats of signed licenses on this machine")
        .version(env!("CARGO_PKG_VERSION"))
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
        let help = format!("{} [default: {}]", key.about, key.default);
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
