//! The process watch (rule 14): one thread on epoll over pidfds; a holder's death is known within milliseconds.

use super::peer::{self, Identity, PeerProcess};
use rustix::event::epoll;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use seatkeeper_engine::command::Pid;
use seatkeeper_engine::ids::{HolderId, InstanceId};
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Told the holders of a process that died.
pub type OnDeath = Box<dyn Fn(Vec<HolderId>) + Send>;

/// Another live process shows the same instance id (rule 6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InstanceTaken;

/// The watch; dropping it ends its thread.
pub struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// A process that is being asked for: it is watched while this lives, and from then on while it has holders.
pub struct Admitted {
    shared: Arc<Shared>,
    key: Option<u64>,
    /// The process as this kernel numbers it.
    pub pid: Option<Pid>,
}

struct Shared {
    epoll: OwnedFd,
    stop: OwnedFd,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    last: u64,
    processes: HashMap<u64, Watched>,
    identities: HashMap<Identity, u64>,
    instances: HashMap<(u32, InstanceId), u64>,
    holders: HashMap<HolderId, u64>,
}

struct Watched {
    pidfd: OwnedFd,
    identity: Identity,
    instances: Vec<(u32, InstanceId)>,
    holders: BTreeSet<HolderId>,
    asking: usize,
}

/// The epoll mark of the stop event; processes count from 1.
const STOP: u64 = 0;

impl Watch {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's.
    pub fn start(on_death: OnDeath) -> io::Result<Watch> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let stop = eventfd(0, EventfdFlags::CLOEXEC)?;
        epoll::add(
            &epoll,
            &stop,
            epoll::EventData::new_u64(STOP),
            epoll::EventFlags::IN,
        )?;
        let shared = Arc::new(Shared {
            epoll,
            stop,
            table: Mutex::default(),
        });
        let watched = shared.clone();
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || watched.run(&on_death))?;
        Ok(Watch {
            shared,
            thread: Some(thread),
        })
    }

    /// Admits the process of a connection that asks under an instance id. Where the kernel gives no handle the process is not watched.
    ///
    /// # Errors
    /// Another live process of this uid has the instance id.
    pub fn admit(
        &self,
        stream: impl AsFd,
        uid: u32,
        instance: InstanceId,
    ) -> Result<Admitted, InstanceTaken> {
        let found = match peer::process(stream) {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(uid, %error, "a process cannot be watched; only its holds count");
                return Ok(Admitted {
                    shared: self.shared.clone(),
                    key: None,
                    pid: None,
                });
            }
        };
        let pid = found.pid;
        let mut table = self.shared.lock();
        let key = self.shared.entry(&mut table, found);
        if let Some(key) = key {
            if let Some(other) = table.instances.get(&(uid, instance)).copied()
                && other != key
                && table.processes.get(&other).is_some_and(|p| alive(&p.pidfd))
            {
                table.tidy(&self.shared.epoll, key);
                return Err(InstanceTaken);
            }
            table.bind(key, (uid, instance));
        }
        drop(table);
        Ok(Admitted {
            shared: self.shared.clone(),
            key,
            pid,
        })
    }

    /// The holder is gone; a process without holders is watched no longer.
    pub fn forget(&self, holder: HolderId) {
        let mut table = self.shared.lock();
        if let Some(key) = table.holders.remove(&holder) {
            if let Some(process) = table.processes.get_mut(&key) {
                process.holders.remove(&holder);
            }
            table.tidy(&self.shared.epoll, key);
        }
    }

    /// Whether a holder's process is watched.
    #[must_use]
    pub fn watched(&self, holder: HolderId) -> bool {
        self.shared.lock().holders.contains_key(&holder)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The stop event has room for this one; the thread reads nothing else from it.
        let _ = rustix::io::write(&self.shared.stop, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Admitted {
    /// Watches the process for a holder.
    pub fn watch(&self, holder: HolderId) {
        let Some(key) = self.key else { return };
        let mut table = self.shared.lock();
        if let Some(process) = table.processes.get_mut(&key) {
            process.holders.insert(holder);
            table.holders.insert(holder, key);
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let mut table = self.shared.lock();
            if let Some(process) = table.processes.get_mut(&key) {
                process.asking -= 1;
            }
            table.tidy(&self.shared.epoll, key);
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table's entry of a live process, made where it is new; counts one that asks.
    fn entry(&self, table: &mut Table, found: PeerProcess) -> Option<u64> {
        if let Some(key) = table.identities.get(&found.identity).copied()
            && let Some(process) = table.processes.get_mut(&key)
            && alive(&process.pidfd)
        {
            process.asking += 1;
            return Some(key);
        }
        table.last += 1;
        let key = table.last;
        epoll::add(
            &self.epoll,
            &found.pidfd,
            epoll::EventData::new_u64(key),
            epoll::EventFlags::IN,
        )
        .inspect_err(
            |error| tracing::warn!(%error, "a process cannot be watched; only its holds count"),
        )
        .ok()?;
        table.identities.insert(found.identity, key);
        let process = Watched {
            pidfd: found.pidfd,
            identity: found.identity,
            instances: Vec::new(),
            holders: BTreeSet::new(),
            asking: 1,
        };
        table.processes.insert(key, process);
        Some(key)
    }

    fn run(&self, on_death: &OnDeath) {
        let mut events = Vec::with_capacity(256);
        loop {
            events.clear();
            match epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                None,
            ) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    tracing::error!(%error, "the process watch has ended; only holds count from now on");
                    return;
                }
            }
            for event in &events {
                match event.data.u64() {
                    STOP => return,
                    key => self.died(key, on_death),
                }
            }
        }
    }

    fn died(&self, key: u64, on_death: &OnDeath) {
        let gone = self.lock().remove(&self.epoll, key);
        let holders: Vec<_> = gone
            .map(|process| process.holders.into_iter().collect())
            .unwrap_or_default();
        if !holders.is_empty() {
            on_death(holders);
        }
    }
}

impl Table {
    fn bind(&mut self, key: u64, instance: (u32, InstanceId)) {
        let before = self.instances.insert(instance, key);
        if before != Some(key)
            && let Some(process) = self.processes.get_mut(&key)
        {
            process.instances.push(instance);
        }
    }

    /// Drops a process that nobody asks for and that has no holders.
    fn tidy(&mut self, epoll: &OwnedFd, key: u64) {
        let idle = self
            .processes
            .get(&key)
            .is_some_and(|p| p.asking == 0 && p.holders.is_empty());
        if idle {
            self.remove(epoll, key);
        }
    }

    fn remove(&mut self, epoll: &OwnedFd, key: u64) -> Option<Watched> {
        let process = self.processes.remove(&key)?;
        let _ = epoll::delete(epoll, &process.pidfd);
        if self.identities.get(&process.identity) == Some(&key) {
            self.identities.remove(&process.identity);
        }
        for instance in &process.instances {
            if self.instances.get(instance) == Some(&key) {
                self.instances.remove(instance);
            }
        }
        for holder in &process.holders {
            self.holders.remove(holder);
        }
        Some(process)
    }
}

/// A pidfd is readable once its process is gone.
fn alive(pidfd: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())) == Ok(0)
}

#[cfg(test)]
mod tests;
