//! Folds what happens to the terms of service.

use super::rooms::but;
use crate::event::Recorded;
use crate::state::{ServiceTerms, State};
use std::sync::Arc;

/// Folds one event of them.
pub(super) fn evolve(state: &mut State, event: &Recorded) {
    match event {
        Recorded::TermsPublished { version, text, at } => {
            let number = state.terms.get_max().map_or(0, |(number, _)| *number) + 1;
            let published = ServiceTerms {
                version: version.clone(),
                text: *text,
                at: *at,
            };
            state.terms.insert(number, Arc::new(published));
        }
        Recorded::TermsAccepted { user, version } => {
            let mut known = state.terms.iter();
            let found = known.find(|(_, terms)| terms.version == *version);
            if let Some((number, _)) = found {
                let number = *number;
                state.accepted_terms.insert(*user, number);
            }
        }
        but!(terms) => {}
    }
}
