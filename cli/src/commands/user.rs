//! `user …`: who may sit, and where they are.

use super::codes;
use super::gone::take_away;
use super::seat::lose;
use super::vendor::random_id;
use crate::args::{NewUsers, UserCommand, UserKind};
use crate::daemon::{Daemon, escape};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::names::When;
use crate::printer::{Column, Printer};
use crate::{clock, words};
use seatkeeper::wire::{Changed, User, UserChange, UserMake};

/// Does it.
pub(crate) fn run(daemon: &Daemon<'_>, command: &UserCommand, printer: &Printer) -> Outcome<Exit> {
    let done = match command {
        UserCommand::Add(asked) => return add(daemon, asked, printer),
        UserCommand::List { unit, group, kind } => {
            list(daemon, (unit.as_deref(), group.as_deref(), *kind), printer)
        }
        UserCommand::Show { login } => {
            let user: User = daemon.get(&place(login))?;
            printer.record(&user, text)
        }
        UserCommand::Move { login, units, hard } => {
            let known: User = daemon.get(&place(login))?;
            moved(daemon, &known, units.clone(), *hard, printer)
        }
        UserCommand::AddUnit { login, unit } => {
            let known: User = daemon.get(&place(login))?;
            let mut units = known.unit_ids.clone();
            units.push(unit.clone());
            moved(daemon, &known, units, false, printer)
        }
        UserCommand::DropUnit { login, unit, hard } => {
            drop_unit(daemon, login, unit, *hard, printer)
        }
        UserCommand::Address { login, address } => readdress(daemon, login, address, printer),
        UserCommand::Activate {
            login,
            until,
            for_good,
        } => {
            let change = UserChange {
                status: Some("active".to_owned()),
                until: until.map(ends).or(for_good.then_some(0)),
                ..UserChange::default()
            };
            changed(daemon, login, &change, printer)
        }
        UserCommand::Suspend { login, hard } => {
            let change = UserChange {
                status: Some("suspended".to_owned()),
                hard: *hard,
                ..UserChange::default()
            };
            changed(daemon, login, &change, printer)
        }
        UserCommand::Invite { login } => codes::invite(daemon, login, printer),
        UserCommand::ResetLink { login } => codes::reset(daemon, login, printer),
        UserCommand::Resets => codes::list(daemon, printer),
        UserCommand::DropReset { login } => codes::drop(daemon, login, printer),
        UserCommand::Remove { login, hard } => remove(daemon, login, *hard, printer),
    };
    done.map(|()| Exit::Done)
}

/// One refusal is the whole command's where it is of the only login; else the rest is done in part, and said which.
fn add(daemon: &Daemon<'_>, asked: &NewUsers, printer: &Printer) -> Outcome<Exit> {
    if asked.address.is_some() && asked.logins.len() > 1 {
        return Err(Failure::new(
            Exit::Usage,
            "an address belongs to one user, and several logins are named",
            "add each with the address that is theirs",
        ));
    }
    let (mut added, mut not, mut exit) = (Vec::new(), Vec::new(), Exit::Done);
    for login in &asked.logins {
        match add_one(daemon, login, asked, printer) {
            Ok(()) => added.push(login.as_str()),
            Err(failure) if asked.logins.len() == 1 => return Err(failure),
            // Nobody reads on.
            Err(failure @ Failure::Hangup) => return Err(failure),
            Err(failure) => {
                printer.note(&format!("{login}:"));
                printer.failure(&failure);
                exit = failure.exit();
                not.push(login.as_str());
            }
        }
    }
    if added.is_empty() || not.is_empty() {
        return Ok(exit);
    }
    let (added, not) = (added.join(", "), not.join(", "));
    printer.note(&format!("done in part: added {added}; not: {not}"));
    Ok(Exit::Part)
}

fn add_one(daemon: &Daemon<'_>, login: &str, asked: &NewUsers, printer: &Printer) -> Outcome {
    let status = match (asked.invite, asked.pending) {
        (true, _) => Some("invited"),
        (false, true) => Some("pending"),
        (false, false) => None,
    };
    let body = UserMake {
        id: Some(random_id()?),
        login: login.to_owned(),
        address: asked.address.clone(),
        units: asked.units.clone(),
        status: status.map(str::to_owned),
        until: asked.until.map(ends),
    };
    let made: User = daemon.post("/v1/users", &body)?;
    let User { login, units, .. } = &made;
    let (units, status) = (units.join(" and "), stands(&made));
    let there = format!("user {login} is there, in {units}: {status}");
    if asked.invite {
        printer.note(&there);
        return codes::invited(daemon, &made, printer);
    }
    printer.record(&made, |_| there)
}

fn remove(daemon: &Daemon<'_>, login: &str, hard: bool, printer: &Printer) -> Outcome {
    let known: User = daemon.get(&place(login))?;
    let User { login, id, .. } = &known;
    let said = format!("user {login} is taken away; the audit log calls them {id}");
    let at = (&*place(id), known.revision);
    take_away(daemon, at, (&said, hard), printer)
}

fn list(
    daemon: &Daemon<'_>,
    (unit, group, kind): (Option<&str>, Option<&str>, Option<UserKind>),
    printer: &Printer,
) -> Outcome {
    let kind = kind.map(|kind| match kind {
        UserKind::Customer => "customer",
        UserKind::Partner => "partner",
        UserKind::Producer => "producer",
        UserKind::SelfRegistered => "self-registered",
    });
    let asked = [("unit", unit), ("group", group), ("kind", kind)];
    let asked = asked
        .into_iter()
        .filter_map(|(member, text)| Some((member, text?)));
    let asked: Vec<_> = asked
        .map(|(member, text)| format!("{member}={}", escape(text)))
        .collect();
    let path = match asked.is_empty() {
        true => "/v1/users".to_owned(),
        false => format!("/v1/users?{}", asked.join("&")),
    };
    let mut users: Vec<User> = daemon.list(&path)?;
    users.sort_by(|one, other| one.login.cmp(&other.login));
    if users.is_empty() {
        printer.note(&nobody(group, asked.is_empty()));
    }
    printer.list(
        &users,
        &[
            Column("login", |user: &User| user.login.clone()),
            Column("kind", |user| user.kind.clone()),
            Column("status", stands),
            Column("units", |user| user.units.join(", ")),
            Column("groups", |user| user.groups.join(", ")),
            Column("roles", |user| super::role::of(&user.roles)),
        ],
    )
}

/// Why a list is empty, and what puts somebody into it.
fn nobody(group: Option<&str>, all: bool) -> String {
    match group {
        Some(group) => format!(
            "nobody that you may see is so in the group {group}: `seatkeeper group join '{group}' --user LOGIN` lets a user in"
        ),
        None if all => "there is no user that you may see: users are made with `seatkeeper user add LOGIN`, or at first sight where `unknown_users = \"create\"`".to_owned(),
        None => "there is no such user that you may see: `seatkeeper user list` shows all of them".to_owned(),
    }
}

fn drop_unit(
    daemon: &Daemon<'_>,
    login: &str,
    unit: &str,
    hard: bool,
    printer: &Printer,
) -> Outcome {
    let known: User = daemon.get(&place(login))?;
    let gone: seatkeeper::wire::Unit = daemon.get(&format!("/v1/units/{}", escape(unit)))?;
    let mut units = known.unit_ids.clone();
    units.retain(|id| *id != gone.id);
    if units.len() == known.unit_ids.len() {
        printer.note(&format!("{} was not placed in {}", known.login, gone.path));
        return Ok(());
    }
    moved(daemon, &known, units, hard, printer)
}

/// Places a user; of the revision that was looked at.
fn moved(
    daemon: &Daemon<'_>,
    known: &User,
    units: Vec<String>,
    hard: bool,
    printer: &Printer,
) -> Outcome {
    let change = UserChange {
        units: Some(units),
        hard,
        ..UserChange::default()
    };
    let changed: Changed<User> = daemon.patch(&place(&known.id), &change, Some(known.revision))?;
    printer.record(&changed, |changed| {
        let User { login, units, .. } = &changed.item;
        let at = format!("{login} is in {} now", units.join(" and "));
        let ended = words::ended(changed.item.ended.as_ref(), login);
        lose(&at, &changed.ending, hard).trim_end().to_owned() + &ended
    })
}

fn changed(daemon: &Daemon<'_>, login: &str, change: &UserChange, printer: &Printer) -> Outcome {
    let known: User = daemon.get(&place(login))?;
    let changed: Changed<User> = daemon.patch(&place(&known.id), change, Some(known.revision))?;
    printer.record(&changed, |changed| {
        let User { login, ended, .. } = &changed.item;
        let is = format!("{login} is {}", stands(&changed.item));
        let is = lose(&is, &changed.ending, change.hard);
        is.trim_end().to_owned() + &words::ended(ended.as_ref(), login)
    })
}

fn readdress(daemon: &Daemon<'_>, login: &str, address: &str, printer: &Printer) -> Outcome {
    let change = UserChange {
        address: Some(if address == "none" { "" } else { address }.to_owned()),
        ..UserChange::default()
    };
    let known: User = daemon.get(&place(login))?;
    let changed: Changed<User> = daemon.patch(&place(&known.id), &change, Some(known.revision))?;
    printer.record(&changed, |changed| {
        let User { login, address, .. } = &changed.item;
        match address {
            Some(address) if !address.eq_ignore_ascii_case(login) => format!(
                "{login} has the address {address} now; it is known to be theirs once they use a code that was mailed there"
            ),
            None if change.address.as_deref() == Some("") => {
                format!("{login} has no mail address now")
            }
            _ => format!(
                "{login} is their login and their mail address now; it is known to be theirs once they use a code that was mailed there"
            ),
        }
    })
}

fn ends(day: When) -> u64 {
    day.ends(clock::unix_s())
}

fn stands(user: &User) -> String {
    words::standing(&user.status, user.until, user.over)
}

fn text(user: &User) -> String {
    let groups = match user.groups.is_empty() {
        true => "none".to_owned(),
        false => user.groups.join(", "),
    };
    format!(
        "{}\nid      {}\nkind    {}\n{}status  {}\nunits   {}\ngroups  {groups}\nroles   {}\n",
        user.login,
        user.id,
        user.kind,
        words::address_of(
            &user.login,
            user.address.as_deref(),
            user.address_is.as_deref()
        )
        .map_or_else(String::new, |text| format!("address {text}\n")),
        stands(user),
        user.units.join(", "),
        super::role::said(&user.roles)
    )
}

fn place(login: &str) -> String {
    format!("/v1/users/{}", escape(login))
}
