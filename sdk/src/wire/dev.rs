//! What only `seatkeeperd dev` takes: things that go wrong on purpose, and its clock moved on.

use super::Code;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What goes wrong on purpose with the calls of applications: `/v1/dev/fault`. One thing at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum DevFault {
    /// Nothing.
    #[default]
    None,
    /// Every call of this kind is refused.
    Deny {
        /// With this code.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        code: Code,
        /// Renewals, instead of checkouts.
        #[serde(default)]
        renewals: bool,
    },
    /// No call is answered: its connection closes, as where the daemon has died.
    Drop {
        /// For so many seconds more.
        seconds: u64,
    },
    /// Every answer is late.
    Slow {
        /// By so many seconds.
        seconds: u64,
    },
}

/// Lets time pass at the daemon: `POST /v1/dev/clock`, where its clock is a manual one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DevClock {
    /// Seconds. Time goes on, never back.
    pub advance_s: u64,
}

impl fmt::Display for DevFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DevFault::None => f.write_str("nothing goes wrong on purpose"),
            DevFault::Deny { code, renewals } => {
                let calls = if *renewals { "renewal" } else { "checkout" };
                write!(f, "every {calls} is refused with {}", code.as_str())
            }
            DevFault::Drop { seconds } => write!(f, "no program is answered for {seconds} s"),
            DevFault::Slow { seconds } => write!(f, "programs are answered {seconds} s late"),
        }
    }
}
