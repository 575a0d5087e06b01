//! An open site behind its socket: keeper, watch and API together, and the order in which they stop.

use crate::api::{self, BLOCKING, Dev, Limits};
use crate::clock::Stopwatch;
use crate::config::MailSettings;
use crate::mail::{self, Outbox, password};
use crate::os::names::{MachineNames, no_such_group};
use crate::os::socket::{SocketError, listen};
use crate::os::watch::Watch;
use crate::os::{machine, service::tell};
use crate::site::{Plan, Site, SiteError};
use crate::sweep::{self, holders};
use seatkeeper::wire::{ConfigEntry, Finding};
use seatkeeper_core::clock::Clock;
use seatkeeper_core::desk::Desk;
use seatkeeper_core::keeper::Failure;
use seatkeeper_engine::ids::HolderId;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Threads of the runtime: signing is the API's work, and the keeper has a thread of its own.
const WORKERS: std::ops::RangeInclusive<usize> = 2..=4;
/// Counts of denials are written this often.
const FLUSH: Duration = Duration::from_secs(60);
/// Files of the journal that are old enough are looked for this often.
const PRUNE: Duration = Duration::from_secs(60);
/// A delivery that is under way at a stop has so long to end.
const MAIL_STOP: Duration = Duration::from_secs(3);
/// The service manager hears this often that the daemon lives (its patience is 30 s).
const ALIVE: Duration = Duration::from_secs(10);

/// Told when holders ended because their process died, and how long that took.
pub type OnGone = Arc<dyn Fn(&[HolderId], Duration) + Send + Sync>;

/// What a service is started with.
pub struct Opening {
    /// The site.
    pub plan: Plan,
    /// Where it listens.
    pub socket: PathBuf,
    /// Who a uid is.
    pub names: MachineNames,
    /// Every setting.
    pub config: Vec<ConfigEntry>,
    /// Where mail goes.
    pub mail: MailSettings,
    /// What a caller may cost.
    pub limits: Limits,
    /// What the time is.
    pub clock: Arc<dyn Clock>,
    /// What only `dev` serves.
    pub dev: Option<Arc<Dev>>,
    /// Told of deaths, beside the log.
    pub on_gone: OnGone,
}

/// A daemon that serves.
pub struct Service {
    site: Site,
    runtime: Runtime,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
    watch: Arc<Watch>,
    mail: Outbox,
    socket: PathBuf,
}

/// What ends a daemon in order.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Nobody waits for it: heard, it does not end the daemon, and a write over a limit fails with the system's words.
    _file_size: Signal,
}

/// It does not start.
#[derive(Debug)]
pub enum ServiceError {
    /// The site.
    Site(SiteError),
    /// The socket.
    Socket(SocketError),
    /// The system: threads, epoll.
    System(io::Error),
}

impl Service {
    /// Opens the site and serves it. The inboxes come after this (they need the API's desk).
    ///
    /// # Errors
    /// Whatever of it cannot be had.
    pub fn start(opening: Opening) -> Result<Service, ServiceError> {
        let mut plan = opening.plan;
        let machine = plan.desk.machine.clone();
        plan.desk.administrators = opening.names.administrators().into();
        let site = Site::open(plan, opening.clock.clone(), Box::new(end_at_once))?;
        let listener = listen(&opening.socket)?;
        let watch = Arc::new(Watch::start(on_death(&site.desk, opening.on_gone))?);
        sweep::start(&site.desk, &watch)?;
        let names = Arc::new(opening.names);
        let runtime = runtime()?;
        let (stop, stopped) = watch::channel(false);
        let entered = runtime.enter();
        let mail = outbox(&site, &opening.mail, machine, opening.clock);
        let parts = api::Parts {
            desk: site.desk.clone(),
            names: names.clone(),
            watch: watch.clone(),
            metrics: site.metrics.clone(),
            follow: site.follow.clone(),
            mail: mail.clone(),
            config: opening.config,
            limits: opening.limits,
            dev: opening.dev,
        };
        let listener = UnixListener::from_std(listener)?;
        let served = runtime.spawn(api::serve(parts, listener, stopped));
        let around = (names, opening.mail);
        runtime.spawn(chores(site.desk.clone(), watch.clone(), around));
        runtime.spawn(prune(site.desk.clone()));
        drop(entered);
        Ok(Service {
            site,
            runtime,
            stop,
            served,
            watch,
            mail,
            socket: opening.socket,
        })
    }

    /// The site.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The runtime, for what goes on beside the API.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Listens for SIGTERM and SIGINT from now on: whoever says that it is ready is stopped in order from then on.
    ///
    /// # Errors
    /// Signals cannot be waited for.
    pub fn signals(&self) -> io::Result<Signals> {
        let _entered = self.runtime.enter();
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _file_size: signal(SignalKind::from_raw(machine::FILE_SIZE))?,
        })
    }

    /// Waits for one of them.
    pub fn wait_for(&self, signals: &mut Signals) {
        self.runtime.block_on(signals.come());
    }

    /// Stops in order: the socket's name, no new connections, requests in flight, the watch, the ends of holds.
    ///
    /// # Errors
    /// The keeper could not end cleanly.
    pub fn stop(self) -> Result<(), Failure> {
        // While we still listen the name is ours; later it may be that of the next daemon.
        if let Err(why) = std::fs::remove_file(&self.socket) {
            tracing::warn!(%why, "the socket's name could not be removed; the next start does it");
        }
        let _ = self.stop.send(true);
        if let Err(why) = self.runtime.block_on(self.served) {
            tracing::error!(%why, "the API did not end by itself");
        }
        let unsent = self.runtime.block_on(self.mail.close(MAIL_STOP));
        if unsent > 0 {
            tracing::warn!(
                mails = unsent,
                "mails were not sent and are gone with this stop: who caused them was not told; ask for them again"
            );
        }
        // What a request left behind (a checkout whose client hung up) is done before the keeper goes.
        self.runtime.shutdown_timeout(Duration::from_secs(5));
        drop(self.watch);
        self.site.close()
    }
}

impl Signals {
    /// Ends with SIGTERM or SIGINT.
    pub async fn come(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Nothing may be acknowledged after a write that failed (S26): not even a stop in order.
fn end_at_once(why: &str) {
    tracing::error!(%why, "seatkeeperd ends; the next start takes up from the journal");
    std::process::exit(70);
}

fn runtime() -> io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(*WORKERS.start(), usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.clamp(*WORKERS.start(), *WORKERS.end()))
        .max_blocking_threads(BLOCKING)
        .thread_name("api")
        .enable_all()
        .build()
}

/// What happens when a process dies: its holders end, and their slots are free when that is durable.
fn on_death(desk: &Arc<Desk>, on_gone: OnGone) -> crate::os::watch::OnDeath {
    let desk = desk.clone();
    Box::new(move |holders| {
        let since = Stopwatch::start();
        let (told, on_gone) = (holders.clone(), on_gone.clone());
        let reply = move |answer: Result<_, Failure>| match answer {
            Ok(_) => {
                let took = since.elapsed();
                tracing::info!(holders = ?told, ms = took.as_millis(), "a process died; its seats are free");
                on_gone(&told, took);
            }
            Err(why) => {
                tracing::warn!(holders = ?told, %why, "a process died; its seats end with their holds");
            }
        };
        desk.submit(Desk::process_gone(holders), None, Box::new(reply));
    })
}

/// Takes holders out of the watch that ended otherwise: lapsed, reclaimed, without right.
fn tidy(desk: &Desk, watch: &Watch) {
    // In this order: who is watched was in a snapshot before.
    let watched = watch.holders();
    let snapshot = desk.snapshot();
    let live: BTreeSet<_> = holders(&snapshot).map(|(id, _)| id).collect();
    let ended = watched.into_iter().filter(|id| !live.contains(id));
    ended.for_each(|id| watch.forget(id));
}

/// Says where the administrators' group does not exist, once in the log and in `status` for as long as it is so.
fn look_for_group(desk: &Desk, group: &str) {
    let missing = no_such_group(group);
    let finding = missing.as_ref().map(|(text, remedy)| Finding {
        level: "warning".to_owned(),
        about: "config".to_owned(),
        text: text.clone(),
        remedy: remedy.clone(),
        code: None,
        file: None,
    });
    let news = desk.remark("admin_group", finding);
    if let Some((text, remedy)) = missing.filter(|_| news) {
        tracing::warn!("{text}; {remedy}");
    }
}

/// Says where the password for the SMTP server is not to be had, in the same way.
fn look_for_password(desk: &Desk, mail: &MailSettings) {
    let missing = password(mail).err();
    let finding = missing.as_ref().map(|why| Finding {
        level: "warning".to_owned(),
        about: "mail".to_owned(),
        text: why.text.clone(),
        remedy: why.remedy.clone(),
        code: None,
        file: None,
    });
    let news = desk.remark("mail password", finding);
    if let Some(why) = missing.filter(|_| news) {
        tracing::warn!("{}; {}", why.text, why.remedy);
    }
}

/// The outbox, which tells `doctor` by the desk.
fn outbox(site: &Site, settings: &MailSettings, machine: String, clock: Arc<dyn Clock>) -> Outbox {
    let desk = site.desk.clone();
    Outbox::open(mail::Parts {
        settings: settings.clone(),
        machine,
        clock,
        counts: site.metrics.mail(),
        tell: Box::new(move |subject, finding| {
            desk.remark(subject, finding);
        }),
    })
}

/// What has to be done now and then: the counts of denials, the watch, the administrators' group, and a word to the
/// service manager.
async fn chores(
    desk: Arc<Desk>,
    watch: Arc<Watch>,
    (names, mail): (Arc<MachineNames>, MailSettings),
) {
    let mut flush = tokio::time::interval(FLUSH);
    let mut alive = tokio::time::interval(ALIVE);
    loop {
        tokio::select! {
            _ = flush.tick() => {
                let (desk, watch) = (desk.clone(), watch.clone());
                let (names, mail) = (names.clone(), mail.clone());
                let flushed = tokio::task::spawn_blocking(move || {
                    tidy(&desk, &watch);
                    look_for_group(&desk, &names.admin_group);
                    look_for_password(&desk, &mail);
                    desk.flush_denials()
                });
                let flushed = flushed.await;
                if let Ok(Err(why)) = flushed {
                    tracing::error!(%why, "the counts of denials could not be written");
                }
            }
            _ = alive.tick() => notify("WATCHDOG=1"),
        }
    }
}

/// Prunes the journal now and then: apart from the chores, because a first look at many years takes its time.
async fn prune(desk: Arc<Desk>) {
    let mut every = tokio::time::interval(PRUNE);
    loop {
        every.tick().await;
        let desk = desk.clone();
        let pruned = tokio::task::spawn_blocking(move || desk.prune_journal());
        if let Err(why) = pruned.await {
            tracing::error!(%why, "the journal could not be pruned");
        }
    }
}

/// Tells the service manager; a daemon that cannot still serves.
pub fn notify(state: &str) {
    if let Err(why) = tell(state) {
        tracing::warn!(%why, state, "the service manager could not be told");
    }
}

/// What a desk is told about this machine, with these names.
///
/// # Errors
/// The kernel does not tell which boot this is.
pub fn this_machine(site_name: &str) -> io::Result<seatkeeper_core::desk::Settings> {
    let machine = machine::name();
    let site_name = if site_name.is_empty() {
        machine.clone()
    } else {
        site_name.to_owned()
    };
    Ok(seatkeeper_core::desk::Settings {
        site_name,
        machine,
        boot: machine::boot_id()?,
        administrators: "root".into(),
        create_users: true,
        assign_new_to_everyone: false,
        terms_block_checkout: false,
        disk_reserve: 0,
        retention_days: seatkeeper_core::side::RETENTION_DAYS,
        refused_roots: Vec::new(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

impl From<SiteError> for ServiceError {
    fn from(why: SiteError) -> Self {
        ServiceError::Site(why)
    }
}

impl From<SocketError> for ServiceError {
    fn from(why: SocketError) -> Self {
        ServiceError::Socket(why)
    }
}

impl From<io::Error> for ServiceError {
    fn from(why: io::Error) -> Self {
        ServiceError::System(why)
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServiceError::Site(why) => why.fmt(f),
            ServiceError::Socket(why) => why.fmt(f),
            ServiceError::System(why) => write!(f, "the system refuses: {why}"),
        }
    }
}

impl std::error::Error for ServiceError {}
