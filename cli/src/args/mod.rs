//! What may be typed: types only, no I/O.

mod access;
mod audit;
mod dev;
mod directory;
mod license;
mod mail;
mod registration;
mod seat;
mod sign_in;
mod site;
mod suppose;
mod terms;
mod vendor;

pub(crate) use access::{Giving, ReachName, RoleCommand};
pub(crate) use audit::{AuditCommand, AuditListArgs, AuditVerifyArgs};
pub(crate) use dev::{DevCommand, FaultArgs, FaultCommand};
pub(crate) use directory::{
    AccountCommand, AccountKind, DomainChange, GroupCommand, Members, MoveArgs, NewUsers,
    UnitCommand, UserCommand, UserKind,
};
pub(crate) use license::{LicenseCommand, RemoveArgs, RequestArgs, To, With};
pub(crate) use mail::MailCommand;
pub(crate) use registration::{RegisterArgs, RegistrationCommand};
pub(crate) use seat::{CheckoutArgs, RunArgs, SeatCommand, Taking};
pub(crate) use sign_in::{AddressArgs, LoginArgs, NewToken, SessionCommand, TokenCommand};
pub(crate) use site::{DelegateArgs, KeyCommand, NewKeyArgs, SiteCommand};
pub(crate) use suppose::Supposing;
pub(crate) use terms::{PublishArgs, TermsCommand};
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
        value_name = "FORM",
        help_heading = GLOBAL
    )]
    pub output: Format,
    /// The daemon's socket; else SEATKEEPER_SOCKET, the installed daemon's, and last that of `seatkeeperd dev`
    #[arg(long, global = true, value_name = "PATH", help_heading = GLOBAL)]
    pub socket: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

const GLOBAL: &str = "Options of every command";

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
    /// Whether USER would get a seat of FEATURE now, and why (not)
    Why(WhyArgs),
    /// Licenses: request, install, list, show, verify, assign, unassign, remove
    #[command(subcommand)]
    License(LicenseCommand),
    /// Users: who may sit, and where they are
    #[command(subcommand)]
    User(UserCommand),
    /// Roles: who may administer what, and where
    #[command(subcommand)]
    Role(RoleCommand),
    /// Groups: named sets of users and groups
    #[command(subcommand)]
    Group(GroupCommand),
    /// Units: the tree of the organisation
    #[command(subcommand)]
    Unit(UnitCommand),
    /// Accounts: the roots of that tree, which licenses are installed for
    #[command(subcommand)]
    Account(AccountCommand),
    /// Terms of service: read, accept, publish them; who has accepted
    #[command(subcommand)]
    Terms(TermsCommand),
    /// Sign in as a user of this site: from then on your account on this machine is that user
    Login(LoginArgs),
    /// Sign out: your account on this machine is itself again; or end the session that SEATKEEPER_TOKEN_FILE names, and it alone
    Logout,
    /// Who you are here, how you are known, and what is yours
    Whoami,
    /// Change your password; reads the old one and the new one from standard input, or asks at the terminal
    Password,
    /// Take another mail address: a code is mailed there, and once you use it (--code) the address is yours
    Address(AddressArgs),
    /// You cannot get in: ask for a code that sets your password
    Forgot {
        /// Your login at this site, or your mail address
        login: String,
    },
    /// Sessions, which `login --session` makes: list them, end one
    #[command(subcommand)]
    Session(SessionCommand),
    /// Tokens: what stands for you, or for a program of its own, where nobody types a password
    #[command(subcommand)]
    Token(TokenCommand),
    /// Ask to come in, if you are no user of this site yet
    Register(RegisterArgs),
    /// Who asked to come in: let them in, or refuse them
    #[command(subcommand)]
    Registration(RegistrationCommand),
    /// This installation: its site key
    #[command(subcommand)]
    Site(SiteCommand),
    /// The clocks: what the wall clock says, what dates are judged by; put the dates back after a wrong clock
    #[command(subcommand)]
    Clock(ClockCommand),
    /// The daemon's configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Mail: try whether it works, and what became of what was mailed
    #[command(subcommand)]
    Mail(MailCommand),
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
    after_help = "With --if-… the answer says what would be then, and what is so today. A max, a reserve \
    and what an assignment keeps out cannot be supposed.\nExit codes: 0 USER would get it, 5 USER would not; the others as everywhere."
)]
pub(crate) struct WhyArgs {
    /// The user's login
    pub user: String,
    /// PRODUCT/FEATURE, or FEATURE where only one product has it
    pub feature: FeatureName,
    #[command(flatten)]
    pub taking: Taking,
    #[command(flatten)]
    pub supposing: Supposing,
}

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
