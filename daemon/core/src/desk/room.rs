//! Room on the disk: what is not begun while there is little of it. Seats that are held go on, and need what is left.

use super::Desk;
use super::install::Bringer;
use super::refusal::{Subject, of_inbox};
use crate::authorize::Caller;
use crate::problem::Refused;
use crate::storage::is_low;
use seatkeeper_engine::denial::{Code, Denial};

/// The rule that a checkout is refused by for the same reason.
const RULE: u8 = 22;

impl Desk {
    /// Whether free space is below `disk_reserve` by a look of this moment. What cannot be read stops nobody, as the
    /// keeper's guard sees it.
    pub(super) fn storage_low(&self) -> bool {
        let free = self.space.free_bytes();
        free.is_ok_and(|free| is_low(free, self.settings.disk_reserve))
    }

    /// Before a name is written for somebody: a side store that finds no room ends the daemon, and every seat with it.
    pub(super) fn has_room(&self, caller: &Caller, what: &str) -> Result<(), Refused> {
        self.has_room_by(Bringer::Caller(caller), what)
    }

    /// The same for whoever brings something.
    pub(super) fn has_room_by(&self, by: Bringer<'_>, what: &str) -> Result<(), Refused> {
        if !self.storage_low() {
            return Ok(());
        }
        let denial = Denial::new(Code::StorageLow, RULE);
        Err(match by {
            Bringer::Inbox => of_inbox(&denial, what),
            Bringer::Caller(caller) => {
                let subject = Subject {
                    caller,
                    user: &caller.login.name,
                    what,
                    version: None,
                };
                self.refuse(&denial, subject, &self.keeper.snapshot())
            }
        })
    }
}
