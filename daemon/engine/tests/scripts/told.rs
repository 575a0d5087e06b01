//! Each recorded event in a line, with what tells it from others of its kind.

use crate::stage::{BASE, Stage, ended, ending, list};
use crate::words::{id, show};
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::ids::{GroupId, LicenseId, UnitId, UserId};
use seatkeeper_engine::state::{Place, Target};
use std::fmt::Display;

impl Stage {
    /// The line of an event.
    pub(crate) fn tell(&mut self, event: &Recorded) {
        let told = self.told_of_seats(event);
        let told = told.or_else(|| self.told_of_terms(event));
        let told = told.or_else(|| self.told_of_coming(event));
        let told = told.or_else(|| self.told_of_credentials(event));
        let told = told.or_else(|| self.told_of_the_site(event));
        let told = told.or_else(|| self.told_of_licenses(event));
        let told = told.or_else(|| self.told_of_units(event));
        let told = told.or_else(|| self.told_of_users(event));
        match told {
            Some(text) => self.line(&text),
            None => panic!("no line tells of {event:?}"),
        }
        if let Recorded::LicenseAssigned {
            id,
            license,
            target,
            ..
        } = event
        {
            let of = self.assignment_of(license, *target);
            self.assignments.insert(*id, of);
        }
    }

    fn told_of_seats(&self, event: &Recorded) -> Option<String> {
        Some(match event {
            Recorded::SeatTaken(taken) => {
                let slots = taken
                    .slots
                    .iter()
                    .map(u64::to_string)
                    .collect::<Vec<_>>()
                    .join(",");
                let other = if taken.pool.license.id.as_ref() == "L1" {
                    String::new()
                } else {
                    format!(" license={}", taken.pool.license.id)
                };
                format!(
                    "SeatTaken slot={slots} gid={} user={}{other}",
                    taken.gid,
                    self.name(taken.who.user)
                )
            }
            Recorded::SeatAssigned(kept) => {
                let (gid, slot) = (kept.gid, kept.slot);
                format!(
                    "SeatAssigned slot={slot} gid={gid} user={}",
                    self.name(kept.user)
                )
            }
            Recorded::SeatRecalled { gid } => format!("SeatRecalled gid={gid}"),
            Recorded::HolderJoined { holder, who, .. } => {
                format!("HolderJoined {holder} user={}", self.name(who.user))
            }
            Recorded::LeaseAdopted { holder, was, .. } => {
                format!("LeaseAdopted {holder} was={was}")
            }
            Recorded::HoldersEnding { holders, why, hard } => {
                format!(
                    "HoldersEnding {} why={}{}",
                    list(holders),
                    ending(*why),
                    if *hard { " hard" } else { "" }
                )
            }
            Recorded::EndingTakenBack { holders } => format!("EndingTakenBack {}", list(holders)),
            Recorded::LastSigned { holder, until } => {
                format!("LastSigned {holder} until={}", show(until.0 / 1000))
            }
            Recorded::HolderEnded { holder, why, .. } => {
                format!("HolderEnded {holder} why={}", ended(*why))
            }
            Recorded::SeatEnded { gid, why, .. } => {
                format!("SeatEnded gid={gid} why={}", ended(*why))
            }
            Recorded::CheckoutEnded { .. } => "CheckoutEnded".to_owned(),
            Recorded::CoolDownStarted { user, until, .. } => {
                format!(
                    "CoolDownStarted user={} until={}",
                    self.name(*user),
                    show(until.0 / 1000)
                )
            }
            Recorded::CoolDownDeleted { user, .. } => {
                format!("CoolDownDeleted user={}", self.name(*user))
            }
            _ => return None,
        })
    }

    fn told_of_the_site(&self, event: &Recorded) -> Option<String> {
        Some(match event {
            Recorded::SiteFounded { .. } => "SiteFounded".to_owned(),
            Recorded::RunStarted { epoch, .. } => format!("RunStarted epoch={epoch}"),
            Recorded::RunStopped { holds } => format!("RunStopped holds={}", holds.len()),
            Recorded::CheckpointWritten { number, .. } => format!("CheckpointWritten {number}"),
            Recorded::JournalPruned { before } => format!("JournalPruned before={before}"),
            Recorded::FutureShown {
                shown,
                epoch,
                since,
                ..
            } => format!(
                "FutureShown epoch={} grant={} new_epoch={epoch} since={}",
                shown.epoch,
                shown.grant,
                show(since.0 / 1000)
            ),
            Recorded::QuarantineBegan { since } => {
                format!("QuarantineBegan since={}", show(since.0 / 1000))
            }
            Recorded::ClockAccepted { from, to, .. } => format!(
                "ClockAccepted from={} to={} clocks_accepted={}",
                show(from.0.saturating_sub(BASE)),
                show(to.0.saturating_sub(BASE)),
                self.engine.state().clock.count
            ),
            _ => return None,
        })
    }

    fn told_of_licenses(&self, event: &Recorded) -> Option<String> {
        let of = |id| self.assignments.get(id).cloned();
        let of = |id| of(id).unwrap_or_else(|| format!("{id}"));
        Some(match event {
            Recorded::VendorTrusted { vendor, roots } => {
                format!("VendorTrusted {vendor} roots={}", roots.len())
            }
            Recorded::IssuerSeen(seen) => format!(
                "IssuerSeen min_serial={} revoked_kids={}",
                seen.min_serial,
                seen.revoked_kids.len()
            ),
            Recorded::LicenseInstalled { terms, .. } => {
                format!("LicenseInstalled {} serial={}", terms.id.id, terms.serial)
            }
            Recorded::LicenseWaits { terms, .. } => {
                format!("LicenseWaits {} serial={}", terms.id.id, terms.serial)
            }
            Recorded::LicenseRemoved {
                license, waiting, ..
            } => {
                let serial = waiting.map(|serial| format!(" waiting={serial}"));
                format!(
                    "LicenseRemoved {}{}",
                    license.id,
                    serial.unwrap_or_default()
                )
            }
            Recorded::VendorRemoved { vendor } => format!("VendorRemoved {vendor}"),
            Recorded::LicenseAssigned {
                license, target, ..
            } => format!("LicenseAssigned {}", self.assignment_of(license, *target)),
            Recorded::AssignmentChanged { id, .. } => format!("AssignmentChanged {}", of(id)),
            Recorded::LicenseUnassigned { id } => format!("LicenseUnassigned {}", of(id)),
            _ => return None,
        })
    }

    fn told_of_units(&self, event: &Recorded) -> Option<String> {
        Some(match event {
            Recorded::UnitMade { unit, place, .. } => {
                format!("UnitMade {} {}", self.called(*unit), self.placed(*place))
            }
            Recorded::UnitRenamed { unit, .. } => format!("UnitRenamed {}", self.called(*unit)),
            Recorded::UnitMoved { unit, to } => {
                format!("UnitMoved {} {}", self.called(*unit), self.placed(*to))
            }
            Recorded::AccountManaged { unit, by } => {
                let by = by.map_or_else(|| "nobody".to_owned(), |by| self.called(by));
                format!("AccountManaged {} by={by}", self.called(*unit))
            }
            Recorded::UnitRemoved { unit } => format!("UnitRemoved {}", self.called(*unit)),
            Recorded::GroupMade { group, unit, .. } => format!(
                "GroupMade {} in={}",
                self.group_called(*group),
                self.called(*unit)
            ),
            Recorded::GroupRenamed { group, .. } => {
                format!("GroupRenamed {}", self.group_called(*group))
            }
            Recorded::GroupRemoved { group } => {
                format!("GroupRemoved {}", self.group_called(*group))
            }
            Recorded::MembersAdded {
                group,
                users,
                groups,
            } => format!(
                "MembersAdded {} to={}",
                self.members(users, groups),
                self.group_called(*group)
            ),
            Recorded::MembersDropped {
                group,
                users,
                groups,
            } => format!(
                "MembersDropped {} from={}",
                self.members(users, groups),
                self.group_called(*group)
            ),
            Recorded::DomainLetIn { account, .. } => {
                format!("DomainLetIn account={}", self.called(*account))
            }
            Recorded::DomainDropped { account, .. } => {
                format!("DomainDropped account={}", self.called(*account))
            }
            _ => return None,
        })
    }

    fn told_of_users(&self, event: &Recorded) -> Option<String> {
        Some(match event {
            Recorded::UserMet { user, .. } => format!("UserMet {}", self.name(*user)),
            Recorded::UserMade {
                user,
                units,
                status,
                until,
                ..
            } => format!(
                "UserMade {} in={} {}{}",
                self.name(*user),
                joined(units.iter().map(|unit| self.called(*unit))),
                format!("{status:?}").to_lowercase(),
                until.map_or("", |_| " guest")
            ),
            Recorded::UserChanged {
                user,
                status,
                until,
            } => format!(
                "UserChanged {} {}{}",
                self.name(*user),
                format!("{status:?}").to_lowercase(),
                until.map_or("", |_| " guest")
            ),
            Recorded::UserPlaced { user, units } => format!(
                "UserPlaced {} in={}",
                self.name(*user),
                joined(units.iter().map(|unit| self.called(*unit)))
            ),
            Recorded::UserRemoved { user } => format!("UserRemoved {}", self.name(*user)),
            Recorded::AddressVerified { user } => format!("AddressVerified {}", self.name(*user)),
            Recorded::RoleDefined {
                role, permissions, ..
            } => format!("RoleDefined {role} permissions={}", permissions.len()),
            Recorded::RoleRemoved { role } => format!("RoleRemoved {role}"),
            Recorded::RolesGiven { user, roles } => {
                let roles = roles.iter();
                let roles = roles.map(|of| format!("{}@{}", of.role, self.called(of.unit)));
                format!("RolesGiven {} roles={}", self.name(*user), joined(roles))
            }
            _ => return None,
        })
    }

    /// A unit by the name that the script gives it.
    pub(crate) fn called(&self, unit: UnitId) -> String {
        let mut named = self.spoken.iter().map(String::as_str);
        let named = named.find(|name| self.unit(name) == unit);
        named.map_or_else(|| unit.to_string(), str::to_owned)
    }

    fn group_called(&self, group: GroupId) -> String {
        let named = self.spoken.iter();
        let mut named = named.filter(|name| GroupId(id("group", name)) == group);
        named.next().cloned().unwrap_or_else(|| group.to_string())
    }

    fn assignment_of(&self, license: &LicenseId, target: Target) -> String {
        let to = match target {
            Target::User(user) => self.name(user),
            Target::Unit(unit) => format!("unit:{}", self.called(unit)),
            Target::Group(group) => format!("group:{}", self.group_called(group)),
        };
        format!("{} to={to}", license.id)
    }

    fn placed(&self, place: Place) -> String {
        match place {
            Place::Below(above) => format!("below={}", self.called(above)),
            Place::Account(account) => format!("{:?}", account.kind).to_lowercase(),
        }
    }

    fn members(&self, users: &[UserId], groups: &[GroupId]) -> String {
        let users = users.iter().map(|user| self.name(*user));
        let groups = groups.iter();
        let groups = groups.map(|group| format!("group:{}", self.group_called(*group)));
        joined(users.chain(groups))
    }
}

fn joined(all: impl Iterator<Item = impl Display>) -> String {
    let all: Vec<_> = all.map(|one| one.to_string()).collect();
    all.join(",")
}
