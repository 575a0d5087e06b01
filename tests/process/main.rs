//! Real processes and real sockets: what the daemon does for those who speak to it.

mod dev;
mod faults;
mod identity;
mod impostor;
mod race;
mod walk;
