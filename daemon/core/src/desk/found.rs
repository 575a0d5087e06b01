//! What a start found of its state and the rules do not need: names or files of the journal that are gone.

use super::Desk;
use super::findings::finding;
use crate::keeper::Snapshot;
use crate::side::NamesThen;
use seatkeeper_engine::ids::UserId;

impl Desk {
    /// Erases the names of users that a crash left without the event that would have made them, and says in `status` where
    /// users have none. `then`: the names before anybody was served, beside `known` from the same time. Blocks.
    pub fn sweep_names(&self, then: NamesThen, known: &Snapshot) {
        let users = &known.state.users;
        let is_known = |id| users.contains_key(&UserId(id));
        let swept = match self.side.sweep_names(then, is_known) {
            Ok(swept) => swept,
            Err(why) => return self.keeper.fail(&why),
        };
        if swept.erased > 0 {
            tracing::info!(names = swept.erased, "names that no user has were erased");
        }
        if swept.kept > 0 {
            tracing::warn!(
                names = swept.kept,
                "names that no user has are kept: they are more than a crash leaves"
            );
        }
        let unnamed = (users.len() as u64).saturating_sub(swept.named);
        if unnamed > 0 {
            tracing::warn!(
                users = unnamed,
                "the names of users are lost; they are shown by their ids"
            );
            let lost = finding(
                "warning",
                "names",
                format!("the names of {unnamed} users are lost: they are shown by their ids"),
                "stop the daemon, put side.redb back from a backup, and start it again; seats need no names",
            );
            self.remark("names", Some(lost));
        }
    }

    /// Looks whether every file of the journal is there with the events that its name promises, and says in `status` what is
    /// not: a start reads only those behind its checkpoint. Opens each of them: slow at a site of many years.
    pub fn look_through_journal(&self) {
        let holes = self.keeper.holes();
        if holes.is_empty() {
            return;
        }
        let text = holes.join("; ");
        tracing::error!(%text, "the journal has holes");
        let holes = finding(
            "error",
            "journal",
            format!("the audit log has holes: {text}"),
            "put the files back from a backup; seats do not need them, the audit log does. `seatkeeper audit verify` says what it cannot show",
        );
        self.remark("journal", Some(holes));
    }
}
