//! `config show`: the settings in force.

use crate::args::ConfigCommand;
use crate::daemon::Daemon;
use crate::failure::Outcome;
use crate::printer::{Column, Printer};
use seatkeeper::wire::ConfigEntry;

/// Asks and prints.
pub(crate) fn run(daemon: &Daemon<'_>, command: &ConfigCommand, printer: &Printer) -> Outcome {
    let ConfigCommand::Show { origin } = command;
    let entries: Vec<ConfigEntry> = daemon.list("/v1/config")?;
    if *origin {
        printer.list(&entries, &[KEY, VALUE, ORIGIN])
    } else {
        printer.list(&entries, &[KEY, VALUE])
    }
}

const KEY: Column<'_, ConfigEntry> = Column("key", |entry| entry.key.clone());
const VALUE: Column<'_, ConfigEntry> = Column("value", |entry| entry.value.clone());
const ORIGIN: Column<'_, ConfigEntry> = Column("origin", |entry| entry.origin.clone());
