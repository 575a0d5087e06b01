//! What a newcomer is told beside the data: which program, which login, which command.

use super::fake::{Fake, page, seatkeeper};
use super::{assignment, code, err, license, out, seat};
use serde_json::json;

#[test]
fn r16_a_hard_reclaim_says_when_it_is_learnt_and_which_program_to_end() {
    let ending = json!({ "ending": [{ "id": "1.1.1", "within_s": 900 }] });
    let fake = Fake::new(vec![
        ("POST /v1/seats/1.1/reclaim", 200, ending),
        ("GET /v1/seats", 200, page(json!([seat("ana")]))),
    ]);
    let hard = fake.run("seat reclaim 1.1.1 --hard");
    assert_eq!(
        (code(&hard), out(&hard).as_str()),
        (
            0,
            "seat 1.1.1 is ending; its slots are free within 15 min\n"
        )
    );
    for words in [
        "next renewal, without time to save",
        "end its program: pid 4711 of ana on ws1",
    ] {
        assert!(err(&hard).contains(words), "{}", err(&hard));
    }
    let soft = fake.run("seat reclaim 1.1.1");
    assert!(
        err(&soft).contains("time to save then") && !err(&soft).contains("4711"),
        "{}",
        err(&soft)
    );
}

#[test]
fn u4_a_code_is_of_somebody_and_nobody_is_named_beside_it() {
    let fake = Fake::new(vec![]);
    for line in ["login zoe --code", "login zoe --code --session s"] {
        let no = fake.run(line);
        assert_eq!((code(&no), out(&no).as_str()), (2, ""));
        for words in ["the code knows whose it is", "`seatkeeper login --code`"] {
            assert!(err(&no).contains(words), "{}", err(&no));
        }
    }
}

#[test]
fn f8_a_role_that_they_do_not_have_there_is_not_said_to_be_taken() {
    let user = |roles, revision| {
        json!({ "id": "7".repeat(32), "login": "zoe", "status": "active", "units": ["Acme"], "groups": [],
            "roles": roles, "revision": revision })
    };
    let take = |before, (after, revision)| {
        Fake::new(vec![
            (
                "PATCH /v1/users/77777777777777777777777777777777/roles",
                200,
                user(after, revision),
            ),
            ("GET /v1/users/zoe", 200, user(before, 3)),
        ])
    };
    let there = json!([{ "role": "helper", "unit": "Acme/East Side" }]);
    let no = take(there.clone(), (there.clone(), 3)).run("role take helper zoe");
    assert_eq!((code(&no), out(&no).as_str()), (3, ""));
    for words in [
        "nothing was taken: zoe does not have the role helper at the home account",
        "`seatkeeper role take helper zoe --unit 'Acme/East Side'`",
    ] {
        assert!(err(&no).contains(words), "{}", err(&no));
    }
    let nowhere = take(json!([]), (json!([]), 3)).run("role take helper zoe --unit East");
    assert!(err(&nowhere).contains("at East"), "{}", err(&nowhere));
    assert!(err(&nowhere).contains("user show zoe"), "{}", err(&nowhere));
    let taken = take(there, (json!([]), 4)).run("role take helper zoe --unit East");
    assert_eq!(
        (code(&taken), out(&taken).as_str()),
        (0, "zoe is now: user of their own units, as everybody\n")
    );
}

#[test]
fn u4_the_usage_of_a_group_works_as_it_is_printed() {
    for verb in ["join", "leave"] {
        let fake = Fake::new(vec![]);
        let no = fake.run(&format!("group {verb} CAD"));
        let usage = format!("group {verb} [OPTIONS] <GROUP> <--user <LOGIN>...");
        assert_eq!(code(&no), 2);
        assert!(err(&no).contains(&usage), "{}", err(&no));
    }
    let help = Fake::new(vec![]).run("role take --help");
    assert!(!out(&help).contains("[default: \"\"]"), "{}", out(&help));
    assert!(
        out(&help).contains("else the home account"),
        "{}",
        out(&help)
    );
}

#[test]
fn u4_a_no_of_why_is_exit_5_and_an_unknown_login_is_told() {
    let reply = |granted| {
        let reply = json!({ "user": "nosuchlogin", "granted": granted, "summary": "s", "steps": [], "holders": [] });
        Fake::new(vec![("POST /v1/explain", 200, reply)])
    };
    for (granted, exit) in [(true, 0), (false, 5)] {
        let output = reply(granted).run("why nosuchlogin modeler");
        assert_eq!(code(&output), exit);
        assert!(
            err(&output).contains("no login nosuchlogin on this machine"),
            "{}",
            err(&output)
        );
    }
    let quiet = reply(true).run("why root modeler");
    assert_eq!(err(&quiet), "");
}

#[test]
fn r22_what_is_supposed_is_asked_in_order_and_told_beside_what_is_so() {
    let reply = json!({ "user": "root", "granted": true, "summary": "root would get slot 0", "steps": [], "holders": [],
        "supposed": ["root in CAD", "L-1 with 20 seats of modeler"],
        "today": { "granted": false, "summary": "no seat is free (no_seat_free, rule 9)" } });
    let fake = Fake::new(vec![("POST /v1/explain", 200, reply)]);
    let line = "why root modeler --if-assigned acme/L-1=group:CAD --if-assigned L-2 --if-seats L-1=20 --if-in-unit East/Boston --if-in-group CAD";
    let output = fake.run(line);
    assert_eq!(code(&output), 0, "the answer to what is supposed");
    let expected = "\
With root in CAD, and L-1 with 20 seats of modeler: root would get a seat of modeler.
root would get slot 0.
As it is today: no. No seat is free (no_seat_free, rule 9).
";
    assert_eq!(out(&output), expected);
    let asked = fake.asked();
    let suppose = asked[0].2["suppose"].as_array().expect("a list");
    let named: Vec<_> = suppose.iter().map(ToString::to_string).collect();
    let [place, join, seats, group, user] = named.as_slice() else {
        panic!("{named:?}")
    };
    assert_eq!(place, r#"{"place":{"units":["East/Boston"]}}"#);
    assert_eq!(join, r#"{"join":{"group":"CAD"}}"#);
    assert_eq!(
        seats,
        r#"{"seats":{"license":"L-1","seats":20,"vendor":""}}"#
    );
    assert_eq!(suppose[3]["assign"]["group"], "CAD", "{group}");
    assert_eq!(suppose[3]["assign"]["vendor"], "acme", "{group}");
    assert_eq!(suppose[4]["assign"]["user"], json!(null), "{user}");
    for wrong in [
        "--if-seats L-1",
        "--if-seats L-1=x",
        "--if-assigned L-1=CAD",
    ] {
        let output = fake.run(&format!("why root modeler {wrong}"));
        assert_eq!(code(&output), 2, "{}", err(&output));
    }
}

#[test]
fn l5_an_assignment_to_a_login_that_nobody_has_is_made_and_told() {
    let answers = |user| {
        vec![
            ("GET /v1/licenses", 200, page(json!([license()]))),
            ("POST /v1/assignments", 201, assignment(Some(user))),
        ]
    };
    let output = Fake::new(answers("nosuchlogin")).run("license assign L-1 --user nosuchlogin");
    assert_eq!(code(&output), 0);
    assert!(
        err(&output).contains("no login nosuchlogin on this machine; assigned all the same"),
        "{}",
        err(&output)
    );
    assert_eq!(
        err(&Fake::new(answers("root")).run("license assign L-1 --user root")),
        ""
    );
}

#[test]
fn u4_words_of_other_programs_get_a_hint() {
    for (line, hint) in [
        ("list", "seatkeeper seat list"),
        ("version", "--version"),
        ("take", "seatkeeper run"),
        ("start", "seatkeeperd run"),
        ("license delete L-1", "license remove"),
    ] {
        let output = seatkeeper(line).output().unwrap();
        assert_eq!(code(&output), 2, "{line}");
        assert!(err(&output).contains(hint), "{line}: {}", err(&output));
    }
}

#[test]
fn u4_where_no_daemon_answers_the_variable_is_asked_about() {
    for line in ["status", "doctor"] {
        let output = seatkeeper(&format!("{line} --socket /nonexistent/s"))
            .output()
            .unwrap();
        let said = out(&output) + &err(&output);
        assert!(said.contains("SEATKEEPER_SOCKET (not set here)"), "{said}");
    }
}

#[test]
fn u4_an_unknown_seat_leads_to_the_list() {
    let fake = Fake::new(vec![]);
    for line in ["seat reclaim 9.9.9", "seat release 9.9.9"] {
        let output = fake.run(line);
        assert_eq!(code(&output), 3);
        assert!(
            err(&output).contains("`seatkeeper seat list`"),
            "{}",
            err(&output)
        );
    }
}

#[test]
fn u4_a_vendor_is_named_after_its_file_and_said_to_be_known() {
    let roots = json!([{ "thumbprint": dev_root(), "pem": "p" }]);
    let acme = json!({ "name": "acme", "roots": roots, "revision": 1 });
    let fake = Fake::new(vec![
        ("GET /v1/vendors", 200, page(json!([acme.clone()]))),
        ("POST /v1/vendors", 200, acme),
    ]);
    let file = fake.file("acme.pub.pem", seatkeeper::testing::DEV_ROOT);
    let output = fake.run(&format!("vendor trust {}", file.display()));
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(
        err(&output).contains("is trusted already, as a root of acme"),
        "{}",
        err(&output)
    );
    let sent = fake
        .asked()
        .into_iter()
        .find(|(what, ..)| what.starts_with("POST"));
    assert_eq!(
        sent.map(|(.., body)| body["name"].clone()),
        Some(json!("acme"))
    );
}

fn dev_root() -> String {
    let key = seatkeeper::token::keys::PublicKey::from_pem(seatkeeper::testing::DEV_ROOT).unwrap();
    key.thumbprint().to_owned()
}

#[test]
fn r10_what_an_assignment_says_of_whom_it_keeps_out_is_said_of_them() {
    let id = "a".repeat(32);
    let place = "/v1/assignments/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let [get, patch] = ["GET", "PATCH"].map(|verb| &*format!("{verb} {place}").leak());
    let stands = |exclude: &str| {
        let item = json!({ "id": id, "vendor": "acme", "license": "L-1", "group": "news", "everyone": false,
            "exclude": [exclude], "max": { "modeler": 2 }, "max_each": { "modeler": 1 }, "revision": 5 });
        let fake = Fake::new(vec![
            (get, 200, item.clone()),
            (patch, 200, json!({ "item": item.clone(), "ending": [] })),
            ("GET /v1/assignments", 200, page(json!([item]))),
        ]);
        let list = out(&fake.run("license assignments"));
        let change = format!("license change {id} --exclude {exclude}");
        (out(&fake.run(&change)), list)
    };
    let (said, list) = stands("render");
    assert!(
        said.starts_with(
            "acme/L-1 is assigned to group news, without render, at most 2 of modeler together"
        ),
        "{said}"
    );
    assert!(
        list.contains("modeler 2 together, modeler 1 each"),
        "{list}"
    );
    let (said, _) = stands("*");
    assert!(
        said.starts_with("group news is kept out of acme/L-1, whatever else covers them"),
        "{said}"
    );
}

#[test]
fn u4_a_refusal_of_what_was_typed_names_no_member_of_a_body() {
    let mut no = super::fake::problem("bad_request", 400);
    no["detail"] = "above: several units are called Design: name the path, as Acme/Design".into();
    let fake = Fake::new(vec![("POST /v1/units", 400, no)]);
    let said = err(&fake.run("unit add Paint --in Design"));
    assert!(
        said.starts_with("refused: several units are called Design: name"),
        "{said}"
    );
}

#[test]
fn u4_an_id_out_of_a_csv_is_found_with_the_end_of_its_line() {
    let fake = Fake::new(vec![]);
    fake.run("user show ana\r");
    assert_eq!(fake.asked()[0].0, "GET /v1/users/ana");
}

#[test]
fn f8_whoever_sees_a_part_is_told_what_they_may_see() {
    let mut part = license();
    part["customer"] = "".into();
    let fake = Fake::new(vec![
        ("GET /v1/groups", 200, page(json!([]))),
        ("GET /v1/licenses", 200, page(json!([part]))),
    ]);
    let none = err(&fake.run("group list"));
    assert!(none.contains("no group that you may see"), "{none}");
    let shown = out(&fake.run("license show acme/L-1"));
    assert!(
        shown.contains("account") && !shown.contains("customer"),
        "{shown}"
    );
}

#[test]
fn u4_nobody_is_named_by_naming_no_account() {
    let mut no = super::fake::problem("not_found", 404);
    no["detail"] = "there is no unit Nobody".into();
    let unit = json!({ "id": "7", "name": "Acme", "path": "Acme", "kind": "customer", "home": false, "units": 0,
        "users": 0, "revision": 1 });
    let fake = Fake::new(vec![
        ("GET /v1/units/Acme", 200, unit),
        ("PATCH /v1/units/7", 404, no),
    ]);
    let said = err(&fake.run("account manage Acme --by Nobody"));
    assert!(
        said.contains("`seatkeeper account manage 'Acme'`, without `--by`"),
        "{said}"
    );
}

#[test]
fn r17_a_license_that_waits_is_assigned_from_its_first_day_on() {
    let first_day = 1_798_761_600;
    for (status, told) in [
        (
            "in_force",
            "acme/L-1 is assigned to everyone, usable at once",
        ),
        (
            "waiting",
            "acme/L-1 is assigned to everyone, usable from 2027-01-01",
        ),
        (
            "not_started",
            "acme/L-1 is assigned to everyone, usable from 2027-01-01",
        ),
    ] {
        let mut license = license();
        license["status"] = json!(status);
        license["nbf"] = json!(first_day);
        let fake = Fake::new(vec![
            ("GET /v1/licenses", 200, page(json!([license]))),
            ("POST /v1/assignments", 201, assignment(None)),
        ]);
        let output = fake.run("license assign L-1 --everyone");
        assert!(out(&output).starts_with(told), "{}", out(&output));
    }
}

#[test]
fn u6_a_seat_that_nobody_has_is_named_as_it_was_typed() {
    let no = super::fake::problem("not_found", 404);
    let fake = Fake::new(vec![("POST /v1/seats/7.7/reclaim", 404, no)]);
    let output = fake.run("seat reclaim 7.7.7");
    assert_eq!(code(&output), 3, "{}", err(&output));
    assert!(
        err(&output).contains("there is no seat 7.7.7"),
        "{}",
        err(&output)
    );
}
