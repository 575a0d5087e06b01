//! How many people a license is for, told to whoever assigns it (D3).

use crate::authorize::Sight;
use seatkeeper_engine::State;
use seatkeeper_engine::ids::{AssignmentId, LicenseId, Name};
use seatkeeper_engine::state::Within;
use seatkeeper_engine::time::Date;
use std::collections::{BTreeMap, BTreeSet};

/// How many active users of those that are seen the assignments of a license let use one of its features at least, and each
/// of them (D3). Whom an assignment keeps out is not counted.
pub(super) fn people(
    state: &State,
    license: &LicenseId,
    j: Date,
    sight: &Sight,
) -> (u64, BTreeMap<String, u64>) {
    let covers = state.covers.get(license);
    let by = || covers.into_iter().flat_map(|covers| &covers.by);
    let within = Within::any(state, by().map(|(target, _)| *target));
    let waiting = state.waiting.iter().filter(|((of, _), _)| of == license);
    let all = state.licenses.get(license).into_iter();
    let all = all.chain(waiting.map(|(_, known)| known));
    let all = all.flat_map(|known| &known.terms.features);
    let features: BTreeSet<_> = all.map(|feature| feature.name.clone()).collect();
    let kept_out = |feature: &Name| {
        let assignments = &state.assignments;
        let keeps = |id: &AssignmentId| {
            assignments
                .get(id)
                .is_some_and(|of| of.terms.keeps_out(feature))
        };
        Within::any(
            state,
            by().filter(|(_, id)| keeps(id)).map(|(target, _)| *target),
        )
    };
    let mut each: Vec<_> = features
        .into_iter()
        .map(|feature| (feature.to_string(), kept_out(&feature), 0))
        .collect();
    let mut people = 0;
    let users = within.among(state);
    for (user, known) in users.filter(|(_, known)| known.active(j)) {
        if !within.has_known(state, *user, known) || !sight.shows(state, *user) {
            continue;
        }
        let mut may = false;
        for (_, out, count) in &mut each {
            if !out.has_known(state, *user, known) {
                (may, *count) = (true, *count + 1);
            }
        }
        people += u64::from(may);
    }
    let each = each.into_iter().map(|(feature, _, count)| (feature, count));
    (people, each.collect())
}
