//! `account …`, `unit …`: the tree of the organisation.

use super::seat::lose;
use super::vendor::random_id;
use crate::args::{AccountCommand, AccountKind, DomainChange, MoveArgs, UnitCommand};
use crate::daemon::{Daemon, escape};
use crate::failure::{Failure, Outcome};
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{Changed, Unit, UnitChange, UnitMake};

/// Does what was asked of an account.
pub(crate) fn account(daemon: &Daemon<'_>, command: &AccountCommand, printer: &Printer) -> Outcome {
    match command {
        AccountCommand::List => accounts(daemon, printer),
        AccountCommand::Show { account } => {
            let unit: Unit = daemon.get(&place(account))?;
            if unit.kind.is_none() {
                printer.note(&format!("{} is a unit, no account", unit.path));
            }
            printer.record(&unit, shown)
        }
        AccountCommand::Add {
            name,
            kind,
            managed_by,
        } => {
            let body = UnitMake {
                id: Some(random_id()?),
                name: name.clone(),
                above: None,
                kind: Some(word(*kind).to_owned()),
                managed_by: managed_by.clone(),
            };
            let made: Unit = daemon.post("/v1/units", &body)?;
            printer.record(&made, |made| {
                format!("{} account {} is there", kind_of(made), made.name)
            })
        }
        AccountCommand::ApproveDomain {
            account,
            what,
            domain,
        } => {
            let known: Unit = daemon.get(&place(account))?;
            let path = format!("{}/domains/{}", place(&known.id), escape(domain));
            let add = *what == DomainChange::Add;
            let unit: Unit = daemon.set(&path, add, known.revision)?;
            printer.record(&unit, |unit| match add {
                true => format!(
                    "{} lets in by itself who has a verified address in: {}",
                    unit.path,
                    unit.lets_in.join(", ")
                ),
                false => format!("{} lets in {} no more", unit.path, domain.to_lowercase()),
            })
        }
        AccountCommand::Manage { account, by } => {
            let change = UnitChange {
                managed_by: Some(by.clone().unwrap_or_default()),
                ..UnitChange::default()
            };
            let changed = changed(daemon, account, &change)
                .map_err(|failure| by_nobody(failure, account, by.as_deref()))?;
            printer.record(&changed, |changed| {
                let Unit {
                    path, managed_by, ..
                } = &changed.item;
                let by = managed_by.as_deref().unwrap_or("nobody but itself");
                format!("{path} is managed by {by}{}", ended(&changed.item))
            })
        }
    }
}

/// Nobody is no account: they are named by naming none.
fn by_nobody(failure: Failure, account: &str, by: Option<&str>) -> Failure {
    match (failure, by) {
        (Failure::Refused(mut refusal), Some(by))
            if by.eq_ignore_ascii_case("nobody") && refusal.what.ends_with(by) =>
        {
            refusal.hint = format!(
                "`seatkeeper account manage '{account}'`, without `--by`, leaves it to nobody but itself"
            );
            Failure::Refused(refusal)
        }
        (failure, _) => failure,
    }
}

/// Does what was asked of a unit.
pub(crate) fn run(daemon: &Daemon<'_>, command: &UnitCommand, printer: &Printer) -> Outcome {
    match command {
        UnitCommand::List => list(daemon, printer),
        UnitCommand::Show { unit } => {
            let unit: Unit = daemon.get(&place(unit))?;
            printer.record(&unit, shown)
        }
        UnitCommand::Add { name, above } => {
            let body = UnitMake {
                id: Some(random_id()?),
                name: name.clone(),
                above: Some(above.clone()),
                ..UnitMake::default()
            };
            let made: Unit = daemon.post("/v1/units", &body)?;
            printer.record(&made, |made| format!("unit {} is there", made.path))
        }
        UnitCommand::Rename { unit, name } => {
            let change = UnitChange {
                name: Some(name.clone()),
                ..UnitChange::default()
            };
            let changed = changed(daemon, unit, &change)?;
            printer.record(&changed, |changed| {
                format!("it is {} now", changed.item.path)
            })
        }
        UnitCommand::Move(args) => moved(daemon, args, printer),
        UnitCommand::Remove { unit } => {
            let known: Unit = daemon.get(&place(unit))?;
            let _: Option<serde_json::Value> =
                daemon.delete(&place(&known.id), Some(known.revision))?;
            printer.record(&known, |known| format!("{} is taken away", known.path))
        }
    }
}

fn moved(daemon: &Daemon<'_>, args: &MoveArgs, printer: &Printer) -> Outcome {
    let change = UnitChange {
        above: args.to.above.clone(),
        kind: args.to.account.map(|kind| word(kind).to_owned()),
        hard: args.hard,
        ..UnitChange::default()
    };
    let changed = changed(daemon, &args.unit, &change)?;
    printer.record(&changed, |changed| {
        let at = format!("it is at {} now", changed.item.path);
        lose(&at, &changed.ending, args.hard).trim_end().to_owned() + &ended(&changed.item)
    })
}

/// What ended of those whose roles reach more by it.
fn ended(unit: &Unit) -> String {
    words::ended(unit.ended.as_ref(), "those whose roles reach more by it")
}

fn changed(daemon: &Daemon<'_>, unit: &str, change: &UnitChange) -> Outcome<Changed<Unit>> {
    let known: Unit = daemon.get(&place(unit))?;
    daemon.patch(&place(&known.id), change, Some(known.revision))
}

fn accounts(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let mut units: Vec<Unit> = daemon.list("/v1/units")?;
    units.retain(|unit| unit.above.is_none());
    units.sort_by_key(|unit| unit.name.to_lowercase());
    printer.list(
        &units,
        &[
            Column("account", |unit: &Unit| unit.name.clone()),
            Column("kind", |unit| kind_of(unit).to_owned()),
            Column("managed_by", |unit| {
                unit.managed_by.clone().unwrap_or_default()
            }),
            Column("units", |unit| unit.units.to_string()),
            Column("users", |unit| unit.users.to_string()),
            Column("", |unit| home(unit).to_owned()),
        ],
    )
}

fn list(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let mut units: Vec<Unit> = daemon.list("/v1/units")?;
    units.sort_by_key(|unit| (!unit.home, unit.path.to_lowercase()));
    printer.list(
        &units,
        &[
            Column("unit", |unit: &Unit| unit.path.clone()),
            Column("kind", |unit| match unit.kind {
                Some(_) => format!("{} account", kind_of(unit)),
                None => "unit".to_owned(),
            }),
            Column("units_below", |unit| unit.units.to_string()),
            Column("users", |unit| unit.users.to_string()),
            Column("", |unit| home(unit).to_owned()),
        ],
    )
}

fn home(unit: &Unit) -> &'static str {
    match unit.home {
        true => "home: everyone who was not placed elsewhere",
        false => "",
    }
}

fn shown(unit: &Unit) -> String {
    let managed = match &unit.managed_by {
        Some(by) => format!(", managed by {by}"),
        None => String::new(),
    };
    let kind = match unit.kind {
        Some(_) => format!("{} account{managed}", kind_of(unit)),
        None => "unit".to_owned(),
    };
    format!(
        "{}\nid           {}\nkind         {kind}\n{}{}units below  {}\nusers        {} placed in it\n{}",
        unit.path,
        unit.id,
        known_as(unit),
        lets_in(unit),
        unit.units,
        unit.users,
        home(unit)
    )
}

/// The customers' ids by which vendors know an account.
fn known_as(unit: &Unit) -> String {
    let aliases = unit.aliases.iter();
    let aliases = aliases.map(|alias| format!("customer {} of {}", alias.id, alias.vendor));
    let aliases: Vec<_> = aliases.collect();
    match aliases.is_empty() {
        true => String::new(),
        false => format!("known as     {}\n", aliases.join(", ")),
    }
}

/// The domains whose people an account lets in by itself.
fn lets_in(unit: &Unit) -> String {
    match unit.lets_in.is_empty() {
        true => String::new(),
        false => format!("lets in      {}\n", unit.lets_in.join(", ")),
    }
}

fn kind_of(unit: &Unit) -> &str {
    unit.kind.as_deref().unwrap_or("unit")
}

fn word(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Customer => "customer",
        AccountKind::Partner => "partner",
        AccountKind::Producer => "producer",
    }
}

fn place(unit: &str) -> String {
    format!("/v1/units/{}", escape(unit))
}
