//! Plays commands against an engine as the keeper would: due expiries first, recorded events kept for a restart.

use crate::journal::{self, state_hash};
use crate::words::{Words, id, seconds, show, signed};
use seatkeeper_engine::command::{
    Checkout, Command, IssuerSeen, Pid, Process, Release, Released, Shown, Signed,
};
use seatkeeper_engine::denial::{Code, Denial};
use seatkeeper_engine::event::{EndWhy, EndingWhy, Event, Recorded};
use seatkeeper_engine::ids::{
    AssignmentId, BootId, CheckoutId, HolderId, InstanceId, LicenseId, LoginHash, MachineId, Name,
    RunId, TokenHash, UnitId, UserId,
};
use seatkeeper_engine::state::{CountingUnit, Feature, LicenseTerms, Model};
use seatkeeper_engine::time::{Date, LeaseTime, Now};
use seatkeeper_engine::{Choice, Engine, LeaseTerms, Verdict, Warning, explain};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The date at `at=0s`.
pub(crate) const BASE: u64 = 1_767_225_600;

pub(crate) struct Stage {
    pub(crate) engine: Engine,
    pub(crate) journal: Vec<Recorded>,
    now_s: u64,
    /// Seconds that J is ahead of the wall clock, which shows `BASE` at `at=0s`.
    ahead_s: i64,
    users: BTreeMap<UserId, String>,
    /// The words of the script: what has a name has one of them.
    pub(crate) spoken: BTreeSet<String>,
    /// What assignments are, as they were told.
    pub(crate) assignments: BTreeMap<AssignmentId, String>,
    checkouts: u64,
    starts: u64,
    /// The newest lease of each holder, as its process holds it: over restores too.
    pub(crate) leases: BTreeMap<(HolderId, InstanceId), Shown>,
    /// How far the journal had come at the last `save`.
    pub(crate) saved: usize,
    /// Age of the rights by which the line is judged, where it says so.
    judged: Option<u64>,
    /// Age of the rights before the line, and before the one above it.
    pub(crate) rights: [u64; 2],
    /// Nothing was played yet: there is what every script finds.
    scenery: bool,
    /// Events of a journal are being folded.
    folding: bool,
    out: String,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let mut stage = Stage {
            engine: Engine::new(),
            journal: Vec::new(),
            now_s: 0,
            ahead_s: 0,
            users: BTreeMap::new(),
            spoken: BTreeSet::from(["home".to_owned()]),
            assignments: BTreeMap::new(),
            checkouts: 0,
            starts: 0,
            leases: BTreeMap::new(),
            saved: 0,
            judged: None,
            rights: [0; 2],
            scenery: false,
            folding: false,
            out: String::new(),
        };
        stage.give(Command::FoundSite {
            unit: UnitId(id("unit", "root")),
            machine: MachineId(id("machine", "home")),
        });
        stage.start();
        stage.trust("acme", "acme");
        stage.out.clear();
        stage.scenery = true;
        stage
    }

    /// The outcome; the recorded events alone must make the same recorded state (I14).
    pub(crate) fn finish(self) -> Result<String, String> {
        let mut again = Engine::new();
        self.journal.iter().for_each(|event| again.replay(event));
        let text =
            |engine: &Engine| serde_json::to_string(engine.state()).expect("a state is JSON");
        if text(&again) == text(&self.engine) {
            Ok(self.out)
        } else {
            Err("a replay makes another state".to_owned())
        }
    }

    /// What was recorded so far.
    pub(crate) fn journal(&self) -> &[Recorded] {
        &self.journal
    }

    /// The present epoch.
    pub(crate) fn epoch(&self) -> u64 {
        self.engine.state().run.epoch
    }

    /// The hash of the state that the recorded events alone make.
    pub(crate) fn replayed(&self) -> String {
        let mut again = Engine::new();
        self.journal.iter().for_each(|event| again.replay(event));
        state_hash(&again)
    }

    pub(crate) fn play(&mut self, line: &str) -> Result<(), String> {
        if let Some(json) = line.strip_prefix("event ") {
            return self.fold(json);
        }
        if line == "state" {
            self.line(&format!("state {}", self.replayed()));
            return Ok(());
        }
        self.scenery = false;
        if std::mem::take(&mut self.folding) {
            // Who has the journal of a daemon has no ends of holds: they begin anew, as after a crash (rule 19).
            self.restart();
        }
        let spoken = line.split([' ', '=', ',', ':']).map(str::to_owned);
        self.spoken.extend(spoken);
        let words = Words::of(line);
        if let Some(at) = words.seconds("at")? {
            if at < self.now_s {
                return Err("time runs backwards".to_owned());
            }
            self.now_s = at;
        }
        self.engine.note_storage(words.flag("disk-full"));
        self.give(Command::Expire);
        self.rights = [self.engine.state().rights, self.rights[0]];
        self.judged = self.judged_by(&words)?;
        match words.at(0)? {
            "license" => self.license(&words),
            "issuer" => self.issuer(&words),
            "trust" => {
                let vendor = words.at(1)?;
                self.trust(vendor, words.get("root").unwrap_or(vendor));
                Ok(())
            }
            "checkout" => self.checkout(&words),
            "why" => self.why(&words),
            "renew" => {
                let process = self.process(&words)?;
                let holder = holder(words.at(1)?)?;
                self.renew(&words, holder, process)
            }
            "release" => self.release(&words),
            "give-up" => self.give_up(&words),
            "give-back" => {
                let by = self.user(words.after("by")?);
                self.answer(Command::ReleaseElsewhere {
                    holder: holder(words.at(1)?)?,
                    by,
                })
            }
            "reclaim" => {
                let gid = words.at(1)?.parse().map_err(|_| "no grant id".to_owned())?;
                self.answer(Command::Reclaim {
                    gid,
                    hard: words.flag("hard"),
                })
            }
            "recall" => {
                let gid = words.at(1)?.parse().map_err(|_| "no grant id".to_owned())?;
                let hard = words.flag("hard");
                self.answer(Command::Recall { gid, hard })
            }
            "died" => {
                self.give(Command::ProcessGone {
                    holders: vec![holder(words.at(1)?)?],
                });
                Ok(())
            }
            "stop" => {
                self.give(Command::StopRun);
                self.restart();
                Ok(())
            }
            "crash" => {
                self.restart();
                Ok(())
            }
            // J has followed a wrong wall clock by so much; the clock is right again.
            "carried" => {
                self.ahead_s += signed(words.at(1)?)?;
                Ok(())
            }
            "accept-clock" => self.accept_clock(&words),
            "wait" => Ok(()),
            // What the keeper does once a minute, and when J leaps.
            "tick" => self.answer(Command::Tick),
            "remove" => {
                let waiting = words.get("waiting").map(str::parse).transpose();
                let if_match = words.get("if_match").map(str::parse).transpose();
                self.answer(Command::RemoveLicense {
                    license: self.license_id(&words, words.at(1)?),
                    waiting: waiting.map_err(|_| "waiting= is no number")?,
                    hard: words.flag("hard"),
                    if_match: if_match.map_err(|_| "if_match= is no number")?,
                })
            }
            "remove-vendor" => self.answer(Command::RemoveVendor {
                vendor: words.at(1)?.into(),
                if_match: None,
            }),
            "terms" => self.terms(&words),
            _ if self.access(&words)? || self.arrange(&words)? || self.account(&words)? => Ok(()),
            _ if self.credential(&words)? => Ok(()),
            other => self.rollback(other),
        }
    }

    /// Folds an event of somebody's journal. The first one takes the place of the scenery.
    fn fold(&mut self, json: &str) -> Result<(), String> {
        if std::mem::take(&mut self.scenery) {
            (self.engine, self.journal) = (Engine::new(), Vec::new());
        } else if !self.folding {
            return Err("events of a journal stand first".to_owned());
        }
        self.folding = true;
        let event = journal::event(json)?;
        let value = serde_json::from_str(json).map_err(|e| e.to_string())?;
        self.now_s = self.now_s.max(journal::moment(&value).div_ceil(1000));
        self.engine.replay(&event);
        self.tell(&event);
        self.journal.push(event);
        Ok(())
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            lease: LeaseTime(self.now_s * 1000),
            j: Date((BASE + self.now_s).saturating_add_signed(self.ahead_s)),
        }
    }

    /// Accepts the wall clock: right, or as far from right as `wall=` says.
    fn accept_clock(&mut self, words: &Words) -> Result<(), String> {
        let off = words.get("wall").map_or(Ok(0), signed)?;
        let wall = Date((BASE + self.now_s).saturating_add_signed(off));
        let if_match = words.get("if_match").map(str::parse).transpose();
        let command = Command::AcceptClock {
            wall,
            if_match: if_match.map_err(|_| "if_match= is no number")?,
        };
        match self.give(command) {
            Verdict::ClockAccepted { to, .. } => {
                let right = i64::try_from(BASE + self.now_s).expect("dates of scripts are small");
                self.ahead_s = i64::try_from(to.0).expect("dates of scripts are small") - right;
            }
            Verdict::Denied(denial) => self.denied(&denial),
            _ => self.line("J is not ahead"),
        }
        Ok(())
    }

    /// Gives a command, writes down what was recorded, returns the verdict.
    pub(crate) fn give(&mut self, command: Command) -> Verdict {
        let (events, verdict) = self.engine.apply(self.now(), command);
        for event in events {
            if let Event::Recorded(event) = event {
                self.tell(&event);
                self.journal.push(event);
            }
        }
        verdict
    }

    pub(crate) fn answer(&mut self, command: Command) -> Result<(), String> {
        let command = match self.judged.take() {
            Some(rights) => Command::Judged {
                rights,
                command: Box::new(command),
            },
            None => command,
        };
        let verdict = self.give(command);
        self.tell_verdict(&verdict);
        Ok(())
    }

    pub(crate) fn tell_verdict(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Denied(denial) => self.denied(denial),
            Verdict::Leased(terms) if !terms.new => self.leased("renewed", terms),
            Verdict::Leased(terms) if !terms.warnings.is_empty() => self.leased("leased", terms),
            Verdict::Installed { new: false, .. } => self.line("noted, nothing changed"),
            Verdict::Installed {
                waits: Some(nbf), ..
            } => {
                let day = show(nbf.0.saturating_sub(BASE));
                self.line(&format!("installed, waits until {day}"));
            }
            _ => {}
        }
    }

    pub(crate) fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }

    fn start(&mut self) {
        self.starts += 1;
        self.give(Command::StartRun {
            run: RunId(id("run", &self.starts.to_string())),
        });
    }

    /// A new process of the daemon knows what was recorded, and nothing else.
    pub(crate) fn restart(&mut self) {
        self.engine = Engine::new();
        self.journal
            .iter()
            .for_each(|event| self.engine.replay(event));
        self.start();
        let _ = writeln!(self.out, "started epoch={}", self.engine.state().run.epoch);
    }

    fn trust(&mut self, vendor: &str, of: &str) {
        let roots = vec![(root(of), Name::from("pem"))];
        if let Verdict::Denied(denial) = self.give(Command::TrustVendor {
            vendor: vendor.into(),
            roots,
        }) {
            self.denied(&denial);
        }
    }

    pub(crate) fn user(&mut self, name: &str) -> UserId {
        let name = name.split('@').next().unwrap_or(name);
        if let Ok(user) = name.parse() {
            return user;
        }
        let user = self.named(name);
        self.give(Command::MeetUser {
            user,
            login: LoginHash(id("login", name)),
        });
        user
    }

    /// The id of one of this name, known or not.
    pub(crate) fn named(&mut self, name: &str) -> UserId {
        let user = UserId(id("user", name));
        self.users.insert(user, name.to_owned());
        user
    }

    /// A date that a pair names, counted like `at=`.
    pub(crate) fn date(&self, words: &Words, pair: &str) -> Result<Option<Date>, String> {
        let seconds = words.seconds(pair)?;
        Ok(seconds.map(|s| Date(BASE + s)))
    }

    pub(crate) fn license_id(&self, words: &Words, name: &str) -> LicenseId {
        LicenseId {
            vendor: words.get("vendor").unwrap_or("acme").into(),
            id: name.into(),
        }
    }

    fn process(&self, words: &Words) -> Result<Process, String> {
        let who = words.after("by")?;
        let (user, machine) = who.split_once('@').ok_or("who is USER@MACHINE")?;
        let machine_id = machine
            .parse()
            .unwrap_or_else(|_| MachineId(id("machine", machine)));
        let app = words.get("app").unwrap_or("1");
        Ok(Process {
            machine: machine_id,
            attested_by: machine_id,
            uid: u32::from_be_bytes(id("uid", words.get("uid").unwrap_or(user))),
            boot: BootId(match words.get("boot") {
                Some(boot) => id("boot", &format!("{machine} {boot}")),
                None => id("boot", machine),
            }),
            instance: InstanceId(id("instance", &format!("{user}@{machine}/{app}"))),
        })
    }

    fn asked(&mut self, words: &Words) -> Result<Checkout, String> {
        let user = self.user(words.after("by")?);
        self.checkouts += 1;
        let name = words
            .get("id")
            .map_or_else(|| format!("checkout {}", self.checkouts), str::to_owned);
        Ok(Checkout {
            checkout_id: CheckoutId(id("checkout", &name)),
            process: self.process(words)?,
            pid: Some(Pid {
                pid: std::num::NonZeroU32::new(100).expect("not zero"),
                born: None,
                namespace: None,
            }),
            user,
            product: words.get("product").unwrap_or("cad").into(),
            feature: words.at(1)?.into(),
            version: words.get("version").map(Name::from),
            n: words.number("n", 1)?,
            roots: words
                .get("roots")
                .unwrap_or("acme")
                .split(',')
                .map(root)
                .collect(),
            wait_s: 0,
            interactive: words.flag("interactive"),
            needs_terms: words.flag("needs-terms"),
            shown: self.shown(words, None, &self.process(words)?)?,
        })
    }

    fn checkout(&mut self, words: &Words) -> Result<(), String> {
        let asked = self.asked(words)?;
        self.lease(Command::Checkout(Box::new(asked)), words.flag("unheard"))
    }

    fn why(&mut self, words: &Words) -> Result<(), String> {
        let asked = self.asked(words)?;
        let (steps, judged) = explain(self.engine.state(), self.now(), &asked);
        for step in steps {
            let pool = step
                .pool
                .map(|pool| format!("{}/{} ", pool.license.id, pool.feature))
                .unwrap_or_default();
            let no = step
                .denied
                .map(|code| format!("{}: ", snake(code)))
                .unwrap_or_default();
            let _ = writeln!(self.out, "  why {pool}rule={} {no}{}", step.rule, step.text);
        }
        match judged {
            Ok(Choice::Join(pool, gid)) => {
                self.line(&format!("would join {gid} of {}", pool.license.id))
            }
            Ok(Choice::Open(pool, slots)) => {
                self.line(&format!("would take {slots:?} of {}", pool.license.id))
            }
            Err(denial) => self.denied(&denial),
        }
        Ok(())
    }

    fn release(&mut self, words: &Words) -> Result<(), String> {
        let what = match words.get("id") {
            Some(name) => Released::Checkout(CheckoutId(id("checkout", name))),
            None => Released::Holder(holder(words.at(1)?)?),
        };
        let process = self.process(words)?;
        self.answer(Command::Release(Release { what, process }))
    }

    /// Releases checkouts that were never made, `times=` of them, and counts what is recorded.
    fn give_up(&mut self, words: &Words) -> Result<(), String> {
        let process = self.process(words)?;
        let name = words.get("id").ok_or("id= is missing")?;
        let mut recorded = 0_u64;
        for n in 0..words.number("times", 1_u64)? {
            let checkout = CheckoutId(id("checkout", &format!("{name}{n}")));
            let what = Released::Checkout(checkout);
            let process = process.clone();
            let (events, verdict) = self
                .engine
                .apply(self.now(), Command::Release(Release { what, process }));
            for event in events {
                if let Event::Recorded(event) = event {
                    self.journal.push(event);
                    recorded += 1;
                }
            }
            if let Verdict::Denied(denial) = verdict {
                self.denied(&denial);
            }
        }
        let _ = writeln!(self.out, "CheckoutEnded times={recorded}");
        Ok(())
    }

    fn issuer(&mut self, words: &Words) -> Result<(), String> {
        let revoked = words
            .get("revoked")
            .map(|kids| kids.split(',').map(Name::from).collect())
            .unwrap_or_default();
        let seen = IssuerSeen {
            root: root(words.at(1)?),
            iat: Date(BASE + words.seconds("iat")?.unwrap_or(self.now_s)),
            min_serial: words.number("min_serial", 0)?,
            revoked_kids: revoked,
            token: "issuer".into(),
        };
        self.answer(Command::SeeIssuer(Box::new(seen)))
    }

    fn license(&mut self, words: &Words) -> Result<(), String> {
        let (product, features) = words
            .at(1)?
            .split_once('/')
            .ok_or("a license is of PRODUCT/FEATURE")?;
        let name = words.get("id").unwrap_or("L1");
        let vendor = words.get("vendor").unwrap_or("acme");
        let serial = words.number("serial", 1)?;
        let date = |name| self.date(words, name);
        let terms = LicenseTerms {
            id: self.license_id(words, name),
            serial,
            replaces: words.get("replaces").map(Name::from),
            product: product.into(),
            customer: words.get("customer").unwrap_or_default().into(),
            root: root(words.get("root").unwrap_or(vendor)),
            kid: words.get("kid").unwrap_or("issuing").into(),
            signed: Signed {
                hash: TokenHash(id("token", &format!("{name} {serial}"))),
                iat: Date(BASE),
            },
            nbf: date("nbf")?.unwrap_or(Date(BASE)),
            exp: date("exp")?,
            features: features
                .split(',')
                .map(|f| feature(f, words))
                .collect::<Result<_, _>>()?,
            token: format!("license {name} {serial}").into(),
            issuer: "issuer".into(),
        };
        let everyone = words.get("assign") == Some("everyone");
        let assign_everyone =
            everyone.then(|| AssignmentId(id("assignment", &format!("{name} everyone"))));
        let note_known = words.flag("inbox");
        let terms = Box::new(terms);
        if words.get("account") == Some("new") {
            let account = self.new_account(words)?;
            return self.answer(Command::InstallForNew {
                terms,
                account,
                assign_everyone,
                note_known,
            });
        }
        let account = words.get("account").map(|name| self.unit(name));
        self.answer(Command::InstallLicense {
            terms,
            account,
            assign_everyone,
            note_known,
        })
    }

    pub(crate) fn name(&self, user: UserId) -> String {
        self.users
            .get(&user)
            .cloned()
            .unwrap_or_else(|| user.to_string())
    }

    fn denied(&mut self, denial: &Denial) {
        let mut text = format!("denied {} rule={}", snake(denial.code), denial.rule);
        if let Some(limit) = &denial.limit {
            let _ = write!(text, " limit={}", limit.replace(' ', "_"));
        }
        if let (Some(in_use), Some(total)) = (denial.in_use, denial.total) {
            let _ = write!(text, " in_use={in_use} total={total}");
        }
        if let Some(reserved) = denial.reserved {
            let _ = write!(text, " reserved={reserved}");
        }
        if denial.other_account {
            text.push_str(" other_account");
        }
        if !denial.users.is_empty() {
            let names: Vec<_> = denial.users.iter().map(|user| self.name(*user)).collect();
            let _ = write!(text, " users={}", names.join(","));
        }
        if let Some(date) = denial.date {
            let _ = write!(text, " date={}", show(date.0.saturating_sub(BASE)));
        }
        self.line(&text);
    }

    fn leased(&mut self, how: &str, terms: &LeaseTerms) {
        let mut text = format!(
            "{how} {} ttl={} grace={}",
            terms.holder,
            show(terms.ttl_s),
            show(terms.grace_s)
        );
        if terms.license.id.as_ref() != "L1" {
            let _ = write!(text, " license={}", terms.license.id);
        }
        if !terms.policies.is_empty() {
            let _ = write!(text, " policies={}", terms.policies.join(","));
        }
        if let Some(last) = terms.last {
            let _ = write!(text, " last={}", ending(last));
        }
        for warning in &terms.warnings {
            let code = match warning {
                Warning::ExpiresSoon => "expires_soon",
                Warning::OverSoftLimit => "over_soft_limit",
            };
            let _ = write!(text, " warning={code}");
        }
        self.line(&text);
    }
}

fn feature(name: &str, words: &Words) -> Result<Feature, String> {
    let seats = words.get("seats").ok_or("seats= is missing")?;
    let list = |name| {
        words
            .get(name)
            .map(|l| l.split(',').map(Name::from).collect())
            .unwrap_or_default()
    };
    Ok(Feature {
        name: name.into(),
        seats: if seats == "unlimited" {
            None
        } else {
            Some(seats.parse().map_err(|_| "seats= is no number")?)
        },
        overdraft: words.number("overdraft", 0)?,
        model: if words.get("model") == Some("named") {
            Model::Named
        } else {
            Model::Floating
        },
        unit: match words.get("counting").unwrap_or("process") {
            "process" => CountingUnit::Process,
            "user" => CountingUnit::User,
            "host" => CountingUnit::Host,
            "user+host" => CountingUnit::UserHost,
            other => return Err(format!("counting={other} is none")),
        },
        version: words.get("version").map(Name::from),
        ttl_s: words.get("ttl").map_or(Ok(900), seconds)?,
        grace_s: words.get("grace").map_or(Ok(0), seconds)?,
        save_s: words.get("save").map_or(Ok(300), seconds)?,
        cool_down_s: words.get("cool_down").map_or(Ok(600), seconds)?,
        share_max: words
            .get("share_max")
            .map(|n| n.parse().map_err(|_| "share_max= is no number"))
            .transpose()?,
        linger_s: 0,
        named_min_s: words.get("named_min").map_or(Ok(0), seconds)?,
        policies: list("policies"),
        optional: list("optional"),
    })
}

fn root(vendor: &str) -> Name {
    format!("root of {vendor}").into()
}

pub(crate) fn holder(text: &str) -> Result<HolderId, String> {
    text.parse().map_err(|_| format!("{text} is no holder id"))
}

pub(crate) fn list(holders: &[HolderId]) -> String {
    holders
        .iter()
        .map(HolderId::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// A variant's name as it stands on the wire.
fn snake(code: Code) -> String {
    let mut text = String::new();
    for c in format!("{code:?}").chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

pub(crate) fn ending(why: EndingWhy) -> String {
    serde_json::to_string(&why)
        .unwrap_or_default()
        .trim_matches('"')
        .to_owned()
}

pub(crate) fn ended(why: EndWhy) -> String {
    serde_json::to_string(&why)
        .unwrap_or_default()
        .trim_matches('"')
        .to_owned()
}
