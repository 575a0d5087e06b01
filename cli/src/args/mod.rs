//! What may be typed: types only, no I/O.

mod audit;
mod dev;
mod directory;
mod license;
mod seat;
mod vendor;

pub(crate) use audit::{AuditCommand, AuditListArgs, AuditVerifyArgs};
pub(crate) use dev::{DevCommand, FaultArgs, FaultCommand};
pub(crate) use directory::{
    AccountCommand, AccountKind, GroupCommand, Members, MoveArgs, NewUsers, UnitCommand,
    UserCommand,
};
pub(crate) use license::{LicenseCommand, RemoveArgs, RequestArgs, To, With};
pub(crate) use seat::{CheckoutArgs, RunArgs, SeatCommand, Taking};
pub(crate) use vendor::{
    InspectArgs, IssueArgs, IssuerArgs, KeyFor, KeygenArgs, PassphraseArgs, VendorCommand,
};

use crate::names::FeatureName;
use crate::printer::Format;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// License seats: take them, see who holds them, install and assign the licenses behind them.
#[derive(Debug, Parser)]
#[command(name = "seatkeeper", version, disable_help_subcommand = true, after_help = EXITS, max_term_width = 100)]
pub(crate) struct Cli {
    /// The form of data on stdout; everything else goes to stderr
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORM"
    )]
    pub output: Format,
    /// The daemon's socket; else SEATKEEPER_SOCKET, the installed daemon's, and last that of `seatkeeperd dev`
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

const EXITS: &str = "\
Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 not permitted, 5 refused by license terms or no seat, \
6 daemon unreachable, 7 done in part, 8 timed out.

First steps: `seatkeeper status`, `seatkeeper doctor`, `seatkeeper help CODE` for the code of any refusal.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The daemon at a glance
    Status,
    /// Look for what wants doing, with one remedy for each finding
    Doctor,
    /// Seats: who holds them; take, give back, take back
    #[command(subcommand)]
    Seat(SeatCommand),
    /// Run any program under a seat; its status is the program's, 125 where there is no seat or daemon
    Run(RunArgs),
    /// Would USER get a seat of FEATURE now, and why (not)
    Why(WhyArgs),
    /// Licenses: request, install, list, show, verify, assign, unassign
    #[command(subcommand)]
    License(LicenseCommand),
    /// Users: who may sit, and where they are
    #[command(subcommand)]
    User(UserCommand),
    /// Groups: named sets of users and groups
    #[command(subcommand)]
    Group(GroupCommand),
    /// Units: the tree of the organisation
    #[command(subcommand)]
    Unit(UnitCommand),
    /// Accounts: the roots of that tree, which licenses are installed for
    #[command(subcommand)]
    Account(AccountCommand),
    /// This installation: its site key
    #[command(subcommand)]
    Site(SiteCommand),
    /// The clocks: what the wall clock says, what dates are judged by; put the dates back after a wrong clock
    #[command(subcommand)]
    Clock(ClockCommand),
    /// The daemon's configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Vendors that this site trusts; and the vendor's own side: keys and licenses
    #[command(subcommand)]
    Vendor(VendorCommand),
    /// What happens to seats and licenses, as it happens, until Ctrl-C; for administrators
    Events,
    /// The journal: what happened, an export of it, proof that it is whole, a script that replays it
    #[command(subcommand)]
    Audit(AuditCommand),
    /// For developers: the clock of `seatkeeperd dev`, and what goes wrong at it on purpose
    #[command(subcommand)]
    Dev(DevCommand),
    /// What a code means and what to do about it; what a rule says; or the help of a command
    Help(HelpArgs),
    /// The program of `run` passes through here
    #[command(hide = true)]
    Child(ChildArgs),
}

/// `why`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 USER would get it, 5 USER would not; the others as everywhere."
)]
pub(crate) struct WhyArgs {
    /// The user's login
    pub user: String,
    /// PRODUCT/FEATURE, or FEATURE where only one product has it
    pub feature: FeatureName,
    #[command(flatten)]
    pub taking: Taking,
}

/// `site …`
#[derive(Debug, Subcommand)]
pub(crate) enum SiteCommand {
    /// The key that licenses are bound to
    #[command(subcommand)]
    Key(KeyCommand),
}

/// `site key …`
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Its thumbprint and public half
    Show,
    /// Make the key of a site that does not exist yet, and the request for its licenses; or open an exported one. On any
    /// machine, without a daemon
    New(NewKeyArgs),
    /// Write it, encrypted, to keep elsewhere: without it a lost machine means asking the vendor for new licenses
    Export {
        /// The new file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The file whose first line is the passphrase; else asked at the terminal
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
}

/// `site key new`
#[derive(Args, Debug)]
#[command(after_help = AFTER_NEW_KEY)]
pub(crate) struct NewKeyArgs {
    /// The new file, which only you can read
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Also make the license request of this key, to send to the vendor
    #[arg(long, value_name = "FILE", requires_all = ["account", "site_name"], conflicts_with = "from")]
    pub request: Option<PathBuf>,
    /// The account (company) id that the vendor gave you
    #[arg(long, value_name = "ID", requires = "request")]
    pub account: Option<String>,
    /// How the installation will be called; as `site_name` in its configuration
    #[arg(long, value_name = "NAME", requires = "request")]
    pub site_name: Option<String>,
    /// The product version to be licensed
    #[arg(long, value_name = "VERSION", requires = "request")]
    pub product_version: Option<String>,
    /// Your order number
    #[arg(long, value_name = "NUMBER", requires = "request")]
    pub order: Option<String>,
    /// Instead of a new key open this one, which `site key export` wrote
    #[arg(long, value_name = "EXPORT")]
    pub from: Option<PathBuf>,
    /// The file whose first line is the passphrase of --from; else asked at the terminal
    #[arg(long, value_name = "FILE", requires = "from")]
    pub passphrase_file: Option<PathBuf>,
}

const AFTER_NEW_KEY: &str = "\
Put the key in place before the daemon's first start: as `keys/site.key` in its state directory (the folder mode 0700, the \
file 0600, both the daemon's), or as a systemd credential: `LoadCredential=site.key:FILE`.

A key that was exported and is used without its state starts in quarantine: nothing new is given until every lease that may \
be out is over (`seatkeeper help 21`). A new key does not, while its first license is younger than 30 days.";

/// `clock …`
#[derive(Debug, Subcommand)]
pub(crate) enum ClockCommand {
    /// What each clock says, what happens by itself and when, and what `clock accept` would do
    Show,
    /// Put the time of dates back to the machine's clock, after a wrong clock carried it ahead. Set the clock first. It is
    /// counted, and every later license request tells the vendor
    Accept {
        /// Say what it would do, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// `config …`
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Every setting in force
    Show {
        /// Also where each comes from: default, file and line, environment or flag
        #[arg(long)]
        origin: bool,
    },
}

/// `help …`
#[derive(Args, Debug)]
pub(crate) struct HelpArgs {
    /// A code such as no_seat_free, `codes` for all of them, the number of a rule, or a command such as `license install`
    #[arg(value_name = "CODE|RULE|COMMAND")]
    pub topic: Vec<String>,
}

/// The hidden half of `run`.
#[derive(Args, Debug)]
pub(crate) struct ChildArgs {
    /// The process that must be the parent
    pub parent: i32,
    /// The program and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    pub command: Vec<std::ffi::OsString>,
}

#[cfg(test)]
mod tests;
