//! Licenses are given to users, groups, units and everyone, and taken back, by the command line alone (the lines C of the
//! mission, and what a license manager of the lines L does). Whether somebody may sit is asked of `why`, and of a program
//! where it matters what its lease says.

use crate::organisation::{done, refused};
use seatkeeper_tests::site::is_root;
use seatkeeper_tests::vendor::feature;
use seatkeeper_tests::{Application, Site, Vendor, not_run};

/// An account of this machine that has no name: `uid-N`.
const ANA: u32 = 64_301;

/// A site with five seats of `modeler`, assigned to nobody: `save` is granted always, `print` and `render` where an
/// assignment gives them. Users `uid-N` (ana), bob and cy.
fn company() -> (Site, Vendor) {
    let (site, vendor) = Site::with_seats(5);
    let mut license = vendor.license("L-1", 2, 5, &site.site_key());
    license.features[0].policies = vec!["save".to_owned()];
    license.features[0].optional_policies = vec!["print".to_owned(), "render".to_owned()];
    site.install(&vendor, &vendor.file(&license));
    done(&site, "license unassign L-1 --everyone");
    done(&site, &format!("user add uid-{ANA} bob cy"));
    (site, vendor)
}

fn ana() -> String {
    format!("uid-{ANA}")
}

/// Whether somebody would get a seat now.
fn may(site: &Site, who: &str) -> bool {
    let said = site.cli(&["why", who, "modeler"]);
    match said.code {
        0 => true,
        5 => {
            assert!(said.out.contains("not_assigned"), "{said:?}");
            false
        }
        _ => panic!("{said:?}"),
    }
}

/// Who of ana, bob and cy may sit.
fn seated(site: &Site) -> [bool; 3] {
    [&*ana(), "bob", "cy"].map(|who| may(site, who))
}

/// The policies of a lease that a program of ana's account is given.
fn granted(site: &Site, vendor: &Vendor) -> Vec<String> {
    let (uid, gid) = (format!("--reuid={ANA}"), format!("--regid={ANA}"));
    let mut app = Application::behind(site, vendor, &["setpriv", &uid, &gid, "--clear-groups"]);
    let policies = app.said["policies"].as_array().cloned();
    let policies = policies.unwrap_or_else(|| panic!("no seat: {}", app.said));
    app.end();
    let mut policies: Vec<_> = policies
        .iter()
        .map(|policy| policy.as_str().expect("a text").to_owned())
        .collect();
    policies.sort_unstable();
    policies
}

/// The id of the only assignment.
fn assignment(site: &Site) -> String {
    let list = done(site, "license assignments L-1 -o csv");
    let row = list.lines().nth(1).expect("an assignment");
    row.rsplit(',').next().expect("its id").to_owned()
}

#[test]
fn c1_nothing_is_given_where_there_is_no_license() {
    let mut site = Site::new();
    site.start();
    done(&site, "user add bob");
    refused(&site, "license assign L-1 --user bob", "no license L-1");
    refused(&site, "license assign L-1 --everyone", "no license L-1");
    let list = done(&site, "license assignments -o csv");
    assert_eq!(list.lines().count(), 1, "{list}");
}

#[test]
fn c2_only_who_signs_licenses_gives_an_organisation_seats() {
    let (site, _) = company();
    let stranger = Vendor::new("stranger", 99);
    let own = site.path("own.lic");
    let license = stranger.license("L-9", 1, 500, &site.site_key());
    std::fs::write(&own, stranger.file(&license)).expect("written");
    refused(
        &site,
        &format!("license install {}", own.display()),
        "wrong_vendor",
    );
    let list = done(&site, "license list -o csv");
    assert!(list.contains("L-1") && !list.contains("L-9"), "{list}");
    assert!(list.contains("0 of 5"), "{list}");
}

#[test]
fn u2_c3_licenses_are_managed_from_users_groups_units_and_the_whole() {
    let (site, _) = company();
    done(&site, "group add CAD");
    done(&site, r#"unit add Design --in "test site""#);
    for whom in ["--user bob", "--group CAD", "--unit Design", "--everyone"] {
        done(&site, &format!("license assign L-1 {whom}"));
    }
    let list = done(&site, "license assignments L-1 -o csv");
    for whom in ["bob", "CAD", "Design", "everyone"] {
        assert!(list.contains(whom), "{whom}: {list}");
    }
    // Seen from the user: each of their routes.
    done(&site, "license unassign L-1 --everyone");
    done(&site, "group join CAD --user cy");
    let why = done(&site, "why cy modeler");
    assert!(why.contains("via group CAD"), "{why}");
    for whom in ["--user bob", "--group CAD", "--unit Design"] {
        done(&site, &format!("license unassign L-1 {whom}"));
    }
    assert_eq!(seated(&site), [false; 3]);
}

#[test]
fn c4_c14_c16_a_user_is_given_a_license_and_it_is_taken_back() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let (site, vendor) = company();
    done(
        &site,
        &format!("license assign L-1 --user {} --policy print", ana()),
    );
    assert_eq!(seated(&site), [true, false, false], "that user only");
    assert_eq!(granted(&site, &vendor), ["print", "save"]);
    done(&site, &format!("license unassign L-1 --user {}", ana()));
    assert_eq!(seated(&site), [false; 3]);
}

#[test]
fn c5_c7_c8_c17_c18_the_members_of_a_group_are_given_a_license_and_it_is_taken_back() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let (site, vendor) = company();
    done(&site, "group add CAD");
    done(
        &site,
        &format!("group join CAD --user {} --user bob", ana()),
    );
    done(&site, "license assign L-1 --group CAD --policy render");
    assert_eq!(seated(&site), [true, true, false], "all its members");
    assert_eq!(granted(&site, &vendor), ["render", "save"]);
    done(&site, "group join CAD --user cy");
    done(&site, "group leave CAD --user bob");
    assert_eq!(seated(&site), [true, false, true], "with no further step");
    done(&site, "license unassign L-1 --group CAD");
    assert_eq!(seated(&site), [false; 3]);
}

#[test]
fn c6_c7_c8_c19_c20_the_users_of_a_unit_are_given_a_license_and_it_is_taken_back() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let (site, vendor) = company();
    done(&site, r#"unit add Design --in "test site""#);
    done(&site, "unit add Boats --in Design");
    done(&site, &format!("user move {} Design", ana()));
    done(&site, "user move bob Boats");
    done(
        &site,
        "license assign L-1 --unit Design --policy print --policy render",
    );
    assert_eq!(seated(&site), [true, true, false], "and below");
    assert_eq!(granted(&site, &vendor), ["print", "render", "save"]);
    done(&site, "user move cy Boats");
    assert_eq!(seated(&site), [true; 3], "with no further step");
    done(&site, r#"unit add Office --in "test site""#);
    done(&site, "user move bob Office");
    assert_eq!(seated(&site), [true, false, true]);
    done(&site, "license unassign L-1 --unit Design");
    assert_eq!(seated(&site), [false; 3]);
}

#[test]
fn c9_optional_policies_come_and_go_with_the_group_and_the_unit() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let (site, vendor) = company();
    done(&site, "group add CAD");
    done(&site, r#"unit add Design --in "test site""#);
    done(&site, "license assign L-1 --everyone");
    done(&site, "license assign L-1 --group CAD --policy print");
    done(&site, "license assign L-1 --unit Design --policy render");
    assert_eq!(granted(&site, &vendor), ["save"]);
    done(&site, &format!("group join CAD --user {}", ana()));
    assert_eq!(granted(&site, &vendor), ["print", "save"]);
    done(&site, &format!("user move {} Design", ana()));
    assert_eq!(granted(&site, &vendor), ["print", "render", "save"]);
    done(&site, &format!("group leave CAD --user {}", ana()));
    assert_eq!(granted(&site, &vendor), ["render", "save"]);
}

#[test]
fn c10_c11_c12_c13_c15_c21_given_to_all_with_policies_changed_and_taken_back() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let (site, vendor) = company();
    // The default ones always, the optional ones by choice.
    let told = done(&site, "license show L-1 -o json");
    assert!(told.contains("save") && told.contains("render"), "{told}");
    done(&site, "license assign L-1 --everyone --policy print");
    assert_eq!(seated(&site), [true; 3], "usable at once");
    assert_eq!(granted(&site, &vendor), ["print", "save"]);
    refused(&site, "license assign L-1 --user bob --policy fly", "fly");
    // In the middle of a seat: nobody is unassigned.
    let mut app = Application::start(&site, &vendor);
    assert!(app.said["code"].is_null(), "{}", app.said);
    let id = assignment(&site);
    // What is named comes beside what is there.
    done(&site, &format!("license change {id} --policy render"));
    assert_eq!(granted(&site, &vendor), ["print", "render", "save"]);
    done(
        &site,
        &format!("license change {id} --policy none --policy render"),
    );
    assert_eq!(granted(&site, &vendor), ["render", "save"]);
    let limits = |said: &str| {
        done(&site, &format!("license change {id} {said}"));
        let all: serde_json::Value =
            serde_json::from_str(&done(&site, "license assignments L-1 -o json")).expect("JSON");
        (all[0]["max"].clone(), all[0]["exclude"].clone())
    };
    let (two, none) = (serde_json::json!({"modeler": 2}), serde_json::json!({}));
    assert_eq!(limits("--max modeler=2").0, two);
    assert_eq!(limits("--max-each modeler=1").0, two, "the others stay");
    assert_eq!(limits("--max modeler=none").0, none);
    assert_eq!(
        limits("--exclude modeler").1,
        serde_json::json!(["modeler"])
    );
    assert_eq!(limits("--max modeler=2").1, serde_json::json!(["modeler"]));
    assert_eq!(limits("--exclude none").1, serde_json::json!([]));
    refused(&site, &format!("license change {id}"), "nothing is said");
    let seats = done(&site, "seat list");
    assert!(seats.contains("live"), "{seats}");
    assert_eq!(assignment(&site), id);
    app.end();
    done(&site, "license unassign L-1 --everyone");
    assert_eq!(seated(&site), [false; 3]);
    refused(
        &site,
        "license unassign L-1 --everyone",
        "not assigned to everyone",
    );
}

#[test]
fn l1_l8_l19_one_way_for_all_kinds_of_licenses_and_nobody_without_one() {
    let (site, vendor) = company();
    let mut named = vendor.license("L-2", 1, 2, &site.site_key());
    named.features = vec![feature("viewer", 2)];
    named.features[0].model = seatkeeper::token::claims::Model::Named;
    named.features[0].counting = seatkeeper::token::claims::Counting::User;
    site.install(&vendor, &vendor.file(&named));
    done(&site, "license unassign L-2 --everyone");
    for feature in ["modeler", "viewer"] {
        refused_why(&site, "bob", feature);
    }
    // One user, several licenses, each by the same line; and back.
    for license in ["L-1", "L-2"] {
        done(&site, &format!("license assign {license} --user bob"));
    }
    for feature in ["modeler", "viewer"] {
        done(&site, &format!("why bob {feature}"));
    }
    done(&site, "license unassign L-2 --user bob");
    refused_why(&site, "bob", "viewer");
    done(&site, "why bob modeler");
}

fn refused_why(site: &Site, who: &str, feature: &str) {
    let said = site.cli(&["why", who, feature]);
    assert!(
        said.code == 5 && said.out.contains("not_assigned"),
        "{said:?}"
    );
}
