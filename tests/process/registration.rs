//! Coming in, by the command line alone, over the built programs and over a kill (rule 1).

use crate::organisation::{done, refused};
use seatkeeper_tests::Site;

#[test]
fn f13_b7_b8_who_asks_waits_and_is_let_in_by_a_yes_or_by_a_domain() {
    let mut site = Site::new();
    site.start();
    let line = r#"register --company "Fresh Ltd" --address It@Fresh.example"#;
    let made = done(&site, line);
    assert!(
        made.contains("waits for account Fresh Ltd") && made.contains("register --join"),
        "{made}"
    );
    let no = refused(&site, r#"register --company Other"#, "conflict");
    assert!(no.contains("registration show"), "{no}");
    site.kill();
    site.start();
    let list = done(&site, "registration list -o csv");
    let row = list.lines().nth(1).expect("one waits").to_owned();
    assert!(
        row.contains("it@fresh.example") && row.contains("made it"),
        "{row}"
    );
    let who = row.split(',').next().expect("a login").to_owned();
    let account = done(&site, r#"account show "fresh ltd""#);
    assert!(account.contains("self-registered account"), "{account}");
    let lets = done(
        &site,
        r#"account approve-domain "Fresh Ltd" add FRESH.example"#,
    );
    assert!(lets.contains("fresh.example"), "{lets}");
    for domain in ["example", "fresh.example.", "fr\u{435}sh.example"] {
        refused(
            &site,
            &format!(r#"account approve-domain "Fresh Ltd" add {domain}"#),
            "bad_request",
        );
    }
    let verified = done(&site, &format!("registration verify {who}"));
    assert!(verified.contains("they are in"), "{verified}");
    let users = done(&site, "user list --kind self-registered -o csv");
    assert!(
        users.contains(&format!("{who},self-registered,active")),
        "{users}"
    );
    let none = done(&site, "user list --kind partner -o csv");
    assert!(!none.contains(&who), "{none}");
    let dropped = done(
        &site,
        r#"account approve-domain "Fresh Ltd" drop fresh.example"#,
    );
    assert!(dropped.contains("no more"), "{dropped}");
    // The account is not made once more, and gone is who was refused.
    done(&site, &format!("user remove {who}"));
    refused(&site, r#"register --company "fresh LTD""#, "name_taken");
    done(&site, r#"register --company "Again Ltd""#);
    done(&site, &format!("registration refuse {who}"));
    refused(&site, r#"account show "Again Ltd""#, "not_found");
    let id = account
        .split_whitespace()
        .skip_while(|word| *word != "id")
        .nth(1)
        .expect("an id");
    done(&site, &format!("register --join {id}"));
    let let_in = done(&site, &format!("registration approve {who}"));
    assert!(let_in.contains("is let in, in Fresh Ltd"), "{let_in}");
    done(&site, "audit verify");
}

#[test]
fn b1_a_license_for_a_new_account_by_the_command_line_alone() {
    let (site, vendor) = Site::with_seats(2);
    let mut claims = vendor.license("N-1", 1, 2, &site.site_key());
    claims.customer.id = "C-2".to_owned();
    claims.customer.name = "Works Ltd".to_owned();
    claims.customer.contact = "It@Works.example".to_owned();
    let file = site.path("n-1.lic");
    std::fs::write(&file, vendor.file(&claims)).expect("written");
    let line = format!("license install {} --account", file.display());
    let said = done(&site, &format!("{line} new --assign everyone"));
    assert!(
        said.contains("is in force for Works Ltd, assigned to everyone"),
        "{said}"
    );
    let shown = done(&site, r#"account show "works ltd""#);
    assert!(shown.contains("known as     customer C-2 of"), "{shown}");
    let contact = done(&site, "user show it@works.example");
    assert!(
        contact.contains("invited") && contact.contains("Works Ltd"),
        "{contact}"
    );
    refused(&site, &format!("{line} home"), "conflict");
    done(&site, &line.replace(" --account", ""));
    let license = done(&site, "license show N-1");
    assert!(license.contains("account   Works Ltd"), "{license}");
    let home = done(&site, "account show home");
    assert!(home.contains("customer C-1 of"), "{home}");
}
