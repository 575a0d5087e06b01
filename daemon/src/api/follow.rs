//! Those who follow events: what each batch recorded, handed over by the keeper without waiting for anyone.

use super::limits::{STREAM_BEHIND, STREAMS};
use seatkeeper_core::keeper::Published;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

/// Where batches are published. Clones are the same place.
#[derive(Clone)]
pub struct Follow {
    sender: broadcast::Sender<Arc<Published>>,
    room: Arc<Semaphore>,
}

impl Default for Follow {
    fn default() -> Self {
        Follow {
            sender: broadcast::Sender::new(STREAM_BEHIND),
            room: Arc::new(Semaphore::new(STREAMS)),
        }
    }
}

impl Follow {
    /// Hands a batch to everyone who follows; never waits.
    pub fn publish(&self, published: &Arc<Published>) {
        // No receiver is no failure: nobody follows.
        let _ = self.sender.send(published.clone());
    }

    /// Follows from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Published>> {
        self.sender.subscribe()
    }

    /// Room for one more stream; `None` where there are enough.
    pub(super) fn room(&self) -> Option<OwnedSemaphorePermit> {
        self.room.clone().try_acquire_owned().ok()
    }
}
