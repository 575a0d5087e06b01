//! Who asks, and whether they may: every handler calls the one [`authorize`].
//!
//! Roles come with the directory. Until then there are two kinds of callers: those who administer this daemon
//! (uid 0 and the members of its group), and everyone else, who sees what is theirs.

use crate::login::Login;
use crate::problem::problem;
use seatkeeper::wire::{Code, Problem};
use seatkeeper_engine::Actor;
use seatkeeper_engine::command::Pid;
use seatkeeper_engine::ids::{MachineId, Name, UnitId, UserId};
use std::sync::Arc;

/// A local caller, as the kernel named them (S16). Nothing in it comes from a request but the trace id.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The uid of the accepted connection.
    pub uid: u32,
    /// The name that the machine gives this uid.
    pub login: Arc<Login>,
    /// The machine whose kernel named it.
    pub attested_by: MachineId,
    /// The process at the other end, where the kernel tells.
    pub pid: Option<Pid>,
    /// The caller administers this daemon.
    pub administers: bool,
    /// Who does, in words.
    pub administrators: Name,
    /// The unit that their rights are bound to.
    pub unit: UnitId,
    /// The exchange, as in `x-trace-id` and in the journal.
    pub trace: Option<Name>,
}

/// A named right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permission {
    /// Check out, renew and release one's own seats.
    SeatUse,
    /// See one's own seats.
    SeatReadOwn,
    /// See everyone's.
    SeatRead,
    /// Take a grant back.
    SeatReclaim,
    /// Ask why for oneself.
    ExplainOwn,
    /// Ask why for others.
    ExplainOthers,
    /// See pools and their counts.
    PoolRead,
    /// See the trusted vendors.
    VendorRead,
    /// Trust one.
    VendorTrust,
    /// Take one away.
    VendorRemove,
    /// See the installed licenses with their customers.
    LicenseRead,
    /// Install and verify license files, and make license requests.
    LicenseInstall,
    /// Take licenses away.
    LicenseRemove,
    /// Assign and unassign (L4).
    LicenseManageUsers,
    /// See accounts and units.
    UnitRead,
    /// Make, change and take away accounts and units.
    UnitManage,
    /// See groups and who is in them.
    GroupRead,
    /// Make, change and take away groups, and say who is in them.
    GroupManage,
    /// See users.
    UserRead,
    /// Make, place, change and take away users.
    UserManage,
    /// See the public site key.
    SiteKeyRead,
    /// Export the site key.
    SiteKeyExport,
    /// Bring a delegation that the site key signed elsewhere.
    SiteKeyDelegate,
    /// See events, denials and the audit log.
    AuditRead,
    /// Have the site key sign where the journal stands.
    AuditAnchor,
    /// See status.
    StatusRead,
    /// Put the time of dates back to the wall clock.
    ClockAccept,
    /// See what wants doing, metrics and configuration.
    Operate,
}

impl Permission {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Permission::SeatUse => "seat.use",
            Permission::SeatReadOwn => "seat.read_own",
            Permission::SeatRead => "seat.read",
            Permission::SeatReclaim => "seat.reclaim",
            Permission::ExplainOwn => "explain.own",
            Permission::ExplainOthers => "explain.others",
            Permission::PoolRead => "pool.read",
            Permission::VendorRead => "vendor.read",
            Permission::VendorTrust => "vendor.trust",
            Permission::VendorRemove => "vendor.remove",
            Permission::LicenseRead => "license.read",
            Permission::LicenseInstall => "license.install",
            Permission::LicenseRemove => "license.remove",
            Permission::LicenseManageUsers => "license.manage_users",
            Permission::UnitRead => "unit.read",
            Permission::UnitManage => "unit.manage",
            Permission::GroupRead => "group.read",
            Permission::GroupManage => "group.manage",
            Permission::UserRead => "user.read",
            Permission::UserManage => "user.manage",
            Permission::SiteKeyRead => "site_key.read",
            Permission::SiteKeyExport => "site_key.export",
            Permission::SiteKeyDelegate => "site_key.delegate",
            Permission::AuditRead => "audit.read",
            Permission::AuditAnchor => "audit.anchor",
            Permission::StatusRead => "status.read",
            Permission::ClockAccept => "clock.accept",
            Permission::Operate => "daemon.operate",
        }
    }

    /// What everyone may who has a login on this machine.
    #[must_use]
    pub fn of_everyone(self) -> bool {
        matches!(
            self,
            Permission::SeatUse
                | Permission::SeatReadOwn
                | Permission::ExplainOwn
                | Permission::PoolRead
                | Permission::VendorRead
                | Permission::StatusRead
        )
    }
}

/// Whether a caller has a permission on what belongs to a unit.
pub fn may(caller: &Caller, permission: Permission, unit: UnitId) -> bool {
    caller.unit == unit && (caller.administers || permission.of_everyone())
}

/// Refuses unless the caller has the permission on what belongs to this unit.
///
/// # Errors
/// `forbidden`, with the permission that is missing.
pub fn authorize(
    caller: &Caller,
    permission: Permission,
    unit: UnitId,
) -> Result<(), Box<Problem>> {
    if may(caller, permission, unit) {
        return Ok(());
    }
    let mut refused = problem(
        Code::Forbidden,
        format!(
            "{} lacks the permission {}",
            caller.login.name,
            permission.as_str()
        ),
    );
    refused.hint = caller.ask("to do it");
    Err(refused)
}

impl Caller {
    /// The next step of someone who may not take it: whom to ask.
    #[must_use]
    pub fn ask(&self, what: &str) -> String {
        format!(
            "ask an administrator of this daemon {what}: {}",
            self.administrators
        )
    }

    /// The caller as the journal names them.
    #[must_use]
    pub fn actor(&self, user: Option<UserId>) -> Actor {
        Actor::Local {
            uid: self.uid,
            user,
            attested_by: self.attested_by,
        }
    }
}
