//! `login`, `session …`, `token …`: what may be typed. No secret is an argument: others see those.

use crate::names::When;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::str::FromStr;

/// `login`
#[derive(Args, Debug)]
#[command(
    after_help = "The password is read from standard input, and asked for where that is a terminal; with --code two lines are \
    read: the code and the password that it sets. From then on you are that user here, for every program of your account on this \
    machine, until `seatkeeper logout` or until that user changes the password. Seats that you hold stay yours.\n\
    With --session your account stays who it is: whoever presents FILE is that user, for 12 hours at most. \
    `SEATKEEPER_TOKEN_FILE=FILE seatkeeper …` presents it, and `logout` with it ends it. Use it where several people share an \
    account, or where an account has no name, as in a container. A session holds no seat and does not administer the daemon."
)]
pub(crate) struct LoginArgs {
    /// Your login at this site, or your mail address; else the name of your account on this machine. Not with --code: the code
    /// knows whose it is
    pub login: Option<String>,
    /// Use the code of an invitation or a reset, once: it sets your password
    #[arg(long)]
    pub code: bool,
    /// Accept the terms of service, this version, which you have read with `terms show`
    #[arg(long, value_name = "VERSION")]
    pub accept_terms: Option<String>,
    /// Make a session and keep it in FILE, which you alone can read; a session that FILE held before is ended
    #[arg(long, value_name = "FILE")]
    pub session: Option<PathBuf>,
}

/// `address`
#[derive(Args, Debug)]
#[command(
    after_help = "Your password is read from standard input, and asked for where that is a terminal; with --code the code is read \
    instead. A code is good once, for an hour. Until you use it your old address stays yours; then the new one takes its place, and a \
    mail to the old one says so. You are not told whether an address is somebody else's: its owner is mailed that somebody asked for it. \
    While you wait to be let in and have no password, you show the address that you told when you asked, without a password. Where this site sends no mail an \
    administrator gives you the address: `seatkeeper user address LOGIN ADDRESS`."
)]
pub(crate) struct AddressArgs {
    /// The mail address that is to be yours
    pub address: String,
    /// Use the code that was mailed to this address: from then on it is yours
    #[arg(long)]
    pub code: bool,
}

/// `session …`
#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// Your sessions, and those of users whom you may change
    List,
    /// End a session: it stands for nobody any more
    End {
        /// Its id
        session: String,
    },
}

/// `token …`
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, by which programs act as you or as another user: it is shown this once
    Create(NewToken),
    /// Your tokens, and those of users whom you may change
    List,
    /// Take a token back: it stands for nobody any more
    Revoke {
        /// Its name, where no other of these tokens has it, or its id
        token: String,
    },
}

/// `token create`
#[derive(Args, Debug)]
#[command(
    after_help = "A program presents it as `Authorization: Bearer TOKEN`; `seatkeeper` reads it from the file that \
    SEATKEEPER_TOKEN_FILE names. A token never has more rights than its user, and does not administer the daemon.\n\
    With --service a user `service:NAME` is made for the program, with the roles that --role names; `seatkeeper user remove \
    service:NAME` takes the user and the token away."
)]
pub(crate) struct NewToken {
    /// The name of the token
    pub name: String,
    /// Whom it stands for; else you
    #[arg(long = "for", value_name = "LOGIN", conflicts_with = "service")]
    pub user: Option<String>,
    /// When it is over: a span such as 90d, a day, or never
    #[arg(long, value_name = "WHEN", default_value = "90d")]
    pub expires: Expiry,
    /// The token stands for a program, which becomes a user of its own
    #[arg(long)]
    pub service: bool,
    /// A role for that user, at the unit that --in names; may be repeated
    #[arg(long = "role", value_name = "ROLE", requires = "service")]
    pub roles: Vec<String>,
    /// The unit that this user is placed in; else the home account
    #[arg(long = "in", value_name = "UNIT", requires = "service")]
    pub unit: Option<String>,
}

/// When a token is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// Never.
    Never,
    /// So many seconds from now.
    In(u64),
    /// With a day, or at a moment.
    At(When),
}

impl Expiry {
    /// As the API takes it.
    pub(crate) fn until(self, now: u64) -> u64 {
        match self {
            Expiry::Never => 0,
            Expiry::In(span) => now.saturating_add(span),
            Expiry::At(when) => when.ends(now),
        }
    }
}

impl FromStr for Expiry {
    type Err = String;
    fn from_str(text: &str) -> Result<Expiry, String> {
        match text {
            "never" => Ok(Expiry::Never),
            text => match text.parse() {
                Ok(When::Ago(span)) => Ok(Expiry::In(span)),
                Ok(when) => Ok(Expiry::At(when)),
                Err(_) => {
                    Err("expected a span such as 12h or 90d, 2027-01-31, or never".to_owned())
                }
            },
        }
    }
}
