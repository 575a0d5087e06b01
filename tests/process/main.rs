//! Real processes and real sockets: what the daemon does for those who speak to it.

mod faults;
mod identity;
mod race;
mod walk;
