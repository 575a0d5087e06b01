//! Denials in one place: a denial of the rules or a failure of the keeper becomes a problem document that says what, why
//! and what to do next.

mod words;

use super::users::{add, makes_known};
use crate::authorize::{Caller, Permission};
use crate::keeper::{Failure, Snapshot};
use crate::problem::{Refused, problem};
use seatkeeper::wire;
use seatkeeper_engine::denial::{Code, Denial};
use seatkeeper_engine::ids::PoolId;
use seatkeeper_engine::state::{User, UserStatus};
use std::borrow::Cow;
use words::{detail, sentence};

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
