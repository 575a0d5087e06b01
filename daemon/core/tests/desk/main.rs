//! The desk over a memory journal and a manual clock: every verb, every no, and leases that the SDK's verifier takes.

mod accounts;
mod addresses;
mod audit;
mod broken;
mod credentials;
mod dates;
mod delegated;
mod directory;
mod gone;
mod install;
mod intruders;
mod leases;
mod named;
mod own_address;
mod problems;
mod registrations;
mod removal;
mod reserves;
mod rights;
mod roles;
mod rollback;
mod sessions;
mod site;
mod suppose;
mod terms;
mod waiting;
