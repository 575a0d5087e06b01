//! `seat …` and `run`: what may be typed.

use crate::names::{FeatureName, GrantId};
use clap::{Args, Subcommand};
use std::ffi::OsString;

/// `seat …`
#[derive(Debug, Subcommand)]
pub(crate) enum SeatCommand {
    /// Seats in use and named seats with their owners; your own, or all for administrators
    List {
        /// Only this feature
        feature: Option<FeatureName>,
        /// Only this user's
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// Hold a seat in the foreground until Ctrl-C or SIGTERM, then give it back
    Checkout(CheckoutArgs),
    /// Give back one's own seat from anywhere; its program has time to save
    Release {
        /// The seat's id from `seat list`
        id: String,
    },
    /// Take a seat back, all who share it included; a pause begins for its user on that machine
    Reclaim {
        /// The seat's id from `seat list`
        id: GrantId,
        /// Take a named seat from its owner for good, whoever sits on it; not before the time that the vendor binds it for
        #[arg(long)]
        owner: bool,
        /// No time to save: told at its next renewal, within the lease's time; to free it now, end its program
        #[arg(long)]
        hard: bool,
    },
}

/// What is taken of a feature.
#[derive(Args, Debug, Clone)]
pub(crate) struct Taking {
    /// The version of the program: a license may cover versions up to a limit
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Seats to take, all from one license
    #[arg(short, long = "seats", value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub n: u32,
    /// A person asks for it just now: ends the pause after a reclaim (cool_down)
    #[arg(long)]
    pub interactive: bool,
}

/// `seat checkout`
#[derive(Args, Debug)]
pub(crate) struct CheckoutArgs {
    /// PRODUCT/FEATURE, or FEATURE where only one product has it
    pub feature: FeatureName,
    #[command(flatten)]
    pub taking: Taking,
}

/// `run`
#[derive(Args, Debug)]
#[command(after_help = AFTER_RUN)]
pub(crate) struct RunArgs {
    /// PRODUCT/FEATURE, or FEATURE where only one product has it
    pub feature: FeatureName,
    #[command(flatten)]
    pub taking: Taking,
    /// The program and its arguments, after --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

const AFTER_RUN: &str = "\
Example: seatkeeper run modeler -- make render

The program gets the signals that `run` gets. Where its seat is lost for good it is asked to end (SIGTERM), and \
killed 10 s later; a seat that only lapsed has 30 s to come back first. Where `run` itself is killed, the program is \
killed with it; what the program started in its turn is not.

Status: the program's, 128+N where signal N ended it; 125 where there is no seat or daemon, or the seat was lost; \
126 where the program cannot be run, 127 where there is none of that name.

The vendor roots come from the daemon: this serves programs without the SDK, and protects nothing against the \
administrator of this machine.";
