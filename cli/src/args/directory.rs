//! `account …`, `unit …`, `group …`, `user …`: what may be typed.

use crate::names::{When, last_day};
use clap::{Args, Subcommand, ValueEnum};

/// `account …`
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// The accounts: the roots of the organisation
    List,
    /// One account: its kind, who manages it, and the customers' ids by which vendors know it
    Show {
        /// The account
        account: String,
    },
    /// Make an account; licenses are installed for accounts
    Add {
        /// Its name
        name: String,
        /// What it is
        #[arg(long, value_enum, default_value_t = AccountKind::Customer)]
        kind: AccountKind,
        /// The partner or producer account whose administrators may act in it
        #[arg(long, value_name = "ACCOUNT")]
        managed_by: Option<String>,
    },
    /// Let in by itself who has a verified address in exactly a domain, or no more
    ApproveDomain {
        /// The account
        account: String,
        /// From now on, or no more
        #[arg(value_enum)]
        what: DomainChange,
        /// The domain in its ASCII form, such as example.com; one below it is another one
        domain: String,
    },
    /// Say who manages an account
    Manage {
        /// The account
        account: String,
        /// A partner or producer account; without it nobody but itself
        #[arg(long, value_name = "ACCOUNT")]
        by: Option<String>,
    },
}

/// `unit …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "A UNIT is named by its path (\"Acme/East/Boston\", or \"East/Boston\" in the home account), by its name where only one \
    has it, or by its id. An account is a unit, too."
)]
pub(crate) enum UnitCommand {
    /// The tree, with how many are in each
    List,
    /// One unit
    Show {
        /// The unit
        unit: String,
    },
    /// Make a unit below another
    Add {
        /// Its name
        name: String,
        /// The unit, or account, that it comes below
        #[arg(long = "in", value_name = "UNIT")]
        above: String,
    },
    /// Give a unit or an account another name
    Rename {
        /// The unit
        unit: String,
        /// Its new name
        name: String,
    },
    /// Move a unit with all that is in it: below another, or to the top as an account of its own
    Move(MoveArgs),
    /// Take away a unit or an account that nothing is in
    Remove {
        /// The unit
        unit: String,
    },
}

/// `unit move`
#[derive(Args, Debug)]
pub(crate) struct MoveArgs {
    /// The unit
    pub unit: String,
    #[command(flatten)]
    pub to: Whither,
    /// Who loses a right by it gets no time to save
    #[arg(long)]
    pub hard: bool,
}

/// Where a unit goes.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Whither {
    /// The unit, or account, that it comes below
    #[arg(long = "in", value_name = "UNIT")]
    pub above: Option<String>,
    /// It becomes an account of this kind
    #[arg(long, value_enum, value_name = "KIND")]
    pub account: Option<AccountKind>,
}

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccountKind {
    /// Uses the software
    Customer,
    /// Sells it
    Partner,
    /// Makes it
    Producer,
}

/// What becomes of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DomainChange {
    /// Let it in
    Add,
    /// Let it in no more
    Drop,
}

/// `group …`
#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// The groups, with how many users are right in each
    List,
    /// One group, with its members
    Show {
        /// The group
        group: String,
    },
    /// Make a group
    Add {
        /// Its name
        name: String,
        /// The unit that it belongs to; else the home account
        #[arg(long, value_name = "UNIT")]
        unit: Option<String>,
    },
    /// Give a group another name
    Rename {
        /// The group
        group: String,
        /// Its new name
        name: String,
    },
    /// Put users and groups into a group: they may use its licenses at once
    #[command(
        override_usage = "seatkeeper group join [OPTIONS] <GROUP> <--user <LOGIN>...|--group <GROUP>...>"
    )]
    Join {
        /// The group
        group: String,
        #[command(flatten)]
        who: Members,
    },
    /// Take users and groups out of a group
    #[command(
        override_usage = "seatkeeper group leave [OPTIONS] <GROUP> <--user <LOGIN>...|--group <GROUP>...>"
    )]
    Leave {
        /// The group
        group: String,
        #[command(flatten)]
        who: Members,
        /// Who loses a right by it gets no time to save
        #[arg(long)]
        hard: bool,
    },
    /// Take a group away, with what is assigned to it
    Remove {
        /// The group
        group: String,
        /// Who loses a right by it gets no time to save
        #[arg(long)]
        hard: bool,
    },
}

/// Who joins or leaves.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct Members {
    /// Users, by login
    #[arg(long = "user", value_name = "LOGIN", num_args = 1..)]
    pub users: Vec<String>,
    /// Groups
    #[arg(long = "group", value_name = "GROUP", num_args = 1..)]
    pub groups: Vec<String>,
}

/// What a user is to the vendor's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UserKind {
    /// Uses the software
    Customer,
    /// Sells it: wholesaler, distributor, reseller, retailer
    Partner,
    /// Makes it, or the devices that it runs on
    Producer,
    /// Uses it, in an account that made itself
    SelfRegistered,
}

/// `user …`
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// The users: all, or those of a unit and below, or of a group at any depth
    List {
        /// In this unit or below
        #[arg(long, value_name = "UNIT")]
        unit: Option<String>,
        /// In this group
        #[arg(long, value_name = "GROUP", conflicts_with = "unit")]
        group: Option<String>,
        /// Of this kind, by the accounts that they are in
        #[arg(long, value_enum, value_name = "KIND")]
        kind: Option<UserKind>,
    },
    /// One user: their status, their units and groups; `why` says what they may use, and by which route
    Show {
        /// Their login
        login: String,
    },
    /// Make users
    Add(NewUsers),
    /// Place a user in exactly these units
    Move {
        /// Their login
        login: String,
        /// Where to
        #[arg(required = true, value_name = "UNIT")]
        units: Vec<String>,
        /// They get no time to save where they lose a right by it
        #[arg(long)]
        hard: bool,
    },
    /// Place a user in one more unit
    AddUnit {
        /// Their login
        login: String,
        /// The unit
        unit: String,
    },
    /// Take a user out of a unit; the last one stays
    DropUnit {
        /// Their login
        login: String,
        /// The unit
        unit: String,
        /// They get no time to save where they lose a right by it
        #[arg(long)]
        hard: bool,
    },
    /// Give a user another mail address: they sign in by the old one no more
    Address {
        /// Their login
        login: String,
        /// The address, or none
        address: String,
    },
    /// Let a user sit: who was pending or suspended, or is a guest
    Activate {
        /// Their login
        login: String,
        /// A guest, until the end of this day; else a guest's last day stays
        #[arg(long, value_name = "DAY", value_parser = last_day)]
        until: Option<When>,
        /// A guest no more
        #[arg(long, conflicts_with = "until")]
        for_good: bool,
    },
    /// Let a user sit no more, until activated again
    Suspend {
        /// Their login
        login: String,
        /// They get no time to save
        #[arg(long)]
        hard: bool,
    },
    /// Make a code for the first password of a user: it is told this once, and good once, for seven days
    Invite {
        /// Their login
        login: String,
    },
    /// Make a code for another password of a user who cannot get in: it is told this once, and good once, for an hour
    ResetLink {
        /// Their login, or their mail address
        login: String,
    },
    /// Who cannot get in, and asked for a code with `seatkeeper forgot`
    Resets,
    /// Take somebody off that list without a code
    DropReset {
        /// Their login
        login: String,
    },
    /// Take a user away, with what is assigned to them; their name is erased, the audit log keeps their id
    Remove {
        /// Their login
        login: String,
        /// They get no time to save
        #[arg(long)]
        hard: bool,
    },
}

/// `user add`
#[derive(Args, Debug)]
pub(crate) struct NewUsers {
    /// Their logins: NAME, or NAME@MACHINE
    #[arg(required = true, value_name = "LOGIN")]
    pub logins: Vec<String>,
    /// Where they are; else the home account
    #[arg(long = "unit", value_name = "UNIT")]
    pub units: Vec<String>,
    /// Their mail address: they may sign in by it, too
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// They are invited: a code sets their first password, and they may sit from then on
    #[arg(long, conflicts_with = "pending")]
    pub invite: bool,
    /// They may sit only when activated
    #[arg(long)]
    pub pending: bool,
    /// Guests, until the end of this day
    #[arg(long, value_name = "DAY", value_parser = last_day)]
    pub until: Option<When>,
}
