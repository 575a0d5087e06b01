//! `register`, `registration …`: what may be typed.

use clap::{Args, Subcommand};

/// `register`
#[derive(Args, Debug)]
#[command(
    after_help = "You are the login of your account on this machine, and wait until an administrator of the account lets you in; \
    `seatkeeper registration show LOGIN` tells who answers. Nobody learns from this of accounts that they do not know."
)]
pub(crate) struct RegisterArgs {
    #[command(flatten)]
    pub way: RegisterWay,
    /// Your mail address; where it is known to be yours, and the account lets in its domain, nobody has to answer
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
}

/// What somebody asks for who wants to come in.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct RegisterWay {
    /// Your company: an account of this name is made for you
    #[arg(long, value_name = "NAME")]
    pub company: Option<String>,
    /// Join a self-registered account, whose id a colleague told you
    #[arg(long, value_name = "ACCOUNT-ID")]
    pub join: Option<String>,
    /// Join the account of this license: the activation id, which the head of its file tells
    #[arg(long, value_name = "LICENSE-ID")]
    pub license: Option<String>,
    /// Ask for access to an account, by its id: its manager answers
    #[arg(long, value_name = "ACCOUNT-ID")]
    pub access: Option<String>,
}

/// `registration …`
#[derive(Debug, Subcommand)]
pub(crate) enum RegistrationCommand {
    /// Who waits, for which account, and whose administrators answer
    List,
    /// One who waits; everybody may look at their own
    Show {
        /// Their login
        login: String,
    },
    /// Let somebody in: they may sit where an assignment covers them
    Approve {
        /// Their login
        login: String,
        /// A unit of the account that they are in from then on; else where they asked for
        #[arg(long = "unit", value_name = "UNIT")]
        units: Vec<String>,
    },
    /// Let somebody not in: they are no user any more, their names are erased, and an account that they made goes with them
    Refuse {
        /// Their login
        login: String,
    },
    /// Confirm that the address is theirs; where their account lets in its domain they come in by that
    Verify {
        /// Their login
        login: String,
    },
}
