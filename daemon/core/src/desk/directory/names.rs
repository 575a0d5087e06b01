//! Names of units, groups and users: how they are kept, compared and shown.

use super::nobody;
use crate::desk::Desk;
use crate::desk::parse::{bad, one_line};
use crate::login::{self, unseen};
use crate::problem::Refused;
use crate::side::Kind;
use seatkeeper_engine::State;
use seatkeeper_engine::ids::{GroupId, NameHash, UnitId, UserId};
use seatkeeper_engine::state::{Place, Target};
use unicode_normalization::UnicodeNormalization;

/// Bytes of the name of a unit or a group.
const NAME_BYTES: usize = 128;
/// What the home account is found by, too.
pub(super) const HOME: &str = "home";

/// The key that a name of a unit or group is kept under: of the thing and of the name, so that a new name never takes an
/// old one's place before it counts.
#[must_use]
pub(in crate::desk) fn name_key(id: [u8; 16], name: NameHash) -> [u8; 16] {
    let mut key = id;
    for (byte, of_name) in key.iter_mut().zip(name.0) {
        *byte ^= of_name;
    }
    key
}

impl Desk {
    /// A name as it is kept (NFC), and its hash: compared without regard to case (D8).
    pub(super) fn hashed_name(
        &self,
        member: &str,
        text: &str,
    ) -> Result<(String, NameHash), Refused> {
        one_line(member, text, NAME_BYTES)?;
        let text: String = text.nfc().collect();
        one_line(member, &text, NAME_BYTES)?;
        if text.contains('/') {
            return Err(bad(member, "contains a slash, which joins names to paths"));
        }
        if text.chars().any(unseen) {
            let why = "has a character that is not seen or turns the direction of writing";
            return Err(bad(member, why));
        }
        if is_id(&text) {
            return Err(bad(member, "has the form of an id"));
        }
        let hash = self.name_hash(&text);
        Ok((text, hash))
    }

    fn name_hash(&self, name: &str) -> NameHash {
        NameHash(login::hash(self.keys.salt(), name).0)
    }

    /// The name of a unit, or its id where the name was lost.
    pub(in crate::desk) fn unit_name(&self, state: &State, unit: UnitId) -> String {
        let name = state.units.get(&unit).and_then(|known| known.name);
        match name {
            Some(name) => self.kept_name(Kind::Unit, unit.0, name),
            None if unit == self.unit => self.settings.site_name.clone(),
            None => unit.to_string(),
        }
    }

    /// The names from the account down to a unit.
    pub(in crate::desk) fn unit_path(&self, state: &State, unit: UnitId) -> String {
        let mut names: Vec<_> = state.upwards(unit).collect();
        names.reverse();
        let names: Vec<_> = names
            .iter()
            .map(|one| self.unit_name(state, *one))
            .collect();
        if names.is_empty() {
            unit.to_string()
        } else {
            names.join("/")
        }
    }

    /// The name of a group, or its id where the name was lost.
    pub(in crate::desk) fn group_name(&self, state: &State, group: GroupId) -> String {
        match state.groups.get(&group) {
            Some(known) => self.kept_name(Kind::Group, group.0, known.name),
            None => group.to_string(),
        }
    }

    fn kept_name(&self, kind: Kind, id: [u8; 16], name: NameHash) -> String {
        match self.side.name(kind, name_key(id, name)) {
            Ok(Some(name)) => name,
            Ok(None) => seatkeeper_engine::ids::UnitId(id).to_string(),
            Err(e) => {
                tracing::error!(error = %e, "a name cannot be read");
                seatkeeper_engine::ids::UnitId(id).to_string()
            }
        }
    }

    /// What an id of a unit or a group is called now, where there is one of that id.
    pub(in crate::desk) fn place_name(&self, state: &State, id: [u8; 16]) -> Option<String> {
        let (unit, group) = (UnitId(id), GroupId(id));
        if state.units.contains_key(&unit) {
            return Some(self.unit_path(state, unit));
        }
        let known = state.groups.contains_key(&group);
        known.then(|| self.group_name(state, group))
    }

    /// The way of a right, for people: `user ana`, `group CAD`, `unit East/Boston`, `everyone`.
    pub(in crate::desk) fn target_name(&self, state: &State, target: Target) -> String {
        match target {
            Target::User(user) => format!("user {}", self.user_name(user)),
            Target::Group(group) => format!("group {}", self.group_name(state, group)),
            Target::Unit(unit) => match state.units.get(&unit).map(|known| known.place) {
                Some(Place::Account(_)) if unit == self.unit => "everyone".to_owned(),
                Some(Place::Account(_)) => format!("everyone of {}", self.unit_name(state, unit)),
                _ => format!("unit {}", self.unit_path(state, unit)),
            },
        }
    }

    /// A unit by id, by its path from the account or from the home account down, or by a name that only one has of those
    /// that are seen.
    pub(in crate::desk) fn unit_named_of(
        &self,
        state: &State,
        (member, text): (&str, &str),
        seen: &dyn Fn(UnitId) -> bool,
    ) -> Result<UnitId, Refused> {
        if let Ok(id) = text.parse::<UnitId>() {
            let known = state.units.contains_key(&id).then_some(id);
            return known.ok_or_else(|| nobody("unit", &text, "unit list"));
        }
        // A whole path wins over one from the home account down, and both over a name at the end of one: each path that
        // is shown is one by which its unit is found.
        let mut path = text.split('/');
        let account = path
            .next()
            .and_then(|first| self.account_named(state, first));
        let home = std::iter::once(self.unit);
        let by_path = [
            self.down(state, account.into_iter(), path),
            self.down(state, home, text.split('/')),
        ];
        if let Some(unit) = by_path.into_iter().flatten().find(|unit| seen(*unit)) {
            return Ok(unit);
        }
        let name = self.name_hash(&text.nfc().collect::<String>());
        let same = state.unit_names.iter();
        let mut same = same
            .filter(|((_, of), unit)| *of == name && seen(**unit))
            .map(|(_, unit)| *unit);
        match (same.next(), same.next()) {
            (Some(unit), None) => Ok(unit),
            (None, _) => Err(nobody("unit", &text, "unit list")),
            (Some(one), Some(other)) => {
                let paths = [one, other].map(|unit| self.unit_path(state, unit));
                let why = format_args!(
                    "several units are called {text}: name the path, as {}",
                    paths.join(" or ")
                );
                Err(bad(member, why))
            }
        }
    }

    fn account_named(&self, state: &State, name: &str) -> Option<UnitId> {
        let name: String = name.nfc().collect();
        let known = state.unit_names.get(&(None, self.name_hash(&name)));
        let home = state.units.get(&self.unit)?;
        let name = name.to_lowercase();
        let is_home = home.name.is_none() && self.settings.site_name.to_lowercase() == name;
        // Whatever it is called, this word finds it where no account is called so.
        let is_home = is_home || name == HOME;
        known.copied().or_else(|| is_home.then_some(self.unit))
    }

    /// The unit at the end of a path.
    fn down<'a>(
        &self,
        state: &State,
        from: impl Iterator<Item = UnitId>,
        path: impl Iterator<Item = &'a str>,
    ) -> Option<UnitId> {
        let mut at = from.last()?;
        for name in path {
            let name = self.name_hash(&name.nfc().collect::<String>());
            at = *state.unit_names.get(&(Some(at), name))?;
        }
        Some(at)
    }

    /// A group by id or name.
    pub(in crate::desk) fn group_named(
        &self,
        state: &State,
        text: &str,
    ) -> Result<GroupId, Refused> {
        let known = match text.parse::<GroupId>() {
            Ok(id) => state.groups.contains_key(&id).then_some(id),
            Err(_) => {
                let name = self.name_hash(&text.nfc().collect::<String>());
                state.group_names.get(&name).copied()
            }
        };
        known.ok_or_else(|| nobody("group", &text, "group list"))
    }

    /// A user by id or login.
    pub(in crate::desk) fn user_named(&self, state: &State, text: &str) -> Result<UserId, Refused> {
        // A machine may call somebody by a name of the form of an id: that is whom it means.
        let known = self.named(state, text).or_else(|| {
            let id = text.parse::<UserId>().ok()?;
            state.users.contains_key(&id).then_some(id)
        });
        known.ok_or_else(|| nobody("user", &text, "user list"))
    }
}

fn is_id(text: &str) -> bool {
    text.to_lowercase().parse::<UnitId>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d8_a_name_has_a_key_of_its_own_for_each_thing_that_has_it() {
        let (one, other) = (NameHash([7; 32]), NameHash([9; 32]));
        let keys = [
            name_key([1; 16], one),
            name_key([1; 16], other),
            name_key([2; 16], one),
        ];
        assert!(keys[0] != keys[1] && keys[0] != keys[2] && keys[1] != keys[2]);
    }

    #[test]
    fn d8_what_is_not_seen_is_no_part_of_a_name() {
        assert!(
            "a\u{202e}b\u{200d}c\u{feff}"
                .chars()
                .filter(|c| unseen(*c))
                .count()
                == 3
        );
        assert!(!"Zürich – Größe 東京 مكتب".chars().any(unseen));
    }
}
