//! `terms …`: what may be typed.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `terms …`
#[derive(Debug, Subcommand)]
pub(crate) enum TermsCommand {
    /// Read the terms of service that are in force here
    Show,
    /// Accept them, for yourself
    Accept {
        /// The version that you read; else the one in force
        #[arg(long = "version", value_name = "VERSION")]
        version: Option<String>,
    },
    /// Publish terms of service: they are in force at once, and everyone is asked anew
    Publish(PublishArgs),
    /// Who has accepted which version, of those whom you see
    List {
        /// Only who has not accepted the version in force
        #[arg(long)]
        missing: bool,
    },
}

/// `terms publish`
#[derive(Args, Debug)]
pub(crate) struct PublishArgs {
    /// The text (plain, UTF-8, 48 KiB at most), or - for stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What they are called, such as 2026-12; no other text was ever called so here
    #[arg(long = "version", value_name = "VERSION")]
    pub version: String,
}
