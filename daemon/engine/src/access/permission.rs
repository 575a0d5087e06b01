//! The named permissions: what each verb of the API asks for.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;
use std::str::FromStr;

/// Where a permission comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Everybody has it whom the daemon knows by name: it reaches only what is theirs.
    Everyone,
    /// A role gives it, at a unit.
    Place,
    /// It is about the daemon: a role gives it at the root of the home account, and nowhere else.
    Daemon,
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $scope:ident;)*) => {
        /// A named right.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Permission {
            $($(#[$doc])* $variant,)*
        }

        impl Permission {
            /// All of them.
            pub const ALL: &'static [Permission] = &[$(Permission::$variant,)*];

            /// Its name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Permission::$variant => $text,)*
                }
            }

            /// Where it comes from.
            #[must_use]
            pub fn scope(self) -> Scope {
                match self {
                    $(Permission::$variant => Scope::$scope,)*
                }
            }
        }
    };
}

permissions! {
    /// Check out, renew and release one's own seats.
    SeatUse = "seat.use", Everyone;
    /// See one's own seats.
    SeatReadOwn = "seat.read_own", Everyone;
    /// Ask why for oneself.
    ExplainOwn = "explain.own", Everyone;
    /// See the licenses and pools that cover oneself, with their counts.
    PoolRead = "pool.read", Everyone;
    /// See the trusted vendors.
    VendorRead = "vendor.read", Everyone;
    /// See which roles there are.
    RoleRead = "role.read", Everyone;
    /// Ask to come in.
    RegistrationMake = "registration.make", Everyone;
    /// See status.
    StatusRead = "status.read", Everyone;
    /// Read the terms of service, and accept them for oneself.
    TermsAccept = "terms.accept", Everyone;
    /// See accounts and units.
    UnitRead = "unit.read", Place;
    /// Make, change and take away accounts and units.
    UnitManage = "unit.manage", Place;
    /// See groups and who is in them.
    GroupRead = "group.read", Place;
    /// Make, change and take away groups, and say who is in them.
    GroupManage = "group.manage", Place;
    /// See users.
    UserRead = "user.read", Place;
    /// Make, place, change and take away users.
    UserManage = "user.manage", Place;
    /// Give and take roles, none that reaches further than one's own.
    RoleGive = "role.give", Place;
    /// See the licenses of an account with their customers, and all their pools.
    LicenseRead = "license.read", Place;
    /// Install and verify license files for an account, and make license requests.
    LicenseInstall = "license.install", Place;
    /// Take licenses away.
    LicenseRemove = "license.remove", Place;
    /// See, make, change and take away assignments (L4).
    LicenseManageUsers = "license.manage_users", Place;
    /// See everyone's seats.
    SeatRead = "seat.read", Place;
    /// Take a seat back.
    SeatReclaim = "seat.reclaim", Place;
    /// Ask why for others.
    ExplainOthers = "explain.others", Place;
    /// Trust a vendor.
    VendorTrust = "vendor.trust", Daemon;
    /// Take one away.
    VendorRemove = "vendor.remove", Daemon;
    /// Make accounts, and say who manages them.
    AccountManage = "account.manage", Daemon;
    /// Say what roles are made of.
    RoleDefine = "role.define", Daemon;
    /// See events, denials and the audit log.
    AuditRead = "audit.read", Daemon;
    /// Have the site key sign where the journal stands.
    AuditAnchor = "audit.anchor", Daemon;
    /// See the public site key.
    SiteKeyRead = "site_key.read", Daemon;
    /// Export the site key.
    SiteKeyExport = "site_key.export", Daemon;
    /// Bring a delegation that the site key signed elsewhere.
    SiteKeyDelegate = "site_key.delegate", Daemon;
    /// Publish terms of service, which everyone is asked to accept.
    TermsPublish = "terms.publish", Daemon;
    /// Put the time of dates back to the wall clock.
    ClockAccept = "clock.accept", Daemon;
    /// See what wants doing, metrics and configuration.
    Operate = "daemon.operate", Daemon;
}

/// A text that names no permission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownPermission;

impl Permission {
    /// It only shows, and changes nothing.
    #[must_use]
    pub fn shows(self) -> bool {
        matches!(
            self,
            Permission::UnitRead
                | Permission::GroupRead
                | Permission::UserRead
                | Permission::LicenseRead
                | Permission::SeatRead
                | Permission::ExplainOthers
        )
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for UnknownPermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the name of a permission")
    }
}

impl std::error::Error for UnknownPermission {}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        let known = Permission::ALL.iter().find(|one| one.as_str() == text);
        known.copied().ok_or(UnknownPermission)
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(D::Error::custom)
    }
}
