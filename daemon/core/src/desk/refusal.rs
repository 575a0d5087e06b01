//! Denials in one place: a denial of the rules or a failure of the keeper becomes a problem document that says what, why
//! and what to do next.

use super::users::{add, makes_known};
use crate::authorize::{Caller, Permission};
use crate::keeper::{Failure, Snapshot};
use crate::problem::{Refused, problem};
use seatkeeper::token::dates;
use seatkeeper::wire;
use seatkeeper_engine::denial::{Code, Denial};
use seatkeeper_engine::ids::PoolId;
use seatkeeper_engine::state::{User, UserStatus};
use std::borrow::Cow;

/// Holders that a denial names, at most.
const HOLDERS: usize = 10;

/// What was asked, in the words of the one who asked: a denial names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    /// Who would see the denial.
    pub(super) caller: &'a Caller,
    /// Whom it is about: the caller, or the user of a `why`.
    pub(super) user: &'a str,
    /// The product, or the license of an install, or an id.
    pub(super) what: &'a str,
    /// The version asked for.
    pub(super) version: Option<&'a str>,
}

/// The problem of a denial. `holder_names` is asked for the holders of a pool whom the caller may see; a hint names commands to those who help, and to others whom to ask.
pub(super) fn denied(
    denial: &Denial,
    (subject, helps): (Subject<'_>, bool),
    snapshot: &Snapshot,
    holder_names: impl FnOnce(&PoolId, usize) -> Vec<String>,
) -> Refused {
    let denial = &*with_status(denial, snapshot);
    let code = code_of(denial.code);
    let mut out = problem(code, detail(denial, subject));
    out.rule = Some(denial.rule);
    out.assignment = denial.assignment.map(|id| id.to_string());
    out.pool = denial.pool.as_ref().map(ToString::to_string);
    out.limit = denial.limit.clone();
    // What would be promised is no seat in use: the sentence tells it.
    let seats = denial.code != Code::OverPromised;
    out.in_use = denial.in_use.filter(|_| seats);
    out.total = denial.total.filter(|_| seats);
    out.reserved = denial.reserved.filter(|_| seats);
    // What all seats together would not do for does not come by waiting (rule 13).
    out.retryable &= !(denial.code == Code::ReservedForOthers && denial.rule == 13);
    out.retry_after_s = denial
        .retry_at
        .map(|at| (at - snapshot.now.lease).div_ceil(1000).max(1));
    if let Some(after) = out
        .retry_after_s
        .filter(|_| denial.code == Code::ServerBusy)
    {
        out.hint = format!("try again in {}", span(after));
    } else if waits(denial, snapshot) {
        out.hint = to_let_in(subject, helps);
    } else if let Some(hint) = hint(denial, subject, helps) {
        out.hint = hint;
    }
    if let Some(pool) = &denial.pool
        && denial.code == Code::NoSeatFree
    {
        out.holders = holder_names(pool, HOLDERS);
    }
    out
}

/// Of somebody who is not active, what they are instead.
fn with_status<'a>(denial: &'a Denial, snapshot: &Snapshot) -> Cow<'a, Denial> {
    let Some(known) = not_active(denial, snapshot) else {
        return Cow::Borrowed(denial);
    };
    let is = match known.status {
        UserStatus::Invited => "invited",
        UserStatus::Pending => "pending",
        UserStatus::Suspended => "suspended",
        UserStatus::Active => "a guest whose last day is over",
    };
    Cow::Owned(Denial {
        limit: Some(is.to_owned()),
        ..denial.clone()
    })
}

/// The user who is not active, where it is known whom the denial is about.
fn not_active<'a>(denial: &Denial, snapshot: &'a Snapshot) -> Option<&'a User> {
    let user = denial.users.first();
    let user = user.filter(|_| denial.code == Code::UserNotActive)?;
    snapshot.state.users.get(user).map(AsRef::as_ref)
}

fn span(seconds: u64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// The problem of a denial that a file in an inbox met: nobody asks, so it names nobody.
pub(super) fn of_inbox(denial: &Denial, what: &str) -> Refused {
    let code = code_of(denial.code);
    let mut out = problem(code, sentence(denial, "", what, None));
    out.rule = Some(denial.rule);
    out.limit = denial.limit.clone();
    out
}

/// The problem of a failure.
pub(super) fn failed(failure: Failure) -> Refused {
    let code = match failure {
        Failure::Busy => wire::Code::ServerBusy,
        Failure::Stopped => wire::Code::ServerStopping,
    };
    let mut out = problem(code, failure.to_string());
    out.retry_after_s = Some(1);
    out
}

/// The code on the wire.
pub(super) fn code_of(code: Code) -> wire::Code {
    match code {
        Code::NotLicensed => wire::Code::NotLicensed,
        Code::UnknownFeature => wire::Code::UnknownFeature,
        Code::WrongVendor => wire::Code::WrongVendor,
        Code::NotStarted => wire::Code::NotStarted,
        Code::LicenseExpired => wire::Code::LicenseExpired,
        Code::RevokedLicense => wire::Code::RevokedLicense,
        Code::VersionTooNew => wire::Code::VersionTooNew,
        Code::NotAssigned => wire::Code::NotAssigned,
        Code::UnknownUser => wire::Code::UnknownUser,
        Code::UserNotActive => wire::Code::UserNotActive,
        Code::Excluded => wire::Code::Excluded,
        Code::TermsNotAccepted => wire::Code::TermsNotAccepted,
        Code::RequestExceedsTotal => wire::Code::RequestExceedsTotal,
        Code::StorageLow => wire::Code::StorageLow,
        Code::Quarantine => wire::Code::Quarantine,
        Code::CoolDown => wire::Code::CoolDown,
        Code::NoSeatFree => wire::Code::NoSeatFree,
        Code::OverUserMax => wire::Code::OverUserMax,
        Code::OverGroupMax => wire::Code::OverGroupMax,
        Code::OverUnitMax => wire::Code::OverUnitMax,
        Code::ReservedForOthers => wire::Code::ReservedForOthers,
        Code::LeaseEnded => wire::Code::LeaseEnded,
        Code::LeaseLapsed => wire::Code::LeaseLapsed,
        Code::Superseded => wire::Code::Superseded,
        Code::UnknownLease => wire::Code::UnknownLease,
        Code::Conflict => wire::Code::Conflict,
        Code::BadRequest => wire::Code::BadRequest,
        Code::Forbidden => wire::Code::Forbidden,
        Code::NotFound => wire::Code::NotFound,
        Code::WrongRevision => wire::Code::WrongRevision,
        Code::NameTaken => wire::Code::NameTaken,
        Code::NotEmpty => wire::Code::NotEmpty,
        Code::Cycle => wire::Code::Cycle,
        Code::OneLine => wire::Code::OneLine,
        Code::MixedKinds => wire::Code::MixedKinds,
        Code::LastUnit => wire::Code::LastUnit,
        Code::LastAdministrator => wire::Code::LastAdministrator,
        Code::OverPromised => wire::Code::OverPromised,
        Code::TooSoon => wire::Code::TooSoon,
        Code::ServerBusy => wire::Code::ServerBusy,
        Code::TooManyRegistrations => wire::Code::TooManyRegistrations,
        Code::CodeNotValid => wire::Code::CodeNotValid,
    }
}

fn detail(denial: &Denial, subject: Subject<'_>) -> String {
    sentence(denial, subject.user, subject.what, subject.version)
}

/// One sentence about this time.
fn sentence(denial: &Denial, user: &str, what: &str, version: Option<&str>) -> String {
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
        Code::UserNotActive => match &denial.limit {
            Some(is) => format!("{user} is not active: {is}"),
            None => format!("{user} is not active: invited, pending, suspended, or a guest whose last day is over"),
        },
        Code::Excluded => format!("{license} has {what}, and an assignment of it keeps {user} out"),
        Code::TermsNotAccepted => format!("{user} has not accepted the terms of service of this site, version {limit}"),
        Code::RequestExceedsTotal => too_many(denial, user, what),
        Code::StorageLow if denial.rule == 20 => "the disk of the daemon is nearly full: that a checkout without a seat was given up is not recorded now".to_owned(),
        Code::ServerBusy => format!(
            "{what} never was one of yours, and is not remembered as given up: {limit} such releases of yours are, of the last 15 minutes"
        ),
        Code::StorageLow => "the disk of the daemon is nearly full: nothing new is granted, seats that are held go on".to_owned(),
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
        Code::OverUserMax | Code::OverGroupMax | Code::OverUnitMax => {
            let (used, max) = (denial.in_use.unwrap_or_default(), denial.total.unwrap_or_default());
            let whose = match denial.code {
                Code::OverUserMax => user,
                Code::OverGroupMax => "the group",
                _ => "the unit",
            };
            format!("{license} lets {whose} have at most {max} of {what} at a time, and {used} in use count for it")
        }
        Code::ReservedForOthers => reserved(denial, what),
        Code::TooSoon => format!("{license} binds {what} to its owner for a while after it was given"),
        Code::LeaseEnded => "this seat was given back or taken back".to_owned(),
        Code::LeaseLapsed => "this seat was not renewed in time, and its hold is over".to_owned(),
        Code::Superseded => match &denial.limit {
            Some(limit) => format!("{what}: {limit} is in force, and this is not above it"),
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

/// More seats than there can ever be, by a limit or by every license.
fn too_many(denial: &Denial, user: &str, what: &str) -> String {
    let license = license_name(denial);
    let limit = denial.limit.as_deref().unwrap_or("its limit");
    match denial.total.filter(|_| denial.assignment.is_some()) {
        Some(max) => format!(
            "{license} never lets {user} have more than {max} of {what} at a time, by an assignment that covers them"
        ),
        None => format!("no license has so many seats of {what}: the most is {limit}"),
    }
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

/// The next step, with real names, where more can be said than for every case of the code.
fn hint(denial: &Denial, subject: Subject<'_>, helps: bool) -> Option<String> {
    let of_everyone = match denial.code {
        Code::CoolDown => denial.retry_at.map(|_| {
            "wait until the pause is over, or ask again on the user's own request (SDK `.asked_by_user()`, CLI `--interactive`)".to_owned()
        }),
        Code::TermsNotAccepted => Some(terms(subject)),
        // No assignment gives more than there is.
        Code::RequestExceedsTotal if denial.assignment.is_none() && denial.rule != 7 => {
            denial.total.map(|most| {
                format!("ask for {most} at most; more come with another license of its vendor only")
            })
        }
        Code::WrongVendor if !denial.roots.is_empty() => Some(
            "the application and the installed license come from different vendors: ask the vendor of the application for a license".to_owned(),
        ),
        _ => None,
    };
    of_everyone.or_else(|| match helps {
        true => to_do(denial, subject),
        false => whom_to_ask(denial, subject),
    })
}

/// Whoever is not active asked to come in, and was not answered yet.
fn waits(denial: &Denial, snapshot: &Snapshot) -> bool {
    not_active(denial, snapshot).is_some_and(|known| known.status == UserStatus::Pending)
}

fn to_let_in(Subject { caller, user, .. }: Subject<'_>, helps: bool) -> String {
    match helps {
        true => format!("`seatkeeper registration approve {user}` lets them in"),
        false if user == caller.login.name => caller.ask("to let you in"),
        false => caller.ask(&format!("to let {user} in")),
    }
}

/// Nobody accepts them for another.
fn terms(subject: Subject<'_>) -> String {
    match subject.user == subject.caller.login.name {
        true => "read them with `seatkeeper terms show`, then `seatkeeper terms accept`".to_owned(),
        false => format!(
            "{} reads and accepts them for themselves: `seatkeeper terms show`, `seatkeeper terms accept`",
            subject.user
        ),
    }
}

/// The permission without which nothing can be done about a denial.
pub(super) fn helped_by(code: Code) -> Permission {
    match code {
        Code::UserNotActive => Permission::UserManage,
        Code::NoSeatFree => Permission::SeatReclaim,
        Code::NotStarted => Permission::LicenseRead,
        _ => Permission::LicenseManageUsers,
    }
}

/// What an administrator can do.
fn to_do(denial: &Denial, subject: Subject<'_>) -> Option<String> {
    let license = denial.pool.as_ref().map(|pool| &*pool.license.id);
    match denial.code {
        Code::NotAssigned if denial.other_account => license.map(|id| {
            format!("a license for an account of {}: `seatkeeper license show {id}` tells whose this is; or `seatkeeper user move` into a unit of it", subject.user)
        }),
        Code::NotAssigned => license.map(|id| assign(id, subject.user)),
        Code::UserNotActive => Some(format!(
            "`seatkeeper user activate {}`, of a guest with `--until DAY` or `--for-good`",
            subject.user
        )),
        Code::Conflict if denial.rule == 20 => denial.assignment.map(|id| {
            format!("`seatkeeper license change {id}` changes them")
        }),
        Code::OverUserMax
        | Code::OverGroupMax
        | Code::OverUnitMax
        | Code::RequestExceedsTotal => denial.assignment.map(|id| {
            let flag = if denial.each { "--max-each" } else { "--max" };
            format!("`seatkeeper license change {id} {flag} {}=N`, `{flag} none` for no limit", feature(denial))
        }),
        Code::ReservedForOthers => denial.assignment.map(|id| {
            format!("`seatkeeper license change {id} --reserve {}=N` keeps fewer of them, `--reserve none` keeps none", feature(denial))
        }),
        Code::OverPromised => Some(
            "reserve less; `seatkeeper license assignments` shows what is reserved, and each max".to_owned(),
        ),
        Code::Excluded => denial.assignment.map(|id| {
            format!("`seatkeeper license change {id} --exclude none` lets in whom it covers")
        }),
        Code::UnknownUser => Some(makes_known(subject.user)),
        Code::NoSeatFree if denial.rule == 7 => Some(
            "`seatkeeper seat list` shows whose they are; `seatkeeper seat reclaim ID --owner` takes one from its owner".to_owned(),
        ),
        Code::NoSeatFree => Some(
            "`seatkeeper seat list` shows who holds them; `seatkeeper seat reclaim ID` takes one back".to_owned(),
        ),
        Code::NotStarted => Some(
            "nothing, if that day lies ahead: it begins by itself; is the clock right? `seatkeeper clock show`".to_owned(),
        ),
        _ => None,
    }
}

/// What everyone else can do: to them no command is named that would refuse them.
fn whom_to_ask(denial: &Denial, subject: Subject<'_>) -> Option<String> {
    let Subject {
        caller, user, what, ..
    } = subject;
    let license = denial.pool.as_ref().map(|pool| &*pool.license.id);
    let text = match denial.code {
        Code::NotLicensed | Code::UnknownFeature => caller.ask(&format!("for a license of {what}")),
        Code::NotAssigned if denial.other_account => {
            caller.ask(&format!("for a license of {what} for your account"))
        }
        Code::NotAssigned => caller.ask(&format!("for {}", assign(license?, user))),
        Code::UnknownUser => caller.ask(&format!("for {}", add(user))),
        Code::UserNotActive => match user == caller.login.name {
            true => caller.ask("to activate you"),
            false => caller.ask(&format!("to activate {user}")),
        },
        Code::OverUserMax | Code::OverGroupMax | Code::OverUnitMax => {
            format!("wait for one, or {}", caller.ask("for a higher limit"))
        }
        Code::RequestExceedsTotal if denial.assignment.is_some() => {
            format!(
                "ask for fewer seats, or {}",
                caller.ask("for a higher limit")
            )
        }
        Code::ReservedForOthers if denial.rule == 13 => {
            format!(
                "ask for fewer seats, or {}",
                caller.ask("whether so many are needed for others")
            )
        }
        Code::ReservedForOthers => {
            format!(
                "wait for one, or {}",
                caller.ask("to reserve a seat for you")
            )
        }
        Code::Excluded => caller.ask("why you are kept out"),
        Code::NoSeatFree if denial.rule == 7 => caller.ask("for a seat of your own"),
        Code::NoSeatFree => format!("wait for one, or {}", caller.ask("to take one back")),
        Code::StorageLow => format!("try again later, or {}", caller.ask("to free space")),
        Code::VersionTooNew => format!(
            "use a version that the license covers, or {}",
            caller.ask("for a renewal")
        ),
        Code::LicenseExpired | Code::RevokedLicense => caller.ask("for a renewal"),
        Code::NotStarted => caller.ask("whether the clock is right, if that day is past"),
        _ => return None,
    };
    Some(text)
}

fn assign(license: &str, user: &str) -> String {
    format!("`seatkeeper license assign {license} --user {user}`")
}

fn feature(denial: &Denial) -> &str {
    let pool = denial.pool.as_ref();
    pool.map_or("FEATURE", |pool| &pool.feature)
}

fn license_name(denial: &Denial) -> String {
    denial.pool.as_ref().map_or_else(
        || "the license".to_owned(),
        |pool| format!("license {}", pool.license.id),
    )
}

fn join(names: &[seatkeeper_engine::ids::Name]) -> String {
    names
        .iter()
        .map(|name| &**name)
        .collect::<Vec<_>>()
        .join(", ")
}
