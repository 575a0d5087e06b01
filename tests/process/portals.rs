//! People and accounts as the portals of a vendor, its partners and its customers have them, by the command line alone (the
//! lines H, F, B and L of the mission, and the first administrator).

use crate::organisation::{done, refused};
use crate::sign_in::{code_of, told};
use seatkeeper_tests::binaries::Said;
use seatkeeper_tests::site::is_root;
use seatkeeper_tests::{Site, not_run};

/// Accounts of this machine that have no names: `uid-N`. Pat is a partner's administrator, Cam a customer's.
const PAT: u32 = 64_401;
const CAM: u32 = 64_402;
const SENTENCE: &str = "a sentence that nobody guesses";

fn by(site: &Site, uid: u32, line: &str) -> Said {
    let words: Vec<_> = line.split_whitespace().collect();
    site.cli_as(uid, &words)
}

fn did(site: &Site, uid: u32, line: &str) -> String {
    let said = by(site, uid, line);
    assert_eq!(said.code, 0, "{line}: {said:?}");
    said.out
}

fn may_not(site: &Site, uid: u32, line: &str, code: i32) {
    let said = by(site, uid, line);
    assert_eq!(said.code, code, "{line}: {said:?}");
}

/// The home account is the producer's; Reseller sells to Customer and to Second, and nobody to Other.
fn market() -> Site {
    let mut site = Site::new();
    site.start();
    for line in [
        "account add Reseller --kind partner",
        "account add Customer --managed-by Reseller",
        "account add Second --managed-by Reseller",
        "account add Other",
        "unit add Plant --in Customer",
        "user add dee --unit Plant",
        "user add eve --unit Second",
        "user add oz --unit Other",
    ] {
        done(&site, line);
    }
    for (uid, account) in [(PAT, "Reseller"), (CAM, "Customer")] {
        done(&site, &format!("user add uid-{uid} --unit {account}"));
        done(
            &site,
            &format!("role give administrator uid-{uid} --unit {account}"),
        );
    }
    site
}

#[test]
fn h2_h4_h5_h6_l20_a_partner_looks_after_its_customers() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let site = market();
    // All that there is of the own account, and of each customer; nothing of others.
    let own = did(&site, PAT, "user list --unit Reseller -o csv");
    assert!(
        own.contains(&format!("uid-{PAT}")) && !own.contains("dee"),
        "{own}"
    );
    let accounts = did(&site, PAT, "account list -o csv");
    for account in ["Reseller", "Customer", "Second"] {
        assert!(accounts.contains(account), "{account}: {accounts}");
    }
    assert!(!accounts.contains("Other"), "{accounts}");
    let customers = did(&site, PAT, "user list --unit Customer -o csv");
    assert!(
        customers.contains("dee") && customers.contains(&format!("uid-{CAM}")),
        "{customers}"
    );
    assert!(!customers.contains("eve"), "{customers}");
    may_not(&site, PAT, "user list --unit Other", 3);
    // Nobody else has to say yes.
    did(
        &site,
        PAT,
        "user add fay --unit Customer --address fay@customer.example",
    );
    did(&site, PAT, "role give administrator fay --unit Customer");
    let fay = done(&site, "user show fay");
    assert!(
        fay.contains("active") && fay.contains("administrator"),
        "{fay}"
    );
    // The customer's people are given its licenses as everyone is.
    let vendor = seatkeeper_tests::Vendor::new("acme", 7);
    let license = vendor.license("L-1", 1, 2, &site.site_key());
    site.install(&vendor, &vendor.file(&license));
    done(&site, "license unassign L-1 --everyone");
    let file = site.path("customer.lic");
    let mut license = vendor.license("L-2", 1, 2, &site.site_key());
    license.customer.id = "C-2".to_owned();
    std::fs::write(&file, vendor.file(&license)).expect("written");
    done(
        &site,
        &format!("license install {} --account Customer", file.display()),
    );
    did(&site, PAT, "license assign L-2 --user dee");
    done(&site, "why dee modeler");
    may_not(&site, PAT, "license assign L-2 --user oz", 3);
}

#[test]
fn h7_h10_h14_a_role_is_a_step_of_its_own_and_counts_from_then_on() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let site = market();
    // Who is made is a user, whoever makes them and in whatever way.
    did(&site, CAM, "user add gil --unit Customer");
    did(&site, CAM, "user add hal --unit Customer --pending");
    for login in ["gil", "hal"] {
        let known = done(&site, &format!("user show {login}"));
        assert!(
            known.contains("roles   user") && !known.contains("administrator"),
            "{known}"
        );
    }
    refused(&site, "user add ivy --role administrator", "--role");
    refused(&site, "role give none gil --unit Customer", "none");
    let roles = done(&site, "role list -o csv");
    assert!(!roles.contains("none,"), "{roles}");
    // Not before it is given, and then at once; and no longer than that.
    const NEW: u32 = 64_403;
    done(&site, &format!("user add uid-{NEW} --unit Customer"));
    may_not(&site, NEW, "user add jim --unit Customer", 4);
    did(
        &site,
        CAM,
        &format!("role give administrator uid-{NEW} --unit Customer"),
    );
    did(&site, NEW, "user add jim --unit Customer");
    did(
        &site,
        CAM,
        &format!("role take administrator uid-{NEW} --unit Customer"),
    );
    may_not(&site, NEW, "user add kay --unit Customer", 4);
}

#[test]
fn h9_h11_b4_administrators_see_all_licenses_and_add_several_people_at_once() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let site = market();
    let help = done(&site, "user add --help");
    for told in ["<LOGIN>...", "--unit", "--address", "--invite"] {
        assert!(help.contains(told), "{told}: {help}");
    }
    did(&site, CAM, "user add lea max ned --unit Plant");
    let users = did(&site, CAM, "user list --unit Customer -o csv");
    for login in ["lea", "max", "ned"] {
        assert!(users.contains(login), "{users}");
    }
    // A second administrator does the same.
    did(&site, CAM, "role give administrator lea --unit Customer");
    let vendor = seatkeeper_tests::Vendor::new("acme", 7);
    for (id, customer) in [("L-1", "C-1"), ("L-2", "C-2"), ("L-3", "C-2")] {
        let mut license = vendor.license(id, 1, 2, &site.site_key());
        license.customer.id = customer.to_owned();
        if customer == "C-1" {
            site.install(&vendor, &vendor.file(&license));
            continue;
        }
        let file = site.path(&format!("{id}.lic"));
        std::fs::write(&file, vendor.file(&license)).expect("written");
        done(
            &site,
            &format!("license install {} --account Customer", file.display()),
        );
    }
    let all = did(&site, CAM, "license list -o csv");
    assert!(
        all.contains("L-2") && all.contains("L-3") && !all.contains("L-1"),
        "{all}"
    );
}

#[test]
fn h15_a_role_needs_somebody_who_is_registered() {
    let site = market();
    refused(
        &site,
        "role give administrator nobody --unit Customer",
        "not_found",
    );
    done(&site, "user add una --unit Customer --pending");
    done(&site, "role give administrator una --unit Customer");
    let una = done(&site, "user show una");
    assert!(una.contains("pending"), "{una}");
    // Who waits is nobody's administrator yet: the account needs one who is there.
    let last = format!("role take administrator uid-{CAM} --unit Customer");
    refused(&site, &last, "last_administrator");
    done(&site, "user activate una");
    done(&site, &last);
}

#[test]
fn f1_f3_f4_f7_units_of_a_user_and_layers_of_units() {
    let site = market();
    refused(&site, "user drop-unit dee Plant", "last_unit");
    refused(&site, "user add-unit dee Reseller", "mixed_kinds");
    refused(&site, "user add-unit dee Customer", "one_line");
    done(&site, "user add-unit dee Other");
    done(&site, "user drop-unit dee Plant");
    for (unit, above) in [("Hall", "Plant"), ("Line", "Hall"), ("Desk", "Line")] {
        done(&site, &format!("unit add {unit} --in {above}"));
    }
    let tree = done(&site, "unit list");
    assert!(tree.contains("Customer/Plant/Hall/Line/Desk"), "{tree}");
}

#[test]
fn f2_f17_f18_d18_what_an_account_sees_goes_by_its_kind() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    const PIA: u32 = 64_404;
    let site = market();
    done(&site, "account add Maker --kind producer");
    done(&site, &format!("user add uid-{PIA} --unit Maker"));
    for (kind, login, other) in [
        ("producer", format!("uid-{PIA}"), "dee"),
        ("partner", format!("uid-{PAT}"), "dee"),
        ("customer", "dee".to_owned(), "uid-64404"),
    ] {
        let users = done(&site, &format!("user list --kind {kind} -o csv"));
        assert!(
            users.contains(&login) && !users.contains(other),
            "{kind}: {users}"
        );
    }
    let customer = did(&site, CAM, "account list -o csv");
    assert!(
        customer.contains("Customer") && !customer.contains("Second"),
        "{customer}"
    );
    let partner = did(&site, PAT, "account list -o csv");
    assert!(
        partner.contains("Second") && !partner.contains("Other"),
        "{partner}"
    );
    let all = done(&site, "account list -o csv");
    for account in ["Maker", "Reseller", "Customer", "Second", "Other"] {
        assert!(all.contains(account), "{account}: {all}");
    }
}

#[test]
fn f9_f12_l6_what_a_role_gives_is_a_default_and_who_may_distribute() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    const LIM: u32 = 64_405;
    let site = market();
    let role = done(&site, "role show portal-administrator");
    for permission in [
        "user.manage",
        "license.manage_users",
        "unit.manage",
        "below",
    ] {
        assert!(role.contains(permission), "{permission}: {role}");
    }
    let vendor = seatkeeper_tests::Vendor::new("acme", 7);
    let license = vendor.license("L-2", 1, 2, &site.site_key());
    site.install(&vendor, &vendor.file(&license));
    done(&site, "license unassign L-2 --everyone");
    let home = done(&site, "account list -o csv");
    let home = home
        .lines()
        .find(|line| line.contains("home"))
        .expect("the home account");
    let home = home.split(',').next().expect("its name").to_owned();
    done(&site, &format!("user add uid-{LIM} vic wes"));
    may_not(&site, LIM, "license assign L-2 --user vic", 3);
    let give = [
        "role",
        "give",
        "license-manager",
        &format!("uid-{LIM}"),
        "--unit",
        &home,
    ];
    assert_eq!(site.cli(&give).code, 0);
    // One account or many; and no people, which is another permission.
    for login in ["vic", "wes"] {
        did(&site, LIM, &format!("license assign L-2 --user {login}"));
        done(&site, &format!("why {login} modeler"));
    }
    may_not(&site, LIM, "user add xia", 4);
    // The site makes it another.
    let words = "role define license-manager --permission unit.read,user.read,license.read,license.manage_users,user.manage --reach below";
    done(&site, words);
    did(&site, LIM, "user add xia");
}

#[test]
fn d10_b4_b16_the_first_administrator_comes_by_a_code_and_is_that_person_where_they_sit() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    const ADA: u32 = 64_406;
    let (site, _) = Site::with_seats(2);
    done(&site, "license unassign L-1 --everyone");
    let said = done(&site, "user add ada --address ada@acme.example --invite");
    let code = code_of(&said);
    done(&site, "role give administrator ada");
    let set = told(&site, ADA, "login --code", &format!("{code}\n{SENTENCE}\n"));
    assert_eq!(set.code, 0, "{set:?}");
    did(&site, ADA, "user add bob");
    let out = did(&site, ADA, "logout");
    assert!(out.contains("nobody's account"), "{out}");
    // The same address and password, and the program that asks for a sign-in has its seat as that person.
    done(&site, "license assign L-1 --user ada");
    may_not(&site, ADA, "run modeler -- true", 125);
    let back = told(
        &site,
        ADA,
        "login ada@acme.example",
        &format!("{SENTENCE}\n"),
    );
    assert_eq!(back.code, 0, "{back:?}");
    did(&site, ADA, "run modeler -- true");
}
