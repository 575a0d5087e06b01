//! What tests of waiting share: a task's turn, used up by hand. What waits must wait at its end as it does at its beginning.

use std::future::Future;
use std::pin::pin;
use std::task::Context;
use tokio::task::coop::{consume_budget, has_budget_remaining};

/// Whether this was done already.
#[derive(Default)]
pub(super) struct Turn(bool);

impl Turn {
    /// Leaves nothing of this turn; of later ones all.
    pub(super) fn used_up_once(&mut self, cx: &mut Context<'_>) {
        while !self.0 && has_budget_remaining() {
            let _ = pin!(consume_budget()).poll(cx);
        }
        self.0 = true;
    }
}
