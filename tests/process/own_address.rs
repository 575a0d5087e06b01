//! People take another mail address by the command line alone, over the built programs and a real SMTP server: by a code that
//! was mailed there and does nothing else (S11, D8).

use crate::organisation::done;
use crate::sign_in::{ANA, FIRST, code_of, did, exported, told, unbroken};
use seatkeeper_tests::site::is_root;
use seatkeeper_tests::smtp::{SmtpServer, Way};
use seatkeeper_tests::{Site, not_run};

const CY: u32 = 64_203;
const EVE: u32 = 64_204;

fn mailing(server: &SmtpServer) -> Site {
    let mut site = Site::new();
    site.configure(&format!(
        "unknown_users = \"refuse\"\n[mail]\nserver = \"localhost\"\nport = {}\nfrom = \"seats@site.example\"\ntls = \"none\"\n",
        server.port()
    ));
    site.start();
    site
}

#[test]
fn s11_d8_another_address_is_theirs_by_a_code_that_was_mailed_there() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let server = SmtpServer::start(Way::Plain, None);
    let mut site = mailing(&server);
    done(&site, "user add bob --address bob@example.com");
    done(&site, "user add ana --address ana@example.com --invite");
    let code = code_of(&server.taken(1)[0].text);
    did(&site, "login --code", &format!("{code}\n{FIRST}\n"));
    assert!(did(&site, "whoami", "").contains("address   ana@example.com\n"));
    let wrong = told(&site, ANA, "address new@example.com", "not what it is\n");
    assert!(
        wrong.code == 4 && wrong.err.contains("sign_in_failed"),
        "{wrong:?}"
    );
    // Whose an address is is not told: the same is said of bob's.
    let said = |address: &str| {
        let said = did(&site, &format!("address {address}"), &format!("{FIRST}\n"));
        said.replace(&address.to_lowercase(), "IT")
    };
    let (taken, free) = (said("BOB@example.com"), said("New@example.com"));
    assert_eq!(taken, free);
    assert!(free.contains("a code is on its way to IT"), "{free}");
    let mails = server.taken(3);
    let of = |to: &str| {
        let mail = mails.iter().find(|mail| mail.to == [to]);
        unbroken(
            &mail
                .unwrap_or_else(|| panic!("nothing to {to}: {mails:?}"))
                .text,
        )
    };
    let note = of("bob@example.com");
    assert!(note.contains("stays yours"), "{note}");
    assert!(
        !note
            .lines()
            .any(|line| line.trim().len() == 34 && line.contains('-')),
        "{note}"
    );
    let letter = of("new@example.com");
    assert!(
        letter.contains("seatkeeper address new@example.com --code")
            && !letter.contains("login --code"),
        "{letter}"
    );
    let code = code_of(&letter);
    // Whoever reads what is mailed there becomes nobody by it.
    let stranger = told(
        &site,
        EVE,
        "login --code",
        &format!("{code}\nanother sentence of mine\n"),
    );
    assert!(
        stranger.code == 4 && stranger.err.contains("code_not_valid"),
        "{stranger:?}"
    );
    let stranger = told(
        &site,
        EVE,
        "address new@example.com --code",
        &format!("{code}\n"),
    );
    assert!(stranger.err.contains("unknown_user"), "{stranger:?}");
    // It outlives a kill of the daemon.
    site.kill();
    site.start();
    let input = format!("{}\n", code.to_lowercase());
    let proved = did(&site, "address new@example.com --code", &input);
    assert!(
        proved.contains("new@example.com is the mail address of ana now"),
        "{proved}"
    );
    let again = told(&site, ANA, "address new@example.com --code", &input);
    assert!(
        again.code == 4 && again.err.contains("code_not_valid"),
        "{again:?}"
    );
    let told_of = &server.taken(4)[3];
    assert_eq!(told_of.to, ["ana@example.com"]);
    assert!(
        unbroken(&told_of.text).contains("user address ana ana@example.com"),
        "{}",
        told_of.text
    );
    did(&site, "logout", "");
    let old = told(&site, ANA, "login ana@example.com", &format!("{FIRST}\n"));
    assert_eq!(old.code, 4, "{old:?}");
    did(&site, "login NEW@example.com", &format!("{FIRST}\n"));
    let shown = done(&site, "user show ana");
    assert!(shown.contains("address new@example.com\n"), "{shown}");
    let (journal, log) = (exported(&site), site.log());
    for secret in ["example.com", &*code] {
        assert!(!journal.contains(secret), "{secret} stands in the journal");
    }
    assert!(!log.contains(&code) && !log.contains("new@example.com"));
}

#[test]
fn s11_b7_an_address_that_was_only_told_is_no_name_until_it_is_shown() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let server = SmtpServer::start(Way::Plain, None);
    let mut site = mailing(&server);
    done(&site, "account add Works");
    done(&site, "account approve-domain Works add works.example");
    let works = done(&site, "account show Works -o json");
    let works: serde_json::Value = serde_json::from_str(&works).expect("JSON");
    let id = works["id"].as_str().expect("an id");
    let ask = format!("register --access {id} --address Boss@works.example");
    for uid in [EVE, CY] {
        let said = told(&site, uid, &ask, "");
        assert_eq!(said.code, 0, "{said:?}");
    }
    let list = done(&site, "registration list");
    assert_eq!(
        list.matches("boss@works.example (not proved)").count(),
        2,
        "{list}"
    );
    let eve = format!("uid-{EVE}");
    let own = told(&site, CY, "registration show", "");
    assert!(
        own.out.starts_with(&format!("uid-{CY}\n")) && own.out.contains("(not proved)"),
        "{own:?}"
    );
    let gone = site.cli(&["user", "show", "boss@works.example"]);
    assert_eq!(gone.code, 3, "{gone:?}");
    let code = site.cli(&["user", "reset-link", &eve]);
    assert!(
        code.err.contains("told this once")
            && code.err.contains("nothing is mailed to boss@works.example"),
        "{code:?}"
    );
    // Who reads what is mailed there has it, and comes in by its domain; the other has none any more.
    let said = told(&site, CY, "address boss@works.example", "");
    assert_eq!(said.code, 0, "{said:?}");
    let letter = &server.taken(1)[0];
    assert_eq!(letter.to, ["boss@works.example"]);
    // While its mail is out no other one goes there; of a daemon that ended no mail is out.
    let again = told(&site, CY, "address boss@works.example", "");
    assert!(again.err.contains("too_many_attempts"), "{again:?}");
    site.kill();
    site.start();
    let said = told(&site, CY, "address boss@works.example", "");
    assert_eq!(said.code, 0, "{said:?}");
    let code = code_of(&server.taken(2)[1].text);
    let stolen = told(
        &site,
        EVE,
        "address boss@works.example --code",
        &format!("{code}\n"),
    );
    assert_eq!(stolen.code, 4, "{stolen:?}");
    let said = told(
        &site,
        CY,
        "address boss@works.example --code",
        &format!("{code}\n"),
    );
    assert!(
        said.code == 0 && said.out.starts_with("you are let in: "),
        "{said:?}"
    );
    let shown = done(&site, "user show boss@works.example");
    assert!(
        shown.starts_with(&format!("uid-{CY}")) && shown.contains("status  active"),
        "{shown}"
    );
    let list = done(&site, "registration list");
    assert!(
        list.contains(&eve) && !list.contains("boss@works.example"),
        "{list}"
    );
    // An administrator's word is no proof, and all lists say so. What they were told for who waited ends with the yes.
    done(&site, &format!("user address {eve} eve@works.example"));
    let given = "eve@works.example (given by an administrator)";
    for line in [
        "registration list".to_owned(),
        format!("registration show {eve}"),
        format!("user show {eve}"),
    ] {
        let said = done(&site, &line);
        assert!(said.contains(given), "{line}: {said}");
    }
    let yes = done(&site, &format!("registration approve {eve}"));
    let ended = format!("ended with it: 1 code of {eve}, made before");
    assert!(yes.contains(&ended), "{yes}");
    assert!(
        told(&site, EVE, "whoami", "")
            .out
            .contains("roles     user"),
        "everybody is one"
    );
}
