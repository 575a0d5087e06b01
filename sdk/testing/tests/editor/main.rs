//! The tests of an application, as its vendor would write them: grace, loss, ending, regain, denial, policies. Hours pass in
//! milliseconds, and nothing is left to chance.

mod app;

use app::{Editor, Mode};
use seatkeeper::wire::{Class, Code};
use seatkeeper_testing::{Feature, Plan};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// As the vendor sells it: a lease of 15 minutes, 10 minutes of grace, 5 minutes to save.
fn license() -> Plan {
    let modeler = Feature::new("modeler").seats(1).grace(10 * MINUTE);
    Plan::new("acme-cad").feature(modeler.policy("export-pdf"))
}

fn reads_only(editor: &Editor, why: &str) {
    match editor.mode() {
        Mode::ReadOnly(text) => assert!(text.contains(why), "{text}"),
        Mode::Edit => panic!("it goes on editing"),
    }
}

#[test]
fn grace_users_go_on_while_the_service_is_away_and_are_told_how_long() {
    let daemon = license().start();
    let mut editor = Editor::start(daemon.client());
    daemon.away(true);
    daemon.pass(16 * MINUTE);
    editor.turn();
    assert_eq!(editor.mode(), &Mode::Edit);
    assert!(
        editor.banner().contains("You can work for"),
        "{}",
        editor.banner()
    );

    daemon.away(false);
    daemon.pass(MINUTE);
    editor.turn();
    assert_eq!((editor.mode(), editor.banner()), (&Mode::Edit, ""));
}

#[test]
fn loss_when_grace_is_over_the_document_is_saved_and_only_read() {
    let daemon = license().start();
    let mut editor = Editor::start(daemon.client());
    editor.edit();
    daemon.away(true);
    daemon.pass(30 * MINUTE);
    editor.turn();
    reads_only(&editor, "lost");
    assert_eq!(editor.saved(), 1);
    editor.edit();
    editor.turn();
    assert_eq!(editor.saved(), 1, "nothing is changed without a seat");
}

#[test]
fn regain_editing_goes_on_by_itself_when_the_service_is_back() {
    let daemon = license().start();
    let mut editor = Editor::start(daemon.client());
    daemon.away(true);
    daemon.pass(30 * MINUTE);
    editor.turn();
    reads_only(&editor, "lost");
    daemon.away(false);
    daemon.pass(6 * MINUTE);
    editor.turn();
    assert_eq!(editor.mode(), &Mode::Edit);
    assert!(editor.may_export());
}

#[test]
fn regain_a_laptop_that_slept_over_night_finds_its_seat_again() {
    let daemon = license().start();
    let mut editor = Editor::start(daemon.client());
    let before = daemon.seats()[0].id.clone();
    daemon.sleep(8 * 60 * MINUTE);
    daemon.pass(MINUTE);
    editor.turn();
    assert_eq!(editor.mode(), &Mode::Edit);
    assert_ne!(daemon.seats()[0].id, before, "it was free over night");
}

#[test]
fn ending_a_seat_that_is_taken_back_is_saved_in_time() {
    let daemon = license().start();
    let mut editor = Editor::start(daemon.client());
    editor.edit();
    daemon.reclaim(&daemon.seats()[0].id).unwrap();
    daemon.pass(6 * MINUTE);
    editor.turn();
    assert_eq!((editor.mode(), editor.saved()), (&Mode::Edit, 1));
    assert!(
        editor.banner().contains("Your seat ends in"),
        "{}",
        editor.banner()
    );

    daemon.pass(15 * MINUTE);
    editor.turn();
    reads_only(&editor, "lost");
    daemon.pass(60 * MINUTE);
    editor.turn();
    reads_only(&editor, "lost");
    editor.try_again();
    assert_eq!(editor.mode(), &Mode::Edit, "a person asked");
}

#[test]
fn ending_without_time_to_save_nothing_is_lost_either() {
    let daemon = license().start();
    let mut editor = Editor::start(daemon.client());
    editor.edit();
    daemon.reclaim_hard(&daemon.seats()[0].id).unwrap();
    daemon.pass(16 * MINUTE);
    editor.turn();
    reads_only(&editor, "lost");
    assert_eq!(editor.saved(), 1);
}

#[test]
fn ending_the_license_runs_out_and_a_renewal_brings_the_seat_back() {
    let daemon = license().lasts(60 * MINUTE).start();
    let mut editor = Editor::start(daemon.client());
    daemon.pass(58 * MINUTE);
    editor.turn();
    assert!(
        editor.banner().contains("Your seat ends in"),
        "{}",
        editor.banner()
    );
    daemon.pass(10 * MINUTE);
    editor.turn();
    reads_only(&editor, "lost");

    daemon.renew_license(&license());
    daemon.pass(10 * MINUTE);
    editor.turn();
    assert_eq!(editor.mode(), &Mode::Edit);
}

#[test]
fn denial_the_last_seat_is_taken_and_the_user_tries_again() {
    let daemon = license().start();
    let colleague = daemon.builder_of("bob").build().unwrap();
    let taken = colleague.checkout("modeler").acquire().unwrap();
    let mut editor = Editor::start(daemon.client());
    reads_only(&editor, "You can try again.");
    drop(taken);
    editor.try_again();
    assert_eq!(editor.mode(), &Mode::Edit);
}

#[test]
fn denial_of_any_kind_is_told_with_what_to_do() {
    let daemon = license().start();
    let judged = [Class::Capacity, Class::Policy, Class::License];
    for code in Code::ALL
        .iter()
        .filter(|code| judged.contains(&code.class()))
    {
        daemon.deny_checkouts(Some(code.clone()));
        reads_only(&Editor::start(daemon.client()), "No seat: ");
    }
    daemon.deny_checkouts(None);
    assert_eq!(Editor::start(daemon.client()).mode(), &Mode::Edit);
}

#[test]
fn denial_of_a_renewal_costs_the_seat_only_for_the_time_being() {
    let daemon = license().start();
    let mut editor = Editor::start(daemon.client());
    daemon.deny_renewals(Some(Code::LeaseEnded));
    daemon.deny_checkouts(Some(Code::NoSeatFree));
    daemon.pass(10 * MINUTE);
    editor.turn();
    reads_only(&editor, "lost");
}

#[test]
fn policies_follow_the_license_while_users_work() {
    let daemon = license().start();
    let mut editor = Editor::start(daemon.client());
    assert!(editor.may_export());
    daemon.renew_license(&Plan::new("acme-cad").feature(Feature::new("modeler").seats(1)));
    daemon.pass(10 * MINUTE);
    editor.turn();
    assert_eq!((editor.mode(), editor.may_export()), (&Mode::Edit, false));
}
