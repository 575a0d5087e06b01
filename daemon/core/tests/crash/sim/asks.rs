//! What is asked in a round: by applications, as processes and networks do it, and by those who administer the site.

use super::changes::{Change, Gives, USERS, Whom};
use super::people::{App, Life, Take, named, root, user};
use super::proofs::Proof;
use super::world::{APPS, Asked, Whose, World, pick};
use seatkeeper_engine::Command;
use seatkeeper_engine::command::{Release, Released, Renew, Signed};
use seatkeeper_engine::ids::{AssignmentId, Gid, HolderId, LicenseId, TokenHash};
use seatkeeper_engine::state::{CountingUnit, Feature, LicenseTerms, Model};
use seatkeeper_engine::time::Date;

use super::{BASE_S, FEATURE};

impl World {
    /// One or a few commands.
    pub(super) fn some(&mut self) -> Vec<Asked> {
        match self.random.below(63) {
            0 => self.reclaim(),
            1 => self.give_back(),
            2 | 3 => vec![self.other_license()],
            4 => {
                self.jump();
                Vec::new()
            }
            5 => self.accept_clock(),
            6 => self.late(),
            7..17 => {
                let change = self.some_change();
                vec![self.change(change)]
            }
            17..21 if self.named => self.of_owners(),
            17..20 => {
                let change = Change::promise(&mut self.random, self.groups);
                vec![self.change(change)]
            }
            21..29 => {
                self.made += 1;
                let (next, j) = (self.made, self.handle().now().j);
                let proof = Proof::some(&mut self.random, &self.ledger.org, next, j);
                vec![self.change(Change::Prove(proof))]
            }
            29..32 => {
                self.made += 1;
                let change = Change::of_service(&mut self.random, &self.ledger.org, self.made);
                vec![self.change(change)]
            }
            _ => {
                let who = pick(&mut self.random, APPS as u64);
                if self.busy.contains(&who) {
                    return Vec::new();
                }
                self.busy.push(who);
                self.act(who)
            }
        }
    }

    /// One more session.
    pub(super) fn one_more(&mut self) -> Asked {
        self.made += 1;
        let proof = Proof::one_more(&self.ledger.org, self.made);
        self.change(Change::Prove(proof))
    }

    fn act(&mut self, who: usize) -> Vec<Asked> {
        let dice = self.random.below(10);
        match self.apps[who].life.clone() {
            Life::Idle => {
                let n = if dice < 2 { 2 } else { 1 };
                vec![self.take(who, n, !dice.is_multiple_of(3))]
            }
            Life::Asking(take) => match dice {
                0..6 => vec![self.again(who, take)],
                6 | 7 => vec![self.again(who, take.clone()), self.again(who, take)],
                _ => vec![self.give_up(who, take)],
            },
            Life::Held(held) if held.until_s <= self.true_s => {
                // Where J is earlier than it has been, a lease that is over looks alive to a restored state, and would
                // be adopted beside the one that has its slot: rule 21 has no answer to both at once.
                if dice < 5 && !self.j_behind {
                    return vec![self.renew(who, held.holder)];
                }
                self.apps[who].life = Life::Idle;
                Vec::new()
            }
            Life::Held(held) => match dice {
                0..6 => vec![self.renew(who, held.holder)],
                6 | 7 => self.release(who, held.holder),
                // The watch of a restored daemon knows nobody of the lost future.
                _ => self.die(who, held.holder, dice == 8 && !held.old),
            },
        }
    }

    fn asked(&mut self, words: String, whose: Whose, command: Command) -> Asked {
        let unheard = self.lossy && self.random.below(8) == 0;
        Asked {
            words,
            whose,
            command,
            unheard,
        }
    }

    /// What nobody waits for.
    pub(super) fn other(&mut self, words: &str, command: Command) -> Asked {
        self.asked(words.to_owned(), Whose::Other, command)
    }

    pub(super) fn take(&mut self, who: usize, n: u32, interactive: bool) -> Asked {
        self.made += 1;
        let made = (self.made, self.handle().now().lease.0);
        let mut take = self.apps[who].checkout(made, n, interactive);
        // As where the site insists on its terms of service (D16).
        take.asked.needs_terms = self.lossy && self.random.below(8) == 0;
        self.again(who, take)
    }

    fn again(&mut self, who: usize, mut take: Box<Take>) -> Asked {
        take.asked.shown = self.shows(who);
        let words = self.words_of(&take, who);
        let command = Command::Checkout(Box::new(take.asked.clone()));
        self.asked(words, Whose::Checkout(who, take), command)
    }

    fn words_of(&self, take: &Take, who: usize) -> String {
        let asked = &take.asked;
        let mut words = format!(
            "checkout {FEATURE} by {} id=c{}",
            self.apps[who].words(),
            take.number
        );
        if asked.n > 1 {
            words.push_str(&format!(" n={}", asked.n));
        }
        if asked.interactive {
            words.push_str(" interactive");
        }
        if asked.needs_terms {
            words.push_str(" needs-terms");
        }
        if let Some(shown) = &asked.shown {
            words.push_str(&format!(" shows={}", shown.holder));
        }
        words
    }

    /// The newest lease, where it may prove a future, or in quarantine: as the desk looks at it.
    fn shows(&mut self, who: usize) -> Option<Box<seatkeeper_engine::command::Shown>> {
        self.made += 1;
        let shown = self.apps[who].shows(self.made)?;
        let snapshot = self.handle().snapshot();
        let (state, now) = (&snapshot.state, self.handle().now().lease);
        let past = state.is_past(shown.run, shown.holder.gid, shown.seq);
        (!past || state.quarantined(now).is_some()).then_some(shown)
    }

    fn renew(&mut self, who: usize, holder: HolderId) -> Asked {
        let shown = self.shows(who).filter(|shown| shown.holder == holder);
        let shows = if shown.is_some() { " shows" } else { "" };
        let words = format!("renew {holder} by {}{shows}", self.apps[who].words());
        let process = self.apps[who].process();
        let command = Command::Renew(Renew {
            holder,
            process,
            shown,
        });
        self.asked(words, Whose::Renew(who), command)
    }

    /// Said twice, now and then.
    fn release(&mut self, who: usize, holder: HolderId) -> Vec<Asked> {
        let words = format!("release {holder} by {}", self.apps[who].words());
        let process = self.apps[who].process();
        let what = Released::Holder(holder);
        let command = Command::Release(Release { what, process });
        let times = 1 + usize::from(self.random.below(4) == 0);
        (0..times)
            .map(|_| self.asked(words.clone(), Whose::Release(who, holder), command.clone()))
            .collect()
    }

    fn give_up(&mut self, who: usize, take: Box<Take>) -> Asked {
        let words = format!("release by {} id=c{}", self.apps[who].words(), take.number);
        let process = self.apps[who].process();
        let what = Released::Checkout(take.asked.checkout_id);
        let command = Command::Release(Release { what, process });
        self.asked(words, Whose::GiveUp(who, take), command)
    }

    /// A copy of a checkout that was given up arrives.
    fn late(&mut self) -> Vec<Asked> {
        if self.late.is_empty() {
            return Vec::new();
        }
        let n = pick(&mut self.random, self.late.len() as u64);
        let (who, take) = self.late.swap_remove(n);
        let words = self.words_of(&take, who);
        let command = Command::Checkout(Box::new(take.asked.clone()));
        vec![self.asked(words, Whose::Late(who, take), command)]
    }

    /// A process dies: the daemon sees it, or does not.
    fn die(&mut self, who: usize, holder: HolderId, seen: bool) -> Vec<Asked> {
        self.made += 1;
        self.apps[who] = App::new(who, self.made);
        let holders = vec![holder];
        if seen {
            vec![self.other(&format!("died {holder}"), Command::ProcessGone { holders })]
        } else {
            Vec::new()
        }
    }

    fn someone(&mut self) -> Option<(usize, HolderId)> {
        let who = pick(&mut self.random, APPS as u64);
        match &self.apps[who].life {
            Life::Held(held) => Some((who, held.holder)),
            _ => None,
        }
    }

    fn reclaim(&mut self) -> Vec<Asked> {
        let hard = self.random.below(2) == 0;
        if self.named && self.random.below(2) == 0 {
            return self.recall(hard);
        }
        let Some((_, HolderId { gid, .. })) = self.someone() else {
            return Vec::new();
        };
        let words = format!("reclaim {gid}{}", if hard { " hard" } else { "" });
        vec![self.other(&words, Command::Reclaim { gid, hard })]
    }

    /// A seat is assigned to somebody, or taken from its owner.
    fn of_owners(&mut self) -> Vec<Asked> {
        let hard = self.random.below(2) == 0;
        let whom = Whom::User(USERS[pick(&mut self.random, USERS.len() as u64)]);
        match self.random.below(8) {
            0 => self.recall(hard),
            1 | 2 => vec![self.change(Change::Unassign(whom, hard))],
            _ => vec![self.change(Change::Assign(whom, Gives::default()))],
        }
    }

    /// A named seat is taken from its owner, whether somebody sits on it or not.
    fn recall(&mut self, hard: bool) -> Vec<Asked> {
        let grants: Vec<_> = self
            .handle()
            .recorded()
            .state
            .grants
            .keys()
            .copied()
            .collect();
        if grants.is_empty() {
            return Vec::new();
        }
        let gid = grants[pick(&mut self.random, grants.len() as u64)];
        vec![self.recall_of(gid, hard)]
    }

    pub(super) fn recall_of(&mut self, gid: Gid, hard: bool) -> Asked {
        let words = format!("recall {gid}{}", if hard { " hard" } else { "" });
        self.other(&words, Command::Recall { gid, hard })
    }

    fn give_back(&mut self) -> Vec<Asked> {
        let Some((who, holder)) = self.someone() else {
            return Vec::new();
        };
        let words = format!("give-back {holder} by {}", self.apps[who].words());
        let by = user(self.apps[who].user);
        let command = Command::ReleaseElsewhere { holder, by };
        vec![self.asked(words, Whose::Elsewhere(who), command)]
    }

    fn some_change(&mut self) -> Change {
        self.made += 1;
        let j = self.handle().now().j;
        let change = Change::some(&mut self.random, self.groups, self.made, j);
        if let Change::MakeGroup(n) = change {
            self.groups = self.groups.max(n);
        }
        change
    }

    /// A change of the organisation.
    pub(super) fn change(&mut self, change: Change) -> Asked {
        let site = self.handle().recorded().state.site;
        let command = change.command(site.unwrap().unit);
        self.asked(change.words(), Whose::Change(change), command)
    }

    /// Users who are named and not there are met first: a line of a script does both.
    pub(super) fn met(&mut self, asked: Vec<Asked>) -> Vec<Asked> {
        let goes = |who, one: &Asked| matches!(&one.whose, Whose::Change(Change::RemoveUser(gone, _)) if *gone == who);
        let mut all = Vec::new();
        let gone: Vec<_> = USERS
            .into_iter()
            .filter(|who| !self.ledger.org.knows(who) || asked.iter().any(|one| goes(*who, one)))
            .collect();
        for one in asked {
            let names = match &one.whose {
                Whose::Change(change) => change.names(),
                Whose::Checkout(who, _) | Whose::Renew(who) | Whose::Elsewhere(who) => {
                    Some(self.apps[*who].user)
                }
                Whose::Late(who, _) => Some(self.apps[*who].user),
                _ => None,
            };
            if let Some(who) = names.filter(|who| gone.contains(who)) {
                all.push(self.change(Change::Meet(who)));
            }
            all.push(one);
        }
        all
    }

    /// The wall clock is set; nothing else knows of it.
    fn jump(&mut self) {
        const DAY: i64 = 86_400;
        let by = [1, 60, 7200, 30 * 3600, 40 * DAY, 3650 * DAY][pick(&mut self.random, 6)];
        let back = self.random.below(2) == 0;
        self.wall_off_s = if self.random.below(3) == 0 {
            0
        } else if back {
            -by
        } else {
            by
        };
        self.clock.set_wall(self.wall_s());
    }

    fn accept_clock(&mut self) -> Vec<Asked> {
        let wall_s = self.wall_s();
        let right = BASE_S + self.handle().now().lease.0 / 1000;
        let off = i64::try_from(wall_s).unwrap() - i64::try_from(right).unwrap();
        let command = Command::AcceptClock {
            wall: Date(wall_s),
            if_match: None,
        };
        vec![self.other(&format!("accept-clock wall={off:+}s"), command)]
    }

    fn other_license(&mut self) -> Asked {
        let seats = 1 + self.random.below(4);
        let lasts = [30, 200, 5000, 90_000][pick(&mut self.random, 4)];
        let now = self.handle().now().j.0;
        let exp = (self.random.below(4) == 0).then_some(now + lasts);
        self.license(seats, exp)
    }

    /// The next serial, for everyone.
    pub(super) fn license(&mut self, seats: u64, exp: Option<u64>) -> Asked {
        self.serial += 1;
        let serial = self.serial;
        // A serial that a restored state has not known may have given longer leases than any that it knows, and its
        // quarantine is over before they are: so there all have the same terms (rule 21).
        let terms = if self.restores {
            1
        } else {
            pick(&mut self.random, 3)
        };
        let (ttl_s, grace_s) = [(30, 0), (60, 30), (120, 0)][terms];
        let hash = TokenHash(named(&format!("serial {serial}")));
        self.exps.insert(hash, exp);
        self.dated |= exp.is_some();
        let mut words = format!(
            "license cad/{FEATURE} seats={seats} ttl={ttl_s}s grace={grace_s}s save=20s cool_down=100s counting={} {} serial={serial} optional=export assign=everyone",
            self.counting,
            match self.named {
                true => "model=named".to_owned(),
                false => format!("share_max={}", self.share_max),
            }
        );
        if let Some(exp) = exp {
            words.push_str(&format!(" exp={}s", exp.saturating_sub(BASE_S)));
        }
        let feature = Feature {
            name: FEATURE.into(),
            seats: Some(seats),
            overdraft: 0,
            model: match self.named {
                true => Model::Named,
                false => Model::Floating,
            },
            unit: match self.counting {
                "process" => CountingUnit::Process,
                "user" => CountingUnit::User,
                "host" => CountingUnit::Host,
                _ => CountingUnit::UserHost,
            },
            version: None,
            ttl_s,
            grace_s,
            save_s: 20,
            cool_down_s: 100,
            share_max: (!self.named).then_some(self.share_max),
            linger_s: 0,
            named_min_s: 0,
            policies: vec![],
            optional: vec!["export".into()],
        };
        let terms = LicenseTerms {
            id: license(),
            serial,
            replaces: None,
            product: "cad".into(),
            customer: "".into(),
            root: root(),
            kid: "issuing".into(),
            signed: Signed {
                hash,
                iat: Date(BASE_S),
            },
            nbf: Date(BASE_S),
            exp: exp.map(Date),
            features: vec![feature],
            // As long as real ones: its row has several blocks, which a power cut tears apart.
            token: format!("token {serial} {}", "x".repeat(5000)).into(),
            issuer: "issuer".into(),
        };
        let command = Command::InstallLicense {
            account: None,
            terms: Box::new(terms),
            assign_everyone: Some(everyone()),
            note_known: false,
        };
        self.other(&words, command)
    }
}

pub(super) fn license() -> LicenseId {
    LicenseId {
        vendor: "acme".into(),
        id: "L1".into(),
    }
}

pub(super) fn everyone() -> AssignmentId {
    AssignmentId(named("everyone"))
}
