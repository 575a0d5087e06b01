//! What would be: changes that are judged and folded on a copy of the state, as the engine would, and happen nowhere.

use crate::command::Command;
use crate::engine::{Engine, Verdict};
use crate::index::Index;
use crate::state::State;
use crate::time::Now;

/// A copy of a state in which things are so that are not. Of changes only: checkouts, renewals and releases are judged on it
/// as if nothing was ever asked before, for what finds a retry is not copied.
pub struct Draft {
    engine: Engine,
    now: Now,
}

impl Draft {
    /// Of this state, as it is now: whose hold is over has ended. Whoever sits is looked through once, and no index is built.
    #[must_use]
    pub fn of(state: State, now: Now) -> Draft {
        let mut engine = Engine::new();
        engine.index = Index::of_draft(&state, now.lease);
        engine.state = state;
        engine.apply(now, Command::Expire);
        Draft { engine, now }
    }

    /// Judges a change, and folds what follows from it.
    pub fn suppose(&mut self, change: Command) -> Verdict {
        self.engine.apply(self.now, change).1
    }

    /// As it is with all that.
    #[must_use]
    pub fn state(&self) -> &State {
        self.engine.state()
    }
}
