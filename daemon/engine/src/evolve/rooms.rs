//! Which room folds which event. `evolve` names a room for each kind, and each room folds all of its own: both matches are
//! complete without a `_`, so that a new kind of event does not compile until it stands here and is folded there.

/// The events of one room, as a pattern.
macro_rules! of {
    (site) => {
        Recorded::SiteFounded { .. }
            | Recorded::RunStarted { .. }
            | Recorded::RunStopped { .. }
            | Recorded::FutureShown { .. }
            | Recorded::QuarantineBegan { .. }
            | Recorded::CheckpointWritten { .. }
            | Recorded::JournalPruned { .. }
            | Recorded::ClockAccepted { .. }
    };
    (licensing) => {
        Recorded::VendorTrusted { .. }
            | Recorded::VendorRemoved { .. }
            | Recorded::IssuerSeen(_)
            | Recorded::LicenseInstalled { .. }
            | Recorded::LicenseWaits { .. }
            | Recorded::LicenseRemoved { .. }
            | Recorded::LicenseAssigned { .. }
            | Recorded::AssignmentChanged { .. }
            | Recorded::LicenseUnassigned { .. }
    };
    (seats) => {
        Recorded::SeatTaken(_)
            | Recorded::SeatAssigned(_)
            | Recorded::SeatRecalled { .. }
            | Recorded::HolderJoined { .. }
            | Recorded::LeaseAdopted { .. }
            | Recorded::HoldersEnding { .. }
            | Recorded::EndingTakenBack { .. }
            | Recorded::LastSigned { .. }
            | Recorded::HolderEnded { .. }
            | Recorded::SeatEnded { .. }
            | Recorded::CheckoutEnded { .. }
            | Recorded::CoolDownStarted { .. }
            | Recorded::CoolDownDeleted { .. }
    };
    (units) => {
        Recorded::UnitMade { .. }
            | Recorded::UnitRenamed { .. }
            | Recorded::UnitMoved { .. }
            | Recorded::AccountManaged { .. }
            | Recorded::UnitRemoved { .. }
            | Recorded::GroupMade { .. }
            | Recorded::GroupRenamed { .. }
            | Recorded::GroupRemoved { .. }
            | Recorded::MembersAdded { .. }
            | Recorded::MembersDropped { .. }
    };
    (users) => {
        Recorded::UserMet { .. }
            | Recorded::UserMade { .. }
            | Recorded::UserChanged { .. }
            | Recorded::UserPlaced { .. }
            | Recorded::AddressChanged { .. }
            | Recorded::UserRemoved { .. }
    };
    (registrations) => {
        Recorded::Registered(_)
            | Recorded::RegistrationApproved { .. }
            | Recorded::RegistrationRefused { .. }
            | Recorded::AddressVerified { .. }
            | Recorded::DomainLetIn { .. }
            | Recorded::DomainDropped { .. }
    };
    (credentials) => {
        Recorded::CodeMade { .. }
            | Recorded::CodeUsed { .. }
            | Recorded::CodesDropped { .. }
            | Recorded::AddressProved { .. }
            | Recorded::PasswordSet { .. }
            | Recorded::LoginBound { .. }
            | Recorded::LoginUnbound { .. }
            | Recorded::ResetAsked { .. }
            | Recorded::ResetDropped { .. }
    };
    (bearers) => {
        Recorded::TokenMade { .. }
            | Recorded::TokensRevoked { .. }
            | Recorded::SessionMade { .. }
            | Recorded::SessionsEnded { .. }
    };
    (access) => {
        Recorded::RoleDefined { .. } | Recorded::RoleRemoved { .. } | Recorded::RolesGiven { .. }
    };
    (terms) => {
        Recorded::TermsPublished { .. } | Recorded::TermsAccepted { .. }
    };
}

/// The events of all rooms but one, as a pattern: what that one is never asked to fold.
macro_rules! but {
    (@ $($room:ident)*) => { $($crate::evolve::rooms::of!($room))|* };
    (site) => { but!(@ licensing seats units users registrations credentials bearers access terms) };
    (licensing) => { but!(@ site seats units users registrations credentials bearers access terms) };
    (seats) => { but!(@ site licensing units users registrations credentials bearers access terms) };
    (units) => { but!(@ site licensing seats users registrations credentials bearers access terms) };
    (users) => { but!(@ site licensing seats units registrations credentials bearers access terms) };
    (registrations) => { but!(@ site licensing seats units users credentials bearers access terms) };
    (credentials) => { but!(@ site licensing seats units users registrations bearers access terms) };
    (bearers) => { but!(@ site licensing seats units users registrations credentials access terms) };
    (access) => { but!(@ site licensing seats units users registrations credentials bearers terms) };
    (terms) => { but!(@ site licensing seats units users registrations credentials bearers access) };
}

pub(super) use {but, of};
