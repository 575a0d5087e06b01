//! `license …`: what may be typed.

use crate::names::LicenseName;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `license …`
#[derive(Debug, Subcommand)]
pub(crate) enum LicenseCommand {
    /// Make the file to send to the vendor: for a purchase, an extension or a product update
    Request(RequestArgs),
    /// Install license files; a renewal takes the place of what it renews
    Install {
        /// License files, or - for stdin
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The account that it is for, by id or name, or `new`: made for the license's customer, with its fulfillment
        /// contact, where that customer has none yet. Else the customer's account, or the home account
        #[arg(long, value_name = "ACCOUNT|new")]
        account: Option<String>,
        /// Also assign what is installed
        #[arg(long, value_enum, value_name = "everyone")]
        assign: Option<Assignees>,
        /// Take a license whose signing date lies more than 31 days ahead of this machine's clock
        #[arg(long)]
        accept_date: bool,
    },
    /// Verify license files as an install would, and change nothing
    Verify {
        /// License files, or - for stdin
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// As for `install`
        #[arg(long)]
        accept_date: bool,
    },
    /// Installed licenses with their seats
    List,
    /// All terms of a license, and what of it is not served yet
    Show {
        /// Its id, or VENDOR/ID
        license: LicenseName,
    },
    /// Let a user, a group, a unit or everyone use a license; usable at once
    Assign {
        /// Its id, or VENDOR/ID
        license: LicenseName,
        #[command(flatten)]
        to: To,
        #[command(flatten)]
        with: With,
    },
    /// To whom licenses are assigned, with what
    Assignments {
        /// Of this license only: its id, or VENDOR/ID
        license: Option<LicenseName>,
    },
    /// Change what an assignment gives and withholds, without taking it back
    ///
    /// What you name comes beside what is there, and a limit of a feature takes the place of that feature's own: the rest
    /// stays. `none` takes away all that is there of its kind, as in `--exclude none --exclude render`; FEATURE=none one
    /// limit alone.
    Change {
        /// Its id, as `license assignments` lists it
        assignment: String,
        #[command(flatten)]
        with: With,
        /// Who loses a right by it gets no time to save
        #[arg(long)]
        hard: bool,
    },
    /// Remove a license and its assignments; who holds a seat of it has time to save
    Remove(RemoveArgs),
    /// Take an assignment back; who holds a seat by it has time to save
    Unassign {
        /// Its id, or VENDOR/ID
        license: LicenseName,
        #[command(flatten)]
        to: To,
        /// No time to save: told at its program's next renewal
        #[arg(long)]
        hard: bool,
    },
}

/// `license remove`
#[derive(Args, Debug)]
pub(crate) struct RemoveArgs {
    /// Its id, or VENDOR/ID
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub license: Option<LicenseName>,
    /// All licenses of this site; the account's name has to be typed, too
    #[arg(long, requires = "confirm")]
    pub all: bool,
    /// The account's name, as `seatkeeper status` calls the site
    #[arg(long, value_name = "ACCOUNT", requires = "all")]
    pub confirm: Option<String>,
    /// Only this serial, which waits for its first day
    #[arg(long, value_name = "SERIAL", conflicts_with = "all")]
    pub waiting: Option<u64>,
    /// No time to save: told at its programs' next renewal
    #[arg(long)]
    pub hard: bool,
    /// Only say what it would do
    #[arg(long)]
    pub dry_run: bool,
    /// The new file that keeps what was removed, to install it again; with --all one is made in any case
    #[arg(long, value_name = "FILE")]
    pub backup: Option<PathBuf>,
}

/// `license request`
#[derive(Args, Debug)]
pub(crate) struct RequestArgs {
    /// The account (company) id that the vendor gave you
    #[arg(long, value_name = "ID")]
    pub account: String,
    /// The product version to be licensed
    #[arg(long, value_name = "VERSION")]
    pub product_version: Option<String>,
    /// Your order number
    #[arg(long, value_name = "NUMBER")]
    pub order: Option<String>,
    /// The new file; else stdout
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Mail it to the vendor's support, whose address the vendor's license names (`info.support`). Where this daemon sends
    /// no mail the file is made as without
    #[arg(long)]
    pub mail: bool,
    /// To this address instead
    #[arg(long, value_name = "ADDRESS", requires = "mail")]
    pub to: Option<String>,
    /// To the support of this vendor; needed where licenses of several name one
    #[arg(long, value_name = "NAME", requires = "mail", conflicts_with = "to")]
    pub vendor: Option<String>,
}

/// Whom an install assigns to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Assignees {
    // Everyone at this site.
    Everyone,
}

/// Whom an assignment is for.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct To {
    /// A user, by login
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The members of a group, at any depth
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
    /// Everyone in a unit and below: its path, its name or its id
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<String>,
    /// Everyone in the account that the license is installed for
    #[arg(long)]
    pub everyone: bool,
}

/// What an assignment gives and withholds.
#[derive(Args, Debug)]
pub(crate) struct With {
    /// An optional policy of the license that it gives, once for each; `none` for none
    #[arg(long = "policy", value_name = "POLICY")]
    pub policies: Vec<String>,
    /// Keep them out of this feature, once for each, or of `all`; wins over whatever else covers them. `none` lets them in
    #[arg(long, value_name = "FEATURE")]
    pub exclude: Vec<String>,
    /// So many seats of a feature for all of them together, as FEATURE=N; once for each feature; FEATURE=none or `none` for no limit
    #[arg(long, value_name = "FEATURE=N")]
    pub max: Vec<String>,
    /// So many seats of a feature for each of them
    #[arg(long, value_name = "FEATURE=N")]
    pub max_each: Vec<String>,
    /// Keep so many seats of a feature for those whom it covers, as FEATURE=N; once for each feature; `none` for none
    #[arg(long, value_name = "FEATURE=N")]
    pub reserve: Vec<String>,
    /// Where requests wait: 0 to 9, lower first; 5 unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=9))]
    pub priority: Option<u8>,
}
