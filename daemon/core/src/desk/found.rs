//! What a start found of its state and the rules do not need: a key that is not its licenses', files of the journal or
//! names that are gone.

use super::Desk;
use super::findings::finding;
use crate::keeper::Snapshot;
use crate::licenses::claims_of;
use crate::side::NamesThen;
use seatkeeper::token::keys::PublicKey;
use seatkeeper_engine::ids::UserId;

impl Desk {
    /// A license that is bound to another site key than this site's, with that key's thumbprint: its applications would
    /// accept no seat.
    #[must_use]
    pub fn bound_elsewhere(&self) -> Option<(String, String)> {
        let state = &self.keeper.recorded().state;
        let own = self.keys.site_thumbprint();
        state.licenses.values().find_map(|license| {
            let claims = claims_of(state, &license.terms)?;
            let bound = PublicKey::from_jwk(&claims.cnf.jwk).ok()?.thumbprint();
            (bound != own).then(|| (license.terms.id.to_string(), bound))
        })
    }

    /// The names of users were lost with the side store, which was made anew.
    pub fn names_are_lost(&self) {
        tracing::warn!("the names of users are lost: the side store was missing and was made anew");
        let lost = finding(
            "warning",
            "names",
            "the names of users are lost: the side store was missing, and users are shown by their ids".to_owned(),
            "stop the daemon, put side.redb back from a backup, and start it again; seats need no names",
        );
        self.remark("names", Some(lost));
    }

    /// Erases the names of users that a crash left without the event that would have made them. `then`: the names before
    /// anybody was served, beside `known` from the same time. Blocks.
    pub fn sweep_names(&self, then: NamesThen, known: &Snapshot) {
        let is_known = |id| known.state.users.contains_key(&UserId(id));
        match self.side.sweep_names(then, is_known) {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "names that no user has were erased"),
            Err(why) => self.keeper.fail(&why),
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
