//! What the client accepts as a seat, and what it does not (S5, S17, S18).

mod site;

use seatkeeper::token::claims::Lease;
use seatkeeper::{Error, Seat};
use site::{Script, Site};

fn take(site: &Site) -> Result<Seat, Error> {
    site.client().checkout("modeler").acquire()
}

fn change(how: impl FnOnce(&mut Lease) + Send + 'static) -> Script {
    Script::Change(Box::new(how))
}

#[test]
fn a_genuine_seat_is_held_and_given_back() {
    let site = Site::new(1, 11);
    let seat = take(&site).unwrap();
    let lease = seat.lease().unwrap();
    assert_eq!(
        (lease.user.as_str(), lease.slots.as_slice()),
        ("ana@ws1", [0].as_slice())
    );
    assert!(seat.allows("view") && !seat.allows("export-pdf"));
    assert_eq!(site.holders(), [lease.id]);
    seat.release().unwrap();
    assert!(site.holders().is_empty());
    drop(take(&site).unwrap());
    assert!(site.holders().is_empty(), "a drop gives back");
}

#[test]
fn s5_a_license_of_another_vendor_is_refused_though_the_product_is_the_same() {
    let (ours, theirs) = (Site::new(1, 11), Site::new(21, 11));
    let client = ours
        .builder()
        .transport(std::sync::Arc::new(theirs.clone()))
        .build()
        .unwrap();
    let error = client.checkout("modeler").acquire().unwrap_err();
    assert!(matches!(error, Error::Untrusted(_)), "{error}");
    assert_eq!(error.code(), "wrong_vendor");
    assert!(
        theirs.holders().is_empty(),
        "what cannot be used is given back"
    );
}

#[test]
fn s17_a_daemon_with_another_site_key_gets_no_seat_accepted() {
    let (ours, impostor) = (Site::new(1, 11), Site::new(1, 31));
    let license = ours.lock().license.clone();
    impostor.lock().license = license;
    impostor.lock().sign_chain();
    let error = take(&impostor).unwrap_err();
    assert_eq!(error.code(), "wrong_server_host");
}

#[test]
fn s18_a_recorded_answer_is_refused_in_every_other_call() {
    let site = Site::new(1, 11);
    let seat = take(&site).unwrap();
    let recorded = site.lock().last_reply.clone();
    // Another call of the same client, of another process (a client has an instance of its own), for another feature.
    for feature in ["modeler", "render"] {
        site.next([Script::Replay(recorded.clone())]);
        let error = site.client().checkout(feature).acquire().unwrap_err();
        assert!(matches!(error, Error::Untrusted(_)), "{error}");
    }
    drop(seat);
    // A renewal.
    let client = site.client();
    let second = client.checkout("modeler").acquire().unwrap();
    site.next([Script::Replay(recorded.clone()), Script::Replay(recorded)]);
    site.pass(40);
    let told: Vec<_> = std::iter::from_fn(|| client.poll_event())
        .map(|event| event.kind)
        .collect();
    assert!(
        matches!(told.as_slice(), [seatkeeper::EventKind::Untrusted(_), ..]),
        "{told:?}"
    );
    assert!(second.state().is_usable());
    drop(second);
}

#[test]
fn s18_an_answer_for_another_product_is_refused() {
    let site = Site::new(1, 11);
    site.lock().license.product = "cam".into();
    site.lock().sign_chain();
    assert!(matches!(take(&site).unwrap_err(), Error::Untrusted(_)));
}

#[test]
fn s17_a_lease_that_says_more_than_its_license_is_refused() {
    let forged: Vec<Script> = vec![
        change(|lease| lease.slots = vec![2]),
        change(|lease| lease.slots = vec![0, 1]),
        change(|lease| lease.policies.push("render-farm".into())),
        change(|lease| lease.ttl_s = 3_600),
        change(|lease| lease.feature = "render".into()),
        change(|lease| lease.version = Some("9".into())),
        change(|lease| lease.host = "A".repeat(43)),
        change(|lease| lease.iat += 86_400 * 400),
        change(|lease| lease.license = "A".repeat(43)),
    ];
    for script in forged {
        let site = Site::new(1, 11);
        site.next([script]);
        let error = take(&site).unwrap_err();
        assert!(matches!(error, Error::Untrusted(_)), "{error}");
        assert!(site.holders().is_empty());
    }
}

#[test]
fn s17_mutated_answers_are_refused() {
    let site = Site::new(1, 11);
    drop(take(&site).unwrap());
    let recorded = site.lock().last_reply.clone();
    for at in (0..recorded.len()).step_by(37) {
        let mut mutated = recorded.clone();
        mutated[at] ^= 1;
        site.next([Script::Replay(mutated)]);
        assert!(take(&site).is_err());
    }
}

#[test]
fn s5_the_published_key_is_the_dev_root_and_counts_only_when_asked_for() {
    let key = include_str!("../../daemon/src/dev/dev_root_key.pem");
    let key = seatkeeper::token::keys::SigningKey::from_pem(key, None).unwrap();
    assert_eq!(
        key.public().to_pem().trim(),
        seatkeeper::testing::DEV_ROOT.trim()
    );
    let site = Site::new(1, 11);
    let seat = site
        .builder()
        .dev_root()
        .build()
        .unwrap()
        .checkout("modeler")
        .acquire()
        .unwrap();
    drop(seat);
    let roots = site.lock().bodies.pop().unwrap()["roots"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(roots, 2);
    drop(take(&site).unwrap());
    assert_eq!(
        site.lock().bodies.pop().unwrap()["roots"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
