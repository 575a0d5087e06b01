//! A round, and what comes back of it: applications learn from it, and the promises are looked at.

use super::people::{App, Life, Take};
use super::rights::learned;
use super::world::{Asked, Whose, World};
use seatkeeper_core::keeper::{Answer, Failure, Snapshot};
use seatkeeper_engine::denial::{Code, Denial};
use seatkeeper_engine::ids::Gid;
use seatkeeper_engine::time::Date;
use seatkeeper_engine::{Actor, Command, LeaseTerms, Order, Origin, Verdict};
use std::sync::{Arc, Mutex};

/// How long an ended checkout is remembered (rule 20).
const REMEMBERED_MS: u64 = 15 * 60 * 1000;

/// What became of each order, in the order of judging.
type Heard = Arc<Mutex<Vec<(usize, Result<Answer, Failure>)>>>;

impl World {
    /// One batch. False where the daemon failed in it.
    pub(super) fn round(&mut self, asked: Vec<Asked>) -> Result<bool, String> {
        let asked = self.met(asked);
        self.alone = asked.len() == 1;
        let handle = self.handle();
        let before = handle.snapshot();
        let heard = Heard::default();
        self.known.clear();
        let mut queued = Vec::new();
        for (n, one) in asked.iter().enumerate() {
            let order = Order {
                actor: Actor::Daemon,
                origin: Origin::Socket,
                command: one.command.clone(),
            };
            let at_once = self.random.below(2) == 0;
            if let Some(answer) = at_once.then(|| handle.at_once(&order)).flatten() {
                self.note(one, &answer);
                self.script.durable();
                self.hear(one, &answer, &before)?;
                continue;
            }
            queued.push(n);
            let heard = heard.clone();
            handle.submit(
                order,
                None,
                Box::new(move |answer| heard.lock().unwrap().push((n, answer))),
            );
        }
        let went = self.keeper.as_mut().unwrap().round();
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        if heard.len() != queued.len() {
            return Err(format!(
                "{} orders have {} answers",
                queued.len(),
                heard.len()
            ));
        }
        if went.is_err() {
            self.failed(&asked, &heard)?;
        } else {
            for (n, answer) in heard {
                self.doubt(&asked[n]);
                let answer =
                    answer.map_err(|e| format!("an order of a round that went well: {e}"))?;
                self.note(&asked[n], &answer);
                self.hear(&asked[n], &answer, &before)?;
            }
            self.script.durable();
            let after = handle.recorded();
            let witnessed = self.witnessed(before.head.number + 1)?;
            // Set back by an administrator, too.
            self.j_behind |= self.ledger.restored && after.now.j.0 < self.j_s;
            self.j_s = self.j_s.max(after.now.j.0);
            self.counts.quarantines += u64::from(witnessed);
            self.ledger.acknowledged = Some(after);
            self.ledger.alone(&self.apps, self.true_s, witnessed)?;
            if asked.iter().any(|one| learned(one).is_some()) {
                self.ledger.org_is(&self.handle().recorded())?;
            }
            self.doubt_rights();
            self.ledger.owners_are(&self.handle().recorded().state)?;
        }
        // Once more: a lease that was signed before it in the same batch is in doubt now.
        for one in &asked {
            self.doubt(one);
        }
        Ok(went.is_ok())
    }

    /// Whether a future was proven since this event.
    fn witnessed(&self, from: u64) -> Result<bool, String> {
        if !self.ledger.rolled_back {
            return Ok(false);
        }
        let events = self.handle().read(from, 200).map_err(|e| e.to_string())?;
        Ok(events
            .iter()
            .any(|(_, raw)| raw.contains("\"FutureShown\"")))
    }

    /// The daemon failed: nobody was answered for (I7), and nobody knows what became of it.
    fn failed(
        &mut self,
        asked: &[Asked],
        heard: &[(usize, Result<Answer, Failure>)],
    ) -> Result<(), String> {
        if !self.disk.failed() {
            return Err("it fails, and the disk did not".to_owned());
        }
        if heard.iter().any(|(_, answer)| answer.is_ok()) {
            return Err("I7: answered for in a batch that failed".to_owned());
        }
        let now = self.handle().now();
        for (n, _) in heard {
            let one = &asked[*n];
            if !one.words.is_empty() {
                self.script.ask(now, &one.words);
            }
            match &one.whose {
                Whose::Checkout(who, take) => self.apps[*who].life = Life::Asking(take.clone()),
                Whose::Release(who, _) => self.apps[*who].life = Life::Idle,
                Whose::Change(_) => {
                    self.doubt_of(None);
                    self.ledger.owners.doubt(|_, _, _| true);
                }
                _ => {}
            }
            self.ledger.undecided.extend(learned(one));
        }
        Ok(())
    }

    fn note(&mut self, one: &Asked, answer: &Answer) {
        if one.words.is_empty() {
            return;
        }
        let lost = matches!(answer.verdict, Verdict::Leased(_)) && one.unheard;
        let unheard = if lost { " unheard" } else { "" };
        self.script
            .ask(answer.now, &format!("{}{unheard}", one.words));
        if let Verdict::ClockAccepted { to, .. } = &answer.verdict {
            self.script.accepted(answer.now, to.0);
        }
    }

    fn hear(&mut self, one: &Asked, answer: &Answer, before: &Snapshot) -> Result<(), String> {
        self.arranged(one, answer)?;
        match &answer.verdict {
            Verdict::Leased(lease) => {
                self.judged(one, lease, (before, &answer.snapshot))?;
                self.leased(one, lease, before)
            }
            Verdict::Denied(denial) => {
                self.withheld(one, denial, &answer.snapshot)?;
                self.denied(one, denial, answer.now.j)
            }
            Verdict::Done => {
                match &one.whose {
                    Whose::Release(who, holder) => {
                        self.ledger.released(*holder);
                        self.apps[*who].life = Life::Idle;
                    }
                    Whose::GiveUp(who, take) => {
                        // Lease time goes back where a start comes in between.
                        let over_ms = take.made_ms.min(answer.now.lease.0);
                        self.ledger.over.insert(take.asked.checkout_id, over_ms);
                        self.late.push((*who, take.clone()));
                        self.apps[*who].life = Life::Idle;
                    }
                    _ => {}
                }
                Ok(())
            }
            Verdict::Ending(_) => {
                if let Command::Recall { gid, .. } = one.command {
                    self.ledger.owners.recalled(gid);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The right, and the limits of a seat that is taken.
    fn judged(
        &mut self,
        one: &Asked,
        lease: &LeaseTerms,
        (before, after): (&Snapshot, &Snapshot),
    ) -> Result<(), String> {
        let (Whose::Checkout(who, _) | Whose::Late(who, _) | Whose::Renew(who)) = one.whose else {
            return Ok(());
        };
        let who = self.apps[who].user;
        let gid = lease.holder.gid;
        // In quarantine nobody who sits is judged: this state may be older than what they were given by (rule 21).
        if !lease.new && after.state.quarantined(lease.now.lease).is_some() {
            return Ok(());
        }
        if let Command::Renew(renew) = &one.command {
            // What a proven lease brings back is judged from its next renewal on.
            let adopted = renew.holder != lease.holder;
            return if adopted {
                Ok(())
            } else {
                self.rightly(who, lease)
            };
        }
        self.rightly(who, lease)?;
        let known = before.state.grants.contains_key(&gid) || self.known.contains(&gid);
        if known {
            return Ok(());
        }
        self.within_limits(who, gid, after)?;
        self.within_promises(who, gid, after)
    }

    fn withheld(&mut self, one: &Asked, no: &Denial, after: &Snapshot) -> Result<(), String> {
        let (Whose::Checkout(who, take) | Whose::Late(who, take)) = &one.whose else {
            return Ok(());
        };
        let who = self.apps[*who].user;
        self.withheld_rightly((who, take.asked.n.into()), no, after)
    }

    fn leased(&mut self, one: &Asked, lease: &LeaseTerms, before: &Snapshot) -> Result<(), String> {
        self.counts.leases += 1;
        self.counts.lasts += u64::from(lease.last.is_some());
        self.ledger.signed(lease)?;
        let quarantined = before.state.quarantined(lease.now.lease).is_some();
        let gid = lease.holder.gid;
        if !lease.new {
            // Adopted, if it is new.
            self.known.insert(gid);
        }
        let known = before.state.grants.contains_key(&gid) || self.known.contains(&gid);
        if quarantined && lease.new && !known {
            return Err(format!("I13: {} opens in quarantine", lease.holder));
        }
        let end = lease.now.j.0 + lease.ttl_s + lease.grace_s;
        if let Some(Some(exp)) = self
            .exps
            .get(&lease.signed.hash)
            .filter(|exp| exp.is_some_and(|exp| end > exp))
        {
            return Err(format!(
                "rule 16: a lease until {end} of a license until {exp}"
            ));
        }
        if let Command::Renew(renew) = &one.command
            && renew.holder != lease.holder
        {
            self.counts.adopted += 1;
            self.ledger.adopted(renew.holder.gid, gid);
        }
        // Whoever comes next in this batch joins it.
        self.known.insert(gid);
        if let Whose::Checkout(who, _) | Whose::Late(who, _) | Whose::Renew(who) = &one.whose {
            self.owns(lease, *who);
        }
        match &one.whose {
            Whose::Checkout(who, take) => {
                self.over(take, lease)?;
                self.accepted(take, lease, self.apps[*who].user)?;
                if one.unheard {
                    if !matches!(self.apps[*who].life, Life::Held(_)) {
                        self.apps[*who].life = Life::Asking(take.clone());
                    }
                } else {
                    self.counts.retries += u64::from(!lease.new);
                    self.apps[*who].hear(lease, self.true_s);
                }
            }
            Whose::Renew(who) if !one.unheard => {
                self.apps[*who].hear(lease, self.true_s);
            }
            Whose::Late(who, take) => {
                self.over(take, lease)?;
                self.accepted(take, lease, self.apps[*who].user)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// D16: where the site insists on its terms nobody gets a new seat without.
    fn accepted(&self, take: &Take, lease: &LeaseTerms, who: &str) -> Result<(), String> {
        if lease.new && take.asked.needs_terms && self.ledger.org.has_to_accept(who) {
            let holder = lease.holder;
            return Err(format!("D16: {who} sits as {holder}, and has to accept"));
        }
        Ok(())
    }

    /// Rule 20: a checkout that was given up takes no seat.
    fn over(&self, take: &Take, lease: &LeaseTerms) -> Result<(), String> {
        // It may have sat and ended in between: the memory of it begins then.
        let over_ms = self.ledger.over.get(&take.asked.checkout_id);
        match over_ms.and_then(|over_ms| lease.now.lease.0.checked_sub(*over_ms)) {
            Some(age_ms) if age_ms < REMEMBERED_MS => Err(format!(
                "I8: checkout c{} was given up, and sits as {}",
                take.number, lease.holder
            )),
            _ => Ok(()),
        }
    }

    fn denied(&mut self, one: &Asked, denial: &Denial, j: Date) -> Result<(), String> {
        self.counts.denials += 1;
        let code = denial.code;
        let told = |what: &str| Err(format!("{what}: {code:?} by rule {}", denial.rule));
        match &one.whose {
            Whose::Checkout(who, take) => {
                if let (Code::NoSeatFree, Some(used), Some(total)) =
                    (code, denial.in_use, denial.total)
                    && used + u64::from(take.asked.n) <= total
                {
                    return told(&format!(
                        "I9: {used} of {total} are in use, and one is denied"
                    ));
                }
                let user = self.apps[*who].user;
                let insists = take.asked.needs_terms && self.ledger.org.has_to_accept(user);
                if code == Code::TermsNotAccepted && !insists {
                    return told("D16: who has accepted is denied");
                }
                let lawful = self.refused_rightly(user, code, j);
                // A repeated one whose first try sits already is denied where that seat has ended.
                if !matches!(self.apps[*who].life, Life::Held(_)) {
                    self.apps[*who].life = Life::Idle;
                }
                if !lawful {
                    return told("a checkout is denied");
                }
            }
            Whose::Renew(who) => {
                self.counts.expired += u64::from(code == Code::LeaseLapsed);
                let now_s = self.true_s;
                let app = &mut self.apps[*who];
                let lost = app.sits(now_s).is_some_and(|held| !held.doubtful);
                let dated = self.dated && code == Code::LicenseExpired;
                if lost && !dated && !self.ledger.restored {
                    return told(&format!("I2: {} is refused its seat", app.words()));
                }
                if !matches!(code, Code::LicenseExpired | Code::Quarantine) {
                    app.life = Life::Idle;
                }
            }
            Whose::Release(who, _) => self.apps[*who].life = Life::Idle,
            _ => {}
        }
        Ok(())
    }

    /// Whose seat a command may have ended.
    fn doubt(&mut self, one: &Asked) {
        match &one.command {
            Command::Reclaim { gid, .. } | Command::Recall { gid, .. } => {
                self.doubt_of(Some(*gid));
            }
            Command::ReleaseElsewhere { holder, .. } => self.doubt_of(Some(holder.gid)),
            Command::InstallLicense { .. } | Command::AcceptClock { .. } => self.doubt_of(None),
            _ => {}
        }
        let owners = &mut self.ledger.owners;
        match &one.command {
            Command::Recall { gid, .. } => owners.doubt(|one, _, _| one == *gid),
            Command::InstallLicense { terms, .. } => {
                let seats = terms.features[0].seats.unwrap_or(u64::MAX);
                owners.doubt(|_, slots, _| slots.iter().any(|slot| *slot >= seats));
            }
            _ => {}
        }
    }

    /// Those of one grant, or of all.
    fn doubt_of(&mut self, of: Option<Gid>) {
        for App { life, .. } in &mut self.apps {
            if let Life::Held(held) = life {
                held.doubtful |= of.is_none_or(|gid| gid == held.holder.gid);
            }
        }
    }
}
