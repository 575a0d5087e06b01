//! `vendor …`: what may be typed.

use clap::Subcommand;
use std::path::PathBuf;

/// `vendor …`
#[derive(Debug, Subcommand)]
pub(crate) enum VendorCommand {
    /// Trust a vendor's root keys: licenses below them may be installed. Compare the thumbprints with the vendor
    Trust {
        /// One or several public root keys (PEM), from the vendor's package
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The vendor's name, as its licenses say it; else the file's name without its ending
        #[arg(long)]
        name: Option<String>,
    },
    /// Vendors that this site trusts, with the thumbprints of their roots
    List,
}
