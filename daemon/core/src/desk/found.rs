//! What a start found of its state and the rules do not need: names or files of the journal that are gone.

use super::Desk;
use super::directory::{name_key, names_of};
use super::findings::finding;
use crate::keeper::Snapshot;
use crate::side::{Kind, NamesThen, SideError, Swept};
use seatkeeper_engine::State;
use seatkeeper_engine::ids::{NameHash, UserId};
use std::cell::Cell;
use std::collections::BTreeSet;

impl Desk {
    /// Erases the names of users that a crash left without the event that would have made them, and says in `status` where
    /// users have none. `then`: the names before anybody was served, beside `known` from the same time. Blocks.
    pub fn sweep_names(&self, then: NamesThen, known: &Snapshot) {
        let (users, swept) = match self.swept(&then, &known.state) {
            Ok(swept) => (&known.state.users, swept),
            Err(why) => return self.keeper.fail(&why),
        };
        if swept.erased > 0 {
            tracing::info!(names = swept.erased, "names that nobody has were erased");
        }
        if swept.kept > 0 {
            tracing::warn!(
                names = swept.kept,
                "names that nobody has are kept: they are more than a crash leaves"
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

    /// What was swept of all kinds, with the number of users who have a name.
    fn swept(&self, then: &NamesThen, state: &State) -> Result<Swept, SideError> {
        let keys = |names: &mut dyn Iterator<Item = ([u8; 16], NameHash)>| -> BTreeSet<[u8; 16]> {
            names.map(|(id, name)| name_key(id, name)).collect()
        };
        let units = state.units.iter();
        let domains = state.approved_domains.iter();
        let domains = domains.flat_map(|(id, all)| all.iter().map(|domain| (id.0, *domain)));
        let units = units.filter_map(|(id, known)| Some((id.0, known.name?)));
        let units = keys(&mut units.chain(domains));
        let groups = keys(&mut state.groups.iter().map(|(id, known)| (id.0, known.name)));
        let is_user = |id| state.users.contains_key(&UserId(id));
        // Addresses stand beside the logins, under keys of their own.
        let several = state
            .users
            .iter()
            .filter(|(_, known)| known.logins.len() > 1 || known.claimed.is_some());
        let addresses = several.flat_map(|(id, _)| names_of(state, *id));
        let addresses: BTreeSet<_> = addresses.filter(|key| !is_user(*key)).collect();
        let named = Cell::new(0);
        let known = |key| {
            let user = is_user(key);
            named.set(named.get() + u64::from(user));
            user || addresses.contains(&key)
        };
        let mut swept = self.side.sweep_names(then, Kind::User, known)?;
        swept.named = named.get();
        let passwords = state.credentials.of.values();
        let passwords = passwords.filter_map(|of| Some(of.password?.0)).collect();
        let tokens = state.credentials.bearers.keys();
        let tokens = tokens.map(|id| id.0).collect();
        let kinds = [
            (Kind::Unit, units),
            (Kind::Group, groups),
            (Kind::Password, passwords),
            (Kind::Token, tokens),
        ];
        for (kind, known) in kinds {
            let more = self
                .side
                .sweep_names(then, kind, |key| known.contains(&key))?;
            swept.erased += more.erased;
            swept.kept += more.kept;
        }
        Ok(swept)
    }

    /// Looks whether every file of the journal is there with the events that its name promises, and whether an anchor stands
    /// for those that were pruned, and says in `status` what is not: a start reads only those behind its checkpoint. Opens
    /// each of them: slow at a site of many years.
    pub fn look_through_journal(&self) {
        for (n, (text, remedy)) in self.holes().into_iter().enumerate() {
            tracing::error!(%text, "the journal has holes");
            let text = format!("the audit log has holes: {text}");
            let hole = finding("error", "journal", text, remedy);
            self.remark(&format!("journal {n}"), Some(hole));
        }
    }
}
