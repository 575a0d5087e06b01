//! `role …`: what roles are made of, and who has which.

use crate::args::{Giving, ReachName, RoleCommand};
use crate::daemon::{Daemon, escape};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{GivenRole, Role, RoleDefine, RolesChange, User};

/// Does it.
pub(crate) fn run(daemon: &Daemon<'_>, command: &RoleCommand, printer: &Printer) -> Outcome {
    match command {
        RoleCommand::List => {
            let roles: Vec<Role> = daemon.list("/v1/roles")?;
            printer.list(
                &roles,
                &[
                    Column("role", |role: &Role| role.name.clone()),
                    Column("reach", |role| reach(&role.reach).to_owned()),
                    Column("made", |role| made(role).to_owned()),
                    Column("gives", |role| role.permissions.join(", ")),
                ],
            )
        }
        RoleCommand::Show { role } => {
            let role: Role = daemon.get(&place(role))?;
            printer.record(&role, text)
        }
        RoleCommand::Give(asked) => {
            let change = RolesChange {
                give: vec![given(asked)],
                take: Vec::new(),
            };
            changed(daemon, asked, &change, printer)
        }
        RoleCommand::Take(asked) => {
            let change = RolesChange {
                give: Vec::new(),
                take: vec![given(asked)],
            };
            changed(daemon, asked, &change, printer)
        }
        RoleCommand::Define {
            role,
            permissions,
            reach,
        } => {
            let all: Vec<Role> = daemon.list("/v1/roles")?;
            let known = all.iter().find(|known| known.name == *role);
            let was = known.map_or("below", |known| known.reach.as_str());
            let body = RoleDefine {
                permissions: permissions.clone(),
                reach: reach.map_or_else(|| was.to_owned(), |reach| word(reach).to_owned()),
            };
            let revision = known.map(|known| known.revision);
            let defined: Role = daemon.put(&place(role), &body, revision)?;
            printer.record(&defined, |role| {
                let ended = words::ended(role.ended.as_ref(), "those who have it");
                format!("{}{ended}", text(role).trim_end())
            })
        }
        RoleCommand::Remove { role } => {
            let known: Role = daemon.get(&place(role))?;
            let was = known.changed;
            let gone: Option<Role> = daemon.delete(&place(role), Some(known.revision))?;
            printer.record(&gone.unwrap_or(known), |role| {
                let is = match (role.usual, was) {
                    (true, true) => "is as it came again",
                    (true, false) => "is as it came: nothing was changed",
                    (false, _) => "is taken away",
                };
                let ended = words::ended(role.ended.as_ref(), "those who have it");
                format!("role {} {is}{ended}", role.name)
            })
        }
    }
}

fn given(asked: &Giving) -> GivenRole {
    GivenRole {
        role: asked.role.clone(),
        unit: asked.unit.clone(),
    }
}

fn changed(
    daemon: &Daemon<'_>,
    asked: &Giving,
    change: &RolesChange,
    printer: &Printer,
) -> Outcome {
    let user = format!("/v1/users/{}", escape(&asked.login));
    let known: User = daemon.get(&user)?;
    let path = format!("/v1/users/{}/roles", escape(&known.id));
    let changed: User = daemon.patch(&path, change, Some(known.revision))?;
    if !change.take.is_empty() && known.revision == changed.revision {
        return Err(not_theirs(asked, &changed));
    }
    printer.record(&changed, |user| {
        let User { login, .. } = user;
        let ended = words::ended(user.ended.as_ref(), login);
        format!("{login} is now: {}{ended}", said(&user.roles))
    })
}

/// Nothing was taken: where they have it is another place, or they do not.
fn not_theirs(asked: &Giving, user: &User) -> Failure {
    let (role, login) = (&asked.role, &user.login);
    let place = match &*asked.unit {
        "" => "the home account",
        unit => unit,
    };
    let elsewhere = user.roles.iter().filter(|given| given.role == *role);
    let elsewhere: Vec<_> = elsewhere
        .map(|given| {
            format!(
                "`seatkeeper role take {role} {login} --unit '{}'`",
                given.unit
            )
        })
        .collect();
    let next = match elsewhere.is_empty() {
        true => format!("`seatkeeper user show {login}` tells the roles that they have"),
        false => format!("they have it elsewhere: {}", elsewhere.join(", ")),
    };
    let what = format!("nothing was taken: {login} does not have the role {role} at {place}");
    Failure::new(Exit::NotFound, what, next)
}

/// The roles of a user, as a sentence about them.
pub(crate) fn said(roles: &[GivenRole]) -> String {
    match roles.is_empty() {
        true => "user of their own units, as everybody".to_owned(),
        false => of(roles),
    }
}

/// The roles of a user, for people. Everybody is a `user` of their own units.
pub(crate) fn of(roles: &[GivenRole]) -> String {
    let roles: Vec<_> = roles
        .iter()
        .map(|given| format!("{} of {}", given.role, given.unit))
        .collect();
    match roles.is_empty() {
        true => "user".to_owned(),
        false => roles.join(", "),
    }
}

fn text(role: &Role) -> String {
    let Role {
        name, permissions, ..
    } = role;
    format!(
        "{name}\nmade   {}\nreach  {}\ngives  {}\n",
        made(role),
        reach(&role.reach),
        permissions.join("\n       ")
    )
}

fn made(role: &Role) -> &'static str {
    match (role.usual, role.changed) {
        (true, false) => "as it came",
        (true, true) => "changed here",
        (false, _) => "here",
    }
}

fn reach(word: &str) -> &str {
    match word {
        "unit" => "that unit",
        "below" => "that unit and below",
        "customers" => "that unit, below, and its customers",
        other => other,
    }
}

fn word(reach: ReachName) -> &'static str {
    match reach {
        ReachName::Unit => "unit",
        ReachName::Below => "below",
        ReachName::Customers => "customers",
    }
}

fn place(role: &str) -> String {
    format!("/v1/roles/{}", escape(role))
}
