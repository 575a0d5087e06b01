//! `group …`: named sets of users and groups.

use super::gone::take_away;
use super::seat::lose;
use super::vendor::random_id;
use crate::args::{GroupCommand, Members};
use crate::daemon::{Daemon, escape};
use crate::failure::Outcome;
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{Group, GroupChange, GroupMake, Member, MembersChange, MembersChanged};
use serde::Serialize;

/// Members that go in one call.
const AT_ONCE: usize = 500;

/// A group with who is right in it.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    group: Group,
    members: Vec<Member>,
}

/// Does it.
pub(crate) fn run(daemon: &Daemon<'_>, command: &GroupCommand, printer: &Printer) -> Outcome {
    match command {
        GroupCommand::List => list(daemon, printer),
        GroupCommand::Show { group } => {
            let shown = Shown {
                group: daemon.get(&place(group))?,
                members: daemon.list(&format!("{}/members", place(group)))?,
            };
            printer.record(&shown, text)
        }
        GroupCommand::Add { name, unit } => {
            let body = GroupMake {
                id: Some(random_id()?),
                name: name.clone(),
                unit: unit.clone(),
            };
            let made: Group = daemon.post("/v1/groups", &body)?;
            printer.record(&made, |made| {
                format!("group {} is there, in {}", made.name, made.unit)
            })
        }
        GroupCommand::Rename { group, name } => {
            let known: Group = daemon.get(&place(group))?;
            let change = GroupChange { name: name.clone() };
            let changed: Group = daemon.patch(&place(&known.id), &change, Some(known.revision))?;
            printer.record(&changed, |changed| format!("it is {} now", changed.name))
        }
        GroupCommand::Join { group, who } => members(daemon, group, (who, true, false), printer),
        GroupCommand::Leave { group, who, hard } => {
            members(daemon, group, (who, false, *hard), printer)
        }
        GroupCommand::Remove { group, hard } => {
            let known: Group = daemon.get(&place(group))?;
            let said = format!("group {} is taken away", known.name);
            let at = (&*place(&known.id), known.revision);
            take_away(daemon, at, (&said, *hard), printer)
        }
    }
}

/// Who joins or leaves, so many at a time: each call is whole, and doing all of it again changes nothing more.
fn members(
    daemon: &Daemon<'_>,
    group: &str,
    (who, join, hard): (&Members, bool, bool),
    printer: &Printer,
) -> Outcome {
    let path = format!("{}/members", place(group));
    let users = who.users.iter().map(|name| (name, true));
    let groups = who.groups.iter().map(|name| (name, false));
    let all: Vec<_> = users.chain(groups).collect();
    let mut changed = MembersChanged::default();
    for some in all.chunks(AT_ONCE) {
        let named = |user: bool| {
            let of = some.iter().filter(|(_, is_user)| *is_user == user);
            of.map(|(name, _)| (*name).clone()).collect()
        };
        let (users, groups) = (named(true), named(false));
        let change = match join {
            true => MembersChange {
                add_users: users,
                add_groups: groups,
                ..MembersChange::default()
            },
            false => MembersChange {
                drop_users: users,
                drop_groups: groups,
                hard,
                ..MembersChange::default()
            },
        };
        let some: MembersChanged = daemon.patch(&path, &change, None)?;
        changed.joined += some.joined;
        changed.left += some.left;
        changed.ending.extend(some.ending);
    }
    printer.record(&changed, |of| {
        let is = went(group, all.len() as u64, of, join);
        lose(&is, &of.ending, hard)
    })
}

/// How many came or left; whoever was there, or was not, did neither.
fn went(group: &str, named: u64, of: &MembersChanged, join: bool) -> String {
    let n = if join { of.joined } else { of.left };
    let done = match (n, join) {
        (0, true) => return format!("nobody joined {group}: all who are named were in it already"),
        (0, false) => return format!("nobody left {group}: none who is named was in it"),
        (n, true) => format!(
            "{} joined {group}, which counts at once",
            words::count(n, "member")
        ),
        (n, false) => format!("{} left {group}", words::count(n, "member")),
    };
    let rest = named.saturating_sub(n);
    match (rest, join) {
        (0, _) => done,
        (1, true) => format!("{done}; 1 was in it already"),
        (rest, true) => format!("{done}; {rest} were in it already"),
        (1, false) => format!("{done}; 1 was not in it"),
        (rest, false) => format!("{done}; {rest} were not in it"),
    }
}

fn list(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let mut groups: Vec<Group> = daemon.list("/v1/groups")?;
    groups.sort_by_key(|group| group.name.to_lowercase());
    if groups.is_empty() {
        printer.note(
            "there is no group that you may see: `seatkeeper group add NAME --unit UNIT` makes one",
        );
    }
    printer.list(
        &groups,
        &[
            Column("group", |group: &Group| group.name.clone()),
            Column("unit", |group| group.unit.clone()),
            Column("users", |group| group.users.to_string()),
            Column("in_groups", |group| group.groups.join(", ")),
        ],
    )
}

fn text(shown: &Shown) -> String {
    let Shown { group, members } = shown;
    let mut text = format!(
        "{}\nid         {}\nunit       {}\n",
        group.name, group.id, group.unit
    );
    if !group.groups.is_empty() {
        text += &format!("in groups  {}\n", group.groups.join(", "));
    }
    let of = |kind: &str| {
        let of = members.iter().filter(|member| member.kind == kind);
        of.map(|member| member.name.as_str()).collect::<Vec<_>>()
    };
    for (title, names) in [("groups   ", of("group")), ("users    ", of("user"))] {
        let names = match names.is_empty() {
            true => "none".to_owned(),
            false => names.join(", "),
        };
        text += &format!("{title}  {names}\n");
    }
    text
}

fn place(group: &str) -> String {
    format!("/v1/groups/{}", escape(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r2_who_was_in_a_group_already_is_not_told_to_have_joined() {
        let said = |named, n, join| {
            let of = MembersChanged {
                joined: if join { n } else { 0 },
                left: if join { 0 } else { n },
                ending: Vec::new(),
            };
            went("CAD", named, &of, join)
        };
        for (named, n, join, text) in [
            (2, 2, true, "2 members joined CAD, which counts at once"),
            (
                2,
                1,
                true,
                "1 member joined CAD, which counts at once; 1 was in it already",
            ),
            (
                1,
                0,
                true,
                "nobody joined CAD: all who are named were in it already",
            ),
            (3, 1, false, "1 member left CAD; 2 were not in it"),
            (1, 0, false, "nobody left CAD: none who is named was in it"),
        ] {
            assert_eq!(said(named, n, join), text);
        }
    }
}
