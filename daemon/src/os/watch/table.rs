//! Who is watched and for whom: processes by key and identity, instances in use, holders by id and by process.
//!
//! Nearly every process has one instance and one holder: what belongs to them lies in the tables of all, not in tables of
//! their own.

use crate::os::peer::Identity;
use rustix::event::epoll;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use seatkeeper_engine::ids::{Gid, HolderId, InstanceId};
use std::collections::{BTreeSet, HashMap};
use std::os::fd::OwnedFd;

/// An instance id in the room of its uid.
pub(super) type Instance = (u32, InstanceId);

/// The table.
#[derive(Default)]
pub(super) struct Table {
    last: u64,
    processes: HashMap<u64, Watched>,
    identities: HashMap<Identity, u64>,
    /// Whose an instance is, and how many ask and hold under it.
    instances: HashMap<Instance, (u64, u32)>,
    holders: HashMap<HolderId, (u64, Instance)>,
    of_process: BTreeSet<(u64, HolderId)>,
}

struct Watched {
    pidfd: OwnedFd,
    identity: Identity,
    /// How many ask and hold: a process that nobody needs is watched no longer.
    needed: usize,
}

impl Table {
    /// Forgets everyone; keys go on.
    pub(super) fn clear(&mut self) {
        *self = Table {
            last: self.last,
            ..Table::default()
        };
    }

    pub(super) fn processes(&self) -> usize {
        self.processes.len()
    }

    pub(super) fn process(&self, identity: Identity) -> Option<(u64, &OwnedFd)> {
        let key = *self.identities.get(&identity)?;
        Some((key, &self.processes.get(&key)?.pidfd))
    }

    /// The key of the next process that is entered; keys are never used again.
    pub(super) fn next_key(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(super) fn enter(&mut self, key: u64, pidfd: OwnedFd, identity: Identity) {
        self.identities.insert(identity, key);
        let process = Watched {
            pidfd,
            identity,
            needed: 0,
        };
        self.processes.insert(key, process);
    }

    pub(super) fn watched(&self, holder: HolderId) -> bool {
        self.holders.contains_key(&holder)
    }

    pub(super) fn holders(&self) -> Vec<HolderId> {
        self.of_process.iter().map(|(_, holder)| *holder).collect()
    }

    /// Whether a process is watched for a holder of this instance.
    pub(super) fn has(&self, identity: Identity, instance: Instance, holder: HolderId) -> bool {
        let held = self.holders.get(&holder);
        held.is_some_and(|(key, of)| *of == instance && self.identities.get(&identity) == Some(key))
    }

    /// Whether another live process has the instance.
    pub(super) fn taken(&self, key: u64, instance: Instance) -> bool {
        let other = self.instances.get(&instance);
        other
            .filter(|(other, _)| *other != key)
            .and_then(|(other, _)| self.processes.get(other))
            .is_some_and(|process| alive(&process.pidfd))
    }

    /// Seats a holder in its process, once. False where the process is gone.
    pub(super) fn seat(&mut self, key: u64, holder: HolderId, instance: Instance) -> bool {
        if !self.processes.contains_key(&key) {
            return false;
        }
        if let std::collections::hash_map::Entry::Vacant(free) = self.holders.entry(holder) {
            free.insert((key, instance));
            self.of_process.insert((key, holder));
            self.need(key, instance);
        }
        true
    }

    pub(super) fn forget(&mut self, epoll: &OwnedFd, holder: HolderId) {
        if let Some(key) = self.unseat(holder) {
            self.tidy(epoll, key);
        }
    }

    /// One more asks or holds under the instance.
    pub(super) fn need(&mut self, key: u64, instance: Instance) {
        let Some(process) = self.processes.get_mut(&key) else {
            return;
        };
        process.needed += 1;
        let (owner, count) = self.instances.entry(instance).or_insert((key, 0));
        if *owner != key {
            // Its former owner is dead: what that still counts is not this process's.
            (*owner, *count) = (key, 0);
        }
        *count += 1;
    }

    pub(super) fn need_no_more(&mut self, key: u64, instance: Instance) {
        if let Some(process) = self.processes.get_mut(&key) {
            process.needed -= 1;
        }
        if let Some((owner, count)) = self.instances.get_mut(&instance)
            && *owner == key
        {
            *count -= 1;
            if *count == 0 {
                self.instances.remove(&instance);
            }
        }
    }

    /// Drops a process that nobody asks for and that has no holders.
    pub(super) fn tidy(&mut self, epoll: &OwnedFd, key: u64) {
        let process = self.processes.get(&key);
        if process.is_some_and(|process| process.needed == 0) {
            self.remove(epoll, key);
        }
    }

    /// Drops a process; returns the holders that it had.
    pub(super) fn remove(&mut self, epoll: &OwnedFd, key: u64) -> Vec<HolderId> {
        const FIRST: HolderId = HolderId {
            gid: Gid { epoch: 0, n: 0 },
            h: 0,
        };
        let of_process = self.of_process.range((key, FIRST)..(key + 1, FIRST));
        let holders: Vec<_> = of_process.map(|(_, holder)| *holder).collect();
        for holder in &holders {
            self.unseat(*holder);
        }
        if let Some(process) = self.processes.remove(&key) {
            // A descriptor that is closed leaves the epoll by itself.
            let _ = epoll::delete(epoll, &process.pidfd);
            if self.identities.get(&process.identity) == Some(&key) {
                self.identities.remove(&process.identity);
            }
        }
        holders
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.processes.is_empty()
            && self.identities.is_empty()
            && self.instances.is_empty()
            && self.holders.is_empty()
            && self.of_process.is_empty()
    }

    #[cfg(test)]
    pub(super) fn instances(&self) -> usize {
        self.instances.len()
    }

    fn unseat(&mut self, holder: HolderId) -> Option<u64> {
        let (key, instance) = self.holders.remove(&holder)?;
        self.of_process.remove(&(key, holder));
        self.need_no_more(key, instance);
        Some(key)
    }
}

/// A pidfd is readable once its process is gone.
pub(super) fn alive(pidfd: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())) == Ok(0)
}
