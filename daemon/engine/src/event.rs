//! What happened: past participles. Recorded events are journaled and make the state; fleeting ones only move holds.

mod registered;

pub use registered::Registered;

use crate::access::{Given, Permission, Reach};
use crate::command::{IssuerSeen, Pid, Process};
use crate::ids::{
    AssignmentId, BearerHash, BearerId, CheckoutId, CheckpointHash, CodeHash, Gid, GroupId,
    HolderId, LicenseId, LoginHash, MachineId, Name, NameHash, PasswordId, PoolId, RunId, TextHash,
    UnitId, UserId,
};
use crate::state::{
    AssignmentTerms, Code, LicenseTerms, MailAddress, Place, Target, Unit, UserStatus,
};
use crate::time::{Date, LeaseTime};
use serde::{Deserialize, Serialize};

/// The version of the events below, written with each of them.
///
/// 1: the times of a row beside its events. 2: within the last of them.
pub const EVENT_VERSION: u8 = 2;

/// One event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Journaled, hashed, checkpointed.
    Recorded(Recorded),
    /// Lost in a crash, which rule 19 makes good.
    Fleeting(Fleeting),
}

/// Events that the state is the fold of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // The names are those of the commands, in the past tense.
pub enum Recorded {
    SiteFounded {
        unit: UnitId,
        machine: MachineId,
    },
    RunStarted {
        epoch: u64,
        run: RunId,
        at: LeaseTime,
        #[serde(default)]
        j: Date,
    },
    RunStopped {
        holds: Vec<(HolderId, LeaseTime)>,
    },
    /// A lease of a future that this journal does not know was shown: the run that goes on from here.
    FutureShown {
        shown: Box<ShownRun>,
        epoch: u64,
        run: RunId,
        since: LeaseTime,
        at: LeaseTime,
    },
    /// The state of this site key was lost.
    QuarantineBegan {
        since: LeaseTime,
    },
    CheckpointWritten {
        number: u64,
        hash: CheckpointHash,
    },
    /// Events below this number were older than the retention: their files go, and an anchor stands for them.
    JournalPruned {
        before: u64,
    },
    VendorTrusted {
        vendor: Name,
        roots: Vec<(Name, Name)>,
    },
    IssuerSeen(Box<IssuerSeen>),
    LicenseInstalled {
        terms: Box<LicenseTerms>,
        at: LeaseTime,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<UnitId>,
    },
    LicenseWaits {
        terms: Box<LicenseTerms>,
        at: LeaseTime,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<UnitId>,
    },
    /// All of a license, or only the serial that waited.
    LicenseRemoved {
        license: LicenseId,
        waiting: Option<u64>,
        at: LeaseTime,
    },
    VendorRemoved {
        vendor: Name,
    },
    LicenseAssigned {
        id: AssignmentId,
        license: LicenseId,
        target: Target,
        #[serde(default)]
        terms: AssignmentTerms,
    },
    AssignmentChanged {
        id: AssignmentId,
        terms: AssignmentTerms,
    },
    LicenseUnassigned {
        id: AssignmentId,
    },
    UserMet {
        user: UserId,
        login: LoginHash,
    },
    UserMade {
        user: UserId,
        login: LoginHash,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<LoginHash>,
        units: Vec<UnitId>,
        status: UserStatus,
        until: Option<Date>,
    },
    UserChanged {
        user: UserId,
        status: UserStatus,
        until: Option<Date>,
    },
    UserPlaced {
        user: UserId,
        units: Vec<UnitId>,
    },
    /// They sign in by the old address no more, and by the new one; a code that is on its way to the old one is good no more.
    AddressChanged {
        user: UserId,
        was: Option<LoginHash>,
        address: Option<MailAddress>,
    },
    UserRemoved {
        user: UserId,
    },
    RoleDefined {
        role: Name,
        permissions: Vec<Permission>,
        reach: Reach,
    },
    RoleRemoved {
        role: Name,
    },
    RolesGiven {
        user: UserId,
        roles: Vec<Given>,
    },
    UnitMade {
        unit: UnitId,
        name: NameHash,
        place: Place,
    },
    UnitRenamed {
        unit: UnitId,
        name: NameHash,
    },
    UnitMoved {
        unit: UnitId,
        to: Place,
    },
    AccountManaged {
        unit: UnitId,
        by: Option<UnitId>,
    },
    UnitRemoved {
        unit: UnitId,
    },
    GroupMade {
        group: GroupId,
        name: NameHash,
        unit: UnitId,
    },
    GroupRenamed {
        group: GroupId,
        name: NameHash,
    },
    GroupRemoved {
        group: GroupId,
    },
    MembersAdded {
        group: GroupId,
        users: Vec<UserId>,
        groups: Vec<GroupId>,
    },
    MembersDropped {
        group: GroupId,
        users: Vec<UserId>,
        groups: Vec<GroupId>,
    },
    /// Somebody asked to come in, and waits.
    Registered(Box<Registered>),
    /// They may: by somebody's word, or because their account lets their domain in.
    RegistrationApproved {
        user: UserId,
        units: Vec<UnitId>,
        by_domain: bool,
    },
    /// They may not, and are no user any more.
    RegistrationRefused {
        user: UserId,
    },
    AddressVerified {
        user: UserId,
    },
    DomainLetIn {
        account: UnitId,
        domain: NameHash,
    },
    DomainDropped {
        account: UnitId,
        domain: NameHash,
    },
    /// Terms of service are in force, whose text has this hash.
    TermsPublished {
        version: Name,
        text: TextHash,
        at: Date,
    },
    TermsAccepted {
        user: UserId,
        version: Name,
    },
    /// Their other codes stay; an earlier one for the same purpose is good no more.
    CodeMade {
        code: CodeHash,
        of: Code,
    },
    CodeUsed {
        user: UserId,
        code: CodeHash,
    },
    /// Codes that were not used are good for nothing by what happens next.
    CodesDropped {
        user: UserId,
        codes: Vec<CodeHash>,
    },
    AddressProved {
        user: UserId,
        code: CodeHash,
        was: Option<LoginHash>,
        address: MailAddress,
    },
    /// Whoever was signed in as them is so no more, but for one login or session, and no code of theirs is good.
    PasswordSet {
        user: UserId,
        password: PasswordId,
        keeps: Option<LoginHash>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<BearerId>,
    },
    LoginBound {
        user: UserId,
        login: LoginHash,
    },
    LoginUnbound {
        user: UserId,
        login: LoginHash,
    },
    ResetAsked {
        user: UserId,
        at: Date,
    },
    ResetDropped {
        user: UserId,
    },
    TokenMade {
        user: UserId,
        token: BearerId,
        hash: BearerHash,
        until: Option<Date>,
        #[serde(default)]
        own: bool,
        at: Date,
    },
    /// Taken back, or long over when another one was made, or not to outlast what happens next.
    TokensRevoked {
        user: UserId,
        tokens: Vec<BearerId>,
    },
    /// Somebody proved who they are, and whoever presents this is they until then.
    SessionMade {
        user: UserId,
        session: BearerId,
        hash: BearerHash,
        until: LeaseTime,
        until_j: Date,
        at: Date,
    },
    /// Ended, or long over when another one was made, or not to outlast what happens next.
    SessionsEnded {
        user: UserId,
        sessions: Vec<BearerId>,
    },
    SeatTaken(Box<SeatTaken>),
    /// A named seat opened by a direct assignment, and kept for whom it names (rule 7).
    SeatAssigned(Box<SeatAssigned>),
    /// An administrator took a named seat from its unit: it ends with its holders (rule 7).
    SeatRecalled {
        gid: Gid,
    },
    HolderJoined {
        holder: HolderId,
        who: Box<HolderFacts>,
        at: LeaseTime,
    },
    /// A holder sits on the slots of a lease that this journal did not know: whose it was.
    LeaseAdopted {
        holder: HolderId,
        run: RunId,
        was: HolderId,
    },
    HoldersEnding {
        holders: Vec<HolderId>,
        why: EndingWhy,
        hard: bool,
    },
    EndingTakenBack {
        holders: Vec<HolderId>,
    },
    LastSigned {
        holder: HolderId,
        until: LeaseTime,
    },
    HolderEnded {
        holder: HolderId,
        why: EndWhy,
        at: LeaseTime,
    },
    SeatEnded {
        gid: Gid,
        why: EndWhy,
        at: LeaseTime,
    },
    CheckoutEnded {
        machine: MachineId,
        uid: u32,
        checkout_id: CheckoutId,
        at: LeaseTime,
    },
    CoolDownStarted {
        user: UserId,
        machine: MachineId,
        product: Name,
        feature: Name,
        until: LeaseTime,
    },
    CoolDownDeleted {
        user: UserId,
        machine: MachineId,
        product: Name,
        feature: Name,
    },
    ClockAccepted {
        from: Date,
        to: Date,
        at: LeaseTime,
    },
}

/// What a shown lease told of its run (rule 21).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ShownRun {
    /// The run.
    pub run: RunId,
    /// Its epoch.
    pub epoch: u64,
    /// The number of the lease's grant in it.
    pub grant: u64,
    /// The lease's number in it.
    pub seq: u64,
    /// The lease's ttl + grace in milliseconds.
    pub term_ms: u64,
}

/// A grant opened with its first holder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SeatTaken {
    /// The grant.
    pub gid: Gid,
    /// Its pool.
    pub pool: PoolId,
    /// Its slots, ascending.
    pub slots: Vec<u64>,
    /// The counting unit that holds it.
    pub unit: Unit,
    /// The first holder, number 1.
    pub who: HolderFacts,
    /// When.
    pub at: LeaseTime,
}

/// A named seat opened without a holder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SeatAssigned {
    /// The grant.
    pub gid: Gid,
    /// Its pool.
    pub pool: PoolId,
    /// Its slot.
    pub slot: u64,
    /// Whom it is kept for.
    pub user: UserId,
    /// When.
    pub at: LeaseTime,
}

/// What is fixed about a holder at its checkout.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HolderFacts {
    /// The person.
    pub user: UserId,
    /// The process.
    pub process: Process,
    /// Its pid, where the kernel told.
    pub pid: Option<Pid>,
    /// The checkout that made it.
    pub checkout_id: CheckoutId,
    /// The version asked for.
    pub version: Option<Name>,
    /// The terms that a retry must repeat (rule 20) and that are not above.
    pub terms: Terms,
}

/// The terms of a checkout that its retries must repeat (rule 20), beside instance, feature, version and n.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// The product.
    pub product: Name,
    /// The wait in seconds.
    pub wait_s: u32,
    /// Asked by the user.
    pub interactive: bool,
}

/// Events that no journal keeps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fleeting {
    /// A lease was signed: the holder's hold reaches to here (it never shrinks), under this sequence number.
    LeaseSigned {
        /// The holder.
        holder: HolderId,
        /// The end of its hold.
        until: LeaseTime,
        /// The lease's `seq`.
        seq: u64,
    },
}

/// Why a holder is ending (rule 16).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndingWhy {
    /// An administrator took the grant back.
    Reclaimed,
    /// Its user gave it back from elsewhere.
    Released,
    /// Its user may not sit any more (rule 4).
    RightLost,
    /// The license in force has no place for it (rules 9, 17).
    Superseded,
}

/// Why a holder or a grant ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndWhy {
    /// Given back by the holder.
    Released,
    /// The process died.
    ProcessDied,
    /// The hold was over.
    HeartbeatLost,
    /// Ending by `Reclaimed`, and now over.
    Reclaimed,
    /// Ending by `Released`, and now over.
    ReleasedElsewhere,
    /// Ending by `RightLost`, and now over.
    RightLost,
    /// Ending by `Superseded`, and now over.
    Superseded,
    /// Its slots went to a lease that an earlier state had not known (rule 21).
    Displaced,
}
