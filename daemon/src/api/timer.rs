//! hyper's timer for one connection: one entry in the runtime's wheel for all that it waits for, one wait after another.
//!
//! A wait that ends early, as nearly all do, leaves the entry where it is; when that fires too early for the wait at hand
//! it is moved once.

use hyper::rt::{Sleep, Timer};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// The timer of a connection.
#[derive(Default)]
pub(super) struct OneTimer(Arc<Mutex<Option<Entry>>>);

type Entry = Pin<Box<tokio::time::Sleep>>;

/// A wait.
struct Until {
    deadline: tokio::time::Instant,
    entry: Arc<Mutex<Option<Entry>>>,
}

impl Timer for OneTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Until {
            deadline: deadline.into(),
            entry: self.0.clone(),
        })
    }
}

impl Sleep for Until {}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entry.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(self.deadline)));
        if entry.deadline() > self.deadline {
            entry.as_mut().reset(self.deadline);
        }
        while entry.as_mut().poll(cx).is_ready() {
            if entry.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            entry.as_mut().reset(self.deadline);
        }
        Poll::Pending
    }
}
