//! Signals as messages: blocked before any thread begins, then read from a descriptor.

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;
use std::sync::mpsc::Sender;

/// A signal that came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caught {
    /// Its number.
    pub number: i32,
    /// The terminal sent it, and so to every process in the foreground.
    pub by_terminal: bool,
}

/// Signals that ask a program for something.
const ASKING: [Signal; 6] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];
/// `si_code` of what the kernel sends itself.
const SI_KERNEL: i32 = 0x80;

/// The blocked signals.
pub(crate) struct Signals(SignalFd);

impl Signals {
    /// Blocks the asking signals in this thread and all that begin after it; those that were ignored before
    /// (`nohup`) stay so.
    pub(crate) fn block() -> Outcome<Signals> {
        let ignored = ignored();
        let mut set = SigSet::empty();
        ASKING
            .iter()
            .filter(|signal| ignored >> (**signal as i32 - 1) & 1 == 0)
            .for_each(|signal| set.add(*signal));
        let fd = set.thread_block().and_then(|()| SignalFd::new(&set));
        fd.map(Signals).map_err(|error| {
            Failure::new(
                Exit::Failed,
                format!("signals cannot be caught: {error}"),
                "",
            )
        })
    }

    /// Sends every signal on as a message, from a thread of its own.
    pub(crate) fn watch<T: Send + 'static>(self, to: Sender<T>, news: fn(Caught) -> T) {
        std::thread::spawn(move || {
            while let Ok(Some(info)) = self.0.read_signal() {
                let number = i32::try_from(info.ssi_signo).unwrap_or_default();
                let caught = Caught {
                    number,
                    by_terminal: info.ssi_code == SI_KERNEL,
                };
                if to.send(news(caught)).is_err() {
                    break;
                }
            }
        });
    }
}

/// Lets every signal through again, for the program that takes this process's place.
pub(crate) fn unblock() -> nix::Result<()> {
    SigSet::empty().thread_set_mask()
}

/// The mask of ignored signals; none where /proc does not tell.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}
