//! `site …`: what may be typed.

use clap::{Args, Subcommand};
use std::path::PathBuf;

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
    /// Its thumbprint and public half, and until when seats can be signed
    Show {
        /// Also write the public half of the daemon's lease key to this new file, for `site key delegate`
        #[arg(long, value_name = "FILE")]
        lease_key: Option<PathBuf>,
    },
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
    /// Where the site key is kept off the server: let a daemon's lease key sign seats, for 90 days at most. On any machine
    /// that has the site key, without a daemon
    Delegate(DelegateArgs),
    /// Bring the daemon a delegation that `site key delegate` signed elsewhere
    Accept {
        /// What `site key delegate` wrote; - for stdin
        #[arg(value_name = "DELEGATION")]
        file: PathBuf,
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
    /// Also write its public half, which stands for a key that is kept off the server (`site key delegate`)
    #[arg(long, value_name = "FILE")]
    pub public: Option<PathBuf>,
    /// Instead of a new key open this one, which `site key export` wrote
    #[arg(long, value_name = "EXPORT")]
    pub from: Option<PathBuf>,
    /// The file whose first line is the passphrase of --from; else asked at the terminal
    #[arg(long, value_name = "FILE", requires = "from")]
    pub passphrase_file: Option<PathBuf>,
}

/// `site key delegate`
#[derive(Args, Debug)]
#[command(after_help = AFTER_DELEGATE, group = clap::ArgGroup::new("site-key").required(true))]
pub(crate) struct DelegateArgs {
    /// The site key as `site key new` wrote it
    #[arg(long, value_name = "FILE", group = "site-key")]
    pub key: Option<PathBuf>,
    /// The site key as `site key export` wrote it
    #[arg(long, value_name = "EXPORT", group = "site-key")]
    pub from: Option<PathBuf>,
    /// The public half of the daemon's lease key, from `site key show --lease-key`
    #[arg(long, value_name = "FILE")]
    pub lease_key: PathBuf,
    /// The new file, for `site key accept`
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Days that it lasts, from now on
    #[arg(long, value_name = "N", default_value_t = MOST_DAYS, value_parser = clap::value_parser!(u64).range(1..=MOST_DAYS))]
    pub days: u64,
    /// The file whose first line is the passphrase of --from; else asked at the terminal
    #[arg(long, value_name = "FILE", requires = "from")]
    pub passphrase_file: Option<PathBuf>,
}

const MOST_DAYS: u64 = 90;

const AFTER_DELEGATE: &str = "\
The site key can be kept in a safe. On the server, once: `seatkeeper site key export`, and see elsewhere that it opens. Then, \
and again before each delegation ends:

  server    seatkeeper site key show --lease-key lease.pub.pem
  safe      seatkeeper site key delegate --from EXPORT --lease-key lease.pub.pem --out site.delegation
  server    seatkeeper site key accept site.delegation

After the first time stop the daemon, take `keys/site.key` away from its state directory, and start it; `keys/site.pub.pem`, \
which `accept` left there, stands for the key from then on. `seatkeeper status` says until when the delegation lasts, and \
`doctor` warns from 30 days before its end; after it no seat is given and none renewed (`seatkeeper help not_delegated`). \
License requests and anchors of the audit log need the key itself.

A server that never has the key: put the file of `site key new --public` into its state directory as `keys/site.pub.pem` \
before the first start, which begins in quarantine (`seatkeeper help 21`).";

const AFTER_NEW_KEY: &str = "\
Put the key in place before the daemon's first start: as `keys/site.key` in its state directory (the folder mode 0700, the \
file 0600, both the daemon's), or as a systemd credential: `LoadCredential=site.key:FILE`.

A key that was exported and is used without its state starts in quarantine: nothing new is given until every lease that may \
be out is over (`seatkeeper help 21`). A new key does not, while its first license is younger than 30 days.";
