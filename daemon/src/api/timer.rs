//! hyper's timer for one connection: one entry in the runtime's wheel for all that it waits for, one wait after another.
//!
//! A wait that ends early, as nearly all do, leaves the entry where it is; when that fires too early for the wait at hand
//! it is moved once.

use hyper::rt::{Sleep, Timer};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// The timer of a connection.
#[derive(Default)]
pub(super) struct OneTimer(Arc<Mutex<Option<Entry>>>);

/// What stands in the runtime's wheel, and whom it wakes.
struct Entry {
    sleep: Pin<Box<tokio::time::Sleep>>,
    wakes: Waker,
}

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
        match &mut *entry {
            Some(entry) => entry.poll(self.deadline, cx),
            None => {
                let sleep = Box::pin(tokio::time::sleep_until(self.deadline));
                let wakes = cx.waker().clone();
                let entry = entry.insert(Entry { sleep, wakes });
                entry.sleep.as_mut().poll(cx)
            }
        }
    }
}

impl Entry {
    fn poll(&mut self, deadline: tokio::time::Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = &mut self.sleep;
        let early = sleep.deadline() <= deadline;
        if early && !sleep.is_elapsed() && self.wakes.will_wake(cx.waker()) {
            return Poll::Pending;
        }
        if !early {
            sleep.as_mut().reset(deadline);
        }
        self.wakes.clone_from(cx.waker());
        while sleep.as_mut().poll(cx).is_ready() {
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}
