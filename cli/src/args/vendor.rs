//! `vendor …`: what may be typed.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `vendor …`
#[derive(Debug, Subcommand)]
pub(crate) enum VendorCommand {
    /// Trust a vendor's root keys: licenses below them may be installed. Compare the thumbprints with the vendor first:
    /// any Ed25519 key is taken for a root
    Trust {
        /// One or several public root keys (PEM), from the vendor's package
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The vendor's name, as its licenses say it; else the file's name without .pem or .pub.pem
        #[arg(long)]
        name: Option<String>,
    },
    /// Trust a vendor no more; refused while a license of theirs is installed
    Remove {
        /// The vendor's name, as `vendor list` shows it
        name: String,
    },
    /// Vendors that this site trusts, with the thumbprints of their roots
    List,
    /// Make a root key or an issuing key: NAME.pem (secret) and NAME.pub.pem
    Keygen(KeygenArgs),
    /// Let an issuing key sign licenses: the issuer token that goes into every license file
    Issuer(IssuerArgs),
    /// Sign a license: from a site's request and a description in TOML
    #[command(after_help = DESCRIPTION)]
    Issue(IssueArgs),
    /// Show what stands in a license, request or token, and every check that was made on it
    Inspect(InspectArgs),
}

const DESCRIPTION: &str = concat!(
    "A description (a whole one):\n\n",
    include_str!("../../examples/license.toml"),
    "
More, with defaults: serial (the next), replaces, from (today), term = \"perpetual\" instead of until, managed_by \
of the customer, [info]; of a feature: seats = \"unlimited\", model = \"floating\" or \"named\", counting = \"process\", \
\"user\", \"host\" or \"user+host\", version (any), ttl_s = 900, grace_s = 0, save_s = 300, cool_down_s = 600, linger_s = 0, \
overdraft = 0, share_max = \"unlimited\", named_min_s = 0, borrow = { max_days = 30, max_share_percent = 20, \
trust_early_return = false, write_offs = 0 } (off).

Example: seatkeeper vendor issue site.req license.toml --key acme-2026.pem --issuer acme.issuer"
);

/// What a new key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyFor {
    /// Compiled into applications; signs issuer tokens, once a year or so; kept offline
    Root,
    /// Signs licenses; at hand where orders are filled
    Issuing,
}

/// Where the passphrase of a key comes from.
#[derive(Args, Debug)]
pub(crate) struct PassphraseArgs {
    /// The file whose first line is the key's passphrase; else SEATKEEPER_PASSPHRASE, else asked at the terminal
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// `vendor keygen`.
#[derive(Args, Debug)]
pub(crate) struct KeygenArgs {
    /// What the key is for
    #[arg(value_enum, value_name = "root|issuing")]
    pub purpose: KeyFor,
    /// Where to write it, without ending: `acme-root` makes acme-root.pem and acme-root.pub.pem
    #[arg(value_name = "NAME")]
    pub name: PathBuf,
    /// Ask at the terminal for a passphrase and encrypt the key with it
    #[arg(long, conflicts_with = "passphrase_file")]
    pub passphrase: bool,
    /// Encrypt the key with the first line of this file; else with SEATKEEPER_PASSPHRASE, where that is set
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// `vendor issuer`.
#[derive(Args, Debug)]
pub(crate) struct IssuerArgs {
    /// The root key (secret), from `vendor keygen root`
    #[arg(long, value_name = "PEM")]
    pub root_key: PathBuf,
    /// The public half of the issuing key, NAME.pub.pem from `vendor keygen issuing`
    #[arg(long, value_name = "PEM")]
    pub issuing_key: PathBuf,
    /// The vendor's name, as licenses say it
    #[arg(long, required_unless_present = "after")]
    pub vendor: Option<String>,
    /// A product that the key may license; as often as needed
    #[arg(
        long = "product",
        value_name = "PRODUCT",
        required_unless_present = "after"
    )]
    pub products: Vec<String>,
    /// First day on which it may sign, as 2027-01-31 (UTC); else today
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// Last day on which it may sign; licenses signed until then go on after it
    #[arg(long, value_name = "DATE")]
    pub until: String,
    /// Withdraw every license of this root with a lower serial
    #[arg(long, value_name = "N")]
    pub min_serial: Option<u64>,
    /// Withdraw an issuing key, by its thumbprint; as often as needed
    #[arg(long = "revoke", value_name = "THUMBPRINT", allow_hyphen_values = true)]
    pub revoked: Vec<String>,
    /// The issuer file before this one: vendor, products and what it withdrew are carried over
    #[arg(long, value_name = "FILE")]
    pub after: Option<PathBuf>,
    /// The new file; else VENDOR-THUMBPRINT.issuer here
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

/// `vendor issue`.
#[derive(Args, Debug)]
pub(crate) struct IssueArgs {
    /// The site's request (.req)
    #[arg(value_name = "REQUEST")]
    pub request: PathBuf,
    /// The license in TOML; ten lines do
    #[arg(value_name = "DESCRIPTION")]
    pub description: PathBuf,
    /// The issuing key (secret), from `vendor keygen issuing`
    #[arg(long, value_name = "PEM")]
    pub key: PathBuf,
    /// Its issuer file, from `vendor issuer`
    #[arg(long, value_name = "FILE")]
    pub issuer: PathBuf,
    /// The license moves to this site: its last serial went to another site key
    #[arg(long)]
    pub new_site: bool,
    /// What was issued, one JSON object per line; made where missing; else issued.jsonl beside the key
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// The new license file; else LICENSE-SERIAL.lic here
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

/// `vendor inspect`.
#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// A license file, a request, or any single token; - for stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The vendor's public root keys: the chain is verified up to them
    #[arg(long, value_name = "PEM")]
    pub root: Option<PathBuf>,
    /// A public key that signed a token here and does not stand in the file
    #[arg(long, value_name = "PEM")]
    pub key: Option<PathBuf>,
    /// Write key.pem, signed and sig of the license (or single token) into this folder, for a check with OpenSSL
    #[arg(long, value_name = "DIR")]
    pub split: Option<PathBuf>,
}
