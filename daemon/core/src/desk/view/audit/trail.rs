//! What an event is about, where it says so only by the number of a seat or an assignment that an earlier event made.

use seatkeeper_engine::event::{HolderFacts, Recorded};
use seatkeeper_engine::ids::{AssignmentId, Gid, HolderId, LicenseId, Name, UserId};
use seatkeeper_engine::state::Target;
use std::collections::BTreeSet;

/// Follows one user or one feature through the journal. It remembers what lives: bounded by the seats in use.
pub(super) struct Trail {
    about: About,
    known: BTreeSet<Key>,
}

/// Whom or what.
pub(super) enum About {
    User(UserId),
    /// Product, where it was named, and feature.
    Feature(Option<Name>, Name),
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Holder(HolderId),
    Grant(Gid),
    Assignment(AssignmentId),
    License(LicenseId),
}

/// What an event says of its own accord, refers to, makes and ends.
#[derive(Default)]
struct Said {
    about: bool,
    refers: Vec<Key>,
    makes: Vec<Key>,
    ends: Vec<Key>,
}

impl Trail {
    pub(super) fn of(about: About) -> Self {
        Trail {
            about,
            known: BTreeSet::new(),
        }
    }

    /// Whether the event is about it.
    pub(super) fn follow(&mut self, what: &Recorded) -> bool {
        let said = self.about.said(what);
        let about = said.about || said.refers.iter().any(|key| self.known.contains(key));
        if about {
            self.known.extend(said.makes);
        }
        said.ends.iter().for_each(|key| self.forget(key));
        about
    }

    /// Lets go of what ended; with a grant go its holders.
    fn forget(&mut self, key: &Key) {
        self.known.remove(key);
        if let Key::Grant(gid) = *key {
            let of = |h| Key::Holder(HolderId { gid, h });
            let gone: Vec<_> = self.known.range(of(0)..=of(u32::MAX)).cloned().collect();
            gone.iter().for_each(|key| {
                self.known.remove(key);
            });
        }
    }
}

impl About {
    fn said(&self, what: &Recorded) -> Said {
        match what {
            Recorded::SeatTaken(taken) => {
                let holder = HolderId {
                    gid: taken.gid,
                    h: 1,
                };
                Said {
                    about: self.is_user(taken.who.user)
                        || self.is_feature(&taken.who.terms.product, &taken.pool.feature),
                    makes: vec![Key::Grant(taken.gid), Key::Holder(holder)],
                    ..Said::default()
                }
            }
            Recorded::SeatAssigned(kept) => Said {
                about: self.is_user(kept.user),
                refers: vec![Key::License(kept.pool.license.clone())],
                makes: vec![Key::Grant(kept.gid)],
                ..Said::default()
            },
            Recorded::SeatRecalled { gid } => Said::refers(Key::Grant(*gid)),
            Recorded::HolderJoined { holder, who, .. } => self.joined(*holder, who),
            Recorded::HoldersEnding { holders, .. } | Recorded::EndingTakenBack { holders } => {
                Said {
                    refers: holders.iter().copied().map(Key::Holder).collect(),
                    ..Said::default()
                }
            }
            Recorded::LastSigned { holder, .. } => Said::refers(Key::Holder(*holder)),
            Recorded::HolderEnded { holder, .. } => Said::ends(Key::Holder(*holder)),
            Recorded::SeatEnded { gid, .. } => Said::ends(Key::Grant(*gid)),
            other => self.said_of_rights(other),
        }
    }

    fn said_of_rights(&self, what: &Recorded) -> Said {
        match what {
            Recorded::UserMet { user, .. } => Said::of(self.is_user(*user)),
            Recorded::LicenseInstalled { terms, .. } | Recorded::LicenseWaits { terms, .. } => {
                Said {
                    about: terms
                        .features
                        .iter()
                        .any(|feature| self.is_feature(&terms.product, &feature.name)),
                    makes: vec![Key::License(terms.id.clone())],
                    ..Said::default()
                }
            }
            Recorded::LicenseRemoved { license, .. } => Said::refers(Key::License(license.clone())),
            Recorded::LicenseAssigned {
                id,
                license,
                target,
                ..
            } => Said {
                about: matches!(target, Target::User(user) if self.is_user(*user)),
                refers: vec![Key::License(license.clone())],
                makes: vec![Key::Assignment(*id)],
                ..Said::default()
            },
            Recorded::AssignmentChanged { id, .. } => Said::refers(Key::Assignment(*id)),
            Recorded::Registered(asked) => Said::of(self.is_user(asked.user)),
            Recorded::CodeMade { of, .. } => Said::of(self.is_user(of.user)),
            Recorded::UserMade { user, .. }
            | Recorded::CodeUsed { user, .. }
            | Recorded::CodesDropped { user, .. }
            | Recorded::AddressProved { user, .. }
            | Recorded::PasswordSet { user, .. }
            | Recorded::LoginBound { user, .. }
            | Recorded::LoginUnbound { user, .. }
            | Recorded::ResetAsked { user, .. }
            | Recorded::ResetDropped { user }
            | Recorded::TokenMade { user, .. }
            | Recorded::TokensRevoked { user, .. }
            | Recorded::SessionMade { user, .. }
            | Recorded::SessionsEnded { user, .. }
            | Recorded::RegistrationApproved { user, .. }
            | Recorded::RegistrationRefused { user }
            | Recorded::AddressVerified { user }
            | Recorded::UserChanged { user, .. }
            | Recorded::UserPlaced { user, .. }
            | Recorded::RolesGiven { user, .. }
            | Recorded::TermsAccepted { user, .. }
            | Recorded::AddressChanged { user, .. }
            | Recorded::UserRemoved { user } => Said::of(self.is_user(*user)),
            Recorded::MembersAdded { users, .. } | Recorded::MembersDropped { users, .. } => {
                Said::of(users.iter().any(|user| self.is_user(*user)))
            }
            Recorded::LicenseUnassigned { id } => Said::ends(Key::Assignment(*id)),
            Recorded::CoolDownStarted {
                user,
                product,
                feature,
                ..
            }
            | Recorded::CoolDownDeleted {
                user,
                product,
                feature,
                ..
            } => Said::of(self.is_user(*user) || self.is_feature(product, feature)),
            _ => Said::default(),
        }
    }

    /// Who joins a grant brings the feature of the grant, and nobody but themselves.
    fn joined(&self, holder: HolderId, who: &HolderFacts) -> Said {
        let refers = match self {
            About::User(_) => Vec::new(),
            About::Feature(..) => vec![Key::Grant(holder.gid)],
        };
        Said {
            about: self.is_user(who.user),
            refers,
            makes: vec![Key::Grant(holder.gid), Key::Holder(holder)],
            ..Said::default()
        }
    }

    fn is_user(&self, user: UserId) -> bool {
        matches!(self, About::User(wanted) if *wanted == user)
    }

    fn is_feature(&self, product: &Name, feature: &Name) -> bool {
        match self {
            About::User(_) => false,
            About::Feature(wanted, name) => {
                name == feature && wanted.as_ref().is_none_or(|wanted| wanted == product)
            }
        }
    }
}

impl Said {
    fn of(about: bool) -> Said {
        Said {
            about,
            ..Said::default()
        }
    }

    fn refers(key: Key) -> Said {
        Said {
            refers: vec![key],
            ..Said::default()
        }
    }

    fn ends(key: Key) -> Said {
        Said {
            refers: vec![key.clone()],
            ends: vec![key],
            ..Said::default()
        }
    }
}
