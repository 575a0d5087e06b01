//! Named seats by the command line alone, over the built programs and over a kill (rule 7).

use crate::organisation::{done, refused};
use seatkeeper::token::claims::{Counting, Model};
use seatkeeper_tests::{Application, Site};

#[test]
fn r7_d3_l7_a_seat_has_an_owner_until_it_is_taken_from_them() {
    let (mut site, vendor) = Site::with_seats(2);
    let mut named = vendor.license("L-1", 2, 2, &site.site_key());
    named.features[0].model = Model::Named;
    named.features[0].counting = Counting::User;
    site.install(&vendor, &vendor.file(&named));
    let license = done(&site, "license show L-1");
    assert!(
        license.contains("0 of 2 seats have owners") && license.contains("2 available"),
        "{license}"
    );
    // Whoever runs this test takes the first one by sitting down.
    let mut app = Application::start(&site, &vendor);
    assert!(app.said["code"].is_null(), "{}", app.said);
    let seats = done(&site, "seat list");
    assert!(seats.contains("live, named"), "{seats}");
    let id = done(&site, "seat list -o csv");
    let id = id.lines().nth(1).expect("a seat").to_owned();
    app.end();
    done(&site, "license assign L-1 --user bob");
    let no = refused(&site, "license assign L-1 --user cy", "no_seat_free");
    assert!(no.contains("seat reclaim ID --owner"), "{no}");
    site.kill();
    site.start();
    let seats = done(&site, "seat list -o csv");
    let rows: Vec<_> = seats.lines().skip(1).collect();
    assert_eq!(rows.len(), 2, "{seats}");
    assert!(rows.iter().all(|row| row.contains("kept")), "{seats}");
    let of_bob = rows.iter().find(|row| row.contains("bob")).expect("his");
    let grant = of_bob
        .split(',')
        .find(|cell| cell.contains('.'))
        .expect("an id");
    let no = refused(&site, &format!("seat reclaim {grant}"), "bad_request");
    assert!(no.contains("`--owner`"), "{no}");
    let free = done(&site, &format!("seat reclaim {grant} --owner"));
    assert!(free.contains("is free"), "{free}");
    done(&site, "license assign L-1 --user cy");
    let log = done(&site, "audit list");
    assert!(
        log.contains("was taken from its owner") && log.contains("for good"),
        "{log}"
    );
    // The first one is whose it was, over the kill and all.
    let mut app = Application::start(&site, &vendor);
    assert!(app.said["code"].is_null(), "{} after {id}", app.said);
    let seats = done(&site, "seat list");
    assert!(seats.contains("live, named"), "{seats}");
    app.end();
}
