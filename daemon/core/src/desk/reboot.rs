//! Who sat here before this boot of the machine: their processes are gone with it (rules 6 and 14).

use super::Desk;
use seatkeeper_engine::command::Process;

impl Desk {
    /// Whether a process is of an earlier boot of this machine. That is only said where this boot began after the daemon last
    /// wrote: a state that was brought here from a machine that still runs shows another boot, too, and its holds decide.
    #[must_use]
    pub fn is_of_an_earlier_boot(&self, process: &Process) -> bool {
        let (here, boot) = (self.machine, self.settings.boot);
        let of_here = process.machine == here && process.attested_by == here;
        of_here && process.boot != boot && self.booted_since()
    }

    fn booted_since(&self) -> bool {
        let now = self.clock.read();
        let began = now.wall_s.saturating_sub(now.boot_ms / 1000);
        self.keeper.before().is_some_and(|mark| began > mark.wall_s)
    }
}
