//! What is supposed in a `why` is answered as if it had been done, and is not done (rule 22).

use crate::directory::member;
use crate::site::{Site, Vendor, feature};
use seatkeeper::token::claims::{Count, Counting, Feature};
use seatkeeper::wire::{
    Assignment, Code, ExplainBody, ExplainReply, GroupMake, Item, MembersChange, Suppose,
    SupposedMember, SupposedPlace, SupposedSeats, UnitMake, UserChange, UserMake,
};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::Refused;
use seatkeeper_core::desk::view::Cursor;

/// A site whose license is assigned to group CAD and unit Boston, and who has neither: bob, who is at home.
fn acme(seats: u64) -> (Site, Vendor) {
    acme_with(feature("modeler", seats))
}

fn acme_with(modeler: Feature) -> (Site, Vendor) {
    let (site, vendor) = (Site::new(), Vendor::new("acme"));
    let root = site.root();
    site.trust(&vendor).expect("trust");
    let file = vendor.file(&site.key(), |license| {
        license.features = vec![modeler];
    });
    site.install(&file, false).expect("install");
    let unit = |name: &str, above: &str| UnitMake {
        name: name.to_owned(),
        above: Some(above.to_owned()),
        ..UnitMake::default()
    };
    for (name, above) in [("East", "home"), ("Boston", "East")] {
        site.desk
            .make_unit(&root, &unit(name, above))
            .expect("a unit");
    }
    for (name, license) in [("CAD", true), ("interns", false)] {
        let group = GroupMake {
            name: name.to_owned(),
            ..GroupMake::default()
        };
        site.desk.make_group(&root, &group).expect("a group");
        if license {
            site.desk.assign(&root, &group_cad()).expect("assigned");
        }
    }
    let boston = Assignment {
        unit: Some("Boston".to_owned()),
        ..of_license()
    };
    site.desk.assign(&root, &boston).expect("assigned");
    for login in ["ana", "bob"] {
        let user = UserMake {
            login: login.to_owned(),
            ..UserMake::default()
        };
        site.desk.make_user(&root, &user).expect("a user");
    }
    (site, vendor)
}

fn of_license() -> Assignment {
    Assignment {
        license: "ACME-1".to_owned(),
        ..Assignment::default()
    }
}

fn group_cad() -> Assignment {
    Assignment {
        group: Some("CAD".to_owned()),
        ..of_license()
    }
}

fn ask(
    site: &Site,
    caller: &Caller,
    user: &str,
    suppose: Vec<Suppose>,
) -> Result<ExplainReply, Refused> {
    let body = ExplainBody {
        user: Some(user.to_owned()),
        product: None,
        item: Item {
            feature: "modeler".to_owned(),
            version: None,
            n: 1,
        },
        interactive: false,
        roots: None,
        suppose,
    };
    site.desk.explain(caller, &body, |_| true)
}

/// All that an answer tells, without ids of assignments, which are drawn.
fn told(reply: &ExplainReply) -> String {
    let mut told = serde_json::to_value(reply).expect("JSON");
    let answer = told.as_object_mut().expect("an object");
    answer.remove("supposed");
    answer.remove("today");
    let text = told.to_string();
    let drawn = |word: &&str| !(word.len() == 32 && word.bytes().all(|b| b.is_ascii_hexdigit()));
    let words: Vec<_> = text.split([' ', '"', ':', ',']).filter(drawn).collect();
    words.join(" ")
}

fn events(site: &Site) -> usize {
    let all = Cursor {
        after: None,
        limit: Some(1000),
    };
    let events = site.desk.events(&site.root(), &all).expect("events");
    events.items.len()
}

/// Supposes it, does it, and asks again: the same, and nothing was done in between. The answers before and after.
fn like_done(
    site: &Site,
    user: &str,
    suppose: Suppose,
    deed: impl FnOnce(&Caller),
) -> (ExplainReply, ExplainReply) {
    let root = site.root();
    let (before, noted) = (
        ask(site, &root, user, Vec::new()).expect("why"),
        events(site),
    );
    let supposed = ask(site, &root, user, vec![suppose]).expect("why");
    assert_eq!(events(site), noted, "nothing of it is recorded");
    let again = ask(site, &root, user, Vec::new()).expect("why");
    assert_eq!(told(&again), told(&before), "nothing of it is done");
    let today = supposed.today.as_ref().expect("what is so today");
    assert_eq!(
        (today.granted, &today.summary),
        (before.granted, &before.summary)
    );
    deed(&root);
    let after = ask(site, &root, user, Vec::new()).expect("why");
    assert_eq!(told(&supposed), told(&after), "as doing it is");
    assert!(after.supposed.is_empty() && after.today.is_none());
    (before, supposed)
}

fn denied(reply: &ExplainReply) -> Option<&str> {
    reply.denial.as_ref().map(|denial| denial.code.as_str())
}

#[test]
fn r16_r22_a_right_that_is_supposed_takes_the_end_of_a_seat_back() {
    let (site, vendor) = acme_with(Feature {
        counting: Counting::User,
        share_max: Count::Number(2),
        ..feature("modeler", 1)
    });
    let root = site.root();
    let joins = member("ana", true);
    let done = site.desk.change_members(&root, "CAD", &joins, None);
    done.expect("in CAD");
    site.checkout(&site.ana(), &vendor).expect("a seat");
    let all = site.desk.assignments(&root, &Cursor::default());
    let all = all.expect("a list").items;
    let cad = all.iter().find(|one| one.group.is_some()).expect("CAD");
    let ending = site.desk.unassign(&root, &cad.id, false, None);
    assert_eq!(ending.expect("taken").ending.len(), 1);
    let (before, supposed) = like_done(
        &site,
        "ana",
        Suppose::Assign(Box::new(of_license())),
        |root| {
            let body = Assignment {
                user: Some("ana".to_owned()),
                ..of_license()
            };
            site.desk.assign(root, &body).expect("assigned");
        },
    );
    assert_eq!(denied(&before), Some("not_assigned"));
    assert!(
        supposed.granted && supposed.summary.contains("share the grant"),
        "the only seat is hers still: {supposed:?}"
    );
}

#[test]
fn r22_an_assignment_that_is_supposed_answers_as_one_that_is_made() {
    let (site, _) = acme(2);
    // Whom nobody knows yet, too.
    for user in ["bob", "newcomer"] {
        let (before, supposed) = like_done(
            &site,
            user,
            Suppose::Assign(Box::new(of_license())),
            |root| {
                let body = Assignment {
                    user: Some(user.to_owned()),
                    ..of_license()
                };
                site.desk.assign(root, &body).expect("assigned");
            },
        );
        assert_eq!(denied(&before), Some("not_assigned"));
        assert!(supposed.granted, "{supposed:?}");
        assert_eq!(
            supposed.supposed,
            [format!("ACME-1 assigned to user {user}")]
        );
        let routes = supposed.steps.iter().map(|step| &step.text);
        let via = format!("via user {user}");
        assert!(
            routes.clone().any(|text| text.contains(&via)),
            "{supposed:?}"
        );
    }
    let exclude = Assignment {
        everyone: true,
        exclude: vec!["modeler".to_owned()],
        ..of_license()
    };
    let (before, supposed) = like_done(
        &site,
        "bob",
        Suppose::Assign(Box::new(exclude.clone())),
        |root| {
            site.desk.assign(root, &exclude).expect("assigned");
        },
    );
    assert_eq!(
        (before.granted, denied(&supposed)),
        (true, Some("excluded"))
    );
}

#[test]
fn r22_a_limit_that_is_supposed_counts_the_seats_that_are_taken() {
    let (site, vendor) = acme(5);
    let whose = |user: &str| Assignment {
        user: Some(user.to_owned()),
        ..of_license()
    };
    for user in ["ana", "bob"] {
        site.desk
            .assign(&site.root(), &whose(user))
            .expect("assigned");
    }
    site.checkout(&site.ana(), &vendor).expect("a seat");
    let limited = Assignment {
        everyone: true,
        max: [("modeler".to_owned(), 1)].into(),
        ..of_license()
    };
    let (before, supposed) = like_done(
        &site,
        "bob",
        Suppose::Assign(Box::new(limited.clone())),
        |root| {
            site.desk.assign(root, &limited).expect("assigned");
        },
    );
    assert_eq!(
        (before.granted, denied(&supposed)),
        (true, Some("over_unit_max"))
    );
}

#[test]
fn r22_a_group_and_a_unit_that_are_supposed_answer_as_those_that_are() {
    let (site, _) = acme(2);
    let join = Suppose::Join(SupposedMember {
        user: None,
        group: "cad".to_owned(),
    });
    let (before, supposed) = like_done(&site, "bob", join, |root| {
        let members = MembersChange {
            add_users: vec!["bob".to_owned()],
            ..MembersChange::default()
        };
        let done = site.desk.change_members(root, "CAD", &members, None);
        done.expect("joined");
    });
    assert_eq!(
        (denied(&before), supposed.granted),
        (Some("not_assigned"), true)
    );
    assert_eq!(supposed.supposed, ["bob in group CAD"]);
    let place = Suppose::Place(SupposedPlace {
        user: Some("ana".to_owned()),
        units: vec!["East/Boston".to_owned()],
    });
    let (before, supposed) = like_done(&site, "ana", place, |root| {
        let change = UserChange {
            units: Some(vec!["Boston".to_owned()]),
            ..UserChange::default()
        };
        let done = site.desk.change_user(root, "ana", &change, None);
        done.expect("placed");
    });
    assert_eq!(
        (denied(&before), supposed.granted),
        (Some("not_assigned"), true)
    );
    assert_eq!(supposed.supposed, ["ana in Acme/East/Boston"]);
}

#[test]
fn r22_seats_that_are_supposed_answer_as_a_license_with_so_many() {
    let (site, vendor) = acme(1);
    for user in ["ana", "bob"] {
        let body = Assignment {
            user: Some(user.to_owned()),
            ..of_license()
        };
        site.desk.assign(&site.root(), &body).expect("assigned");
    }
    site.checkout(&site.ana(), &vendor).expect("a seat");
    let with = |seats| {
        Suppose::Seats(SupposedSeats {
            license: "ACME-1".to_owned(),
            seats,
            ..SupposedSeats::default()
        })
    };
    let renewed = |serial, seats| {
        let file = vendor.file(&site.key(), |license| {
            license.serial = serial;
            license.features = vec![feature("modeler", seats)];
        });
        site.install(&file, false).expect("installed");
    };
    let (before, supposed) = like_done(&site, "bob", with(3), |_| renewed(2, 3));
    assert_eq!(
        (denied(&before), supposed.granted),
        (Some("no_seat_free"), true)
    );
    assert_eq!(supposed.supposed, ["ACME-1 with 3 seats of modeler"]);
    let (before, supposed) = like_done(&site, "bob", with(1), |_| renewed(3, 1));
    assert_eq!(
        (before.granted, denied(&supposed)),
        (true, Some("no_seat_free"))
    );
}

#[test]
fn r22_several_are_supposed_one_after_the_other() {
    let (site, _) = acme(2);
    let root = site.root();
    let both = vec![
        Suppose::Place(SupposedPlace {
            user: None,
            units: vec!["East".to_owned()],
        }),
        Suppose::Assign(Box::new(Assignment {
            unit: Some("East".to_owned()),
            ..of_license()
        })),
    ];
    for one in &both {
        let alone = ask(&site, &root, "bob", vec![one.clone()]).expect("why");
        assert!(!alone.granted, "{alone:?}");
    }
    let reply = ask(&site, &root, "bob", both).expect("why");
    assert!(reply.granted, "{reply:?}");
    assert_eq!(
        reply.supposed,
        ["bob in Acme/East", "ACME-1 assigned to unit Acme/East"]
    );
}

#[test]
fn r22_what_cannot_be_is_not_supposed_and_whoever_may_not_see_it_supposes_nothing() {
    let (site, _) = acme(2);
    let refused = |caller: &Caller, suppose| {
        let refused = ask(&site, caller, "bob", suppose).expect_err("a refusal");
        (refused.code.clone(), refused.detail.clone())
    };
    let place = |units: &[&str]| {
        vec![Suppose::Place(SupposedPlace {
            user: None,
            units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        })]
    };
    let (code, detail) = refused(&site.root(), place(&["East", "Boston"]));
    assert_eq!(code, Code::OneLine);
    assert!(
        detail.starts_with("this cannot be supposed, bob in "),
        "{detail}"
    );
    assert_eq!(refused(&site.root(), place(&["Nowhere"])).0, Code::NotFound);
    let seats = |license: &str, seats| {
        Suppose::Seats(SupposedSeats {
            license: license.to_owned(),
            seats,
            ..SupposedSeats::default()
        })
    };
    let none = refused(&site.root(), vec![seats("ACME-9", 1)]).0;
    assert_eq!(none, Code::NotFound);
    for wrong in [vec![seats("ACME-1", 0)], vec![seats("ACME-1", 1); 17]] {
        assert_eq!(refused(&site.root(), wrong).0, Code::BadRequest);
    }
    // Of oneself, too: an answer would tell what else there is.
    assert_eq!(refused(&site.bob(), place(&["East"])).0, Code::Forbidden);
}

/// Two routes are one seat; who takes one of them away knows which other one is there, and what each gives (D1, rule 4).
#[test]
fn d1_why_tells_every_route_and_the_policies_of_all() {
    let (site, _) = acme_with(Feature {
        optional_policies: vec!["export".to_owned(), "print".to_owned()],
        ..feature("modeler", 1)
    });
    let root = site.root();
    let joins = member("ana", true);
    let done = site.desk.change_members(&root, "CAD", &joins, None);
    done.expect("in CAD");
    let right = || {
        let told = ask(&site, &root, "ana", Vec::new()).expect("why");
        let step = told.steps.into_iter().find(|step| step.rule == 4);
        let text = step.expect("a right").text;
        text.split_once(" covers ").expect("by what").1.to_owned()
    };
    assert_eq!(right(), "the user, via group CAD");
    let export = Assignment {
        everyone: true,
        policies: vec!["export".to_owned()],
        ..of_license()
    };
    site.desk.assign(&root, &export).expect("assigned");
    let own = Assignment {
        user: Some("ana".to_owned()),
        policies: vec!["print".to_owned()],
        ..of_license()
    };
    let own = site.desk.assign(&root, &own).expect("assigned");
    assert_eq!(
        right(),
        "the user, via user ana, and also via group CAD, everyone; with export, print"
    );
    site.desk
        .unassign(&root, &own.id, false, None)
        .expect("taken");
    assert_eq!(
        right(),
        "the user, via group CAD, and also via everyone; with export"
    );
}

#[test]
fn r22_what_cannot_be_supposed_is_told_once_and_in_its_own_words() {
    let (site, _) = acme(1);
    let root = site.root();
    let assigned = Suppose::Assign(Box::new(group_cad()));
    let no = ask(&site, &root, "bob", vec![assigned]).expect_err("it is");
    assert_eq!(
        (no.code, no.detail.as_str()),
        (
            Code::Conflict,
            "this cannot be supposed: license ACME-1 is assigned to group CAD already, on other terms"
        )
    );
    let both = Suppose::Place(SupposedPlace {
        user: None,
        units: vec!["East".to_owned(), "Boston".to_owned()],
    });
    let no = ask(&site, &root, "bob", vec![both]).expect_err("one line");
    assert_eq!(no.code, Code::OneLine);
    assert_eq!(no.detail.matches("bob in").count(), 1, "{}", no.detail);
    assert!(
        no.hint.starts_with("name one of the two units"),
        "{}",
        no.hint
    );
}
