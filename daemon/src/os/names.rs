//! Accounts of this machine by the name service: a uid's name, and whether it administers this daemon.

use crate::api::{Account, NameServiceDown, Names};
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use std::ffi::CString;

/// The machine's accounts.
pub struct MachineNames {
    /// Members of this group administer; nobody by group where empty.
    pub admin_group: String,
    /// This uid administers too: whoever started `dev`.
    pub admin_uid: Option<u32>,
}

impl Names for MachineNames {
    fn account(&self, uid: u32) -> Result<Account, NameServiceDown> {
        let user = User::from_uid(Uid::from_raw(uid)).map_err(|e| down(&e))?;
        let administers = uid == 0
            || self.admin_uid == Some(uid)
            || match &user {
                Some(user) => self.in_group(user)?,
                None => false,
            };
        let name = user.map_or_else(|| format!("uid-{uid}"), |user| user.name);
        Ok(Account { name, administers })
    }
}

impl MachineNames {
    /// Groups are those of the account, never those of the process that asks (S16).
    fn in_group(&self, user: &User) -> Result<bool, NameServiceDown> {
        if self.admin_group.is_empty() {
            return Ok(false);
        }
        let group = Group::from_name(&self.admin_group).map_err(|e| down(&e))?;
        let Some(group) = group else { return Ok(false) };
        let name = CString::new(user.name.as_bytes()).map_err(|e| down(&e))?;
        let groups: Vec<Gid> = getgrouplist(&name, user.gid).map_err(|e| down(&e))?;
        Ok(groups.contains(&group.gid))
    }
}

fn down(why: &dyn std::fmt::Display) -> NameServiceDown {
    NameServiceDown(why.to_string())
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
}
