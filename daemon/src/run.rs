//! `seatkeeperd run`: settings → site → watch → API → inboxes, and the way back on SIGTERM.

use crate::api::Limits;
use crate::config::{AssignNew, Settings, UnknownUsers};
use crate::inbox::Inbox;
use crate::observe;
use crate::os::{self, names::MachineNames, process};
use crate::service::{Opening, Service, notify, this_machine};
use crate::site::Plan;
use seatkeeper::testing::DEV_ROOT;
use seatkeeper::token::keys::PublicKey;
use seatkeeper::wire::ConfigEntry;
use seatkeeper_core::clock::SystemClock;
use seatkeeper_core::desk::{self, Desk};
use std::sync::Arc;

/// What is told to whoever starts it as root.
const NOT_AS_ROOT: &str = "not as root: the daemon needs no privilege, and a fault in it should not have any.\n\
To try it out: `seatkeeperd dev` runs as whoever starts it.\n\
To serve a site: `seatkeeperd run` as an ordinary user, with --state-dir and --socket in folders of its own; best as one that does nothing else, \
made with `useradd --system --user-group seatkeeper`: `setpriv --reuid=seatkeeper --regid=seatkeeper --init-groups seatkeeperd run`.\n\
Where a package installed it with a service: `systemctl start seatkeeperd`.";

/// Runs until SIGTERM or SIGINT. Ask [`may_run`] first.
///
/// # Errors
/// A text for people: what is wrong and what to do.
pub fn run(settings: &Settings) -> Result<(), String> {
    observe::start(settings.log_level, settings.log_format);
    harden();
    let service = Service::start(opening(settings)?).map_err(|e| e.to_string())?;
    refuse_dev_root(&service.site().desk)?;
    let inbox = Inbox::start(
        service.site().desk.clone(),
        settings.vendors_dir.clone(),
        settings.licenses_dir.clone(),
    );
    let inbox = inbox.map_err(|e| format!("the inboxes cannot be watched: {e}"))?;
    // Before READY: whoever was told so may send SIGTERM in the same millisecond.
    let signals = service.signals();
    let mut signals = signals.map_err(|e| format!("signals cannot be waited for: {e}"))?;
    tracing::info!(socket = %settings.socket.display(), "seatkeeperd serves");
    notify("READY=1");
    service.wait_for(&mut signals);
    notify("STOPPING=1");
    drop(inbox);
    service.stop().map_err(|why| {
        format!("the stop was not clean ({why}); the next start takes up from the journal")
    })?;
    tracing::info!("seatkeeperd has stopped; seats are kept over the restart");
    Ok(())
}

fn harden() {
    if let Err(why) = process::leave_no_core() {
        tracing::warn!(%why, "cores could not be switched off: a crash would write the keys to disk");
    }
    if let Err(why) = process::raise_open_files() {
        tracing::warn!(%why, "the limit of open files could not be raised");
    }
}

fn opening(settings: &Settings) -> Result<Opening, String> {
    let machine = this_machine(&settings.site_name).map_err(|e| {
        format!("the kernel does not tell the boot id: {e}; set SEATKEEPER_BOOT_ID=%b in the unit")
    })?;
    let desk = desk::Settings {
        create_users: settings.unknown_users == UnknownUsers::Create,
        assign_new_to_everyone: settings.assign_new_licenses == AssignNew::Everyone,
        terms_block_checkout: settings.terms_block_checkout,
        disk_reserve: settings.disk_reserve,
        retention_days: settings.retention_days,
        refused_roots: vec![dev_root()],
        ..machine
    };
    Ok(Opening {
        plan: Plan {
            state: settings.state_dir.clone(),
            site_key: os::service::site_key(),
            checkpoint_events: settings.checkpoint_events,
            desk,
        },
        socket: settings.socket.clone(),
        names: MachineNames {
            admin_group: settings.admin_group.clone(),
            admin_uid: None,
        },
        config: config(settings),
        mail: settings.mail.clone(),
        clock: Arc::new(SystemClock),
        dev: None,
        limits: Limits {
            connections: at_most(settings.max_connections),
            per_uid: at_most(settings.max_connections_per_uid),
            ..Limits::default()
        },
        on_gone: Arc::new(|_, _| {}),
    })
}

/// The settings in the words of the wire.
#[must_use]
pub fn config(settings: &Settings) -> Vec<ConfigEntry> {
    let entries = settings.origins().into_iter();
    entries
        .map(|entry| ConfigEntry {
            key: entry.key.to_owned(),
            value: entry.value,
            origin: entry.origin.to_string(),
        })
        .collect()
}

fn at_most(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// Whether whoever starts it may.
///
/// # Errors
/// It is root: a text for people.
pub fn may_run() -> Result<(), String> {
    match process::uid() {
        0 => Err(NOT_AS_ROOT.to_owned()),
        _ => Ok(()),
    }
}

/// Thumbprint of the published development root: whoever reads the sources can sign with it.
fn dev_root() -> seatkeeper_engine::ids::Name {
    let root = PublicKey::from_pem(DEV_ROOT)
        .expect("the published key is a key: a test of the SDK reads it");
    root.thumbprint().into()
}

/// A state that `dev` made is none for `run`.
fn refuse_dev_root(desk: &Desk) -> Result<(), String> {
    let root = dev_root();
    let vendors = &desk.snapshot().state.vendors;
    let trusting = vendors
        .iter()
        .find(|(_, vendor)| vendor.roots.contains_key(&root));
    match trusting {
        None => Ok(()),
        Some((name, _)) => Err(format!(
            "this state trusts the published development root (vendor {name}), so anybody can sign licenses for it. Start with another --state-dir"
        )),
    }
}
