//! The process watch (rule 14): one thread on epoll over pidfds; a holder's death is known within milliseconds.

mod table;

use super::peer::{Identity, PeerProcess};
use rustix::event::epoll;
use rustix::event::{EventfdFlags, eventfd};
use rustix::process::{Resource, getrlimit};
use seatkeeper_engine::ids::{HolderId, InstanceId};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use table::{Instance, Table, alive};

/// Told the holders of a process that died.
pub type OnDeath = Box<dyn Fn(Vec<HolderId>) + Send + Sync>;

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
    instance: Instance,
}

struct Shared {
    epoll: OwnedFd,
    stop: OwnedFd,
    most: usize,
    on_death: OnDeath,
    table: Mutex<Table>,
    /// The thread has ended over an error: nothing is watched, and nobody is told of a death. Changed under the lock.
    over: AtomicBool,
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
            most: most_processes(),
            on_death,
            table: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let watched = shared.clone();
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || watched.run())?;
        Ok(Watch {
            shared,
            thread: Some(thread),
        })
    }

    /// Admits a process that asks under an instance id; without a handle on it, it is not watched.
    ///
    /// # Errors
    /// Another live process of this uid has the instance id.
    pub fn admit(
        &self,
        process: Option<&PeerProcess>,
        uid: u32,
        instance: InstanceId,
    ) -> Result<Admitted, InstanceTaken> {
        let mut table = self.shared.lock();
        let instance = (uid, instance);
        let key = process.and_then(|process| self.shared.entry(&mut table, process));
        if let Some(key) = key {
            if table.taken(key, instance) {
                table.tidy(&self.shared.epoll, key);
                return Err(InstanceTaken);
            }
            table.need(key, instance);
        }
        Ok(Admitted {
            shared: self.shared.clone(),
            key,
            instance,
        })
    }

    /// Whether the process is already watched for a holder of this instance.
    #[must_use]
    pub fn has(
        &self,
        process: Option<&PeerProcess>,
        (uid, instance): (u32, InstanceId),
        holder: HolderId,
    ) -> bool {
        let Some(identity) = process.map(|process| process.identity) else {
            return false;
        };
        self.shared.lock().has(identity, (uid, instance), holder)
    }

    /// The holder is gone; a process without holders is watched no longer.
    pub fn forget(&self, holder: HolderId) {
        self.shared.lock().forget(&self.shared.epoll, holder);
    }

    /// Every holder whose process is watched.
    #[must_use]
    pub fn holders(&self) -> Vec<HolderId> {
        self.shared.lock().holders()
    }

    /// Whether a holder's process is watched.
    #[must_use]
    pub fn watched(&self, holder: HolderId) -> bool {
        self.shared.lock().watched(holder)
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
    /// Watches the process for a holder. One that died since it was admitted is told at once.
    pub fn watch(&self, holder: HolderId) {
        let Some(key) = self.key else { return };
        let mut table = self.shared.lock();
        if !table.seat(key, holder, self.instance) && !self.shared.over() {
            drop(table);
            (self.shared.on_death)(vec![holder]);
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let mut table = self.shared.lock();
            table.need_no_more(key, self.instance);
            table.tidy(&self.shared.epoll, key);
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table's entry of a process, made where it is new and there is room. An inode is a process's own for ever; a
    /// number is only while the process lives.
    fn entry(&self, table: &mut Table, found: &PeerProcess) -> Option<u64> {
        if self.over() {
            return None;
        }
        if let Some((key, pidfd)) = table.process(found.identity)
            && (matches!(found.identity, Identity::Inode(_)) || alive(pidfd))
        {
            return Some(key);
        }
        if table.processes() >= self.most {
            tracing::warn!(
                most = self.most,
                "too many processes to watch; only the holds of further ones count"
            );
            return None;
        }
        let unwatched = |error: io::Error| tracing::warn!(%error, "a process cannot be watched; only its holds count");
        let pidfd = found.pidfd.try_clone().map_err(unwatched).ok()?;
        let key = table.next_key();
        let data = epoll::EventData::new_u64(key);
        epoll::add(&self.epoll, &pidfd, data, epoll::EventFlags::IN)
            .map_err(|e| unwatched(e.into()))
            .ok()?;
        table.enter(key, pidfd, found.identity);
        Some(key)
    }

    fn run(&self) {
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
                    return self.end();
                }
            }
            for event in &events {
                match event.data.u64() {
                    STOP => return,
                    key => self.died(key),
                }
            }
        }
    }

    fn over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Says of nobody any more that it is watched.
    fn end(&self) {
        let mut table = self.lock();
        self.over.store(true, Ordering::SeqCst);
        table.clear();
    }

    fn died(&self, key: u64) {
        let holders = self.lock().remove(&self.epoll, key);
        if !holders.is_empty() {
            (self.on_death)(holders);
        }
    }
}

/// A watched process costs a descriptor: half of them, so that connections, journal and log always have theirs.
fn most_processes() -> usize {
    let open_files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(open_files / 2).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
