//! Terms of service by the command line alone, over the built programs and over a kill (B15, D16).

use crate::organisation::{done, refused};
use seatkeeper_tests::Site;

#[test]
fn b15_d16_terms_are_published_accepted_and_asked_for() {
    let mut site = Site::new();
    site.configure("terms_block_checkout = true\n");
    site.start();
    let vendor = site.give_seats(2);
    assert_eq!(vendor.name, "acme");
    let none = site.cli(&["terms", "show"]);
    assert!(
        none.code == 3 && none.err.contains("no terms of service"),
        "{none:?}"
    );
    let file = site.path("terms.txt");
    std::fs::write(&file, "Be kind.\nWe count seats.\n").expect("written");
    let path = file.display().to_string();
    let said = done(&site, &format!("terms publish {path} --version 2026-12"));
    assert!(said.contains("version 2026-12 is in force"), "{said}");
    let me = done(&site, "user list -o csv");
    assert!(me.lines().count() >= 1, "{me}");
    let why = site.cli(&["why", "ana", "modeler"]);
    assert!(
        why.code == 5 && why.out.contains("terms_not_accepted"),
        "{why:?}"
    );
    let no = site.cli(&["run", "modeler", "--", "true"]);
    assert!(
        no.code == 125
            && no.err.contains("terms_not_accepted")
            && no.err.contains("seatkeeper terms accept"),
        "{no:?}"
    );
    assert_eq!(
        done(&site, "terms show").trim_end(),
        "Be kind.\nWe count seats."
    );
    refused(&site, "terms accept --version 2026-11", "conflict");
    let said = done(&site, "terms accept");
    assert!(said.contains("version 2026-12"), "{said}");
    assert_eq!(site.cli(&["run", "modeler", "--", "true"]).code, 0);
    site.kill();
    site.start();
    let shown = site.cli(&["terms", "show"]);
    assert!(
        shown.out.contains("We count seats.") && shown.err.contains("you have accepted it"),
        "{shown:?}"
    );
    let list = done(&site, "terms list -o csv");
    assert!(list.contains(",2026-12,yes"), "{list}");
    std::fs::write(&file, "Be kinder.\n").expect("written");
    refused(
        &site,
        &format!("terms publish {path} --version 2026-12"),
        "conflict",
    );
    done(&site, &format!("terms publish {path} --version 2027-01"));
    let missing = done(&site, "terms list --missing -o csv");
    assert!(missing.contains(",2026-12,no"), "{missing}");
    assert_eq!(site.cli(&["run", "modeler", "--", "true"]).code, 125);
    done(&site, "terms accept");
    assert_eq!(site.cli(&["run", "modeler", "--", "true"]).code, 0);
    let audit = done(&site, "audit list -o csv");
    assert!(
        audit.contains("accepted the terms of service 2027-01"),
        "{audit}"
    );
    done(&site, "audit verify");
}
