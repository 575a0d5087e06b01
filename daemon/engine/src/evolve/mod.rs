//! Folds a recorded event into the state. Decides nothing: what an event says has happened.

mod access;
mod addresses;
mod credentials;
mod directory;
mod licensing;
mod registrations;
mod revoke;
mod rollback;
mod rooms;
mod seats;
mod terms;

use crate::covering;
use crate::event::{EndingWhy, Recorded};
use crate::ids::UserId;
use crate::state::{Run, Site, State, Vendor};
use imbl::OrdMap;
use licensing::{assign, install, remove, see, unassign, wait};
use rooms::{but, of};
use seats::{end_soon, give_back, give_up, join, keep, leave, recall, take, take_back};

pub(crate) use licensing::pools_of;
pub(crate) use revoke::ended_with;
pub(crate) use seats::set_holds;

/// How long an ended checkout is remembered (rule 20).
pub(crate) const ENDED_MS: u64 = 15 * 60 * 1000;
/// How many are remembered at most (rule 20).
pub(crate) const ENDED_MAX: usize = 262_144;
/// How many of them one credential may have ended before they were seen (rule 20): the bound above is everyone's.
pub(crate) const UNSEEN_MAX: usize = 4096;

/// Folds one event.
pub(crate) fn evolve(state: &mut State, event: &Recorded) {
    state.events += 1;
    let revision = state.events;
    let moves = moves(event);
    state.places += u64::from(moves != Moves::Nobody);
    state.stands += u64::from(moves == Moves::Anyone);
    state.displaced += u64::from(displaces(event));
    if changes_rights(event) || ends_sign_in(state, event) {
        state.rights = revision;
    }
    revoke::fold(state, event);
    fold(state, event, revision);
    if let Moves::Users(users) = moves {
        covering::moved(state, users);
    }
}

/// Whether somebody may more or less after an event.
fn changes_rights(event: &Recorded) -> bool {
    matches!(
        event,
        of!(access)
            | Recorded::UserChanged { .. }
            | Recorded::UserPlaced { .. }
            | Recorded::UserRemoved { .. }
            | Recorded::RegistrationApproved { .. }
            | Recorded::UnitMoved { .. }
            | Recorded::AccountManaged { .. }
    )
}

/// Whether somebody is no more who they were by an event: a token, a session, or an account that was signed in as them.
/// What makes one of these ends nothing, and lets whoever else is about a change go on.
fn ends_sign_in(state: &State, event: &Recorded) -> bool {
    let all = &state.credentials;
    match event {
        Recorded::TokensRevoked { .. }
        | Recorded::SessionsEnded { .. }
        | Recorded::LoginUnbound { .. }
        | Recorded::RegistrationRefused { .. } => true,
        Recorded::LoginBound { user, login } => all.bound.get(login).is_some_and(|was| was != user),
        Recorded::PasswordSet { user, keeps, .. } => {
            let own = all.of.get(user);
            own.is_some_and(|own| own.bound.iter().any(|login| Some(*login) != *keeps))
        }
        _ => false,
    }
}

/// In the room that it is of.
fn fold(state: &mut State, event: &Recorded, revision: u64) {
    match event {
        of!(seats) => evolve_seat(state, event),
        of!(site) => evolve_site(state, event, revision),
        of!(licensing) => evolve_rights(state, event, revision),
        of!(units) => directory::evolve(state, event, revision),
        of!(users) => directory::evolve_user(state, event, revision),
        of!(registrations) => registrations::evolve(state, event, revision),
        of!(credentials) => credentials::evolve(state, event, revision),
        of!(bearers) => credentials::evolve_bearer(state, event, revision),
        of!(terms) => terms::evolve(state, event),
        of!(access) => access::evolve(state, event, revision),
    }
}

/// Folds one event of the site and its runs.
fn evolve_site(state: &mut State, event: &Recorded, revision: u64) {
    match event {
        Recorded::SiteFounded { unit, machine } => {
            state.site = Some(Site {
                unit: *unit,
                machine: *machine,
            });
            directory::found(state, *unit, revision);
        }
        Recorded::RunStarted { epoch, run, at, j } => {
            rollback::end_run(state);
            state.run = Run {
                epoch: *epoch,
                id: *run,
                grants: 0,
                seq: 0,
                since: *at,
                j: *j,
            };
        }
        Recorded::FutureShown {
            shown,
            epoch,
            run,
            since,
            at,
        } => rollback::shown(state, shown, (*epoch, *run), *since, *at),
        Recorded::QuarantineBegan { since } => rollback::begin(state, *since, 0, *since),
        // The state is what it was; the journal remembers which file says so, and which files said more.
        Recorded::CheckpointWritten { .. } | Recorded::JournalPruned { .. } => {}
        Recorded::RunStopped { holds } => {
            let mut holds = holds.clone();
            holds.sort_unstable();
            state.stopped = holds.into();
        }
        Recorded::ClockAccepted { from, to, at } => state.clock.add(*from, *to, *at, revision),
        but!(site) => {}
    }
}

/// Who may count for other limits, or keep a seat no more, after an event (rules 7, 10, 17).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moves<'a> {
    /// Nobody.
    Nobody,
    /// Anyone, and nobody is in another group or right in another unit than before.
    Counts,
    /// These are.
    Users(&'a [UserId]),
    /// Anyone may be, or what names them is another.
    Anyone,
}

/// Anyone, where it is not surely fewer.
fn moves(event: &Recorded) -> Moves<'_> {
    match event {
        Recorded::HoldersEnding { why, .. } if *why == EndingWhy::Superseded => Moves::Counts,
        of!(seats)
        | of!(credentials)
        | of!(bearers)
        | of!(access)
        | of!(terms)
        | Recorded::UserMet { .. }
        | Recorded::AddressChanged { .. }
        | Recorded::CheckpointWritten { .. }
        | Recorded::JournalPruned { .. } => Moves::Nobody,
        Recorded::UserMade { .. }
        | Recorded::UserChanged { .. }
        | Recorded::UnitMade { .. }
        | Recorded::UnitRenamed { .. }
        | Recorded::UnitMoved { .. }
        | Recorded::AccountManaged { .. }
        | Recorded::GroupMade { .. }
        | Recorded::GroupRenamed { .. } => Moves::Counts,
        Recorded::UserPlaced { user, .. } | Recorded::RegistrationApproved { user, .. } => {
            Moves::Users(std::slice::from_ref(user))
        }
        Recorded::MembersAdded { users, groups, .. }
        | Recorded::MembersDropped { users, groups, .. }
            if groups.is_empty() =>
        {
            Moves::Users(users)
        }
        _ => Moves::Anyone,
    }
}

/// Whether an event may take its place from a seat, or give it back (rule 17).
fn displaces(event: &Recorded) -> bool {
    match event {
        Recorded::HoldersEnding { why, .. } => *why == EndingWhy::Superseded,
        Recorded::LicenseInstalled { .. } | Recorded::LicenseRemoved { .. } => true,
        _ => false,
    }
}

/// Folds one event of vendors, licenses and assignments.
fn evolve_rights(state: &mut State, event: &Recorded, revision: u64) {
    match event {
        Recorded::VendorTrusted { vendor, roots } => {
            let known = state.vendors.entry(vendor.clone()).or_insert(Vendor {
                roots: OrdMap::new(),
                revision,
            });
            known.revision = revision;
            known.roots.extend(roots.iter().cloned());
            for (root, _) in roots {
                state.distrusted.remove(root);
            }
        }
        Recorded::VendorRemoved { vendor } => {
            let gone = state.vendors.remove(vendor);
            let roots = gone.iter().flat_map(|gone| gone.roots.keys());
            state.distrusted.extend(roots.cloned());
        }
        Recorded::IssuerSeen(issuer) => see(state, issuer),
        Recorded::LicenseInstalled { terms, at, account } => {
            install(state, terms, (*at, *account), revision);
        }
        Recorded::LicenseWaits { terms, at, account } => {
            wait(state, terms, (*at, *account), revision);
        }
        Recorded::LicenseRemoved {
            license, waiting, ..
        } => remove(state, license, *waiting),
        Recorded::LicenseAssigned {
            id,
            license,
            target,
            terms,
        } => assign(state, *id, (license, *target, terms), revision),
        Recorded::AssignmentChanged { id, terms } => {
            if let Some(known) = state.assignments.get(id).cloned() {
                assign(state, *id, (&known.license, known.target, terms), revision);
            }
        }
        Recorded::LicenseUnassigned { id } => unassign(state, id),
        but!(licensing) => {}
    }
}

/// Folds one event of a seat, its holders and what is remembered of both.
fn evolve_seat(state: &mut State, event: &Recorded) {
    match event {
        Recorded::SeatTaken(taken) => take(state, taken),
        Recorded::SeatAssigned(kept) => keep(state, kept),
        Recorded::SeatRecalled { gid } => recall(state, *gid),
        Recorded::HolderJoined { holder, who, at } => join(state, *holder, who, *at),
        Recorded::LeaseAdopted { holder, run, was } => {
            state.change(*holder, |h| h.adopted = Some(Box::new((*run, *was))));
        }
        Recorded::HoldersEnding { holders, why, hard } => {
            holders
                .iter()
                .for_each(|holder| end_soon(state, *holder, *why, *hard));
        }
        Recorded::EndingTakenBack { holders } => {
            holders.iter().for_each(|holder| take_back(state, *holder))
        }
        Recorded::LastSigned { holder, until } => {
            state.change(*holder, |h| {
                if let Some(ending) = &mut h.ending {
                    ending.last = Some(*until);
                }
            });
        }
        Recorded::HolderEnded { holder, why, at } => leave(state, *holder, *why, *at),
        Recorded::SeatEnded { gid, why, at } => give_back(state, *gid, *why, *at),
        Recorded::CheckoutEnded {
            machine,
            uid,
            checkout_id,
            at,
        } => give_up(state, (*machine, *uid, *checkout_id), *at),
        Recorded::CoolDownStarted {
            user,
            machine,
            product,
            feature,
            until,
        } => {
            let key = (*user, *machine, product.clone(), feature.clone());
            state.cool_downs.insert(key, *until);
        }
        Recorded::CoolDownDeleted {
            user,
            machine,
            product,
            feature,
        } => {
            let key = (*user, *machine, product.clone(), feature.clone());
            state.cool_downs.remove(&key);
        }
        but!(seats) => {}
    }
}

/// Puts one into an ascending list, where it is not yet.
fn enlist<T: Ord>(list: &mut Vec<T>, one: T) {
    if let Err(place) = list.binary_search(&one) {
        list.insert(place, one);
    }
}

/// Takes one out of a list.
fn strike<T: PartialEq>(list: &mut Vec<T>, one: T) {
    list.retain(|other| *other != one);
}
