//! Events of the directory in the words of the domain.

use super::words::Names;
use seatkeeper::token::dates;
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::ids::{GroupId, UnitId, UserId};
use seatkeeper_engine::state::{AccountKind, Place, Purpose, UserStatus, Way};
use seatkeeper_engine::time::Date;

/// Members that a sentence names.
const SHOWN: usize = 5;

/// The sentence, where the event is one of the directory.
pub(super) fn text(what: &Recorded, names: &mut impl Names) -> Option<String> {
    Some(match what {
        Recorded::UserMade {
            user,
            units,
            status,
            until,
            ..
        } => format!(
            "{} made{}, {}",
            who(*user, names),
            in_units(units, names),
            stands(*status, *until)
        ),
        Recorded::UserChanged {
            user,
            status,
            until,
        } => format!("{} is {}", who(*user, names), stands(*status, *until)),
        Recorded::AddressChanged { user, address, .. } => {
            let is = if address.is_some() { "another" } else { "no" };
            format!("{} has {is} mail address now", who(*user, names))
        }
        Recorded::UserPlaced { user, units } => {
            format!("{} placed{}", who(*user, names), in_units(units, names))
        }
        Recorded::UserRemoved { user } => format!("{} taken away", who(*user, names)),
        Recorded::TermsPublished { version, text, .. } => {
            format!("terms of service {version} in force, SHA-256 {text}")
        }
        Recorded::TermsAccepted { user, version } => {
            format!(
                "{} accepted the terms of service {version}",
                who(*user, names)
            )
        }
        Recorded::RolesGiven { user, roles } => {
            let roles = roles.iter();
            let roles: Vec<_> = roles
                .map(|given| format!("{} at {}", given.role, names.unit(given.unit)))
                .collect();
            let all = match roles.is_empty() {
                true => "no role but that of everybody".to_owned(),
                false => roles.join(", "),
            };
            format!("{} has {all}", who(*user, names))
        }
        other => {
            let units = text_of_units(other, names);
            return units
                .or_else(|| text_of_groups(other, names))
                .or_else(|| text_of_coming(other, names))
                .or_else(|| text_of_credentials(other, names))
                .or_else(|| text_of_roles(other));
        }
    })
}

fn text_of_roles(what: &Recorded) -> Option<String> {
    Some(match what {
        Recorded::RoleDefined {
            role,
            permissions,
            reach,
        } => {
            let permissions: Vec<_> = permissions.iter().map(|one| one.as_str()).collect();
            format!(
                "role {role} gives {}, {}",
                permissions.join(", "),
                reach.words()
            )
        }
        Recorded::RoleRemoved { role } => {
            format!("role {role} taken away, or as it came again")
        }
        _ => return None,
    })
}

fn text_of_units(what: &Recorded, names: &mut impl Names) -> Option<String> {
    Some(match what {
        Recorded::UnitMade { unit, place, .. } => {
            format!("unit {} made, {}", names.unit(*unit), at(*place, names))
        }
        Recorded::UnitRenamed { unit, .. } => {
            format!("unit renamed, it is {} now", names.unit(*unit))
        }
        Recorded::UnitMoved { unit, to } => {
            format!("unit {} moved, {}", names.unit(*unit), at(*to, names))
        }
        Recorded::AccountManaged { unit, by } => match by {
            Some(by) => format!(
                "account {} is managed by {}",
                names.unit(*unit),
                names.unit(*by)
            ),
            None => format!("account {} is managed by nobody else", names.unit(*unit)),
        },
        Recorded::UnitRemoved { unit } => format!("unit {} taken away", names.unit(*unit)),
        _ => return None,
    })
}

/// The sentence of somebody who asks to come in. Domains are named by the account that has them.
fn text_of_coming(what: &Recorded, names: &mut impl Names) -> Option<String> {
    Some(match what {
        Recorded::Registered(asked) => {
            let way = match &asked.way {
                Way::Company => ", which they made".to_owned(),
                Way::Joined => ", by its id".to_owned(),
                Way::License(license) => format!(", by license {license}"),
                Way::Access => ", for access".to_owned(),
            };
            let to = match asked.to {
                Some(to) => format!("the administrators of {}", names.unit(to)),
                None => "the administrators of this site".to_owned(),
            };
            format!(
                "{} asked to come into {}{way}; {to} answer it",
                who(asked.user, names),
                names.unit(asked.account)
            )
        }
        Recorded::RegistrationApproved {
            user,
            units,
            by_domain,
        } => format!(
            "{} let in{}{}",
            who(*user, names),
            in_units(units, names),
            if *by_domain {
                ", by the domain of their address"
            } else {
                ""
            }
        ),
        Recorded::RegistrationRefused { user } => format!("{} not let in", who(*user, names)),
        Recorded::AddressVerified { user } => {
            format!("the address of {} is known to be theirs", who(*user, names))
        }
        Recorded::DomainLetIn { account, .. } => {
            format!(
                "account {} lets in a domain by itself",
                names.unit(*account)
            )
        }
        Recorded::DomainDropped { account, .. } => {
            format!("account {} lets in a domain no more", names.unit(*account))
        }
        _ => return None,
    })
}

fn proved(who: &str, same: bool) -> String {
    let has = match same {
        true => "is known by their mail address",
        false => "has another mail address now",
    };
    format!("{who} {has}, by a code that was mailed there")
}

/// The sentence of how somebody proves who they are.
fn text_of_credentials(what: &Recorded, names: &mut impl Names) -> Option<String> {
    Some(match what {
        Recorded::CodeMade { of, .. } => {
            let purpose = match of.purpose {
                Purpose::Invitation => "an invitation",
                Purpose::Reset => "a code to set another password",
                Purpose::Address => "a code that shows an address to be theirs",
            };
            let mailed = if of.mailed.is_some() { ", mailed" } else { "" };
            format!("{} has {purpose}{mailed}", who(of.user, names))
        }
        Recorded::CodeUsed { user, .. } => format!("{} used a code", who(*user, names)),
        Recorded::CodesDropped { user, codes } => match codes.len() {
            1 => format!("a code of {} is good no more", who(*user, names)),
            many => format!("{many} codes of {} are good no more", who(*user, names)),
        },
        Recorded::AddressProved {
            user, was, address, ..
        } => proved(&who(*user, names), *was == Some(address.hash)),
        Recorded::PasswordSet { user, .. } => format!("{} has a new password", who(*user, names)),
        Recorded::LoginBound { user, .. } => {
            format!(
                "an account of a machine is signed in as {}",
                who(*user, names)
            )
        }
        Recorded::LoginUnbound { user, .. } => {
            format!(
                "an account of a machine is signed in as {} no more",
                who(*user, names)
            )
        }
        Recorded::ResetAsked { user, .. } => {
            format!("somebody asked for a code for {}", who(*user, names))
        }
        Recorded::TokenMade { user, until, .. } => {
            let until = until.map_or_else(String::new, |until| {
                format!(", until {}", dates::end(until.0))
            });
            format!(
                "{} has a token that stands for them{until}",
                who(*user, names)
            )
        }
        Recorded::TokensRevoked { user, tokens } => match tokens.len() {
            1 => format!(
                "a token of {} stands for nobody any more",
                who(*user, names)
            ),
            many => format!(
                "{many} tokens of {} stand for nobody any more",
                who(*user, names)
            ),
        },
        Recorded::SessionMade { user, until_j, .. } => format!(
            "{} has a session until {}",
            who(*user, names),
            dates::format(until_j.0)
        ),
        Recorded::SessionsEnded { user, sessions } => match sessions.len() {
            1 => format!("a session of {} is over", who(*user, names)),
            many => format!("{many} sessions of {} are over", who(*user, names)),
        },
        Recorded::ResetDropped { user } => {
            format!("{} gets no code for what was asked", who(*user, names))
        }
        _ => return None,
    })
}

fn text_of_groups(what: &Recorded, names: &mut impl Names) -> Option<String> {
    Some(match what {
        Recorded::GroupMade { group, unit, .. } => format!(
            "group {} made in {}",
            names.group(*group),
            names.unit(*unit)
        ),
        Recorded::GroupRenamed { group, .. } => {
            format!("group renamed, it is {} now", names.group(*group))
        }
        Recorded::GroupRemoved { group } => format!(
            "group {} taken away, and its assignments with it",
            names.group(*group)
        ),
        Recorded::MembersAdded {
            group,
            users,
            groups,
        } => format!(
            "{} joined group {}",
            members(users, groups, names),
            names.group(*group)
        ),
        Recorded::MembersDropped {
            group,
            users,
            groups,
        } => format!(
            "{} left group {}",
            members(users, groups, names),
            names.group(*group)
        ),
        _ => return None,
    })
}

/// `user ana`, and where the name is gone `user` with the id.
fn who(user: UserId, names: &mut impl Names) -> String {
    let name = names.user(user);
    match name.starts_with("user ") {
        true => name,
        false => format!("user {name}"),
    }
}

fn in_units(units: &[UnitId], names: &mut impl Names) -> String {
    let units: Vec<_> = units.iter().map(|unit| names.unit(*unit)).collect();
    match units.is_empty() {
        true => String::new(),
        false => format!(" in {}", units.join(" and ")),
    }
}

fn stands(status: UserStatus, until: Option<Date>) -> String {
    let status = match status {
        UserStatus::Invited => "invited",
        UserStatus::Pending => "pending",
        UserStatus::Active => "active",
        UserStatus::Suspended => "suspended",
    };
    match until {
        Some(until) => format!("{status}, a guest until {}", dates::end(until.0)),
        None => status.to_owned(),
    }
}

fn at(place: Place, names: &mut impl Names) -> String {
    match place {
        Place::Below(above) => format!("below {}", names.unit(above)),
        Place::Account(account) => {
            let kind = match account.kind {
                AccountKind::Producer => "producer",
                AccountKind::Partner => "partner",
                AccountKind::Customer => "customer",
            };
            let kind = match account.self_registered {
                true => "self-registered",
                false => kind,
            };
            match account.managed_by {
                Some(by) => format!("a {kind} account, managed by {}", names.unit(by)),
                None => format!("a {kind} account"),
            }
        }
    }
}

fn members(users: &[UserId], groups: &[GroupId], names: &mut impl Names) -> String {
    let mut shown: Vec<_> = groups
        .iter()
        .take(SHOWN)
        .map(|group| format!("group {}", names.group(*group)))
        .collect();
    let room = SHOWN.saturating_sub(shown.len());
    shown.extend(users.iter().take(room).map(|user| names.user(*user)));
    match (users.len() + groups.len()).saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
