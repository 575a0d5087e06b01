//! What a script says of restored states, and of the leases that processes hold over them (rule 21).

use crate::stage::{Stage, holder};
use crate::words::{Words, id};
use seatkeeper_engine::command::{Command, Process, Renew, Shown};
use seatkeeper_engine::ids::{CheckoutId, HolderId, RunId, UserId};
use seatkeeper_engine::{LeaseTerms, Verdict};

impl Stage {
    /// A backup of the state, a daemon that starts from it, or from nothing under a copied site key.
    pub(crate) fn rollback(&mut self, command: &str) -> Result<(), String> {
        match command {
            "save" => self.saved = self.journal.len(),
            "restore" => {
                self.journal.truncate(self.saved);
                self.restart();
            }
            "lost-state" => drop(self.give(Command::BeginQuarantine)),
            other => return Err(format!("no command `{other}`")),
        }
        Ok(())
    }

    /// A renewal, of a person whom the daemon meets where the lease is shown.
    pub(crate) fn renew(
        &mut self,
        words: &Words,
        holder: HolderId,
        process: Process,
    ) -> Result<(), String> {
        if words.flag("shows") {
            self.user(words.after("by")?);
        }
        let shown = self.shown(words, Some(holder), &process)?;
        let renew = Command::Renew(Renew {
            holder,
            process,
            shown,
        });
        self.lease(renew, words.flag("unheard"))
    }

    /// A call that may bring a lease, which its process keeps, unless it gets lost on its way.
    pub(crate) fn lease(&mut self, command: Command, unheard: bool) -> Result<(), String> {
        let process = match &command {
            Command::Checkout(asked) => asked.process.clone(),
            Command::Renew(asked) => asked.process.clone(),
            _ => return Err("no lease comes of it".to_owned()),
        };
        let verdict = self.give(command);
        if let Verdict::Leased(terms) = &verdict
            && !unheard
        {
            self.leases
                .insert((terms.holder, process.instance), shown(terms));
        }
        self.tell_verdict(&verdict);
        Ok(())
    }

    /// What the process shows with `shows` or `shows=HOLDER`: the newest lease that it has of this holder.
    pub(crate) fn shown(
        &self,
        words: &Words,
        renewed: Option<HolderId>,
        process: &Process,
    ) -> Result<Option<Box<Shown>>, String> {
        let of = match words.get("shows") {
            Some(text) => Some(holder(text)?),
            None if words.flag("shows") => renewed,
            None => return Ok(None),
        };
        let key = (of.ok_or("shows= needs a holder")?, process.instance);
        let lease = self.leases.get(&key).ok_or("it never had that lease")?;
        let n = self.leases.len() + self.journal.len();
        Ok(Some(Box::new(Shown {
            user: self.user_with(words.after("by")?),
            next_run: RunId(id("next run", &n.to_string())),
            checkout_id: CheckoutId(id("adopted", &n.to_string())),
            ..lease.clone()
        })))
    }

    fn user_with(&self, name: &str) -> Option<UserId> {
        let name = name.split('@').next().unwrap_or(name);
        let user = UserId(id("user", name));
        self.engine
            .state()
            .users
            .contains_key(&user)
            .then_some(user)
    }
}

/// A lease as it is shown later.
fn shown(terms: &LeaseTerms) -> Shown {
    Shown {
        run: terms.run,
        epoch: terms.epoch,
        seq: terms.seq,
        holder: terms.holder,
        license: terms.signed.hash,
        feature: terms.feature.clone(),
        version: terms.version.clone(),
        slots: terms.slots.clone(),
        iat: terms.now.j,
        term_s: terms.ttl_s + terms.grace_s,
        last: terms.last.is_some(),
        user: None,
        next_run: RunId([0; 16]),
        checkout_id: CheckoutId([0; 16]),
    }
}
