//! Seats of the walk: taken, given back, and what stands against them (rules 10, 11, 13).

use super::things::{denied, names, product};
use super::{FEATURES, SEATS, Sits, Whom, World};
use seatkeeper_engine::command::{Checkout, Process, Release, Released};
use seatkeeper_engine::denial::{Code, Denial, Step};
use seatkeeper_engine::ids::*;
use seatkeeper_engine::{Choice, Command, Verdict, explain};

impl World {
    pub(crate) fn checkout(&mut self, who: u8, license: u8, feature: usize, n: u32) {
        let asked = self.asked(who, license, feature, n);
        let process = asked.process.clone();
        let (steps, told) = explain(self.engine.state(), self.at(), &asked);
        let right = self.naive.right(who, license, feature, self.at().j);
        let expected = match &right {
            Err(code) => vec![Err((*code, None))],
            Ok(_) => self.expected(who, license, feature, n.into()),
        };
        let owed = right.is_ok() && self.owed(who, license, feature, n.into());
        let verdict = self.give(Command::Checkout(Box::new(asked)));
        uncontradicted(&steps, &told, &verdict);
        let judged = match &verdict {
            Verdict::Denied(no) => Err(reason(no)),
            _ => Ok(()),
        };
        assert!(
            expected.iter().any(|one| agrees(*one, judged)),
            "{who} {n} of {license} {feature}: {judged:?} is none of {expected:?}"
        );
        assert!(judged.is_ok() || !owed, "I10: a promise is broken");
        if let Verdict::Leased(terms) = verdict {
            assert_eq!(
                terms.policies.as_ref() as &[Name],
                names(&right.expect("a right")),
                "policies"
            );
            let user = self.naive.user(who);
            let sits = Sits {
                user,
                who,
                license,
                feature,
                n: n.into(),
                process,
                hard: false,
                last: None,
            };
            self.sits.insert(terms.holder, sits);
        }
    }

    fn asked(&mut self, who: u8, license: u8, feature: usize, n: u32) -> Checkout {
        self.asked += 1;
        let mut instance = [0; 16];
        instance[..4].copy_from_slice(&self.asked.to_be_bytes());
        let process = Process {
            machine: MachineId([0; 16]),
            attested_by: MachineId([0; 16]),
            uid: u32::from(who),
            boot: BootId([0; 16]),
            instance: InstanceId(instance),
        };
        Checkout {
            checkout_id: CheckoutId(instance),
            process,
            pid: None,
            user: self.naive.user(who),
            product: product(license),
            feature: FEATURES[feature].into(),
            version: None,
            n,
            roots: vec!["root".into()],
            wait_s: 0,
            interactive: false,
            needs_terms: false,
            shown: None,
        }
    }

    pub(crate) fn release(&mut self, which: u8) {
        let place = usize::from(which) % self.sits.len().max(1);
        let Some((holder, sits)) = self.sits.iter().nth(place) else {
            return;
        };
        let (holder, process) = (*holder, sits.process.clone());
        let verdict = self.give(Command::Release(Release {
            what: Released::Holder(holder),
            process,
        }));
        assert_eq!(denied(&verdict), Ok(()));
        self.sits.remove(&holder);
    }

    /// Whose seats are out, in the order in which they opened. Who was taken away is nobody.
    fn out(&self, license: u8, feature: usize) -> Vec<Option<u8>> {
        let here = self.sits.values();
        let here = here.filter(|sits| (sits.license, sits.feature) == (license, feature));
        here.flat_map(|sits| {
            let current = self.naive.user(sits.who) == sits.user;
            (0..sits.n).map(move |_| current.then_some(sits.who))
        })
        .collect()
    }

    /// What may be answered to one who has the right: of several reasons any one.
    fn expected(&self, who: u8, license: u8, feature: usize, n: u64) -> Vec<Answer> {
        let out = self.out(license, feature);
        if SEATS[feature].is_some_and(|seats| n > seats) {
            return vec![Err((Code::RequestExceedsTotal, Some(13)))];
        }
        let bounds = self.naive.bounds((license, feature), who, &out);
        // What time cannot help goes first, and reserves only where they make the difference (rule 13).
        let over = self.over(who, license, feature, n);
        let never = Err((Code::RequestExceedsTotal, Some(13)));
        if over.contains(&never) {
            return vec![never];
        }
        if !bounds
            .iter()
            .all(|bound| self.naive.ever_allowed(bound, who, n))
        {
            return vec![Err((Code::ReservedForOthers, Some(13)))];
        }
        if !over.is_empty() {
            return over;
        }
        if SEATS[feature].is_some_and(|seats| out.len() as u64 + n > seats) {
            return vec![Err((Code::NoSeatFree, Some(9)))];
        }
        let allowed = bounds.iter().all(|bound| self.naive.allowed(bound, who, n));
        vec![if allowed {
            Ok(())
        } else {
            Err((Code::ReservedForOthers, Some(11)))
        }]
    }

    /// Everything that these seats are taken from keeps them for this user, and is short of nothing.
    fn owed(&self, who: u8, license: u8, feature: usize, n: u64) -> bool {
        let out = self.out(license, feature);
        let bounds = self.naive.bounds((license, feature), who, &out);
        let own = out.iter().filter(|one| **one == Some(who)).count() as u64;
        let mut each = self.limits(who, license, feature).into_iter();
        let each = each.all(|(_, _, each)| each.is_none_or(|each| own + n <= each));
        let unlimited = SEATS[feature].is_none();
        each && (unlimited || !bounds.is_empty())
            && bounds.iter().all(|bound| self.naive.owed(bound, who, n))
    }

    /// The limits of a feature that cover a user: whose, together, each.
    fn limits(
        &self,
        who: u8,
        license: u8,
        feature: usize,
    ) -> Vec<(Whom, Option<u64>, Option<u64>)> {
        let of = self.naive.assigned.iter();
        let of = of.filter(|((of, whom), _)| *of == license && self.naive.covers(*whom, who));
        let here =
            |limit: Option<(usize, u64)>| limit.filter(|(of, _)| *of == feature).map(|(_, n)| n);
        of.map(|((_, whom), gives)| (*whom, here(gives.max), here(gives.max_each)))
            .collect()
    }

    /// The limits that n more seats would pass (rule 10). Who was taken away is nobody's, and counts for none.
    fn over(&self, who: u8, license: u8, feature: usize, n: u64) -> Vec<Answer> {
        let seats: Vec<_> = self.out(license, feature).into_iter().flatten().collect();
        let mut over = Vec::new();
        for (whom, max, max_each) in self.limits(who, license, feature) {
            let together = seats.iter().filter(|one| self.naive.covers(whom, **one));
            let each = seats.iter().filter(|one| **one == who);
            let code = match whom {
                Whom::User(_) => Code::OverUserMax,
                Whom::Group(_) => Code::OverGroupMax,
                Whom::Unit(_) => Code::OverUnitMax,
            };
            let limits = [
                (max, together.count(), code),
                (max_each, each.count(), Code::OverUserMax),
            ];
            for (limit, count, code) in limits {
                if let Some(most) = limit.filter(|most| count as u64 + n > *most) {
                    over.push(Err(match n > most {
                        true => (Code::RequestExceedsTotal, Some(13)),
                        false => (code, Some(10)),
                    }));
                }
            }
        }
        over
    }
}

/// A grant, or the code of a denial and its rule, where that is told.
type Answer = Result<(), (Code, Option<u8>)>;

fn reason(no: &Denial) -> (Code, Option<u8>) {
    (no.code, Some(no.rule))
}

fn agrees(expected: Answer, judged: Answer) -> bool {
    match (expected, judged) {
        (Err((code, None)), Err((other, _))) => code == other,
        (expected, judged) => expected == judged,
    }
}

/// What `why` told just before is what was decided, to the slot, and its steps lead there.
fn uncontradicted(steps: &[Step], told: &Result<Choice, Box<Denial>>, verdict: &Verdict) {
    match (told, verdict) {
        (Ok(Choice::Open(pool, slots)), Verdict::Leased(lease)) => {
            assert_eq!((&pool.license, slots), (&lease.license, &lease.slots));
            let no = steps.iter().any(|step| step.denied.is_some());
            assert!(!no, "one pool, and it gives: {steps:?}");
        }
        (Ok(Choice::Join(_, gid)), Verdict::Leased(lease)) => assert_eq!(*gid, lease.holder.gid),
        (Err(told), Verdict::Denied(denial)) => {
            assert_eq!(told, denial, "why and the judgement");
            let last = steps.last().and_then(|step| step.denied);
            assert_eq!(last, Some(denial.code), "{steps:?}");
        }
        (told, verdict) => panic!("{told:?}, and {verdict:?}"),
    }
}
