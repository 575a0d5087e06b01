//! `role …`: what may be typed.

use clap::{Args, Subcommand, ValueEnum};

/// `role …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "A role is given at a unit. `role list` names the permissions; which verb asks for which stands in the document roles.md."
)]
pub(crate) enum RoleCommand {
    /// The roles: the usual ones and this site's own
    List,
    /// One role: what it gives, and how far
    Show {
        /// The role
        role: String,
    },
    /// Give a user a role at a unit: none that gives more there, or reaches further, than what you have
    Give(Giving),
    /// Take a role from a user
    Take(Giving),
    /// Say what a role is made of: a new one, or another making of a usual one, for all who have it
    Define {
        /// Its name: a to z, 0 to 9 and -
        role: String,
        /// All that it gives: a permission, or several with commas between; a role that is there gives nothing else any more. `role
        /// list` and `role show administrator` name them
        #[arg(
            long = "permission",
            value_name = "PERMISSION",
            value_delimiter = ',',
            required = true
        )]
        permissions: Vec<String>,
        /// How far from the unit that it is given at; else as it was, and of a new one below
        #[arg(long, value_enum)]
        reach: Option<ReachName>,
    },
    /// Take away a role that nobody has; a usual one is as it came again
    Remove {
        /// The role
        role: String,
    },
}

/// `role give`, `role take`.
#[derive(Args, Debug)]
pub(crate) struct Giving {
    /// The role
    pub role: String,
    /// The user's login
    pub login: String,
    /// Where; else the home account
    #[arg(
        long,
        value_name = "UNIT",
        default_value = "",
        hide_default_value = true
    )]
    pub unit: String,
}

/// How far a role reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReachName {
    /// That unit alone
    Unit,
    /// That unit and all below it
    Below,
    /// From an account also the accounts that it manages
    Customers,
}
