//! `license assign|assignments|change|unassign`: who may use which license, with what.

use super::super::seat::{self, lose};
use super::super::vendor::random_id;
use super::assignments;
use crate::args::{To, With};
use crate::daemon::{Daemon, escape};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::names::{LicenseName, is_no_login};
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{Assignment, AssignmentChange, Changed, EndingReply, Group, License, Unit};
use std::collections::BTreeMap;

/// All features, and none: on the command line, and on the wire.
const ALL: (&str, &str) = ("all", "*");
const NONE: &str = "none";

/// Assigns a license.
pub(super) fn assign(
    daemon: &Daemon<'_>,
    name: &LicenseName,
    to: &To,
    with: &With,
    printer: &Printer,
) -> Outcome {
    let license = name.resolve(daemon)?;
    // While it waits for its first day, nothing of it is in force.
    let waits = matches!(&*license.status, "waiting" | "not_started");
    let first_day = waits.then_some(license.nbf);
    let none = BTreeMap::new();
    let assignment = Assignment {
        // The same id and body again are the same assignment (rule 20).
        id: random_id()?,
        vendor: license.vendor,
        license: license.id,
        user: to.user.clone(),
        group: to.group.clone(),
        unit: to.unit.clone(),
        everyone: to.everyone,
        policies: beside(&[], &with.policies).unwrap_or_default(),
        exclude: excluded(&[], with).unwrap_or_default(),
        max: limits("--max", &with.max, &none)?.unwrap_or_default(),
        max_each: limits("--max-each", &with.max_each, &none)?.unwrap_or_default(),
        reserve: limits("--reserve", &with.reserve, &none)?.unwrap_or_default(),
        filled: BTreeMap::new(),
        priority: with.priority,
        people: None,
        may_use: BTreeMap::new(),
        revision: 0,
    };
    let made: Assignment = daemon.post("/v1/assignments", &assignment)?;
    printer.record(&made, |made| {
        let is = stands(made);
        match (keeps_out(made), first_day) {
            (true, _) => is,
            (false, None) => format!("{is}, usable at once"),
            (false, Some(day)) => format!("{is}, usable from {}", words::date(day)),
        }
    })?;
    more_people_than_seats(daemon, &made, printer)?;
    // A directory that is away, or a slip of the pen: the assignment waits for whoever comes by that name.
    if let Some(user) = to.user.as_deref().filter(|user| is_no_login(user))
        && !daemon.is_dev()
    {
        let all_the_same = match made.exclude.is_empty() {
            true => "assigned all the same",
            false => "it holds for whoever comes by it all the same",
        };
        printer.note(&format!(
            "there is no login {user} on this machine; {all_the_same}"
        ));
    }
    Ok(())
}

/// Tells whoever assigned a license to more people than it has seats what comes of it (D3).
fn more_people_than_seats(daemon: &Daemon<'_>, made: &Assignment, printer: &Printer) -> Outcome {
    if made.may_use.is_empty() {
        return Ok(());
    }
    let (vendor, id) = (escape(&made.vendor), escape(&made.license));
    let license: License = daemon.get(&format!("/v1/licenses/{vendor}/{id}"))?;
    for feature in license.features {
        let people = made.may_use.get(&feature.name).copied().unwrap_or_default();
        if let Some(seats) = feature.seats.filter(|seats| *seats < people) {
            let of = format!(
                "{people} people may use {}, and it has {seats}",
                feature.name
            );
            let seats = if seats == 1 { "seat" } else { "seats" };
            printer.note(&format!(
                "{of} {seats}: whoever comes when all are taken is told `no_seat_free`"
            ));
        }
    }
    Ok(())
}

/// Lists assignments, of one license or of all.
pub(super) fn list(daemon: &Daemon<'_>, name: Option<&LicenseName>, printer: &Printer) -> Outcome {
    let all = match name {
        Some(name) => {
            let license = name.resolve(daemon)?;
            assignments(daemon, &license.vendor, &license.id)?
        }
        None => daemon.list("/v1/assignments")?,
    };
    if all.is_empty() {
        printer.note("nothing is assigned: `seatkeeper license assign LICENSE --everyone`, or to a user, a group or a unit");
    }
    printer.list(
        &all,
        &[
            Column("license", |one: &Assignment| {
                format!("{}/{}", one.vendor, one.license)
            }),
            Column("to", assignee),
            Column("policies", |one| one.policies.join(", ")),
            Column("limits", limited),
            Column("reserved", reserved),
            Column("priority", |one| {
                one.priority.map(|n| n.to_string()).unwrap_or_default()
            }),
            Column("id", |one| one.id.clone()),
        ],
    )
}

/// Changes what an assignment gives and withholds.
pub(super) fn change(
    daemon: &Daemon<'_>,
    id: &str,
    with: &With,
    hard: bool,
    printer: &Printer,
) -> Outcome {
    let path = format!("/v1/assignments/{}", escape(id));
    let known: Assignment = daemon.get(&path)?;
    let change = AssignmentChange {
        policies: beside(&known.policies, &with.policies),
        exclude: excluded(&known.exclude, with),
        max: limits("--max", &with.max, &known.max)?,
        max_each: limits("--max-each", &with.max_each, &known.max_each)?,
        reserve: limits("--reserve", &with.reserve, &known.reserve)?,
        priority: with.priority,
        hard,
    };
    if change
        == (AssignmentChange {
            hard,
            ..AssignmentChange::default()
        })
    {
        return Err(Failure::new(
            Exit::Usage,
            "nothing is said that would change it",
            "name a policy, --exclude, --max, --max-each, --reserve or --priority",
        ));
    }
    let changed: Changed<Assignment> = daemon.patch(&path, &change, Some(known.revision))?;
    printer.record(&changed, |changed| {
        let item = &changed.item;
        lose(&stands(item), &changed.ending, hard)
    })
}

/// Takes an assignment back.
pub(super) fn unassign(
    daemon: &Daemon<'_>,
    name: &LicenseName,
    to: &To,
    hard: bool,
    printer: &Printer,
) -> Outcome {
    let license = name.resolve(daemon)?;
    let all = assignments(daemon, &license.vendor, &license.id)?;
    let unit = to.unit.as_deref().map(|unit| unit_of(daemon, unit));
    let unit = unit.transpose()?;
    let group = to.group.as_deref().map(|group| group_of(daemon, group));
    let group = group.transpose()?;
    // The root of the account that a license is for is everyone.
    let account = unit.as_ref().is_some_and(|unit| unit.above.is_none());
    let unit = unit.map(|unit| unit.path);
    let same = |one: &Option<String>, other: &Option<String>| match (one, other) {
        (Some(one), Some(other)) => one.to_lowercase() == other.to_lowercase(),
        (None, None) => true,
        _ => false,
    };
    let own = all.iter().find(|one| {
        let named = same(&one.user, &to.user) && same(&one.group, &group);
        match one.everyone {
            true => to.everyone || account,
            false => !to.everyone && named && same(&one.unit, &unit),
        }
    });
    let Some(own) = own else {
        let others: Vec<_> = all.iter().map(assignee).collect();
        let next = if others.is_empty() {
            "it is assigned to nobody".to_owned()
        } else {
            format!("it is assigned to {}", others.join(", "))
        };
        return Err(Failure::new(
            Exit::NotFound,
            format!("{name} is not assigned to {}", whom(to)),
            next,
        ));
    };
    let path = format!(
        "/v1/assignments/{}{}",
        escape(&own.id),
        if hard { "?hard=true" } else { "" }
    );
    let reply: Option<EndingReply> = daemon.delete(&path, Some(own.revision))?;
    seat::ending(
        reply,
        &format!(
            "{name} is no longer assigned to {}; no seat was in use by it",
            whom(to)
        ),
        printer,
    )
}

fn unit_of(daemon: &Daemon<'_>, unit: &str) -> Outcome<Unit> {
    daemon.get(&format!("/v1/units/{}", escape(unit)))
}

fn group_of(daemon: &Daemon<'_>, group: &str) -> Outcome<String> {
    let group: Group = daemon.get(&format!("/v1/groups/{}", escape(group)))?;
    Ok(group.name)
}

/// Names beside those that are there, where any is given; `none` takes all of those away first.
fn beside(there: &[String], names: &[String]) -> Option<Vec<String>> {
    let there = there
        .iter()
        .filter(|_| !names.iter().any(|name| name == NONE));
    let mut all: Vec<String> = there.cloned().collect();
    for name in names.iter().filter(|name| *name != NONE) {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    (!names.is_empty()).then_some(all)
}

fn excluded(there: &[String], with: &With) -> Option<Vec<String>> {
    let on_the_wire = |name: &String| match name.as_str() {
        name if name == ALL.0 => ALL.1.to_owned(),
        name => name.to_owned(),
    };
    let names: Vec<_> = with.exclude.iter().map(on_the_wire).collect();
    let all = beside(there, &names)?;
    // Who is kept out of all is so of each.
    match all.iter().any(|name| name == ALL.1) {
        true => Some(vec![ALL.1.to_owned()]),
        false => Some(all),
    }
}

fn said(exclude: &[String]) -> String {
    let names = exclude.iter().map(|name| match name.as_str() {
        name if name == ALL.1 => ALL.0,
        name => name,
    });
    names.collect::<Vec<_>>().join(", ")
}

/// `FEATURE=N` of each beside the limits that are there, where any is given; `FEATURE=none` takes one of them away, `none`
/// all of them first.
fn limits(
    flag: &str,
    texts: &[String],
    there: &BTreeMap<String, u64>,
) -> Outcome<Option<BTreeMap<String, u64>>> {
    let mut limits = match texts.iter().any(|text| text == NONE) {
        true => BTreeMap::new(),
        false => there.clone(),
    };
    for text in texts.iter().filter(|text| *text != NONE) {
        match text
            .split_once('=')
            .map(|(feature, n)| (feature, n, n.parse()))
        {
            Some((feature, _, Ok(most))) => drop(limits.insert(feature.to_owned(), most)),
            Some((feature, NONE, _)) => drop(limits.remove(feature)),
            _ => {
                return Err(Failure::new(
                    Exit::Usage,
                    format!("{flag} {text}: it is FEATURE=N, FEATURE={NONE}, or {NONE}"),
                    format!("as `{flag} modeler=5`"),
                ));
            }
        }
    }
    Ok((!texts.is_empty()).then_some(limits))
}

/// Everything that it limits, in a cell.
fn limited(one: &Assignment) -> String {
    let excluded = one.exclude.iter().map(|name| match name == ALL.1 {
        true => "kept out".to_owned(),
        false => format!("no {name}"),
    });
    let max = one
        .max
        .iter()
        .map(|(feature, n)| format!("{feature} {n} together"));
    let each = one
        .max_each
        .iter()
        .map(|(feature, n)| format!("{feature} {n} each"));
    excluded
        .chain(max)
        .chain(each)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What it reserves and how much of that is filled, in a cell.
fn reserved(one: &Assignment) -> String {
    let all = one.reserve.iter().map(|(feature, n)| {
        let filled = one.filled.get(feature).copied().unwrap_or_default();
        format!("{feature} {n} ({filled} filled)")
    });
    all.collect::<Vec<_>>().join(", ")
}

/// How things are by an assignment, in a sentence.
fn stands(one: &Assignment) -> String {
    let (what, whom) = (format!("{}/{}", one.vendor, one.license), assignee(one));
    match keeps_out(one) {
        true => format!("{whom} is kept out of {what}, whatever else covers them"),
        false => format!("{what} is assigned to {whom}{}", gives(one)),
    }
}

/// It gives nothing, and nothing else gives it to them.
fn keeps_out(one: &Assignment) -> bool {
    one.exclude.iter().any(|name| name == ALL.1)
}

/// What an assignment gives and withholds, as the end of a sentence.
pub(crate) fn gives(one: &Assignment) -> String {
    if keeps_out(one) {
        return ", which kept them out of all of it".to_owned();
    }
    let mut parts = String::new();
    if !one.policies.is_empty() {
        parts += &format!(", with {}", one.policies.join(", "));
    }
    if !one.exclude.is_empty() {
        parts += &format!(", without {}", said(&one.exclude));
    }
    for (feature, n) in &one.max {
        parts += &format!(", at most {n} of {feature} together");
    }
    for (feature, n) in &one.max_each {
        parts += &format!(", at most {n} of {feature} each");
    }
    for (feature, n) in &one.reserve {
        parts += &format!(", {n} of {feature} reserved for them");
    }
    parts
}

fn whom(to: &To) -> String {
    let To {
        user, group, unit, ..
    } = to;
    named(user.as_ref(), group.as_ref(), unit.as_ref())
}

pub(super) fn assignee(one: &Assignment) -> String {
    named(one.user.as_ref(), one.group.as_ref(), one.unit.as_ref())
}

fn named(user: Option<&String>, group: Option<&String>, unit: Option<&String>) -> String {
    match (user, group, unit) {
        (Some(user), _, _) => user.clone(),
        (None, Some(group), _) => format!("group {group}"),
        (None, None, Some(unit)) => format!("unit {unit}"),
        (None, None, None) => "everyone".to_owned(),
    }
}
