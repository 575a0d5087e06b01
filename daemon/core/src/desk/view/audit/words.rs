//! Events in the words of the domain: one sentence each, for people.

use seatkeeper::token::dates;
use seatkeeper_engine::event::{EndWhy, EndingWhy, Recorded, SeatTaken};
use seatkeeper_engine::ids::{
    AssignmentId, GroupId, HolderId, LicenseId, MachineId, UnitId, UserId,
};
use seatkeeper_engine::state::{AssignmentTerms, LicenseTerms, Target};

/// What sentences call persons and machines.
pub(super) trait Names {
    fn user(&mut self, user: UserId) -> String;
    fn machine(&mut self, machine: MachineId) -> String;
    fn unit(&mut self, unit: UnitId) -> String;
    fn group(&mut self, group: GroupId) -> String;
    /// Of what an assignment is or was, and to whom.
    fn assignment(&mut self, id: AssignmentId) -> Option<(LicenseId, Target)>;
}

/// The names of events, and of each one its own.
macro_rules! kinds {
    ($($kind:ident $fields:tt,)*) => {
        /// The names of all events.
        pub(super) const KINDS: &[&str] = &[$(stringify!($kind)),*];

        /// The name of an event, as the journal spells it.
        pub(super) fn kind(what: &Recorded) -> &'static str {
            match what {
                $(Recorded::$kind $fields => stringify!($kind),)*
            }
        }
    };
}

kinds! {
    SiteFounded { .. },
    RunStarted { .. },
    RunStopped { .. },
    FutureShown { .. },
    QuarantineBegan { .. },
    VendorTrusted { .. },
    VendorRemoved { .. },
    IssuerSeen(..),
    LicenseInstalled { .. },
    LicenseWaits { .. },
    LicenseRemoved { .. },
    LicenseAssigned { .. },
    AssignmentChanged { .. },
    LicenseUnassigned { .. },
    UserMet { .. },
    UserMade { .. },
    UserChanged { .. },
    UserPlaced { .. },
    AddressChanged { .. },
    UserRemoved { .. },
    RoleDefined { .. },
    RoleRemoved { .. },
    RolesGiven { .. },
    UnitMade { .. },
    UnitRenamed { .. },
    UnitMoved { .. },
    AccountManaged { .. },
    UnitRemoved { .. },
    GroupMade { .. },
    GroupRenamed { .. },
    GroupRemoved { .. },
    MembersAdded { .. },
    MembersDropped { .. },
    Registered(..),
    RegistrationApproved { .. },
    RegistrationRefused { .. },
    AddressVerified { .. },
    DomainLetIn { .. },
    DomainDropped { .. },
    TermsPublished { .. },
    TermsAccepted { .. },
    CodeMade { .. },
    CodeUsed { .. },
    CodesDropped { .. },
    AddressProved { .. },
    PasswordSet { .. },
    LoginBound { .. },
    LoginUnbound { .. },
    ResetAsked { .. },
    ResetDropped { .. },
    TokenMade { .. },
    TokensRevoked { .. },
    SessionMade { .. },
    SessionsEnded { .. },
    SeatTaken(..),
    SeatAssigned(..),
    SeatRecalled { .. },
    HolderJoined { .. },
    LeaseAdopted { .. },
    HoldersEnding { .. },
    EndingTakenBack { .. },
    LastSigned { .. },
    HolderEnded { .. },
    SeatEnded { .. },
    CheckoutEnded { .. },
    CoolDownStarted { .. },
    CoolDownDeleted { .. },
    ClockAccepted { .. },
    CheckpointWritten { .. },
    JournalPruned { .. },
}

/// The sentence.
pub(super) fn text(what: &Recorded, names: &mut impl Names) -> String {
    match what {
        Recorded::SeatTaken(taken) => seat_taken(taken, names),
        Recorded::SeatAssigned(kept) => format!(
            "{} was given slot {} of {} for good (seat {})",
            names.user(kept.user),
            kept.slot,
            kept.pool,
            kept.gid
        ),
        Recorded::SeatRecalled { gid } => format!("seat {gid} was taken from its owner"),
        Recorded::HolderJoined { holder, who, .. } => format!(
            "{} on {} joined seat {} as {holder}",
            names.user(who.user),
            names.machine(who.process.machine),
            holder.gid
        ),
        Recorded::LeaseAdopted { holder, was, .. } => {
            format!(
                "holder {holder} goes on where {was} sat, whose lease this journal did not know"
            )
        }
        Recorded::HoldersEnding { holders, why, hard } => format!(
            "{} ending: {}{}",
            holders_are(holders),
            ending(*why),
            if *hard { ", without time to save" } else { "" }
        ),
        Recorded::EndingTakenBack { holders } => {
            format!("{} no longer ending", holders_are(holders))
        }
        Recorded::LastSigned { holder, .. } => format!("holder {holder} was told to save and end"),
        Recorded::HolderEnded { holder, why, .. } => {
            format!("holder {holder} ended: {}", ended(*why))
        }
        Recorded::SeatEnded { gid, why, .. } => {
            format!("seat {gid} ended, its slots are free: {}", ended(*why))
        }
        Recorded::CheckoutEnded {
            machine,
            uid,
            checkout_id,
            ..
        } => format!(
            "uid {uid} on {} gave up checkout {checkout_id}, which had no seat",
            names.machine(*machine)
        ),
        other => text_of_rights(other, names),
    }
}

/// The sentence of an event about the site or its people.
fn text_of_rights(what: &Recorded, names: &mut impl Names) -> String {
    match what {
        Recorded::SiteFounded { machine, .. } => {
            format!("site founded on {}", names.machine(*machine))
        }
        Recorded::RunStarted { epoch, .. } => format!("daemon started, epoch {epoch}"),
        Recorded::RunStopped { holds } => {
            format!("daemon stopped, {} held", count(holds.len(), "seat"))
        }
        Recorded::FutureShown { shown, epoch, .. } => format!(
            "a client showed a lease of epoch {} that this journal does not know: the state was restored or cloned; epoch {epoch} goes on, in quarantine",
            shown.epoch
        ),
        Recorded::QuarantineBegan { .. } => {
            "an exported site key is in use without its state: quarantine".to_owned()
        }
        Recorded::CheckpointWritten { number, .. } => {
            format!("checkpoint {number} written: the state before event {number}")
        }
        Recorded::JournalPruned { before } => format!(
            "events 1 to {} pruned: all of them are older than `retention_days`",
            before.saturating_sub(1)
        ),
        Recorded::UserMet { user, .. } => format!("{} seen for the first time", names.user(*user)),
        Recorded::CoolDownStarted {
            user,
            machine,
            product,
            feature,
            ..
        } => format!(
            "{} on {} has to wait before taking {product}/{feature} again",
            names.user(*user),
            names.machine(*machine)
        ),
        Recorded::CoolDownDeleted {
            user,
            machine,
            product,
            feature,
        } => format!(
            "{} on {} asked for {product}/{feature} and need not wait any more",
            names.user(*user),
            names.machine(*machine)
        ),
        Recorded::ClockAccepted { from, to, .. } => format!(
            "wrong clock accepted: the time of dates went back from {} to {}",
            dates::format(from.0),
            dates::format(to.0)
        ),
        other => text_of_licenses(other, names),
    }
}

/// The sentence of an event about vendors, licenses and assignments.
fn text_of_licenses(what: &Recorded, names: &mut impl Names) -> String {
    match what {
        Recorded::VendorTrusted { vendor, roots } => {
            format!(
                "vendor {vendor} trusted, {}",
                count(roots.len(), "root key")
            )
        }
        Recorded::VendorRemoved { vendor } => format!("vendor {vendor} removed"),
        Recorded::IssuerSeen(seen) => format!(
            "issuer token of root {} seen: serials below {} and {} withdrawn",
            seen.root,
            seen.min_serial,
            count(seen.revoked_kids.len(), "key")
        ),
        Recorded::LicenseInstalled { terms, .. } => told(terms, "installed"),
        Recorded::LicenseWaits { terms, .. } => {
            let day = dates::format(terms.nbf.0);
            told(terms, &format!("waits until {day}"))
        }
        Recorded::LicenseRemoved {
            license, waiting, ..
        } => match waiting {
            Some(serial) => format!("license {license} serial {serial}, which waited, removed"),
            None => format!("license {license} removed, and its assignments with it"),
        },
        Recorded::LicenseAssigned {
            id,
            license,
            target,
            terms,
        } => {
            let to = whom(*target, names);
            format!(
                "license {license} assigned to {to} (assignment {id}){}",
                gives(terms)
            )
        }
        Recorded::AssignmentChanged { id, terms } => {
            format!("{} changed{}", assigned(*id, names), gives(terms))
        }
        Recorded::LicenseUnassigned { id } => format!("{} taken back", assigned(*id, names)),
        other => super::people::text(other, names).unwrap_or_else(|| kind(other).to_owned()),
    }
}

/// An assignment, as far as it is remembered.
fn assigned(id: AssignmentId, names: &mut impl Names) -> String {
    match names.assignment(id) {
        Some((license, target)) => {
            let to = whom(target, names);
            format!("assignment of license {license} to {to} (assignment {id})")
        }
        None => format!("assignment {id}"),
    }
}

fn whom(target: Target, names: &mut impl Names) -> String {
    match target {
        Target::User(user) => names.user(user),
        Target::Unit(unit) => format!("everyone in {}", names.unit(unit)),
        Target::Group(group) => format!("group {}", names.group(group)),
    }
}

/// What an assignment gives and withholds beside the right.
fn gives(terms: &AssignmentTerms) -> String {
    let mut parts = Vec::new();
    if !terms.policies.is_empty() {
        parts.push(format!("with {}", terms.policies.join(", ")));
    }
    for limit in terms.limits.iter().filter(|limit| limit.exclude) {
        parts.push(match &limit.feature {
            Some(feature) => format!("keeping them out of {feature}"),
            None => "keeping them out".to_owned(),
        });
    }
    for limit in &terms.limits {
        let feature = limit.feature.as_deref().unwrap_or_default();
        if let Some(max) = limit.max {
            parts.push(format!("at most {max} of {feature} together"));
        }
        if let Some(each) = limit.max_each {
            parts.push(format!("at most {each} of {feature} each"));
        }
        if let Some(seats) = limit.reserve {
            parts.push(format!("{seats} of {feature} reserved for them"));
        }
    }
    if terms.priority != AssignmentTerms::default().priority {
        parts.push(format!("priority {}", terms.priority));
    }
    match parts.is_empty() {
        true => String::new(),
        false => format!(", {}", parts.join(", ")),
    }
}

fn seat_taken(taken: &SeatTaken, names: &mut impl Names) -> String {
    let slots: Vec<_> = taken.slots.iter().map(u64::to_string).collect();
    format!(
        "{} on {} took {} {} of {} (seat {})",
        names.user(taken.who.user),
        names.machine(taken.who.process.machine),
        if slots.len() == 1 { "slot" } else { "slots" },
        slots.join(", "),
        taken.pool,
        taken.gid
    )
}

fn told(terms: &LicenseTerms, how: &str) -> String {
    let features: Vec<_> = terms
        .features
        .iter()
        .map(|feature| match feature.seats {
            Some(seats) => format!("{} {}", feature.name, count(narrow(seats), "seat")),
            None => format!("{} unlimited", feature.name),
        })
        .collect();
    format!(
        "license {} serial {} {how}: {}, {}",
        terms.id,
        terms.serial,
        terms.product,
        features.join(", ")
    )
}

/// For a count in a sentence only.
fn narrow(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn count(n: usize, noun: &str) -> String {
    match n {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}

fn holders_are(holders: &[HolderId]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<_> = holders
        .iter()
        .take(SHOWN)
        .map(HolderId::to_string)
        .collect();
    let more = match holders.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match holders.len() {
        1 => format!("holder {} is", shown.join(", ")),
        _ => format!("holders {}{more} are", shown.join(", ")),
    }
}

fn ending(why: EndingWhy) -> &'static str {
    match why {
        EndingWhy::Reclaimed => "an administrator took the seat back",
        EndingWhy::Released => "its user gave it back from elsewhere",
        EndingWhy::RightLost => "its user may not sit any more",
        EndingWhy::Superseded => "the license in force has no place for it",
    }
}

fn ended(why: EndWhy) -> &'static str {
    match why {
        EndWhy::Released => "given back",
        EndWhy::ProcessDied => "its process died",
        EndWhy::HeartbeatLost => "it did not renew",
        EndWhy::Reclaimed => "taken back by an administrator",
        EndWhy::ReleasedElsewhere => "given back from elsewhere",
        EndWhy::RightLost => "its user may not sit any more",
        EndWhy::Superseded => "the license in force has no place for it",
        EndWhy::Displaced => {
            "a lease that lives has its slots, and nobody called for it since the start"
        }
    }
}
