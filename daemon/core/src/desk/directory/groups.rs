//! `/v1/groups`.

use super::{AT_ONCE, Named, brought};
use crate::authorize::{Caller, Permission, Sight};
use crate::desk::Desk;
use crate::desk::directory::name_key;
use crate::desk::parse::bad;
use crate::desk::view::{Cursor, page};
use crate::keeper::Snapshot;
use crate::problem::{Refused, internal};
use crate::side::Kind;
use seatkeeper::wire::{
    self, GroupChange, GroupMake, Member, MembersChange, MembersChanged, Page, TakenAway,
};
use seatkeeper_engine::command::Arrange;
use seatkeeper_engine::ids::{GroupId, NameHash, UserId};
use seatkeeper_engine::state::Target;
use seatkeeper_engine::{Concerned, State};
use std::collections::BTreeSet;
use std::sync::PoisonError;

impl Desk {
    /// `GET /v1/groups`.
    ///
    /// # Errors
    /// `forbidden`, or a cursor that is none.
    pub fn groups(&self, caller: &Caller, cursor: &Cursor) -> Result<Page<wire::Group>, Refused> {
        let snapshot = self.keeper.snapshot();
        let sight = self.sight(&snapshot, caller, Permission::GroupRead)?;
        let state = &snapshot.state;
        let after = cursor.after_id::<GroupId>()?;
        let rows = state.groups.range(after);
        let rows = rows.filter(|(_, known)| sight.at(state, known.unit));
        let rows = rows.map(|(id, _)| *id);
        let rows =
            rows.filter_map(|id| Some((id.to_string(), self.group_view(state, id, &sight)?)));
        Ok(page(rows, cursor.limit()?))
    }

    /// `GET /v1/groups/{group}`.
    ///
    /// # Errors
    /// `forbidden`, or there is none.
    pub fn group_of(&self, caller: &Caller, group: &str) -> Result<wire::Group, Refused> {
        let snapshot = self.keeper.snapshot();
        let group = self.group_seen(&snapshot, caller, group)?;
        self.group_shown(&snapshot, caller, group)
    }

    /// `GET /v1/groups/{group}/members`: who is right in it, groups first.
    ///
    /// # Errors
    /// `forbidden`, a cursor that is none, or there is no such group.
    pub fn members(
        &self,
        caller: &Caller,
        group: &str,
        cursor: &Cursor,
    ) -> Result<Page<Member>, Refused> {
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        let group = self.group_seen(&snapshot, caller, group)?;
        let groups = state.groups.iter();
        let groups = groups.filter(|(_, known)| known.groups.contains(&group));
        let groups = groups.map(|(id, _)| (format!("group {id}"), "group", id.to_string()));
        let users = state.users.iter();
        let users = users.filter(|(_, known)| known.groups.contains(&group));
        let users = users.map(|(id, _)| (format!("user {id}"), "user", id.to_string()));
        let after = cursor.after.as_deref();
        let rows = groups
            .chain(users)
            .filter(|(key, _, _)| after.is_none_or(|after| key.as_str() > after))
            .map(|(key, kind, id)| {
                let name = self.member_name(state, kind, &id);
                let kind = kind.to_owned();
                (key, Member { kind, id, name })
            });
        Ok(page(rows, cursor.limit()?))
    }

    /// `POST /v1/groups`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `bad_request` that names the member, or the denial.
    pub fn make_group(&self, caller: &Caller, body: &GroupMake) -> Result<wire::Group, Refused> {
        self.by_rights_of_now(caller, |caller| self.make_group_of(caller, body))
    }

    /// `PATCH /v1/groups/{group}`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, or the denial.
    pub fn change_group(
        &self,
        caller: &Caller,
        group: &str,
        body: &GroupChange,
        if_match: Option<u64>,
    ) -> Result<wire::Group, Refused> {
        self.by_rights_of_now(caller, |caller| {
            self.rename_group(caller, group, body, if_match)
        })
    }

    /// `PATCH /v1/groups/{group}/members`: who comes, and then who leaves. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `bad_request` that names the member, or the denial.
    pub fn change_members(
        &self,
        caller: &Caller,
        group: &str,
        body: &MembersChange,
        if_match: Option<u64>,
    ) -> Result<MembersChanged, Refused> {
        self.by_rights_of_now(caller, |caller| {
            self.change_members_of(caller, group, body, if_match)
        })
    }

    /// `DELETE /v1/groups/{group}`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, or there is none.
    pub fn remove_group(
        &self,
        caller: &Caller,
        group: &str,
        hard: bool,
        if_match: Option<u64>,
    ) -> Result<TakenAway, Refused> {
        self.by_rights_of_now(caller, |caller| {
            self.remove_group_of(caller, group, hard, if_match)
        })
    }

    fn make_group_of(&self, caller: &Caller, body: &GroupMake) -> Result<wire::Group, Refused> {
        let group: GroupId = brought(body.id.as_deref())?;
        let snapshot = self.keeper.snapshot();
        let unit = match &body.unit {
            Some(unit) => self.unit_seen(&snapshot, caller, ("unit", unit))?,
            None => self.unit,
        };
        let caller = &self.acting(&snapshot, caller, Permission::GroupManage, &[unit])?;
        let (text, name) = self.hashed_name("name", &body.name)?;
        let change = Arrange::MakeGroup { group, name, unit };
        let what = format!("group {text}");
        let named = named(group, &text, name);
        let answer = self.arranged_by_name(caller, &what, &named, change)?;
        self.group_shown(&answer.snapshot, caller, group)
    }

    fn rename_group(
        &self,
        caller: &Caller,
        group: &str,
        body: &GroupChange,
        if_match: Option<u64>,
    ) -> Result<wire::Group, Refused> {
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        let (id, caller) = self.group_managed(&snapshot, caller, group)?;
        let caller = &caller;
        let what = format!("group {}", self.group_name(state, id));
        let (text, name) = self.hashed_name("name", &body.name)?;
        let change = Arrange::RenameGroup {
            group: id,
            name,
            if_match,
        };
        let named = named(id, &text, name);
        let answer = self.arranged_by_name(caller, &what, &named, change)?;
        self.group_shown(&answer.snapshot, caller, id)
    }

    fn change_members_of(
        &self,
        caller: &Caller,
        group: &str,
        body: &MembersChange,
        if_match: Option<u64>,
    ) -> Result<MembersChanged, Refused> {
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        let asker = caller;
        let (group, caller) = self.group_managed(&snapshot, asker, group)?;
        let caller = &caller;
        within_one_call(body)?;
        let what = format!("group {}", self.group_name(state, group));
        let users = |logins: &[String]| -> Result<Vec<UserId>, Refused> {
            let logins = logins.iter();
            logins
                .map(|one| self.member_seen(&snapshot, asker, (group, one)))
                .collect()
        };
        let groups = |names: &[String]| -> Result<Vec<GroupId>, Refused> {
            let names = names.iter();
            names
                .map(|one| self.inner_seen(&snapshot, asker, (group, one)))
                .collect()
        };
        let (come, come_groups) = (users(&body.add_users)?, groups(&body.add_groups)?);
        let (leave, leave_groups) = (users(&body.drop_users)?, groups(&body.drop_groups)?);
        let joined = told_apart(state, group, (&come, &come_groups)).1;
        let left = told_apart(state, group, (&leave, &leave_groups)).0;
        let comes = !(come.is_empty() && come_groups.is_empty());
        let leaves = !(leave.is_empty() && leave_groups.is_empty());
        if body.hard && !leaves {
            return Err(bad("hard", "it is for those who leave, and nobody does"));
        }
        let people = come.iter().chain(&leave).copied().map(Target::User);
        let inner = come_groups.iter().chain(&leave_groups).copied();
        let concerned = Concerned::Targets(people.chain(inner.map(Target::Group)).collect());
        let add = Arrange::AddMembers {
            group,
            users: come,
            groups: come_groups,
            if_match,
        };
        let drop = Arrange::DropMembers {
            group,
            users: leave,
            groups: leave_groups,
            hard: body.hard,
            // Who comes changes the revision that was seen.
            if_match: if_match.filter(|_| !comes),
        };
        let first = comes
            .then(|| self.arranged(caller, &what, add))
            .transpose()?;
        // One call is judged once.
        let caller = &Caller {
            judged: caller.judged.filter(|_| !comes),
            ..caller.clone()
        };
        let answer = match first {
            Some(added) if !leaves => added,
            _ => self.arranged(caller, &what, drop)?,
        };
        let ending = self.losing(state, &answer, &concerned).ending;
        Ok(MembersChanged {
            joined,
            left,
            ending,
        })
    }

    fn remove_group_of(
        &self,
        caller: &Caller,
        group: &str,
        hard: bool,
        if_match: Option<u64>,
    ) -> Result<TakenAway, Refused> {
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        let (id, caller) = self.group_managed(&snapshot, caller, group)?;
        let caller = &caller;
        let what = format!("group {}", self.group_name(state, id));
        let _one = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let name = state.groups.get(&id).map(|known| known.name);
        let change = Arrange::RemoveGroup {
            group: id,
            hard,
            if_match,
        };
        let assignments = self.assigned(&snapshot, caller, Target::Group(id));
        let answer = self.arranged(caller, &what, change)?;
        if let Some(name) = name {
            self.erase_name(Kind::Group, name_key(id.0, name));
        }
        let concerned = Concerned::Targets(vec![Target::Group(id)]);
        Ok(TakenAway {
            ending: self.losing(state, &answer, &concerned).ending,
            assignments,
        })
    }

    /// A group that the caller may change, with the caller as they act.
    fn group_managed(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        group: &str,
    ) -> Result<(GroupId, Caller), Refused> {
        let id = self.group_seen(snapshot, caller, group)?;
        let units = snapshot.state.units_of_target(Target::Group(id));
        let caller = self.acting(snapshot, caller, Permission::GroupManage, &units)?;
        Ok((id, caller))
    }

    /// A user whom the caller manages, or who is right in this group already.
    fn member_seen(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        (group, text): (GroupId, &str),
    ) -> Result<UserId, Refused> {
        let known = self.user_named(&snapshot.state, text).ok();
        let known = known.and_then(|id| Some((id, snapshot.state.users.get(&id)?)));
        match known {
            Some((id, known)) if known.groups.contains(&group) => Ok(id),
            _ => {
                let user = self.user_seen(snapshot, caller, text)?;
                let units = snapshot.state.units_of_user(user);
                self.acting(snapshot, caller, Permission::UserManage, units)?;
                Ok(user)
            }
        }
    }

    /// A group that the caller manages, or that is right in this one already.
    fn inner_seen(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        (group, text): (GroupId, &str),
    ) -> Result<GroupId, Refused> {
        let known = self.group_named(&snapshot.state, text).ok();
        let known = known.and_then(|id| Some((id, snapshot.state.groups.get(&id)?)));
        match known {
            Some((id, known)) if known.groups.contains(&group) => Ok(id),
            _ => Ok(self.group_managed(snapshot, caller, text)?.0),
        }
    }

    fn member_name(&self, state: &State, kind: &str, id: &str) -> String {
        let group = id.parse().ok().filter(|_| kind == "group");
        match (group, id.parse()) {
            (Some(group), _) => self.group_name(state, group),
            (None, Ok(user)) => self.user_name(user),
            (None, Err(_)) => id.to_owned(),
        }
    }

    fn group_shown(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        id: GroupId,
    ) -> Result<wire::Group, Refused> {
        let state = &snapshot.state;
        let sight = Sight::of(snapshot, caller, Permission::GroupRead);
        self.group_view(state, id, &sight)
            .ok_or_else(|| internal("a group that was found is not there", &id))
    }

    fn group_view(&self, state: &State, id: GroupId, sight: &Sight) -> Option<wire::Group> {
        let known = state.groups.get(&id)?;
        let holding = known.groups.iter().filter(|one| {
            let known = state.groups.get(*one);
            known.is_some_and(|known| sight.at(state, known.unit))
        });
        Some(wire::Group {
            id: id.to_string(),
            name: self.group_name(state, id),
            unit: self.unit_path(state, known.unit),
            groups: holding.map(|one| self.group_name(state, *one)).collect(),
            users: known.users,
            revision: known.revision,
        })
    }
}

/// Refuses more members than one call may change, and none.
fn within_one_call(body: &MembersChange) -> Result<(), Refused> {
    let lists = [
        &body.add_users,
        &body.add_groups,
        &body.drop_users,
        &body.drop_groups,
    ];
    let count: usize = lists.iter().map(|list| list.len()).sum();
    if count == 0 || count > AT_ONCE {
        let why = format_args!("{count} members, and 1 to {AT_ONCE} come and go in one call");
        return Err(bad("add_users", why));
    }
    Ok(())
}

/// How many of these are right in a group, and how many are not.
fn told_apart(state: &State, group: GroupId, of: (&[UserId], &[GroupId])) -> (u64, u64) {
    let (users, groups): (BTreeSet<_>, BTreeSet<_>) =
        (of.0.iter().collect(), of.1.iter().collect());
    let users = users
        .into_iter()
        .map(|id| state.users.get(id).map(|known| &known.groups));
    let groups = groups
        .into_iter()
        .map(|id| state.groups.get(id).map(|known| &known.groups));
    let within = |known: Option<&Vec<GroupId>>| known.is_some_and(|known| known.contains(&group));
    users
        .chain(groups)
        .fold((0, 0), |(is, is_not), known| match within(known) {
            true => (is + 1, is_not),
            false => (is, is_not + 1),
        })
}

fn named(group: GroupId, text: &str, name: NameHash) -> Named<'_> {
    Named {
        kind: Kind::Group,
        id: group.0,
        text,
        name,
    }
}
