//! What a denial says of this time, in one sentence.

use super::{Subject, license_name};
use seatkeeper::token::dates;
use seatkeeper_engine::denial::{Code, Denial};

/// What happened.
pub(super) fn detail(denial: &Denial, subject: Subject<'_>) -> String {
    sentence(denial, subject.user, subject.what, subject.version)
}

/// One sentence about this time.
pub(super) fn sentence(denial: &Denial, user: &str, what: &str, version: Option<&str>) -> String {
    let license = license_name(denial);
    let limit = denial.limit.as_deref().unwrap_or("its limit");
    let day = denial.date.map(|date| dates::format(date.0));
    match denial.code {
        Code::NotLicensed => format!("no license for {what} is installed"),
        Code::UnknownFeature => format!("no installed license has {what}"),
        Code::WrongVendor => format!(
            "{what} is licensed here under other vendor roots than the application carries: {}",
            join(&denial.roots)
        ),
        Code::NotStarted => format!("{license} is valid from {}, not before", day.as_deref().unwrap_or("a later day")),
        Code::LicenseExpired => format!("{license} ended at {}", day.as_deref().unwrap_or("an earlier day")),
        Code::RevokedLicense => format!("the vendor has withdrawn {license}"),
        Code::VersionTooNew => match version {
            Some(version) => format!("{license} covers {what} up to version {limit}, and {version} was asked for"),
            None => format!("{license} covers {what} up to version {limit}, and no version was named"),
        },
        Code::NotAssigned if denial.other_account => {
            format!("{license} has {what}, but is installed for an account that {user} is not in")
        }
        Code::NotAssigned => format!("{license} has {what}, but no assignment of it covers {user}"),
        Code::UnknownUser => format!("{user} is not known here"),
        Code::UserNotActive => {
            let is = denial.limit.as_deref().unwrap_or("invited, pending, suspended, or a guest whose last day is over");
            format!("{user} is not active: {is}")
        }
        Code::Excluded => format!("{license} has {what}, and an assignment of it keeps {user} out"),
        Code::TermsNotAccepted => format!("{user} has not accepted the terms of service of this site, version {limit}"),
        Code::RequestExceedsTotal => too_many(denial, user, what),
        Code::StorageLow if denial.rule == 20 => "the disk of the daemon is nearly full: that a checkout without a seat was given up is not recorded now".to_owned(),
        Code::ServerBusy => format!(
            "{what} never was one of yours, and is not remembered as given up: {limit} such releases of yours are, of the last 15 minutes"
        ),
        Code::StorageLow => "the disk of the daemon is nearly full: nothing new is granted or taken in, seats that are held go on".to_owned(),
        Code::Quarantine => "this daemon's state is older than a lease that a client showed, or was lost: nothing new is granted until leases that it does not know are over".to_owned(),
        Code::CoolDown => format!("a seat of {what} was taken back from {user}; a pause is running"),
        Code::NoSeatFree => match (denial.in_use, denial.total) {
            (Some(used), Some(total)) if denial.rule == 7 => {
                let feature = denial.pool.as_ref().map_or(what, |pool| &pool.feature);
                format!("{used} of {total} named seats of {feature} have owners")
            }
            (Some(used), Some(total)) => format!("{used} of {total} seats of {what} are in use"),
            _ => format!("every seat of {what} is in use"),
        },
        Code::OverUserMax => over_max(denial, user, what),
        Code::OverGroupMax => over_max(denial, "the group", what),
        Code::OverUnitMax => over_max(denial, "the unit", what),
        Code::ReservedForOthers => reserved(denial, what),
        Code::TooSoon => format!("{license} binds {what} to its owner for a while after it was given"),
        Code::LeaseEnded => "this seat was given back or taken back".to_owned(),
        Code::LeaseLapsed => "this seat was not renewed in time, and its hold is over".to_owned(),
        Code::Superseded => match &denial.limit {
            Some(limit) => not_above(what, limit),
            None => format!("what is in force has taken the place of {what}"),
        },
        Code::UnknownLease => format!("nothing is remembered of {what}"),
        Code::Conflict if denial.limit.is_none() => format!("{what}: the same id was used with other contents, or belongs to another already"),
        Code::BadRequest | Code::Conflict => format!("{what}: {limit}"),
        Code::Forbidden => format!("{what} belongs to another credential, machine, instance or user"),
        Code::NotFound => format!("there is no {what}"),
        Code::CodeNotValid => "this code sets no password: it was used, is over, or never was one".to_owned(),
        Code::WrongRevision => format!("{what} was changed meanwhile; it has {limit} now"),
        Code::NameTaken | Code::NotEmpty | Code::Cycle | Code::OneLine | Code::MixedKinds | Code::LastAdministrator | Code::TooManyRegistrations | Code::LastUnit | Code::OverPromised => of_directory(denial, what),
    }
}

/// A limit of an assignment is reached.
fn over_max(denial: &Denial, whose: &str, what: &str) -> String {
    let license = license_name(denial);
    let number = Option::unwrap_or_default;
    let (used, max) = (number(denial.in_use), number(denial.total));
    format!(
        "{license} lets {whose} have at most {max} of {what} at a time, and {used} in use count for it"
    )
}

/// More seats than there can ever be, by a limit or by every license.
fn too_many(denial: &Denial, user: &str, what: &str) -> String {
    let license = license_name(denial);
    match denial.total.filter(|_| denial.assignment.is_some()) {
        Some(max) => format!(
            "{license} never lets {user} have more than {max} of {what} at a time, by an assignment that covers them"
        ),
        None => {
            let most = denial
                .total
                .map_or("its limit".to_owned(), |most| most.to_string());
            format!("no license has so many seats of {what}: the most is {most}")
        }
    }
}

/// What is in force, waits or was removed in place of a license that was brought.
fn not_above(what: &str, limit: &str) -> String {
    if limit.starts_with("replaced by ") {
        return format!("{what}: it was {limit}");
    }
    if limit.ends_with(" was removed here") {
        return format!("{what}: {limit}; install that one or a higher one");
    }
    let is = if limit.ends_with(" waits") {
        ""
    } else {
        " is in force"
    };
    format!("{what}: {limit}{is}, and this is not above it")
}

/// One sentence about a change of the directory, or of what is assigned.
fn of_directory(denial: &Denial, what: &str) -> String {
    let limit = denial.limit.as_deref().unwrap_or("its limit");
    match denial.code {
        Code::NameTaken if what.starts_with("user ") || what.starts_with("address ") => {
            format!("{what}: another user has this login or address")
        }
        Code::NameTaken if denial.rule == 2 => {
            format!("{what}: another group of this site has this name")
        }
        Code::NameTaken => format!("{what}: another unit in the same place has this name"),
        Code::NotEmpty => format!("{what} cannot go: {limit}"),
        Code::Cycle => format!("{what} would hold itself"),
        Code::OneLine => {
            format!("{what}: two units of a user would lie in one line, one above the other")
        }
        Code::MixedKinds => format!("{what}: a user would be in accounts of different kinds"),
        Code::LastAdministrator => {
            format!(
                "{what}: nobody else has a role by which roles are given in the account (who administers the daemon needs none, and does not count)"
            )
        }
        Code::TooManyRegistrations => {
            format!("{limit} registrations wait at this site, which is all there may be")
        }
        Code::LastUnit => format!("{what} has to be in one unit at least"),
        Code::OverPromised => promised(denial, what),
        _ => format!("{what}: {limit}"),
    }
}

/// What was to be reserved, what that comes to, and the bound of it.
fn promised(denial: &Denial, what: &str) -> String {
    let number = Option::unwrap_or_default;
    let (sum, most) = (number(denial.in_use), number(denial.total));
    let (others, feature) = (
        number(denial.reserved),
        denial.limit.as_deref().unwrap_or("it"),
    );
    let seats = |n: u64| if n == 1 { "seat" } else { "seats" };
    let asked = sum.saturating_sub(others);
    let reserved = match (asked, others) {
        (0, _) => {
            let whose = if denial.each { " for one user" } else { "" };
            format!(
                "{sum} {} of {feature} are reserved already{whose}",
                seats(sum)
            )
        }
        (_, 0) => format!("{asked} {} of {feature} would be reserved", seats(asked)),
        _ => format!(
            "{asked} {} of {feature} would be reserved, {sum} with what is reserved already",
            seats(asked)
        ),
    };
    let how = if denial.each { "each" } else { "together" };
    let bound = match (&denial.pool, denial.assignment) {
        (Some(_), _) => format!("{} has {most}", license_name(denial)),
        (None, Some(id)) => format!("the assignment {id} lets them have {most} at most {how}"),
        (None, None) => format!("a max lets them have {most} at most {how}"),
    };
    format!("{what}: {reserved}, and {bound}")
}

/// Of seats that are free, and kept for others.
fn reserved(denial: &Denial, what: &str) -> String {
    let number = Option::unwrap_or_default;
    let (total, kept) = (number(denial.total), number(denial.reserved));
    let left = total.saturating_sub(number(denial.in_use));
    match denial.rule {
        13 => format!(
            "of {total} seats of {what}, {kept} are reserved for others: so many as were asked for are never left"
        ),
        _ => format!(
            "{left} of {total} seats of {what} are left, and {kept} are reserved for others"
        ),
    }
}

fn join(names: &[seatkeeper_engine::ids::Name]) -> String {
    names
        .iter()
        .map(|name| &**name)
        .collect::<Vec<_>>()
        .join(", ")
}
