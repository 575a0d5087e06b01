//! Panics that are expected, caught and told in words of our own: the hook, which prints a backtrace, is not called for them.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::thread;

thread_local! {
    static HUSHED: Cell<bool> = const { Cell::new(false) };
}

/// What was so before, restored however a call ends.
struct Before(bool);

/// What `look` says; an error where it panics, of which nobody else hears. Panics of other threads, and of what runs
/// [`aloud`], go to the hook as ever.
pub(crate) fn hushed<T>(look: impl FnOnce() -> T) -> thread::Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let hook = take_hook();
        set_hook(Box::new(move |panic| {
            if !HUSHED.get() {
                hook(panic);
            }
        }));
    });
    let _before = Before::but(true);
    catch_unwind(AssertUnwindSafe(look))
}

/// Runs our own code within a hushed call: its panics are a defect, and told.
pub(crate) fn aloud<T>(own: impl FnOnce() -> T) -> T {
    let _before = Before::but(false);
    own()
}

impl Before {
    fn but(hushed: bool) -> Before {
        Before(HUSHED.replace(hushed))
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        HUSHED.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_hushed_in_its_own_thread_and_call_only() {
        let elsewhere = || thread::spawn(|| HUSHED.get()).join().unwrap();
        let heard = Cell::new((true, true, true));
        let caught = hushed(|| {
            heard.set((HUSHED.get(), elsewhere(), aloud(|| HUSHED.get())));
            panic!("over damaged pages");
        });
        let why: Box<&str> = caught.unwrap_err().downcast().unwrap();
        assert_eq!(*why, "over damaged pages");
        assert_eq!(heard.get(), (true, false, false));
        assert!(!HUSHED.get());
        let caught = hushed(|| aloud(|| std::panic::resume_unwind(Box::new("our own"))));
        assert!(caught.is_err() && !HUSHED.get());
        assert_eq!(hushed(|| 7).unwrap(), 7);
    }
}
