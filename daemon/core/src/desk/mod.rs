//! The desk: bodies of the wire into commands, verdicts into signed replies; no other room knows both.
//!
//! What needs the keeper comes in two halves, so that an asynchronous caller can wait in between: `prepare_…` reads the
//! body and gives an order, [`Desk::submit`] hands it over, `finish_…` makes (and signs) the reply on the caller's
//! thread. Blocking callers take the whole: [`Desk::checkout`] and the like.

mod assign;
mod credentials;
mod dates;
mod directory;
mod draft;
mod explain;
mod findings;
mod found;
mod install;
mod leases;
mod parse;
mod people;
mod prune;
mod reboot;
mod refusal;
mod release;
mod remove;
mod room;
mod seen;
mod sight;
mod site_key;
mod support;
mod suppose;
mod terms;
mod users;
pub mod view;

pub use crate::login::Login;
pub use crate::problem::Refused;
pub use credentials::{AddressShown, AddressToShow, IsOut, code_hash};
pub use leases::{LeaseAsked, Leased, stranger};
pub use release::{ReleaseAsked, Released};
pub use remove::Removal;
pub use support::RequestToMail;

use crate::authorize::{Caller, Names, Permission, Sight};
use crate::clock::Clock;
use crate::keeper::{Answer, Failure, Handle, Reply, Snapshot};
use crate::keys::Keys;
use crate::problem::internal;
use crate::side::{DenialNote, Side};
use crate::storage::Space;
use findings::Remarks;
use prune::Pruning;
use refusal::{Subject, denied, failed};
use seatkeeper::wire::Code;
use seatkeeper_engine::command::Pid;
use seatkeeper_engine::denial::Denial;
use seatkeeper_engine::ids::{BootId, HolderId, MachineId, Name, UnitId};
use seatkeeper_engine::time::Now;
use seatkeeper_engine::{Actor, Command, Order, Origin, Verdict};
use std::sync::{Arc, Mutex, PoisonError};

/// How often something is judged anew because anyone's rights were changed, at most.
const TRIES: usize = 64;

/// What a desk is told about the site and its machine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The site's name for people.
    pub site_name: String,
    /// This machine's name.
    pub machine: String,
    /// The machine's present boot.
    pub boot: BootId,
    /// Who administers this daemon, in words: whom a hint names to those who may not do it themselves.
    pub administrators: Name,
    /// An unknown login becomes a user (else `unknown_user`).
    pub create_users: bool,
    /// A license that was not installed before is assigned to everyone.
    pub assign_new_to_everyone: bool,
    /// Nobody gets a new seat who has not accepted the terms of service in force.
    pub terms_block_checkout: bool,
    /// Bytes kept free (`disk_reserve`).
    pub disk_reserve: u64,
    /// Thumbprints of roots that are never trusted here: `run` names the published development root.
    pub refused_roots: Vec<Name>,
    /// Days that events, in whole files, and counts of denials are kept.
    pub retention_days: u64,
    /// The daemon's version.
    pub version: String,
}

/// What a desk is made of.
pub struct Parts {
    /// The keeper.
    pub keeper: Handle,
    /// Names and counts of denials.
    pub side: Arc<Side>,
    /// The site's keys.
    pub keys: Keys,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Free space of the state directory.
    pub space: Box<dyn Space>,
    /// The site.
    pub settings: Settings,
}

/// The desk. Shared by all threads.
pub struct Desk {
    keeper: Handle,
    side: Arc<Side>,
    names: Arc<Names>,
    keys: Keys,
    clock: Arc<dyn Clock>,
    space: Box<dyn Space>,
    settings: Settings,
    machine: MachineId,
    unit: UnitId,
    remarks: Remarks,
    pruning: Pruning,
    followed: view::Followed,
    signed: seen::Signed,
    /// Held while a name is given or taken away.
    naming: Mutex<()>,
    /// Held by who is judged anew.
    anew: Mutex<()>,
    passwords: credentials::Passwords,
    attempts: credentials::Attempts,
}

/// A site that was not founded: the keeper founds it at its start.
#[derive(Clone, Copy, Debug)]
pub struct NotFounded;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The uid that the kernel names.
    pub uid: u32,
    /// The process, where the kernel tells.
    pub pid: Option<Pid>,
    /// uid 0, or a member of the administrators' group.
    pub administers: bool,
}

impl Desk {
    /// A desk over a keeper that has started.
    ///
    /// # Errors
    /// The keeper's site is not founded.
    pub fn new(parts: Parts) -> Result<Desk, NotFounded> {
        let site = parts.keeper.snapshot().state.site.ok_or(NotFounded)?;
        let names = Names {
            keeper: parts.keeper.clone(),
            side: parts.side.clone(),
        };
        let desk = Desk {
            names: Arc::new(names),
            keeper: parts.keeper,
            side: parts.side,
            keys: parts.keys,
            clock: parts.clock,
            space: parts.space,
            settings: parts.settings,
            machine: site.machine,
            unit: site.unit,
            remarks: Remarks::default(),
            pruning: Pruning::new(),
            followed: view::Followed::default(),
            signed: seen::Signed::default(),
            naming: Mutex::default(),
            anew: Mutex::default(),
            passwords: credentials::Passwords::default(),
            attempts: credentials::Attempts::default(),
        };
        desk.look_at_beginning();
        Ok(desk)
    }

    /// The login of a uid that has this name on this machine.
    ///
    /// # Errors
    /// `unauthenticated`: the name cannot be a login.
    pub fn login(&self, uid: u32, name: &str) -> Result<Arc<Login>, Refused> {
        Login::new(self.keys.salt(), uid, name, &self.settings.machine).map(Arc::new)
    }

    /// The caller behind a connection.
    #[must_use]
    pub fn caller(&self, peer: Peer, login: Arc<Login>, trace: Option<Name>) -> Caller {
        Caller {
            uid: peer.uid,
            login,
            attested_by: self.machine,
            pid: peer.pid,
            administers: peer.administers,
            administrators: self.settings.administrators.clone(),
            acting_for: None,
            judged: None,
            presented: None,
            names: Some(self.names.clone()),
            trace,
        }
    }

    /// The answer of an order that needs no batch ([`Handle::at_once`]); blocks for some microseconds at the most.
    #[must_use]
    pub fn at_once(&self, order: &Order) -> Option<Answer> {
        self.keeper.at_once(order)
    }

    /// Hands an order to the keeper's thread: see [`Handle::submit`].
    pub fn submit(&self, order: Order, trace: Option<Name>, reply: Reply) {
        self.keeper.submit(order, trace, reply);
    }

    /// Hands an order to the next round: see [`Handle::put`].
    #[must_use]
    pub fn put(&self, order: Order, trace: Option<Name>, reply: Reply) -> bool {
        self.keeper.put(order, trace, reply)
    }

    /// A round on this thread: see [`Handle::round`].
    #[must_use]
    pub fn round(&self) -> bool {
        self.keeper.round()
    }

    /// The order that ends holders whose processes are gone (rule 14).
    #[must_use]
    pub fn process_gone(holders: Vec<HolderId>) -> Order {
        Order {
            actor: Actor::Daemon,
            origin: Origin::Watch,
            command: Command::ProcessGone { holders },
        }
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.keeper.snapshot()
    }

    /// The keeper's handle.
    #[must_use]
    pub fn keeper(&self) -> &Handle {
        &self.keeper
    }

    /// Names and denials.
    #[must_use]
    pub fn side(&self) -> &Arc<Side> {
        &self.side
    }

    /// What it was told about the site.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The site's name for people.
    #[must_use]
    pub fn site_name(&self) -> &str {
        &self.settings.site_name
    }

    /// The root of the home account.
    #[must_use]
    pub fn unit(&self) -> UnitId {
        self.unit
    }

    /// Writes the counts of denials; once a minute and at the stop. While the disk is nearly full they wait in memory: what
    /// may be lost must not end what may not.
    ///
    /// # Errors
    /// The side store failed: this ends the keeper (I7).
    pub fn flush_denials(&self) -> Result<(), crate::side::SideError> {
        if self.storage_low() {
            return Ok(());
        }
        self.side
            .flush_denials(self.counts_since_s())
            .inspect_err(|why| self.keeper.fail(why))
    }

    fn wall_s(&self) -> u64 {
        self.clock.read().wall_s
    }

    fn now(&self) -> Now {
        self.keeper.now()
    }

    /// Asks the keeper and waits.
    fn ask(&self, order: Order, trace: Option<Name>) -> Result<Answer, Failure> {
        self.keeper.ask_for(order, trace)
    }

    /// Has a change judged. The names of tokens that end by it, whatever it is, go at once.
    fn asked(&self, caller: &Caller, command: Command) -> Result<Answer, Refused> {
        let before = self.keeper.recorded();
        let answer = self.ask(self.order(caller, command), caller.trace.clone());
        let answer = answer.map_err(|e| self.fail(caller, e))?;
        self.erase_ended(&before.state, &answer.snapshot.state);
        Ok(answer)
    }

    /// Has somebody do what their rights give, and again where anyone's were changed before that was applied: nobody does by a
    /// right what they lost meanwhile, or makes for an administrator what they may make for one who has nothing (S11). What was
    /// presented and stands for nobody any more is refused as a request with it would be. Who administers the daemon has no
    /// rights to lose.
    fn by_rights_of_now<T>(
        &self,
        caller: &Caller,
        verb: impl Fn(&Caller) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let (mut more, mut one) = (1..TRIES, None);
        let done = loop {
            let rights = self.keeper.recorded().state.rights;
            let judged = Caller {
                judged: Some(rights).filter(|_| !caller.administers),
                ..caller.clone()
            };
            let done = self.stands(caller).and_then(|()| verb(&judged));
            // Whatever was refused was so to nobody, where that is so by now.
            let done = done.map_err(|refused| self.stands(caller).err().unwrap_or(refused));
            let late = matches!(&done, Err(refused) if refused.code == Code::WrongRevision)
                && self.keeper.recorded().state.rights != rights;
            if !late || more.next().is_none() {
                break done;
            }
            // One at a time: each is judged anew against those alone who come for the first time.
            one.get_or_insert_with(|| self.anew.lock().unwrap_or_else(PoisonError::into_inner));
        };
        drop(one);
        self.traced(caller, done)
    }

    fn not_done(&self, caller: &Caller, what: &str, answer: &Answer) -> Refused {
        match &answer.verdict {
            Verdict::Denied(denial) => {
                // Whom it is about, where that is not the one who asks.
                let about = denial.users.first().map(|user| self.user_name(*user));
                let user = about.as_deref().unwrap_or(&caller.login.name);
                let subject = Subject {
                    caller,
                    user,
                    what,
                    version: None,
                };
                self.refuse(denial, subject, &answer.snapshot)
            }
            other => internal("an answer that does not fit", &format_args!("{other:?}")),
        }
    }

    fn order(&self, caller: &Caller, command: Command) -> Order {
        let command = match caller.judged {
            Some(rights) => Command::Judged {
                rights,
                command: Box::new(command),
            },
            None => command,
        };
        Order {
            actor: caller.actor(self.user_of(caller)),
            origin: Origin::Socket,
            command,
        }
    }

    /// The problem of a denial, traced.
    fn refuse(&self, denial: &Denial, subject: Subject<'_>, snapshot: &Snapshot) -> Refused {
        let helps = refusal::helped_by(denial.code);
        let helps = !Sight::of(snapshot, subject.caller, helps).is_nowhere();
        let shown = self.denial_seen(denial, subject.caller, snapshot);
        let mut out = denied(&shown, (subject, helps), snapshot, |pool, most| {
            let sight = Sight::of(snapshot, subject.caller, Permission::SeatRead);
            self.holder_names(snapshot, pool, (most, &sight))
        });
        out.trace_id = trace_of(subject.caller);
        out
    }

    fn fail(&self, caller: &Caller, failure: Failure) -> Refused {
        let mut out = failed(failure);
        out.trace_id = trace_of(caller);
        out
    }

    /// A write to another store than the journal failed: the keeper ends before this is answered (S26, I7).
    fn broken(&self, caller: &Caller, why: &dyn std::fmt::Display) -> Refused {
        self.keeper.fail(why);
        self.fail(caller, Failure::Stopped)
    }

    /// The unit that a denial of the caller counts for.
    fn place_of(&self, caller: &Caller) -> UnitId {
        let state = &self.keeper.recorded().state;
        let known = caller.person(state).map(|user| state.units_of_user(user));
        let first = known.and_then(|units| units.first());
        first.copied().unwrap_or(self.unit)
    }

    /// Notes a denial in the ring and in the counts.
    fn note(&self, denial: &Denial, caller: &Caller, feature: &str) {
        self.side.note_denial(DenialNote {
            wall_s: self.wall_s(),
            user: self.user_of(caller),
            machine: caller.attested_by,
            unit: self.place_of(caller),
            feature: feature.into(),
            code: stable(refusal::code_of(denial.code)),
            rule: denial.rule,
        });
    }
}

fn trace_of(caller: &Caller) -> String {
    caller.trace.as_deref().unwrap_or_default().to_owned()
}

/// The spelling of a code that this version knows, which lives as long as the program.
fn stable(code: Code) -> &'static str {
    Code::ALL
        .iter()
        .find(|known| **known == code)
        .map_or("internal", |known| known.as_str())
}

impl std::fmt::Display for NotFounded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the site is not founded: start the keeper first")
    }
}

impl std::error::Error for NotFounded {}
