//! Accounts over the desk: those that licenses make, and by which ids vendors know them (rule 1).

use crate::directory::person;
use crate::roles::role;
use crate::site::{Site, Vendor};
use seatkeeper::token::claims::License;
use seatkeeper::wire::{Assignment, Code, ExplainBody, Installed, Item, UnitChange, UnitMake};
use seatkeeper_core::desk::Refused;
use seatkeeper_core::desk::view::{AuditFilter, Cursor};

pub(crate) fn trusting() -> (Site, Vendor) {
    let (site, vendor) = (Site::new(), Vendor::new("acme"));
    site.trust(&vendor).expect("trust");
    (site, vendor)
}

/// A license of this customer, installed for this account.
pub(crate) fn install(
    (site, vendor): (&Site, &Vendor),
    id: &str,
    customer: (&str, &str, &str),
    account: Option<&str>,
) -> Result<Installed, Refused> {
    let change = |claims: &mut License| {
        claims.sub = id.to_owned();
        let (id, name, contact) = customer;
        claims.customer.id = id.to_owned();
        claims.customer.name = name.to_owned();
        claims.customer.contact = contact.to_owned();
    };
    let body = seatkeeper::wire::InstallBody {
        account: account.map(str::to_owned),
        text: vendor.file(&site.key(), change),
        assign_everyone: false,
        accept_date: false,
        verify_only: false,
    };
    site.desk.install(&site.root(), &body)
}

fn account(name: &str, kind: &str) -> UnitMake {
    UnitMake {
        name: name.to_owned(),
        kind: Some(kind.to_owned()),
        ..UnitMake::default()
    }
}

fn names(site: &Site) -> Vec<String> {
    let units = site.desk.units(&site.root(), &Cursor::default());
    let mut names: Vec<_> = units
        .expect("units")
        .items
        .into_iter()
        .map(|unit| unit.name)
        .collect();
    names.sort();
    names
}

const WORKS: (&str, &str, &str) = ("C-7", "Works Inc", "It@Works.example");

#[test]
fn b1_a_license_makes_its_customers_account_with_the_fulfillment_contact() {
    let (site, vendor) = trusting();
    let root = site.root();
    let done = install((&site, &vendor), "W-1", WORKS, Some("new")).expect("installed");
    assert_eq!(done.licenses[0].account.as_deref(), Some("Works Inc"));
    let said = done.warnings.join("\n");
    assert!(
        said.contains("account Works Inc is made") && said.contains("it@works.example"),
        "{said}"
    );
    let unit = site.desk.unit_of(&root, "works inc").expect("the account");
    assert_eq!((unit.kind.as_deref(), unit.users), (Some("customer"), 1));
    let known: Vec<_> = unit.aliases.iter().map(|a| (&*a.vendor, &*a.id)).collect();
    assert_eq!(known, [("acme", "C-7")]);
    // Found by the address, in whatever case (D8); not registered yet.
    let contact = site
        .desk
        .user_shown(&root, "IT@works.EXAMPLE")
        .expect("the contact");
    assert_eq!(
        (&*contact.login, &*contact.status),
        ("it@works.example", "invited")
    );
    assert_eq!(contact.units, ["Works Inc"]);
    // A later one of the same customer follows, without a word or with it.
    for (id, account) in [
        ("W-2", None),
        ("W-3", Some("new")),
        ("W-4", Some("Works Inc")),
    ] {
        let done = install((&site, &vendor), id, WORKS, account).expect(id);
        assert_eq!(
            done.licenses[0].account.as_deref(),
            Some("Works Inc"),
            "{id}"
        );
    }
    assert_eq!(names(&site), ["Acme", "Works Inc"]);
    let license = site.desk.license(&root, "", "W-2").expect("a license");
    assert_eq!(license.account, "Works Inc");
    let home = site.desk.unit_of(&root, "home").expect("the home account");
    assert!(home.aliases.is_empty(), "{home:?}");
}

#[test]
fn b1_nothing_of_a_contact_is_in_the_journal() {
    let (site, vendor) = trusting();
    install((&site, &vendor), "W-1", WORKS, Some("new")).expect("installed");
    let page = site
        .desk
        .audit(&site.root(), &Cursor::default(), &AuditFilter::default());
    let events = page.expect("the journal").items;
    let made: Vec<_> = events
        .iter()
        .filter(|event| ["UserMade", "UnitMade"].contains(&&*event.kind))
        .collect();
    assert_eq!(made.len(), 2);
    for event in made {
        let raw = event.stored.to_lowercase();
        assert!(!raw.contains("works"), "{raw}");
    }
}

#[test]
fn r01_a_customer_is_one_account() {
    let (site, vendor) = trusting();
    let root = site.root();
    site.desk
        .make_unit(&root, &account("Other", "customer"))
        .expect("made");
    let of = |id: &str, account| install((&site, &vendor), id, WORKS, account);
    of("W-1", Some("other")).expect("by name, whatever the case");
    let no = of("W-2", Some("home")).expect_err("another account");
    assert_eq!((no.code, no.rule), (Code::Conflict, Some(1)));
    assert!(no.detail.contains("account Other here"), "{}", no.detail);
    let at_home = ("C-9", "Nine", "n@nine.example");
    install((&site, &vendor), "N-1", at_home, None).expect("at home");
    let no = install((&site, &vendor), "N-2", at_home, Some("new")).expect_err("it is at home");
    assert!(
        no.code == Code::Conflict && no.detail.contains("account Acme here"),
        "{no:?}"
    );
    let home = site.desk.unit_of(&root, "home").expect("the home account");
    assert_eq!(
        home.aliases.iter().map(|a| &*a.id).collect::<Vec<_>>(),
        ["C-9"]
    );
    let unit = UnitMake {
        name: "Lab".to_owned(),
        above: Some("Other".to_owned()),
        ..UnitMake::default()
    };
    site.desk.make_unit(&root, &unit).expect("made");
    let no = of("W-3", Some("Other/Lab")).expect_err("no account");
    assert!(
        no.code == Code::BadRequest && no.detail.contains("for accounts"),
        "{no:?}"
    );
    assert_eq!(
        of("W-3", Some("Nowhere")).expect_err("none").code,
        Code::NotFound
    );
}

#[test]
fn r01_what_cannot_be_made_is_told_and_leaves_nothing() {
    let (site, vendor) = trusting();
    let before = names(&site);
    let of = |name: &str, contact: &str| {
        install((&site, &vendor), "W-1", ("C-7", name, contact), Some("new"))
    };
    for name in [
        "a/b",
        "Acme",
        "home",
        &"0123456789abcdef".repeat(2),
        &"ö".repeat(65),
    ] {
        let no = of(name, "it@works.example").expect_err(name);
        assert!(
            no.hint.contains("seatkeeper account add NAME") || no.hint.contains("`--account NAME`"),
            "{name}: {no:?}"
        );
    }
    assert_eq!(names(&site), before);
    assert!(
        site.desk
            .user_shown(&site.root(), "it@works.example")
            .is_err()
    );
    site.desk
        .make_unit(&site.root(), &account("works", "customer"))
        .expect("made");
    let no = of("WORKS", "it@works.example").expect_err("the name is taken");
    assert!(
        no.code == Code::NameTaken && no.hint.contains("--account NAME"),
        "{no:?}"
    );
    // A contact who cannot be a user is no reason to refuse what was bought.
    let done = of("Fine", "ask at the desk").expect("installed");
    assert!(
        done.warnings
            .iter()
            .any(|said| said.contains("no mail address")),
        "{:?}",
        done.warnings
    );
    let unit = site.desk.unit_of(&site.root(), "Fine").expect("made");
    assert_eq!(unit.users, 0);
}

#[test]
fn h3_the_partner_of_a_license_manages_the_account_that_it_makes() {
    let (site, vendor) = trusting();
    let root = site.root();
    site.desk
        .make_unit(&root, &account("Dealer", "partner"))
        .expect("made");
    install(
        (&site, &vendor),
        "D-1",
        ("P-1", "Dealer Ltd", "d@dealer.example"),
        Some("Dealer"),
    )
    .expect("installed");
    let by = |id: &str, customer: &str, partner: &str| {
        let change = |claims: &mut License| {
            claims.sub = id.to_owned();
            claims.customer.id = customer.to_owned();
            claims.customer.name = customer.to_owned();
            claims.customer.managed_by = Some(partner.to_owned());
        };
        let body = seatkeeper::wire::InstallBody {
            account: Some("new".to_owned()),
            text: vendor.file(&site.key(), change),
            assign_everyone: false,
            accept_date: false,
            verify_only: false,
        };
        site.desk.install(&root, &body).expect("installed")
    };
    by("W-1", "Works", "P-1");
    let works = site.desk.unit_of(&root, "Works").expect("made");
    assert_eq!(works.managed_by.as_deref(), Some("Dealer"));
    // A customer's id is no partner's, and an unknown one nobody's: the link is left to the administrator.
    for (id, partner) in [("X-1", "Works"), ("X-2", "P-9")] {
        let done = by(id, id, partner);
        let said = done.warnings.join("\n");
        assert!(said.contains("seatkeeper account manage"), "{said}");
        let made = site.desk.unit_of(&root, id).expect("made");
        assert_eq!(made.managed_by, None);
    }
    let change = UnitChange {
        managed_by: Some("Dealer".to_owned()),
        ..UnitChange::default()
    };
    site.desk
        .change_unit(&root, "X-2", &change, None)
        .expect("linked by hand");
}

#[test]
fn r04_a_license_of_another_account_is_told_as_such_and_not_to_be_assigned() {
    let (site, vendor) = trusting();
    let root = site.root();
    site.desk
        .make_unit(&root, &account("Works", "customer"))
        .expect("made");
    let customer = ("C-7", "Works", "it@works.example");
    install((&site, &vendor), "D-1", customer, Some("Works")).expect("of another account");
    crate::roles::made(&site, "tom", &[]);
    let body = ExplainBody {
        user: Some("tom".to_owned()),
        product: None,
        item: Item {
            feature: "modeler".to_owned(),
            version: None,
            n: 1,
        },
        roots: None,
        interactive: false,
        suppose: Vec::new(),
    };
    let why = || site.desk.explain(&root, &body, |_| false).expect("why");
    let told = why();
    let last = told.steps.last().expect("a step");
    assert_eq!(
        last.text,
        "the license is installed for an account that the user is not in"
    );
    let no = told.denial.expect("a no");
    assert_eq!((&no.code, no.rule), (&Code::NotAssigned, Some(4)));
    assert!(
        no.detail
            .contains("installed for an account that tom is not in"),
        "{}",
        no.detail
    );
    assert!(!no.hint.contains("license assign"), "{}", no.hint);
    assert!(no.detail.contains("D-1"), "{}", no.detail);
    assert!(last.pool.is_some());
    // Of another account it is not told which one it is.
    let own = ExplainBody { user: None, ..body };
    let told = site
        .desk
        .explain(&site.ana(), &own, |_| false)
        .expect("why");
    let text = serde_json::to_string(&told).expect("json");
    assert!(!text.contains("D-1") && !text.contains("acme"), "{text}");
    let no = told.denial.expect("a no");
    assert_eq!((&no.code, no.rule), (&Code::NotAssigned, Some(4)));
}

#[test]
fn d8_every_path_that_is_shown_is_one_by_which_its_unit_is_found() {
    let site = Site::new();
    let (root, desk) = (site.root(), &site.desk);
    let made = |name: &str, above: Option<&str>| {
        let body = UnitMake {
            name: name.to_owned(),
            above: above.map(str::to_owned),
            kind: above.is_none().then(|| "customer".to_owned()),
            ..UnitMake::default()
        };
        desk.make_unit(&root, &body).expect(name)
    };
    // Right below home: as an account is called, as home is found, and as the site is called.
    let cust = made("Cust", None);
    let lab = made("Lab", Some("Cust"));
    let all = [
        cust.clone(),
        lab,
        made("Cust", Some("home")),
        made("Lab", Some("Acme/Cust")),
        made("home", Some("Acme")),
        made("Acme", Some("Acme")),
        made("Desk", Some("Acme/Acme")),
    ];
    for unit in &all {
        let found = desk.unit_of(&root, &unit.path).expect(&unit.path);
        assert_eq!(found.id, unit.id, "{}", unit.path);
    }
    assert_eq!(
        desk.unit_of(&root, "cust").expect("the account").id,
        cust.id
    );
    for home in ["home", "Acme"] {
        assert!(desk.unit_of(&root, home).expect(home).home, "{home}");
    }
    // In the home account a path may begin below it, where no account is called so.
    let desk_of = desk.unit_of(&root, "Desk").expect("by its name alone");
    assert_eq!(desk_of.path, "Acme/Acme/Desk");
    // A name at the end of several paths is still asked about, and each of those leads on.
    let which = desk.unit_of(&root, "Lab").expect_err("which?");
    assert!(which.detail.contains("Cust/Lab or"), "{}", which.detail);
    assert!(which.detail.contains("Acme/Cust/Lab"), "{}", which.detail);
    // Whoever sees the one alone means that one.
    desk.make_user(&root, &person("ana", &["Acme/Cust"]))
        .expect("ana");
    let roles = seatkeeper::wire::RolesChange {
        give: vec![role("administrator", "Acme/Cust")],
        ..Default::default()
    };
    desk.change_roles(&root, "ana", &roles, None)
        .expect("a role");
    let seen = desk.unit_of(&site.ana(), "Cust").expect("hers");
    assert_eq!(seen.id, all[2].id);
}

#[test]
fn r1_what_is_in_a_unit_is_told_with_the_commands_that_empty_it() {
    let (site, vendor) = trusting();
    let (root, desk) = (site.root(), &site.desk);
    let below = |name: &str, above: &str| {
        desk.make_unit(&root, &crate::directory::unit(name, Some(above)))
            .expect(name);
    };
    let no = |unit: &str| desk.remove_unit(&root, unit, None).expect_err(unit);
    below("East", "home");
    below("Lab", "East");
    let mut told = vec![(no("East"), "unit list` shows them, `seatkeeper unit move`")];
    desk.make_user(&root, &person("ana", &["Lab"]))
        .expect("ana");
    told.push((no("Lab"), "user list --unit 'Acme/East/Lab'`"));
    below("West", "home");
    let group = seatkeeper::wire::GroupMake {
        name: "CAD".to_owned(),
        unit: Some("West".to_owned()),
        ..Default::default()
    };
    desk.make_group(&root, &group).expect("a group");
    told.push((no("West"), "`seatkeeper group remove`"));
    below("North", "home");
    let roles = seatkeeper::wire::RolesChange {
        give: vec![role("auditor", "North")],
        ..Default::default()
    };
    desk.change_roles(&root, "ana", &roles, None)
        .expect("a role");
    told.push((no("North"), "`seatkeeper role take`"));
    install((&site, &vendor), "W-1", WORKS, Some("new")).expect("installed");
    desk.change_user(
        &root,
        "it@works.example",
        &seatkeeper::wire::UserChange {
            units: Some(vec!["North".to_owned()]),
            ..Default::default()
        },
        None,
    )
    .expect("elsewhere");
    let taken = seatkeeper::wire::RolesChange {
        take: desk
            .user_shown(&root, "it@works.example")
            .expect("there")
            .roles,
        ..Default::default()
    };
    desk.change_roles(&root, "it@works.example", &taken, None)
        .expect("none");
    told.push((no("Works Inc"), "`seatkeeper license remove`"));
    for (no, hint) in told {
        assert_eq!(no.code, Code::NotEmpty);
        assert!(no.hint.contains(hint), "{}: {}", no.detail, no.hint);
    }
    // A name that is taken is no matter of mail addresses.
    let again = desk.make_unit(&root, &crate::directory::unit("west", Some("home")));
    let again = again.expect_err("taken");
    let group = desk.make_group(&root, &group).expect_err("taken");
    for (no, list) in [(again, "unit list"), (group, "group list")] {
        assert_eq!(no.code, Code::NameTaken);
        assert!(
            no.hint.contains(list) && !no.hint.contains("mail"),
            "{}",
            no.hint
        );
    }
}

#[test]
fn r22_what_does_not_fit_is_refused_with_what_helps() {
    let (site, vendor) = trusting();
    install(
        (&site, &vendor),
        "ACME-1",
        ("4711", "Acme", "it@acme.example"),
        None,
    )
    .expect("installed");
    let (root, desk) = (site.root(), &site.desk);
    desk.make_unit(&root, &account("Works", "customer"))
        .expect("Works");
    for (name, above) in [("West", "home"), ("Lab", "West")] {
        let body = crate::directory::unit(name, Some(above));
        desk.make_unit(&root, &body).expect(name);
    }
    desk.make_user(&root, &person("ana", &[])).expect("ana");
    let hint = |no: Refused| no.hint.clone();
    // A license goes to its account, and has what it has.
    let assigns = |body: Assignment| {
        let license = "ACME-1".to_owned();
        hint(
            desk.assign(&root, &Assignment { license, ..body })
                .expect_err("no"),
        )
    };
    let to = |unit: &str| Assignment {
        unit: Some(unit.to_owned()),
        ..Assignment::default()
    };
    let fly = Assignment {
        policies: vec!["fly".to_owned()],
        ..to("West")
    };
    for body in [to("Works"), fly] {
        let said = assigns(body);
        assert!(
            said.starts_with("`seatkeeper license show ACME-1`"),
            "{said}"
        );
    }
    let none = desk.assignment(&root, "12").expect_err("none");
    let list = "`seatkeeper license assignments` shows";
    assert!(none.hint.starts_with(list), "{}", none.hint);
    // The home account cannot be emptied, and the role of everybody not be given.
    let home = hint(desk.remove_unit(&root, "home", None).expect_err("home"));
    assert!(home.starts_with("the home account stays"), "{home}");
    let no = crate::roles::give(&site, &root, "ana", &[role("user", "")]);
    let said = hint(no.expect_err("everybody's"));
    assert!(said.contains("`seatkeeper role define user`"), "{said}");
    // Two units in one line.
    let both = desk.make_user(&root, &person("bob", &["West", "Lab"]));
    let said = hint(both.expect_err("one line"));
    assert!(said.starts_with("name one of the two"), "{said}");
    let again = desk
        .make_user(&root, &person("ana", &[]))
        .expect_err("taken");
    let who = "user ana: another user has this login or address";
    assert_eq!(again.detail, who);
}
