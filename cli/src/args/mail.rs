//! `mail …`: what may be typed.

use clap::Subcommand;

/// `mail …`
#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// Send a mail that says that mail works, and tell what the server answered
    Test {
        /// Who gets it, such as ana@example.com
        address: String,
    },
    /// Mails that wait, and what became of the last ones; since the daemon's start
    List,
}
