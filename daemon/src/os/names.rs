//! Accounts of this machine by the name service: a uid's name, and whether it administers this daemon.

use crate::api::{Account, NameServiceDown, Names};
use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use std::ffi::CString;
use std::path::Path;

/// The machine's accounts.
pub struct MachineNames {
    /// Members of this group administer; nobody by group where empty.
    pub admin_group: String,
    /// This uid administers too: whoever started `dev`.
    pub admin_uid: Option<u32>,
}

impl Names for MachineNames {
    fn account(&self, uid: u32) -> Result<Account, NameServiceDown> {
        let user = named(uid)?;
        let administers =
            self.administers_by_uid(uid) || user.as_ref().is_some_and(|user| self.in_group(user));
        let name = user.map_or_else(|| format!("uid-{uid}"), |user| user.name);
        Ok(Account { name, administers })
    }

    fn administers_by_uid(&self, uid: u32) -> bool {
        uid == 0 || self.admin_uid == Some(uid)
    }
}

/// Why nobody administers by the group: the machine has none of this name. What is wrong, and what to do.
#[must_use]
pub fn no_such_group(group: &str) -> Option<(String, String)> {
    // Where the name service does not answer nothing is known, and so nothing is said.
    let missing = !group.is_empty() && matches!(Group::from_name(group), Ok(None));
    missing.then(|| {
        (
            format!("this machine has no group `{group}` (`admin_group`): only root administers this daemon"),
            format!("`groupadd --system {group}` and add its members, or name another group as `admin_group`; empty means root alone"),
        )
    })
}

impl MachineNames {
    /// Who administers, in words.
    #[must_use]
    pub fn administrators(&self) -> String {
        let mut words = "root".to_owned();
        if !self.admin_group.is_empty() {
            words += &format!(", or a member of the group `{}`", self.admin_group);
        }
        if let Some(uid) = self.admin_uid.filter(|uid| *uid != 0) {
            words += &format!(", or who started it (uid {uid})");
        }
        words
    }

    /// Groups are those of the account, never those of the process that asks (S16). Where they cannot be looked up nobody
    /// is in the group: a right is never guessed, and nobody else loses a seat over it.
    fn in_group(&self, user: &User) -> bool {
        let found = self.looked_up(user).unwrap_or_else(|why| {
            tracing::warn!(group = self.admin_group, %why, "the administrators' group cannot be looked up");
            None
        });
        found.is_some_and(|(group, groups)| groups.contains(&group))
    }

    fn looked_up(&self, user: &User) -> nix::Result<Option<(Gid, Vec<Gid>)>> {
        if self.admin_group.is_empty() {
            return Ok(None);
        }
        let Some(group) = Group::from_name(&self.admin_group)? else {
            return Ok(None);
        };
        let name = CString::new(user.name.as_bytes()).map_err(|_| Errno::EINVAL)?;
        Ok(Some((group.gid, getgrouplist(&name, user.gid)?)))
    }
}

/// The account of a uid; that there is none is no failure.
fn named(uid: u32) -> Result<Option<User>, NameServiceDown> {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(found) => Ok(found),
        // glibc says "no such" without an error; ENOENT is a service that does not run, unless there is no file of
        // accounts at all, as in small containers.
        Err(Errno::ENOENT) if !Path::new("/etc/passwd").exists() => Ok(None),
        Err(why) => Err(NameServiceDown(format!("getpwuid_r({uid}): {why}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s16_root_administers_and_a_nameless_uid_has_its_number() {
        let names = MachineNames {
            admin_group: "seatkeeper".to_owned(),
            admin_uid: Some(4_000_001),
        };
        let root = names.account(0).unwrap();
        assert_eq!((root.name.as_str(), root.administers), ("root", true));
        let nobody = names.account(4_000_000).unwrap();
        assert_eq!(
            (nobody.name.as_str(), nobody.administers),
            ("uid-4000000", false)
        );
        assert!(names.account(4_000_001).unwrap().administers);
    }
    #[test]
    fn s16_members_of_the_group_administer_by_the_groups_of_their_account() {
        // Nearly every system has uid 1 in a group of its own.
        let Ok(Some(user)) = User::from_uid(Uid::from_raw(1)) else {
            println!("not run: this machine has no uid 1");
            return;
        };
        let administers = |group: &str| {
            let names = MachineNames {
                admin_group: group.to_owned(),
                admin_uid: None,
            };
            names.account(1).unwrap().administers
        };
        assert!(administers(
            &Group::from_gid(user.gid).unwrap().unwrap().name
        ));
        assert!(!administers("seatkeeper-no-such-group"));
        assert!(!administers(""));
        assert_eq!(
            no_such_group(&Group::from_gid(user.gid).unwrap().unwrap().name),
            None
        );
    }

    #[test]
    fn a_group_that_is_not_there_is_told() {
        let (text, remedy) = no_such_group("seatkeeper-no-such-group").unwrap();
        assert!(
            text.contains("no group `seatkeeper-no-such-group`"),
            "{text}"
        );
        assert!(remedy.contains("groupadd"), "{remedy}");
        assert_eq!(no_such_group(""), None, "root alone, as was asked for");
    }
}
