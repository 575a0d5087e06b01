//! People sign in by the command line alone, over the built programs: from the code that an administrator hands over to a
//! password of their own (B14, D9, D15).

use crate::organisation::{done, refused};
use seatkeeper_tests::binaries::{Said, run};
use seatkeeper_tests::site::is_root;
use seatkeeper_tests::smtp::{SmtpServer, Way};
use seatkeeper_tests::{Site, not_run};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

pub(crate) const ANA: u32 = 64_201;
pub(crate) const FIRST: &str = "the first sentence of mine";
const SECOND: &str = "and the second one, longer";

/// Types a line as another account of this machine, with these lines on standard input.
pub(crate) fn told(site: &Site, uid: u32, line: &str, input: &str) -> Said {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(input.as_bytes()).expect("written");
    file.seek(SeekFrom::Start(0)).expect("back");
    let words: Vec<_> = line.split_whitespace().collect();
    let mut command = site.cli_command(&words);
    std::os::unix::process::CommandExt::uid(&mut command, uid);
    std::os::unix::process::CommandExt::gid(&mut command, uid);
    run(command.stdin(file))
}

pub(crate) fn did(site: &Site, line: &str, input: &str) -> String {
    let said = told(site, ANA, line, input);
    assert_eq!(said.code, 0, "{line}: {said:?}");
    said.out
}

/// The code in what an administrator is told, which is on a line of its own.
pub(crate) fn code_of(said: &str) -> String {
    let mut lines = said.lines().map(str::trim);
    let code = lines.find(|line| line.split('-').count() == 7 && line.len() == 34);
    code.unwrap_or_else(|| panic!("no code: {said}")).to_owned()
}

/// Types a line as ana's account, which presents what a file holds.
fn presents(site: &Site, file: &Path, line: &str) -> Said {
    let words: Vec<_> = line.split_whitespace().collect();
    let mut command = site.cli_command(&words);
    std::os::unix::process::CommandExt::uid(&mut command, ANA);
    run(command.env("SEATKEEPER_TOKEN_FILE", file))
}

/// A mail's text without the soft ends of its lines (RFC 2045, 6.7).
pub(crate) fn unbroken(text: &str) -> String {
    text.replace("=\r\n", "").replace("=\n", "")
}

/// The journal, as it is exported.
pub(crate) fn exported(site: &Site) -> String {
    let file = site.path("journal.jsonl");
    done(site, &format!("audit export {}", file.display()));
    std::fs::read_to_string(&file).expect("the export")
}

#[test]
fn d9_b14_from_an_invitation_to_a_password_of_ones_own() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let mut site = Site::new();
    site.start();
    let line = "user add ana --address ana@example.com --invite";
    let words: Vec<_> = line.split_whitespace().collect();
    let said = site.cli(&words);
    let code = code_of(&said.out);
    assert!(said.err.contains("told this once"), "{said:?}");
    assert_eq!(
        said.out.lines().count(),
        1,
        "the code alone is data: {said:?}"
    );
    let nobody = did(&site, "whoami", "");
    assert!(
        nobody.contains("nobody here") && nobody.contains("not known"),
        "{nobody}"
    );
    let short = told(&site, ANA, "login --code", &format!("{code}\nshort\n"));
    assert!(
        short.code == 2 && short.err.contains("less than 12"),
        "{short:?}"
    );
    let input = format!("{}\n{FIRST}\n", code.to_lowercase());
    let set = did(&site, "login --code", &input);
    assert!(set.contains("is signed in as ana"), "{set}");
    let again = told(&site, ANA, "login --code", &input);
    assert!(
        again.code == 4 && again.err.contains("code_not_valid"),
        "{again:?}"
    );
    // It outlives a kill of the daemon.
    site.kill();
    site.start();
    let who = did(&site, "whoami", "");
    for line in [
        "status    active",
        "password  yes",
        "address   ana@example.com",
        "accounts  test site",
    ] {
        assert!(who.contains(line), "{line}: {who}");
    }
    let out = did(&site, "logout", "");
    assert!(out.contains("nobody's account here now"), "{out}");
    let again = told(&site, ANA, "logout", "");
    assert!(
        again.code == 0
            && again
                .err
                .contains("SEATKEEPER_TOKEN_FILE=FILE seatkeeper logout"),
        "{again:?}"
    );
    let wrong = told(&site, ANA, "login ana", "not what it is\n");
    assert!(
        wrong.code == 4 && wrong.err.contains("sign_in_failed"),
        "{wrong:?}"
    );
    let none = told(&site, ANA, "login ana", "");
    assert!(
        none.code == 2 && none.err.contains("standard input"),
        "{none:?}"
    );
    did(&site, "login ANA@example.com", &format!("{FIRST}\n"));
    did(&site, "password", &format!("{FIRST}\n{SECOND}\n"));
    did(&site, "logout", "");
    let old = told(&site, ANA, "login ana", &format!("{FIRST}\n"));
    assert_eq!(old.code, 4, "{old:?}");
    did(&site, "login ana", &format!("{SECOND}\n"));
    let journal = exported(&site);
    for secret in [FIRST, SECOND, &code, "argon2"] {
        assert!(!journal.contains(secret), "{secret} stands in the journal");
        assert!(!site.log().contains(secret), "{secret} stands in the log");
    }
    done(&site, "audit verify");
    refused(&site, "user invite ana", "conflict");
}

#[test]
fn d15_who_forgot_is_told_the_same_whoever_they_are() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let mut site = Site::new();
    site.start();
    done(&site, "user add ana");
    let asks = |login: &str| {
        let said = told(&site, ANA, &format!("forgot {login}"), "");
        assert_eq!(said.code, 0, "{said:?}");
        (said.out, said.err.replace(login, "LOGIN"))
    };
    assert_eq!(asks("ana"), asks("nobody"));
    // It is noted after the answer.
    let list = (0..2000)
        .map(|_| done(&site, "user resets -o csv"))
        .find(|list| list.contains("ana,"));
    let list = list.expect("she is on the list");
    assert!(!list.contains("nobody"), "{list}");
    let code = code_of(&done(&site, "user reset-link ana"));
    let left = done(&site, "user resets -o csv");
    assert!(!left.contains("ana,"), "{left}");
    did(&site, "login --code", &format!("{code}\n{FIRST}\n"));
    refused(&site, "user drop-reset ana", "not_found");
    let no = told(&site, ANA, "user reset-link ana", "");
    assert_eq!(no.code, 4, "nobody makes one for themselves: {no:?}");
}

#[test]
fn s14_a_token_stands_for_its_person_until_it_is_taken_back() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let mut site = Site::new();
    site.start();
    let said = done(
        &site,
        "token create robot --service --role auditor --expires 30d",
    );
    let token = said.lines().find(|line| line.starts_with("skt_"));
    let token = token.expect("a token").to_owned();
    let file = site.path("token");
    std::fs::write(&file, format!("{token}\n")).expect("written");
    let mode = |mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&file, mode).expect("set");
    };
    mode(0o644);
    let by = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let mut command = site.cli_command(&words);
        run(command.env("SEATKEEPER_TOKEN_FILE", &file))
    };
    let no = by("whoami");
    assert!(no.err.contains("is open to others"), "{no:?}");
    mode(0o600);
    let who = by("whoami");
    assert!(
        who.code == 0
            && who.out.contains("by the token")
            && who.out.contains("auditor of test site"),
        "{who:?}"
    );
    // Root it is no more: an auditor sees, and changes nothing.
    assert_eq!(by("user list").code, 0);
    let no = by("user add eve");
    assert!(no.code == 4 && no.err.contains("forbidden"), "{no:?}");
    // It says who that is, and what to do for root, who might.
    let person = "service:robot, by a token, lacks the permission user.manage";
    assert!(no.err.contains(person), "{no:?}");
    assert!(no.err.contains("do it without that"), "{no:?}");
    let no = by(&format!("token revoke {token}"));
    assert!(no.code == 2 && !no.err.contains(&token), "{no:?}");
    let list = done(&site, "token list -o csv");
    assert!(list.contains("robot,service:robot,"), "{list}");
    assert!(!list.contains(&token), "{list}");
    done(&site, "token revoke robot");
    let no = by("whoami");
    assert!(no.code == 4 && no.err.contains("unauthenticated"), "{no:?}");
    let journal = exported(&site);
    assert!(!journal.contains(&token) && !site.log().contains(&token));
    std::fs::remove_file(&file).expect("gone");
    let no = by("whoami");
    assert_eq!(no.code, 3, "a file that is not there is told: {no:?}");
}

#[test]
fn s11_b17_a_session_makes_a_shared_account_a_person_for_a_while() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let mut site = Site::new();
    site.start();
    done(&site, "user add ana");
    done(&site, "role give auditor ana");
    let code = code_of(&done(&site, "user reset-link ana"));
    // What is root's here is nobody else's: both people have folders of their own.
    let folder = site.path("kiosk");
    std::fs::create_dir(&folder).expect("a folder");
    std::os::unix::fs::chown(&folder, Some(ANA), Some(ANA)).expect("theirs");
    let file = folder.join("session");
    let login = format!("login --session {}", file.display());
    let said = did(
        &site,
        &format!("{login} --code"),
        &format!("{code}\n{FIRST}\n"),
    );
    assert!(said.contains("holds a session of ana, until 20"), "{said}");
    let first = std::fs::read_to_string(&file).expect("a session");
    assert!(
        first.starts_with("sks_") && !said.contains(first.trim()),
        "{said}"
    );
    let mode = std::fs::metadata(&file).expect("there").permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );
    let by = |site: &Site, line: &str| presents(site, &file, line);
    let who = by(&site, "whoami");
    assert!(
        who.out.starts_with("ana\n") && who.out.contains("by the session that"),
        "{who:?}"
    );
    assert!(
        did(&site, "whoami", "").contains("nobody here"),
        "the account is who it was"
    );
    assert_eq!(by(&site, "user list").code, 0, "with her rights");
    let no = by(&site, "user add eve");
    let person = "ana, in a session, lacks the permission user.manage";
    assert!(no.err.contains(person), "{no:?}");
    // Another one takes its place in the file, and ends it; no other file is touched. What a killed run left is in no one's way.
    let again = format!("{login} ana");
    did(&site, &again, &format!("{FIRST}\n"));
    let second = std::fs::read_to_string(&file).expect("a session");
    assert_ne!(first, second);
    let list = done(&site, "session list -o csv");
    assert_eq!(list.matches("ana,").count(), 1, "{list}");
    let other = folder.join("other");
    std::fs::write(&other, "mine").expect("written");
    std::os::unix::fs::chown(&other, Some(ANA), Some(ANA)).expect("hers");
    let no = told(
        &site,
        ANA,
        &format!("login ana --session {}", other.display()),
        "",
    );
    assert!(
        no.code == 2 && no.err.contains("it is left as it is"),
        "{no:?}"
    );
    assert_eq!(std::fs::read_to_string(&other).expect("read"), "mine");
    // It outlives a kill of the daemon, and a wrong password leaves the file alone.
    let wrong = told(&site, ANA, &again, "not what it is\n");
    assert!(
        wrong.code == 4 && wrong.err.contains("sign_in_failed"),
        "{wrong:?}"
    );
    assert_eq!(std::fs::read_dir(&folder).expect("listed").count(), 2);
    // One that this daemon does not know is another's, and goes on there.
    std::fs::write(&other, format!("sks_{}\n", "a".repeat(43))).expect("written");
    std::os::unix::fs::chown(&other, Some(ANA), Some(ANA)).expect("hers");
    let line = format!("login ana --session {}", other.display());
    let said = told(&site, ANA, &line, &format!("{FIRST}\n"));
    assert!(
        said.code == 0 && said.err.contains("could not be ended"),
        "{said:?}"
    );
    site.kill();
    site.start();
    assert!(by(&site, "whoami").out.starts_with("ana\n"));
    let out = by(&site, "logout");
    assert!(
        out.code == 0 && out.out.contains("nobody's account here now"),
        "{out:?}"
    );
    let no = by(&site, "whoami");
    assert!(no.code == 4 && no.err.contains("unauthenticated"), "{no:?}");
    let journal = exported(&site);
    for secret in [first.trim(), second.trim()] {
        assert!(!journal.contains(secret) && !site.log().contains(secret));
    }
}

#[test]
fn h12_h13_d9_codes_are_mailed_to_the_address_that_is_known() {
    if !is_root() {
        not_run("needs root to be other people");
        return;
    }
    let server = SmtpServer::start(Way::Plain, None);
    let mut site = Site::new();
    site.configure(&format!(
        "[mail]\nserver = \"localhost\"\nport = {}\nfrom = \"seats@site.example\"\ntls = \"none\"\n\
         url = \"https://seats.example/pages/\"\n",
        server.port()
    ));
    site.start();
    let said = done(&site, "user add ana --address Ana@example.com --invite");
    assert!(
        said.contains("is mailed to ana@example.com") && !said.contains("told this once"),
        "{said}"
    );
    let welcome = &server.taken(1)[0];
    assert_eq!(welcome.to, ["ana@example.com"]);
    assert_eq!(welcome.header("subject"), Some("Welcome to test site"));
    for words in ["Login:           ana", "Units:           test site"] {
        assert!(welcome.text.contains(words), "{words}: {}", welcome.text);
    }
    let code = code_of(&welcome.text);
    // Behind the #: no server and no proxy has it in its log.
    let pages = "https://seats.example/pages";
    for page in [
        format!("{pages}/set-password#{code}"),
        format!("{pages}/login"),
    ] {
        let text = unbroken(&welcome.text);
        let mut lines = text.lines().map(str::trim);
        assert!(lines.any(|line| line == page), "{page}: {text}");
    }
    did(&site, "login --code", &format!("{code}\n{FIRST}\n"));
    did(&site, "logout", "");
    // B13: who forgot gets one where they are known, and nobody hears of anybody else.
    for login in ["nobody", "ANA@example.com"] {
        let said = told(&site, ANA, &format!("forgot {login}"), "");
        assert_eq!((said.code, said.out.as_str()), (0, ""), "{said:?}");
    }
    let reset = &server.taken(2)[1];
    assert_eq!(reset.to, ["ana@example.com"]);
    let code = code_of(&reset.text);
    let page = format!("{pages}/set-password#{code}");
    assert!(unbroken(&reset.text).contains(&page), "{}", reset.text);
    did(&site, "login --code", &format!("{code}\n{SECOND}\n"));
    assert!(!site.log().contains(&code), "a code stands in the log");
    // D8: another address: she signs in by it, and by the old one no more.
    let given = done(&site, "user address ana New@example.com");
    assert!(
        given.contains("ana has the address new@example.com now"),
        "{given}"
    );
    did(&site, "logout", "");
    let old = told(&site, ANA, "login ana@example.com", &format!("{SECOND}\n"));
    assert_eq!(old.code, 4, "{old:?}");
    did(&site, "login NEW@example.com", &format!("{SECOND}\n"));
    let none = done(&site, "user address ana none");
    assert!(none.contains("ana has no mail address now"), "{none}");
    let journal = exported(&site);
    assert!(
        !journal.contains("example.com"),
        "an address stands in the journal"
    );
}
