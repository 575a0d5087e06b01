//! An organisation made, changed and judged by the command line alone, over the built programs (rules 1 to 4).

use seatkeeper_tests::binaries::Said;
use seatkeeper_tests::{Application, Site};

/// Types a line, as a person would; words in quotes are one.
fn typed(site: &Site, line: &str) -> Said {
    let mut words = Vec::new();
    for (n, part) in line.split('"').enumerate() {
        match n % 2 {
            0 => words.extend(part.split_whitespace()),
            _ => words.push(part),
        }
    }
    site.cli(&words)
}

pub(crate) fn done(site: &Site, line: &str) -> String {
    let said = typed(site, line);
    assert_eq!(said.code, 0, "{line}: {said:?}");
    said.out
}

pub(crate) fn refused(site: &Site, line: &str, code: &str) -> String {
    let said = typed(site, line);
    assert!(
        said.code != 0 && said.err.contains(code),
        "{line}: {said:?}"
    );
    said.err
}

/// The tree of F5, F6, F10 and F11.
fn acme(site: &Site) {
    for line in [
        r#"account add "Acme North America""#,
        r#"unit add "Acme East" --in "Acme North America""#,
        r#"unit add "Acme Massachusetts" --in "Acme East""#,
        r#"unit add "Acme Boston" --in "Acme Massachusetts""#,
        r#"unit add "Acme New York" --in "Acme East""#,
        r#"account add "Special Operations""#,
    ] {
        done(site, line);
    }
}

#[test]
fn f5_f6_d6_the_tree_holds_by_the_command_line_alone_and_over_a_kill() {
    let mut site = Site::new();
    site.start();
    acme(&site);
    done(&site, r#"user add cy --unit "Acme Boston""#);
    for above in ["Acme Massachusetts", "Acme East", "Acme North America"] {
        let no = refused(&site, &format!(r#"user add-unit cy "{above}""#), "one_line");
        let both = format!("{above} and in ");
        assert!(
            no.contains("user cy would be in") && no.contains(&both),
            "{no}"
        );
    }
    done(&site, r#"user add-unit cy "Special Operations""#);
    let line = r#"unit move "Acme Massachusetts" --in "Special Operations""#;
    refused(&site, line, "one_line");
    site.kill();
    site.start();
    let cy = done(&site, "user show cy");
    assert!(
        cy.contains("Acme Massachusetts/Acme Boston") && cy.contains("Special Operations"),
        "{cy}"
    );
    refused(
        &site,
        r#"unit add "ACME BOSTON" --in "acme massachusetts""#,
        "name_taken",
    );
    let tree = done(&site, "unit list");
    assert!(
        tree.contains("Acme North America/Acme East/Acme New York"),
        "{tree}"
    );
}

#[test]
fn c5_c8_d1_a_group_gives_a_seat_and_takes_it_at_the_next_renewal() {
    let (site, vendor) = Site::with_seats(2);
    done(&site, "license unassign L-1 --everyone");
    let app = Application::start(&site, &vendor);
    assert_eq!(app.said["code"], "not_assigned", "{}", app.said);
    // Whoever runs this test was met by asking.
    let users = done(&site, "user list -o csv");
    let who = users.lines().nth(1).and_then(|line| line.split(',').next());
    let who = who.expect("a user").to_owned();
    done(&site, "group add CAD");
    done(&site, "group add outer");
    done(&site, "group join outer --group CAD");
    done(&site, &format!("group join CAD --user {who}"));
    done(&site, "license assign L-1 --group outer");
    let why = done(&site, &format!("why {who} modeler"));
    assert!(why.contains("via group outer"), "{why}");
    let mut app = Application::start(&site, &vendor);
    assert!(app.said["code"].is_null(), "{}", app.said);
    let left = done(&site, "group leave outer --group CAD");
    assert!(left.contains("has no right any more"), "{left}");
    let seats = done(&site, "seat list");
    assert!(seats.contains("ending (right_lost)"), "{seats}");
    done(&site, &format!("license assign L-1 --user {who}"));
    let seats = done(&site, "seat list");
    assert!(seats.contains("live"), "the other route: {seats}");
    done(&site, "license assign L-1 --everyone --exclude modeler");
    let why = typed(&site, &format!("why {who} modeler"));
    assert!(why.code == 5 && why.out.contains("excluded"), "{why:?}");
    app.end();
}

/// Types a line as another account of this machine, which has no name: `uid-N`.
fn typed_as(site: &Site, uid: u32, words: &[&str]) -> Said {
    site.cli_as(uid, words)
}

#[test]
fn f10_f11_what_people_see_by_the_command_line_alone() {
    const ANA: u32 = 64_101;
    const BOB: u32 = 64_102;
    let mut site = Site::new();
    site.start();
    acme(&site);
    done(
        &site,
        &format!(r#"user add uid-{ANA} --unit "Acme New York""#),
    );
    done(
        &site,
        &format!(r#"user add uid-{BOB} --unit "Acme Boston" --unit "Special Operations""#),
    );
    for unit in ["Acme Massachusetts", "Acme New York"] {
        let line = format!(r#"role give portal-administrator uid-{ANA} --unit "{unit}""#);
        done(&site, &line);
    }
    let seen = |uid: u32| typed_as(&site, uid, &["unit", "list", "-o", "csv"]).out;
    let ana = seen(ANA);
    for unit in ["Acme Massachusetts", "Acme Boston", "Acme New York"] {
        assert!(ana.contains(unit), "{unit}: {ana}");
    }
    assert!(!ana.contains("Special Operations"), "{ana}");
    let bob = seen(BOB);
    assert!(
        bob.contains("Acme Boston") && bob.contains("Special Operations"),
        "{bob}"
    );
    assert!(!bob.contains("Acme New York"), "{bob}");
    // Ana manages her places, and Bob nothing.
    let added = typed_as(&site, ANA, &["user", "add", "cy", "--unit", "Acme Boston"]);
    assert_eq!(added.code, 0, "{added:?}");
    let no = typed_as(&site, BOB, &["user", "add", "dee", "--unit", "Acme Boston"]);
    assert!(no.code == 4 && no.err.contains("user.manage"), "{no:?}");
    let no = typed_as(
        &site,
        ANA,
        &["user", "add", "dee", "--unit", "Special Operations"],
    );
    assert_eq!(
        no.code, 3,
        "out of sight is told as if there were none: {no:?}"
    );
}

#[test]
fn u4_of_several_logins_it_is_said_which_were_added() {
    let mut site = Site::new();
    site.start();
    done(&site, "user add dora");
    let part = typed(&site, "user add z1 dora z2");
    assert_eq!(part.code, 7, "{part:?}");
    let said = "done in part: added z1, z2; not: dora";
    assert!(
        part.err.contains(said) && part.err.contains("name_taken"),
        "{part:?}"
    );
    let none = typed(&site, "user add dora z1");
    assert!(none.code == 1 && !none.err.contains("in part"), "{none:?}");
    let (empty, all) = (
        typed(&site, "user list --unit home --kind partner"),
        done(&site, "user list"),
    );
    assert!(all.contains("z2"), "{all}");
    assert!(empty.err.contains("no such user"), "{empty:?}");
    done(&site, "group add modelers");
    let empty = typed(&site, "user list --group modelers");
    let joins = "`seatkeeper group join 'modelers' --user LOGIN`";
    assert!(empty.err.contains(joins), "{empty:?}");
}

#[test]
fn d3_more_people_than_seats_is_told_to_whoever_assigns() {
    let (site, _) = Site::with_seats(2);
    for login in ["ana", "bob", "cy"] {
        done(&site, &format!("user add {login}"));
    }
    done(&site, "license unassign L-1 --everyone");
    let two = typed(&site, "license assign L-1 --user ana");
    assert!(two.code == 0 && !two.err.contains("people"), "{two:?}");
    let all = typed(&site, "license assign L-1 --everyone");
    assert!(
        all.code == 0 && all.err.contains("and it has 2 seats"),
        "{all:?}"
    );
}
