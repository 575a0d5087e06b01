//! A timer for one connection, hyper's or that of its answers: one entry in the runtime's wheel for all that it waits for,
//! one wait after another.
//!
//! A wait that ends early, as nearly all do, leaves the entry where it is; when that fires too early for the wait at hand
//! it is moved once.

use hyper::rt::{Sleep, Timer};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::task::coop::unconstrained;

/// The timer of a connection.
#[derive(Default)]
pub(super) struct OneTimer(Arc<Mutex<Option<Entry>>>);

/// What stands in the runtime's wheel, and whom it wakes.
struct Entry {
    sleep: Pin<Box<tokio::time::Sleep>>,
    wakes: Waker,
}

/// A wait.
pub(super) struct Until {
    deadline: tokio::time::Instant,
    entry: Arc<Mutex<Option<Entry>>>,
}

impl OneTimer {
    /// A wait of this length from now on; the one before it has to be over.
    pub(super) fn wait(&self, length: Duration) -> Until {
        self.until(self.now() + length)
    }

    fn until(&self, deadline: Instant) -> Until {
        Until {
            deadline: deadline.into(),
            entry: self.0.clone(),
        }
    }
}

impl Timer for OneTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(self.until(deadline))
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
                entry.insert(Entry { sleep, wakes }).look(cx)
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
        while self.look(cx).is_ready() {
            if self.sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// Where it is not over it stands in the wheel afterwards, and wakes this task. To a task whose turn is used up tokio
    /// says that it is not over without putting it there; who takes that for a place in the wheel waits for ever.
    fn look(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        pin!(unconstrained(self.sleep.as_mut())).poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::turn_tests::Turn;
    use std::future::poll_fn;

    #[tokio::test(start_paused = true)]
    async fn s24_a_wait_that_begins_at_the_end_of_a_turn_ends() {
        let timer = OneTimer::default();
        let mut wait = timer.sleep(Duration::from_secs(5));
        let mut turn = Turn::default();
        let waited = poll_fn(move |cx| {
            turn.used_up_once(cx);
            wait.as_mut().poll(cx)
        });
        let ended = tokio::time::timeout(Duration::from_secs(60), tokio::spawn(waited)).await;
        ended.expect("the wait ends").expect("no panic");
    }
}
