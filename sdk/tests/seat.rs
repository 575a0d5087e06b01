//! A seat through time: attempts, renewals, grace, ending, loss and regain, on a clock that the test moves.

mod site;

use seatkeeper::token::claims::{Last, Lease};
use seatkeeper::wire::Code;
use seatkeeper::{Client, EndingReason, Error, EventKind, LostReason, State};
use site::{GRACE, Script, Site, TTL, last};
use std::time::Duration;

fn told(client: &Client) -> Vec<EventKind> {
    std::iter::from_fn(|| client.poll_event())
        .map(|event| event.kind)
        .collect()
}

fn member(site: &Site, name: &str) -> Vec<String> {
    site.lock()
        .bodies
        .iter()
        .filter_map(|body| Some(body.get(name)?.as_str()?.to_owned()))
        .collect()
}

#[test]
fn r20_a_lost_reply_is_asked_for_again_under_the_same_id_and_a_new_nonce() {
    let site = Site::new(1, 11);
    site.next([Script::LoseReply]);
    let seat = site.client().checkout("modeler").acquire().unwrap();
    assert_eq!(
        site.holders(),
        [seat.lease().unwrap().id],
        "one seat, not two"
    );
    let (ids, nonces) = (member(&site, "checkout_id"), member(&site, "nonce"));
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
    assert_ne!(nonces[0], nonces[1]);
}

#[test]
fn r20_a_broken_pipe_on_a_kept_connection_is_repeated_at_once() {
    let site = Site::new(1, 11);
    site.next([Script::Stale]);
    let seat = site.client().checkout("modeler").acquire().unwrap();
    let (ids, nonces) = (member(&site, "checkout_id"), member(&site, "nonce"));
    assert_eq!(ids[0], ids[1]);
    assert_ne!(nonces[0], nonces[1]);
    drop(seat);
}

#[test]
fn r20_a_checkout_that_is_given_up_is_released_by_its_id() {
    let site = Site::new(1, 11);
    site.next([Script::LoseReply, Script::Away, Script::Away, Script::Away]);
    let error = site
        .client()
        .checkout("modeler")
        .deadline(Duration::from_millis(60))
        .acquire()
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error}");
    let ids = member(&site, "checkout_id");
    let (method, path) = site.calls().pop().unwrap();
    assert_eq!(method, "DELETE");
    assert!(
        path.starts_with(&format!("/v1/leases/{}?instance=", ids[0])),
        "{path}"
    );
}

#[test]
fn r20_a_release_that_cannot_be_recorded_is_repeated() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    site.next([
        Script::Deny(Code::StorageLow),
        Script::Deny(Code::ServerBusy),
    ]);
    assert!(seat.release().is_err());
    site.pass(60);
    assert!(site.holders().is_empty(), "the third release was served");
}

#[test]
fn r20_a_release_waits_as_long_as_the_daemon_says() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    site.next([Script::Busy(892)]);
    assert!(seat.release().is_err());
    drop(site.calls());
    site.pass(880);
    assert_eq!(site.calls(), [], "not before it is told to");
    site.pass(20);
    assert!(site.holders().is_empty(), "then it is served");
}

#[test]
fn a_denial_is_told_with_code_rule_and_hint_and_not_repeated() {
    let site = Site::new(1, 11);
    site.next([Script::Deny(Code::NoSeatFree)]);
    let Err(Error::Denied(denied)) = site.client().checkout("modeler").acquire() else {
        panic!("no denial")
    };
    assert_eq!((denied.code(), denied.rule()), (&Code::NoSeatFree, Some(9)));
    assert!(!denied.hint().is_empty() && denied.to_string().contains("no_seat_free, rule 9"));
    assert_eq!(site.calls().len(), 1);
}

#[test]
fn an_unknown_code_is_kept_as_text() {
    let site = Site::new(1, 11);
    site.next([Script::Deny(Code::Other("from_the_future".into()))]);
    let error = site.client().checkout("modeler").acquire().unwrap_err();
    assert_eq!(error.code(), "from_the_future");
}

#[test]
fn r8_several_seats_are_all_or_none() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seats = client.checkout("modeler").also("render").acquire().unwrap();
    assert_eq!(seats.len(), 2);
    drop(seats);
    let others: Vec<_> = (0..2)
        .map(|_| client.checkout("render").acquire().unwrap())
        .collect();
    let error = client
        .checkout("modeler")
        .also("render")
        .acquire()
        .unwrap_err();
    assert_eq!(
        (error.code(), site.holders().len()),
        ("no_seat_free", others.len())
    );
}

#[test]
fn a_seat_is_renewed_around_a_third_of_its_ttl_and_stays_held() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    site.pass(10 * TTL);
    assert_eq!(seat.state(), State::Held);
    let renewals = site
        .calls()
        .iter()
        .filter(|(method, _)| method == "PUT")
        .count();
    assert!(
        (27..=34).contains(&renewals),
        "{renewals} renewals in 30 thirds"
    );
    assert!(told(&client).is_empty());
}

#[test]
fn i5_time_counts_from_the_send_and_not_from_the_answer() {
    let site = Site::new(1, 11);
    let clock = site.clock.clone();
    let on_the_way = Duration::from_secs(40);
    site.next([Script::Change(Box::new(move |_| clock.advance(on_the_way)))]);
    site.next((0..100).map(|_| Script::Away));
    let seat = site.client().checkout("modeler").acquire().unwrap();
    site.pass(TTL - 41);
    assert_eq!(seat.state(), State::Held);
    site.pass(1);
    assert!(matches!(seat.state(), State::Grace { .. }));
    site.pass(GRACE);
    assert_eq!(
        seat.state(),
        State::Lost {
            reason: LostReason::Lapsed
        }
    );
}

#[test]
fn time_moves_freely_before_the_first_seat() {
    let site = Site::new(1, 11);
    let client = site.client();
    site.next([Script::Deny(Code::NoSeatFree)]);
    assert!(client.checkout("modeler").acquire().is_err());
    // Nobody waits for a heartbeat that does not beat yet: a thousand steps would take more than an hour.
    site.pass(1_000);
}

#[test]
fn an_outage_is_grace_then_loss_then_the_seat_again() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    site.lock().away = true;
    site.pass(TTL);
    assert!(
        matches!(seat.state(), State::Grace { until } if until.remaining() <= Duration::from_secs(GRACE))
    );
    site.pass(GRACE);
    assert_eq!(
        seat.state(),
        State::Lost {
            reason: LostReason::Lapsed
        }
    );
    assert!(!seat.allows("view"));
    site.lock().away = false;
    site.pass(40);
    assert_eq!(seat.state(), State::Held);
    let told = told(&client);
    assert!(
        matches!(
            told[..],
            [
                EventKind::Grace(_),
                EventKind::Lost(LostReason::Lapsed),
                EventKind::Regained
            ]
        ),
        "{told:?}"
    );
}

#[test]
fn r20_a_refused_renewal_is_told_once_with_its_reason_and_is_no_silence() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    site.next((0..20).map(|_| Script::Deny(Code::Quarantine)));
    site.pass(TTL + GRACE);
    let told_first = told(&client);
    assert!(
        matches!(
            &told_first[..],
            [
                EventKind::Refused { code: Code::Quarantine, text },
                EventKind::Grace(_),
                EventKind::Lost(LostReason::Lapsed)
            ] if text.contains("quarantine")
        ),
        "{told_first:?}"
    );
    site.next([]);
    site.lock().away = false;
    site.pass(20 * TTL);
    assert_eq!(seat.state(), State::Held);
    assert_eq!(told(&client), [EventKind::Regained]);
}

#[test]
fn a_daemon_that_hangs_keeps_nobody_from_being_told_of_grace_and_loss() {
    let site = Site::new(1, 11);
    let client = site.client();
    let short = |lease: &mut Lease| (lease.ttl_s, lease.grace_s) = (12, 12);
    site.next([Script::Change(Box::new(short))]);
    let _seat = client.checkout("modeler").acquire().unwrap();
    site.lock().away = true;
    site.lock().patience.clear();
    site.pass(24);
    // A call is over when the next change comes, but for the second that each has at the least.
    let patience = std::mem::take(&mut site.lock().patience);
    let late = patience
        .iter()
        .filter(|wait| **wait <= Duration::from_secs(5));
    assert!(late.count() >= 2, "{patience:?}");
}

#[test]
fn r20_a_repeated_checkout_whose_seat_is_ending_by_now_is_a_seat_that_ends() {
    let site = Site::new(1, 11);
    let client = site.client();
    site.next([Script::LoseReply, last(Last::Reclaimed)]);
    let seat = client.checkout("modeler").acquire().unwrap();
    assert!(matches!(
        seat.state(),
        State::Ending {
            reason: EndingReason::Reclaimed,
            ..
        }
    ));
    // Of a checkout that was sent once it proves nothing.
    site.next([last(Last::Reclaimed)]);
    let first = client.checkout("render").acquire();
    assert_eq!(first.unwrap_err().code(), "bad_signature");
}

#[test]
fn s22_a_laptop_that_wakes_has_its_seat_again() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seat = client
        .checkout("modeler")
        .asked_by_user()
        .acquire()
        .unwrap();
    for code in [Code::LeaseLapsed, Code::UnknownLease] {
        site.lock().bodies.clear();
        site.next([Script::Deny(code)]);
        site.clock.advance(Duration::from_secs(8 * 3_600));
        assert_eq!(seat.state(), State::Held);
        let anew = site.lock().bodies.last().cloned().unwrap();
        assert_eq!(anew["interactive"], false, "never as interactive");
    }
    let ids = member(&site, "checkout_id");
    assert!(!ids.is_empty());
}

#[test]
fn a_lost_seat_asks_once_per_heartbeat_while_none_is_free() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    site.lock().away = true;
    site.pass(TTL + GRACE + 40);
    site.lock().away = false;
    site.calls();
    site.next([Script::Deny(Code::LeaseLapsed)]);
    site.next((0..20).map(|_| Script::Deny(Code::NoSeatFree)));
    site.pass(300);
    let asked = site
        .calls()
        .iter()
        .filter(|(method, _)| method == "POST")
        .count();
    assert!(
        (8..=12).contains(&asked),
        "{asked} checkouts in 10 heartbeats"
    );
    assert_eq!(
        seat.state(),
        State::Lost {
            reason: LostReason::Lapsed
        }
    );
}

#[test]
fn r16_after_lease_ended_a_seat_stays_lost() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    site.next([Script::Deny(Code::LeaseEnded)]);
    site.pass(40);
    assert_eq!(
        seat.state(),
        State::Lost {
            reason: LostReason::Ended
        }
    );
    assert!(
        site.holders().is_empty(),
        "an ended holder is released, so that its slot is free"
    );
    site.calls();
    site.pass(1_000);
    assert!(site.calls().is_empty());
    assert_eq!(told(&client), [EventKind::Lost(LostReason::Ended)]);
}

#[test]
fn r16_a_last_lease_asks_to_save_and_is_released_at_its_end() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    site.next([last(Last::Reclaimed)]);
    site.pass(35);
    assert!(
        matches!(
            seat.state(),
            State::Ending {
                reason: EndingReason::Reclaimed,
                ..
            }
        ),
        "{:?}",
        seat.state()
    );
    assert_eq!(site.holders().len(), 1);
    site.pass(31);
    assert_eq!(
        seat.state(),
        State::Lost {
            reason: LostReason::Reclaimed
        }
    );
    assert!(site.holders().is_empty());
    let told = told(&client);
    assert!(
        matches!(
            told[..],
            [
                EventKind::Ending(_, EndingReason::Reclaimed),
                EventKind::Lost(LostReason::Reclaimed)
            ]
        ),
        "{told:?}"
    );
}

#[test]
fn r17_a_superseded_seat_is_swapped_while_it_is_still_held() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    let before = seat.lease().unwrap().id;
    site.next([last(Last::Superseded)]);
    site.pass(35);
    let after = seat.lease().unwrap().id;
    assert_ne!(before, after);
    assert_eq!((seat.state(), site.holders()), (State::Held, vec![after]));
    assert!(
        !told(&client)
            .iter()
            .any(|kind| matches!(kind, EventKind::Lost(_)))
    );
}

#[test]
fn r16_the_end_of_a_license_asks_to_save_and_a_renewed_one_takes_it_back() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    site.next([cut(86_400 * 20 - 60)]);
    site.pass(35);
    assert!(matches!(
        seat.state(),
        State::Ending {
            reason: EndingReason::LicenseEnds,
            ..
        }
    ));
    assert_eq!(seat.lease().unwrap().warnings, ["expires_soon"]);
    site.pass(30);
    assert_eq!(seat.state(), State::Held);
    assert!(matches!(
        told(&client)[..],
        [EventKind::Ending(..), EventKind::Regained]
    ));
}

#[test]
fn s17_a_lease_that_is_cut_to_its_delegation_says_nothing_of_the_license() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    site.next([cut(86_400)]);
    site.pass(35);
    assert_eq!(seat.state(), State::Held);
    site.lock().away = true;
    site.pass(60);
    assert_eq!(told(&client), [EventKind::Lost(LostReason::Lapsed)]);
}

/// A lease of 60 s without grace that is signed so long after all else.
fn cut(later: u64) -> Script {
    Script::Change(Box::new(move |lease| {
        lease.iat += later;
        lease.ttl_s = 60;
        lease.grace_s = 0;
        lease.warning = vec!["expires_soon".into()];
    }))
}

#[test]
fn r4_changed_policies_come_with_a_renewal() {
    let site = Site::new(1, 11);
    let client = site.client();
    let seat = client.checkout("modeler").acquire().unwrap();
    site.next([Script::Change(Box::new(|lease| {
        lease.policies = vec!["view".into(), "export-pdf".into()]
    }))]);
    site.pass(35);
    assert!(seat.allows("export-pdf"));
    assert_eq!(
        told(&client),
        [EventKind::PoliciesChanged(vec![
            "view".into(),
            "export-pdf".into()
        ])]
    );
}

#[test]
fn r21_a_renewal_may_change_the_id_and_the_delegation_is_shown_when_asked_for() {
    let site = Site::new(1, 11);
    let seat = site.client().checkout("modeler").acquire().unwrap();
    site.next([Script::Deny(Code::Other("show_delegation".into()))]);
    site.pass(35);
    let shown: Vec<_> = site
        .lock()
        .bodies
        .iter()
        .map(|body| body.get("delegation").is_some())
        .collect();
    assert_eq!(shown, [false, false, true]);
    assert_eq!(seat.state(), State::Held);
    site.next([Script::Change(Box::new(|lease| {
        lease.jti = "7.1.1".into();
        lease.gid = "7.1".into();
    }))]);
    site.pass(35);
    assert_eq!(seat.lease().unwrap().id, "7.1.1");
}

#[test]
fn events_come_by_callback_and_a_panic_in_it_costs_no_seat() {
    let site = Site::new(1, 11);
    let (sender, receiver) = std::sync::mpsc::channel();
    let listener = move |event: &seatkeeper::Event| {
        sender.send(event.clone()).unwrap();
        panic!("the application's own mistake");
    };
    let client = site.builder().on_event(listener).build().unwrap();
    let seat = client.checkout("modeler").acquire().unwrap();
    site.next([Script::Change(Box::new(|lease| lease.policies.clear()))]);
    site.pass(35);
    assert_eq!(receiver.try_recv().unwrap().seat, seat.number());
    site.pass(10 * TTL);
    assert_eq!(seat.state(), State::Held);
}

#[test]
fn a_release_that_nobody_answers_is_repeated() {
    let site = Site::new(1, 11);
    let client = site.client();
    let (first, second) = (
        client.checkout("modeler").acquire().unwrap(),
        client.checkout("modeler").acquire().unwrap(),
    );
    site.lock().away = true;
    assert!(matches!(first.release(), Err(Error::Unreachable(_))));
    site.pass(7);
    site.lock().away = false;
    site.pass(7);
    assert_eq!(site.holders(), [second.lease().unwrap().id]);
}
