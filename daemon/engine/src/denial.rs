//! A lawful no: its code, the rule that decided and what the asker can be told.

use crate::ids::{AssignmentId, PoolId, UserId};
use crate::time::{Date, LeaseTime};

/// Why not. The names on the wire are the same in lower snake case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)] // Each is explained to people in the SDK's wire::Code.
pub enum Code {
    NotLicensed,
    UnknownFeature,
    WrongVendor,
    NotStarted,
    LicenseExpired,
    RevokedLicense,
    VersionTooNew,
    NotAssigned,
    UnknownUser,
    UserNotActive,
    Excluded,
    TermsNotAccepted,
    RequestExceedsTotal,
    StorageLow,
    Quarantine,
    CoolDown,
    OverUserMax,
    OverGroupMax,
    OverUnitMax,
    ReservedForOthers,
    NoSeatFree,
    LeaseEnded,
    LeaseLapsed,
    Superseded,
    UnknownLease,
    Conflict,
    BadRequest,
    Forbidden,
    NotFound,
    WrongRevision,
    NameTaken,
    NotEmpty,
    Cycle,
    OneLine,
    MixedKinds,
    LastUnit,
    LastAdministrator,
    OverPromised,
    TooSoon,
    TooManyRegistrations,
    CodeNotValid,
    ServerBusy,
}

/// A denial.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denial {
    /// Why.
    pub code: Code,
    /// The rule that decided (rules.md).
    pub rule: u8,
    /// The pool that got furthest (rule 22), where one was looked at.
    pub pool: Option<PoolId>,
    /// The assignment that decided, where one did.
    pub assignment: Option<AssignmentId>,
    /// Slots in use in that pool; of a limit that decided, the seats that count for it.
    pub in_use: Option<u64>,
    /// Its seats, or the limit; `None` too where unlimited.
    pub total: Option<u64>,
    /// Of those seats, what is reserved for others (rule 11).
    pub reserved: Option<u64>,
    /// The limit that was passed (version, seats, serial), as text.
    pub limit: Option<String>,
    /// That limit is of each user by themselves (`max_each`), not of all together (rule 10).
    pub each: bool,
    /// The date that decided (`nbf`, `exp`).
    pub date: Option<Date>,
    /// Lease time at which asking again can help.
    pub retry_at: Option<LeaseTime>,
    /// Thumbprints of the vendor roots concerned (`wrong_vendor`).
    pub roots: Vec<crate::ids::Name>,
    /// The license of that pool is installed for an account that the user is not in: none of theirs got as far.
    pub other_account: bool,
    /// Users who stand against a change of the directory (rule 1), or who is not active where somebody asks for them.
    pub users: Vec<UserId>,
}

impl Denial {
    /// A denial with nothing to add to code and rule.
    #[must_use]
    pub fn new(code: Code, rule: u8) -> Self {
        Denial {
            code,
            rule,
            pool: None,
            assignment: None,
            in_use: None,
            total: None,
            reserved: None,
            limit: None,
            each: false,
            date: None,
            retry_at: None,
            roots: Vec::new(),
            other_account: false,
            users: Vec::new(),
        }
    }
}

/// One step of a judgement, as `why` shows it (rule 22).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The pool that was judged, where the step concerns one.
    pub pool: Option<PoolId>,
    /// The rule applied.
    pub rule: u8,
    /// `None`: passed.
    pub denied: Option<Code>,
    /// The assignment that gives the right, where the step is about that.
    pub assignment: Option<AssignmentId>,
    /// What was compared, in a short sentence.
    pub text: String,
}

impl Step {
    /// One that was passed.
    pub(crate) fn ok(pool: Option<&PoolId>, rule: u8, text: String) -> Step {
        Step {
            pool: pool.cloned(),
            rule,
            denied: None,
            assignment: None,
            text,
        }
    }

    /// One that was not.
    pub(crate) fn no(pool: Option<&PoolId>, rule: u8, code: Code, text: String) -> Step {
        Step {
            pool: pool.cloned(),
            rule,
            denied: Some(code),
            assignment: None,
            text,
        }
    }
}

/// Collects the steps of a judgement; `()` collects nothing and costs nothing.
pub trait Trace {
    /// Notes a step; `make` is not called where nobody listens.
    fn step(&mut self, make: impl FnOnce() -> Step);
}

impl Trace for () {
    fn step(&mut self, _make: impl FnOnce() -> Step) {}
}

impl Trace for Vec<Step> {
    fn step(&mut self, make: impl FnOnce() -> Step) {
        self.push(make());
    }
}

/// No id is ever given twice: a seat that is held still, and what the audit log tells of the one that is gone, would be the
/// other's.
pub(crate) fn never_again(gone: bool, what: &str) -> Result<(), Denial> {
    if !gone {
        return Ok(());
    }
    Err(Denial {
        limit: Some(format!("{what} of this id was taken away")),
        ..Denial::new(Code::Conflict, 20)
    })
}

/// What stands against taking a unit away, as `limit` of a `not_empty` says it.
pub mod in_it {
    /// The site itself.
    pub const HOME: &str = "it is the home account";
    /// Units below.
    pub const UNITS: &str = "units are below it";
    /// Users.
    pub const USERS: &str = "users are in it";
    /// Groups.
    pub const GROUPS: &str = "groups belong to it";
    /// Roles that are given there.
    pub const ROLES: &str = "somebody has a role at it";
    /// Assignments.
    pub const ASSIGNMENTS: &str = "licenses are assigned to it";
    /// Accounts that it manages.
    pub const ACCOUNTS: &str = "accounts are managed by it";
    /// Licenses of the account.
    pub const LICENSES: &str = "licenses are installed for it";
}
