//! `register`, `registration …`: what may be typed.

use clap::{Args, Subcommand};

/// `register`
#[derive(Args, Debug)]
#[command(
    after_help = "You ask as the login of your account on this machine, and wait until an administrator of the account lets you in; \
    `seatkeeper registration show` tells who answers. You are told nothing of accounts that you do not know."
)]
pub(crate) struct RegisterArgs {
    #[command(flatten)]
    pub way: RegisterWay,
    /// Your mail address; if the account lets in its domain, you are let in as soon as you show that it is yours (`seatkeeper address`)
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
    /// One who waits: what was asked for, and who answers
    Show {
        /// Their login; else your own registration
        login: Option<String>,
    },
    /// Let somebody in: they may take seats where an assignment covers them
    Approve {
        /// Their login
        login: String,
        /// A unit of that account to place them in, may be repeated; else the account itself
        #[arg(long = "unit", value_name = "UNIT")]
        units: Vec<String>,
    },
    /// Refuse somebody: they are no user any more, their names are erased, and an account that they made goes with them
    Refuse {
        /// Their login
        login: String,
    },
    /// Say that the address is theirs, by your word; if their account lets in its domain, they are let in by that
    Verify {
        /// Their login
        login: String,
    },
}
