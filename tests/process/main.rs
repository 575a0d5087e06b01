//! Real processes and real sockets: what the daemon does for those who speak to it.

mod assigning;
mod audit;
mod boot;
mod clock;
mod damage;
mod delegate;
mod dev;
mod faults;
mod hung;
mod identity;
mod impostor;
mod mail;
mod named;
mod organisation;
mod own_address;
mod past;
mod planted;
mod portals;
mod pruning;
mod race;
mod registration;
mod removal;
mod rollback;
mod sign_in;
mod terms;
mod walk;
