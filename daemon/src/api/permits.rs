//! How many connections there may be: of the listener, and of one uid in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections that are open now. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Permits {
    most: usize,
    per_uid: usize,
    open: Arc<Mutex<Open>>,
}

/// One open connection; its end gives the room back.
#[derive(Debug)]
pub(super) struct Permit {
    uid: u32,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_uid: BTreeMap<u32, usize>,
}

/// Which limit a connection met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Full {
    /// The listener's.
    Listener,
    /// Its uid's.
    Uid,
}

impl Permits {
    pub(super) fn new(most: usize, per_uid: usize) -> Self {
        Permits {
            most,
            per_uid,
            open: Arc::default(),
        }
    }

    /// Room for one more connection of this uid.
    pub(super) fn take(&self, uid: u32) -> Result<Permit, Full> {
        let mut open = lock(&self.open);
        if open.all >= self.most {
            return Err(Full::Listener);
        }
        let mine = open.by_uid.entry(uid).or_default();
        if *mine >= self.per_uid {
            return Err(Full::Uid);
        }
        *mine += 1;
        open.all += 1;
        Ok(Permit {
            uid,
            open: self.open.clone(),
        })
    }

    /// Connections that are open now.
    pub(super) fn open(&self) -> usize {
        lock(&self.open).all
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        open.all -= 1;
        if let Some(mine) = open.by_uid.get_mut(&self.uid) {
            *mine -= 1;
            if *mine == 0 {
                open.by_uid.remove(&self.uid);
            }
        }
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s24_one_uid_cannot_take_the_room_of_others() {
        let permits = Permits::new(3, 2);
        let first = permits.take(7).expect("room");
        let _second = permits.take(7).expect("room");
        assert_eq!(permits.take(7).err(), Some(Full::Uid));
        let _other = permits.take(8).expect("room of another uid");
        assert_eq!(permits.take(9).err(), Some(Full::Listener));
        drop(first);
        assert_eq!(permits.open(), 2);
        let _again = permits.take(7).expect("room again");
    }
}
