//! `dev …`: what may be typed.

use clap::{Args, Subcommand};

/// `dev …`
#[derive(Debug, Subcommand)]
pub(crate) enum DevCommand {
    /// Let time pass at a daemon that was started with `--clock manual`; without TIME, show the clocks
    #[command(after_help = AFTER_CLOCK)]
    Clock {
        /// How much: +90s, +15m, +12h, +8d
        #[arg(value_name = "TIME", value_parser = ahead)]
        ahead: Option<u64>,
    },
    /// Let calls of applications go wrong, to see how a program takes it; without more, show what goes wrong now
    Fault(FaultArgs),
}

/// `dev fault …`
#[derive(Args, Debug)]
pub(crate) struct FaultArgs {
    #[command(subcommand)]
    pub fault: Option<FaultCommand>,
}

/// What goes wrong: one thing at a time, until another or `off`.
#[derive(Debug, Subcommand)]
pub(crate) enum FaultCommand {
    /// Refuse every checkout with this code
    #[command(after_help = AFTER_DENY)]
    Deny {
        /// One of `seatkeeper help codes`
        code: String,
        /// Renewals, instead of checkouts: programs lose the seat that they hold, and take another where they can
        #[arg(long)]
        renewals: bool,
    },
    /// Answer no program for so long: every connection closes, as where the daemon has died
    Drop {
        /// How long: 30s, 10m, 1h
        #[arg(value_name = "TIME", value_parser = time)]
        lasts: u64,
    },
    /// Answer so late
    Slow {
        /// How late: 2s; 60s at most
        #[arg(value_name = "TIME", value_parser = time)]
        by: u64,
    },
    /// Let nothing go wrong any more
    Off,
}

const AFTER_CLOCK: &str = "\
Seats that nobody renews meanwhile end by it, and so do licenses: the one of `dev` lasts 90 days. Programs have clocks of \
their own, which do not move: what became of their seats they learn at their next renewal, within seconds where the daemon \
was started with `--ttl 6s`.";

const AFTER_DENY: &str = "\
Codes that a program meets at a checkout: no_seat_free, not_assigned, license_expired, version_too_new, cool_down, \
quarantine, storage_low; at a renewal: lease_ended, unknown_lease.";

/// A time with its sign: it only goes on.
fn ahead(text: &str) -> Result<u64, String> {
    let time = text.strip_prefix('+').map(time);
    time.unwrap_or_else(|| Err("time goes on, never back: +90s, +15m, +12h or +8d".to_owned()))
}

/// Seconds of a time.
fn time(text: &str) -> Result<u64, String> {
    let said = || "a time like 30s, 15m, 12h or 8d".to_owned();
    let unit = text.chars().next_back().ok_or_else(said)?;
    let times = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(said()),
    };
    let number = text[..text.len() - 1].parse::<u64>().ok();
    number.and_then(|n| n.checked_mul(times)).ok_or_else(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_go_on() {
        assert_eq!(time("30s"), Ok(30));
        assert_eq!(time("8d"), Ok(691_200));
        assert_eq!(ahead("+12h"), Ok(43_200));
        for wrong in [
            "",
            "s",
            "8",
            "8w",
            "-1s",
            "1.5h",
            "99999999999999999999d",
            "é",
        ] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        assert!(ahead("8d").is_err() && ahead("-8d").is_err());
    }
}
