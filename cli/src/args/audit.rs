//! `audit …`: what may be typed.

use crate::names::{FeatureName, When};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `audit …`
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// What happened: when, who, what; the newest events, oldest of them first
    List(AuditListArgs),
    /// Write the journal to a file: one event per line, exactly as stored, and a last line signed by the site key
    #[command(after_help = AFTER_EXPORT)]
    Export {
        /// The new file, or - for stdout
        file: PathBuf,
        /// Only what follows this earlier export
        #[arg(long, value_name = "FILE")]
        after: Option<PathBuf>,
    },
    /// Follow the hash chain through an export, or through the running daemon's journal
    #[command(after_help = AFTER_VERIFY)]
    Verify(AuditVerifyArgs),
    /// The journal as a script that replays it: a bug report that is a test
    #[command(after_help = AFTER_SCRIPT)]
    Script {
        /// An export, or - for stdin; else the running daemon's journal
        file: Option<PathBuf>,
    },
}

const AFTER_EXPORT: &str = "\
The file has ids, not names, and the license tokens as installed. Keep it where those who administer this machine cannot \
change it: `audit verify --anchor FILE` shows later whether the journal up to then is still the same.";

const AFTER_VERIFY: &str = "\
Exit codes: 0 everything follows and every anchor holds; 1 something was changed, taken out, put in or cut off, or a \
signature is not the site key's; 7 what there is follows, but an anchor lies before its first event and was not reached.

What it shows: that events are those that were written, in their order. Who administers the machine and holds the site \
key can write a whole new journal: an anchor that was kept elsewhere finds that. Where events were pruned \
(`retention_days`) it begins at the anchor that stands for them, and says so.";

const AFTER_SCRIPT: &str = "\
Save it as daemon/engine/testscripts/NAME.txt in the sources, add the commands that go wrong after its last line, and run \
`UPDATE=1 cargo test -p seatkeeper-engine --test scripts`. It has ids, not names, and the license tokens as installed. It \
begins with event 1: where events were pruned, name an export that has them.";

/// `audit list`
#[derive(Args, Debug)]
pub(crate) struct AuditListArgs {
    /// Caused by: a login, daemon, or uid:N
    #[arg(long, value_name = "WHO")]
    pub actor: Option<String>,
    /// About this user: seats, assignments and pauses from first to last
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// About this feature
    #[arg(long)]
    pub feature: Option<FeatureName>,
    /// Of this kind, such as SeatTaken; as often as needed
    #[arg(long = "kind", value_name = "EVENT")]
    pub kinds: Vec<String>,
    /// From this moment (2027-01-31, "2027-01-31 15:04" UTC) or span ago (90m, 12h, 30d) on
    #[arg(long, value_name = "WHEN")]
    pub since: Option<When>,
    /// Up to this moment or span ago; a day counts whole
    #[arg(long, value_name = "WHEN")]
    pub until: Option<When>,
    /// So many of the newest
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub last: u32,
    /// All of them
    #[arg(long, conflicts_with = "last")]
    pub all: bool,
}

/// `audit verify`
#[derive(Args, Debug)]
pub(crate) struct AuditVerifyArgs {
    /// An export, or - for stdin; else the running daemon's journal
    pub file: Option<PathBuf>,
    /// Hold it against an earlier export, or an anchor alone; as often as needed
    #[arg(long = "anchor", value_name = "FILE")]
    pub anchors: Vec<PathBuf>,
    /// Begin at this earlier export's anchor: what lies before was verified, or pruned
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// The thumbprint that the site key must have, from `site key show`
    #[arg(long, value_name = "THUMBPRINT", allow_hyphen_values = true)]
    pub site_key: Option<String>,
}
