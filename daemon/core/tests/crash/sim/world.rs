//! One state directory, the daemon that runs over it, and the applications that ask it.

use super::BASE_S;
use super::changes::Change;
use super::ledger::{Counts, Ledger};
use super::org::Org;
use super::people::{App, Life, Take, root};
use super::script::Script;
use crate::disk::{Disk, Fault};
use crate::random::Random;
use seatkeeper_core::clock::ManualClock;
use seatkeeper_core::journal::{Journal, Row, parse};
use seatkeeper_core::keeper::{ByHand, Handle, Parts, Snapshot, start_by_hand};
use seatkeeper_core::side::Side;
use seatkeeper_core::storage::Guard;
use seatkeeper_engine::ids::{Gid, HolderId, TokenHash};
use seatkeeper_engine::{Command, Engine};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

/// Longer than any hold here, and than what is remembered of ended checkouts.
const LONG_S: u64 = 1000;
pub(super) const APPS: usize = 7;
const ROUNDS: u64 = 14;

/// An order, and who waits for what it brings.
pub(super) struct Asked {
    /// As a script says it.
    pub(super) words: String,
    pub(super) whose: Whose,
    pub(super) command: Command,
    /// The answer gets lost on its way.
    pub(super) unheard: bool,
}

pub(super) enum Whose {
    /// A checkout, first or repeated.
    Checkout(usize, Box<Take>),
    Renew(usize),
    Release(usize, HolderId),
    GiveUp(usize, Box<Take>),
    /// A checkout that comes after it was given up.
    Late(usize, Box<Take>),
    /// A seat given back from elsewhere.
    Elsewhere(usize),
    /// An administrator who changes the organisation.
    Change(Change),
    /// An administrator, the watch, the vendor.
    Other,
}

pub(super) struct World {
    pub(super) random: Random,
    pub(super) disk: Disk,
    /// A copy of the disk, and what was answered for up to it.
    pub(super) saved: Option<(Disk, Arc<Snapshot>, Org)>,
    /// The next start is over a state that was restored.
    pub(super) goes_back: bool,
    /// J behind which a restored state would take a lease that is over for one that lives.
    pub(super) j_s: u64,
    /// That is so: the wall clock is behind what J had been.
    pub(super) j_behind: bool,
    pub(super) side: Arc<Side>,
    pub(super) clock: Arc<ManualClock>,
    /// Seconds that passed since the beginning, also while the daemon was down.
    pub(super) true_s: u64,
    /// How far the wall clock was set from where it would be.
    pub(super) wall_off_s: i64,
    pub(super) keeper: Option<ByHand>,
    pub(super) apps: Vec<App>,
    pub(super) ledger: Ledger,
    pub(super) script: Script,
    pub(super) counts: Counts,
    pub(super) made: u64,
    pub(super) serial: u64,
    /// The highest number of a group.
    pub(super) groups: u64,
    pub(super) counting: &'static str,
    pub(super) share_max: u64,
    /// Seats have owners (rule 7): machines, users, or users on machines.
    pub(super) named: bool,
    /// Somebody opens sessions, and does so until no more may go on.
    crowded: bool,
    pub(super) dated: bool,
    pub(super) restores: bool,
    /// Answers get lost on their way.
    pub(super) lossy: bool,
    /// Checkouts that were given up, of which a copy may still be on its way.
    pub(super) late: Vec<(usize, Box<Take>)>,
    /// The batch at hand is of one order.
    pub(super) alone: bool,
    /// Applications that asked in this round.
    pub(super) busy: Vec<usize>,
    /// Grants that were renewed in this round.
    pub(super) known: BTreeSet<Gid>,
    /// Last day of each license token, by its hash.
    pub(super) exps: BTreeMap<TokenHash, Option<u64>>,
}

impl World {
    /// A site with a license for everyone, on a whole disk.
    pub(super) fn new(seed: u64) -> Result<World, String> {
        let mut random = Random(seed);
        let counting = ["process", "user", "host", "user+host"][pick(&mut random, 4)];
        let mut world = World {
            disk: Disk::default(),
            saved: None,
            goes_back: false,
            j_s: 0,
            j_behind: false,
            side: Arc::new(Side::memory().unwrap()),
            clock: Arc::new(ManualClock::at(BASE_S)),
            true_s: 0,
            wall_off_s: 0,
            keeper: None,
            apps: (0..APPS).map(|n| App::new(n, n as u64)).collect(),
            ledger: Ledger::default(),
            script: Script::default(),
            counts: Counts::default(),
            made: 0,
            serial: 0,
            groups: 2,
            counting,
            share_max: 1 + random.below(3),
            // Drawn apart: the seeds of before mean what they meant.
            named: counting != "process" && Random(!seed).below(2) == 0,
            crowded: Random(!seed).below(16) < 4,
            dated: false,
            restores: random.below(3) == 0,
            lossy: true,
            late: Vec::new(),
            alone: false,
            busy: Vec::new(),
            known: BTreeSet::new(),
            exps: BTreeMap::new(),
            random,
        };
        world.disk.boot(Fault::None);
        if !world.start()? {
            return Err("the first start is refused by nobody, and fails".to_owned());
        }
        let roots = vec![(root(), "pem".into())];
        let mut first = vec![world.other(
            "",
            Command::TrustVendor {
                vendor: "acme".into(),
                roots,
            },
        )];
        for name in ["ana", "bob", "eve"] {
            first.push(world.change(Change::Meet(name)));
        }
        first.extend(Change::first().map(|change| world.change(change)));
        first.push(world.license(3, None));
        world.round(first)?;
        Ok(world)
    }

    /// One life of the daemon: it starts over a fault to come, works, and ends by it or by a kill.
    pub(super) fn cycle(&mut self) -> Result<Counts, String> {
        self.counts = Counts {
            cycles: 1,
            ..Counts::default()
        };
        let fault = self.fault();
        self.end(fault == Fault::None);
        self.disk.boot(fault);
        if self.start()? {
            self.work()?;
        } else {
            self.counts.failed_in_start += 1;
        }
        Ok(self.counts)
    }

    /// After all of it: whoever is gone keeps nothing, and every seat can be taken, none of them twice.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        self.end(true);
        self.disk.boot(Fault::None);
        if !self.start()? {
            return Err("a start over a whole disk fails".to_owned());
        }
        self.lossy = false;
        let resets = self.ledger.org.resets();
        let mut resets: Vec<_> = resets.into_iter().map(|one| self.change(one)).collect();
        resets.push(self.license(3, None));
        self.round(resets)?;
        self.apps = (0..APPS).map(|n| App::new(n, 900 + n as u64)).collect();
        for _ in 0..2 {
            self.pass(LONG_S);
            self.round(Vec::new())?;
        }
        // What is named stays its owner's until it is taken from them.
        let kept: Vec<_> = self
            .handle()
            .recorded()
            .state
            .grants
            .keys()
            .copied()
            .collect();
        let kept = kept.into_iter().map(|gid| self.recall_of(gid, false));
        let kept = kept.collect();
        self.round(kept)?;
        // Who is a unit of their own in every way of counting.
        let seats = [0, 3, 4].map(|who| self.take(who, 1, true));
        self.round(seats.into())?;
        let sits = self.apps.iter().filter_map(|app| app.sits(self.true_s));
        let mut slots: Vec<_> = sits.flat_map(|held| held.slots.clone()).collect();
        slots.sort_unstable();
        if slots != [0, 1, 2] {
            return Err(format!(
                "I9: of slots 0 to 2 only {slots:?} can be taken, long after everyone left"
            ));
        }
        let (two, more) = (self.take(0, 2, true), self.take(3, 2, true));
        self.round(vec![two, more])?;
        self.end(true);
        Ok(())
    }

    /// A fault at some operation of the life to come.
    fn fault(&mut self) -> Fault {
        // A start takes some twenty operations, a life some sixty.
        let among = [20, 64, 64, 64][pick(&mut self.random, 4)];
        let at = 1 + self.random.below(among);
        let kind = [ErrorKind::StorageFull, ErrorKind::Other][pick(&mut self.random, 2)];
        match self.random.below(10) {
            0..5 => Fault::PowerCut { at },
            5 | 6 => Fault::Refuses { at, kind },
            7 | 8 => Fault::Once { at, kind },
            _ => Fault::None,
        }
    }

    /// The daemon is gone: killed, or failed; with it, in half of the cases, what the disk did not have yet.
    fn end(&mut self, whole: bool) {
        self.counts.killed += u64::from(self.keeper.is_some());
        // A killed process writes nothing more.
        self.disk.boot(Fault::PowerCut { at: 1 });
        self.keeper = None;
        if !whole && self.random.below(3) > 0 {
            let how = self.random.below(3);
            let random = &mut self.random;
            self.disk.lose_power(|| match how {
                0 => false,
                1 => true,
                _ => random.below(2) == 0,
            });
            self.clock = Arc::new(ManualClock::at(self.wall_s()));
        }
        let restore = self.saved.is_some() && self.random.below(3) == 0;
        let down = [0, 1, 5, 20, 90, 4000][pick(&mut self.random, if restore { 4 } else { 6 })];
        self.pass(down);
        if restore && let Some((disk, saved, org)) = self.saved.take() {
            self.counts.restores += 1;
            self.disk = disk;
            self.goes_back = true;
            self.ledger.restored(saved, org);
            for app in &mut self.apps {
                if let Life::Held(held) = &mut app.life {
                    held.old = true;
                }
            }
        }
    }

    pub(super) fn handle(&self) -> Handle {
        self.keeper.as_ref().unwrap().handle()
    }

    pub(super) fn wall_s(&self) -> u64 {
        (BASE_S + self.true_s).saturating_add_signed(self.wall_off_s)
    }

    fn pass(&mut self, s: u64) {
        self.true_s += s;
        self.j_s += s;
        self.clock.advance(Duration::from_secs(s));
    }

    /// False where the fault came first.
    fn start(&mut self) -> Result<bool, String> {
        let journal = match self.disk.journal() {
            Ok(journal) => Arc::new(journal),
            Err(_) if self.disk.failed() => return Ok(false),
            Err(why) => return Err(format!("it does not start: {why}")),
        };
        let started = start_by_hand(Parts {
            journal: journal.clone(),
            side: self.side.clone(),
            clock: self.clock.clone(),
            checkpoints: None,
            clock_file: None,
            storage: Guard::none(),
            copied_key: false,
            host: "ws1".to_owned(),
            on_events: None,
            on_fatal: Box::new(|_| {}),
        });
        let keeper = match started {
            Ok(keeper) => keeper,
            Err(_) if self.disk.failed() => return Ok(false),
            Err(why) => return Err(format!("it does not start: {why}")),
        };
        let handle = keeper.handle();
        let mut since = self.ledger.survived(&handle, &self.apps, self.true_s)?;
        self.replays(&*journal)?;
        let snapshot = handle.recorded();
        self.ledger.decided(since.batch, &snapshot)?;
        if std::mem::take(&mut self.goes_back) {
            self.j_behind |= snapshot.now.j.0 < self.j_s;
            self.script.restored(snapshot.now);
            since.starts -= 1;
        } else if since.batch {
            self.counts.undecided_kept += 1;
            self.script.durable();
        } else {
            self.counts.undecided_lost += u64::from(self.script.lost());
        }
        self.script.back_to(snapshot.now);
        for _ in 0..since.starts {
            self.script.ask(snapshot.now, "crash");
        }
        if self.restores && self.serial > 0 && self.random.below(6) == 0 {
            self.script.ask(snapshot.now, "save");
            // As a copy of the machine has it: page cache and all.
            let org = self.ledger.org.clone();
            self.saved = Some((self.disk.copy(), snapshot.clone(), org));
        }
        self.script.durable();
        self.j_s = self.j_s.max(snapshot.now.j.0);
        self.ledger.acknowledged = Some(snapshot);
        self.keeper = Some(keeper);
        Ok(true)
    }

    /// I14: the journal alone makes the state that was answered for.
    fn replays(&mut self, journal: &dyn Journal) -> Result<(), String> {
        let Some(before) = self
            .ledger
            .acknowledged
            .clone()
            .filter(|_| self.random.below(8) == 0)
        else {
            return Ok(());
        };
        let (mut engine, mut left) = (Engine::new(), before.head.number);
        let loaded = journal.load(1, &mut |_, bytes| {
            for raw in Row::parse(bytes)?
                .events
                .into_iter()
                .take(usize::try_from(left).unwrap())
            {
                engine.replay(&parse(raw.get())?.what);
                left -= 1;
            }
            Ok(())
        });
        loaded.map_err(|e| e.to_string())?;
        let text = |state| serde_json::to_string(state).unwrap();
        if text(engine.state()) == text(&before.state) {
            Ok(())
        } else {
            Err(format!(
                "I14: a replay to event {} makes another state",
                before.head.number
            ))
        }
    }

    fn work(&mut self) -> Result<(), String> {
        for _ in 0..1 + self.random.below(ROUNDS) {
            let s = match self.random.below(70) {
                // A night, and what began before it is over.
                0 => [20_000, 43_200][pick(&mut self.random, 2)],
                n => [0, 0, 1, 7, 20, 33, 70][usize::try_from(n % 7).unwrap()],
            };
            self.pass(s);
            self.busy.clear();
            let mut asked: Vec<_> = (0..=self.random.below(5))
                .flat_map(|_| self.some())
                .collect();
            if self.crowded {
                asked.extend((0..4).map(|_| self.one_more()));
            }
            if !self.round(asked)? {
                self.counts.failed_in_work += 1;
                return Ok(());
            }
        }
        Ok(())
    }
}

pub(super) fn pick(random: &mut Random, of: u64) -> usize {
    usize::try_from(random.below(of)).unwrap()
}
