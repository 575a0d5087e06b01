//! What ends with another change has events of its own, and had none in older journals: both fold to the same.

use crate::stage::Stage;
use seatkeeper_engine::Engine;
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::ids::{BearerHash, BearerId, CodeHash};
use std::path::Path;

const SCRIPTS: [&str; 6] = [
    "d08_an_address_is_changed",
    "d09_a_code_is_good_once",
    "d09_a_newer_code_takes_the_place",
    "s11_what_ends_a_session",
    "s11_who_is_let_in_has_no_code_that_others_know",
    "s14_a_token_stands_for_a_person",
];

fn played(name: &str) -> Vec<Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testscripts");
    let text = std::fs::read_to_string(folder.join(format!("{name}.txt"))).expect(name);
    let script = text.split("---\n").next().unwrap_or_default();
    let mut stage = Stage::new();
    for line in script.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            stage.play(line).expect(line);
        }
    }
    stage.journal().to_vec()
}

fn is_end(event: &Recorded) -> bool {
    matches!(
        event,
        Recorded::CodesDropped { .. }
            | Recorded::TokensRevoked { .. }
            | Recorded::SessionsEnded { .. }
    )
}

/// Whether it ended this, too, before each end had an event.
fn ended_by(end: &Recorded, cause: &Recorded) -> bool {
    match cause {
        Recorded::CodeMade { .. } | Recorded::AddressChanged { .. } => {
            matches!(end, Recorded::CodesDropped { .. })
        }
        Recorded::UserPlaced { .. }
        | Recorded::RolesGiven { .. }
        | Recorded::RegistrationApproved { .. }
        | Recorded::RegistrationRefused { .. }
        | Recorded::UserChanged { .. }
        | Recorded::UserRemoved { .. }
        | Recorded::PasswordSet { .. } => true,
        _ => false,
    }
}

fn kept(engine: &Engine) -> (Vec<CodeHash>, Vec<BearerId>, Vec<BearerHash>) {
    let all = &engine.state().credentials;
    let codes = all.codes.keys().copied().collect();
    let bearers = all.bearers.keys().copied().collect();
    (codes, bearers, all.bearer_hashes.keys().copied().collect())
}

#[test]
fn i14_an_older_journal_folds_to_what_it_did() {
    for name in SCRIPTS {
        let journal = played(name);
        let (mut older, mut newer) = (Engine::new(), Engine::new());
        let mut left_out = 0;
        for (n, event) in journal.iter().enumerate() {
            newer.replay(event);
            let cause = journal[n..].iter().find(|event| !is_end(event));
            if is_end(event) && cause.is_some_and(|cause| ended_by(event, cause)) {
                left_out += 1;
                continue;
            }
            older.replay(event);
            if !is_end(event) {
                assert_eq!(kept(&older), kept(&newer), "{name}: {event:?}");
            }
        }
        assert!(left_out > 0, "{name}");
    }
}
