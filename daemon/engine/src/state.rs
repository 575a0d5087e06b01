//! What the engine knows: the fold of recorded events, held in persistent maps so that a snapshot is a cheap clone.
//!
//! Everything marked *fleeting* is left out of the state's hash and of checkpoints.

mod assignment;
mod credentials;
mod directory;
mod pairs;
mod registration;
mod run;
mod service;
mod terms;
mod unit;

pub use assignment::{Assignment, AssignmentTerms, Covers, Limit, Target};
pub use credentials::{
    BEARERS_MOST, BOUND_MOST, Bearer, BearerKind, Code, Credentials, Personal, Purpose, Reset,
    SESSION_MS, SESSIONS_MOST,
};
pub(crate) use directory::Below;
pub use directory::{Account, AccountKind, Group, OrgUnit, Place, UserStatus, Within};
pub use registration::{DOMAINS_MOST, MailAddress, REGISTRATIONS_MOST, Registration, Way};
pub use run::{PastRun, Quarantine, Run};
pub use service::{ServiceTerms, TERMS_MOST};
pub use terms::{CountingUnit, Feature, LicenseTerms, Model};
pub use unit::Unit;

use crate::access::{Given, Role};
use crate::command::{IssuerSeen, Signed};
use crate::covering::Stands;
use crate::dates::Accepts;
use crate::event::{EndWhy, EndingWhy, HolderFacts};
use crate::ids::{
    AssignmentId, CheckoutId, Gid, GroupId, HolderId, LicenseId, LoginHash, MachineId, Name,
    NameHash, PoolId, RunId, TokenHash, UnitId, UserId,
};
use crate::limits::Charged;
use crate::reserves::Reserved;
use crate::seats::Owners;
use crate::time::{Date, LeaseTime, hold_ms};
use imbl::{OrdMap, OrdSet, Vector};
use serde::{Deserialize, Serialize, Serializer};
use std::sync::Arc;

/// The recorded state, with the fleeting ends of holds inside its pools.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Events folded so far: the revision of what an event changes is its number.
    pub events: u64,
    /// Number of the event that last changed what anyone may.
    #[serde(default)]
    pub rights: u64,
    /// The site, once founded.
    pub site: Option<Site>,
    /// The present run; epoch 0 before the first start.
    pub run: Run,
    /// Runs before it, and those that shown leases told of (rule 21).
    pub runs: OrdMap<RunId, PastRun>,
    /// Nothing new is granted for a while (rule 21).
    pub quarantine: Option<Quarantine>,
    /// The longest ttl + grace of any serial that a pool has known, in milliseconds (rule 21).
    pub longest_ms: u64,
    /// Trusted vendors.
    pub vendors: OrdMap<Name, Vendor>,
    /// The newest issuer token seen of each root, by the root's thumbprint.
    pub issuers: OrdMap<Name, Arc<IssuerSeen>>,
    /// The newest `iat` of any vendor token seen: J is never below it.
    pub newest_iat: Date,
    /// How often J was put back nevertheless.
    #[serde(default)]
    pub clock: Accepts,
    /// Licenses in force.
    #[serde(with = "pairs")]
    pub licenses: OrdMap<LicenseId, Arc<License>>,
    /// Licenses that wait for their first day, by id and serial (rule 17).
    #[serde(default, with = "pairs")]
    pub waiting: OrdMap<(LicenseId, u64), Arc<License>>,
    /// Licenses that an administrator took away, by id and serial; true where the serial was in force. An inbox does not
    /// bring them back, and nothing lower than one that was in force is installed (rule 17).
    #[serde(default, with = "pairs")]
    pub removed: OrdMap<(LicenseId, u64), bool>,
    /// Roots of vendors that an administrator took away: an inbox does not bring them back.
    #[serde(default)]
    pub distrusted: OrdSet<Name>,
    /// Pools by product and feature, in the order of their ids.
    #[serde(with = "pairs")]
    pub features: OrdMap<(Name, Name), OrdSet<PoolId>>,
    /// The pools.
    #[serde(with = "pairs")]
    pub pools: OrdMap<PoolId, Pool>,
    /// The accounts that licenses of a vendor for this customer id were installed for (rule 1).
    #[serde(default, with = "pairs")]
    pub customers: OrdMap<(Name, Name), UnitId>,
    /// Assignments.
    pub assignments: OrdMap<AssignmentId, Arc<Assignment>>,
    /// Accounts and the units below them.
    #[serde(default)]
    pub units: OrdMap<UnitId, Arc<OrgUnit>>,
    /// Units by the unit above (none above an account) and their name.
    #[serde(default, with = "pairs")]
    pub unit_names: OrdMap<(Option<UnitId>, NameHash), UnitId>,
    /// Groups.
    #[serde(default)]
    pub groups: OrdMap<GroupId, Arc<Group>>,
    /// Groups by name.
    #[serde(default)]
    pub group_names: OrdMap<NameHash, GroupId>,
    /// Groups that were taken away: who was in one has its id still, which no other group may get.
    #[serde(default)]
    pub gone_groups: OrdSet<GroupId>,
    /// Users who were taken away: an id is nobody else's, ever.
    #[serde(default)]
    pub gone_users: OrdSet<UserId>,
    /// Accounts and units that were taken away, whose ids are no other's either.
    #[serde(default)]
    pub gone_units: OrdSet<UnitId>,
    /// Assignments that were taken away, with what they were of and for: the audit log names them by id, which no other gets.
    #[serde(default)]
    pub gone_assignments: OrdMap<AssignmentId, (LicenseId, Target)>,
    /// Users with more than one unit: a move must not bring two of them into one line (rule 1).
    #[serde(default)]
    pub several: OrdSet<UserId>,
    /// Roles that this site defines, and usual ones that it changed.
    #[serde(default)]
    pub roles: OrdMap<Name, Arc<Role>>,
    /// Users.
    pub users: OrdMap<UserId, Arc<User>>,
    /// Users by login.
    pub logins: OrdMap<LoginHash, UserId>,
    /// Users who asked to come in, and wait for an answer (rule 1).
    #[serde(default)]
    pub registrations: OrdMap<UserId, Arc<Registration>>,
    /// The domains, by account, that it lets in by itself.
    #[serde(default)]
    pub approved_domains: OrdMap<UnitId, OrdSet<NameHash>>,
    /// Terms of service that were published, by number; those of the highest are in force (B15).
    #[serde(default)]
    pub terms: OrdMap<u32, Arc<ServiceTerms>>,
    /// The number of the terms that a user accepted last.
    #[serde(default)]
    pub accepted_terms: OrdMap<UserId, u32>,
    /// Who is signed in as whom, and by what they prove it.
    #[serde(default)]
    pub credentials: Credentials,
    /// The pool of each live or ending grant: what the pools say, found by the grant. No checkpoint has it.
    #[serde(skip)]
    pub grants: OrdMap<Gid, Arc<PoolId>>,
    /// Who is covered by which assignment, by license.
    #[serde(with = "pairs")]
    pub covers: OrdMap<LicenseId, Covers>,
    /// Licenses whose place another one took by `replaces`.
    #[serde(with = "pairs")]
    pub replaced: OrdMap<LicenseId, LicenseId>,
    /// Tokens of every license that was in force, by the license token's hash: an old one may sign a `last` (rule 16).
    pub tokens: OrdMap<TokenHash, Arc<Tokens>>,
    /// Ends of cool-downs by user, machine, product and feature (rule 16).
    #[serde(with = "pairs")]
    pub cool_downs: OrdMap<(UserId, MachineId, Name, Name), LeaseTime>,
    /// Ends of holds that a clean stop recorded, for the next start (rule 19), in the order of their ids.
    pub stopped: Arc<[(HolderId, LeaseTime)]>,
    /// Ended checkouts and holders of the last 15 minutes, oldest first, 262,144 at most (rule 20).
    pub ended: Vector<Ended>,
    /// How often the directory, an assignment or a license changed: what counts for a limit is counted anew, and who keeps a
    /// seat is looked at again (fleeting).
    #[serde(skip)]
    pub places: u64,
    /// How often whom an assignment covers changed otherwise than by a unit that moved or by users who are named: where users
    /// stand among limits is looked up anew (fleeting).
    #[serde(skip)]
    pub stands: u64,
    /// How often a seat lost its place in the license in force or had it again, or a limit came or went: the seats of users
    /// are counted anew (fleeting).
    #[serde(skip)]
    pub displaced: u64,
    /// Free space is below `disk_reserve`: nothing new is granted (fleeting).
    #[serde(skip)]
    pub storage_low: bool,
}

/// This installation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Site {
    /// The home account's root unit.
    pub unit: UnitId,
    /// This machine.
    pub machine: MachineId,
}

/// A vendor that this site trusts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Vendor {
    /// Root keys: thumbprint and PEM.
    pub roots: OrdMap<Name, Name>,
    /// Number of the event that last changed it.
    pub revision: u64,
}

/// A user. Names live in the side store.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct User {
    /// Keyed hashes of the logins, ascending. Nearly everyone has one.
    pub logins: Vec<LoginHash>,
    /// A mail address that they told when they asked to come in, and that nobody has shown to be theirs: it is no login.
    #[serde(default)]
    pub claimed: Option<LoginHash>,
    /// The units that they were placed in, ascending; none where they were made at first sight and stay at home.
    #[serde(default)]
    pub units: Vec<UnitId>,
    /// The groups that hold them, ascending.
    #[serde(default)]
    pub groups: Vec<GroupId>,
    /// Whether they may sit at all.
    #[serde(default)]
    pub status: UserStatus,
    /// A guest, until this date.
    #[serde(default)]
    pub until: Option<Date>,
    /// The roles that they were given, ascending.
    #[serde(default)]
    pub roles: Vec<Given>,
    /// Number of the event that last changed it.
    pub revision: u64,
}

/// An installed license.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct License {
    /// What the vendor signed.
    pub terms: LicenseTerms,
    /// The account that it is installed for; none is the home account.
    #[serde(default)]
    pub account: Option<UnitId>,
    /// When it came in.
    pub installed: LeaseTime,
    /// Number of the event that last changed it.
    pub revision: u64,
}

/// A license token with the issuer token above it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tokens {
    /// The license.
    pub license: LicenseId,
    /// The license token.
    pub token: Name,
    /// The issuer token.
    pub issuer: Name,
}

impl State {
    /// The terms in force of a pool's feature.
    #[must_use]
    pub fn feature(&self, pool: &PoolId) -> Option<&Arc<Feature>> {
        self.pools.get(pool)?.feature.as_ref()
    }

    /// Lists the grants of all pools, where the state comes from a checkpoint.
    pub(crate) fn list_grants(&mut self) {
        let pools = self.pools.values();
        self.grants = pools
            .flat_map(|pool| pool.grants.keys().map(move |gid| (*gid, pool.id.clone())))
            .collect();
    }

    /// The pools of a feature, in the order of their ids: what a checkout may get seats of.
    pub(crate) fn pools_for(
        &self,
        product: &Name,
        feature: &Name,
    ) -> impl Iterator<Item = &PoolId> {
        let key = (product.clone(), feature.clone());
        self.features.get(&key).into_iter().flatten()
    }
}

impl Pool {
    /// The grants that a unit may join or wake, lowest gid first.
    pub(crate) fn of_unit(&self, unit: Unit) -> impl Iterator<Item = (Gid, &Arc<Grant>)> {
        let short = unit.short();
        let lowest = Gid { epoch: 0, n: 0 };
        let found = self.units.range((short, lowest)..);
        found
            .take_while(move |(of, _)| *of == short)
            .filter_map(|(_, gid)| Some((*gid, self.grants.get(gid)?)))
            .filter(move |(_, grant)| grant.unit == unit)
    }
}

/// A pool: all that a judgement reads of it is in this one value.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Pool {
    /// Its id, shared by all that name it.
    pub id: Arc<PoolId>,
    /// The terms in force; `None` where the license in force no longer has the feature.
    pub feature: Option<Arc<Feature>>,
    /// Ttl + grace in milliseconds of every serial in force, with the moment since when (rules 19, 21).
    pub terms_ms: Vector<(LeaseTime, u64)>,
    /// Live and ending grants.
    pub grants: OrdMap<Gid, Arc<Grant>>,
    /// Live grants by the short form of their unit.
    pub units: OrdSet<(u64, Gid)>,
    /// The version that the newest holder asked for: most ask for the same, and share its text.
    #[serde(skip)]
    pub version: Option<Name>,
    /// Free slots below `high`.
    pub freed: OrdSet<u64>,
    /// Slots from here on were never taken.
    pub high: u64,
    /// Slots in use below `seats`.
    pub used: u64,
    /// Slots in use at and above `seats`.
    pub above: u64,
    /// Seats by user and limit, where a limit asks (fleeting).
    #[serde(skip)]
    pub charged: Charged,
    /// What is reserved and filled, where an assignment reserves (fleeting).
    #[serde(skip)]
    pub reserved: Option<Arc<Reserved>>,
    /// Where those stand whom limits and reserves count (fleeting).
    #[serde(skip)]
    pub stands: Option<Arc<Stands>>,
    /// When the rights of whom seats are kept for were judged (fleeting).
    #[serde(skip)]
    pub owners: Owners,
}

/// One occupation of slots by a counting unit. Its size, slots and pool never change (rule 5).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Grant {
    /// The unit that holds it.
    pub unit: Unit,
    /// The user that it is charged to.
    pub user: UserId,
    /// Its slots, ascending.
    pub slots: Slots,
    /// Its holders by number, oldest first; none where it is kept for its unit (rule 7).
    pub holders: Vec<Holder>,
    /// The number that the next holder gets.
    pub next_h: u32,
    /// When it opened.
    pub since: LeaseTime,
    /// Nobody joins it, and it ends with its holders: its feature changed how seats are owned or counted (rule 17), or a
    /// named one was taken from its unit or superseded (rule 7).
    #[serde(default)]
    pub closed: bool,
    /// A holder has called since the daemon started (fleeting).
    #[serde(skip)]
    pub called: bool,
}

/// The slots of a grant: a list of numbers. Nearly every grant has one, which needs no memory of its own.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(from = "Vec<u64>")]
pub enum Slots {
    /// The only one.
    One(u64),
    /// Any other number of them.
    Many(Box<[u64]>),
}

impl std::ops::Deref for Slots {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        match self {
            Slots::One(slot) => std::slice::from_ref(slot),
            Slots::Many(slots) => slots,
        }
    }
}

impl From<Vec<u64>> for Slots {
    fn from(slots: Vec<u64>) -> Self {
        match slots[..] {
            [one] => Slots::One(one),
            _ => Slots::Many(slots.into()),
        }
    }
}

impl Serialize for Slots {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

/// One checkout of a process that sits under a grant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Holder {
    /// Its number in the grant.
    pub h: u32,
    /// What its checkout fixed.
    pub facts: Arc<HolderFacts>,
    /// When it sat down.
    pub since: LeaseTime,
    /// Where it is on its way out.
    pub ending: Option<Box<Ending>>,
    /// The run and the holder whose lease it showed, where its seat was adopted (rule 21).
    pub adopted: Option<Box<(RunId, HolderId)>>,
    /// The end of its hold (fleeting; a restart sets it by rule 19).
    #[serde(skip)]
    pub until: LeaseTime,
}

impl Holder {
    /// How it is on its way out, where it is.
    #[must_use]
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_deref()
    }

    /// The latest end of its hold: the present one, or that of a last lease signed at its very end.
    #[must_use]
    pub fn latest_end(&self) -> LeaseTime {
        match self.ending() {
            Some(ending) if !ending.hard && ending.last.is_none() => {
                self.until + hold_ms(ending.save_s * 1000)
            }
            _ => self.until,
        }
    }

    /// It is not ending for good: not at all, or by a loss of right that can still be taken back (rule 16).
    #[must_use]
    pub fn stays(&self) -> bool {
        self.ending.as_ref().is_none_or(|ending| ending.returns())
    }
}

/// A holder on its way out (rule 16).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ending {
    /// Why.
    pub why: EndingWhy,
    /// It gets no `last`.
    pub hard: bool,
    /// The license in force has no place for it, whatever it ends for: it counts for no limit (rule 17).
    pub superseded: bool,
    /// The end that its `last` names, once signed.
    pub last: Option<LeaseTime>,
    /// The license in force when it began to end: it signs the `last`, a superseding one does not.
    pub signed: Signed,
    /// The end of that license: no lease that names it passes this date.
    pub exp: Option<Date>,
    /// Its time to save.
    pub save_s: u64,
    /// Its pause after a reclaim.
    pub cool_down_s: u64,
    /// The policies that its user had when it began to end: those of the last lease.
    #[serde(default)]
    pub policies: Vec<Name>,
}

impl Ending {
    /// It ends if the right returns: by loss of right, not hard, and no `last` was signed (rule 16).
    #[must_use]
    pub fn returns(&self) -> bool {
        self.why == EndingWhy::RightLost && !self.hard && self.last.is_none()
    }
}

/// A checkout that is over, remembered for 15 minutes (rule 20).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: LeaseTime,
    /// Scope of the checkout id: machine and credential.
    pub machine: MachineId,
    /// The credential.
    pub uid: u32,
    /// The checkout.
    pub checkout_id: CheckoutId,
    /// The holder that it made, if it made one, and why that ended.
    pub holder: Option<(HolderId, EndWhy)>,
}
