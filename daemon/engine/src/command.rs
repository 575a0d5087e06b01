//! What can be asked of the engine. A command is parsed and complete: nothing in it is left to validate but the rules.

mod access;
mod credentials;
mod directory;
mod registration;

pub use access::Access;
pub use credentials::{Credential, SignsIn};
pub use directory::{Arrange, MoveTo, NewAccount, UnitChange};
pub use registration::{Admission, Register, Want};

use crate::ids::{
    AssignmentId, BearerId, BootId, CheckoutId, CheckpointHash, Gid, HolderId, InstanceId,
    LicenseId, LoginHash, MachineId, Name, RunId, TextHash, TokenHash, UnitId, UserId,
};
use crate::state::{AssignmentTerms, LicenseTerms, Target};
use crate::time::Date;
use serde::{Deserialize, Serialize};
use std::num::{NonZeroU32, NonZeroU64};

/// A command with the one who gave it, as the journal will name them.
#[derive(Clone, Debug)]
pub struct Order {
    /// Who asks.
    pub actor: Actor,
    /// Where it came in.
    pub origin: Origin,
    /// What is asked.
    pub command: Command,
}

/// Who caused an event. Kernel-verified; never taken from a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The daemon itself: deadlines, starts, inboxes.
    Daemon,
    /// A local account that the directory knows as this user, or does not know.
    Local {
        /// The uid on the machine that attests it.
        uid: u32,
        /// The person, where known.
        user: Option<UserId>,
        /// The machine whose kernel named the uid.
        attested_by: MachineId,
        /// The account for which they acted, being of the one that manages it (rule 1).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        acting_for: Option<UnitId>,
        /// The token that stood for them, where one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<BearerId>,
        /// The session in which they were they, where it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<BearerId>,
    },
}

/// Where a command came in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The API on the unix socket.
    Socket,
    /// `licenses.d` or `vendors.d`.
    Inbox,
    /// A start or stop of the daemon.
    Run,
    /// A deadline, a tick, the process watch.
    Watch,
}

/// The asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// A change by somebody who was judged by rights of this age: refused where anyone's changed since (S11).
    Judged {
        /// Number of the event that last changed anyone's.
        rights: u64,
        /// The change.
        command: Box<Command>,
    },
    /// The first start: names the home account's root unit and this machine.
    FoundSite {
        /// The home account's root unit; everyone on this site is below it.
        unit: UnitId,
        /// This machine.
        machine: MachineId,
    },
    /// A start: takes the next epoch.
    StartRun {
        /// Random.
        run: RunId,
    },
    /// The state was lost, and its site key is in use again: leases may be out that nobody knows (rule 21).
    BeginQuarantine,
    /// A clean stop: records the ends of holds (rule 19).
    StopRun,
    /// Notes that a checkpoint was written: the state before the event of this number.
    NoteCheckpoint {
        /// The first event that is not in it.
        number: u64,
        /// Of its file.
        hash: CheckpointHash,
    },
    /// Notes that the events below this number leave the journal.
    NotePruning {
        /// The first event that stays.
        before: u64,
    },
    /// Ends what is due. The keeper gives it before each batch and at each deadline.
    Expire,
    /// Forgets pauses that are over, and puts licenses in force whose first day has come (rule 17): at least once a
    /// minute, and when J made a leap.
    Tick,
    /// Puts J back to the wall clock, never below the newest vendor `iat` (`clock accept`).
    AcceptClock {
        /// The wall clock.
        wall: Date,
        /// Refused unless the clock was last accepted under this revision.
        if_match: Option<u64>,
    },
    /// Adds a vendor or roots to one. A root belongs to one vendor.
    TrustVendor {
        /// The vendor's name.
        vendor: Name,
        /// Thumbprints (RFC 7638) and PEM texts of its root keys.
        roots: Vec<(Name, Name)>,
    },
    /// Takes a vendor away, while no license of theirs is installed.
    RemoveVendor {
        /// The vendor's name.
        vendor: Name,
        /// Refused unless the vendor still has this revision.
        if_match: Option<u64>,
    },
    /// Remembers the newest issuer token of a root.
    SeeIssuer(Box<IssuerSeen>),
    /// Installs a verified license: in force at once, or waiting for its first day.
    InstallLicense {
        /// The verified license.
        terms: Box<LicenseTerms>,
        /// The account that it is for; where none is named, that of an earlier license for the same customer, else the
        /// home account (rule 1).
        account: Option<UnitId>,
        /// Assign it to everyone under this id, unless it is assigned to everyone already.
        assign_everyone: Option<AssignmentId>,
        /// A known, lower or removed serial is noted (inbox), not refused.
        note_known: bool,
    },
    /// Installs a verified license for an account that is made for it, where its customer has none yet (rule 1).
    InstallForNew {
        /// The verified license.
        terms: Box<LicenseTerms>,
        /// The account.
        account: NewAccount,
        /// Assign it to everyone under this id, unless it is assigned to everyone already.
        assign_everyone: Option<AssignmentId>,
        /// A known, lower or removed serial is noted, not refused.
        note_known: bool,
    },
    /// Takes a license away: its holders are ending as by loss of right (rule 17).
    RemoveLicense {
        /// The license.
        license: LicenseId,
        /// Only this serial, which waits for its first day.
        waiting: Option<u64>,
        /// Its holders get no `last`.
        hard: bool,
        /// Refused unless what is taken away still has this revision.
        if_match: Option<u64>,
    },
    /// Makes an assignment. The same id and body is the same assignment.
    Assign {
        /// Brought by the caller (rule 20).
        id: AssignmentId,
        /// The license.
        license: LicenseId,
        /// To whom.
        target: Target,
        /// What it gives and withholds.
        terms: AssignmentTerms,
    },
    /// Changes what an assignment gives and withholds.
    ChangeAssignment {
        /// The assignment.
        id: AssignmentId,
        /// What it gives and withholds.
        terms: AssignmentTerms,
        /// Holders who lose their right by it get no `last`.
        hard: bool,
        /// Refused unless the assignment still has this revision.
        if_match: Option<u64>,
    },
    /// Removes an assignment; holders who lose their right by it are ending (rule 16).
    Unassign {
        /// The assignment.
        id: AssignmentId,
        /// Holders get no `last`.
        hard: bool,
        /// Refused unless the assignment still has this revision.
        if_match: Option<u64>,
    },
    /// Changes the directory.
    Arrange(Arrange),
    /// Changes roles and who has them.
    Access(Access),
    /// Publishes terms of service; the daemon has their text (B15).
    PublishTerms {
        /// What they are called.
        version: Name,
        /// SHA-256 of the text.
        text: TextHash,
    },
    /// A user accepts the terms in force.
    AcceptTerms {
        /// Who.
        user: UserId,
        /// What they saw; refused unless that is in force.
        version: Name,
    },
    /// Changes by what people prove who they are, and who is signed in.
    Credential(Credential),
    /// Makes a user at first sight of a login, or returns the one who has it.
    MeetUser {
        /// The id that a new user gets.
        user: UserId,
        /// The login.
        login: LoginHash,
    },
    /// Takes a seat.
    Checkout(Box<Checkout>),
    /// Keeps a seat.
    Renew(Renew),
    /// Gives a seat back, by the holder itself.
    Release(Release),
    /// Gives back one's own seat from elsewhere (rule 16).
    ReleaseElsewhere {
        /// The holder.
        holder: HolderId,
        /// Must be the holder's user.
        by: UserId,
    },
    /// Takes a grant back (rule 16).
    Reclaim {
        /// The grant.
        gid: Gid,
        /// Its holders get no `last`.
        hard: bool,
    },
    /// Takes a named seat from its unit (rule 7).
    Recall {
        /// The grant.
        gid: Gid,
        /// Its holders get no `last`.
        hard: bool,
    },
    /// The processes of these holders are gone (rule 14).
    ProcessGone {
        /// The holders whose process died.
        holders: Vec<HolderId>,
    },
}

/// The newest issuer token of a root, as far as the rules read it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IssuerSeen {
    /// Thumbprint of the vendor root that signed it.
    pub root: Name,
    /// When it was signed.
    pub iat: Date,
    /// Licenses of this root below this serial serve nothing.
    pub min_serial: u64,
    /// Issuing keys (thumbprints) whose licenses serve nothing.
    pub revoked_kids: Vec<Name>,
    /// The token.
    pub token: Name,
}

/// Who takes, keeps or gives back: fixed at the checkout (rule 20).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Process {
    /// The machine that the process runs on.
    pub machine: MachineId,
    /// The machine whose kernel names the caller.
    pub attested_by: MachineId,
    /// The credential.
    pub uid: u32,
    /// The machine's boot.
    pub boot: BootId,
    /// The SDK's instance.
    pub instance: InstanceId,
}

/// A checkout (rules 8, 9, 20).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkout {
    /// The id that its retries repeat.
    pub checkout_id: CheckoutId,
    /// The process that asks.
    pub process: Process,
    /// Its pid as the daemon sees it, and its start in clock ticks where the kernel tells: shown, and used at a restart (rule 14).
    pub pid: Option<Pid>,
    /// The person.
    pub user: UserId,
    /// The product.
    pub product: Name,
    /// The feature within the product.
    pub feature: Name,
    /// The version asked for.
    pub version: Option<Name>,
    /// How many seats, at least 1.
    pub n: u32,
    /// Thumbprints of the roots that the application carries.
    pub roots: Vec<Name>,
    /// The whole wait in seconds; a term (rule 20), without effect until the queue.
    pub wait_s: u32,
    /// Deletes a cool-down (rule 16).
    pub interactive: bool,
    /// Who has not accepted the terms of service in force gets nothing (`terms_block_checkout`, rule 4).
    pub needs_terms: bool,
    /// The lease that the client shows, where it may prove a future (rule 21).
    pub shown: Option<Box<Shown>>,
}

/// A lease that a client showed, verified under this site's key (rule 21).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The run that signed it.
    pub run: RunId,
    /// The run's epoch.
    pub epoch: u64,
    /// Its number in the run.
    pub seq: u64,
    /// Its holder.
    pub holder: HolderId,
    /// The license token that it names.
    pub license: TokenHash,
    /// The feature.
    pub feature: Name,
    /// The version asked for.
    pub version: Option<Name>,
    /// Its slots, ascending.
    pub slots: Vec<u64>,
    /// When it was signed.
    pub iat: Date,
    /// Ttl + grace in seconds.
    pub term_s: u64,
    /// It is a last one (rule 16): nobody goes on after it.
    pub last: bool,
    /// Who shows it, where known: a seat that is adopted is charged to them.
    pub user: Option<UserId>,
    /// The id of the run that begins where this one proves a future: random.
    pub next_run: RunId,
    /// The id of the checkout that an adopted seat counts as: random.
    pub checkout_id: CheckoutId,
}

/// A process as the daemon's kernel numbers it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Pid {
    /// The pid in the daemon's namespace.
    pub pid: NonZeroU32,
    /// Its start, in clock ticks since boot, where readable.
    pub born: Option<NonZeroU64>,
    /// The pid namespace that numbers it (its inode), where readable: in another one the number says nothing.
    pub namespace: Option<NonZeroU64>,
}

/// A renewal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Renew {
    /// The holder.
    pub holder: HolderId,
    /// The process that asks; must be the one that took it.
    pub process: Process,
    /// The lease that the client shows, where it may prove a future, and in quarantine (rule 21).
    pub shown: Option<Box<Shown>>,
}

/// A release.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Release {
    /// What to give back.
    pub what: Released,
    /// The process that asks; must be the one that took it.
    pub process: Process,
}

/// A holder, or the checkout that should have made one (rule 20).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Released {
    /// The holder.
    Holder(HolderId),
    /// The checkout; remembered as ended where not seen yet.
    Checkout(CheckoutId),
}

/// SHA-256 of the license token and when it was signed: what a lease names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signed {
    /// SHA-256 of the license token.
    pub hash: TokenHash,
    /// Its `iat`.
    pub iat: Date,
}
